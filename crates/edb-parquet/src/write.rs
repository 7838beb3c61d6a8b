//! Columns out.

use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use edb_core::{Error, ErrorKind, Result, TextColumn};
use parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as PhysicalType, ZstdLevel,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use xxhash_rust::xxh3::Xxh3Default;

use crate::chunk::{Bounds, Chunk, Packer};
use crate::column::{Column, Data, Kind};
use crate::encode::{self, Dictionary};

/// Rows in a row group.
pub const GROUP_ROWS: usize = 1 << 20;
/// Rows in a page: what a reader of a short range decodes at least. Twice as many are hardly smaller.
pub(crate) const PAGE_ROWS: usize = 1 << 17;
/// How many values tell how a column is best encoded.
const PROBE_ROWS: usize = 1 << 15;
/// A dictionary with more words is not tried.
const MOST_WORDS: usize = 1 << 18;
/// The footer key of the pages' checksums.
pub(crate) const PAGES_KEY: &str = "edb.pages";

/// How much time goes into making a file small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Little: for what is written while telemetry comes in.
    Quick,
    /// Some seven times as much, for a tenth to a fifth less: for what is kept for long. Reading takes the same time.
    Thorough,
}

impl Effort {
    fn level(self) -> i32 {
        match self {
            Self::Quick => 3,
            Self::Thorough => 15,
        }
    }
}

/// What follows a file's last page: page index and footer. Together with the pages' own checksums, which the footer holds, its
/// checksum stands for the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Bytes from the last page to the end of the file.
    pub length: u64,
    /// Lower half of their XXH3-64.
    pub checksum: u32,
}

/// Writes `columns` and the footer's key-value `metadata` to `out`. The same input gives the same bytes.
///
/// # Errors
/// [`ErrorKind::Disk`] if `out` fails; [`ErrorKind::Unclassified`] if the columns differ in length.
pub fn write(
    out: impl Write + Send,
    columns: &[Column<'_>],
    metadata: &[(String, String)],
    effort: Effort,
) -> Result<End> {
    let rows = columns.iter().find_map(|column| column.data.len()).unwrap_or(0);
    let fields: Vec<Field> = columns.iter().map(Field::of).collect();
    let is_ascending = |column: &Column<'_>| matches!(column.data, Data::Time(times) if times.is_sorted());
    let is_sorted = columns.first().is_some_and(is_ascending);
    let mut writer = Writer::new(out, &fields, is_sorted, metadata, effort)?;
    for start in (0..rows).step_by(GROUP_ROWS) {
        writer.group(columns, start..(start + GROUP_ROWS).min(rows))?;
    }
    writer.finish().map(|(_, end)| end)
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in the schema.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether no row of it may be null. All others may be, whether or not this file has nulls, so that the files of one data set have
    /// one schema.
    pub is_required: bool,
}

impl Field {
    /// That of a column that is there whole: times are required unless one is null.
    fn of(column: &Column<'_>) -> Self {
        let kind = column.data.kind();
        Self {
            name: column.name.to_owned(),
            kind,
            is_required: kind == Kind::Time && column.nulls.is_empty(),
        }
    }

    fn of_schema(&self) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self.kind {
            Kind::Time => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
            Kind::Real => (PhysicalType::DOUBLE, None),
            Kind::Integer => (PhysicalType::INT64, None),
            Kind::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if self.is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let builder = Type::primitive_type_builder(&self.name, physical);
        Ok(Arc::new(builder.with_logical_type(logical).with_repetition(repetition).build()?))
    }
}

/// Writes a file row group by row group; what is in memory is one of them.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<EndHashed<W>>,
    fields: Vec<Field>,
    /// One for each thread.
    packers: Vec<Packer>,
    checksums: String,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file of these columns, with key-value `metadata` in its footer. `is_sorted` says that the first column ascends from row to
    /// row.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] if `out` fails.
    pub fn new(
        out: W,
        fields: &[Field],
        is_sorted: bool,
        metadata: &[(String, String)],
        effort: Effort,
    ) -> Result<Self> {
        let begin = || {
            let types = fields.iter().map(Field::of_schema).collect::<Result<Vec<_>, ParquetError>>()?;
            let schema = Type::group_type_builder("schema").with_fields(types).build()?;
            let pair = |(key, value): &(String, String)| KeyValue::new(key.clone(), value.clone());
            let sorting = is_sorted
                .then(|| vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]);
            let properties = WriterProperties::builder()
                .set_created_by(concat!("edb-parquet ", env!("CARGO_PKG_VERSION")).to_owned())
                .set_writer_version(WriterVersion::PARQUET_1_0)
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(effort.level())?))
                .set_sorting_columns(sorting)
                .set_key_value_metadata(Some(metadata.iter().map(pair).collect()));
            let out = EndHashed { out, hash: Xxh3Default::new(), length: 0 };
            let file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))?;
            let packers = vec![Packer::new(effort.level())?];
            Ok(Self { file, fields: fields.to_vec(), packers, checksums: String::new() })
        };
        begin().map_err(refuse)
    }

    /// As many columns at once as there are threads.
    ///
    /// # Errors
    /// None that input could cause.
    pub fn with_threads(mut self, threads: usize) -> Result<Self> {
        while self.packers.len() < threads.min(self.fields.len()) {
            self.packers.push(Packer::new(self.packers[0].level).map_err(refuse)?);
        }
        Ok(self)
    }

    /// Writes these rows of `columns` as a row group.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] if the output fails; [`ErrorKind::Unclassified`] if the columns are not those of the file, or do not have these
    /// rows.
    pub fn group(&mut self, columns: &[Column<'_>], rows: Range<usize>) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Unclassified, message));
        if columns.len() != self.fields.len() {
            return wrong(format!(
                "could not write Parquet: expected {} columns, found {}",
                self.fields.len(),
                columns.len()
            ));
        }
        for (field, column) in self.fields.iter().zip(columns) {
            let name = &field.name;
            if let Some(found) = column.data.len().filter(|found| *found < rows.end) {
                return wrong(format!(
                    "could not write Parquet: expected {} rows in column `{name}`, found {found}",
                    rows.end
                ));
            }
            if field.is_required && !within(column.nulls.positions(), &rows).is_empty()
                || column.data.kind() != field.kind
            {
                return wrong(format!("could not write Parquet: column `{name}` has nulls, or other values"));
            }
        }
        self.try_group(columns, &rows).map_err(refuse)
    }

    fn try_group(&mut self, columns: &[Column<'_>], rows: &Range<usize>) -> Result<(), ParquetError> {
        let descriptors: Vec<_> = {
            let schema = self.file.schema_descr();
            (0..columns.len()).map(|at| schema.column(at)).collect()
        };
        let fields = &self.fields;
        let encode = |at: usize, packer: &mut Packer| {
            let mut chunk = Chunk::new(Arc::clone(&descriptors[at]), packer);
            encode_chunk(&mut chunk, &columns[at], fields[at].is_required, rows.clone())?;
            let mut checksums = String::new();
            let (bytes, closed) = chunk.close(&mut checksums)?;
            Ok::<_, ParquetError>((bytes, closed, checksums))
        };
        let mut encoded: Vec<_> = if let [packer] = self.packers.as_mut_slice() {
            (0..columns.len()).map(|at| (at, encode(at, packer))).collect()
        } else {
            let next = AtomicUsize::new(0);
            let work = |packer: &mut Packer| {
                let places = std::iter::from_fn(|| {
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < columns.len())
                });
                places.map(|at| (at, encode(at, packer))).collect::<Vec<_>>()
            };
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    self.packers.iter_mut().map(|packer| scope.spawn(|| work(packer))).collect();
                let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<_>>| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                threads.into_iter().flat_map(join).collect()
            })
        };
        encoded.sort_by_key(|(at, _)| *at);
        let mut group = self.file.next_row_group()?;
        for (_, chunk) in encoded {
            let (bytes, closed, checksums) = chunk?;
            self.checksums.push_str(&checksums);
            group.append_column(&bytes, closed)?;
        }
        group.close()?;
        Ok(())
    }

    /// Adds to the key-value metadata of the footer what is known only after the rows.
    pub fn add_metadata(&mut self, key: String, value: String) {
        self.file.append_key_value_metadata(KeyValue::new(key, value));
    }

    /// Writes the page indexes and the footer, and returns the output and what follows the last page.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`].
    pub fn finish(self) -> Result<(W, End)> {
        let Self { mut file, checksums, .. } = self;
        let finish = || {
            file.append_key_value_metadata(KeyValue::new(PAGES_KEY.to_owned(), checksums));
            file.flush()?;
            let begun = file.inner_mut();
            begun.hash.reset();
            begun.length = 0;
            let mut end = file.into_inner()?;
            end.out.flush()?;
            Ok((end.out, End { length: end.length, checksum: end.hash.digest() as u32 }))
        };
        finish().map_err(refuse)
    }
}

fn refuse(error: ParquetError) -> Error {
    Error::new(ErrorKind::Disk, "could not write Parquet").caused_by(error)
}

/// Counts and hashes what goes through.
struct EndHashed<W> {
    out: W,
    hash: Xxh3Default,
    length: u64,
}

impl<W: Write> Write for EndHashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// The pages of one column in one row group.
fn encode_chunk(
    chunk: &mut Chunk<'_>,
    column: &Column<'_>,
    is_required: bool,
    rows: Range<usize>,
) -> Result<(), ParquetError> {
    let missing = within(column.nulls.positions(), &rows);
    match column.data {
        Data::Absent(_) => chunk.null_page(rows.len()),
        Data::Time(times) => pages(chunk, &times[rows], (!is_required).then_some(&missing), |values, out| {
            encode::delta(values, out);
            (Encoding::DELTA_BINARY_PACKED, bounds(values.iter().copied()))
        }),
        Data::Integer(values) => {
            let present = without(&values[rows.clone()], &missing);
            let differences =
                |chunk: &mut Chunk<'_>| measure(chunk, |out| encode::delta(middle(&present), out));
            if let Some(dictionary) = worthwhile(chunk, &present, |value| value, differences)? {
                return coded(chunk, &dictionary, &missing, i64::to_le_bytes, |least, most, _| {
                    Bounds::Integer(least, most)
                });
            }
            pages(chunk, &values[rows], Some(&missing), |values, out| {
                encode::delta(values, out);
                (Encoding::DELTA_BINARY_PACKED, bounds(values.iter().copied()))
            })
        }
        Data::Real(values) => {
            let present = without(&values[rows.clone()], &missing);
            let mut is_split = false;
            let others = |chunk: &mut Chunk<'_>| {
                let split = measure(chunk, |out| encode::split(middle(&present), out))?;
                let plain = measure(chunk, |out| encode::plain_reals(middle(&present), out))?;
                is_split = split <= plain;
                Ok(split.min(plain))
            };
            if let Some(dictionary) = worthwhile(chunk, &present, encode::ordered, others)? {
                let to_bytes = |key: i64| encode::unordered(key).to_le_bytes();
                return coded(chunk, &dictionary, &missing, to_bytes, |least, most, nans| {
                    let number = |key| Some(encode::unordered(key)).filter(|value| !value.is_nan());
                    Bounds::Real(number(least).zip(number(most)), nans)
                });
            }
            pages(chunk, &values[rows], Some(&missing), |values, out| {
                if is_split {
                    encode::split(values, out);
                } else {
                    encode::plain_reals(values, out);
                }
                let encoding = if is_split { Encoding::BYTE_STREAM_SPLIT } else { Encoding::PLAIN };
                (encoding, (!values.is_empty()).then(|| Bounds::real(values)))
            })
        }
        Data::Text(text) => texts(chunk, text, rows, &missing),
    }
}

fn bounds(values: impl Iterator<Item = i64> + Clone) -> Option<Bounds> {
    Some(Bounds::Integer(values.clone().min()?, values.max()?))
}

/// Cuts a chunk into pages, each with its levels if the column may have nulls and the values that are there.
fn pages<T: Copy>(
    chunk: &mut Chunk<'_>,
    values: &[T],
    missing: Option<&[usize]>,
    mut encode: impl FnMut(&[T], &mut Vec<u8>) -> (Encoding, Option<Bounds>),
) -> Result<(), ParquetError> {
    for start in (0..values.len()).step_by(PAGE_ROWS) {
        let page = start..(start + PAGE_ROWS).min(values.len());
        let mut body = Vec::new();
        let (present, nulls) = match missing {
            Some(missing) => {
                let missing = within(missing, &page);
                encode::levels(page.len(), &missing, &mut body);
                (without(&values[page.clone()], &missing), missing.len())
            }
            None => (Cow::Borrowed(&values[page.clone()]), 0),
        };
        let (encoding, bounds) = encode(&present, &mut body);
        chunk.page(&body, page.len(), nulls, encoding, bounds)?;
    }
    Ok(())
}

/// The positions in `rows`, counted from their beginning.
fn within(missing: &[usize], rows: &Range<usize>) -> Vec<usize> {
    let inside = missing.partition_point(|at| *at < rows.start)..missing.partition_point(|at| *at < rows.end);
    missing[inside].iter().map(|at| at - rows.start).collect()
}

/// The values that are not at `missing` rows.
fn without<'a, T: Copy>(values: &'a [T], missing: &[usize]) -> Cow<'a, [T]> {
    if missing.is_empty() {
        return Cow::Borrowed(values);
    }
    let mut missing = missing.iter().peekable();
    let is_there = |row: &usize| missing.next_if(|next| *next == row).is_none();
    Cow::Owned((0..values.len()).filter(is_there).map(|row| values[row]).collect())
}

/// The dictionary of a column, if that is the smallest way to write it. What the `others` take is measured, as the codes are, on
/// a run of values from the middle.
fn worthwhile<T: Copy>(
    chunk: &mut Chunk<'_>,
    values: &[T],
    key: fn(T) -> i64,
    others: impl FnOnce(&mut Chunk<'_>) -> Result<usize, ParquetError>,
) -> Result<Option<Dictionary<i64>>, ParquetError> {
    let keys = |values: &[T], most| Dictionary::of(values.iter().map(|value| key(*value)), most);
    // One value, or none, has the least overhead as a dictionary.
    if let Some(dictionary) = keys(values, 1) {
        return Ok(Some(dictionary));
    }
    let others = others(chunk)?;
    let probe = middle(values);
    let Some(sample) = keys(probe, probe.len() * 3 / 4) else { return Ok(None) };
    let Some(dictionary) = keys(values, MOST_WORDS) else { return Ok(None) };
    let codes = measure(chunk, |out| encode::codes(&sample.codes, dictionary.words.len(), out))?;
    let words = measure(chunk, |out| {
        encode::plain(dictionary.words.iter().map(|word| word.to_le_bytes()), out);
    })?;
    let scale = values.len() as f64 / probe.len().max(1) as f64;
    Ok((words as f64 + codes as f64 * scale <= others as f64 * scale).then_some(dictionary))
}

/// How many bytes of a file a body would take.
fn measure(chunk: &mut Chunk<'_>, encode: impl FnOnce(&mut Vec<u8>)) -> Result<usize, ParquetError> {
    let mut body = Vec::new();
    encode(&mut body);
    chunk.measure(&body)
}

fn middle<T>(values: &[T]) -> &[T] {
    let start = values.len().saturating_sub(PROBE_ROWS) / 2;
    &values[start..(start + PROBE_ROWS).min(values.len())]
}

/// A dictionary page, and pages of codes. `to_bounds` takes the least and the largest number among the words of a page, and how
/// many of its values are no numbers.
fn coded(
    chunk: &mut Chunk<'_>,
    dictionary: &Dictionary<i64>,
    missing: &[usize],
    to_bytes: impl Fn(i64) -> [u8; 8],
    to_bounds: impl Fn(i64, i64, u64) -> Bounds,
) -> Result<(), ParquetError> {
    let words = &dictionary.words;
    let mut body = Vec::with_capacity(words.len() * 8);
    encode::plain(words.iter().map(|word| to_bytes(*word)), &mut body);
    chunk.dictionary(&body, words.len())?;
    let rows = dictionary.codes.len() + missing.len();
    // Words ascend with their codes, those that are no numbers before and after all others. Integers have none of these.
    let is_real = chunk.holds_reals();
    let below = words.partition_point(|word| is_real && *word < encode::ordered(f64::NEG_INFINITY)) as u32;
    let above = words.partition_point(|word| !is_real || *word <= encode::ordered(f64::INFINITY)) as u32;
    code_pages(chunk, &dictionary.codes, rows, missing, words.len(), |codes| {
        let numbers = || codes.iter().filter(|code| (below..above).contains(code));
        let word = |code: Option<&u32>, other: u32| words[*code.unwrap_or(&other) as usize];
        let nans = (codes.len() - numbers().count()) as u64;
        let first = *codes.first()?;
        Some(to_bounds(word(numbers().min(), first), word(numbers().max(), first), nans))
    })
}

/// Pages of codes of the values that are there.
fn code_pages(
    chunk: &mut Chunk<'_>,
    codes: &[u32],
    rows: usize,
    missing: &[usize],
    words: usize,
    bounds: impl Fn(&[u32]) -> Option<Bounds>,
) -> Result<(), ParquetError> {
    let mut from = 0;
    for start in (0..rows).step_by(PAGE_ROWS) {
        let page = start..(start + PAGE_ROWS).min(rows);
        let missing = within(missing, &page);
        let present = &codes[from..from + page.len() - missing.len()];
        from += present.len();
        let mut body = Vec::new();
        encode::levels(page.len(), &missing, &mut body);
        encode::codes(present, words, &mut body);
        chunk.page(&body, page.len(), missing.len(), Encoding::RLE_DICTIONARY, bounds(present))?;
    }
    Ok(())
}

/// Text: a dictionary of the words that these rows use, in the order of their first appearance.
fn texts(
    chunk: &mut Chunk<'_>,
    text: &TextColumn,
    rows: Range<usize>,
    missing: &[usize],
) -> Result<(), ParquetError> {
    let present = without(&text.codes()[rows.clone()], missing);
    let mut place = vec![u32::MAX; text.words().len()];
    let mut used = Vec::new();
    let codes: Vec<u32> = present
        .iter()
        .map(|code| {
            let place = &mut place[*code as usize];
            if *place == u32::MAX {
                *place = used.len() as u32;
                used.push(text.words()[*code as usize].as_ref());
            }
            *place
        })
        .collect();
    let mut body = Vec::new();
    encode::words(used.iter().copied(), &mut body);
    chunk.dictionary(&body, used.len())?;
    code_pages(chunk, &codes, rows.len(), missing, used.len(), |codes| {
        // A page has many rows and few words.
        let mut is_there = vec![false; used.len()];
        codes.iter().for_each(|code| is_there[*code as usize] = true);
        let words = || used.iter().zip(&is_there).filter(|(_, is_there)| **is_there).map(|(word, _)| *word);
        Some(Bounds::Text(words().min()?.to_owned(), words().max()?.to_owned()))
    })
}
