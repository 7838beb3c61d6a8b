//! A secret.

use std::fmt;

use edb_core::{Error, Result};

/// A MAST token. Nothing prints it: not `Debug`, not an error, not a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token: visible ASCII, surrounding blanks trimmed.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if it is empty or holds characters that no header may hold. The text is not repeated.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::usage(
                "could not use the token: expected one word of visible ASCII characters",
            )
            .with_hint("make one at https://auth.mast.stsci.edu/token, and put it into `MAST_API_TOKEN`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> String {
        format!("token {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let secret = "0123456789abcdef0123456789abcdef";
        assert!(!format!("{:?}", Token::new(secret).unwrap()).contains(secret));
        let error = Token::new("0123456789abcdef bad").unwrap_err();
        assert!(!format!("{error:?}").contains("0123456789abcdef"));
    }
}
