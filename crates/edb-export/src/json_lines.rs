//! JSON Lines: one object a row, every column in each.

use std::io::{self, Write};

use edb_parquet::OwnedColumn;

use crate::columns::Batch;
use crate::header::Header;
use crate::rows::{self, CellFormat};
use crate::writer::Sink;

struct Objects {
    /// `{"time":`, `,"value":`
    keys: Vec<Vec<u8>>,
}

impl CellFormat for Objects {
    fn before(&self, at: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.keys[at]);
    }

    fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"}\n");
    }

    fn null(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }

    fn time(&self, text: &[u8], out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(text);
        out.extend_from_slice(b"Z\"");
    }

    /// JSON has no word for what is no number.
    fn real(&self, value: f64, out: &mut Vec<u8>) {
        if value.is_finite() { rows::push_decimal(value, out) } else { self.null(out) }
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(string(text).as_bytes());
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(crate) struct JsonLines<W> {
    out: W,
    objects: Objects,
    /// Values that are no numbers, and so are null here.
    not_finite: usize,
}

impl<W: Write + Send> JsonLines<W> {
    pub(crate) fn new(out: W, header: &Header) -> Self {
        let key = |(at, column): (usize, &crate::header::Head)| {
            let before = if at == 0 { '{' } else { ',' };
            format!("{before}{}:", string(&column.name)).into_bytes()
        };
        let keys = header.columns.iter().enumerate().map(key).collect();
        Self { out, objects: Objects { keys }, not_finite: 0 }
    }
}

impl<W: Write + Send> Sink<W> for JsonLines<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        for cells in &batch.columns {
            if let OwnedColumn::Real(values) = &cells.values {
                let is_lost = |(row, value): (usize, &f64)| !value.is_finite() && !cells.is_null(row);
                self.not_finite += values.iter().enumerate().filter(|one| is_lost(*one)).count();
            }
        }
        rows::print(&self.objects, &batch, &mut self.out)
    }

    fn finish(self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        let lost = self.not_finite;
        let text = format!("{lost} values are no finite numbers, for which JSON has no word: they are null");
        Ok((self.out, (lost > 0).then_some(text).into_iter().collect()))
    }
}
