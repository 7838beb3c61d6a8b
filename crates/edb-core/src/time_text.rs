//! Times as text, many of them.

use crate::{Instant, MICROS_PER_DAY};

/// Prints times quickly, the ones of a day after each other: `2022-06-01T00:00:00.064000`, always six decimals.
#[derive(Debug, Clone)]
pub struct TimeText {
    /// Days since 1970 of the last time.
    day: i64,
    text: [u8; 26],
}

impl TimeText {
    /// A printer that puts `separator` between date and time.
    pub fn new(separator: u8) -> Self {
        let mut text = *b"1970-01-01T00:00:00.000000";
        text[10] = separator;
        Self { day: 0, text }
    }

    /// The text of a time in microseconds since 1970 UTC; beyond what [`Instant`] holds, that of its limit.
    pub fn print(&mut self, micros: i64) -> &[u8; 26] {
        let time = Instant::from_micros(micros);
        let (day, of_day) =
            (time.as_micros().div_euclid(MICROS_PER_DAY), time.as_micros().rem_euclid(MICROS_PER_DAY) as u64);
        if day != self.day {
            self.day = day;
            self.text[..10].copy_from_slice(&time.to_edb_text().as_bytes()[..10]);
        }
        let (seconds, micros) = (of_day / 1_000_000, of_day % 1_000_000);
        self.two_digits(11, seconds / 3600);
        self.two_digits(14, seconds / 60 % 60);
        self.two_digits(17, seconds % 60);
        self.two_digits(20, micros / 10_000);
        self.two_digits(22, micros / 100 % 100);
        self.two_digits(24, micros % 100);
        &self.text
    }

    fn two_digits(&mut self, at: usize, number: u64) {
        self.text[at] = b'0' + (number / 10) as u8;
        self.text[at + 1] = b'0' + (number % 10) as u8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_printed_as_one_by_one(
            times in proptest::collection::vec(prop_oneof![
                any::<i64>(),
                1_600_000_000_000_000..1_800_000_000_000_000_i64,
                (0..60_000_i64).prop_map(|day| day * MICROS_PER_DAY - 1),
            ], 1..20)
        ) {
            let mut printer = TimeText::new(b' ');
            for micros in times {
                let expected = Instant::from_micros(micros).to_edb_text();
                prop_assert_eq!(std::str::from_utf8(printer.print(micros)), Ok(expected.as_str()));
            }
        }
    }
}
