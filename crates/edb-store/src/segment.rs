//! One proven range of one mnemonic.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use edb_core::{
    Answer, Error, Instant, Mnemonic, Nulls, Result, Sample, Samples, SqlType, TimeRange, Values,
    parse_instant,
};
use edb_parquet::{Bytes, Column, Contents, Data, OwnedColumn};
use serde::{Deserialize, Serialize};

/// The footer key under which a segment's facts stand, as JSON.
const FOOTER_KEY: &str = "edb.segment";
const NO_NULLS: &Nulls = &Nulls::none();

/// What the name of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Header {
    /// When it was fetched: the newest proof of an instant wins.
    pub fetched_at: Instant,
    /// The range in which its samples are all there are.
    pub proven: TimeRange,
    /// Whether part of the range was so young when it was fetched that telemetry may still have been arriving.
    pub provisional: bool,
}

/// Every sample of one mnemonic in one range.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Whose samples.
    pub mnemonic: Mnemonic,
    /// What is proven, since when.
    pub header: Header,
    /// The last sample before the range, if one is known.
    pub leading: Option<Sample>,
    /// Every sample in the range.
    pub samples: Samples,
    /// The first sample at or after the end of the range, if one is known.
    pub trailing: Option<Sample>,
    /// Where the samples came from, without secrets.
    pub source: String,
}

#[derive(Serialize, Deserialize)]
struct Footer {
    format: u32,
    mnemonic: Mnemonic,
    sql_type: String,
    proven: TimeRange,
    fetched_at: Instant,
    provisional: bool,
    rows: usize,
    leading: Option<Sample>,
    trailing: Option<Sample>,
    source: String,
}

impl Header {
    /// `20220601T000000.000000-20220602T000000.000000-f20220701T120000.000000[-provisional].parquet`
    pub fn file_name(&self) -> String {
        let name = |instant: Instant| {
            format!("{}.{:06}", instant.to_compact(), instant.as_micros().rem_euclid(1_000_000))
        };
        let provisional = if self.provisional { "-provisional" } else { "" };
        format!(
            "{}-{}-f{}{provisional}.parquet",
            name(self.proven.start()),
            name(self.proven.stop()),
            name(self.fetched_at)
        )
    }

    /// Reads a segment's file name; `None` for files that are no segments.
    pub fn from_file_name(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".parquet")?;
        let (stem, provisional) = match stem.strip_suffix("-provisional") {
            Some(stem) => (stem, true),
            None => (stem, false),
        };
        let mut parts = stem.split('-').map(|part| {
            parse_instant(part.trim_start_matches('f'), Instant::MIN).ok().filter(|_| part.len() >= 22)
        });
        let (start, stop, fetched_at) = (parts.next()??, parts.next()??, parts.next()??);
        let proven = TimeRange::checked(start, stop).filter(|_| parts.next().is_none())?;
        Some(Self { fetched_at, proven, provisional })
    }
}

impl Segment {
    /// What `answer` proves, if it proves anything. Its young end is provisional: telemetry later than `settle_us` before
    /// `fetched_at` may still arrive.
    pub fn from_answer(answer: Answer, fetched_at: Instant, settle_us: i64, source: &str) -> Option<Self> {
        let proven = answer.proven?;
        let provisional = proven.stop() > fetched_at.plus_micros(-settle_us);
        Some(Self {
            mnemonic: answer.mnemonic,
            header: Header { fetched_at, proven, provisional },
            leading: answer.leading,
            samples: answer.samples,
            trailing: answer.trailing,
            source: source.to_owned(),
        })
    }

    /// Writes the segment as Parquet: `time` and, by kind, `value` (double), `integer` (int64) or `text` (string).
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if `out` fails.
    pub fn write(&self, out: impl Write + Send) -> Result<()> {
        let (name, data) = match self.samples.values() {
            Values::Real(values) => ("value", Data::Real(&values.0)),
            Values::Integer(values) => ("integer", Data::Integer(values)),
            Values::Text(column) => ("text", Data::Text(column)),
        };
        let columns = [
            Column { name: "time", data: Data::Time(self.samples.times()), nulls: NO_NULLS },
            Column { name, data, nulls: self.samples.nulls() },
        ];
        let footer = Footer {
            format: crate::disk::FORMAT,
            mnemonic: self.mnemonic.clone(),
            sql_type: self.samples.sql_type().as_str().to_owned(),
            proven: self.header.proven,
            fetched_at: self.header.fetched_at,
            provisional: self.header.provisional,
            rows: self.samples.len(),
            leading: self.leading.clone(),
            trailing: self.trailing.clone(),
            source: self.source.clone(),
        };
        let footer = serde_json::to_string(&footer)
            .map_err(|error| Error::integrity("could not write a segment's footer").caused_by(error))?;
        edb_parquet::write(out, &columns, &[(FOOTER_KEY.to_owned(), footer)])
    }

    /// Reads a segment's bytes.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if they are not a segment, or contradict themselves.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self> {
        Self::from_contents(edb_parquet::read(bytes.into())?)
    }

    /// Reads a segment's file.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if it cannot be opened, [`edb_core::ErrorKind::Integrity`] as for
    /// [`from_bytes`](Self::from_bytes).
    pub fn from_file(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::disk("open", path, error))?;
        edb_parquet::read(file).and_then(Self::from_contents).map_err(|error| {
            error
                .while_doing(format!("could not read the segment `{}`", path.display()))
                .with_hint("move the file out of the store; the next query fetches its range again")
        })
    }

    /// The number of samples in a segment's file, from its footer alone.
    ///
    /// # Errors
    /// As for [`from_file`](Self::from_file).
    pub fn rows_in_file(path: &Path) -> Result<usize> {
        let file = File::open(path).map_err(|error| Error::disk("open", path, error))?;
        Ok(footer(&edb_parquet::read_metadata(file)?)?.rows)
    }

    fn from_contents(contents: Contents) -> Result<Self> {
        let footer = footer(&contents.metadata)?;
        let contradiction = |what: &str| Error::integrity(format!("the segment contradicts itself: {what}"));
        let mut columns = contents.columns.into_iter();
        let (Some((_, OwnedColumn::Time(times), _)), Some((_, values, nulls))) =
            (columns.next(), columns.next())
        else {
            return Err(contradiction("expected a time column and a value column"));
        };
        let values = match values {
            OwnedColumn::Real(values) => Values::real(values),
            OwnedColumn::Integer(values) => Values::Integer(values),
            OwnedColumn::Text(column) => Values::Text(column),
            OwnedColumn::Time(_) => return Err(contradiction("expected values, found a second time column")),
        };
        let (samples, misplaced) =
            Samples::from_columns(SqlType::new(&footer.sql_type), times, values, nulls)?;
        let inside = samples.rows_in(footer.proven).len();
        if misplaced > 0 || inside != samples.len() || samples.len() != footer.rows {
            return Err(contradiction(&format!(
                "expected {} ascending rows in {}, found {} rows, {inside} of them inside, {misplaced} misplaced",
                footer.rows,
                footer.proven,
                samples.len()
            )));
        }
        let Footer { mnemonic, proven, fetched_at, provisional, leading, trailing, source, .. } = footer;
        let header = Header { fetched_at, proven, provisional };
        Ok(Self { mnemonic, header, leading, samples, trailing, source })
    }
}

fn footer(metadata: &std::collections::BTreeMap<String, String>) -> Result<Footer> {
    let text = metadata.get(FOOTER_KEY).ok_or_else(|| {
        Error::integrity(format!("expected `{FOOTER_KEY}` in the footer: this is not a segment of a store"))
    })?;
    let footer: Footer = serde_json::from_str(text)
        .map_err(|error| Error::integrity("could not read the segment's footer").caused_by(error))?;
    if footer.format != crate::disk::FORMAT {
        return Err(crate::disk::unknown_format(footer.format));
    }
    Ok(footer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edb_core::{TextColumn, Value};

    fn at(micros: i64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn names_carry_range_fetch_time_and_state() {
        let proven = TimeRange::new(at(1), at(2_000_000)).unwrap();
        for provisional in [false, true] {
            let header = Header { fetched_at: at(86_400_000_000), proven, provisional };
            assert_eq!(Header::from_file_name(&header.file_name()), Some(header), "{}", header.file_name());
        }
        for name in
            ["x.parquet", ".edb-partial-1-0-x.parquet", "20220601-20220602-f20220701.parquet", "a.csv"]
        {
            assert_eq!(Header::from_file_name(name), None, "{name}");
        }
    }

    #[test]
    fn segments_of_every_kind_round_trip() {
        let mut words = TextColumn::default();
        ["OFF", "", "ON, really"].iter().for_each(|word| words.push(word));
        let mut nulls = Nulls::none();
        nulls.push(1);
        for (sql_type, values) in [
            (SqlType::Float, Values::real(vec![f64::NAN, 0.0, -0.1])),
            (SqlType::BigInt, Values::Integer(vec![i64::MIN, 0, (1 << 53) + 1])),
            (SqlType::Other("bit".into()), Values::Text(words)),
        ] {
            let (samples, _) = Samples::from_columns(sql_type, vec![5, 5, 9], values, nulls.clone()).unwrap();
            let proven = TimeRange::new(at(1), at(10)).unwrap();
            let segment = Segment {
                mnemonic: Mnemonic::new("M").unwrap(),
                header: Header { fetched_at: at(99), proven, provisional: true },
                leading: Some(Sample { time: at(0), value: Value::Real(f64::INFINITY) }),
                trailing: Some(samples.sample(1)),
                samples,
                source: "a test".into(),
            };
            let mut bytes = Vec::new();
            segment.write(&mut bytes).unwrap();
            let back = Segment::from_bytes(bytes).unwrap();
            // Null positions hold arbitrary values: compare what the rows say.
            assert_eq!(
                format!("{:?}", back.samples.iter().collect::<Vec<_>>()),
                format!("{:?}", segment.samples.iter().collect::<Vec<_>>())
            );
            assert_eq!(
                (back.header, back.leading, back.trailing),
                (segment.header, segment.leading, segment.trailing)
            );
            assert_eq!(back.samples.sql_type(), segment.samples.sql_type());
        }
    }
}
