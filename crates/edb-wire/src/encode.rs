//! Columns to the service's CSV.

use edb_core::{Instant, Samples, TimeText, Values};

const HEADER: &[u8] = b"theTime,MJD,euvalue,sqldataType\r\n";
/// A chunk is sent when it has grown to this.
const CHUNK_BYTES: usize = 256 << 10;
/// Below this, doubles lie closer together than the tenth decimal, so the nearest decimal of a double that came from
/// ten decimals is the one it came from.
const FINE_BELOW: f64 = 524_288.0;
const TEN_DECIMALS: u64 = 10_000_000_000;

/// Prints samples as the service does, in chunks of about 256 KiB.
///
/// # Form
/// - the header, then `YYYY-MM-DD HH:MM:SS.ffffff`, the MJD, the value, the type; lines end with CRLF
/// - MJD: the double (steps of 0.6 µs) with ten decimals, which at every 50th sample or so differs in the last of them from
///   the exact quotient ([`Instant::to_mjd_text`])
/// - `real`, `float`: ten decimals, so values are rounded as the service rounds them; `NaN`, `inf`, `-inf`
/// - text is quoted if it has a comma, a quote or a line end, or is empty; null is an empty field
///
/// # Examples
/// ```
/// use edb_core::{Nulls, Samples, SqlType, Values};
/// let (samples, _) = Samples::from_columns(SqlType::Real, vec![0], Values::real(vec![0.25]), Nulls::none())?;
/// let body = edb_wire::Encoder::new(samples).flatten().collect::<Vec<u8>>();
/// assert!(body.ends_with(b"\r\n1970-01-01 00:00:00.000000,40587.0000000000,0.2500000000,real\r\n"));
/// # Ok::<(), edb_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    samples: Samples,
    printer: Printer,
    has_started: bool,
}

impl Encoder {
    /// An encoder of `samples`.
    pub fn new(samples: Samples) -> Self {
        let printer = Printer::new(&samples);
        Self { samples, printer, has_started: false }
    }
}

impl Iterator for Encoder {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.has_started && self.printer.row == self.samples.len() {
            return None;
        }
        let mut chunk = Vec::with_capacity(CHUNK_BYTES.min(128 * (self.samples.len() + 1)));
        if !self.has_started {
            chunk.extend_from_slice(HEADER);
            self.has_started = true;
        }
        // The longest ordinary row is half a kilobyte; stopping before it keeps the chunk within its capacity.
        self.printer.print(&self.samples, &mut chunk, CHUNK_BYTES - 512);
        Some(chunk)
    }
}

/// Prints samples as one body; see [`Encoder`].
pub fn encode(samples: &Samples) -> Vec<u8> {
    let mut body = Vec::with_capacity(HEADER.len() + 66 * samples.len());
    body.extend_from_slice(HEADER);
    Printer::new(samples).print(samples, &mut body, usize::MAX);
    body
}

/// Where the printing is.
#[derive(Debug)]
struct Printer {
    row: usize,
    /// The next of the nulls.
    null: usize,
    /// `,float\r\n`
    tail: Vec<u8>,
    time: TimeText,
}

impl Printer {
    fn new(samples: &Samples) -> Self {
        let mut tail = vec![b','];
        push_text(&mut tail, samples.sql_type().as_str());
        tail.extend_from_slice(b"\r\n");
        Self { row: 0, null: 0, tail, time: TimeText::new(b' ') }
    }

    /// Prints rows until `out` has `limit` bytes.
    fn print(&mut self, samples: &Samples, out: &mut Vec<u8>, limit: usize) {
        match samples.values() {
            Values::Real(column) => {
                self.rows(samples, out, limit, |out, at| push_real(out, column.0[at]));
            }
            Values::Integer(column) => {
                self.rows(samples, out, limit, |out, at| push_integer(out, column[at]));
            }
            Values::Text(column) => {
                self.rows(samples, out, limit, |out, at| push_text(out, column.word(at)));
            }
        }
    }

    fn rows(
        &mut self,
        samples: &Samples,
        out: &mut Vec<u8>,
        limit: usize,
        push: impl Fn(&mut Vec<u8>, usize),
    ) {
        let nulls = samples.nulls().positions();
        while let Some(&time) = samples.times().get(self.row)
            && out.len() < limit
        {
            self.push_time(out, Instant::from_micros(time));
            if nulls.get(self.null) == Some(&self.row) {
                self.null += 1;
            } else {
                push(out, self.row);
            }
            out.extend_from_slice(&self.tail);
            self.row += 1;
        }
    }

    /// `2022-06-01 00:00:00.064000,59731.0000007407,`
    fn push_time(&mut self, out: &mut Vec<u8>, time: Instant) {
        let mut text = *b"YYYY-MM-DD HH:MM:SS.ffffff,59731.0000007407,";
        text[..26].copy_from_slice(self.time.print(time.as_micros()));
        let mjd = time.to_mjd();
        if !FAST_MJD.contains(&mjd) {
            out.extend_from_slice(&text[..27]);
            out.extend_from_slice(format!("{mjd:.10},").as_bytes());
            return;
        }
        let decimals = mjd_decimals(mjd.fract());
        digits(&mut text[27..32], mjd as u64 + decimals / TEN_DECIMALS);
        digits(&mut text[33..43], decimals % TEN_DECIMALS);
        out.extend_from_slice(&text);
    }
}

/// From 1948 to 2132: five digits, and a fraction that is a whole number of 2^-37.
const FAST_MJD: std::ops::Range<f64> = 32_768.0..99_999.0;

/// The ten decimals of `fraction`, a whole number of 2^-37 below 1, rounded half to even as `{:.10}` does.
fn mjd_decimals(fraction: f64) -> u64 {
    // 1e10 / 2^37 = 5^10 / 2^27, and 2^37 * 5^10 < 2^61.
    let scaled = (fraction * (1_u64 << 37) as f64) as u64 * 9_765_625;
    let (whole, rest) = (scaled >> 27, scaled & ((1 << 27) - 1));
    whole + u64::from(rest + (whole & 1) > 1 << 26)
}

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Fills `text` with the last digits of `number`.
fn digits(text: &mut [u8], mut number: u64) {
    for pair in text.rchunks_mut(2) {
        let [tens, ones] = PAIRS[(number % 100) as usize];
        match pair {
            [one] => *one = ones,
            two => two.copy_from_slice(&[tens, ones]),
        }
        number /= 100;
    }
}

fn push_unsigned(out: &mut Vec<u8>, number: u64) {
    let count = number.checked_ilog10().unwrap_or(0) as usize + 1;
    let mut text = [0; 20];
    digits(&mut text[20 - count..], number);
    out.extend_from_slice(&text[20 - count..]);
}

fn push_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_unsigned(out, value.unsigned_abs());
}

fn push_real(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    let scaled = (magnitude * 1e10 + 0.5) as u64;
    if magnitude < FINE_BELOW && (scaled as f64 / 1e10).to_bits() == magnitude.to_bits() {
        let mut text = *b"-000000.0000000000";
        digits(&mut text[1..7], scaled / TEN_DECIMALS);
        digits(&mut text[8..], scaled % TEN_DECIMALS);
        let mut start = 1;
        while start < 6 && text[start] == b'0' {
            start += 1;
        }
        if value.is_sign_negative() {
            start -= 1;
            text[start] = b'-';
        }
        out.extend_from_slice(&text[start..]);
    } else if value.is_finite() {
        out.extend_from_slice(format!("{value:.10}").as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value < 0.0 { b"-inf" } else { b"inf" });
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    let needs_quotes =
        text.is_empty() || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if !needs_quotes {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use edb_core::{MICROS_PER_DAY, Nulls, SqlType, TextColumn};
    use proptest::prelude::*;

    use super::*;

    fn printed(value: f64) -> String {
        let mut out = Vec::new();
        push_real(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn reals_have_ten_decimals_and_their_sign() {
        for (value, text) in [
            (-0.791_449_368, "-0.7914493680"),
            (-0.0, "-0.0000000000"),
            (8.417e-9, "0.0000000084"),
            (-4e-11, "-0.0000000000"),
            (524_287.000_000_000_1, "524287.0000000001"),
            (1e15, "1000000000000000.0000000000"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(printed(value), text);
        }
    }

    #[test]
    fn text_is_quoted_only_where_it_must_be() {
        let mut column = TextColumn::default();
        for text in [" a b ", "", "a,b", "5\" nut", "", "NULL"] {
            column.push(text);
        }
        let mut nulls = Nulls::none();
        nulls.push(4);
        let (samples, _) =
            Samples::from_columns(SqlType::Varchar, vec![0; 6], Values::Text(column), nulls).unwrap();

        let body = String::from_utf8(encode(&samples)).unwrap();

        let values: Vec<_> = body.lines().skip(1).map(|line| &line[44..line.len() - 8]).collect();
        assert_eq!(values, [" a b ", "\"\"", "\"a,b\"", "\"5\"\" nut\"", "", "NULL"]);
    }

    #[test]
    fn chunks_join_to_the_whole_body() {
        let times: Vec<i64> = (0..20_000).collect();
        let values = Values::Integer(times.iter().map(|time| time * 7_777_777 - 99).collect());
        let (samples, _) = Samples::from_columns(SqlType::BigInt, times, values, Nulls::none()).unwrap();

        let chunks: Vec<_> = Encoder::new(samples.clone()).collect();

        assert!(chunks.len() > 4 && chunks.iter().all(|chunk| chunk.capacity() == CHUNK_BYTES));
        assert_eq!(chunks.concat(), encode(&samples));
        assert_eq!(Encoder::new(Samples::empty(SqlType::Real)).collect::<Vec<_>>(), [HEADER]);
    }

    proptest! {
        #[test]
        fn printing_reals_agrees_with_the_standard_library(
            value in prop_oneof![
                any::<f64>().prop_filter("finite", |value| value.is_finite()),
                (-6_000_000_000_000_000_i64..6_000_000_000_000_000).prop_map(|scaled| scaled as f64 / 1e10),
                -10.0..10.0_f64,
            ]
        ) {
            prop_assert_eq!(printed(value), format!("{value:.10}"));
        }

        #[test]
        fn printing_times_agrees_with_the_standard_library(
            micros in prop_oneof![
                Instant::MIN.as_micros()..=Instant::MAX.as_micros(),
                1_600_000_000_000_000..1_800_000_000_000_000_i64,
                (0..60_000_i64).prop_map(|day| day * MICROS_PER_DAY - 1),
            ]
        ) {
            let time = Instant::from_micros(micros);
            let (samples, _) =
                Samples::from_columns(SqlType::Int, vec![micros], Values::Integer(vec![-5]), Nulls::none()).unwrap();
            let body = String::from_utf8(encode(&samples)).unwrap();
            let day = micros.div_euclid(MICROS_PER_DAY) + 40_587;
            let mjd = day as f64 + micros.rem_euclid(MICROS_PER_DAY) as f64 / 86_400e6;
            let expected = format!("{},{mjd:.10},-5,int", time.to_edb_text());
            prop_assert_eq!(body.lines().nth(1), Some(expected.as_str()));
        }
    }
}
