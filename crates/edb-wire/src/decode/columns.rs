//! The columns that rows are added to, one record at a time.

use std::borrow::Cow;

use edb_core::{Error, Nulls, Result, Samples, SqlType, ValueKind, Values};

use super::field;
use super::header::Header;
use super::scan::Span;
use crate::excerpt::excerpt;

/// What has been decoded so far.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) times: Vec<i64>,
    /// The type, and its word as the first row has it.
    sql_type: Option<(SqlType, String)>,
    /// There is none before the first row.
    pub(super) values: Option<Values>,
    nulls: Nulls,
}

impl Columns {
    /// The samples, and how many rows came before their predecessor.
    pub(super) fn finish(self) -> Result<(Samples, usize)> {
        let sql_type = self.sql_type.map_or(SqlType::Varchar, |(sql_type, _)| sql_type);
        let values = self.values.unwrap_or_else(|| Values::empty(sql_type.kind()));
        Samples::from_columns(sql_type, self.times, values, self.nulls)
    }

    /// Adds the row of `record`, whose fields lie at `spans`; `line` is for messages.
    pub(super) fn push(&mut self, record: &str, spans: &[Span], header: &Header, line: usize) -> Result<()> {
        let at = |column: usize| spans.get(column).cloned().unwrap_or_default();
        let time = Field::new(record, &at(header.time));
        let time = field::time(time.text.as_bytes())
            .ok_or_else(|| refused(line, "a time like `2022-02-02 22:24:57.797000`", time.text.as_bytes()))?;
        let kind = self.check_type(&Field::new(record, &at(header.sql_type)).text, line)?;
        let value = Field::new(record, &at(header.value));
        let values = self.values.get_or_insert_with(|| Values::empty(kind));
        let is_null = !value.is_quoted
            && match values {
                Values::Text(_) => value.text.is_empty(),
                Values::Real(_) | Values::Integer(_) => field::is_null(&value.text),
            };
        let text = value.text.as_ref();
        match values {
            Values::Real(_) | Values::Integer(_) if !is_null && text.is_empty() => {
                return Err(refused(line, "a number", b"\"\""));
            }
            Values::Real(column) if is_null => column.0.push(0.0),
            Values::Integer(column) if is_null => column.push(0),
            Values::Real(column) => {
                column.0.push(field::real(text).ok_or_else(|| refused(line, "a number", text.as_bytes()))?);
            }
            Values::Integer(column) => {
                let found = || refused(line, "a whole number of 64 bits", text.as_bytes());
                column.push(field::integer(text).ok_or_else(found)?);
            }
            Values::Text(column) => column.push(text),
        }
        if is_null {
            self.nulls.push(self.times.len());
        }
        self.times.push(time);
        Ok(())
    }

    /// The first row's word decides; the others must repeat it.
    fn check_type(&mut self, word: &str, line: usize) -> Result<ValueKind> {
        if let Some((sql_type, first)) = &self.sql_type {
            if word.eq_ignore_ascii_case(first) || (!word.is_empty() && SqlType::new(word) == *sql_type) {
                return Ok(sql_type.kind());
            }
            let expected = format!("the type `{}` as in the rows before", first.escape_debug());
            return Err(refused(line, &expected, word.as_bytes()));
        }
        if word.is_empty() {
            return Err(refused(line, "a type like `real`", b""));
        }
        let sql_type = SqlType::new(word);
        let kind = sql_type.kind();
        self.sql_type = Some((sql_type, word.to_owned()));
        Ok(kind)
    }
}

/// The error of a field or record that is not what it should be.
pub(super) fn refused(line: usize, expected: &str, found: &[u8]) -> Error {
    Error::integrity(format!(
        "could not read line {line} of the answer: expected {expected}, found {}",
        excerpt(found)
    ))
}

struct Field<'a> {
    text: Cow<'a, str>,
    is_quoted: bool,
}

impl<'a> Field<'a> {
    fn new(record: &'a str, span: &Span) -> Self {
        let text = record.get(span.content.clone()).unwrap_or_default();
        let text = if span.has_doubled { text.replace("\"\"", "\"").into() } else { text.into() };
        Self { text, is_quoted: span.is_quoted }
    }
}
