//! Rows that must wait until all are known: on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use edb_core::{TextColumn, atomic};
use edb_parquet::{Kind, OwnedColumn};
use polars_arrow::bitmap::Bitmap;

use crate::columns::{Batch, Cells};

/// Batches in a nameless file, in their order. The words of text columns stay in memory.
pub(crate) struct Spool {
    file: BufWriter<File>,
    /// Of each column, its kind and the words of all batches.
    columns: Vec<(Kind, TextColumn)>,
    /// The rows of each batch.
    batches: Vec<usize>,
}

impl Spool {
    pub(crate) fn new(folder: &Path, kinds: impl Iterator<Item = Kind>) -> io::Result<Self> {
        let file = atomic::scratch(folder).map_err(io::Error::other)?;
        let columns = kinds.map(|kind| (kind, TextColumn::default())).collect();
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), columns, batches: Vec::new() })
    }

    pub(crate) fn push(&mut self, batch: &Batch) -> io::Result<()> {
        for ((_, all), cells) in self.columns.iter_mut().zip(&batch.columns) {
            let bits = (0..batch.rows).step_by(8).map(|start| {
                let bit = |row: usize| u8::from(!cells.is_null(row)) << (row - start);
                (start..(start + 8).min(batch.rows)).map(bit).sum()
            });
            self.file.write_all(&bits.collect::<Vec<u8>>())?;
            match &cells.values {
                OwnedColumn::Time(values) | OwnedColumn::Integer(values) => {
                    values.iter().try_for_each(|value| self.file.write_all(&value.to_le_bytes()))?;
                }
                OwnedColumn::Real(values) => {
                    values.iter().try_for_each(|value| self.file.write_all(&value.to_le_bytes()))?;
                }
                OwnedColumn::Text(text) => {
                    let places: Vec<u32> = text.words().iter().map(|word| all.intern(word)).collect();
                    let place = |code: &u32| u64::from(places[*code as usize]).to_le_bytes();
                    text.codes().iter().try_for_each(|code| self.file.write_all(&place(code)))?;
                }
            }
        }
        self.batches.push(batch.rows);
        Ok(())
    }

    /// Reads all batches back, one after the other.
    pub(crate) fn read(self, mut each: impl FnMut(&Batch) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut file = BufReader::with_capacity(1 << 18, file);
        for rows in self.batches {
            let column = |(kind, all): &(Kind, TextColumn)| cells(&mut file, rows, *kind, all.words());
            let columns = self.columns.iter().map(column).collect::<io::Result<_>>()?;
            each(&Batch { columns, rows })?;
        }
        Ok(())
    }
}

fn cells(file: &mut impl Read, rows: usize, kind: Kind, words: &[Arc<str>]) -> io::Result<Cells> {
    let mut bits = vec![0; rows.div_ceil(8)];
    file.read_exact(&mut bits)?;
    let mut bytes = vec![0; rows * 8];
    file.read_exact(&mut bytes)?;
    let eights = bytes.as_chunks::<8>().0;
    let values = match kind {
        Kind::Time => OwnedColumn::Time(eights.iter().map(|eight| i64::from_le_bytes(*eight)).collect()),
        Kind::Integer => {
            OwnedColumn::Integer(eights.iter().map(|eight| i64::from_le_bytes(*eight)).collect())
        }
        Kind::Real => OwnedColumn::Real(eights.iter().map(|eight| f64::from_le_bytes(*eight)).collect()),
        Kind::Text => {
            let codes = eights.iter().map(|eight| u64::from_le_bytes(*eight) as u32).collect();
            OwnedColumn::Text(TextColumn::from_codes(codes, words.to_vec()).map_err(io::Error::other)?)
        }
    };
    Ok(Cells::new(values, Some(Bitmap::from_u8_vec(bits, rows))))
}
