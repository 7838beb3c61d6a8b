//! Parquet.

use std::io::{self, Write};

use edb_core::Nulls;
use edb_parquet::{Column, Data, Effort, Field, Kind, OwnedColumn};

use crate::columns::{Batch, Cells};
use crate::header::Header;
use crate::rows;
use crate::writer::Sink;
use crate::yaml::{self, TimeForm};

/// The least width of text that astropy is told of where nulls may be: it reads them as `None`.
const LEAST_WIDTH: usize = 4;

pub(crate) struct Parquet<W: Write + Send> {
    writer: edb_parquet::Writer<W>,
    fields: Vec<Field>,
    /// The longest text of each column, in characters.
    widths: Vec<usize>,
    /// The last time, if the footer says that they ascend.
    last: Option<i64>,
}

impl<W: Write + Send> Parquet<W> {
    pub(crate) fn new(out: W, header: &Header) -> io::Result<Self> {
        let field = |column: &crate::header::Head| Field {
            name: column.name.clone(),
            kind: column.kind,
            is_required: column.is_required,
        };
        let fields: Vec<Field> = header.columns.iter().map(field).collect();
        let mut metadata = header.footer();
        metadata
            .push(("table_meta_yaml".to_owned(), yaml::lines(header, TimeForm::Timestamp, &[]).join("\n")));
        let writer = edb_parquet::Writer::new(out, &fields, header.is_sorted, &metadata, Effort::Quick);
        let writer =
            writer.and_then(|writer| writer.with_threads(rows::threads())).map_err(io::Error::other)?;
        let last = header.is_sorted.then_some(i64::MIN);
        Ok(Self { writer, widths: vec![LEAST_WIDTH; fields.len()], fields, last })
    }
}

impl<W: Write + Send> Sink<W> for Parquet<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        let nulls: Vec<Nulls> =
            self.fields.iter().zip(&batch.columns).map(|(field, cells)| nulls(field, cells)).collect();
        for (width, cells) in self.widths.iter_mut().zip(&batch.columns) {
            let longest = cells.words().map(|word| word.chars().count()).max();
            *width = longest.unwrap_or(0).max(*width);
        }
        let column = |((field, cells), nulls)| column(field, cells, nulls);
        let columns: Vec<Column<'_>> =
            self.fields.iter().zip(&batch.columns).zip(&nulls).map(column).collect();
        if batch.rows == 0 {
            return Ok(());
        }
        if let (Some(last), OwnedColumn::Time(times)) = (&mut self.last, &batch.columns[0].values) {
            if times[0] < *last || !times.is_sorted() {
                return Err(io::Error::other("times do not ascend, and those of the first rows did"));
            }
            *last = times[times.len() - 1];
        }
        self.writer.group(&columns, 0..batch.rows).map_err(io::Error::other)
    }

    fn finish(self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        let mut writer = self.writer;
        // Astropy counts the characters of text itself, and warns, or fails at nulls, unless it is told.
        for (field, width) in self.fields.iter().zip(&self.widths) {
            if field.kind == Kind::Text {
                writer.add_metadata(format!("table::len::{}", field.name), width.to_string());
            }
        }
        let (out, _) = writer.finish().map_err(io::Error::other)?;
        Ok((out, Vec::new()))
    }
}

/// Whether no cell is there.
fn is_absent(field: &Field, cells: &Cells) -> bool {
    !field.is_required && cells.null_count() == cells.values.len()
}

/// A column without any cell needs no list of them.
fn nulls(field: &Field, cells: &Cells) -> Nulls {
    if is_absent(field, cells) { Nulls::none() } else { cells.nulls() }
}

fn column<'a>(field: &'a Field, cells: &'a Cells, nulls: &'a Nulls) -> Column<'a> {
    let data = match &cells.values {
        values if is_absent(field, cells) => Data::Absent(values.kind()),
        OwnedColumn::Time(values) => Data::Time(values),
        OwnedColumn::Real(values) => Data::Real(values),
        OwnedColumn::Integer(values) => Data::Integer(values),
        OwnedColumn::Text(text) => Data::Text(text),
    };
    Column { name: &field.name, data, nulls }
}
