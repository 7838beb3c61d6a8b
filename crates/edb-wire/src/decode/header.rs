//! The header line: which column is which.

use edb_core::{Error, Result};

use super::scan::Span;
use crate::excerpt::excerpt;

/// Fields that a header may have; the service sends four.
pub(super) const MOST_COLUMNS: usize = 64;

/// Where the needed columns are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Header {
    pub(super) columns: usize,
    pub(super) time: usize,
    pub(super) value: usize,
    pub(super) sql_type: usize,
    /// Whether the columns are the service's four in the service's order.
    pub(super) is_canonical: bool,
}

impl Header {
    /// Reads the names in `line`, in any order and case; columns of other names are tolerated.
    pub(super) fn read(line: &[u8], spans: &[Span], columns: usize) -> Result<Self> {
        let name = |span: &Span| line.get(span.content.clone()).unwrap_or_default().trim_ascii();
        let find = |wanted: &str| {
            spans.iter().position(|span| name(span).eq_ignore_ascii_case(wanted.as_bytes())).ok_or_else(
                || {
                    let found = excerpt(line.trim_ascii_end());
                    Error::integrity(format!(
                        "could not read the header of the answer: expected a column `{wanted}` as in \
                     `theTime,MJD,euvalue,sqldataType`, found {found}"
                    ))
                },
            )
        };
        let (time, value, sql_type) = (find("theTime")?, find("euvalue")?, find("sqldataType")?);
        if columns > MOST_COLUMNS {
            return Err(Error::integrity(format!(
                "could not read the header of the answer: expected at most {MOST_COLUMNS} columns, found {columns}"
            )));
        }
        let is_canonical = (columns, time, value, sql_type) == (4, 0, 2, 3);
        Ok(Self { columns, time, value, sql_type, is_canonical })
    }
}
