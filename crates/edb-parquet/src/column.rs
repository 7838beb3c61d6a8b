//! Columns as they lie in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use edb_core::{Nulls, TextColumn, keep};

/// One column to write. All columns of a file have the same number of rows.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The name in the schema.
    pub name: &'a str,
    /// The values.
    pub data: Data<'a>,
    /// Which rows are null.
    pub nulls: &'a Nulls,
}

/// The values of a column to write.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    /// Microseconds since 1970 UTC, written as `timestamp(us, UTC)`.
    Time(&'a [i64]),
    /// `double`.
    Real(&'a [f64]),
    /// `int64`.
    Integer(&'a [i64]),
    /// `string`.
    Text(&'a TextColumn),
    /// A column of this kind in which every row is null: the files of one data set have one schema.
    Absent(Kind),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Microseconds since 1970 UTC.
    Time,
    /// Real numbers.
    Real,
    /// Integers.
    Integer,
    /// Text.
    Text,
}

impl Data<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Time(_) => Kind::Time,
            Self::Real(_) => Kind::Real,
            Self::Integer(_) => Kind::Integer,
            Self::Text(_) => Kind::Text,
            Self::Absent(kind) => *kind,
        }
    }

    /// Number of rows; an absent column has any.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Time(values) | Self::Integer(values) => Some(values.len()),
            Self::Real(values) => Some(values.len()),
            Self::Text(column) => Some(column.codes().len()),
            Self::Absent(_) => None,
        }
    }
}

/// A column that was read. At null positions it holds 0, 0.0 or an empty text.
#[derive(Debug, Clone)]
pub enum OwnedColumn {
    /// Microseconds since 1970 UTC.
    Time(Vec<i64>),
    /// Real numbers.
    Real(Vec<f64>),
    /// Integers.
    Integer(Vec<i64>),
    /// Text.
    Text(TextColumn),
}

impl OwnedColumn {
    /// An empty column.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Time => Self::Time(Vec::new()),
            Kind::Real => Self::Real(Vec::new()),
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Text => Self::Text(TextColumn::default()),
        }
    }

    /// What it holds.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Time(_) => Kind::Time,
            Self::Real(_) => Kind::Real,
            Self::Integer(_) => Kind::Integer,
            Self::Text(_) => Kind::Text,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Time(values) | Self::Integer(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Text(column) => column.codes().len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of the rows from `from` on keeps those in `kept`, counted from there.
    pub(crate) fn keep(&mut self, from: usize, kept: &Range<usize>) {
        match self {
            Self::Time(values) | Self::Integer(values) => keep(values, from, kept),
            Self::Real(values) => keep(values, from, kept),
            Self::Text(column) => column.keep(from, kept),
        }
    }

    /// Makes room for `rows` more.
    pub fn reserve(&mut self, rows: usize) {
        match self {
            Self::Time(values) | Self::Integer(values) => values.reserve_exact(rows),
            Self::Real(values) => values.reserve_exact(rows),
            Self::Text(column) => column.reserve(rows),
        }
    }
}

/// A file that was read whole.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Number of rows.
    pub rows: usize,
    /// Name, values and nulls of each column, in the order of the file.
    pub columns: Vec<(String, OwnedColumn, Nulls)>,
    /// Key-value metadata of the footer.
    pub metadata: BTreeMap<String, String>,
}
