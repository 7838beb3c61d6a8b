//! What is known of a file when it is written.

use std::fmt::Write as _;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// Counts what goes through to an output, and hashes it if asked: that takes as long as the writing.
pub struct Measured<W> {
    out: W,
    hash: Option<Sha256>,
    bytes: u64,
}

impl<W: Write> Measured<W> {
    /// Begins with nothing.
    pub fn new(out: W, is_hashed: bool) -> Self {
        Self { out, hash: is_hashed.then(Sha256::new), bytes: 0 }
    }

    /// The output, its length, and its SHA-256 in hexadecimal digits.
    pub fn finish(self) -> (W, u64, Option<String>) {
        let digits = |hash: Sha256| {
            let mut text = String::with_capacity(64);
            for byte in hash.finalize() {
                // Writing into a string does not fail.
                let _ = write!(text, "{byte:02x}");
            }
            text
        };
        (self.out, self.bytes, self.hash.map(digits))
    }
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&bytes[..written]);
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
