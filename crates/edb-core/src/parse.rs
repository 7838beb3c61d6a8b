//! People's forms of time, and durations.

use std::time::Duration;

use crate::{Error, Instant, MICROS_PER_SECOND, Result};

const FORMS: &str = "use ISO 8601 (`2022-06-01T12:00:00Z`, date only means 00:00:00 UTC), `20220601T120000`, \
     `2022:152:12:00:00`, `mjd:59731.5`, `now`, or a span before now (`-7d`)";

/// Parses a time in any form that the toolkit accepts; a missing zone is UTC.
///
/// ISO 8601 (`2022-06-01`, `2022-06-01T12:00`, `2022-06-01 12:00:00.064Z`, `…+02:00`), compact EDB (`20220601T120000`),
/// year and day of year (`2022:152:12:00:00`), `mjd:59731.5`, `now`, and a span before now (`-7d`, `-90m`). `now` is
/// what the relative forms refer to.
///
/// # Errors
/// [`crate::ErrorKind::Usage`] if the text has none of these forms, names a date or time that does not exist (a leap
/// second `:60` included), or has digits other than zero beyond the microsecond.
pub fn parse_instant(text: &str, now: Instant) -> Result<Instant> {
    let trimmed = text.trim();
    let fail = || Error::usage(format!("could not read `{text}` as a time")).with_hint(FORMS);
    if trimmed == "now" {
        return Ok(now);
    }
    if let Some(mjd) = trimmed.strip_prefix("mjd:") {
        return mjd.parse().ok().and_then(Instant::from_mjd).ok_or_else(fail);
    }
    if let Some(span) = trimmed.strip_prefix('-')
        && let Ok(span) = parse_duration(span)
    {
        return Ok(now.plus_micros(-(span.as_micros() as i64)));
    }
    parse_absolute(trimmed.as_bytes()).ok_or_else(fail)
}

/// A cursor over the bytes of an absolute time.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (head, tail) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for byte in head {
            number = number * 10 + u32::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        self.0 = tail;
        Some(number)
    }

    fn eat(&mut self, any_of: &[u8]) -> bool {
        match self.0.split_first() {
            Some((byte, rest)) if any_of.contains(byte) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// `.` and one to nine digits, of which those beyond the sixth must be zero, as microseconds; nothing is 0.
    fn fraction(&mut self) -> Option<i64> {
        if !self.eat(b".") {
            return Some(0);
        }
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let mut micros = 0;
        for place in 0..count.max(6) {
            let digit = i64::from(digits.get(place).map_or(0, |byte| byte - b'0'));
            match place {
                0..=5 => micros = micros * 10 + digit,
                _ if digit != 0 => return None,
                _ => {}
            }
        }
        (1..=9).contains(&count).then_some(micros)
    }
}

fn micros_of_day(hour: u32, minute: u32, second: u32, fraction: i64) -> Option<i64> {
    let whole = i64::from(hour * 3600 + minute * 60 + second);
    (hour < 24 && minute < 60 && second < 60).then_some(whole * MICROS_PER_SECOND + fraction)
}

/// `HH:MM[:SS[.ffffff]]`, the separators given by `separator` (none in the compact form).
fn time_of_day(reader: &mut Reader<'_>, separator: &[u8]) -> Option<i64> {
    let hour = reader.digits(2)?;
    if !separator.is_empty() && !reader.eat(separator) {
        return None;
    }
    let minute = reader.digits(2)?;
    let has_second = separator.is_empty() || reader.eat(separator);
    let second = if has_second { reader.digits(2)? } else { 0 };
    let fraction = if has_second { reader.fraction()? } else { 0 };
    micros_of_day(hour, minute, second, fraction)
}

fn parse_absolute(text: &[u8]) -> Option<Instant> {
    let mut reader = Reader(text);
    let year = reader.digits(4)? as i32;
    let midnight;
    let mut of_day = 0;
    if reader.eat(b"-") {
        let month = reader.digits(2)?;
        if !reader.eat(b"-") {
            return None;
        }
        midnight = Instant::from_date(year, month, reader.digits(2)?, 0)?;
        if reader.eat(b"T ") {
            of_day = time_of_day(&mut reader, b":")?;
        }
    } else if reader.eat(b":") {
        midnight = Instant::from_day_of_year(year, reader.digits(3)?, 0)?;
        if reader.eat(b":") {
            of_day = time_of_day(&mut reader, b":")?;
        }
    } else {
        midnight = Instant::from_date(year, reader.digits(2)?, reader.digits(2)?, 0)?;
        if reader.eat(b"T") {
            of_day = time_of_day(&mut reader, b"")?;
        }
    }
    let offset_minutes = zone(&mut reader)?;
    if !reader.0.is_empty() {
        return None;
    }
    Some(midnight.plus_micros(of_day - offset_minutes * 60 * MICROS_PER_SECOND))
}

/// `Z`, `+HH:MM`, `-HHMM` or nothing, as minutes east of UTC.
fn zone(reader: &mut Reader<'_>) -> Option<i64> {
    if reader.0.is_empty() || reader.eat(b"Z") {
        return Some(0);
    }
    let sign = if reader.eat(b"+") { 1 } else { -1 };
    if sign < 0 && !reader.eat(b"-") {
        return None;
    }
    let hours = reader.digits(2)?;
    reader.eat(b":");
    let minutes = reader.digits(2)?;
    (hours < 24 && minutes < 60).then_some(sign * i64::from(hours * 60 + minutes))
}

/// The words of each unit, and its microseconds. A plural `s` may follow the long ones.
const UNITS: [(&[&str], f64); 7] = [
    (&["us", "microsecond"], 1.0),
    (&["ms", "millisecond"], 1e3),
    (&["s", "sec", "second"], 1e6),
    (&["m", "min", "minute"], 60e6),
    (&["h", "hour"], 3600e6),
    (&["d", "day"], 86_400e6),
    (&["w", "week"], 7.0 * 86_400e6),
];

/// Parses `500ms`, `1.024s`, `90m`, `1.5h`, `7d`, `2w` to whole microseconds; units may be written out (`5 minutes`), and the JWQL
/// monitor puts `_` between (`5_minute`).
///
/// # Errors
/// [`crate::ErrorKind::Usage`] for anything else, negative spans included: a bare number has no unit and is refused.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let trimmed = text.trim();
    let fail = || {
        Error::usage(format!("could not read `{text}` as a duration"))
            .with_hint("write a number and a unit: us, ms, s, m, h, d or w, as in `1.024s` or `7d`")
    };
    let split = trimmed.find(|c: char| c.is_ascii_alphabetic() || c == '_').ok_or_else(fail)?;
    let (number, unit) = trimmed.split_at(split);
    let unit = unit.strip_prefix('_').unwrap_or(unit);
    let singular = unit.strip_suffix('s').filter(|singular| singular.len() > 2).unwrap_or(unit);
    let scale = UNITS.iter().find(|(names, _)| names.contains(&singular)).ok_or_else(fail)?.1;
    let number: f64 = number.trim().parse().map_err(|_| fail())?;
    let micros = (number * scale).round();
    if !(0.0..=1e17).contains(&micros) {
        return Err(fail());
    }
    Ok(Duration::from_micros(micros as u64))
}

/// `1.024s`, `90m`, `7d`: the largest unit that divides the duration, or seconds with decimals.
pub fn format_duration(duration: Duration) -> String {
    let micros = duration.as_micros() as u64;
    for (unit, scale) in [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)] {
        if micros >= scale && micros.is_multiple_of(scale) {
            return format!("{}{unit}", micros / scale);
        }
    }
    match micros {
        0 => "0s".to_owned(),
        1..=999 => format!("{micros}us"),
        1000..=999_999 if micros.is_multiple_of(1000) => format!("{}ms", micros / 1000),
        _ => format!("{}s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MICROS_PER_DAY;

    fn now() -> Instant {
        Instant::from_date(2022, 6, 8, 0).unwrap()
    }

    #[test]
    fn every_documented_form_means_the_same_instant() {
        let expected = Instant::from_date(2022, 6, 1, MICROS_PER_DAY / 2).unwrap();
        for text in [
            "2022-06-01T12:00:00Z",
            "2022-06-01 12:00:00",
            "2022-06-01T12:00",
            "2022-06-01T12:00:00.000000000Z",
            "2022-06-01T14:00:00+02:00",
            "2022-06-01T08:30:00-0330",
            "20220601T120000",
            "2022:152:12:00:00",
            "2022:152:12:00",
            "mjd:59731.5",
            " 2022-06-01T12:00:00 ",
            "-6.5d",
            "-156h",
        ] {
            assert_eq!(parse_instant(text, now()).unwrap(), expected, "{text}");
        }
        assert_eq!(parse_instant("2022-06-08", now()).unwrap(), now());
        assert_eq!(parse_instant("20220608", now()).unwrap(), now());
        assert_eq!(parse_instant("now", now()).unwrap(), now());
    }

    #[test]
    fn fractions_are_exact_to_the_microsecond() {
        let micros =
            |text: &str| parse_instant(text, now()).unwrap().as_micros().rem_euclid(MICROS_PER_SECOND);
        assert_eq!(micros("2022-06-01T12:00:00.1"), 100_000);
        assert_eq!(micros("2022-06-01T12:00:00.000001"), 1);
        assert_eq!(micros("20220601T120000.064"), 64_000);
    }

    #[test]
    fn times_that_do_not_exist_or_are_ambiguous_are_refused() {
        for text in [
            "",
            "2022",
            "2022-06",
            "2022-02-29",
            "2023:366",
            "2022-06-01T24:00:00",
            "2022-06-01T23:59:60",
            "2022-06-01T12:00:00.0000001",
            "2022-06-01T12:00:00.",
            "01/06/2022",
            "yesterday",
            "-7",
            "mjd:",
            "mjd:NaN",
            "mjd:1e30",
            "2022-06-01Tnoon",
            "0000-01-01",
            "2022-06-01T12:00:00 UTC",
        ] {
            let error = parse_instant(text, now()).unwrap_err();
            assert!(error.to_string().contains(text), "{text}: {error}");
        }
    }

    #[test]
    fn durations_keep_microseconds_and_need_a_unit() {
        for (text, micros) in [
            ("1.024s", 1_024_000),
            ("64ms", 64_000),
            ("1us", 1),
            ("1.5h", 5_400_000_000),
            ("2min", 120_000_000),
            ("2 minutes", 120_000_000),
            ("45_second", 45_000_000),
            ("10_days", 864_000_000_000),
        ] {
            assert_eq!(parse_duration(text).unwrap().as_micros(), micros, "{text}");
        }
        for text in
            ["", "5", "-5s", "s", "5 fortnights", "1e30d", "NaNs", "7_years", "5_", "5__s", "2hs", "1mss"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        for text in ["7d", "90m", "1.024s", "64ms", "0s", "1us"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
