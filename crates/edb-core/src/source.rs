//! Where samples come from.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use crate::{
    Answer, Dictionary, DictionaryEntry, Error, Exposure, ExposureSearch, Instant, Mnemonic, Outcome, Result,
    Samples, SqlType, TimeRange,
};

/// A boxed future of the standard library: the vocabulary names no runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What went over the network so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, every try counted.
    pub requests: u64,
    /// Bytes of answers received, decompressed.
    pub bytes: u64,
    /// Rows of telemetry among them, decoded so far; every try counted.
    pub rows: u64,
}

/// Anything that answers like the EDB: a service, a local store, a synthetic archive.
pub trait Source: Send + Sync {
    /// Where the samples come from, for provenance: a URL without secrets, or a path.
    fn name(&self) -> String;

    /// The samples of `mnemonic` in `range` with one bracket row on each side where one exists. An unknown mnemonic is
    /// answered with no rows, as the service does.
    fn answer<'a>(&'a self, mnemonic: &'a Mnemonic, range: TimeRange) -> BoxFuture<'a, Result<Answer>>;

    /// The dictionary: of `only` (empty if it is unknown), or all of it.
    fn dictionary<'a>(&'a self, only: Option<&'a Mnemonic>) -> BoxFuture<'a, Result<Dictionary>>;

    /// The exposures that `search` finds, by time. Only a service that knows observations has any.
    fn exposures<'a>(&'a self, search: &'a ExposureSearch) -> BoxFuture<'a, Result<Outcome<Vec<Exposure>>>> {
        let error =
            Error::usage(format!("could not search for exposures of {search}: {} knows none", self.name()))
                .with_hint("use `--source mast`, or give the ranges themselves");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Ends the answers under way: what has come of each by now is the answer, marked as cut ([`crate::End::Cut`]), or it fails.
    fn stop(&self) {}

    /// What went over the network so far; nothing for a source that needs none.
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// An archive in memory that answers as the service does.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    name: String,
    series: BTreeMap<Mnemonic, Samples>,
    dictionary: Dictionary,
}

impl MemorySource {
    /// An empty archive called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a mnemonic with all its samples.
    pub fn insert(&mut self, entry: DictionaryEntry, samples: Samples) {
        self.series.insert(entry.mnemonic.clone(), samples);
        self.dictionary.insert(entry);
    }

    /// All samples of `mnemonic`.
    pub fn samples(&self, mnemonic: &Mnemonic) -> Option<&Samples> {
        self.series.get(mnemonic)
    }

    /// All entries.
    pub fn entries(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The rows that the service would send: those from `first` to `last`, inclusive at both ends, one before and one
    /// after.
    pub fn rows(&self, mnemonic: &Mnemonic, first: Instant, last: Instant) -> Samples {
        let Some(samples) = self.series.get(mnemonic) else { return Samples::empty(SqlType::Varchar) };
        let times = samples.times();
        let start = times.partition_point(|time| *time < first.as_micros());
        let stop = times.partition_point(|time| *time <= last.as_micros()).max(start);
        samples.slice(start.saturating_sub(1)..(stop + 1).min(times.len()))
    }
}

impl Source for MemorySource {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn answer<'a>(&'a self, mnemonic: &'a Mnemonic, range: TimeRange) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            Answer::from_rows(mnemonic.clone(), range, self.rows(mnemonic, range.start(), range.stop()), 0)
        })
    }

    fn dictionary<'a>(&'a self, only: Option<&'a Mnemonic>) -> BoxFuture<'a, Result<Dictionary>> {
        Box::pin(async move {
            Ok(match only {
                Some(mnemonic) => self.dictionary.get(mnemonic).cloned().into_iter().collect(),
                None => self.dictionary.clone(),
            })
        })
    }
}
