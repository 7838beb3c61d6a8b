//! Whether a body is a whole answer, without reading its rows.

use edb_core::{Error, Result};

use crate::Decoder;

/// Checks a body that is kept as it comes: its header is a CSV answer's, and its last line has an end, which is how a body
/// that was cut inside a line is told from a whole one.
#[derive(Debug, Default)]
pub struct Whole {
    header: Decoder,
    has_header: bool,
    has_rows: bool,
    ends_line: bool,
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
        self.ends_line = chunk.last().map_or(self.ends_line, |byte| *byte == b'\n');
        Ok(())
    }

    /// Ends the body, and says whether anything followed the header.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if it is empty or cut.
    pub fn finish(self) -> Result<bool> {
        if self.has_header && !self.ends_line {
            return Err(Error::integrity("the answer is cut off: it ends in the middle of a line")
                .with_hint("try again; a shorter range is less likely to be cut"));
        }
        self.header.finish().map(|_| self.has_rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], size: usize) -> Result<bool> {
        let mut whole = Whole::new();
        body.chunks(size).try_for_each(|chunk| whole.feed(chunk))?;
        whole.finish()
    }

    #[test]
    fn cut_and_foreign_bodies_are_told_from_whole_ones() {
        let body = b"theTime,MJD,euvalue,sqldataType\r\n2022-06-01 00:00:00.000000,59731.0000000000,1.0000000000,real\r\n";
        for size in [1, 7, 1000] {
            assert!(check(body, size).unwrap());
            assert!(
                !check(&body[..33], size).unwrap(),
                "an unknown mnemonic is answered with the header alone"
            );
            for length in [0, 20, 60, body.len() - 1] {
                assert!(check(&body[..length], size).is_err(), "{length}");
            }
            assert!(check(b"<!DOCTYPE html>\n<html>\n", size).is_err());
        }
    }
}
