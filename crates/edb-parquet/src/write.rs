//! Columns out.

use std::collections::HashSet;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use edb_core::{Error, ErrorKind, Nulls, Result, TextColumn};
use parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as PhysicalType, ZstdLevel,
};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

/// Rows in a row group.
const GROUP_ROWS: usize = 1 << 20;
/// How many values are looked at to choose the encoding of a real column.
const PROBE_VALUES: usize = 1 << 14;
const ZSTD_LEVEL: i32 = 3;

/// One column to write. All columns of a file have the same number of rows.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The name in the schema.
    pub name: &'a str,
    /// The values.
    pub data: Data<'a>,
    /// Which rows are null.
    pub nulls: &'a Nulls,
}

/// The values of a column.
#[derive(Debug, Clone, Copy)]
pub enum Data<'a> {
    /// Microseconds since 1970 UTC, written as `timestamp(us, UTC)`.
    Time(&'a [i64]),
    /// `double`.
    Real(&'a [f64]),
    /// `int64`.
    Integer(&'a [i64]),
    /// `string`.
    Text(&'a TextColumn),
}

impl Data<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Time(values) | Self::Integer(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Text(column) => column.codes().len(),
        }
    }
}

/// Writes `columns` and the footer's key-value `metadata` to `out`. The same input gives the same bytes.
///
/// # Errors
/// [`ErrorKind::Disk`] if `out` fails; [`ErrorKind::Unclassified`] if the columns differ in length.
pub fn write(out: impl Write + Send, columns: &[Column<'_>], metadata: &[(String, String)]) -> Result<()> {
    let rows = columns.first().map_or(0, |column| column.data.len());
    if let Some(odd) = columns.iter().find(|column| column.data.len() != rows) {
        return Err(Error::new(
            ErrorKind::Unclassified,
            format!(
                "could not write Parquet: expected {rows} rows in column `{}`, found {}",
                odd.name,
                odd.data.len()
            ),
        ));
    }
    try_write(out, columns, metadata, rows)
        .map_err(|error| Error::new(ErrorKind::Disk, "could not write Parquet").caused_by(error))
}

fn try_write(
    out: impl Write + Send,
    columns: &[Column<'_>],
    metadata: &[(String, String)],
    rows: usize,
) -> Result<(), ParquetError> {
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
    let metadata = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("edb-parquet ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_key_value_metadata(Some(metadata));
    for column in columns {
        properties = encode_column(properties, column);
    }
    let mut writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))?;
    let words: Vec<Vec<ByteArray>> = columns.iter().map(|column| words(&column.data)).collect();
    for start in (0..rows).step_by(GROUP_ROWS) {
        let rows = start..(start + GROUP_ROWS).min(rows);
        let mut group = writer.next_row_group()?;
        for (column, words) in columns.iter().zip(&words) {
            match column.data {
                Data::Time(values) | Data::Integer(values) => {
                    write_rows::<Int64Type>(&mut group, &values[rows.clone()], column.nulls, &rows)?;
                }
                Data::Real(values) => {
                    write_rows::<DoubleType>(&mut group, &values[rows.clone()], column.nulls, &rows)?;
                }
                Data::Text(text) => {
                    let codes = &text.codes()[rows.clone()];
                    let values: Vec<ByteArray> =
                        codes.iter().map(|code| words[*code as usize].clone()).collect();
                    write_rows::<ByteArrayType>(&mut group, &values, column.nulls, &rows)?;
                }
            }
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn field(column: &Column<'_>) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.data {
        Data::Time(_) => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Data::Real(_) => (PhysicalType::DOUBLE, None),
        Data::Integer(_) => (PhysicalType::INT64, None),
        Data::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
    };
    // Times are always there; everything else may be null, whether or not this file has nulls, so that the files of one
    // data set have one schema.
    let repetition =
        if matches!(column.data, Data::Time(_)) { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    let builder = Type::primitive_type_builder(column.name, physical);
    Ok(Arc::new(builder.with_logical_type(logical).with_repetition(repetition).build()?))
}

fn encode_column(properties: WriterPropertiesBuilder, column: &Column<'_>) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name);
    let fallback = match column.data {
        Data::Time(_) => Encoding::DELTA_BINARY_PACKED,
        Data::Real(values) if !repeats(values) => Encoding::BYTE_STREAM_SPLIT,
        // Dictionary-coded, as long as the dictionary stays small.
        _ => return properties,
    };
    properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, fallback)
}

/// Whether a dictionary pays: at most half of a spread sample of the values are distinct.
fn repeats(values: &[f64]) -> bool {
    let stride = (values.len() / PROBE_VALUES).max(1);
    let probe = values.iter().step_by(stride).take(PROBE_VALUES);
    let distinct: HashSet<u64> = probe.clone().map(|value| value.to_bits()).collect();
    distinct.len() * 2 <= probe.count()
}

fn words(data: &Data<'_>) -> Vec<ByteArray> {
    match data {
        Data::Text(text) => {
            text.words().iter().map(|word| ByteArray::from(word.as_bytes().to_vec())).collect()
        }
        _ => Vec::new(),
    }
}

fn write_rows<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    nulls: &Nulls,
    rows: &Range<usize>,
) -> Result<(), ParquetError>
where
    T::T: Clone,
{
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("fewer columns in the schema than in the data".into()));
    };
    let inside = |at: &&usize| rows.contains(*at);
    let missing: Vec<usize> = nulls.positions().iter().filter(inside).map(|at| at - rows.start).collect();
    let writer = column.typed::<T>();
    if missing.is_empty() {
        // One level for each value: all present. Required columns ignore it.
        writer.write_batch(values, Some(&vec![1; values.len()]), None)?;
    } else {
        let mut levels = vec![1_i16; values.len()];
        missing.iter().for_each(|at| levels[*at] = 0);
        let present = values.iter().zip(&levels).filter(|(_, level)| **level == 1);
        let present: Vec<T::T> = present.map(|(value, _)| value.clone()).collect();
        writer.write_batch(&present, Some(&levels), None)?;
    }
    column.close()
}
