//! The short path: rows laid out exactly as the service prints them.
//!
//! ```text
//! 2022-06-01 00:00:00.064000,59731.0000007407,-0.7914493680,float\r\n
//! 0                 17       27               44            tail
//! ```
//! Digits are read eight at a time inside one machine word. A row is taken only if the general path would read the very
//! same values from it; everything else ends the run.

use edb_core::Values;

use super::field;

/// Where the value begins.
const VALUE: usize = 44;
/// The longest row that is looked at for numbers: sign, seven digits, point, ten decimals, and a tail of sixteen.
const ROW: usize = VALUE + 1 + 7 + 1 + 10 + 17;
/// The longest text that is taken.
const MOST_TEXT: usize = 1 << 12;
const MOST_TAIL: usize = 16;
/// Rows that are made room for at once.
const BLOCK_ROWS: usize = 256;

const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
/// Added to a byte of 0 to 9 it leaves the high bit clear.
const OVER_NINE: u64 = u64::from_ne_bytes([0x7F - 9; 8]);
/// The first eight bytes of `59731.0000007407` less their digits.
const MJD: u64 = u64::from_le_bytes(*b"00000.00");
/// As [`OVER_NINE`], but nothing else than the point passes in its place.
const MJD_OVER: u64 = u64::from_le_bytes([0x76, 0x76, 0x76, 0x76, 0x76, 0x7F, 0x76, 0x76]);

/// What the rows so far had in common.
#[derive(Debug)]
pub(super) struct Layout {
    /// `YYYY-MM-DD HH:MM:` of the row before, and what it means in microseconds.
    prefix: [u8; 17],
    minute: i64,
    /// `,float\r\n`; bytes behind `tail_len` are zero.
    tail: [u8; MOST_TAIL],
    tail_len: usize,
    /// Where the value of the row before ended. The processor starts on the next row while it still checks that this one
    /// ends there too, which it cannot do if it must find the end first.
    end: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self { prefix: *b"1970-01-01 00:00:", minute: 0, tail: [0; MOST_TAIL], tail_len: 0, end: VALUE }
    }
}

impl Layout {
    /// Takes over what follows the value in a row that the general path accepted.
    pub(super) fn learn_tail(&mut self, tail: &[u8]) {
        if self.tail.get(..self.tail_len) == Some(tail) {
            return;
        }
        self.tail = [0; MOST_TAIL];
        self.tail_len = 0;
        // A tail with a quoted word begins with the quote.
        if tail.first() == Some(&b',')
            && let Some(known) = self.tail.get_mut(..tail.len())
        {
            known.copy_from_slice(tail);
            self.tail_len = tail.len();
        }
    }

    /// Decodes rows at the start of `input` as long as they fit; the bytes they took.
    pub(super) fn take_rows(&mut self, input: &[u8], times: &mut Vec<i64>, values: &mut Values) -> usize {
        if self.tail_len == 0 {
            return 0;
        }
        match values {
            Values::Real(column) => self.numbers(input, times, &mut column.0, real),
            Values::Integer(column) => self.numbers(input, times, column, integer),
            Values::Text(column) => self.texts(input, times, |text| column.push(text)),
        }
    }

    fn numbers<T: Copy + Default>(
        &mut self,
        input: &[u8],
        times: &mut Vec<i64>,
        values: &mut Vec<T>,
        read: impl Fn(&[u8; ROW], usize) -> Option<T>,
    ) -> usize {
        let (tail, mask) = (u128::from_le_bytes(self.tail), !0 >> (8 * (MOST_TAIL - self.tail_len)));
        let mut rest = input;
        loop {
            // Slots made beforehand: a push for every number would ask for room every time.
            let before = times.len();
            times.resize(before + BLOCK_ROWS, 0);
            values.resize(before + BLOCK_ROWS, T::default());
            let slots = times.iter_mut().zip(values.iter_mut()).skip(before);
            let mut taken = 0;
            for (time_slot, value_slot) in slots {
                let Some(row) = rest.first_chunk::<ROW>() else { break };
                let Some(time) = self.time(row) else { break };
                if word_pair(row, self.end).is_none_or(|found| found & mask != tail) {
                    let Some(end) = value_end(row) else { break };
                    if word_pair(row, end).is_none_or(|found| found & mask != tail) {
                        break;
                    }
                    self.end = end;
                }
                let Some(value) = read(row, self.end) else { break };
                let Some(behind) = rest.get(self.end + self.tail_len..) else { break };
                (*time_slot, *value_slot) = (time, value);
                rest = behind;
                taken += 1;
            }
            times.truncate(before + taken);
            values.truncate(before + taken);
            if taken < BLOCK_ROWS {
                return input.len() - rest.len();
            }
        }
    }

    fn texts(&mut self, input: &[u8], times: &mut Vec<i64>, mut push: impl FnMut(&str)) -> usize {
        let mut rest = input;
        while let Some(row) = rest.first_chunk::<VALUE>()
            && let Some(time) = self.time(row)
            && let Some((text, end)) = text(rest)
            && let Some(behind) = rest.get(end..).and_then(|found| found.strip_prefix(self.tail()))
        {
            times.push(time);
            push(text);
            rest = behind;
        }
        input.len() - rest.len()
    }

    fn tail(&self) -> &[u8] {
        self.tail.get(..self.tail_len).unwrap_or_default()
    }

    /// The time of a row, and that its MJD is one, ending where the value begins.
    #[inline]
    fn time<const N: usize>(&mut self, row: &[u8; N]) -> Option<i64> {
        let prefix = row.first_chunk::<17>()?;
        // `SSffffff`: the digits around the point, which are microseconds of the minute as they stand.
        let seconds = u64::from(u16::from_le_bytes([*row.get(17)?, *row.get(18)?]));
        let digits = (word(row, 20)? << 16 | seconds) ^ ZEROS;
        let mjd = (word(row, 27)? ^ MJD, word(row, 35)? ^ ZEROS);
        let separators = (row.get(19), row.get(26), row.get(43));
        let odd = (digits | digits.wrapping_add(OVER_NINE))
            | (mjd.0 | mjd.0.wrapping_add(MJD_OVER))
            | (mjd.1 | mjd.1.wrapping_add(OVER_NINE));
        if odd & HIGHS != 0 || separators != (Some(&b'.'), Some(&b','), Some(&b',')) {
            return None;
        }
        let micros = eight_digits(digits) as i64;
        if micros >= 60_000_000 {
            return None;
        }
        if *prefix != self.prefix {
            let time = field::time(row.get(..26)?)?;
            self.minute = time - micros;
            self.prefix = *prefix;
        }
        Some(self.minute + micros)
    }
}

#[inline]
fn word(row: &[u8], at: usize) -> Option<u64> {
    row.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

#[inline]
fn word_pair(row: &[u8], at: usize) -> Option<u128> {
    row.get(at..)?.first_chunk().map(|bytes| u128::from_le_bytes(*bytes))
}

/// Where the first comma after the beginning of the value is.
fn value_end(row: &[u8; ROW]) -> Option<usize> {
    let (low, high) = (word_pair(row, VALUE)?, word_pair(row, VALUE + 16)?);
    let commas = |words: u128| {
        let differences = words ^ u128::from_ne_bytes([b','; 16]);
        let ones = u128::from_ne_bytes([1; 16]);
        differences.wrapping_sub(ones) & !differences & u128::from_ne_bytes([0x80; 16])
    };
    let before = match (commas(low), commas(high)) {
        (0, 0) => return None,
        (0, found) => 16 + found.trailing_zeros() / 8,
        (found, _) => found.trailing_zeros() / 8,
    };
    Some(VALUE + before as usize)
}

/// The number whose digits are the bytes of `digits`, each 0 to 9, the first in the lowest byte.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00FF_0000_00FF;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let high = (pairs & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let low = ((pairs >> 16) & PAIRS).wrapping_mul(1 + (10_000 << 32));
    high.wrapping_add(low) >> 32
}

/// The number in the first `count` bytes (1 to 7) of `word`.
#[inline]
fn leading_digits(word: u64, count: usize) -> Option<u64> {
    let digits = (word ^ ZEROS) << (64 - 8 * count);
    ((digits | digits.wrapping_add(OVER_NINE)) & HIGHS == 0).then(|| eight_digits(digits))
}

/// `[-]digits.` and ten decimals, up to `end`.
#[inline]
fn real(row: &[u8; ROW], end: usize) -> Option<f64> {
    let is_negative = row[VALUE] == b'-';
    let start = VALUE + usize::from(is_negative);
    let point = end.checked_sub(11)?;
    let count = point.checked_sub(start).filter(|count| (1..=7).contains(count))?;
    let whole = leading_digits(word(row, start)?, count)?;
    let eight = word(row, point + 1)? ^ ZEROS;
    let (tens, ones) = (row.get(end - 2)?.wrapping_sub(b'0'), row.get(end - 1)?.wrapping_sub(b'0'));
    if (eight | eight.wrapping_add(OVER_NINE)) & HIGHS != 0
        || tens > 9
        || ones > 9
        || *row.get(point)? != b'.'
    {
        return None;
    }
    let decimal = eight_digits(eight) * 100 + u64::from(tens) * 10 + u64::from(ones);
    let mantissa = whole * 10_000_000_000 + decimal;
    if mantissa >= 1 << 53 {
        return None;
    }
    // Both are exact doubles, so the quotient is the double nearest to the decimal text.
    let magnitude = mantissa as f64 / 1e10;
    // Set rather than chosen: the sign of noise around zero defeats branch prediction.
    let sign = u64::from(is_negative) << 63;
    Some(f64::from_bits(magnitude.to_bits() | sign))
}

/// `[-]digits`, up to fifteen, up to `end`.
#[inline]
fn integer(row: &[u8; ROW], end: usize) -> Option<i64> {
    let is_negative = row[VALUE] == b'-';
    let start = VALUE + usize::from(is_negative);
    let count = end.checked_sub(start)?;
    let magnitude = match count {
        1..=7 => leading_digits(word(row, start)?, count)?,
        8..=15 => {
            let eight = word(row, start)? ^ ZEROS;
            if (eight | eight.wrapping_add(OVER_NINE)) & HIGHS != 0 {
                return None;
            }
            let more = match count {
                8 => 0,
                _ => leading_digits(word(row, start + 8)?, count - 8)?,
            };
            eight_digits(eight) * 10_u64.pow(count as u32 - 8) + more
        }
        _ => return None,
    } as i64;
    Some(if is_negative { -magnitude } else { magnitude })
}

/// An unquoted text that is not empty, and where it ends.
#[inline]
fn text(row: &[u8]) -> Option<(&str, usize)> {
    let field = row.get(VALUE..)?;
    let field = field.get(..MOST_TEXT).unwrap_or(field);
    let end = memchr::memchr2(b',', b'\n', field)?;
    let field = field.get(..end)?;
    if field.first().is_none_or(|byte| *byte == b'"') {
        return None;
    }
    str::from_utf8(field).ok().map(|text| (text, VALUE + end))
}
