//! CSV answers to columns, while the bytes arrive.
//!
//! Two paths lead to the same columns. The general one ([`scan`], [`field`], [`columns`]) reads anything that is legal and
//! names what is not; the short one ([`fast`]) takes rows that look exactly like the service's, and leaves everything else
//! to the general one.

mod columns;
mod fast;
mod field;
mod header;
mod scan;
#[cfg(test)]
mod tests;

use edb_core::{Error, Result, Samples};

use columns::{Columns, refused};
use fast::Layout;
use header::{Header, MOST_COLUMNS};
use scan::Scanner;

use crate::excerpt::{EXCERPT_BYTES, excerpt};

pub(crate) use field::{real as real_from_text, time};

/// The longest record. The archive's longest text is 359 characters; an unclosed quote must not eat memory.
const MOST_RECORD_BYTES: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What a body holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// All rows, brackets included, ordered by time.
    pub samples: Samples,
    /// How many rows came before their predecessor in time.
    pub misplaced: usize,
}

/// Decodes the CSV answer of the service from chunks of any size.
///
/// # Form
/// - header with the columns `theTime`, `euvalue`, `sqldataType`, in any order and case; others (`MJD`) are not read; a
///   byte order mark is tolerated; lines end with CRLF or LF
/// - fields may be quoted, with doubled quotes, commas and line ends inside; a quote inside an unquoted field is itself
/// - time: `YYYY-MM-DD HH:MM:SS[.f]` with up to six decimals, UTC; `T` instead of the blank and a final `Z` are tolerated
/// - type: the word of the first row, which every row repeats in any case; unknown words keep their values as text
/// - `real`, `float`: the double nearest to the decimal text; `NaN`, `inf`, `Infinity` in any case are values
/// - integers: 64 bits with an optional sign; a fraction of zeros (`1.0000000000`) is tolerated
/// - text: exactly as it came, UTF-8, blanks kept; `NULL` is text
/// - null: an empty unquoted field; for numbers also an unquoted `NULL` in any case; `""` is the empty text
///
/// # Errors
/// Always [`ErrorKind::Integrity`](edb_core::ErrorKind::Integrity), with the 1-based line, what was expected and what was
/// found: anything that departs from the form; a page or JSON instead of CSV; a body without a byte; a body whose last
/// record lacks its line end, which is how a cut-off body looks. After an error the decoder is spent.
///
/// # Cost
/// Memory: the columns, and one unfinished record of at most 1 MiB. One pass; tens of millions of rows a second where rows
/// look as the service prints them.
///
/// # Examples
/// ```
/// let mut decoder = edb_wire::Decoder::new();
/// decoder.feed(b"theTime,MJD,euvalue,sqldataType\r\n2022-06-01 00:00:00.0640")?;
/// decoder.feed(b"00,59731.0000007407,0.25,real\r\n")?;
/// let decoded = decoder.finish()?;
/// assert_eq!(decoded.samples.times(), [1_654_041_600_064_000]);
/// assert_eq!(decoded.samples.sample(0).value, edb_core::Value::Real(0.25));
/// # Ok::<(), edb_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    header: Option<Header>,
    columns: Columns,
    scanner: Scanner,
    /// The unfinished record, or what has been read of the header.
    carry: Vec<u8>,
    has_started: bool,
    /// The 1-based line on which the next record begins.
    line: usize,
    /// `None` where the short path does not apply.
    layout: Option<Layout>,
    has_short_path: bool,
    is_spent: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Decodes a whole body; see [`Decoder`].
///
/// # Errors
/// Those of [`Decoder`].
pub fn decode(body: &[u8]) -> Result<Decoded> {
    let mut decoder = Decoder::new();
    decoder.feed(body)?;
    decoder.finish()
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self {
            header: None,
            columns: Columns::default(),
            scanner: Scanner::default(),
            carry: Vec::new(),
            has_started: false,
            line: 1,
            layout: None,
            has_short_path: true,
            is_spent: false,
        }
    }

    /// Rows decoded so far.
    pub fn rows(&self) -> usize {
        self.columns.times.len()
    }

    /// Whether the body, if it ended here, would end in the middle of a row.
    pub fn is_in_row(&self) -> bool {
        self.header.is_some() && !self.carry.is_empty()
    }

    /// Ends a body that was cut off: the rows that came whole. `None` if not even the header did, or the decoder is spent.
    ///
    /// # Errors
    /// None that a body could cause.
    pub fn finish_cut(self) -> Result<Option<Decoded>> {
        if self.header.is_none() || self.is_spent {
            return Ok(None);
        }
        let (samples, misplaced) = self.columns.finish()?;
        Ok(Some(Decoded { samples, misplaced }))
    }

    /// Decodes the next bytes of the body.
    ///
    /// # Errors
    /// Those of [`Decoder`]; which one does not depend on how the body is cut.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<()> {
        if self.is_spent {
            return Err(Error::integrity("could not go on decoding: the answer was refused before"));
        }
        let fed = self.feed_header(chunk).and_then(|rest| {
            let rest = self.feed_carry(rest)?;
            self.feed_rows(rest)
        });
        self.is_spent = fed.is_err();
        fed
    }

    /// Ends the body.
    ///
    /// # Errors
    /// Those of [`Decoder`]: the body is empty, or ends before its last line does.
    pub fn finish(mut self) -> Result<Decoded> {
        self.feed(&[])?;
        if !self.has_started && self.carry.is_empty() {
            return Err(Error::integrity("could not read the answer: expected CSV, found no bytes at all"));
        }
        let found = excerpt(&self.carry);
        if self.header.is_none() {
            self.refuse_markup()?;
            return Err(Error::integrity(format!(
                "could not read the answer: the body ends in the middle of the header, at {found}"
            )));
        }
        if !self.carry.is_empty() {
            let (row, line) = (self.rows() + 1, self.line);
            return Err(Error::integrity(format!(
                "could not read the answer: the body ends in the middle of row {row}, line {line}, at {found}"
            )));
        }
        let (samples, misplaced) = self.columns.finish()?;
        Ok(Decoded { samples, misplaced })
    }

    /// Takes the header off `chunk`, byte by byte, so that what is found cannot depend on the cut.
    fn feed_header<'a>(&mut self, mut chunk: &'a [u8]) -> Result<&'a [u8]> {
        while self.header.is_none()
            && let Some((&byte, rest)) = chunk.split_first()
        {
            chunk = rest;
            self.carry.push(byte);
            if !self.has_started {
                if BYTE_ORDER_MARK == self.carry {
                    self.carry.clear();
                }
                // A mark, or a part of one, says nothing yet.
                self.has_started = !BYTE_ORDER_MARK.starts_with(&self.carry) || self.carry.is_empty();
                if !self.has_started || self.carry.is_empty() {
                    continue;
                }
            }
            if self.carry.len() > MOST_RECORD_BYTES {
                return Err(self.record_is_too_long());
            }
            let start = self.carry.len() - self.carry.trim_ascii_start().len();
            if start == self.carry.len() {
                continue;
            }
            if matches!(self.carry.get(start), Some(b'<' | b'{')) {
                if self.carry.len() - start > EXCERPT_BYTES {
                    self.refuse_markup()?;
                }
                continue;
            }
            if self.scanner.scan(&self.carry, MOST_COLUMNS).is_some() {
                if let Some(at) = self.scanner.broken_at() {
                    return Err(broken(1, self.carry.get(at..).unwrap_or_default()));
                }
                let header = Header::read(&self.carry, self.scanner.spans(), self.scanner.fields())?;
                self.layout = (header.is_canonical && self.has_short_path).then(Layout::default);
                self.header = Some(header);
                self.line += self.scanner.line_ends();
                self.carry.clear();
                self.scanner.reset();
            }
        }
        Ok(chunk)
    }

    /// Refuses a page or a JSON answer, which is what proxies and gateways send instead of CSV.
    fn refuse_markup(&self) -> Result<()> {
        let body = self.carry.trim_ascii_start();
        let what = match body.first() {
            Some(b'<') => "HTML",
            Some(b'{') => "JSON",
            _ => return Ok(()),
        };
        let found = excerpt(body);
        Err(Error::integrity(format!(
            "could not read the answer: expected CSV with the header `theTime,MJD,euvalue,sqldataType`, found {what}: {found}"
        )))
    }

    /// Completes the record that the chunks before left unfinished, and takes it off `chunk`.
    fn feed_carry<'a>(&mut self, mut chunk: &'a [u8]) -> Result<&'a [u8]> {
        while !self.carry.is_empty() && !chunk.is_empty() {
            let upto = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
            let (head, rest) = chunk.split_at(upto);
            chunk = rest;
            let carry = &mut self.carry;
            carry.extend_from_slice(head.get(..MOST_RECORD_BYTES + 1).unwrap_or(head));
            if self.scanner.scan(&self.carry, MOST_COLUMNS).is_some() {
                let mut record = std::mem::take(&mut self.carry);
                self.push_record(&record)?;
                record.clear();
                self.carry = record;
            } else if self.carry.len() > MOST_RECORD_BYTES {
                return Err(self.record_is_too_long());
            }
        }
        Ok(chunk)
    }

    fn feed_rows(&mut self, mut rest: &[u8]) -> Result<()> {
        while !rest.is_empty() {
            let taken = self.feed_fast(rest);
            rest = rest.get(taken..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let Some(end) = self.scanner.scan(rest, MOST_COLUMNS) else {
                self.carry.extend_from_slice(rest.get(..MOST_RECORD_BYTES + 1).unwrap_or(rest));
                if self.carry.len() > MOST_RECORD_BYTES {
                    return Err(self.record_is_too_long());
                }
                break;
            };
            let (record, behind) = rest.split_at(end);
            self.push_record(record)?;
            rest = behind;
        }
        Ok(())
    }

    /// Decodes the rows at the start of `rest` that look exactly as expected; the bytes they took.
    fn feed_fast(&mut self, rest: &[u8]) -> usize {
        let (Some(layout), Some(values)) = (&mut self.layout, &mut self.columns.values) else { return 0 };
        let before = self.columns.times.len();
        let taken = layout.take_rows(rest, &mut self.columns.times, values);
        self.line += self.columns.times.len() - before;
        taken
    }

    /// Adds the complete `record` that the scanner has just read.
    fn push_record(&mut self, record: &[u8]) -> Result<()> {
        let (Some(header), scanner) = (&self.header, &self.scanner) else { return Ok(()) };
        if record.len() > MOST_RECORD_BYTES {
            return Err(too_long(self.line, record));
        }
        if let Some(at) = scanner.broken_at() {
            return Err(broken(self.line, record.get(at..).unwrap_or_default()));
        }
        let text = str::from_utf8(record).map_err(|error| {
            refused(self.line, "UTF-8", record.get(error.valid_up_to()..).unwrap_or_default())
        })?;
        if scanner.fields() != header.columns {
            let expected = format!("{} fields", header.columns);
            let found = format!("{} fields in", scanner.fields());
            let line = excerpt(record.trim_ascii_end());
            let at = self.line;
            return Err(Error::integrity(format!(
                "could not read line {at} of the answer: expected {expected}, found {found} {line}"
            )));
        }
        self.columns.push(text, scanner.spans(), header, self.line)?;
        if let (Some(layout), Some(word)) = (&mut self.layout, scanner.spans().get(header.sql_type)) {
            layout.learn_tail(record.get(word.content.start - 1..).unwrap_or_default());
        }
        self.line += scanner.line_ends();
        self.scanner.reset();
        Ok(())
    }

    fn record_is_too_long(&self) -> Error {
        too_long(self.line, &self.carry)
    }
}

fn too_long(line: usize, record: &[u8]) -> Error {
    let found = format!("a record of at most {MOST_RECORD_BYTES} bytes");
    refused(line, &found, record).with_hint("Look for a quote that is never closed.")
}

fn broken(line: usize, field: &[u8]) -> Error {
    refused(line, "a comma or a line end after the closing quote", field.trim_ascii_end())
}
