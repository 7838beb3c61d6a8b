//! Segments for one run.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use edb_core::{Dictionary, Error, ErrorKind, Mnemonic, Result};

use crate::{Header, Segment, Store};

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
}

impl Store for MemoryStore {
    fn headers(&self, mnemonic: &Mnemonic) -> Result<Vec<Header>> {
        Ok(self.with(|held| {
            held.segments.get(mnemonic).into_iter().flatten().map(|segment| segment.header).collect()
        }))
    }

    fn segment(&self, mnemonic: &Mnemonic, header: &Header) -> Result<Arc<Segment>> {
        self.with(|held| {
            let mut segments = held.segments.get(mnemonic).into_iter().flatten();
            segments.find(|segment| segment.header == *header).cloned()
        })
        .ok_or_else(|| {
            Error::new(ErrorKind::Unclassified, format!("no segment {} in memory", header.file_name()))
        })
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
