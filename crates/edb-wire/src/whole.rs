//! Whether a body is a whole answer, without reading its rows.

use edb_core::{Error, Instant, Result};

use crate::Decoder;
use crate::decode::time;

/// More than the longest line that the service is known to send.
const TAIL_BYTES: usize = 4096;

/// Checks a body that is kept as it comes: its header is a CSV answer's, and its last line has an end, which is how a body
/// that was cut inside a line is told from a whole one.
#[derive(Debug, Default)]
pub struct Whole {
    header: Decoder,
    has_header: bool,
    has_rows: bool,
    /// The end of the body so far.
    tail: Vec<u8>,
}

/// What a whole body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whether anything follows the header.
    pub has_rows: bool,
    /// The time of the last row, if its line begins with one.
    pub last: Option<Instant>,
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
        let kept = &chunk[chunk.len().saturating_sub(TAIL_BYTES)..];
        let surplus = (self.tail.len() + kept.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        self.tail.extend_from_slice(kept);
        Ok(())
    }

    /// Ends the body, and says what is in it.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if it is empty or cut.
    pub fn finish(self) -> Result<Seen> {
        if self.has_header && self.tail.last() != Some(&b'\n') {
            return Err(Error::integrity("the answer is cut off: it ends in the middle of a line")
                .with_hint("try again; a shorter range is less likely to be cut"));
        }
        self.header.finish()?;
        let lines = self.tail.strip_suffix(b"\n").unwrap_or_default();
        let line = memchr::memrchr(b'\n', lines).and_then(|at| lines.get(at + 1..)).filter(|_| self.has_rows);
        let time = line.and_then(|line| time(line.split(|byte| *byte == b',').next()?));
        Ok(Seen { has_rows: self.has_rows, last: time.map(Instant::from_micros) })
    }
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
            assert_eq!(check(body, size).unwrap(), Seen { has_rows: true, last });
            assert_eq!(
                check(&body[..33], size).unwrap(),
                Seen { has_rows: false, last: None },
                "an unknown mnemonic is answered with the header alone"
            );
            for length in [0, 20, 60, body.len() - 1] {
                assert!(check(&body[..length], size).is_err(), "{length}");
            }
            assert!(check(b"<!DOCTYPE html>\n<html>\n", size).is_err());
        }
    }
}
