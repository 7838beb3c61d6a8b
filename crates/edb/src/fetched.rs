//! What a store knows after a fetch, read back piece by piece.

use edb_core::{
    Coverage, Dictionary, DictionaryEntry, Error, Instant, Mnemonic, Notice, Request, Result, Samples,
    Series, SqlType, TimeRange,
};
use edb_fetch::Retrieval;
use edb_store::Outline;

use crate::archive::{Archive, Retrieved, not_in_store, not_known, of};

/// What was fetched, and lies in the store.
pub struct Fetched {
    archive: Archive,
    dictionary: Dictionary,
    known: Vec<(Request, Coverage)>,
    /// One for each of them, once somebody has asked.
    outlines: Vec<Outline>,
    /// What there is to tell; it has no series.
    pub retrieved: Retrieved,
}

impl Fetched {
    pub(crate) fn new(
        archive: Archive,
        requests: Vec<Request>,
        dictionary: Dictionary,
        retrieval: Retrieval,
        mut notices: Vec<Notice>,
    ) -> Result<Self> {
        let mut failures = retrieval.failures;
        let mut all = Vec::with_capacity(requests.len());
        for request in requests {
            let mnemonic = &request.mnemonic;
            let known = archive.store().known(mnemonic)?.within(request.range);
            let unknown = known.gaps(request.range);
            if archive.is_missing_something() || (archive.source().is_none() && known.is_empty()) {
                failures.extend(unknown.iter().map(|range| not_in_store(mnemonic, *range)));
            }
            let (begin, end) = (of(&retrieval.begins, mnemonic), of(&retrieval.ends, mnemonic));
            notices.extend(not_known(mnemonic, &unknown, begin, end));
            all.push((request, known));
        }
        let retrieved =
            Retrieved { notices, delivered: retrieval.delivered, failures, ..Retrieved::default() };
        Ok(Self { archive, dictionary, known: all, outlines: Vec::new(), retrieved })
    }

    /// What was asked, overlapping requests of one mnemonic joined, in the order of their first appearance, and what of it is known.
    pub fn known(&self) -> &[(Request, Coverage)] {
        &self.known
    }

    /// Reads what the request at place `at` of [`known`](Self::known) came to.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] and [`edb_core::ErrorKind::Integrity`] from the store.
    ///
    /// # Panics
    /// If there is no such request.
    pub async fn read(&mut self, at: usize) -> Result<Series> {
        self.archive.series(&self.known[at].0, &self.dictionary, &mut self.retrieved.sources).await
    }

    /// A reader that can go to another thread.
    pub fn reader(&self) -> Reader {
        let requests = self.known.iter().map(|(request, _)| request.clone()).collect();
        Reader { archive: self.archive.clone(), dictionary: self.dictionary.clone(), requests }
    }

    /// Finds out where the samples come from, all of them, and how many there are when, before any is read.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn outline(&mut self) -> Result<()> {
        self.outlines.clear();
        for (request, _) in &self.known {
            let outline = self.archive.store().outline(&request.mnemonic, request.range)?;
            for source in &outline.sources {
                if !self.retrieved.sources.contains(source) {
                    self.retrieved.sources.push(source.clone());
                }
            }
            self.outlines.push(outline);
        }
        Ok(())
    }

    /// The request at place `at` as a series without samples: what is known of its mnemonic.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn described(&self, at: usize) -> Series {
        let (request, known) = &self.known[at];
        let about = self.about(&request.mnemonic);
        let sql_type = about.sql_type.clone().unwrap_or(SqlType::Varchar);
        let bare = Series::new(request.mnemonic.clone(), request.range, Samples::empty(sql_type));
        Series { about, known: known.clone(), ..bare }
    }

    /// What the dictionary says about a mnemonic, and the user.
    pub fn about(&self, mnemonic: &Mnemonic) -> DictionaryEntry {
        self.archive.entry(mnemonic, &self.dictionary)
    }

    /// The time from the first of these requests to the end of the last in windows of about so many samples, by the
    /// [`outline`](Self::outline); without one, a single window.
    ///
    /// # Panics
    /// If there is no such request.
    pub fn windows(&self, places: &[usize], rows: usize) -> Vec<TimeRange> {
        let hull = places.iter().map(|at| self.known[*at].0.range).reduce(TimeRange::hull);
        let counts =
            places.iter().filter_map(|at| self.outlines.get(*at)).flat_map(|outline| &outline.counts);
        let rates: Vec<(TimeRange, f64)> =
            counts.map(|(range, rows)| (*range, rows / range.micros() as f64)).collect();
        hull.map(|hull| windows(hull, &rates, rows as f64)).unwrap_or_default()
    }

    /// As [`Retrieved::take_cause`].
    pub fn take_cause(&mut self) -> Option<Error> {
        let is_nothing = self.known.iter().all(|(_, known)| known.is_empty());
        if is_nothing { self.retrieved.take_first() } else { None }
    }
}

/// Reads what was fetched on the thread that asks, as much of it as it asks for.
pub struct Reader {
    archive: Archive,
    dictionary: Dictionary,
    requests: Vec<Request>,
}

impl Reader {
    /// Reads what the request at place `at` of [`Fetched::known`] came to in `range`, and in what of it was asked. `None` if nothing of it
    /// was.
    ///
    /// # Errors
    /// As [`Fetched::read`].
    ///
    /// # Panics
    /// If there is no such request.
    pub fn read_in(&self, at: usize, range: TimeRange) -> Result<Option<Series>> {
        let Some(range) = self.requests[at].range.intersect(range) else { return Ok(None) };
        let request = Request { mnemonic: self.requests[at].mnemonic.clone(), range };
        self.archive.series_here(&request, &self.dictionary).map(Some)
    }
}

/// Cuts `hull` where about `most` samples have come: `rates` are samples in a microsecond, each in its range.
fn windows(hull: TimeRange, rates: &[(TimeRange, f64)], most: f64) -> Vec<TimeRange> {
    let mut turns: Vec<(i64, f64)> = rates
        .iter()
        .flat_map(|(range, rate)| [(range.start().as_micros(), *rate), (range.stop().as_micros(), -rate)])
        .collect();
    turns.sort_by_key(|(at, _)| *at);
    turns.push((hull.stop().as_micros(), 0.0));
    let mut cuts = vec![hull.start().as_micros()];
    let (mut at, mut rate, mut come) = (hull.start().as_micros(), 0.0_f64, 0.0_f64);
    for (turn, change) in turns {
        while rate > 0.0 && come + rate * (turn - at) as f64 >= most {
            let step = ((most - come) / rate).ceil().max(1.0) as i64;
            if at + step > turn {
                break;
            }
            at += step;
            cuts.push(at);
            come = 0.0;
        }
        come += rate.max(0.0) * (turn - at) as f64;
        (at, rate) = (turn, rate + change);
    }
    cuts.push(hull.stop().as_micros());
    let window =
        |pair: &[i64]| TimeRange::checked(Instant::from_micros(pair[0]), Instant::from_micros(pair[1]));
    cuts.windows(2).filter_map(window).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: i64, stop: i64) -> TimeRange {
        TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop)).unwrap()
    }

    #[test]
    fn windows_are_as_long_as_samples_are_rare() {
        let rates = [(range(0, 1000), 1.0), (range(500, 1000), 1.0), (range(5000, 6000), 0.1)];
        let found = windows(range(0, 9000), &rates, 250.0);
        let stops: Vec<i64> = found.iter().map(|window| window.stop().as_micros()).collect();
        assert_eq!(stops, [250, 500, 625, 750, 875, 1000, 9000]);
    }

    proptest! {
        #[test]
        fn windows_are_all_of_the_time_and_hold_no_more_than_is_asked(
            rates in proptest::collection::vec((0..900_i64, 1..100_i64, 0.0..3.0_f64), 0..8),
            most in 5.0..500.0_f64,
        ) {
            let rates: Vec<(TimeRange, f64)> =
                rates.into_iter().map(|(start, length, rate)| (range(start, start + length), rate)).collect();
            let found = windows(range(0, 1000), &rates, most);
            prop_assert_eq!(found[0].start().as_micros(), 0);
            prop_assert_eq!(found[found.len() - 1].stop().as_micros(), 1000);
            for pair in found.windows(2) {
                prop_assert_eq!(pair[0].stop(), pair[1].start());
            }
            for window in found {
                let inside = |(range, rate): &(TimeRange, f64)| range.intersect(window).map_or(0.0, |one| one.micros() as f64 * rate);
                let rows: f64 = rates.iter().map(inside).sum();
                // A cut is at a whole microsecond.
                let rest: f64 = rates.iter().map(|(_, rate)| rate).sum();
                prop_assert!(rows <= most + rest + 1e-6, "{} {}", rows, most);
            }
        }
    }
}
