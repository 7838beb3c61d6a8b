//! What a store knows after a fetch, read back piece by piece.

use edb_core::{Coverage, Dictionary, Error, Notice, Request, Result, Series};
use edb_fetch::Retrieval;

use crate::archive::{Archive, Retrieved, not_in_store, not_known, of};

/// What was fetched, and lies in the store.
pub struct Fetched {
    archive: Archive,
    dictionary: Dictionary,
    known: Vec<(Request, Coverage)>,
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
            if archive.source().is_none() {
                failures.extend(unknown.iter().map(|range| not_in_store(mnemonic, *range)));
            }
            let (begin, end) = (of(&retrieval.begins, mnemonic), of(&retrieval.ends, mnemonic));
            notices.extend(not_known(mnemonic, &unknown, begin, end));
            all.push((request, known));
        }
        let retrieved =
            Retrieved { notices, delivered: retrieval.delivered, failures, ..Retrieved::default() };
        Ok(Self { archive, dictionary, known: all, retrieved })
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

    /// As [`Retrieved::take_cause`].
    pub fn take_cause(&mut self) -> Option<Error> {
        let is_nothing = self.known.iter().all(|(_, known)| known.is_empty());
        if is_nothing { self.retrieved.take_first() } else { None }
    }
}
