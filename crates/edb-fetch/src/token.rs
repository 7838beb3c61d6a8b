//! A secret.

use std::fmt;
use std::sync::Arc;

use edb_core::{Error, Result};
use reqwest::header::HeaderValue;

/// So much of a token is not told to anybody.
const TELLING_CHARS: usize = 6;

/// A MAST token. Nothing prints it: no `Display`, no serialisation, and `Debug`, errors and logs leave it out.
///
/// ```compile_fail
/// println!("{}", edb_fetch::Token::new("secret").unwrap());
/// ```
/// ```compile_fail
/// fn serialise<T: serde::Serialize>(_: T) {}
/// serialise(edb_fetch::Token::new("secret").unwrap());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token: visible ASCII, surrounding blanks trimmed.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if it is empty or holds characters that no header may hold. The text is not repeated.
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';') {
            return Err(Error::usage(
                "could not use the token: expected one word of visible ASCII characters",
            )
            .with_hint("make one at https://auth.mast.stsci.edu/token, and put it into `MAST_API_TOKEN`"));
        }
        Ok(Self(text.to_owned()))
    }

    /// `text` without the token, nor a beginning of it that is long enough to be of use; `None` if it is not in there.
    pub(crate) fn scrubbed(&self, text: &str) -> Option<String> {
        let head = self.0.get(..TELLING_CHARS).unwrap_or(&self.0);
        let mut clean = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(head) {
            clean.push_str(&rest[..at]);
            clean.push('…');
            let same = rest[at..].bytes().zip(self.0.bytes()).take_while(|(found, own)| found == own);
            rest = &rest[at + same.count()..];
        }
        (rest.len() < text.len()).then(|| clean + rest)
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> Result<HeaderValue> {
        sensitive(&format!("token {}", self.0))
    }

    /// The cookie that the account service reads.
    pub(crate) fn cookie(&self) -> Result<HeaderValue> {
        sensitive(&format!("mast_token={}", self.0))
    }
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    // Its own error would not repeat the text either, but nothing is to depend on that.
    let mut value =
        HeaderValue::from_str(text).map_err(|_| Error::usage("could not use the token in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Looks for a token where looking is not free (a keyring, a person), once, when the service has refused to answer without
/// one.
#[derive(Clone)]
pub struct TokenFinder(Arc<dyn Fn() -> Result<Option<Token>> + Send + Sync>);

impl TokenFinder {
    /// Wraps a function, which may block.
    pub fn new(find: impl Fn() -> Result<Option<Token>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    pub(crate) fn find(&self) -> Result<Option<Token>> {
        (self.0)()
    }
}

impl fmt::Debug for TokenFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenFinder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let secret = "0123456789abcdef0123456789abcdef";
        let token = Token::new(secret).unwrap();
        let finder = TokenFinder::new(|| Token::new("0123456789abcdef0123456789abcdef").map(Some));
        for printed in [
            format!("{token:?}"),
            format!("{:?}", token.authorization()),
            format!("{:?}", token.cookie()),
            format!("{finder:?}"),
        ] {
            assert!(!printed.contains(secret), "{printed}");
        }
        let error = Token::new("0123456789abcdef bad").unwrap_err();
        assert!(!format!("{error:?}").contains("0123456789abcdef"));
    }
}
