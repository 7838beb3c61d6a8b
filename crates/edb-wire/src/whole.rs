//! Whether a body is a whole answer, without reading its rows.

use edb_core::{Error, Instant, Result};

use crate::Decoder;
use crate::decode::time;

/// More than the longest rows at the end of a body that are looked at.
const TAIL_BYTES: usize = 4096;

/// Checks a body that is kept as it comes: its header is a CSV answer's, and its last row has an end, which is how a body
/// that was cut inside a row is told from a whole one.
#[derive(Debug, Default)]
pub struct Whole {
    header: Decoder,
    has_header: bool,
    has_rows: bool,
    quoting: Quoting,
    /// The end of the body so far.
    tail: Vec<u8>,
}

/// What a whole body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whether anything follows the header.
    pub has_rows: bool,
    /// The time of the last row.
    pub last: Option<Instant>,
    /// How many rows at the end have that time, as far as the last few kilobytes tell.
    pub rows_at_end: usize,
}

/// Whether a field's quotes are open: a line end inside them ends no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Quoting {
    /// A field begins.
    #[default]
    Start,
    /// In a field without quotes, where a quote is itself.
    Plain,
    Open,
    /// After a quote in a quoted field: its end, or the first half of a doubled one.
    Quote,
}

impl Quoting {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Open, b'"') => Self::Quote,
            (Self::Open, _) | (Self::Start | Self::Quote, b'"') => Self::Open,
            (_, b',' | b'\n') => Self::Start,
            _ => Self::Plain,
        }
    }

    /// The state after `chunk`. Where there is no quote only the last byte counts.
    fn after_chunk(self, chunk: &[u8]) -> Self {
        let is_plain = !matches!(self, Self::Open | Self::Quote) && memchr::memchr(b'"', chunk).is_none();
        match chunk.last() {
            Some(last) if is_plain => Self::Plain.after(*last),
            _ => chunk.iter().fold(self, |state, byte| state.after(*byte)),
        }
    }
}

impl Whole {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// Those of [`Decoder`] about headers.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<()> {
        if self.has_header {
            self.has_rows |= !chunk.is_empty();
        } else {
            let line_end = memchr::memchr(b'\n', chunk).map(|at| at + 1);
            self.header.feed(&chunk[..line_end.unwrap_or(chunk.len())])?;
            self.has_header = line_end.is_some();
            self.has_rows = line_end.is_some_and(|end| end < chunk.len());
        }
        self.quoting = self.quoting.after_chunk(chunk);
        let kept = &chunk[chunk.len().saturating_sub(TAIL_BYTES)..];
        let surplus = (self.tail.len() + kept.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        self.tail.extend_from_slice(kept);
        Ok(())
    }

    /// Ends the body, and says what is in it.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if it is empty or cut, or its last rows are none.
    pub fn finish(self) -> Result<Seen> {
        let ends_row = self.tail.last() == Some(&b'\n') && self.quoting == Quoting::Start;
        if self.has_header && !ends_row {
            return Err(Error::integrity("the answer is cut off: it ends in the middle of a row")
                .with_hint("try again; a shorter range is less likely to be cut"));
        }
        self.header.finish()?;
        if !self.has_rows {
            return Ok(Seen { has_rows: false, last: None, rows_at_end: 0 });
        }
        let mut times = times_from_end(&self.tail);
        let last = times.next().ok_or_else(|| {
            Error::integrity("could not read the last row of the answer: expected a time like `2022-02-02 22:24:57.797000`")
        })?;
        let rows_at_end = 1 + times.take_while(|time| *time == last).count();
        Ok(Seen { has_rows: true, last: Some(Instant::from_micros(last)), rows_at_end })
    }
}

/// The time of the last row in the last bytes of a body.
pub fn last_row(tail: &[u8]) -> Option<Instant> {
    times_from_end(tail).next().map(Instant::from_micros)
}

/// The times of rows, the last one first. A line of a text value that has line ends in it begins with no time.
fn times_from_end(tail: &[u8]) -> impl Iterator<Item = i64> {
    let lines = tail.strip_suffix(b"\n").unwrap_or_default().rsplit(|byte| *byte == b'\n');
    lines.filter_map(|line| time(line.split(|byte| *byte == b',').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], size: usize) -> Result<Seen> {
        let mut whole = Whole::new();
        body.chunks(size).try_for_each(|chunk| whole.feed(chunk))?;
        whole.finish()
    }

    #[test]
    fn cut_and_foreign_bodies_are_told_from_whole_ones() {
        let body = b"theTime,MJD,euvalue,sqldataType\r\n2022-06-01 00:00:00.000000,59731.0000000000,1.0000000000,real\r\n";
        for size in [1, 7, 1000] {
            let last = Some(Instant::from_micros(1_654_041_600_000_000));
            assert_eq!(check(body, size).unwrap(), Seen { has_rows: true, last, rows_at_end: 1 });
            assert_eq!(
                check(&body[..33], size).unwrap(),
                Seen { has_rows: false, last: None, rows_at_end: 0 },
                "an unknown mnemonic is answered with the header alone"
            );
            for length in [0, 20, 60, body.len() - 1] {
                assert!(check(&body[..length], size).is_err(), "{length}");
            }
            assert!(check(b"<!DOCTYPE html>\n<html>\n", size).is_err());
        }
    }

    #[test]
    fn line_ends_inside_quotes_end_no_row() {
        let row = |text: &str| format!("2022-06-01 00:00:00.000000,59731.0000000000,{text},varchar\r\n");
        let body =
            ["theTime,MJD,euvalue,sqldataType\r\n", &row("5\" pipe"), &row("\"a,\nb \"\"c\"\"\n\"")].concat();
        for size in [1, 2, 13, 1000] {
            let seen = check(body.as_bytes(), size).unwrap();
            assert_eq!((seen.last.unwrap().as_micros(), seen.rows_at_end), (1_654_041_600_000_000, 2));
            for (at, _) in body.match_indices('\n').skip(2) {
                assert_eq!(check(&body.as_bytes()[..=at], size).is_ok(), at + 1 == body.len(), "{at}");
            }
        }
    }
}
