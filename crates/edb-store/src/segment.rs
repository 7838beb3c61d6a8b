//! Every sample of one mnemonic in one range, in memory.

use std::io::Write;

use edb_core::{Answer, Instant, Mnemonic, Nulls, Result, Samples, TimeRange, Values};
use edb_parquet::{Bytes, Column, Data, Effort, End, Kind};
use xxhash_rust::xxh3::Xxh3Default;

use crate::Header;
use crate::footer::{About, FOOTER_KEY, Footer};
use crate::open::OpenSegment;

const NO_NULLS: &Nulls = &Nulls::none();

/// Every sample of one mnemonic in one range.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Whose samples.
    pub mnemonic: Mnemonic,
    /// What is proven, what lies before and after it, and where it came from.
    pub about: About,
    /// Every sample in the range.
    pub samples: Samples,
}

impl Segment {
    /// What `answer` proves, if it proves anything.
    pub fn from_answer(answer: Answer, fetched_at: Instant, source: &str, unit: &str) -> Option<Self> {
        let proven = answer.proven?;
        Some(Self {
            mnemonic: answer.mnemonic,
            about: About {
                header: Header { fetched_at, proven, provisional: false },
                sql_type: answer.samples.sql_type().clone(),
                unit: unit.to_owned(),
                leading: answer.leading,
                trailing: answer.trailing,
                sources: vec![source.to_owned()],
            },
            samples: answer.samples,
        })
    }

    /// The part that had settled when it was fetched, and, marked as provisional, the part that had not: telemetry later than
    /// `settle_us` before that may still have been arriving.
    pub fn settled(mut self, settle_us: i64) -> Vec<Self> {
        let Header { fetched_at, proven, .. } = self.about.header;
        let border = fetched_at.plus_micros(-settle_us);
        if proven.stop() <= border {
            return vec![self];
        }
        let parts = TimeRange::checked(proven.start(), border).zip(TimeRange::checked(border, proven.stop()));
        let Some((settled, young)) = parts else {
            self.about.header.provisional = true;
            return vec![self];
        };
        let mut provisional = self.part(young);
        provisional.about.header.provisional = true;
        vec![self.part(settled), provisional]
    }

    /// The part of the segment in `range`, which must lie in its own: samples beyond it become brackets.
    #[must_use]
    pub fn part(&self, range: TimeRange) -> Self {
        let rows = self.samples.rows_in(range);
        let before = rows.start.checked_sub(1).map(|row| self.samples.sample(row));
        let after = (rows.end < self.samples.len()).then(|| self.samples.sample(rows.end));
        Self {
            mnemonic: self.mnemonic.clone(),
            about: About {
                header: Header { proven: range, ..self.about.header },
                leading: before.or_else(|| self.about.leading.clone()),
                trailing: after.or_else(|| self.about.trailing.clone()),
                ..self.about.clone()
            },
            samples: self.samples.slice(rows),
        }
    }

    /// A hash of the samples, whatever the file they are in: type, times, values and nulls. `xxh3-128:` and 32 digits.
    pub fn content_hash(&self) -> String {
        content_hash(&self.samples)
    }

    /// Writes the segment as Parquet: `time`, and by kind of value `value` (double), `integer` (int64) or `text` (string); the other
    /// two are null in every row, so that all segments of a store have one schema. The same segment gives the same bytes.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if `out` fails.
    pub fn write(&self, out: impl Write + Send, effort: Effort) -> Result<End> {
        let (held, data) = match self.samples.values() {
            Values::Real(values) => (Kind::Real, Data::Real(&values.0)),
            Values::Integer(values) => (Kind::Integer, Data::Integer(values)),
            Values::Text(column) => (Kind::Text, Data::Text(column)),
        };
        let column = |(name, kind)| {
            if kind == held {
                return Column { name, data, nulls: self.samples.nulls() };
            }
            Column { name, data: Data::Absent(kind), nulls: NO_NULLS }
        };
        let time = Column { name: "time", data: Data::Time(self.samples.times()), nulls: NO_NULLS };
        let [value, integer, text] =
            [("value", Kind::Real), ("integer", Kind::Integer), ("text", Kind::Text)].map(column);
        let footer = Footer::of(self).to_json()?;
        edb_parquet::write(out, &[time, value, integer, text], &[(FOOTER_KEY.to_owned(), footer)], effort)
    }

    /// Reads a segment's bytes.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if they are not a segment, or contradict themselves.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self> {
        OpenSegment::new(edb_parquet::File::from_bytes(bytes, None)?)?.whole()
    }
}

pub(crate) fn content_hash(samples: &Samples) -> String {
    let mut hash = Xxh3Default::new();
    hash.update(samples.sql_type().as_str().as_bytes());
    let mut buffer = Vec::with_capacity(1 << 13);
    let mut numbers = |numbers: &mut dyn Iterator<Item = u64>| {
        // In pieces, so that hashing needs no second copy of the column.
        loop {
            buffer.clear();
            numbers.take(1 << 10).for_each(|number| buffer.extend_from_slice(&number.to_le_bytes()));
            if buffer.is_empty() {
                return;
            }
            hash.update(&buffer);
        }
    };
    numbers(&mut std::iter::once(samples.len() as u64));
    numbers(&mut samples.times().iter().map(|time| *time as u64));
    // At nulls the column holds anything.
    let nulls = samples.nulls();
    let is_there = |row: usize| !nulls.contains(row);
    match samples.values() {
        Values::Real(values) => {
            numbers(
                &mut values
                    .0
                    .iter()
                    .enumerate()
                    .map(|(row, value)| if is_there(row) { value.to_bits() } else { 0 }),
            );
        }
        Values::Integer(values) => {
            numbers(
                &mut values
                    .iter()
                    .enumerate()
                    .map(|(row, value)| if is_there(row) { *value as u64 } else { 0 }),
            );
        }
        Values::Text(column) => {
            for row in (0..samples.len()).filter(|row| is_there(*row)) {
                let word = column.word(row);
                hash.update(&(word.len() as u64).to_le_bytes());
                hash.update(word.as_bytes());
            }
        }
    }
    let positions = nulls.positions().iter().flat_map(|row| (*row as u64).to_le_bytes()).collect::<Vec<u8>>();
    hash.update(&positions);
    format!("xxh3-128:{:032x}", hash.digest128())
}
