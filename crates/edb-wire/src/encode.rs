//! Samples into the service's CSV, byte for byte.

use std::io::Write;

use edb_core::{Instant, MICROS_PER_DAY, MICROS_PER_SECOND, Samples, ValueKind, Values};

/// The header of every answer.
pub const HEADER: &str = "theTime,MJD,euvalue,sqldataType";
const CHUNK_BYTES: usize = 1 << 18;

/// All rows of an answer, header included.
pub fn encode(samples: &Samples) -> Vec<u8> {
    Encoder::new(samples.clone()).flatten().collect()
}

/// Encodes an answer chunk by chunk, some 256 KiB each, the header at the start of the first.
///
/// Reals have ten decimals (the service's form, which ends the precision of very small values); integers none; NaN and
/// infinities are `NaN`, `inf`, `-inf`; null is an empty field; text is quoted if it holds a comma, a quote or a line end,
/// or is empty.
#[derive(Debug)]
pub struct Encoder {
    samples: Samples,
    next: usize,
    day: Option<(i64, String)>,
    started: bool,
}

impl Encoder {
    /// An encoder of `samples`.
    pub fn new(samples: Samples) -> Self {
        Self { samples, next: 0, day: None, started: false }
    }

    fn row(&mut self, out: &mut Vec<u8>, at: usize) {
        self.time(out, self.samples.times()[at]);
        out.push(b',');
        if !self.samples.nulls().contains(at) {
            match self.samples.values() {
                Values::Real(values) => real(out, values.0[at]),
                Values::Integer(values) => decimal(out, values[at], 1),
                Values::Text(column) => text(out, column.word(at)),
            }
        }
        out.push(b',');
        let word = self.samples.sql_type().as_str();
        if self.samples.sql_type().kind() == ValueKind::Text {
            text(out, word)
        } else {
            out.extend(word.bytes())
        }
        out.extend_from_slice(b"\r\n");
    }

    /// `2022-06-01 00:00:00.064000,59731.0000007407`
    fn time(&mut self, out: &mut Vec<u8>, micros: i64) {
        let day = micros.div_euclid(MICROS_PER_DAY);
        let of_day = micros.rem_euclid(MICROS_PER_DAY);
        if self.day.as_ref().is_none_or(|(known, _)| *known != day) {
            let text = Instant::from_micros(micros).to_edb_text();
            self.day = Some((day, text[..11].to_owned()));
        }
        if let Some((_, date)) = &self.day {
            out.extend_from_slice(date.as_bytes());
        }
        let second = of_day / MICROS_PER_SECOND;
        decimal(out, second / 3600, 2);
        out.push(b':');
        decimal(out, second / 60 % 60, 2);
        out.push(b':');
        decimal(out, second % 60, 2);
        out.push(b'.');
        decimal(out, of_day % MICROS_PER_SECOND, 6);
        out.push(b',');
        mjd(out, micros);
    }
}

/// [`Instant::to_mjd_text`], fast: a double in [4096, 2^17) is a multiple of 2^-40, so its decimals are integer arithmetic.
fn mjd(out: &mut Vec<u8>, micros: i64) {
    let mjd = Instant::from_micros(micros).to_mjd();
    if !(4096.0..131_072.0).contains(&mjd) {
        // Writing into a vector does not fail.
        let _ = write!(out, "{mjd:.10}");
        return;
    }
    let scaled = u128::from((mjd * (1_u64 << 40) as f64) as u64) * 10_000_000_000;
    let (floor, rest, half) = ((scaled >> 40) as i64, scaled & ((1 << 40) - 1), 1 << 39);
    let rounded = floor + i64::from(rest > half || rest == half && floor % 2 == 1);
    decimal(out, rounded / 10_000_000_000, 1);
    out.push(b'.');
    decimal(out, rounded % 10_000_000_000, 10);
}

impl Iterator for Encoder {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.started && self.next == self.samples.len() {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK_BYTES + 1024);
        if !self.started {
            self.started = true;
            out.extend_from_slice(HEADER.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        while self.next < self.samples.len() && out.len() < CHUNK_BYTES {
            self.row(&mut out, self.next);
            self.next += 1;
        }
        Some(out)
    }
}

/// `number` with at least `width` digits.
fn decimal(out: &mut Vec<u8>, number: i64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut rest = number.unsigned_abs();
    let mut at = digits.len();
    while rest > 0 || digits.len() - at < width {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

fn real(out: &mut Vec<u8>, value: f64) {
    // If the value is the double nearest to some m / 10^10 with m < 2^53, its ten decimals are those of m: half a unit in
    // the last place is far less than half of 10^-10.
    let scaled = (value.abs() * 1e10).round();
    if scaled < 9_007_199_254_740_992.0 && (scaled / 1e10).to_bits() == value.abs().to_bits() {
        if value.is_sign_negative() {
            out.push(b'-');
        }
        let scaled = scaled as i64;
        decimal(out, scaled / 10_000_000_000, 1);
        out.push(b'.');
        decimal(out, scaled % 10_000_000_000, 10);
        return;
    }
    // Writing into a vector does not fail.
    let _ = match value {
        _ if value.is_nan() => write!(out, "NaN"),
        f64::INFINITY => write!(out, "inf"),
        f64::NEG_INFINITY => write!(out, "-inf"),
        _ => write!(out, "{value:.10}"),
    };
}

fn text(out: &mut Vec<u8>, text: &str) {
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_mjd_is_the_plain_one(micros in prop_oneof![1_500_000_000_000_000_i64..1_800_000_000_000_000, -62_135_596_800_000_000_i64..253_402_300_800_000_000]) {
            let mut fast = Vec::new();
            mjd(&mut fast, micros);
            prop_assert_eq!(String::from_utf8(fast).unwrap(), Instant::from_micros(micros).to_mjd_text());
        }
    }
}
