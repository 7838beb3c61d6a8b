//! Names of telemetry points.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The name of one telemetry point, as `SA_ZADUCMDX`.
///
/// - 1 to 64 characters of `A-Z`, `0-9` and `_` (the archive's own run from 6 to 23), so it is safe in file names and URLs
/// - stored in upper case: people may type lower case, the service is always asked in upper case
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mnemonic(Arc<str>);

impl Mnemonic {
    /// Reads a name, trimming blanks and raising it to upper case.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] for characters or lengths that no mnemonic has.
    pub fn new(text: &str) -> Result<Self> {
        let name = text.trim().to_ascii_uppercase();
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(Error::usage(format!(
                "could not read `{text}` as a mnemonic: expected 1 to 64 letters, digits and underscores"
            ))
            .with_hint("look names up with `edb search`; patterns go with `--start` and `--stop`"));
        }
        Ok(Self(name.into()))
    }

    /// Whether the name matches `pattern`, in which `*` stands for any characters and `?` for one, in any case.
    pub fn matches(&self, pattern: &str) -> bool {
        glob(pattern.trim().to_ascii_uppercase().as_bytes(), self.as_str().as_bytes())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Mnemonic {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl TryFrom<String> for Mnemonic {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::new(&text)
    }
}

impl From<Mnemonic> for String {
    fn from(mnemonic: Mnemonic) -> Self {
        mnemonic.0.as_ref().to_owned()
    }
}

fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skip| glob(rest, &name[skip..])),
        Some((b'?', rest)) => !name.is_empty() && glob(rest, &name[1..]),
        Some((byte, rest)) => name.first() == Some(byte) && glob(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_raised() {
        assert_eq!(Mnemonic::new(" sa_zaducmdx ").unwrap().as_str(), "SA_ZADUCMDX");
        for bad in ["", "SA ZADUCMDX", "../etc/passwd", "SA-ZAD", "ÄB", &"A".repeat(65)] {
            assert!(Mnemonic::new(bad).is_err(), "{bad}");
        }
    }
}
