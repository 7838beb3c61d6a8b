//! Segments for one run.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use edb_core::{Dictionary, Mnemonic, Result, TimeRange};

use crate::{Header, Outline, Reading, Segment, Store, pieces};

/// A store that is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(RwLock<Held>);

#[derive(Debug, Default)]
struct Held {
    segments: BTreeMap<Mnemonic, Vec<Arc<Segment>>>,
    dictionary: Dictionary,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn segments(&self, mnemonic: &Mnemonic) -> Vec<Arc<Segment>> {
        self.with(|held| held.segments.get(mnemonic).cloned().unwrap_or_default())
    }
}

impl Store for MemoryStore {
    fn headers(&self, mnemonic: &Mnemonic) -> Result<Vec<Header>> {
        Ok(self.segments(mnemonic).iter().map(|segment| segment.about.header).collect())
    }

    fn rows(&self, mnemonic: &Mnemonic, header: &Header) -> Result<usize> {
        let segments = self.segments(mnemonic);
        let found = segments.iter().find(|segment| segment.about.header == *header);
        Ok(found.map_or(0, |segment| segment.samples.len()))
    }

    fn read(&self, mnemonic: &Mnemonic, range: TimeRange) -> Result<Reading> {
        let segments = self.segments(mnemonic);
        let headers: Vec<Header> = segments.iter().map(|segment| segment.about.header).collect();
        let rows = |at: usize| Some(segments[at].samples.len());
        pieces::read(&headers, rows, range, |at| Ok(Arc::clone(&segments[at])))
    }

    fn outline(&self, mnemonic: &Mnemonic, range: TimeRange) -> Result<Outline> {
        let segments = self.segments(mnemonic);
        let headers: Vec<Header> = segments.iter().map(|segment| segment.about.header).collect();
        pieces::outline(&headers, range, |at| Ok(Arc::clone(&segments[at])))
    }

    fn commit(&self, segment: Segment) -> Result<()> {
        self.change(|held| {
            held.segments.entry(segment.mnemonic.clone()).or_default().push(Arc::new(segment));
        });
        Ok(())
    }

    fn dictionary(&self) -> Result<Dictionary> {
        Ok(self.with(|held| held.dictionary.clone()))
    }

    fn learn(&self, entries: Dictionary) -> Result<()> {
        self.change(|held| crate::dictionary_file::merge(&mut held.dictionary, &entries));
        Ok(())
    }

    fn mnemonics(&self) -> Result<Vec<Mnemonic>> {
        Ok(self.with(|held| held.segments.keys().cloned().collect()))
    }
}
