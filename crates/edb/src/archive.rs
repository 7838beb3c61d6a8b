//! Source and store as one object.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edb_core::{
    Answer, Coverage, Dictionary, DictionaryEntry, Error, ErrorKind, Instant, MICROS_PER_DAY, Mnemonic,
    Notice, NoticeKind, Request, Result, Series, Source, TimeRange,
};
use edb_fetch::{Event, Failure, Limits, Plan, Progress, Rate, Retrieval, RetrieveOptions, retrieve};
use edb_store::{Reading, Segment, Store};
use futures_util::StreamExt;

use crate::dictionary::{DictionaryCache, KeptDictionary, refuse_unknown};
use crate::fetched::Fetched;
use crate::keep::keep;

/// Mnemonics up to which each is looked up by itself rather than in the whole dictionary, where that is not at hand.
const MOST_LOOKUPS: usize = 8;

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
    /// When to stop fetching although not everything has come.
    pub limits: Limits,
    /// Whether the store is all there is: what an archive of files does not know is missing from none of them.
    pub is_whole: bool,
    /// Where the source's whole dictionary is kept between runs; without it each name is looked up.
    pub dictionary: Option<DictionaryCache>,
}

impl Default for ArchiveOptions {
    fn default() -> Self {
        Self {
            concurrency: 8,
            settle: Duration::from_hours(168),
            refresh: false,
            change_only: Vec::new(),
            limits: Limits::default(),
            is_whole: false,
            dictionary: None,
        }
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
#[derive(Debug, Default)]
pub struct Retrieved {
    /// One series for each request, in their order; overlapping requests of one mnemonic are one series.
    pub series: Vec<Series>,
    /// Facts about the data.
    pub notices: Vec<Notice>,
    /// What came over the network, one entry for each mnemonic that was asked about.
    pub delivered: Vec<Progress>,
    /// What could not be fetched, why, and after how many tries; the rest was.
    pub failures: Vec<Failure>,
    /// Where the samples came from, without secrets.
    pub sources: Vec<String>,
}

impl Retrieved {
    /// How many answers the source gave.
    pub fn answers(&self) -> usize {
        self.delivered.iter().map(|one| one.answers).sum()
    }

    /// How many samples came over the network.
    pub fn rows_fetched(&self) -> usize {
        self.delivered.iter().map(|one| one.rows).sum()
    }

    /// Takes out the error that stands for all failures, if nothing at all is known of what was asked.
    pub fn take_cause(&mut self) -> Option<Error> {
        let is_nothing = self.series.iter().all(|series| series.known.is_empty());
        if is_nothing { self.take_first() } else { None }
    }

    /// Takes out the error of the failure that was tried first.
    pub(crate) fn take_first(&mut self) -> Option<Error> {
        if self.failures.is_empty() {
            return None;
        }
        // Where none was tried, the dictionary had been asked before, and had failed for all.
        let first = self.failures.iter().position(Failure::was_tried).unwrap_or(0);
        let Failure { wanted, error } = self.failures.swap_remove(first);
        // What was tried says so itself.
        Some(if error.tries() > 0 { error } else { error.while_doing(format!("could not get {wanted}")) })
    }

    /// The retrieval, unless nothing at all came of it.
    ///
    /// # Errors
    /// [`take_cause`](Self::take_cause).
    pub fn or_cause(mut self) -> Result<Self> {
        match self.take_cause() {
            Some(cause) => Err(cause),
            None => Ok(self),
        }
    }

    /// The exit code that the failures ask for: 0 without any, that of a limit if nothing else stopped it.
    pub fn exit_code(&self) -> u8 {
        exit_code(&self.failures)
    }
}

fn exit_code(failures: &[Failure]) -> u8 {
    let is_limit = |failure: &Failure| failure.error.kind() == ErrorKind::Limit;
    match failures {
        [] => 0,
        failures if failures.iter().all(is_limit) => ErrorKind::Limit.exit_code(),
        _ => ErrorKind::Partial.exit_code(),
    }
}

/// What came of bringing a store up to date.
#[derive(Debug, Default)]
pub struct Synced {
    /// What was asked, overlapping requests of one mnemonic joined, and what of it is known now.
    pub known: Vec<(Request, Coverage)>,
    /// Facts about the data.
    pub notices: Vec<Notice>,
    /// What came over the network, one entry for each mnemonic that was asked about.
    pub delivered: Vec<Progress>,
    /// What could not be fetched, why, and after how many tries; the rest was.
    pub failures: Vec<Failure>,
    /// Where the samples came from, without secrets.
    pub source: String,
}

impl Synced {
    /// The exit code that the failures ask for: 0 without any, that of a limit if nothing else stopped it, that of the reason if
    /// nothing at all came.
    pub fn exit_code(&self) -> u8 {
        let came = self.delivered.iter().any(|part| part.answers > 0);
        match self.failures.first() {
            Some(first) if !came && self.known.iter().all(|(_, known)| known.is_empty()) => {
                first.error.kind().exit_code()
            }
            _ => exit_code(&self.failures),
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

    /// The source, unless the archive is offline.
    pub fn source(&self) -> Option<&Arc<dyn Source>> {
        self.source.as_ref()
    }

    /// Whether what the store does not know could be had elsewhere.
    pub(crate) fn is_missing_something(&self) -> bool {
        self.source.is_none() && !self.options.is_whole
    }

    /// The source that a store is brought up to date from.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if the archive is offline.
    pub fn required_source(&self) -> Result<&Arc<dyn Source>> {
        self.source.as_ref().ok_or_else(|| {
            Error::usage("could not bring a store up to date from itself")
                .with_hint("leave `--source store` out, or name a service")
        })
    }

    /// Fetches what the store does not know of `requests`, keeps it, and reads everything back.
    ///
    /// What cannot be fetched does not fail the rest: it is listed in [`Retrieved::failures`], and its range is missing from
    /// [`Series::known`]. `now` is the present; `on_event` is told what happens.
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
        let mut fetched = self.fetch(requests, now, on_event).await?;
        let mut series = Vec::new();
        for at in 0..fetched.known().len() {
            series.push(fetched.read(at).await?);
        }
        Ok(Retrieved { series, ..fetched.retrieved })
    }

    /// Fetches what the store does not know of `requests`, and keeps it. What comes of it is read back one request at a time
    /// ([`Fetched::read`]), so that not all of it need be in memory.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve).
    pub async fn fetch(
        &self,
        requests: &[Request],
        now: Instant,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<Fetched> {
        let requests = merge(requests);
        refuse_future(&requests, now)?;
        let mnemonics: Vec<&Mnemonic> = requests.iter().map(|request| &request.mnemonic).collect();
        let mut notices = Vec::new();
        let dictionary = self.describe(&mnemonics, now, &mut notices).await?;
        let retrieval = self.fill(&requests, now, &mut notices, on_event).await?;
        Fetched::new(self.clone(), requests, dictionary, retrieval, notices)
    }

    /// Fetches what the store does not know of `requests`, and says what it knows then. No sample is read back, so that memory is
    /// bounded by what is under way, however much comes.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve); [`ErrorKind::Usage`] if the archive is offline.
    pub async fn sync(
        &self,
        requests: &[Request],
        now: Instant,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<Synced> {
        let source = self.required_source()?;
        let requests = merge(requests);
        refuse_future(&requests, now)?;
        let mnemonics: Vec<&Mnemonic> = requests.iter().map(|request| &request.mnemonic).collect();
        let mut notices = Vec::new();
        self.describe(&mnemonics, now, &mut notices).await?;
        let retrieval = self.fill(&requests, now, &mut notices, on_event).await?;
        let mut synced = Synced { source: source.name(), ..Synced::default() };
        for request in requests {
            let mnemonic = &request.mnemonic;
            let known = self.store.known(mnemonic)?.within(request.range);
            let unknown = known.gaps(request.range);
            let (begin, end) = (of(&retrieval.begins, mnemonic), of(&retrieval.ends, mnemonic));
            notices.extend(not_known(mnemonic, &unknown, begin, end));
            synced.known.push((request, known));
        }
        synced.notices = notices;
        synced.delivered = retrieval.delivered;
        synced.failures = retrieval.failures;
        Ok(synced)
    }

    /// Fetches what the store does not know of `requests`, and keeps it. Memory is bounded by what is under way.
    ///
    /// Names and ranges are taken as they are: [`retrieve`](Self::retrieve) refuses what is unknown or in the future.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] and [`ErrorKind::Integrity`] from the store.
    pub async fn fill(
        &self,
        requests: &[Request],
        now: Instant,
        notices: &mut Vec<Notice>,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<Retrieval> {
        let Some(source) = &self.source else { return Ok(Retrieval::default()) };
        let settle_us = self.settle_us();
        let asks = self.missing(requests, now)?;
        let store = Arc::clone(&self.store);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (tell, name, replace) = (Arc::clone(&heard), source.name(), self.options.refresh);
        let dictionary = if asks.is_empty() { Dictionary::default() } else { self.store.dictionary()? };
        let deliver = move |mut answer: Answer| {
            // An open end is told by what is then not known, better than by each answer that ran into it.
            answer.notices.retain(|notice| notice.kind == NoticeKind::OutOfOrder);
            let mut notices = std::mem::take(&mut answer.notices);
            let unit = dictionary.get(&answer.mnemonic).map_or("", |entry| entry.unit.as_str());
            if let Some(segment) = Segment::from_answer(answer, now, &name, unit) {
                notices.append(&mut keep(store.as_ref(), segment, now, settle_us, replace)?.notices);
            }
            tell.lock().unwrap_or_else(PoisonError::into_inner).append(&mut notices);
            Ok(())
        };
        let options = RetrieveOptions {
            concurrency: self.options.concurrency,
            rates: self.rates(&asks)?,
            limits: self.options.limits,
        };
        let retrieval = retrieve(Arc::clone(source), &asks, &options, deliver, on_event).await?;
        notices.append(&mut heard.lock().unwrap_or_else(PoisonError::into_inner));
        for (mnemonic, count) in &retrieval.truncated {
            let text =
                format!("{count} answers were cut off without a word; what they lacked was asked for again");
            notices.push(Notice::about(NoticeKind::Truncated, mnemonic, text));
        }
        for (mnemonic, begin) in &retrieval.begins {
            let text = format!("the archive begins with the sample of {begin}");
            notices.push(Notice::about(NoticeKind::ArchiveBegin, mnemonic, text));
        }
        for (mnemonic, end) in &retrieval.ends {
            notices.push(if *end == Instant::MIN {
                let text = "the archive has no sample of it, at no time: two answers agree";
                Notice::about(NoticeKind::NoSamples, mnemonic, text)
            } else {
                let text = format!("the archive ends with the sample of {end}, as of now: two answers agree");
                Notice::about(NoticeKind::ArchiveEnd, mnemonic, text)
            });
        }
        Ok(retrieval)
    }

    /// What [`fill`](Self::fill) would ask for, and what that would take.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a range that starts in the future; [`ErrorKind::Disk`] from the store.
    pub fn plan(&self, requests: &[Request], now: Instant) -> Result<Plan> {
        let requests = merge(requests);
        refuse_future(&requests, now)?;
        let asks = if self.source.is_some() { self.missing(&requests, now)? } else { Vec::new() };
        let rates = self.rates(&asks)?;
        Ok(Plan::new(&asks, self.options.concurrency, |mnemonic| rates.get(mnemonic).copied()))
    }

    fn settle_us(&self) -> i64 {
        i64::try_from(self.options.settle.as_micros()).unwrap_or(i64::MAX)
    }

    /// The parts of `requests` that the store does not know.
    fn missing(&self, requests: &[Request], now: Instant) -> Result<Vec<Request>> {
        let mut asks = Vec::new();
        for request in requests {
            let gaps = if self.options.refresh {
                vec![request.range]
            } else {
                self.store.gaps(&request.mnemonic, request.range, now, self.settle_us())?
            };
            let ask = |range: TimeRange| Request { mnemonic: request.mnemonic.clone(), range };
            asks.extend(gaps.into_iter().map(ask));
        }
        Ok(asks)
    }

    /// What the store's segments tell about the rates of mnemonics that are asked for at length.
    fn rates(&self, asks: &[Request]) -> Result<HashMap<Mnemonic, Rate>> {
        let mut rates = HashMap::new();
        for ask in asks.iter().filter(|ask| ask.range.micros() > MICROS_PER_DAY) {
            if rates.contains_key(&ask.mnemonic) {
                continue;
            }
            let headers = self.store.headers(&ask.mnemonic)?;
            if let Some(longest) = headers.iter().max_by_key(|header| header.proven.micros()) {
                let rows = self.store.rows(&ask.mnemonic, longest)? as u64 + 1;
                rates.insert(ask.mnemonic.clone(), Rate { rows, span_us: longest.proven.micros() });
            }
        }
        Ok(rates)
    }

    pub(crate) async fn series(
        &self,
        request: &Request,
        dictionary: &Dictionary,
        sources: &mut Vec<String>,
    ) -> Result<Series> {
        let store = Arc::clone(&self.store);
        let (mnemonic, range) = (request.mnemonic.clone(), request.range);
        let reading =
            blocking(move || store.read(&mnemonic, range)).await.map_err(|error| unread(request, error))?;
        for source in &reading.sources {
            if !sources.contains(source) {
                sources.push(source.clone());
            }
        }
        Ok(self.formed(request, dictionary, reading))
    }

    /// What `request` came to, read on this thread.
    pub(crate) fn series_here(&self, request: &Request, dictionary: &Dictionary) -> Result<Series> {
        let reading = self.store.read(&request.mnemonic, request.range);
        Ok(self.formed(request, dictionary, reading.map_err(|error| unread(request, error))?))
    }

    fn formed(&self, request: &Request, dictionary: &Dictionary, reading: Reading) -> Series {
        let mut about = self.entry(&request.mnemonic, dictionary);
        about.sql_type = Some(reading.samples.sql_type().clone())
            .filter(|_| !reading.samples.is_empty())
            .or(about.sql_type);
        Series {
            about,
            range: request.range,
            samples: reading.samples,
            leading: reading.leading,
            trailing: reading.trailing,
            known: reading.known,
            learned: None,
        }
    }

    /// What the dictionary says about a mnemonic, and the user.
    pub(crate) fn entry(&self, mnemonic: &Mnemonic, dictionary: &Dictionary) -> DictionaryEntry {
        let known = dictionary.get(mnemonic).cloned();
        let mut about = known.unwrap_or_else(|| DictionaryEntry::bare(mnemonic.clone()));
        if self.options.change_only.contains(mnemonic) {
            about.all_points = Some(false);
        }
        about
    }

    /// What is known about `mnemonics`: from the store, then from the dictionary that is kept between runs, then from the
    /// source.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownMnemonic`] with the nearest names if a dictionary was reached and does not have one of them.
    pub async fn describe(
        &self,
        mnemonics: &[&Mnemonic],
        now: Instant,
        notices: &mut Vec<Notice>,
    ) -> Result<Dictionary> {
        let mut known = self.store.dictionary()?;
        let mut missing: Vec<&Mnemonic> =
            mnemonics.iter().filter(|mnemonic| known.get(mnemonic).is_none()).copied().collect();
        missing.sort();
        missing.dedup();
        let Some(source) = &self.source else {
            let held = self.store.mnemonics()?;
            let unknown = missing.into_iter().filter(|mnemonic| held.binary_search(mnemonic).is_err());
            let all: Dictionary =
                held.iter().cloned().map(DictionaryEntry::bare).chain(known.iter().cloned()).collect();
            refuse_unknown(unknown, &all.into(), "the store")?;
            return Ok(known);
        };
        if missing.is_empty() {
            return Ok(known);
        }
        let mut learnt = Dictionary::default();
        let mut unknown = Vec::new();
        if self.options.dictionary.is_some() || missing.len() > MOST_LOOKUPS {
            match self.whole_dictionary(source, &missing, now).await {
                Ok(all) => {
                    notices.extend(all.notices);
                    missing.iter().for_each(|mnemonic| match all.dictionary.get(mnemonic) {
                        Some(entry) => learnt.insert(entry.clone()),
                        None => unknown.push(*mnemonic),
                    });
                }
                Err(error) => notices.push(undescribed(None, &error)),
            }
        } else {
            let looked_up: Vec<(&Mnemonic, Result<Dictionary>)> = futures_util::stream::iter(missing)
                .map(|mnemonic| async move { (mnemonic, source.dictionary(Some(mnemonic)).await) })
                .buffer_unordered(self.options.concurrency.max(1))
                .collect()
                .await;
            for (mnemonic, answer) in looked_up {
                match answer {
                    Ok(answer) => match answer.get(mnemonic) {
                        Some(entry) => learnt.insert(entry.clone()),
                        None => unknown.push(mnemonic),
                    },
                    Err(error) => notices.push(undescribed(Some(mnemonic), &error)),
                }
            }
        }
        if !unknown.is_empty() {
            let all = self.dictionary(now).await.unwrap_or_default();
            refuse_unknown(unknown.into_iter(), &all, &source.name())?;
        }
        if !learnt.is_empty() {
            for entry in learnt.iter() {
                known.insert(entry.clone());
            }
            self.store.learn(learnt)?;
        }
        Ok(known)
    }

    /// The whole dictionary of the source; a kept one only if it has all of `wanted`, since names are added to it.
    async fn whole_dictionary(
        &self,
        source: &Arc<dyn Source>,
        wanted: &[&Mnemonic],
        now: Instant,
    ) -> Result<KeptDictionary> {
        match &self.options.dictionary {
            Some(cache) => cache.get(source.as_ref(), wanted, now).await,
            None => source.dictionary(None).await.map(KeptDictionary::from),
        }
    }

    /// The whole dictionary: the source's, or offline the store's.
    ///
    /// # Errors
    /// As the source's or the store's own.
    pub async fn dictionary(&self, now: Instant) -> Result<KeptDictionary> {
        if let Some(source) = &self.source {
            self.whole_dictionary(source, &[], now).await
        } else {
            let bare = self.store.mnemonics()?.into_iter().map(DictionaryEntry::bare);
            let known = self.store.dictionary()?;
            Ok(bare.chain(known.iter().cloned()).collect::<Dictionary>().into())
        }
    }
}

fn unread(request: &Request, error: Error) -> Error {
    error.while_doing(format!("could not read {request} from the store"))
}

fn refuse_future(requests: &[Request], now: Instant) -> Result<()> {
    match requests.iter().find(|request| request.range.start() > now) {
        None => Ok(()),
        Some(future) => {
            Err(Error::usage(format!("could not ask for {future}: it starts in the future (now is {now})"))
                .with_hint("choose a start that has been"))
        }
    }
}

/// Without a dictionary telemetry can still be had, only without units.
fn undescribed(mnemonic: Option<&Mnemonic>, error: &Error) -> Notice {
    let text = |what: &str| format!("{what} not known: {}", error.chain());
    match mnemonic {
        Some(mnemonic) => Notice::about(NoticeKind::NotKnown, mnemonic, text("its description and unit are")),
        None => Notice::general(NoticeKind::NotKnown, text("descriptions and units are")),
    }
}

/// The instant that is told of a mnemonic.
pub(crate) fn of(known: &[(Mnemonic, Instant)], mnemonic: &Mnemonic) -> Option<Instant> {
    known.iter().find(|(known, _)| known == mnemonic).map(|(_, instant)| *instant)
}

/// What an archive without a source cannot give.
pub(crate) fn not_in_store(mnemonic: &Mnemonic, range: TimeRange) -> Failure {
    let error = Error::new(ErrorKind::Disk, "the store does not know it, and no service was to be asked")
        .with_hint("fetch it with `edb sync`, or leave `--source store` out")
        .with_tries(0);
    Failure { wanted: Request { mnemonic: mnemonic.clone(), range }, error }
}

/// The notice about what is not known of a mnemonic. What lies before the archive's beginning and beyond its end has notices of
/// its own.
pub(crate) fn not_known(
    mnemonic: &Mnemonic,
    unknown: &[TimeRange],
    begin: Option<Instant>,
    end: Option<Instant>,
) -> Option<Notice> {
    let may_hold = |range: &&TimeRange| {
        begin.is_none_or(|begin| range.stop() > begin) && end.is_none_or(|end| range.start() <= end)
    };
    let spans: Vec<String> = unknown.iter().filter(may_hold).map(ToString::to_string).collect();
    let text = format!("nothing is known in {}", spans.join(", "));
    (!spans.is_empty()).then(|| Notice::about(NoticeKind::NotKnown, mnemonic, text))
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
