//! Columns in.

use std::collections::BTreeMap;

use edb_core::{Error, Nulls, Result, TextColumn};
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};

/// A column that was read.
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

/// A file that was read. At null positions the columns hold 0, 0.0 or an empty text.
#[derive(Debug, Clone)]
pub struct Contents {
    /// Number of rows.
    pub rows: usize,
    /// Name, values and nulls of each column, in the order of the file.
    pub columns: Vec<(String, OwnedColumn, Nulls)>,
    /// Key-value metadata of the footer.
    pub metadata: BTreeMap<String, String>,
}

/// Reads all columns of a file that [`crate::write`] wrote.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if the bytes are not such a file.
pub fn read(input: impl ChunkReader + 'static) -> Result<Contents> {
    try_read(input).map_err(refuse)
}

/// Reads the key-value metadata of the footer only.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if the bytes are no Parquet file.
pub fn read_metadata(input: impl ChunkReader + 'static) -> Result<BTreeMap<String, String>> {
    SerializedFileReader::new(input).map(|reader| metadata(&reader)).map_err(refuse)
}

fn refuse(error: ParquetError) -> Error {
    Error::integrity("could not read Parquet").caused_by(error)
}

fn metadata(reader: &impl FileReader) -> BTreeMap<String, String> {
    let pairs = reader.metadata().file_metadata().key_value_metadata();
    let pairs = pairs.into_iter().flatten();
    pairs.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect()
}

fn try_read(input: impl ChunkReader + 'static) -> Result<Contents, ParquetError> {
    let reader = SerializedFileReader::new(input)?;
    let file = reader.metadata().file_metadata();
    let rows = usize::try_from(file.num_rows()).unwrap_or(0);
    let mut columns = Vec::new();
    for (at, field) in file.schema_descr().columns().iter().enumerate() {
        let mut nulls = Nulls::none();
        let is_time = matches!(field.logical_type_ref(), Some(LogicalType::Timestamp(_)));
        let values = match field.physical_type() {
            PhysicalType::INT64 => {
                let mut values = Vec::with_capacity(rows);
                each_group::<Int64Type>(&reader, at, &mut nulls, 0, |batch| values.extend(batch))?;
                if is_time { OwnedColumn::Time(values) } else { OwnedColumn::Integer(values) }
            }
            PhysicalType::DOUBLE => {
                let mut values = Vec::with_capacity(rows);
                each_group::<DoubleType>(&reader, at, &mut nulls, 0.0, |batch| values.extend(batch))?;
                OwnedColumn::Real(values)
            }
            PhysicalType::BYTE_ARRAY => {
                let mut column = TextColumn::default();
                let mut fault = None;
                each_group::<ByteArrayType>(&reader, at, &mut nulls, ByteArray::from(""), |batch| {
                    for value in batch {
                        match std::str::from_utf8(value.data()) {
                            Ok(text) => column.push(text),
                            Err(error) => fault = Some(error),
                        }
                    }
                })?;
                if let Some(error) = fault {
                    return Err(ParquetError::External(Box::new(error)));
                }
                OwnedColumn::Text(column)
            }
            other => {
                return Err(ParquetError::General(format!(
                    "expected int64, double or string in column `{}`, found {other}",
                    field.name()
                )));
            }
        };
        columns.push((field.name().to_owned(), values, nulls));
    }
    Ok(Contents { rows, columns, metadata: metadata(&reader) })
}

/// Reads column `at` group by group and hands on one value for each row, `missing` at nulls.
fn each_group<T: DataType>(
    reader: &impl FileReader,
    at: usize,
    nulls: &mut Nulls,
    missing: T::T,
    mut take: impl FnMut(Vec<T::T>),
) -> Result<(), ParquetError>
where
    T::T: Clone,
{
    let mut before = 0;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut column = get_typed_column_reader::<T>(group.get_column_reader(at)?);
        let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut read = 0;
        while read < rows {
            let (records, _, _) = column.read_records(rows - read, Some(&mut levels), None, &mut values)?;
            if records == 0 {
                return Err(ParquetError::EOF(format!("expected {rows} rows in a row group, found {read}")));
            }
            read += records;
        }
        if values.len() < rows {
            let mut present = values.into_iter();
            let place = |(row, level): (usize, &i16)| {
                if *level == 0 {
                    nulls.push(before + row);
                    return missing.clone();
                }
                present.next().unwrap_or_else(|| missing.clone())
            };
            values = levels.iter().enumerate().map(place).collect();
        }
        take(values);
        before += rows;
    }
    Ok(())
}
