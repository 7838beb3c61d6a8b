//! Source and store as one object.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edb_core::{
    Dictionary, DictionaryEntry, Error, ErrorKind, Instant, Mnemonic, Notice, NoticeKind, Request, Result,
    Series, Source, TimeRange,
};
use edb_fetch::{Event, Failure, retrieve, windows};
use edb_store::{Segment, Store};
use futures_util::StreamExt;

/// How an [`Archive`] works.
#[derive(Debug, Clone)]
pub struct ArchiveOptions {
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// How long telemetry may still be arriving: younger coverage is provisional.
    pub settle: Duration,
    /// Ask the source for everything, known or not.
    pub refresh: bool,
    /// Mnemonics that the user states to be change-only.
    pub change_only: Vec<Mnemonic>,
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self { concurrency: 8, settle: Duration::from_hours(168), refresh: false, change_only: Vec::new() }
    }
}

/// A source of samples and the store that remembers them.
#[derive(Clone)]
pub struct Archive {
    source: Option<Arc<dyn Source>>,
    store: Arc<dyn Store>,
    options: ArchiveOptions,
}

/// What came of a retrieval.
#[derive(Debug)]
pub struct Retrieved {
    /// One series for each request, in their order; overlapping requests of one mnemonic are one series.
    pub series: Vec<Series>,
    /// Facts about the data.
    pub notices: Vec<Notice>,
    /// What could not be fetched, and why; the rest was.
    pub failures: Vec<Failure>,
    /// How many answers the source gave.
    pub answers: usize,
    /// How many samples came over the network.
    pub rows_fetched: usize,
    /// Where the samples came from, without secrets.
    pub sources: Vec<String>,
}

impl Retrieved {
    /// The retrieval, unless nothing at all came of it.
    ///
    /// # Errors
    /// The error that stands for all failures, that of the first window that was tried, if nothing is known of what was asked.
    pub fn or_cause(mut self) -> Result<Self> {
        let is_nothing = self.series.iter().all(|series| series.known.is_empty());
        match self.failures.iter().position(|failure| failure.was_tried) {
            Some(first) if is_nothing => Err(self.failures.swap_remove(first).error),
            _ => Ok(self),
        }
    }
}

impl Archive {
    /// Joins a source, or none to stay offline, and a store.
    pub fn new(source: Option<Arc<dyn Source>>, store: Arc<dyn Store>, options: ArchiveOptions) -> Self {
        Self { source, store, options }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Fetches what the store does not know of `requests`, keeps it, and reads everything back.
    ///
    /// A window that cannot be fetched does not fail the rest: it is listed in [`Retrieved::failures`], and its range is
    /// missing from [`Series::known`]. `now` is the present; `on_event` is told of each window.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a range that starts in the future; [`ErrorKind::UnknownMnemonic`] before anything is
    /// fetched; [`ErrorKind::Disk`] and [`ErrorKind::Integrity`] from the store.
    pub async fn retrieve(
        &self,
        requests: &[Request],
        now: Instant,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<Retrieved> {
        let requests = merge(requests);
        if let Some(future) = requests.iter().find(|request| request.range.start() > now) {
            return Err(Error::usage(format!(
                "could not ask for {future}: it starts in the future (now is {now})"
            ))
            .with_hint("choose a start that has been"));
        }
        let mnemonics: Vec<&Mnemonic> = requests.iter().map(|request| &request.mnemonic).collect();
        let mut notices = Vec::new();
        let dictionary = self.describe(&mnemonics, &mut notices).await?;
        let fetched = self.fetch_gaps(&requests, now, &mut notices, on_event).await?;
        let mut retrieved = Retrieved {
            series: Vec::new(),
            notices,
            failures: fetched.failures,
            answers: fetched.answers,
            rows_fetched: fetched.rows,
            sources: Vec::new(),
        };
        for request in requests {
            let store = Arc::clone(&self.store);
            let (mnemonic, range) = (request.mnemonic.clone(), request.range);
            let reading = blocking(move || store.read(&mnemonic, range))
                .await
                .map_err(|error| error.while_doing(format!("could not read {request} from the store")))?;
            let mut about = dictionary
                .get(&request.mnemonic)
                .cloned()
                .unwrap_or_else(|| DictionaryEntry::bare(request.mnemonic.clone()));
            about.sql_type = Some(reading.samples.sql_type().clone())
                .filter(|_| !reading.samples.is_empty())
                .or(about.sql_type);
            if self.options.change_only.contains(&about.mnemonic) {
                about.all_points = Some(false);
            }
            for source in reading.sources {
                if !retrieved.sources.contains(&source) {
                    retrieved.sources.push(source);
                }
            }
            let series = Series {
                about,
                range,
                samples: reading.samples,
                leading: reading.leading,
                trailing: reading.trailing,
                known: reading.known,
            };
            let unknown = series.unknown();
            if !unknown.is_empty() {
                let spans: Vec<String> = unknown.iter().map(ToString::to_string).collect();
                let text = format!("nothing is known in {}", spans.join(", "));
                retrieved.notices.push(Notice::about(NoticeKind::NotKnown, series.mnemonic(), text));
            }
            retrieved.series.push(series);
        }
        Ok(retrieved)
    }

    async fn fetch_gaps(
        &self,
        requests: &[Request],
        now: Instant,
        notices: &mut Vec<Notice>,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<edb_fetch::Retrieval> {
        let Some(source) = &self.source else { return Ok(edb_fetch::Retrieval::default()) };
        let settle_us = i64::try_from(self.options.settle.as_micros()).unwrap_or(i64::MAX);
        let mut asks = Vec::new();
        for request in requests {
            let gaps = if self.options.refresh {
                vec![request.range]
            } else {
                self.store.gaps(&request.mnemonic, request.range, now, settle_us)?
            };
            let ask = |range: TimeRange| Request { mnemonic: request.mnemonic.clone(), range };
            asks.extend(gaps.into_iter().map(ask));
        }
        let store = Arc::clone(&self.store);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (tell, name) = (Arc::clone(&heard), source.name());
        let deliver = move |mut answer: edb_core::Answer| {
            // An open end is told by what is then not known, better than by each answer that ran into it.
            answer.notices.retain(|notice| notice.kind == NoticeKind::OutOfOrder);
            tell.lock().unwrap_or_else(PoisonError::into_inner).append(&mut answer.notices);
            match Segment::from_answer(answer, now, settle_us, &name) {
                Some(segment) => store.commit(segment),
                None => Ok(()),
            }
        };
        let retrieval =
            retrieve(Arc::clone(source), windows(&asks), self.options.concurrency, deliver, on_event).await?;
        notices.append(&mut heard.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(retrieval)
    }

    /// What is known about `mnemonics`: from the store, and for those it does not know from the source.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownMnemonic`] with the nearest names if a dictionary was reached and does not have one of them.
    pub async fn describe(&self, mnemonics: &[&Mnemonic], notices: &mut Vec<Notice>) -> Result<Dictionary> {
        let mut known = self.store.dictionary()?;
        let mut missing: Vec<&Mnemonic> =
            mnemonics.iter().filter(|mnemonic| known.get(mnemonic).is_none()).copied().collect();
        missing.sort();
        missing.dedup();
        let Some(source) = &self.source else {
            let held = self.store.mnemonics()?;
            let unknown: Vec<&Mnemonic> =
                missing.into_iter().filter(|mnemonic| held.binary_search(mnemonic).is_err()).collect();
            let all = held.into_iter().map(DictionaryEntry::bare).chain(known.iter().cloned()).collect();
            refuse_unknown(&unknown, &all, "the store")?;
            return Ok(known);
        };
        let looked_up: Vec<(&Mnemonic, Result<Dictionary>)> = futures_util::stream::iter(missing)
            .map(|mnemonic| async move { (mnemonic, source.dictionary(Some(mnemonic)).await) })
            .buffer_unordered(self.options.concurrency.max(1))
            .collect()
            .await;
        let mut learnt = Dictionary::default();
        let mut unknown = Vec::new();
        for (mnemonic, answer) in looked_up {
            match answer {
                Ok(answer) => match answer.get(mnemonic) {
                    Some(entry) => learnt.insert(entry.clone()),
                    None => unknown.push(mnemonic),
                },
                // Without a dictionary telemetry can still be had, only without units.
                Err(error) => {
                    let text = format!("its description and unit are not known: {}", error.chain());
                    notices.push(Notice::about(NoticeKind::NotKnown, mnemonic, text));
                }
            }
        }
        if !unknown.is_empty() {
            unknown.sort();
            let all = source.dictionary(None).await.unwrap_or_default();
            refuse_unknown(&unknown, &all, &source.name())?;
        }
        if !learnt.is_empty() {
            for entry in learnt.iter() {
                known.insert(entry.clone());
            }
            self.store.learn(learnt)?;
        }
        Ok(known)
    }

    /// The whole dictionary: the source's, or offline the store's.
    ///
    /// # Errors
    /// As the source's or the store's own.
    pub async fn dictionary(&self) -> Result<Dictionary> {
        if let Some(source) = &self.source {
            source.dictionary(None).await
        } else {
            let bare = self.store.mnemonics()?.into_iter().map(DictionaryEntry::bare);
            let known = self.store.dictionary()?;
            Ok(bare.chain(known.iter().cloned()).collect())
        }
    }
}

fn refuse_unknown(unknown: &[&Mnemonic], all: &Dictionary, place: &str) -> Result<()> {
    let Some(first) = unknown.first() else { return Ok(()) };
    let names: Vec<String> = unknown.iter().map(|mnemonic| format!("`{mnemonic}`")).collect();
    let error =
        Error::new(ErrorKind::UnknownMnemonic, format!("{} does not know {}", place, names.join(", ")));
    let near: Vec<String> = all.nearest(first).iter().map(ToString::to_string).collect();
    Err(if near.is_empty() {
        error.with_hint("look names up with `edb search`")
    } else {
        error.with_hint(format!("for `{first}` try {}", near.join(", ")))
    })
}

/// Overlapping or touching ranges of one mnemonic become one; the order of first appearance stays.
fn merge(requests: &[Request]) -> Vec<Request> {
    let mut merged: Vec<Request> = Vec::new();
    for request in requests {
        let mut joined = request.clone();
        // Joining may make the range touch another one, so all are looked at again until nothing changes.
        let mut place = merged.len();
        while let Some(at) = merged.iter().position(|known| {
            known.mnemonic == joined.mnemonic
                && known.range.start() <= joined.range.stop()
                && joined.range.start() <= known.range.stop()
        }) {
            joined.range = joined.range.hull(merged.remove(at).range);
            place = at;
        }
        merged.insert(place.min(merged.len()), joined);
    }
    merged
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Unclassified, "could not read the store").caused_by(error))?
}
