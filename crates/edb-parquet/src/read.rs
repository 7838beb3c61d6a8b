//! Columns in.

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use edb_core::{Error, Nulls, Result};
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::column::page::PageReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use xxhash_rust::xxh3::xxh3_64;

use crate::column::{Contents, Kind, OwnedColumn};
use crate::decode::{self, Words};
use crate::write::{End, PAGES_KEY};

/// As much of a file's end as is read at once: all of a small file, and the footer of any.
const END_BYTES: u64 = 1 << 16;

/// Ours have a million.
const MOST_GROUP_ROWS: i64 = 1 << 26;

/// A Parquet file that is open for reading.
///
/// Pages are read when they are asked for, and each is compared with its checksum before anything is believed of it.
#[derive(Debug)]
pub struct File {
    input: Arc<Checked>,
    metadata: ParquetMetaData,
    columns: Vec<(String, Kind)>,
    /// Where the rows of each row group begin, and where the last one's end.
    group_starts: Vec<usize>,
}

/// A page of times, as the page index tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePage {
    /// The least and the greatest of them, unless it does not say.
    pub bounds: Option<(i64, i64)>,
    /// Its rows in the file.
    pub rows: Range<usize>,
}

impl File {
    /// Opens the file at `path`, compares its end with what [`crate::write`] said of it, and reads its footer. `None` trusts what is
    /// there.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if it cannot be read; [`edb_core::ErrorKind::Integrity`] if it is not the file that
    /// [`crate::write`] wrote.
    pub fn open(path: &Path, end: Option<End>) -> Result<Self> {
        let end_length = end.map_or(0, |end| end.length).max(END_BYTES);
        let input = Input::of_file(path, end_length).map_err(|error| Error::disk("open", path, error))?;
        try_open(input, end).map_err(refuse)
    }

    /// Opens a file that is in memory.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] as for [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Bytes>, end: Option<End>) -> Result<Self> {
        let bytes = bytes.into();
        try_open(Input { file: None, length: bytes.len() as u64, end: bytes }, end).map_err(refuse)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.group_starts.last().copied().unwrap_or(0)
    }

    /// Length in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.input.input.length
    }

    /// Name and kind of each column.
    pub fn columns(&self) -> &[(String, Kind)] {
        &self.columns
    }

    /// The footer's key-value metadata.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.metadata.file_metadata().key_value_metadata().into_iter().flatten();
        pairs.map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default()))
    }

    /// The rows of each page that may hold times in `low..high`, by the page index of the first column, which ascends.
    pub fn pages_between(&self, low: i64, high: i64) -> Vec<Range<usize>> {
        let may_hold = |page: &TimePage| page.bounds.is_none_or(|(least, most)| least < high && most >= low);
        self.time_pages().into_iter().filter(may_hold).map(|page| page.rows).collect()
    }

    /// The pages of the first column, which holds times.
    pub fn time_pages(&self) -> Vec<TimePage> {
        let mut found = Vec::new();
        let Some(pages) = self.metadata.page_index() else { return found };
        for group in 0..self.metadata.num_row_groups() {
            let Some(offsets) = pages.offset_index(group, 0) else { continue };
            let Some(ColumnIndexMetaData::INT64(index)) = pages.column_index(group, 0) else { continue };
            let locations = offsets.page_locations();
            for page in 0..locations.len() {
                let bounds = index.min_value(page).copied().zip(index.max_value(page).copied());
                found.push(TimePage { bounds, rows: self.rows_of_page(group, locations, page) });
            }
        }
        found
    }

    /// Appends the values of column `at` in `rows` to `column`, and the positions of those that are not there to `nulls`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if what is read is not what was written.
    ///
    /// # Panics
    /// If there is no such column, or `column` is of another kind.
    pub fn read(
        &self,
        at: usize,
        rows: Range<usize>,
        column: &mut OwnedColumn,
        nulls: &mut Nulls,
    ) -> Result<()> {
        assert_eq!(self.columns[at].1, column.kind(), "the column is read into one of its kind");
        self.try_read(at, rows, column, nulls).map_err(refuse)
    }

    /// Compares every page with its checksum, those of columns that nobody reads too.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if one differs.
    pub fn check(&self) -> Result<()> {
        let mut blocks = self.input.blocks.iter();
        blocks.try_for_each(|block| self.input.get_bytes(block.start, block.length).map(drop)).map_err(refuse)
    }

    /// Reads everything.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn contents(&self) -> Result<Contents> {
        let rows = self.rows();
        let read = |(at, (name, kind)): (usize, &(String, Kind))| {
            let (mut column, mut nulls) = (OwnedColumn::empty(*kind), Nulls::none());
            column.reserve(rows);
            self.read(at, 0..rows, &mut column, &mut nulls)?;
            Ok((name.clone(), column, nulls))
        };
        let columns = self.columns.iter().enumerate().map(read).collect::<Result<_>>()?;
        let metadata = self.metadata().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Ok(Contents { rows, columns, metadata })
    }

    fn locations(&self, group: usize, column: usize) -> Option<Vec<PageLocation>> {
        let index = self.metadata.page_index()?.offset_index(group, column)?;
        Some(index.page_locations().clone())
    }

    /// The rows of a page, counted in the file.
    fn rows_of_page(&self, group: usize, locations: &[PageLocation], page: usize) -> Range<usize> {
        let start = self.group_starts[group];
        let row = |location: &PageLocation| start + location.first_row_index as usize;
        row(&locations[page])..locations.get(page + 1).map_or(self.group_starts[group + 1], row)
    }

    fn try_read(
        &self,
        at: usize,
        rows: Range<usize>,
        column: &mut OwnedColumn,
        nulls: &mut Nulls,
    ) -> std::result::Result<(), ParquetError> {
        let is_optional = self.metadata.file_metadata().schema_descr().column(at).max_def_level() > 0;
        for group in 0..self.metadata.num_row_groups() {
            let group_rows = self.group_starts[group]..self.group_starts[group + 1];
            if group_rows.start >= rows.end || group_rows.end <= rows.start {
                continue;
            }
            let all = self.locations(group, at).ok_or_else(|| lacking("page index"))?;
            let pages: Vec<usize> = (0..all.len())
                .filter(|page| {
                    let page = self.rows_of_page(group, &all, *page);
                    page.start < rows.end && page.end > rows.start
                })
                .collect();
            let chunk = self.metadata.row_group(group).column(at);
            // The reader takes what lies before the first page for the dictionary.
            let (start, _) = chunk.byte_range();
            let has_dictionary = all.first().is_some_and(|first| first.offset as u64 != start);
            let mut words = Words::None;
            if has_dictionary {
                let locations = all.first().cloned().into_iter().collect();
                let mut reader = self.pages(chunk, group_rows.len(), locations)?;
                let page = reader.get_next_page()?.ok_or_else(|| lacking("dictionary"))?;
                words = decode::dictionary(&page, column)?;
            }
            let locations: Vec<_> = pages.iter().map(|page| all[*page].clone()).collect();
            let has_something_before = locations.first().is_some_and(|first| first.offset as u64 != start);
            let mut reader = self.pages(chunk, group_rows.len(), locations)?;
            if has_something_before {
                // It is no dictionary, or has been read.
                reader.skip_next_page()?;
            }
            for page in pages {
                let page_rows = self.rows_of_page(group, &all, page);
                let found = reader.get_next_page()?.ok_or_else(|| lacking("page"))?;
                if found.num_values() as usize != page_rows.len() {
                    return Err(lacking("row"));
                }
                let before = column.len();
                let mut page_nulls = Nulls::none();
                decode::data(&found, is_optional, &words, column, &mut page_nulls)?;
                let kept = rows.start.max(page_rows.start) - page_rows.start
                    ..rows.end.min(page_rows.end) - page_rows.start;
                column.keep(before, &kept);
                for null in page_nulls.positions().iter().map(|null| null - before) {
                    if kept.contains(&null) {
                        nulls.push(before + null - kept.start);
                    }
                }
            }
        }
        Ok(())
    }

    fn pages(
        &self,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        locations: Vec<PageLocation>,
    ) -> std::result::Result<SerializedPageReader<Checked>, ParquetError> {
        SerializedPageReader::new(Arc::clone(&self.input), chunk, rows, Some(locations))
    }
}

fn refuse(error: ParquetError) -> Error {
    Error::integrity("could not read Parquet").caused_by(error)
}

fn lacking(what: &str) -> ParquetError {
    ParquetError::General(format!("a {what} is missing"))
}

fn try_open(input: Input, end: Option<End>) -> std::result::Result<File, ParquetError> {
    if let Some(end) = end {
        // Before anything is read out of it: a footer that is not what was written may say anything.
        let start = input.length.checked_sub(end.length).ok_or_else(|| lacking("footer"))?;
        if xxh3_64(&input.bytes(start, end.length as usize)?) as u32 != end.checksum {
            return Err(ParquetError::General(
                "the footer is not what was written: its checksum differs".to_owned(),
            ));
        }
    }
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = reader.parse_and_finish(&input)?;
    let file = metadata.file_metadata();
    let mut columns = Vec::new();
    for field in file.schema_descr().columns() {
        let is_time = matches!(field.logical_type_ref(), Some(LogicalType::Timestamp(_)));
        let kind = match field.physical_type() {
            PhysicalType::INT64 if is_time => Kind::Time,
            PhysicalType::INT64 => Kind::Integer,
            PhysicalType::DOUBLE => Kind::Real,
            PhysicalType::BYTE_ARRAY => Kind::Text,
            other => {
                return Err(ParquetError::General(format!(
                    "expected int64, double or string in column `{}`, found {other}",
                    field.name()
                )));
            }
        };
        columns.push((field.name().to_owned(), kind));
    }
    // Without a checksum a footer may say anything, and the crate panics on some of it.
    let is_odd = |chunk: &ColumnChunkMetaData| {
        chunk.data_page_offset() < 0
            || chunk.compressed_size() < 0
            || chunk.dictionary_page_offset().is_some_and(|at| at < 0)
    };
    if metadata.row_groups().iter().flat_map(RowGroupMetaData::columns).any(is_odd) {
        return Err(lacking("place of a page"));
    }
    let mut group_starts = vec![0];
    for group in metadata.row_groups() {
        if group.num_rows() > MOST_GROUP_ROWS {
            return Err(lacking("row group of a size that can be"));
        }
        let rows = usize::try_from(group.num_rows()).map_err(|_| lacking("number of rows"))?;
        group_starts.push(group_starts[group_starts.len() - 1] + rows);
    }
    let pages = file.key_value_metadata().into_iter().flatten().find(|pair| pair.key == PAGES_KEY);
    let checksums = pages.and_then(|pair| pair.value.as_deref());
    let blocks = checksums.map_or_else(|| Ok(Vec::new()), |text| blocks(&metadata, text))?;
    Ok(File { input: Arc::new(Checked { input, blocks }), metadata, columns, group_starts })
}

/// A page with its header: where it lies, and its checksum.
#[derive(Debug)]
struct Block {
    start: u64,
    length: usize,
    checksum: u32,
}

/// The pages of a file in its order, dictionaries included, with the checksums that its footer lists in the same order.
fn blocks(metadata: &ParquetMetaData, checksums: &str) -> std::result::Result<Vec<Block>, ParquetError> {
    let mut blocks = Vec::new();
    let index = metadata.page_index();
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        for (column, chunk) in row_group.columns().iter().enumerate() {
            let offsets = index.and_then(|index| index.offset_index(group, column));
            let locations = offsets.ok_or_else(|| lacking("page index"))?.page_locations();
            let (start, _) = chunk.byte_range();
            let first = locations.first().map_or(start, |location| location.offset as u64);
            if first != start {
                blocks.push(Block { start, length: first.saturating_sub(start) as usize, checksum: 0 });
            }
            blocks.extend(locations.iter().map(|location| Block {
                start: location.offset as u64,
                length: location.compressed_page_size as usize,
                checksum: 0,
            }));
        }
    }
    if checksums.len() != blocks.len() * 8 {
        return Err(lacking("checksum"));
    }
    for (block, digits) in blocks.iter_mut().zip(checksums.as_bytes().chunks(8)) {
        let digits = std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
        block.checksum = digits.ok_or_else(|| lacking("checksum"))?;
    }
    blocks.sort_unstable_by_key(|block| block.start);
    Ok(blocks)
}

/// Bytes of a file, on disk or in memory.
#[derive(Debug)]
struct Input {
    file: Option<fs::File>,
    length: u64,
    /// What is in memory: the end.
    end: Bytes,
}

impl Input {
    fn of_file(path: &Path, end_length: u64) -> std::io::Result<Self> {
        let file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        let end_length = length.min(end_length);
        let mut end = vec![0; end_length as usize];
        file.read_exact_at(&mut end, length - end_length)?;
        Ok(Self { file: Some(file), length, end: Bytes::from(end) })
    }

    fn bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|stop| stop > self.length) {
            return Err(ParquetError::EOF(format!(
                "expected {length} bytes at {start}, found the end of the file"
            )));
        }
        let end_start = self.length - self.end.len() as u64;
        if start >= end_start {
            let from = (start - end_start) as usize;
            return Ok(self.end.slice(from..from + length));
        }
        let mut bytes = vec![0; length];
        if let Some(file) = &self.file {
            file.read_exact_at(&mut bytes, start)?;
        }
        Ok(Bytes::from(bytes))
    }
}

impl Length for Input {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Input {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        Ok(self.bytes(start, self.length.saturating_sub(start) as usize)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        self.bytes(start, length)
    }
}

/// An input whose pages are compared with their checksums as they are read.
#[derive(Debug)]
struct Checked {
    input: Input,
    /// Ascending; empty if the file has no checksums.
    blocks: Vec<Block>,
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.input.length
    }
}

impl ChunkReader for Checked {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        Ok(Box::new(self.input.get_read(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        let bytes = self.input.bytes(start, length)?;
        if !self.blocks.is_empty() {
            let at = self.blocks.binary_search_by_key(&start, |block| block.start);
            let block = at.ok().map(|at| &self.blocks[at]).filter(|block| block.length == length);
            let block = block.ok_or_else(|| lacking("checksum"))?;
            if xxh3_64(&bytes) as u32 != block.checksum {
                let text = format!("the page at byte {start} is not what was written: its checksum differs");
                return Err(ParquetError::General(text));
            }
        }
        Ok(bytes)
    }
}
