//! Observations that ranges are taken from.

use std::fmt::{self, Write};

use crate::{Error, Instant, Result, TimeRange};

/// One exposure of an instrument: its time is a range of interest, its label tells samples of several ranges apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// `jw02733001001_02101_00001`, or the name of the file that it was read from.
    pub label: String,
    /// The instrument, as `MIRI`; empty if not said.
    pub instrument: String,
    /// The type of exposure, as `MIR_IMAGE`; empty if not said.
    pub kind: String,
    /// From its beginning to its end.
    pub range: TimeRange,
}

impl Exposure {
    /// How far `instant` is from the exposure, in microseconds; 0 inside.
    pub fn distance_us(&self, instant: Instant) -> i64 {
        let (start, stop) = (self.range.start().as_micros(), self.range.stop().as_micros());
        let at = instant.as_micros();
        (start - at).max(at - (stop - 1)).max(0)
    }
}

/// Exposures that ranges were taken from, by time, each with a margin on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposures {
    all: Vec<Exposure>,
    margin_us: i64,
}

impl Exposures {
    /// Sorts the exposures by time, and drops those that are there twice.
    pub fn new(mut all: Vec<Exposure>, margin_us: i64) -> Self {
        all.sort_by(|a, b| (a.range, &a.label).cmp(&(b.range, &b.label)));
        all.dedup_by(|a, b| a.label == b.label && a.range == b.range);
        Self { all, margin_us }
    }

    /// All of them, by time.
    pub fn all(&self) -> &[Exposure] {
        &self.all
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The range of each with its margin.
    pub fn ranges(&self) -> Vec<TimeRange> {
        let widened = |exposure: &Exposure| {
            let (start, stop) = (exposure.range.start(), exposure.range.stop());
            TimeRange::checked(start.plus_micros(-self.margin_us), stop.plus_micros(self.margin_us))
        };
        self.all.iter().filter_map(widened).collect()
    }

    /// The exposure that each of `times` (ascending) belongs to: the one it lies in, or the nearest that is not further than
    /// the margin. Of two that are equally near the earlier one.
    pub fn of<'a>(
        &'a self,
        times: impl Iterator<Item = i64> + 'a,
    ) -> impl Iterator<Item = Option<&'a Exposure>> + 'a {
        let mut last: Option<&Exposure> = None;
        times.map(move |time| {
            let instant = Instant::from_micros(time);
            // What lies in an exposure that began earlier lay in it before, too.
            if last.is_none_or(|exposure| !exposure.range.contains(instant)) {
                let near = self.all.iter().map(|exposure| (exposure.distance_us(instant), exposure));
                let near = near.filter(|(distance, _)| *distance <= self.margin_us);
                last = near
                    .min_by_key(|(distance, exposure)| (*distance, exposure.range))
                    .map(|(_, exposure)| exposure);
            }
            last
        })
    }
}

/// The instruments whose exposures can be searched.
pub const INSTRUMENTS: [&str; 5] = ["FGS", "MIRI", "NIRCAM", "NIRISS", "NIRSPEC"];

/// Which exposures are searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureSearch {
    /// What their labels begin with, from the program on: `jw02733`, `jw02733001001`, `jw02733001001_02101_00001`.
    prefix: String,
    /// One of [`INSTRUMENTS`], or all.
    instrument: Option<String>,
}

impl ExposureSearch {
    /// Reads what people call observations: `jw02733001001` and longer or shorter (down to `jw02733`), `V02733001001`,
    /// `2733`, `2733:1`, `2733:1:1`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] if it is none of these, or there is no such instrument.
    pub fn parse(text: &str, instrument: Option<&str>) -> Result<Self> {
        let fail = || {
            Error::usage(format!("could not read `{text}` as an observation")).with_hint(
                "write `jw02733001001`, or longer down to the exposure, `V02733001001`, `2733:1:1`, or the program alone",
            )
        };
        let word = text.trim().to_ascii_lowercase();
        let prefix = if let Some(digits) = word.strip_prefix('v') {
            format!("jw{digits}")
        } else if word.starts_with("jw") {
            word.clone()
        } else {
            let mut prefix = String::from("jw");
            for (part, width) in word.split(':').zip([5, 3, 3]) {
                let number: u32 = part.parse().map_err(|_| fail())?;
                // Writing into a string does not fail.
                let _ = write!(prefix, "{number:0width$}");
            }
            if word.split(':').count() > 3 {
                return Err(fail());
            }
            prefix
        };
        let (visit, rest) = prefix.split_once('_').unwrap_or((&prefix, ""));
        let digits = visit.strip_prefix("jw").ok_or_else(fail)?;
        let has_length = matches!((digits.len(), rest.is_empty()), (5 | 8, true) | (11, _));
        let is_plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !has_length || !is_plain || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fail());
        }
        let instrument = instrument.map(|name| {
            INSTRUMENTS
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name))
                .map(|known| (*known).to_owned())
                .ok_or_else(|| {
                    Error::usage(format!("there is no instrument `{name}`"))
                        .with_hint(format!("use one of {}", INSTRUMENTS.join(", ")))
                })
        });
        Ok(Self { instrument: instrument.transpose()?, prefix })
    }

    /// What the labels of the exposures begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The instrument, if it is to be one.
    pub fn instrument(&self) -> Option<&str> {
        self.instrument.as_deref()
    }

    /// The column by which the service can narrow the search, and its value.
    pub fn filter(&self) -> (&'static str, String) {
        match self.prefix.get(2..13) {
            Some(visit) => ("visit_id", visit.to_owned()),
            None => ("program", self.prefix[2..7].trim_start_matches('0').to_owned()),
        }
    }
}

impl fmt::Display for ExposureSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)?;
        self.instrument.as_ref().map_or(Ok(()), |instrument| write!(f, " of {instrument}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_belongs_to_the_exposure_it_lies_in_or_the_nearest() {
        let exposure = |label: &str, start: i64, stop: i64| Exposure {
            label: label.to_owned(),
            instrument: String::new(),
            kind: String::new(),
            range: TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop)).unwrap(),
        };
        let all = [
            exposure("b", 210, 300),
            exposure("a", 100, 200),
            exposure("c", 250, 400),
            exposure("a", 100, 200),
        ];
        let exposures = Exposures::new(all.to_vec(), 10);
        let times = [89, 90, 100, 199, 204, 205, 210, 260, 299, 300, 409, 410];
        let labels: Vec<_> =
            exposures.of(times.into_iter()).map(|found| found.map_or("-", |it| &it.label)).collect();
        assert_eq!(labels, ["-", "a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "-"]);
        assert_eq!(exposures.ranges()[0].start().as_micros(), 90);
    }

    #[test]
    fn observations_are_read_as_people_write_them() {
        for (text, prefix, filter) in [
            ("jw02733001001", "jw02733001001", ("visit_id", "02733001001")),
            ("V02733001001", "jw02733001001", ("visit_id", "02733001001")),
            ("2733:1:1", "jw02733001001", ("visit_id", "02733001001")),
            ("jw02733001001_02101_00001", "jw02733001001_02101_00001", ("visit_id", "02733001001")),
            ("2733:1", "jw02733001", ("program", "2733")),
            ("JW02733", "jw02733", ("program", "2733")),
            ("2733", "jw02733", ("program", "2733")),
        ] {
            let search = ExposureSearch::parse(text, None).unwrap();
            assert_eq!(
                (search.prefix.as_str(), search.filter()),
                (prefix, (filter.0, filter.1.to_owned())),
                "{text}"
            );
        }
        for text in [
            "",
            "jw",
            "jw2733",
            "V1",
            "2733:1:1:1",
            "x:1",
            "jw0273300_1",
            "jw02733001001_../x",
            "jwé2733001001",
        ] {
            assert!(ExposureSearch::parse(text, None).is_err(), "{text}");
        }
        assert!(ExposureSearch::parse("2733", Some("miri")).is_ok());
        assert!(ExposureSearch::parse("2733", Some("webcam")).is_err());
    }
}
