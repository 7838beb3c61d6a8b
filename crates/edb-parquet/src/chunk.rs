//! One column in one row group: its pages, compressed, with the indexes and statistics that tell what is in them.

use std::fmt::Write as _;
use std::io::Write as _;

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression, Encoding, Type as PhysicalType, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use xxhash_rust::xxh3::xxh3_64;

/// Longer words are not put into statistics.
const LONGEST_BOUND: usize = 64;

/// Compresses bodies, with one context for all of them.
pub(crate) struct Packer {
    zstd: zstd::bulk::Compressor<'static>,
    pub(crate) level: i32,
}

impl Packer {
    pub(crate) fn new(level: i32) -> Result<Self, ParquetError> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(level)?, level })
    }
}

/// The least and the largest value of some rows.
#[derive(Debug, Clone)]
pub(crate) enum Bounds {
    Integer(i64, i64),
    /// Of the numbers among them, and how many are none.
    Real(Option<(f64, f64)>, u64),
    Text(String, String),
}

impl Bounds {
    /// Those of real numbers.
    pub(crate) fn real(values: &[f64]) -> Self {
        let numbers = || values.iter().copied().filter(|value| !value.is_nan());
        let range = numbers().min_by(f64::total_cmp).zip(numbers().max_by(f64::total_cmp));
        Self::Real(range, (values.len() - numbers().count()) as u64)
    }

    fn least_and_most(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match self {
            Self::Integer(least, most) => Some((least.to_le_bytes().into(), most.to_le_bytes().into())),
            Self::Real(range, _) => {
                range.map(|(least, most)| (least.to_le_bytes().into(), most.to_le_bytes().into()))
            }
            Self::Text(least, most) if least.len().max(most.len()) <= LONGEST_BOUND => {
                Some((least.as_bytes().into(), most.as_bytes().into()))
            }
            Self::Text(..) => None,
        }
    }

    fn nans(&self) -> Option<u64> {
        match self {
            Self::Real(_, nans) => Some(*nans),
            _ => None,
        }
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Integer(a, b), Self::Integer(c, d)) => Self::Integer(a.min(c), b.max(d)),
            (Self::Real(a, m), Self::Real(b, n)) => {
                let wider = |(a, b): (f64, f64), (c, d): (f64, f64)| {
                    (if c.total_cmp(&a).is_lt() { c } else { a }, if d.total_cmp(&b).is_gt() { d } else { b })
                };
                Self::Real(a.zip(b).map(|(a, b)| wider(a, b)).or(a).or(b), m + n)
            }
            (Self::Text(a, b), Self::Text(c, d)) => Self::Text(a.min(c), b.max(d)),
            (one, _) => one,
        }
    }

    fn statistics(self, nulls: u64) -> Statistics {
        let nans = self.nans();
        match self {
            Self::Integer(least, most) => {
                Statistics::int64(Some(least), Some(most), None, Some(nulls), false)
            }
            Self::Real(range, _) => {
                let (least, most) = range.unzip();
                Statistics::Double(
                    ValueStatistics::new(least, most, None, Some(nulls), false).with_nan_count(nans),
                )
            }
            Self::Text(least, most) => {
                let has_bounds = least.len().max(most.len()) <= LONGEST_BOUND;
                let word = |word: String| has_bounds.then(|| ByteArray::from(word.into_bytes()));
                Statistics::byte_array(word(least), word(most), None, Some(nulls), false)
            }
        }
    }
}

/// The pages of one column in one row group.
pub(crate) struct Chunk<'a> {
    descriptor: ColumnDescPtr,
    packer: &'a mut Packer,
    sink: TrackedWrite<Vec<u8>>,
    dictionary_at: Option<u64>,
    data_at: Option<u64>,
    uncompressed: usize,
    rows: usize,
    nulls: usize,
    encodings: Vec<Encoding>,
    bounds: Option<Bounds>,
    /// Whether no page holds less than the one before it; only asked of times.
    is_ascending: bool,
    last_page: Option<(i64, i64)>,
    offsets: OffsetIndexBuilder,
    index: ColumnIndexBuilder,
    checksums: Vec<u32>,
}

impl<'a> Chunk<'a> {
    pub(crate) fn new(descriptor: ColumnDescPtr, packer: &'a mut Packer) -> Self {
        Self {
            index: ColumnIndexBuilder::new(descriptor.physical_type()),
            descriptor,
            packer,
            sink: TrackedWrite::new(Vec::new()),
            dictionary_at: None,
            data_at: None,
            uncompressed: 0,
            rows: 0,
            nulls: 0,
            encodings: Vec::new(),
            bounds: None,
            is_ascending: true,
            last_page: None,
            offsets: OffsetIndexBuilder::new(),
            checksums: Vec::new(),
        }
    }

    pub(crate) fn holds_reals(&self) -> bool {
        self.descriptor.physical_type() == PhysicalType::DOUBLE
    }

    /// How many bytes a body comes to.
    pub(crate) fn measure(&mut self, body: &[u8]) -> Result<usize, ParquetError> {
        Ok(self.packer.zstd.compress(body)?.len())
    }

    pub(crate) fn dictionary(&mut self, body: &[u8], words: usize) -> Result<(), ParquetError> {
        let page = |buf| Page::DictionaryPage {
            buf,
            num_values: words as u32,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let written = self.write(body, Encoding::PLAIN, page)?;
        self.dictionary_at = Some(written.offset);
        Ok(())
    }

    pub(crate) fn page(
        &mut self,
        body: &[u8],
        rows: usize,
        nulls: usize,
        encoding: Encoding,
        bounds: Option<Bounds>,
    ) -> Result<(), ParquetError> {
        let page = |buf| Page::DataPage {
            buf,
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = self.write(body, encoding, page)?;
        self.data_at.get_or_insert(written.offset);
        self.offsets.append_row_count(rows as i64);
        self.offsets.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
        let nans = bounds.as_ref().and_then(Bounds::nans);
        let nans = nans.or_else(|| self.holds_reals().then_some(0));
        match bounds.as_ref().map(Bounds::least_and_most) {
            None => {
                self.index.append(true, Vec::new(), Vec::new(), nulls as i64, nans.map(|nans| nans as i64));
            }
            Some(Some((least, most))) => {
                self.index.append(false, least, most, nulls as i64, nans.map(|nans| nans as i64));
            }
            // Nothing short can be said about this page, and an index speaks of all pages or none.
            Some(None) => self.index.to_invalid(),
        }
        if let Some(Bounds::Integer(least, most)) = bounds {
            self.is_ascending &= self.last_page.is_none_or(|last| last.0 <= least && last.1 <= most);
            self.last_page = Some((least, most));
        }
        self.rows += rows;
        self.nulls += nulls;
        self.bounds = match (self.bounds.take(), bounds) {
            (Some(one), Some(other)) => Some(one.join(other)),
            (one, other) => one.or(other),
        };
        Ok(())
    }

    /// A page of nulls.
    pub(crate) fn null_page(&mut self, rows: usize) -> Result<(), ParquetError> {
        let mut body = Vec::new();
        crate::encode::no_levels(rows, &mut body);
        self.page(&body, rows, rows, Encoding::PLAIN, None)
    }

    fn write(
        &mut self,
        body: &[u8],
        encoding: Encoding,
        page: impl FnOnce(Bytes) -> Page,
    ) -> Result<PageWriteSpec, ParquetError> {
        let compressed = self.packer.zstd.compress(body)?;
        let page = CompressedPage::new(page(Bytes::from(compressed)), body.len());
        let written = SerializedPageWriter::new(&mut self.sink).write_page(page)?;
        self.sink.flush()?;
        self.uncompressed += written.uncompressed_size;
        self.checksums.push(xxh3_64(&self.sink.inner()[written.offset as usize..]) as u32);
        for encoding in [encoding, Encoding::RLE] {
            if !self.encodings.contains(&encoding) {
                self.encodings.push(encoding);
            }
        }
        Ok(written)
    }

    /// The bytes of the chunk, and what the file's footer says of it; the pages' checksums are added to `checksums`.
    pub(crate) fn close(
        mut self,
        checksums: &mut String,
    ) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        for checksum in &self.checksums {
            // Writing into a string does not fail.
            let _ = write!(checksums, "{checksum:08x}");
        }
        // Readers search pages in order instead of looking at each, and miss rows if it is not one: a table of several mnemonics
        // begins anew with each of them.
        let is_time = !self.descriptor.self_type().is_optional();
        self.index.set_boundary_order(if is_time && self.is_ascending {
            BoundaryOrder::ASCENDING
        } else {
            BoundaryOrder::UNORDERED
        });
        let bytes = Bytes::from(self.sink.into_inner()?);
        let mut metadata = ColumnChunkMetaData::builder(self.descriptor)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(self.packer.level)?))
            .set_encodings(self.encodings)
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(self.data_at.unwrap_or(0) as i64)
            .set_dictionary_page_offset(self.dictionary_at.map(|at| at as i64));
        if let Some(bounds) = self.bounds {
            metadata = metadata.set_statistics(bounds.statistics(self.nulls as u64));
        }
        let closed = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: if self.index.valid() { Some(self.index.build()?) } else { None },
            offset_index: Some(self.offsets.build()),
        };
        Ok((bytes, closed))
    }
}

#[cfg(test)]
mod tests {
    use edb_core::Nulls;
    use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};

    use super::*;
    use crate::write::PAGE_ROWS;
    use crate::{Column, Data, Effort};

    #[test]
    fn pages_are_said_to_ascend_only_where_they_do() {
        let order = |times: &[i64]| {
            let mut bytes = Vec::new();
            let column = Column { name: "time", data: Data::Time(times), nulls: &Nulls::none() };
            crate::write(&mut bytes, &[column], &[], Effort::Quick).unwrap();
            let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
            let metadata = reader.parse_and_finish(&Bytes::from(bytes)).unwrap();
            metadata.page_index().unwrap().column_index(0, 0).unwrap().get_boundary_order()
        };
        let once: Vec<i64> = (0..2 * PAGE_ROWS as i64).collect();
        assert_eq!(order(&once), Some(BoundaryOrder::ASCENDING));
        // As a long table has them: one mnemonic after the other.
        let twice: Vec<i64> = once.iter().chain(&once).copied().collect();
        assert_eq!(order(&twice), Some(BoundaryOrder::UNORDERED));
    }
}
