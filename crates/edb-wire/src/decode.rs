//! CSV answers into samples, while they arrive.
//!
//! # What values mean
//! - real types: the correctly rounded double of the decimal text; `NaN`, `inf`, `Infinity` in any case and sign are those
//!   values; an empty unquoted field and an unquoted `NULL` (any case) are null
//! - integer types: `1` and `1.0000000000` are 1; null as above; anything else is an error, never a rounded number
//! - text and every unknown type: the text as it came, blanks kept; only an empty *unquoted* field is null
//!
//! Anything else is an error that names the line and quotes the text.

use edb_core::{
    Error, Instant, MICROS_PER_SECOND, Nulls, RealColumn, Result, Samples, SqlType, ValueKind, Values,
};

use crate::number::{eight_digits, is_plain, ten_decimals};
use crate::record::{Field, Scan, scan};

/// A record may have this many bytes: an unclosed quote must not eat the memory.
const MAX_RECORD_BYTES: usize = 1 << 20;
/// How much of an offending text is quoted.
const QUOTED_CHARS: usize = 60;
/// `YYYY-MM-DD HH:MM:`
const MINUTE_BYTES: usize = 17;
/// `YYYY-MM-DD HH:MM:SS.ffffff,`
const TIME_BYTES: usize = 27;
/// `58637.6826371296`
const MJD_BYTES: usize = 16;

/// What a body says.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// All rows, brackets included, ascending in time.
    pub samples: Samples,
    /// How many rows came before their predecessor in time.
    pub misplaced: usize,
}

/// Decodes a whole body.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] as for [`Decoder::feed`] and [`Decoder::finish`].
pub fn decode(body: &[u8]) -> Result<Decoded> {
    let mut decoder = Decoder::new();
    decoder.feed(body)?;
    decoder.finish()
}

/// Decodes a body chunk by chunk.
///
/// Memory: the columns, and the one record that the last chunk cut. The chunks may be cut anywhere; the result, or the
/// error, is the same.
#[derive(Debug)]
pub struct Decoder {
    carry: Vec<u8>,
    layout: Option<Layout>,
    fields: Vec<Field>,
    line: usize,
    times: Vec<i64>,
    values: Values,
    nulls: Nulls,
    sql_type: SqlType,
    /// The type as the first row says it.
    type_word: Option<String>,
    like_last: LikeLast,
}

/// Where the columns are.
#[derive(Debug, Clone, Copy)]
struct Layout {
    time: usize,
    value: usize,
    sql_type: usize,
    count: usize,
    is_canonical: bool,
}

/// What the last record looked like: nearly every record differs from it in the second and the value only.
#[derive(Debug, Default)]
struct LikeLast {
    /// `YYYY-MM-DD HH:MM:` and the start of that minute.
    minute: Option<([u8; MINUTE_BYTES], i64)>,
    /// The type word with its line end in the first bytes, and a mask over them; `None` if it does not fit.
    tail: Option<Tail>,
}

#[derive(Debug, Clone, Copy)]
struct Tail {
    word: u64,
    mask: u64,
    length: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self {
            carry: Vec::new(),
            layout: None,
            fields: Vec::new(),
            line: 1,
            times: Vec::new(),
            values: Values::empty(ValueKind::Text),
            nulls: Nulls::none(),
            sql_type: SqlType::Varchar,
            type_word: None,
            like_last: LikeLast::default(),
        }
    }

    /// Number of rows decoded so far.
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if they are no EDB CSV: HTML or JSON, a header without the needed columns, a record
    /// with too few or too many fields, a time, number or type that cannot be read. The decoder is of no use afterwards.
    pub fn feed(&mut self, mut chunk: &[u8]) -> Result<()> {
        while !self.carry.is_empty() && !chunk.is_empty() {
            // Complete the record that the last chunk cut; a quoted field may hold further line ends.
            let line_end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
            let (head, rest) = chunk.split_at(line_end);
            self.carry.extend_from_slice(head);
            chunk = rest;
            let carry = std::mem::take(&mut self.carry);
            let used = self.consume(&carry)?;
            self.keep(carry, used)?;
        }
        if !chunk.is_empty() {
            let used = self.consume(chunk)?;
            self.keep(chunk[used..].to_vec(), 0)?;
        }
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if the body is empty, or ends inside its header or a record: the service ends every
    /// record, the last one too, with a line end, so the body was cut.
    pub fn finish(self) -> Result<Decoded> {
        if !self.carry.is_empty() {
            return Err(Error::integrity(format!(
                "the answer is cut off: it ends in the middle of line {}, after `{}`",
                self.line,
                quote(&self.carry)
            ))
            .with_hint("try again; a shorter range is less likely to be cut"));
        }
        if self.layout.is_none() {
            return Err(
                Error::integrity("the answer is empty: expected at least a header").with_hint("try again")
            );
        }
        let (samples, misplaced) = Samples::from_columns(self.sql_type, self.times, self.values, self.nulls)?;
        Ok(Decoded { samples, misplaced })
    }

    fn keep(&mut self, mut bytes: Vec<u8>, used: usize) -> Result<()> {
        bytes.drain(..used);
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(self.fault("expected a record of at most 1 MiB, found a longer one", &bytes));
        }
        self.carry = bytes;
        Ok(())
    }

    /// Decodes all whole records of `buffer` and returns their length.
    fn consume(&mut self, buffer: &[u8]) -> Result<usize> {
        let mut at = 0;
        if self.layout.is_none() {
            at = self.header(buffer)?;
            if self.layout.is_none() {
                return Ok(0);
            }
        }
        loop {
            at += self.records_like_the_last(&buffer[at..]);
            if at == buffer.len() {
                return Ok(at);
            }
            match self.record(&buffer[at..])? {
                0 => return Ok(at),
                length => at += length,
            }
        }
    }

    /// Reads the header, if all of it is there, and returns its length.
    fn header(&mut self, buffer: &[u8]) -> Result<usize> {
        const BOM: &[u8] = b"\xEF\xBB\xBF";
        if buffer.len() < BOM.len() && BOM.starts_with(buffer) {
            return Ok(0);
        }
        let text = buffer.strip_prefix(BOM).unwrap_or(buffer);
        let found = match text.trim_ascii_start().first() {
            Some(b'<') => Some("HTML or XML"),
            Some(b'{' | b'[') => Some("JSON"),
            _ => None,
        };
        if let Some(found) = found {
            let what = format!("expected the header `{}` of a CSV answer, found {found}", crate::HEADER);
            return Err(self
                .fault(&what, text)
                .with_hint("check `--source`: this may be a log-in or maintenance page"));
        }
        let mut fields = Vec::new();
        let length = match scan(text, &mut fields) {
            Scan::Record(length) => length,
            Scan::Incomplete if buffer.len() <= MAX_RECORD_BYTES => return Ok(0),
            _ => return Err(self.fault("expected the header of a CSV answer", text)),
        };
        let names: Vec<String> = fields
            .iter()
            .map(|field| String::from_utf8_lossy(&field.text(text)).trim().to_ascii_lowercase())
            .collect();
        let find = |name: &str| names.iter().position(|found| found == name);
        let (Some(time), Some(value), Some(sql_type)) =
            (find("thetime"), find("euvalue"), find("sqldatatype"))
        else {
            let what = format!("expected the header `{}`", crate::HEADER);
            return Err(self.fault(&what, &text[..length]));
        };
        let is_canonical = names == ["thetime", "mjd", "euvalue", "sqldatatype"];
        self.layout = Some(Layout { time, value, sql_type, count: names.len(), is_canonical });
        self.line += newlines(&text[..length]);
        Ok(buffer.len() - text.len() + length)
    }

    /// Decodes records of the service's fixed form for as long as they are like the last one but for the second and the
    /// value, and returns their length. Whatever it does not take, [`record`](Self::record) reads in full.
    fn records_like_the_last(&mut self, buffer: &[u8]) -> usize {
        let is_canonical = self.layout.is_some_and(|layout| layout.is_canonical);
        let (Some((minute, minute_us)), Some(tail), true) =
            (self.like_last.minute, self.like_last.tail, is_canonical)
        else {
            return 0;
        };
        let mut rest = buffer;
        let mut rows = 0;
        match &mut self.values {
            Values::Real(RealColumn(values)) => {
                while let Some((time, body)) = time_like(rest, &minute, minute_us)
                    && let Some((value, length)) = ten_decimals(body)
                    && let Some(after) = tail_like(&body[length..], tail)
                {
                    self.times.push(time);
                    values.push(value);
                    rest = after;
                    rows += 1;
                }
            }
            Values::Integer(values) => {
                while let Some((time, body)) = time_like(rest, &minute, minute_us)
                    && let Some(length) = memchr::memchr2(b',', b'\n', body)
                    && let Some(value) = plain_integer(&body[..length])
                    && let Some(after) = tail_like(&body[length..], tail)
                {
                    self.times.push(time);
                    values.push(value);
                    rest = after;
                    rows += 1;
                }
            }
            Values::Text(column) => {
                while let Some((time, body)) = time_like(rest, &minute, minute_us)
                    && let Some(length) = memchr::memchr2(b',', b'\n', body)
                    && let Some(text) = plain_text(&body[..length])
                    && let Some(after) = tail_like(&body[length..], tail)
                {
                    self.times.push(time);
                    column.push(text);
                    rest = after;
                    rows += 1;
                }
            }
        }
        self.line += rows;
        buffer.len() - rest.len()
    }

    /// Decodes the first record of `buffer`, whatever its form, and returns its length; 0 if it is not whole.
    fn record(&mut self, buffer: &[u8]) -> Result<usize> {
        let mut fields = std::mem::take(&mut self.fields);
        let scanned = scan(buffer, &mut fields);
        let result = match scanned {
            Scan::Incomplete => Ok(0),
            Scan::AfterQuote(at) => {
                Err(self.fault("expected a comma or a line end after a closing quote", &buffer[at..]))
            }
            Scan::Record(length) => self.row(&buffer[..length], &fields).map(|()| length),
        };
        self.fields = fields;
        result
    }

    fn row(&mut self, record: &[u8], fields: &[Field]) -> Result<()> {
        let Some(layout) = self.layout else { return Ok(()) };
        if fields.len() != layout.count {
            let what = format!("expected {} fields, found {}", layout.count, fields.len());
            return Err(self.fault(&what, record));
        }
        let time_text = fields[layout.time].text(record);
        let time = instant(&time_text)
            .ok_or_else(|| self.fault("expected a time like `2022-06-01 00:00:00.064000`", &time_text))?;
        let type_text = fields[layout.sql_type].text(record);
        self.set_type(&type_text)?;
        self.value(fields[layout.value], record)?;
        self.times.push(time);

        let minute = time_text.first_chunk::<MINUTE_BYTES>().filter(|_| time_text.len() == TIME_BYTES - 1);
        self.like_last.minute =
            minute.map(|minute| (*minute, time - time.rem_euclid(60 * MICROS_PER_SECOND)));
        let line_end: &[u8] = if record.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        self.like_last.tail = Tail::new(&type_text, line_end).filter(|_| !fields[layout.sql_type].is_quoted);
        self.line += newlines(record);
        Ok(())
    }

    /// Notes the type of the first row, and insists on it afterwards.
    fn set_type(&mut self, word: &[u8]) -> Result<()> {
        match &self.type_word {
            Some(known) if known.as_bytes().eq_ignore_ascii_case(word) => Ok(()),
            Some(known) => {
                let what = format!("expected the type `{known}` of the rows before");
                Err(self.fault(&what, word))
            }
            None => {
                let text = std::str::from_utf8(word).ok().filter(|text| !text.trim().is_empty());
                let text = text
                    .ok_or_else(|| self.fault("expected a type such as `real`, `int` or `varchar`", word))?;
                self.sql_type = SqlType::new(text);
                self.values = Values::empty(self.sql_type.kind());
                self.type_word = Some(text.to_owned());
                Ok(())
            }
        }
    }

    fn value(&mut self, field: Field, record: &[u8]) -> Result<()> {
        let text = field.text(record);
        let is_text = matches!(self.values, Values::Text(_));
        let is_null = !field.is_quoted && (text.is_empty() || !is_text && text.eq_ignore_ascii_case(b"null"));
        if is_null {
            self.nulls.push(self.times.len());
        }
        let text =
            std::str::from_utf8(&text).map_err(|_| self.fault("expected UTF-8 in the value", &text))?;
        let expected = match &mut self.values {
            Values::Real(RealColumn(values)) => match text.parse::<f64>() {
                _ if is_null => return push(values, 0.0),
                Ok(value) => return push(values, value),
                Err(_) => "expected a number",
            },
            Values::Integer(values) => match integer(text) {
                _ if is_null => return push(values, 0),
                Some(value) => return push(values, value),
                None => "expected an integer",
            },
            Values::Text(column) => {
                column.push(text);
                return Ok(());
            }
        };
        Err(self.fault(expected, text.as_bytes()))
    }

    fn fault(&self, expected: &str, found: &[u8]) -> Error {
        Error::integrity(format!("line {} of the answer: {expected}: `{}`", self.line, quote(found)))
    }
}

/// Checks that a body is a whole CSV answer without decoding its rows: its header, and that it ends with a line end.
#[derive(Debug)]
pub struct Whole {
    header: Decoder,
    ends_line: bool,
}

impl Default for Whole {
    fn default() -> Self {
        Self::new()
    }
}

impl Whole {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self { header: Decoder::new(), ends_line: false }
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if the header is not that of a CSV answer.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<()> {
        if self.header.layout.is_none() {
            let line_end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
            self.header.feed(&chunk[..line_end])?;
        }
        self.ends_line = chunk.last().map_or(self.ends_line, |byte| *byte == b'\n');
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if it is empty or cut.
    pub fn finish(self) -> Result<()> {
        if self.header.layout.is_some() && !self.ends_line {
            return Err(Error::integrity("the answer is cut off: it ends in the middle of a line")
                .with_hint("try again; a shorter range is less likely to be cut"));
        }
        self.header.finish().map(|_| ())
    }
}

impl Tail {
    fn new(type_word: &[u8], line_end: &[u8]) -> Option<Self> {
        let length = type_word.len() + line_end.len() + 1;
        let mut bytes = [0; 8];
        let tail = bytes.get_mut(..length)?;
        tail[0] = b',';
        tail[1..=type_word.len()].copy_from_slice(type_word);
        tail[type_word.len() + 1..].copy_from_slice(line_end);
        Some(Self { word: u64::from_le_bytes(bytes), mask: u64::MAX >> (64 - 8 * length), length })
    }
}

/// If `rest` begins with a time in the given minute and an MJD of the usual width: the time, and what follows them.
#[inline]
fn time_like<'a>(rest: &'a [u8], minute: &[u8; MINUTE_BYTES], minute_us: i64) -> Option<(i64, &'a [u8])> {
    let (head, body) = rest.split_first_chunk::<{ TIME_BYTES + MJD_BYTES + 1 }>()?;
    let ten = head[MINUTE_BYTES].wrapping_sub(b'0');
    // `S.ffffff`, the point read as another digit.
    let mut second = *head[MINUTE_BYTES + 1..].first_chunk::<8>()?;
    let has_point = std::mem::replace(&mut second[1], b'0') == b'.';
    let second_us = eight_digits(second)?;
    let ones = u64::from(second[0] - b'0');
    let is_same = head.first_chunk::<MINUTE_BYTES>()? == minute
        && ten < 6
        && has_point
        && head[TIME_BYTES - 1] == b','
        && is_plain(*head[TIME_BYTES..].first_chunk()?)
        && is_plain(*head[TIME_BYTES + 8..].first_chunk()?)
        && head[TIME_BYTES + MJD_BYTES] == b',';
    let micros = u64::from(ten) * 10_000_000 + second_us - ones * 9_000_000;
    is_same.then_some((minute_us + micros as i64, body))
}

/// If `rest` begins with the comma, type and line end of the last record: what follows them.
#[inline]
fn tail_like(rest: &[u8], tail: Tail) -> Option<&[u8]> {
    let word = u64::from_le_bytes(*rest.first_chunk()?);
    (word & tail.mask == tail.word).then(|| &rest[tail.length..])
}

/// Up to eighteen digits with an optional minus.
fn plain_integer(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0;
    for byte in digits {
        number = number * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some(sign * number)
}

/// Unquoted text that is no null.
fn plain_text(text: &[u8]) -> Option<&str> {
    if text.first().is_none_or(|byte| *byte == b'"') { None } else { std::str::from_utf8(text).ok() }
}

fn push<T>(values: &mut Vec<T>, value: T) -> Result<()> {
    values.push(value);
    Ok(())
}

/// An integer, also one with decimals that are all zero.
fn integer(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = !decimals.is_empty() && decimals.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| is_whole)
}

/// `YYYY-MM-DD HH:MM:SS[.f{1,6}]`; `T` may stand for the blank, and a `Z` may follow.
fn instant(text: &[u8]) -> Option<i64> {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let (whole, fraction) = match text.split_at_checked(19)? {
        (whole, []) => (whole, &b""[..]),
        (whole, [b'.', fraction @ ..]) if (1..=6).contains(&fraction.len()) => (whole, fraction),
        _ => return None,
    };
    let number = |digits: &[u8]| -> Option<u32> {
        digits
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let marks = [whole[4], whole[7], whole[10], whole[13], whole[16]];
    if !matches!(marks, [b'-', b'-', b' ' | b'T', b':', b':']) {
        return None;
    }
    let (hour, minute, second) = (number(&whole[11..13])?, number(&whole[14..16])?, number(&whole[17..19])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = fraction.iter().chain(b"000000").take(6).copied().collect::<Vec<u8>>();
    let of_day =
        i64::from(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + i64::from(number(&micros)?);
    let date = (number(&whole[..4])? as i32, number(&whole[5..7])?, number(&whole[8..10])?);
    Instant::from_date(date.0, date.1, date.2, of_day).map(Instant::as_micros)
}

fn newlines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// The beginning of an offending text, with what cannot be seen escaped.
fn quote(text: &[u8]) -> String {
    let lossy = String::from_utf8_lossy(&text[..text.len().min(4 * QUOTED_CHARS)]);
    let cut: String = lossy.chars().take(QUOTED_CHARS).collect();
    let ellipsis = if lossy.chars().count() > QUOTED_CHARS { "…" } else { "" };
    format!("{}{ellipsis}", cut.escape_debug())
}
