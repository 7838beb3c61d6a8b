//! Arrow IPC files.

use std::io::{self, Write};
use std::sync::Arc;

use edb_parquet::{Kind, OwnedColumn};
use polars_arrow::array::{Array, Float64Array, Int64Array, PrimitiveArray, Utf8Array};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, Metadata, TimeUnit};
use polars_arrow::io::ipc::write::{FileWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatchT;

use crate::columns::{Batch, Cells};
use crate::header::{Head, Header};
use crate::writer::Sink;

pub(crate) struct Arrow<W: Write> {
    writer: FileWriter<W>,
    schema: Arc<ArrowSchema>,
}

impl<W: Write + Send> Arrow<W> {
    pub(crate) fn new(out: W, header: &Header) -> io::Result<Self> {
        let schema: ArrowSchema =
            header.columns.iter().map(|column| (column.name.as_str().into(), field(column))).collect();
        let schema = Arc::new(schema);
        let mut writer = FileWriter::new(out, Arc::clone(&schema), None, WriteOptions { compression: None });
        let metadata: Metadata =
            header.footer().into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        writer.set_custom_schema_metadata(Arc::new(metadata));
        writer.start().map_err(io::Error::other)?;
        Ok(Self { writer, schema })
    }
}

fn field(column: &Head) -> Field {
    let kind = match column.kind {
        Kind::Time => utc(),
        Kind::Real => ArrowDataType::Float64,
        Kind::Integer => ArrowDataType::Int64,
        Kind::Text => ArrowDataType::Utf8,
    };
    let facts = [("unit", &column.unit), ("description", &column.description)];
    let facts = facts.into_iter().chain(column.mnemonic.as_ref().map(|mnemonic| ("mnemonic", mnemonic)));
    let facts = facts.filter(|(_, value)| !value.is_empty());
    let metadata: Metadata = facts.map(|(key, value)| (key.into(), value.as_str().into())).collect();
    let field = Field::new(column.name.as_str().into(), kind, !column.is_required);
    field.with_metadata(metadata)
}

fn utc() -> ArrowDataType {
    ArrowDataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

impl<W: Write + Send> Sink<W> for Arrow<W> {
    fn batch(&mut self, batch: Batch) -> io::Result<()> {
        let arrays = batch.columns.into_iter().map(array).collect::<io::Result<_>>()?;
        let batch = RecordBatchT::try_new(batch.rows, Arc::clone(&self.schema), arrays);
        batch.and_then(|batch| self.writer.write(&batch, None)).map_err(io::Error::other)
    }

    fn finish(mut self: Box<Self>) -> io::Result<(W, Vec<String>)> {
        self.writer.finish().map_err(io::Error::other)?;
        Ok((self.writer.into_inner(), Vec::new()))
    }
}

/// Text is plain strings, not views: every reader of the format knows them.
fn array(cells: Cells) -> io::Result<Box<dyn Array>> {
    let (values, validity) = cells.into_parts();
    Ok(match values {
        OwnedColumn::Time(values) => PrimitiveArray::new(utc(), values.into(), validity).boxed(),
        OwnedColumn::Real(values) => {
            Float64Array::new(ArrowDataType::Float64, values.into(), validity).boxed()
        }
        OwnedColumn::Integer(values) => {
            Int64Array::new(ArrowDataType::Int64, values.into(), validity).boxed()
        }
        OwnedColumn::Text(text) => {
            let words = || (0..text.codes().len()).map(|row| text.word(row).as_ref());
            if words().map(str::len).sum::<usize>() > i32::MAX as usize {
                return Err(io::Error::other(
                    "a million rows have more than 2 GB of text, which Arrow's strings cannot",
                ));
            }
            Utf8Array::<i32>::from_iter_values(words()).with_validity(validity).boxed()
        }
    })
}
