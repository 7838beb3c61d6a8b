//! What is known of a file when it is written.

use std::fmt::Write as _;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// Counts and hashes what goes through to an output.
pub struct Hashed<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Hashed<W> {
    /// Begins with nothing.
    pub fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), bytes: 0 }
    }

    /// The output, its length, and its SHA-256 in hexadecimal digits.
    pub fn finish(self) -> (W, u64, String) {
        let mut text = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing into a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        (self.out, self.bytes, text)
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
