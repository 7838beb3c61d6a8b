//! A data frame and what its columns mean.

use edb_core::{DictionaryEntry, Error, ErrorKind, Exposures, Mnemonic, Notice};
use polars::prelude::{Column, DataFrame, DataType, IdxCa, NewChunkedArray, PolarsError, TimeUnit, TimeZone};

use crate::columns;

/// What one column means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAbout {
    /// The column's name.
    pub name: String,
    /// The mnemonic whose values it holds, if it is one's.
    pub mnemonic: Option<Mnemonic>,
    /// The unit as the archive writes it; empty if none or mixed.
    pub unit: String,
    /// What it holds, in words.
    pub description: String,
}

impl ColumnAbout {
    /// A column that is no single mnemonic's.
    pub(crate) fn general(name: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            mnemonic: None,
            unit: String::new(),
            description: description.to_owned(),
        }
    }
}

/// A table: a Polars data frame, what its columns mean, how it was made, and facts about it.
///
/// Times are `Datetime[µs, UTC]`. Tables of samples and of bins have them in the first column, `time`: ascending, never null.
#[derive(Debug, Clone)]
pub struct Table {
    frame: DataFrame,
    columns: Vec<ColumnAbout>,
    /// How the table was made, as pairs of words in the order they are to be read.
    pub made: Vec<(String, String)>,
    /// Facts about the data.
    pub notices: Vec<Notice>,
    /// What the dictionary says about the mnemonics that it was made of.
    pub mnemonics: Vec<DictionaryEntry>,
}

impl Table {
    pub(crate) fn new(columns: Vec<(Column, ColumnAbout)>, notices: Vec<Notice>) -> Result<Self, Error> {
        let (columns, about) = columns.into_iter().unzip();
        let frame = DataFrame::new_infer_height(columns).map_err(refuse)?;
        Ok(Self { frame, columns: about, made: Vec::new(), notices, mnemonics: Vec::new() })
    }

    /// A table of any data frame, with what its columns mean where that is known (`about`, by name). Times become `Datetime[µs, UTC]` (those
    /// without a zone are taken as UTC), other numbers doubles, integers and truth values `Int64`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] for a column that is neither times nor numbers nor text, and for integers beyond `Int64`.
    pub fn from_polars(frame: &DataFrame, about: &[ColumnAbout]) -> Result<Self, Error> {
        let known = |name: &str| {
            let found = about.iter().find(|one| one.name == name);
            found.cloned().unwrap_or_else(|| ColumnAbout::general(name, ""))
        };
        let columns = frame.columns().iter().map(|column| Ok((plain(column)?, known(column.name()))));
        Self::new(columns.collect::<Result<Vec<_>, Error>>()?, Vec::new())
    }

    /// The table of some of its rows.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        let frame = self.frame.slice(rows.start as i64, rows.len());
        Self {
            frame,
            columns: self.columns.clone(),
            made: self.made.clone(),
            notices: self.notices.clone(),
            mnemonics: self.mnemonics.clone(),
        }
    }

    /// The table of the rows at these places, in their order.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Unclassified`] if there is no such row.
    pub fn take(&self, rows: &[u32]) -> Result<Self, Error> {
        let places = IdxCa::from_slice("".into(), rows);
        let frame = self.frame.take(&places).map_err(refuse)?;
        Ok(Self { frame, ..self.slice(0..0) })
    }

    /// The table without one of its columns.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Unclassified`] if it has no such column.
    pub fn without(&self, name: &str) -> Result<Self, Error> {
        let frame = self.frame.drop(name).map_err(refuse)?;
        let columns = self.columns.iter().filter(|column| column.name != name).cloned().collect();
        Ok(Self { frame, columns, ..self.slice(0..0) })
    }

    /// The table with a last column `exposure`: the label of the exposure that each row's time belongs to, null if it
    /// belongs to none.
    ///
    /// # Errors
    /// None that bad telemetry could cause.
    pub fn labelled(mut self, exposures: &Exposures) -> Result<Self, Error> {
        let times = self.frame.column("time").and_then(|times| times.datetime()).map_err(refuse)?;
        let times: Vec<i64> = times.physical().iter().flatten().collect();
        let labels =
            exposures.of(times.into_iter()).map(|found| found.map(|exposure| exposure.label.as_str().into()));
        self.frame.with_column(columns::text("exposure", labels)).map_err(refuse)?;
        let about = "exposure in which, or within the margin of which, the sample was taken";
        self.columns.push(ColumnAbout::general("exposure", about));
        Ok(self)
    }

    /// The data frame.
    pub fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// The data frame, for further work in Polars.
    pub fn into_polars(self) -> DataFrame {
        self.frame
    }

    /// What the columns mean, in their order.
    pub fn columns(&self) -> &[ColumnAbout] {
        &self.columns
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.frame.height()
    }
}

/// A column in one of the four types that tables have.
fn plain(column: &Column) -> Result<Column, Error> {
    let target = match column.dtype() {
        DataType::Datetime(..) => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        DataType::String => DataType::String,
        DataType::Boolean => DataType::Int64,
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_primitive_numeric() => DataType::Float64,
        other => {
            let message = format!("could not use the column `{}` of type {other}", column.name());
            return Err(Error::usage(message).with_hint("cast it to numbers, times or text"));
        }
    };
    let unfit = |error: PolarsError| {
        Error::usage(format!("could not use the column `{}` as {target}", column.name())).caused_by(error)
    };
    column.strict_cast(&target).map_err(unfit)
}

/// Polars' own refusals are defects here: every column was made by this crate.
pub(crate) fn refuse(error: PolarsError) -> Error {
    Error::new(ErrorKind::Unclassified, "could not form the table").caused_by(error)
}
