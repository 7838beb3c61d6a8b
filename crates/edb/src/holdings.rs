//! What a server can serve.

use edb_core::{
    Dictionary, DictionaryEntry, Error, ErrorKind, Instant, MemorySource, Mnemonic, Result, Samples, SqlType,
    TimeRange,
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
    /// Before the first and after the last instant that the store knows of a mnemonic its archive begins and ends. A hole
    /// between them is refused: an answer across it would prove that nothing happened there.
    fn rows(&self, mnemonic: &Mnemonic, first: Instant, last: Instant) -> Result<Samples> {
        let nothing = Samples::empty(SqlType::Varchar);
        let Some(range) = TimeRange::checked(first, last.plus_micros(1)) else { return Ok(nothing) };
        let known = self.known(mnemonic)?;
        let (Some(start), Some(stop)) = (known.ranges().first(), known.ranges().last()) else {
            return Ok(nothing);
        };
        let (start, stop) = (start.start(), stop.stop());
        if let Some(inside) = TimeRange::checked(range.start().max(start), range.stop().min(stop))
            && let Some(hole) = known.gaps(inside).first()
        {
            return Err(Error::new(
                ErrorKind::Empty,
                format!("the store does not know {mnemonic} in {hole}"),
            )
            .with_hint("ask for ranges on one side of the hole, or fill it"));
        }
        // Beyond an end the store's last or first sample still is the bracket.
        let reached = TimeRange::checked(
            range.start().clamp(start, stop.plus_micros(-1)),
            range.stop().clamp(start.plus_micros(1), stop),
        );
        let Some(reached) = reached else { return Ok(nothing) };
        let reading = self.read(mnemonic, reached)?;
        let rows = reading.samples.clone().cut(range);
        // Where the range reaches beyond an end, the nearest sample outside it is among those read.
        let before = reading.samples.iter().take_while(|sample| sample.time < first).last();
        let after = reading.samples.iter().find(|sample| sample.time > last);
        let leading = before.or(reading.leading).filter(|sample| sample.time < first);
        let trailing = after.or(reading.trailing).filter(|sample| sample.time > last);
        rows.with_brackets(leading.as_ref(), trailing.as_ref())
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
