//! What the name of a segment says. The folder of a mnemonic is its catalogue: nothing else lists what is known.

use edb_core::{Instant, TimeRange, parse_instant};
use edb_parquet::End;

/// What is proven, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Header {
    /// When it was fetched: the newest proof of an instant wins.
    pub fetched_at: Instant,
    /// The range in which its samples are all there are.
    pub proven: TimeRange,
    /// Whether the range was so young when it was fetched that telemetry may still have been arriving.
    pub provisional: bool,
}

/// A segment's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentName {
    pub(crate) header: Header,
    /// What the first version of the format did not say.
    pub(crate) body: Option<BodyName>,
}

/// What a name says of the file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BodyName {
    /// Number of samples.
    pub(crate) rows: usize,
    /// The end of the file, from which everything in it can be checked.
    pub(crate) end: End,
}

impl SegmentName {
    /// `20220601T000000.000000-20220602T000000.000000-f20220701T120000.000000[-provisional]-n337500-x5c3.0123abcd.parquet`:
    /// the range, when it was fetched, how many samples, length and checksum of the file's end.
    pub(crate) fn to_file_name(self) -> String {
        let name = |instant: Instant| {
            format!("{}.{:06}", instant.to_compact(), instant.as_micros().rem_euclid(1_000_000))
        };
        let Header { fetched_at, proven, provisional } = self.header;
        let provisional = if provisional { "-provisional" } else { "" };
        let body = self.body.map_or(String::new(), |BodyName { rows, end }| {
            format!("-n{rows}-x{:x}.{:08x}", end.length, end.checksum)
        });
        format!(
            "{}-{}-f{}{provisional}{body}.parquet",
            name(proven.start()),
            name(proven.stop()),
            name(fetched_at)
        )
    }

    /// Reads a segment's file name; `None` for files that are no segments.
    pub(crate) fn from_file_name(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".parquet")?.split('-');
        let mut instant = |prefix: &str| {
            let text = parts.next()?.strip_prefix(prefix).filter(|text| text.len() == 22)?;
            parse_instant(text, Instant::MIN).ok()
        };
        let (start, stop, fetched_at) = (instant("")?, instant("")?, instant("f")?);
        let proven = TimeRange::checked(start, stop)?;
        let mut rest = parts.peekable();
        let provisional = rest.next_if(|part| *part == "provisional").is_some();
        let body = match rest.next() {
            None => None,
            Some(rows) => {
                let rows = rows.strip_prefix('n')?.parse().ok()?;
                let (length, checksum) = rest.next()?.strip_prefix('x')?.split_once('.')?;
                let length = u64::from_str_radix(length, 16).ok()?;
                let checksum = u32::from_str_radix(checksum, 16).ok().filter(|_| checksum.len() == 8)?;
                Some(BodyName { rows, end: End { length, checksum } })
            }
        };
        let header = Header { fetched_at, proven, provisional };
        rest.next().is_none().then_some(Self { header, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn names_carry_range_fetch_time_state_and_checksum() {
        let proven = TimeRange::new(at(1), at(2_000_000)).unwrap();
        let body = BodyName { rows: 337_500, end: End { length: 0x5c3, checksum: 0x0123_abcd } };
        for (provisional, body) in [(false, None), (true, None), (false, Some(body)), (true, Some(body))] {
            let header = Header { fetched_at: at(86_400_000_000), proven, provisional };
            let name = SegmentName { header, body };
            assert_eq!(
                SegmentName::from_file_name(&name.to_file_name()),
                Some(name),
                "{}",
                name.to_file_name()
            );
        }
    }

    #[test]
    fn other_files_are_no_segments() {
        let range = "20220601T000000.000000-20220602T000000.000000-f20220701T120000.000000";
        for name in [
            "x.parquet".to_owned(),
            "a.csv".to_owned(),
            ".edb-partial-1-0-x.parquet.part".to_owned(),
            "20220601-20220602-f20220701.parquet".to_owned(),
            format!("{range}-n3.parquet"),
            format!("{range}-n3-x5c3.abcd.parquet"),
            format!("{range}-n3-x5c3.0123abcd-y.parquet"),
            format!("{range}-unknown.parquet"),
            format!("f{range}.parquet"),
        ] {
            assert_eq!(SegmentName::from_file_name(&name), None, "{name}");
        }
        assert!(SegmentName::from_file_name(&format!("{range}.parquet")).is_some(), "the first version");
    }
}
