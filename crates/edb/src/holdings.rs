//! What a server can serve.

use edb_core::{
    Dictionary, DictionaryEntry, Instant, MemorySource, Mnemonic, Result, Samples, SqlType, TimeRange,
};
use edb_store::{DiskStore, Store};

/// An archive that can be asked for the very rows that the EDB service would send.
pub trait Holdings: Send + Sync {
    /// The rows from `first` to `last`, inclusive at both ends, with one before and one after where they are known. None for
    /// an unknown mnemonic.
    ///
    /// # Errors
    /// As the store's own.
    fn rows(&self, mnemonic: &Mnemonic, first: Instant, last: Instant) -> Result<Samples>;

    /// The dictionary: of `only` (empty if it is unknown), or all of it.
    ///
    /// # Errors
    /// As the store's own.
    fn dictionary(&self, only: Option<&Mnemonic>) -> Result<Dictionary>;
}

impl Holdings for MemorySource {
    fn rows(&self, mnemonic: &Mnemonic, first: Instant, last: Instant) -> Result<Samples> {
        Ok(Self::rows(self, mnemonic, first, last))
    }

    fn dictionary(&self, only: Option<&Mnemonic>) -> Result<Dictionary> {
        Ok(match only {
            Some(mnemonic) => self.entries().get(mnemonic).cloned().into_iter().collect(),
            None => self.entries().clone(),
        })
    }
}

impl Holdings for DiskStore {
    fn rows(&self, mnemonic: &Mnemonic, first: Instant, last: Instant) -> Result<Samples> {
        let Some(range) = TimeRange::checked(first, last.plus_micros(1)) else {
            return Ok(Samples::empty(SqlType::Varchar));
        };
        let reading = self.read(mnemonic, range)?;
        let samples = if reading.samples.is_empty() && reading.known.is_empty() {
            Samples::empty(SqlType::Varchar)
        } else {
            reading.samples
        };
        let kind = samples.values().kind();
        let fits = |sample: &&edb_core::Sample| match sample.value {
            edb_core::Value::Null => true,
            edb_core::Value::Real(_) => kind == edb_core::ValueKind::Real,
            edb_core::Value::Integer(_) => kind == edb_core::ValueKind::Integer,
            edb_core::Value::Text(_) => kind == edb_core::ValueKind::Text,
        };
        samples.with_brackets(reading.leading.as_ref().filter(fits), reading.trailing.as_ref().filter(fits))
    }

    fn dictionary(&self, only: Option<&Mnemonic>) -> Result<Dictionary> {
        let known = Store::dictionary(self)?;
        let bare = self.mnemonics()?.into_iter().map(DictionaryEntry::bare);
        let all: Dictionary = bare.chain(known.iter().cloned()).collect();
        Ok(match only {
            Some(mnemonic) => all.get(mnemonic).cloned().into_iter().collect(),
            None => all,
        })
    }
}
