//! One error type for every crate: a kind that a caller can act on, this layer's own words, a hint, and the cause.

use std::error::Error as StdError;
use std::fmt;

/// Result with [`Error`] unless another error is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can act on. Each kind has an exit code of the binary ([`ErrorKind::exit_code`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A defect of the toolkit, or a fault nobody foresaw.
    Unclassified,
    /// The request, the arguments or the job file cannot be understood or make no sense.
    Usage,
    /// Some ranges failed; the rest was delivered.
    Partial,
    /// The mnemonic is not in the dictionary.
    UnknownMnemonic,
    /// The service did not answer, or answered with a fault, and the retries are spent.
    Unavailable,
    /// As [`Unavailable`](Self::Unavailable), and the service was too slow: a shorter range may do.
    TimedOut,
    /// The service refused the credentials (401): nothing else will be answered with them either.
    Unauthorized,
    /// The service refused this one thing (403); others it may answer.
    Forbidden,
    /// Bytes that should be telemetry are not, or are cut off.
    Integrity,
    /// A limit that the user set stopped the work; it can be resumed.
    Limit,
    /// Nothing was found, and the user asked for that to be a failure.
    Empty,
    /// Another run holds the lock.
    Locked,
    /// The local disk or store cannot be read or written.
    Disk,
    /// Interrupted by the user.
    Interrupted,
}

impl ErrorKind {
    /// The documented exit code of the binary for this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Unclassified => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::UnknownMnemonic => 4,
            Self::Unavailable | Self::TimedOut => 5,
            Self::Unauthorized | Self::Forbidden => 6,
            Self::Integrity => 7,
            Self::Limit => 8,
            Self::Empty => 9,
            Self::Locked => 10,
            Self::Disk => 11,
            Self::Interrupted => 130,
        }
    }
}

/// A failure: what was attempted, what was expected, what was found, and what to do next.
///
/// `Display` prints this layer only; [`StdError::source`] returns the next. Only the edge (the binary, the server) walks
/// the chain.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    tries: Option<u32>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` in lower case, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), hint: None, tries: None, source: None }))
    }

    /// [`ErrorKind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// [`ErrorKind::Integrity`].
    pub fn integrity(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Integrity, message)
    }

    /// [`ErrorKind::Disk`] for a failed file operation: ``could not <attempt> `path` `` caused by `source`.
    pub fn disk(attempt: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Disk, format!("could not {attempt} `{}`", path.display())).caused_by(source)
    }

    /// Adds what to do next: a sentence starting with a verb.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds how often it was tried; 0 if it was not, because something else had failed.
    #[must_use]
    pub fn with_tries(mut self, tries: u32) -> Self {
        self.0.tries = Some(tries);
        self
    }

    /// Adds the cause, which prints itself.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Wraps this error in one of the same kind that says what a higher layer attempted.
    #[must_use]
    pub fn while_doing(self, message: impl Into<String>) -> Self {
        Self::new(self.kind(), message).caused_by(self)
    }

    /// An error of the same kind, hint and number of tries in other words, without the cause: for an error that has to be said
    /// more than once.
    #[must_use]
    pub fn retold(&self, message: impl Into<String>) -> Self {
        let mut told = Self::new(self.kind(), message).with_tries(self.tries());
        told.0.hint = self.hint().map(str::to_owned);
        told
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What to do next: this layer's hint, or the innermost one of its causes.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref().or_else(|| {
            let source = self.0.source.as_deref()?;
            source.downcast_ref::<Error>()?.hint()
        })
    }

    /// How often it was tried: this layer's number, or the innermost one of its causes; 1 if nobody says.
    pub fn tries(&self) -> u32 {
        self.0.tries.unwrap_or_else(|| {
            self.0.source.as_deref().and_then(|source| source.downcast_ref::<Error>()).map_or(1, Error::tries)
        })
    }

    /// The whole chain on one line, joined with `: `. For logs and for lists of failures.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind(), self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn each_layer_prints_only_its_own_part() {
        let inner = Error::integrity("row 3 is cut off").with_hint("try again").with_tries(3);
        let outer = inner.while_doing("could not fetch `SA_ZADUCMDX`");
        assert_eq!(outer.to_string(), "could not fetch `SA_ZADUCMDX`");
        assert_eq!(outer.chain(), "could not fetch `SA_ZADUCMDX`: row 3 is cut off");
        assert_eq!(outer.kind(), ErrorKind::Integrity);
        assert_eq!((outer.hint(), outer.tries()), (Some("try again"), 3));
    }
}
