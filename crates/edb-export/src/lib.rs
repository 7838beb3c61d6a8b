//! Writes a table to a file format with units and provenance, atomically, and reads lists of intervals back.
//!
//! **Does**: Parquet and CSV, each with the columns' units and meaning, how the table was made, and the notices about it in
//! the file itself. **Does not**: change a value. Parquet holds what the table holds; CSV has the shortest decimals that
//! read back as the same numbers.
//!
//! The same table gives the same bytes.

mod columns;
mod csv;
mod intervals;
mod metadata;
mod parquet;
mod text;

pub use intervals::read_intervals;
pub use text::{Word, words};

use std::io::Write;
use std::path::Path;

use edb_core::atomic::AtomicFile;
use edb_core::{Error, Result};
use edb_frame::Table;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet: `timestamp(us, UTC)`, double, int64, string; metadata under `edb.*` keys of the footer.
    Parquet,
    /// Comma-separated values (RFC 4180 with LF line ends): a comment block of `#` lines, a header, ISO 8601 UTC times with
    /// microseconds, empty fields for null.
    Csv,
}

impl Format {
    /// All formats, and the extension of each.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Parquet, "parquet"), (Self::Csv, "csv")];

    /// The format of a name or an extension, in any case.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if there is no such format.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .find(|(_, extension)| name.eq_ignore_ascii_case(extension))
            .map(|(format, _)| *format)
            .ok_or_else(|| {
                Error::usage(format!("there is no table format `{name}`")).with_hint("use `parquet` or `csv`")
            })
    }

    /// The format that the extension of `path` names.
    ///
    /// # Errors
    /// As [`from_name`](Self::from_name).
    pub fn from_path(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        Self::from_name(&extension).map_err(|_| {
            Error::usage(format!(
                "could not tell the table format of `{}` from its extension",
                path.display()
            ))
            .with_hint("end the name in `.parquet` or `.csv`; figures end in `.png` or `.svg`")
        })
    }
}

/// Writes `table` to `out`.
///
/// # Errors
/// [`edb_core::ErrorKind::Disk`] if `out` fails.
pub fn write(table: &Table, format: Format, out: &mut (dyn Write + Send)) -> Result<()> {
    match format {
        Format::Parquet => parquet::write(table, out),
        Format::Csv => csv::write(table, out),
    }
}

/// Writes `table` to a file that appears whole or not at all, and returns its size in bytes.
///
/// # Errors
/// [`edb_core::ErrorKind::Disk`]; an earlier file of that name is then untouched.
pub fn write_file(table: &Table, format: Format, path: &Path) -> Result<u64> {
    let mut file = AtomicFile::create(path)?;
    write(table, format, &mut file)
        .map_err(|error| error.while_doing(format!("could not write `{}`", path.display())))?;
    file.commit()?;
    let size = std::fs::metadata(path).map_err(|error| Error::disk("read", path, error))?;
    Ok(size.len())
}
