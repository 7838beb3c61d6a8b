//! Facts about data that are not failures.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Mnemonic;

/// What kind of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeKind {
    /// The answer lacks its trailing bracket: the archive ends there as of now, or the answer was cut.
    OpenEnd,
    /// The archive begins there: no answer has a sample before it.
    ArchiveBegin,
    /// The archive ends there as of now: two answers agree on it.
    ArchiveEnd,
    /// An answer was cut off and nobody said so; what was missing was asked for again, and came.
    Truncated,
    /// No sample at all came back: an unknown mnemonic and an empty archive look alike.
    NoSamples,
    /// Samples that were fetched again are others now.
    Revised,
    /// Rows came out of order of time and were sorted, equal times in the order they came.
    OutOfOrder,
    /// Part of the range is not known: never fetched, or its fetch failed.
    NotKnown,
    /// How the mnemonic is sampled was inferred, not stated.
    Inferred,
    /// Values were held until the next one, where the method asked for would have made up others.
    HeldInstead,
    /// The mnemonic cannot take part in what was asked (text in a numeric figure, say) and was left out.
    LeftOut,
    /// Units were added or compared that are not the same.
    Units,
    /// Samples lie beyond limits.
    Limits,
    /// Files of an earlier run are gone, for new ones.
    Replaced,
    /// A file format cannot say something as it is.
    Format,
    /// The telemetry is synthetic.
    Synthetic,
}

impl NoticeKind {
    /// Whether it tells of the run that found it out, and not of the data: the next run, which has the data already, will not.
    pub fn is_of_run(self) -> bool {
        matches!(
            self,
            Self::OpenEnd
                | Self::ArchiveBegin
                | Self::ArchiveEnd
                | Self::Truncated
                | Self::Revised
                | Self::OutOfOrder
                | Self::Replaced
        )
    }
}

/// A fact about data, attached to a result: never an error, never only a log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What kind of fact.
    pub kind: NoticeKind,
    /// Whose data.
    pub mnemonic: Option<Mnemonic>,
    /// The fact in words, without the mnemonic.
    pub text: String,
}

impl Notice {
    /// A notice about `mnemonic`.
    pub fn about(kind: NoticeKind, mnemonic: &Mnemonic, text: impl Into<String>) -> Self {
        Self { kind, mnemonic: Some(mnemonic.clone()), text: text.into() }
    }

    /// A notice about the whole result.
    pub fn general(kind: NoticeKind, text: impl Into<String>) -> Self {
        Self { kind, mnemonic: None, text: text.into() }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mnemonic {
            Some(mnemonic) => write!(f, "{mnemonic}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// A value together with the notices about it.
#[derive(Debug, Clone)]
pub struct Outcome<T> {
    /// The result.
    pub value: T,
    /// Facts about it.
    pub notices: Vec<Notice>,
}
