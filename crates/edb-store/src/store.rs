//! What can be done with segments wherever they are.

use edb_core::{Coverage, Dictionary, Instant, Mnemonic, Result, Sample, Samples, SqlType, TimeRange};

use crate::difference::{self, Difference};
use crate::{Header, Segment, pieces};

/// What a store knows of one mnemonic in one range.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Every known sample in the range.
    pub samples: Samples,
    /// The last sample before the range, if nothing unknown lies between, however far back.
    pub leading: Option<Sample>,
    /// The first sample at or after the end of the range, if nothing unknown lies between.
    pub trailing: Option<Sample>,
    /// The parts of the range in which every sample is known.
    pub known: Coverage,
    /// The unit of the values, empty if nobody said.
    pub unit: String,
    /// Where the samples came from.
    pub sources: Vec<String>,
    /// When the oldest of what was read was fetched.
    pub fetched_at: Option<Instant>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            samples: Samples::empty(SqlType::Varchar),
            leading: None,
            trailing: None,
            known: Coverage::new(),
            unit: String::new(),
            sources: Vec::new(),
            fetched_at: None,
        }
    }
}

/// What is known of samples before they are read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// Where they come from, without secrets, in order of time.
    pub sources: Vec<String>,
    /// How many there are in which range, about, as finely as is known without reading them; by time.
    pub counts: Vec<(TimeRange, f64)>,
}

/// Segments of many mnemonics.
pub trait Store: Send + Sync {
    /// What the names of all segments of `mnemonic` say, in no order.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`].
    fn headers(&self, mnemonic: &Mnemonic) -> Result<Vec<Header>>;

    /// How many samples one of these segments has; 0 if it is not there any more.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] or [`edb_core::ErrorKind::Integrity`].
    fn rows(&self, mnemonic: &Mnemonic, header: &Header) -> Result<usize>;

    /// What is known of `mnemonic` in `range`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] or [`edb_core::ErrorKind::Integrity`].
    fn read(&self, mnemonic: &Mnemonic, range: TimeRange) -> Result<Reading>;

    /// What is known of the samples in `range` before they are read.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn outline(&self, mnemonic: &Mnemonic, range: TimeRange) -> Result<Outline>;

    /// Keeps a segment. It is there for every reader, and for good, when this returns. When this fails it is there whole or not at all.
    /// Where others prove the same range, the newest is believed from then on, and of those of one time the shortest.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`].
    fn commit(&self, segment: Segment) -> Result<()>;

    /// What is known about the mnemonics.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] or [`edb_core::ErrorKind::Integrity`].
    fn dictionary(&self) -> Result<Dictionary>;

    /// Adds to what is known about the mnemonics: what `entries` say replaces what was known, what they leave out stays.
    ///
    /// # Errors
    /// As [`dictionary`](Self::dictionary).
    fn learn(&self, entries: Dictionary) -> Result<()>;

    /// The mnemonics that have segments, by name.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`].
    fn mnemonics(&self) -> Result<Vec<Mnemonic>>;

    /// All that is known of `mnemonic`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`].
    fn known(&self, mnemonic: &Mnemonic) -> Result<Coverage> {
        Ok(self.headers(mnemonic)?.iter().map(|header| header.proven).collect())
    }

    /// The parts of `range` that have to be asked for: those that no segment proves, and those that were provisional and
    /// have settled since, being more than `settle_us` old at `now`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`].
    fn gaps(
        &self,
        mnemonic: &Mnemonic,
        range: TimeRange,
        now: Instant,
        settle_us: i64,
    ) -> Result<Vec<TimeRange>> {
        let has_settled =
            |header: &Header| header.provisional && header.proven.stop() <= now.plus_micros(-settle_us);
        let headers = self.headers(mnemonic)?;
        let known: Coverage = if headers.iter().any(has_settled) {
            // Where the one that is believed has to be asked again, what an older one says there does not count.
            let shares = headers.iter().zip(pieces::shares(&headers));
            let standing = shares.filter(|(header, _)| !has_settled(header));
            standing.flat_map(|(_, share)| share.ranges().to_vec()).collect()
        } else {
            headers.iter().map(|header| header.proven).collect()
        };
        Ok(known.gaps(range))
    }

    /// How `segment` differs from what is known in its range.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn difference(&self, segment: &Segment) -> Result<Option<Difference>> {
        let range = segment.about.header.proven;
        let headers = self.headers(&segment.mnemonic)?;
        let mut difference: Option<Difference> = None;
        // One segment after the other: their kinds of values may differ.
        for share in pieces::shares(&headers) {
            for known in share.within(range).ranges() {
                let reading = self.read(&segment.mnemonic, *known)?;
                let found = difference::between(&reading, &segment.samples);
                difference = match (difference, found) {
                    (Some(one), Some(other)) => Some(one.and(&other)),
                    (one, other) => one.or(other),
                };
            }
        }
        Ok(difference)
    }
}
