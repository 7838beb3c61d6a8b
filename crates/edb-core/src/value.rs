//! One value, and one sample.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Instant;

/// One value of a sample. Missing is [`Value::Null`], never 0.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// No value was given.
    Null,
    /// A real number; NaN and infinities are values, not nulls.
    #[serde(with = "real_as_bits")]
    Real(f64),
    /// An integer.
    Integer(i64),
    /// Text, blanks kept.
    Text(Arc<str>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Real(value) => fmt::Display::fmt(value, f),
            Self::Integer(value) => fmt::Display::fmt(value, f),
            Self::Text(text) => fmt::Display::fmt(text, f),
        }
    }
}

/// JSON has no NaN, no infinities, and readers that round; the bits are exact.
mod real_as_bits {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:016x}", value.to_bits()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(f64::from_bits).map_err(serde::de::Error::custom)
    }
}

/// One sample: a value at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When it was taken.
    pub time: Instant,
    /// What it said.
    pub value: Value,
}
