//! The service's types of values.

use std::fmt;
use std::sync::Arc;

/// The word in the service's `sqldataType` column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// 32-bit float, printed with ten decimals.
    Real,
    /// 64-bit float, printed with ten decimals.
    Float,
    /// 8-bit unsigned integer.
    TinyInt,
    /// 16-bit integer.
    SmallInt,
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    BigInt,
    /// Text: messages, states, time codes.
    Varchar,
    /// Any other word, kept as it came; its values are kept as text.
    Other(Arc<str>),
}

/// The column that values of a type are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// `f64`.
    Real,
    /// `i64`.
    Integer,
    /// Text.
    Text,
}

impl SqlType {
    /// Reads the service's word, in any case; the direct service's length suffix (`VARCHAR(50)`) is dropped.
    pub fn new(word: &str) -> Self {
        let bare = word.split('(').next().unwrap_or(word).trim();
        match bare.to_ascii_lowercase().as_str() {
            "real" => Self::Real,
            "float" => Self::Float,
            "tinyint" => Self::TinyInt,
            "smallint" => Self::SmallInt,
            "int" => Self::Int,
            "bigint" => Self::BigInt,
            "varchar" => Self::Varchar,
            _ => Self::Other(word.into()),
        }
    }

    /// The service's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Real => "real",
            Self::Float => "float",
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Varchar => "varchar",
            Self::Other(word) => word,
        }
    }

    /// The column that values of this type are kept in.
    pub fn kind(&self) -> ValueKind {
        match self {
            Self::Real | Self::Float => ValueKind::Real,
            Self::TinyInt | Self::SmallInt | Self::Int | Self::BigInt => ValueKind::Integer,
            Self::Varchar | Self::Other(_) => ValueKind::Text,
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_unknown_ones_are_kept() {
        for word in ["real", "float", "tinyint", "smallint", "int", "bigint", "varchar", "uniqueidentifier"] {
            assert_eq!(SqlType::new(word).as_str(), word);
        }
        assert_eq!(SqlType::new("VARCHAR(359)"), SqlType::Varchar);
        assert_eq!(SqlType::new("Datetime2(7)").as_str(), "Datetime2(7)");
        assert_eq!(SqlType::new("bit").kind(), ValueKind::Text);
    }
}
