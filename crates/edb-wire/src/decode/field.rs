//! The meaning of one field: time, real, integer.

use edb_core::{Instant, MICROS_PER_SECOND};

/// `YYYY-MM-DD HH:MM:SS[.f]` with one to six decimals, `T` for the blank and a final `Z` tolerated, in microseconds since
/// 1970 UTC; `None` if it has another form or does not exist.
pub(crate) fn time(text: &[u8]) -> Option<i64> {
    let (fixed, rest) = text.split_first_chunk::<19>()?;
    let mut numbers = [0_u32; 6];
    let mut field = 0;
    for (at, &byte) in fixed.iter().enumerate() {
        let is_separator = match at {
            4 | 7 => byte == b'-',
            10 => byte == b' ' || byte == b'T',
            13 | 16 => byte == b':',
            _ => {
                let number = numbers.get_mut(field)?;
                *number = *number * 10 + digit(byte)?;
                continue;
            }
        };
        if !is_separator {
            return None;
        }
        field += 1;
    }
    let [year, month, day, hour, minute, second] = numbers;
    let rest = rest.strip_suffix(b"Z").unwrap_or(rest);
    let fraction = if rest.is_empty() { 0 } else { micros(rest.strip_prefix(b".")?)? };
    if hour >= 24 || minute >= 60 || second >= 60 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    let of_day = seconds * MICROS_PER_SECOND + i64::from(fraction);
    Instant::from_date(year as i32, month, day, of_day).map(Instant::as_micros)
}

/// One to six decimals.
fn micros(decimals: &[u8]) -> Option<u32> {
    if !(1..=6).contains(&decimals.len()) {
        return None;
    }
    (0..6)
        .try_fold(0, |sum, place| Some(sum * 10 + decimals.get(place).map_or(Some(0), |byte| digit(*byte))?))
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// Whether an unquoted field of a numeric type says that there is no value.
pub(super) fn is_null(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("null")
}

/// The double nearest to the decimal text, NaN and infinities in any case; `None` if it is no number.
pub(crate) fn real(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    // One NaN: the sign and payload of a NaN cannot be written back.
    Some(if value.is_nan() { f64::NAN } else { value })
}

/// A whole number, a fraction of zeros tolerated; `None` for anything else and outside `i64`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let whole = match text.split_once('.') {
        None => text,
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
    };
    whole.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_and_must_exist() {
        let expected = 1_559_579_379_848_000;
        for text in ["2019-06-03 16:29:39.848000", "2019-06-03T16:29:39.848Z", "2019-06-03 16:29:39.8480"] {
            assert_eq!(time(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(time(b"1970-01-01 00:00:01"), Some(1_000_000));
        for text in [
            "",
            "NaT",
            "2019-02-29 00:00:00.000000",
            "2019-06-03 24:00:00.000000",
            "2019-06-03 23:59:60.000000",
            "2019-06-03 16:29:39.",
            "2019-06-03 16:29:39.8480000",
            "2019-06-03 16:29:39,848000",
            "2019-06-03 16:29:39.848 Z",
            "2019-06-03",
            "0000-01-01 00:00:00.000000",
            "+019-06-03 16:29:39.848000",
        ] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn integers_may_have_a_fraction_of_zeros() {
        assert_eq!(integer("-7.0000000000"), Some(-7));
        assert_eq!(integer("+7"), Some(7));
        assert_eq!(integer("9223372036854775807"), Some(i64::MAX));
        for text in ["9223372036854775808", "1.5", "1.", "", "-", "1e3", "nan", " 1", ".0"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn reals_know_nan_and_infinities_in_any_case() {
        assert_eq!(real("-INF"), Some(f64::NEG_INFINITY));
        assert_eq!(real("Infinity"), Some(f64::INFINITY));
        assert_eq!(real("-nan").map(f64::to_bits), Some(f64::NAN.to_bits()));
        assert_eq!(real("-0.0000000000").map(f64::to_bits), Some((-0.0_f64).to_bits()));
        assert_eq!(real("1e-3"), Some(0.001));
        for text in ["", "-", "1,5", "0x10", " 1", "1.0 "] {
            assert_eq!(real(text), None, "{text}");
        }
    }
}
