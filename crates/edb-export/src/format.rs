//! The formats, and how a file is to be written.

use std::path::Path;

use edb_core::{Error, Result};

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet: `timestamp(us, UTC)`, double, int64, string, nulls; provenance under `edb.*` keys of the footer, and
    /// astropy's header, by which `Table.read` has `Time` columns, units and descriptions.
    Parquet,
    /// Comma-separated values (RFC 4180 with LF line ends): a comment block of `#` lines, a header, ISO 8601 UTC times with
    /// microseconds, empty fields for null.
    Csv,
    /// Enhanced CSV 1.0 for astropy: `Time` columns, units, descriptions and provenance in its YAML header.
    Ecsv,
    /// FITS binary table: times as MJD in days, UTC; integers with `TNULL`, reals with NaN, text of fixed width.
    Fits,
    /// `VOTable` 1.4 (`TABLEDATA`): times as ISO 8601 text of the type `timestamp`.
    Votable,
    /// Arrow IPC file (Feather version 2), not compressed: can be mapped into memory.
    Arrow,
    /// JSON Lines: an object for each row, with every column.
    JsonLines,
}

impl Format {
    /// All formats, and the extensions of each, the usual one first.
    pub const ALL: [(Self, &'static [&'static str]); 7] = [
        (Self::Parquet, &["parquet", "pq"]),
        (Self::Csv, &["csv"]),
        (Self::Ecsv, &["ecsv"]),
        (Self::Fits, &["fits", "fit"]),
        (Self::Votable, &["vot", "votable", "xml"]),
        (Self::Arrow, &["arrow", "feather", "ipc"]),
        (Self::JsonLines, &["jsonl", "ndjson"]),
    ];

    /// The format of a name or an extension, in any case.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if there is no such format.
    pub fn from_name(name: &str) -> Result<Self> {
        let is_it = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        let found = Self::ALL.iter().find(|(_, names)| is_it(names));
        found.map(|(format, _)| *format).ok_or_else(|| {
            Error::usage(format!("there is no table format `{name}`"))
                .with_hint(format!("use one of {}", Self::words()))
        })
    }

    /// The format that the extension of `path` names.
    ///
    /// # Errors
    /// As [`from_name`](Self::from_name).
    pub fn from_path(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        Self::from_name(&extension).map_err(|_| {
            let path = path.display();
            Error::usage(format!("could not tell the table format of `{path}` from its extension")).with_hint(
                format!(
                    "end the name in one of {}, or add `--format`; figures end in `.png` or `.svg`",
                    Self::words()
                ),
            )
        })
    }

    /// The usual extension.
    pub fn extension(self) -> &'static str {
        Self::ALL.iter().find(|(format, _)| *format == self).map_or("", |(_, names)| names[0])
    }

    /// Whether it is text that people can read on a terminal.
    pub fn is_text(self) -> bool {
        !matches!(self, Self::Parquet | Self::Fits | Self::Arrow)
    }

    /// Whether a file says in itself where it comes from; a line of JSON is a row, and nothing else.
    pub fn has_header(self) -> bool {
        self != Self::JsonLines
    }

    fn words() -> String {
        Self::ALL.map(|(_, names)| format!("`{}`", names[0])).join(", ")
    }
}

/// How a file is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileOptions {
    /// The format.
    pub format: Format,
    /// Whether CSV begins with comments about its columns and its provenance; other formats have these where they are in nobody's way.
    pub has_comments: bool,
    /// Whether the bytes are hashed.
    pub is_hashed: bool,
}

impl FileOptions {
    /// The usual ones of a format.
    pub fn new(format: Format) -> Self {
        Self { format, has_comments: true, is_hashed: false }
    }
}
