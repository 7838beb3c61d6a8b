//! Many mnemonics over many ranges at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use edb_core::{Answer, Error, ErrorKind, Instant, Mnemonic, Request, Result, Source, TimeRange, Traffic};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::body::blocking;
use crate::lane::{Lane, OverBudget, Told, Window};
use crate::plan::{ROW_BYTES, Rate};

/// How often the bytes are looked at, where they are limited, and how many more than expected are let pass.
const LOOK: Duration = Duration::from_millis(100);
const SLACK_BYTES: f64 = 1e6;
/// How long answers that were asked to end may take for it.
const GRACE: Duration = Duration::from_secs(2);

/// How to work through requests.
#[derive(Debug, Clone)]
pub struct RetrieveOptions {
    /// Windows under way at once. Memory is bounded by what they hold.
    pub concurrency: usize,
    /// What earlier answers told about mnemonics.
    pub rates: HashMap<Mnemonic, Rate>,
    /// When to stop although not everything has come.
    pub limits: Limits,
}

impl Default for RetrieveOptions {
    fn default() -> Self {
        Self { concurrency: 8, rates: HashMap::new(), limits: Limits::default() }
    }
}

/// What one retrieval may take. What has come by then is kept, and asking again goes on from there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Bytes of answers.
    pub bytes: Option<u64>,
    /// Time.
    pub duration: Option<Duration>,
}

impl Limits {
    /// Ends when the time is up; never without a limit.
    pub(crate) async fn reached(&self) {
        match self.duration {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A mnemonic is going to be asked about.
    Planned(&'a Progress),
    /// A window was asked for.
    Asked(&'a Window),
    /// An answer was delivered.
    Answered(&'a Window, &'a Progress),
    /// A window took too long; less is asked for.
    Split(&'a Window, &'a Error),
    /// Something was given up.
    Failed(&'a Failure, &'a Progress),
}

/// How far one mnemonic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whose.
    pub mnemonic: Mnemonic,
    /// Length of what is requested of it.
    pub span_us: i64,
    /// How much of that is settled: proven, beyond the archive's end, or given up.
    pub done_us: i64,
    /// Samples so far, brackets not counted.
    pub rows: usize,
    /// Answers so far.
    pub answers: usize,
}

/// A range that was given up, and why.
#[derive(Debug)]
pub struct Failure {
    /// What was wanted.
    pub wanted: Request,
    /// Why, and after how many tries ([`Error::tries`]): none if something else that had failed stood for it.
    pub error: Error,
}

impl Failure {
    /// Whether it was asked at all.
    pub fn was_tried(&self) -> bool {
        self.error.tries() > 0
    }
}

/// What became of all requests.
#[derive(Debug, Default)]
pub struct Retrieval {
    /// What was delivered, one entry for each mnemonic in the order of the requests.
    pub delivered: Vec<Progress>,
    /// What was given up, in the same order and then by time.
    pub failures: Vec<Failure>,
    /// Mnemonics whose archive ends, as of now, before what was requested does: the time of the last row of all, or
    /// [`Instant::MIN`] if there is none. Two answers agree about each.
    pub ends: Vec<(Mnemonic, Instant)>,
    /// Mnemonics whose archive begins, as of now, after what was requested does: the time of the first row of all. There is no
    /// bracket before it.
    pub begins: Vec<(Mnemonic, Instant)>,
    /// Mnemonics of which answers were cut though nobody said so, and how many; what was missing was asked for again.
    pub truncated: Vec<(Mnemonic, usize)>,
}

impl Retrieval {
    /// Answers delivered.
    pub fn answers(&self) -> usize {
        self.delivered.iter().map(|one| one.answers).sum()
    }

    /// Samples delivered; brackets are not counted, nor are samples outside what was wanted, which an answer may prove too.
    pub fn rows(&self) -> usize {
        self.delivered.iter().map(|one| one.rows).sum()
    }
}

/// Asks `source` about all of `requests`, at most [`concurrency`](RetrieveOptions::concurrency) windows at a time, and hands
/// each answer to `deliver` on a thread that may block.
///
/// - Windows are sized by the rows that earlier answers let expect, and taken from the mnemonics in turn, so that a large
///   one does not keep small ones waiting. What an answer proves beyond its window is not asked for.
/// - An answer without trailing bracket is followed up by asking again from its last row on: rows that come then prove that
///   it was cut, and are delivered too; an answer that agrees proves that the archive ends there as of now.
///   Where that would be the same question, the last second that is requested is asked for: its bracket is the last row.
/// - An answer with rows and no bracket before them shows where the archive begins, as of now.
/// - What takes too long is asked for in halves.
/// - What fails leaves the rest alone and is listed. Refused credentials (401) end everything, since everything would be
///   refused.
///
/// # Errors
/// [`ErrorKind::Disk`] if `deliver` reports one: what comes next could not be kept either. What was delivered stays.
pub async fn retrieve(
    source: Arc<dyn Source>,
    requests: &[Request],
    options: &RetrieveOptions,
    deliver: impl Fn(Answer) -> Result<()> + Send + Sync + 'static,
    mut on_event: impl FnMut(Event<'_>),
) -> Result<Retrieval> {
    let mut work = Work::new(source, requests, options);
    for lane in &work.lanes {
        on_event(Event::Planned(&progress(lane)));
    }
    let deliver = Arc::new(deliver);
    let deadline = options.limits.reached();
    tokio::pin!(deadline);
    loop {
        while work.stop.is_none() && work.tasks.len() < options.concurrency.max(1) {
            let Some((at, window)) = work.next() else { break };
            on_event(Event::Asked(&window));
            let (source, deliver) = (Arc::clone(&work.source), Arc::clone(&deliver));
            let mut is_stopped = work.is_stopped.subscribe();
            work.tasks.spawn(async move {
                let answer = tokio::select! {
                    answer = source.answer(&window.wanted.mnemonic, window.asked()) => answer,
                    _ = is_stopped.wait_for(|is_stopped| *is_stopped) => return (at, window, None),
                };
                // What has come is delivered, whatever happens meanwhile, and accounted for.
                let told = match answer {
                    Ok(answer) => hand_over(&window, answer, deliver).await,
                    Err(error) => Err(error),
                };
                (at, window, Some(told))
            });
        }
        let joined = tokio::select! {
            joined = work.tasks.join_next() => joined,
            () = tokio::time::sleep(LOOK), if work.bytes_allowed.is_some() && work.stop.is_none() => {
                work.look_at_bytes();
                continue;
            }
            () = &mut deadline, if work.stop.is_none() => {
                work.end_for(limit_of_time());
                continue;
            }
            () = tokio::time::sleep(GRACE), if work.is_ending => {
                work.drop_all();
                continue;
            }
        };
        let (at, window, told) = match joined {
            None => break,
            Some(Ok((at, window, Some(told)))) => (at, window, told),
            // Cut off by a stop, and accounted for below; a panic is a defect and must not pass for one.
            Some(Ok((_, _, None))) => continue,
            Some(Err(error)) if error.is_cancelled() => continue,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        };
        work.take_in(at, &window, told, &mut on_event);
    }
    match work.broken.take() {
        Some(error) => Err(error),
        None => Ok(work.finish(&mut on_event)),
    }
}

struct Work {
    source: Arc<dyn Source>,
    lanes: Vec<Lane>,
    places: usize,
    /// The lane whose turn it is.
    turn: usize,
    /// `None` of a window that was not asked to the end.
    tasks: JoinSet<(usize, Window, Option<Result<Told>>)>,
    is_stopped: watch::Sender<bool>,
    /// Whether answers were asked to end, and may take a moment for it.
    is_ending: bool,
    bytes_allowed: Option<f64>,
    before: Traffic,
    /// Bytes expected of the windows under way.
    expected: HashMap<(usize, TimeRange), f64>,
    /// Why nothing more is asked.
    stop: Option<Error>,
    /// What comes cannot be kept any more.
    broken: Option<Error>,
    failures: Vec<(usize, Failure)>,
}

impl Work {
    fn new(source: Arc<dyn Source>, requests: &[Request], options: &RetrieveOptions) -> Self {
        let mut lanes: Vec<Lane> = Vec::new();
        let mut places: HashMap<&Mnemonic, usize> = HashMap::new();
        for request in requests {
            let at = *places.entry(&request.mnemonic).or_insert_with(|| {
                let known = options.rates.get(&request.mnemonic).copied();
                lanes.push(Lane::new(request.mnemonic.clone(), known));
                lanes.len() - 1
            });
            lanes[at].request(request.range);
        }
        Self {
            before: source.traffic(),
            source,
            lanes,
            places: options.concurrency,
            turn: 0,
            tasks: JoinSet::new(),
            is_stopped: watch::Sender::new(false),
            is_ending: false,
            bytes_allowed: options.limits.bytes.map(|bytes| bytes as f64),
            expected: HashMap::new(),
            stop: None,
            broken: None,
            failures: Vec::new(),
        }
    }

    /// Bytes so far.
    fn received(&self) -> f64 {
        self.source.traffic().bytes.saturating_sub(self.before.bytes) as f64
    }

    /// Stops if far more has come than the windows let expect.
    fn look_at_bytes(&mut self) {
        if self.bytes_allowed.is_some_and(|allowed| self.received() > allowed * 1.1 + SLACK_BYTES) {
            self.end_for(limit_of_bytes());
        }
    }

    /// The next window: of the lane whose turn it is, or the first after it that has one.
    fn next(&mut self) -> Option<(usize, Window)> {
        let traffic = self.source.traffic();
        let received = self.received();
        let rows = traffic.rows.saturating_sub(self.before.rows);
        let row_bytes = ROW_BYTES.max(received / rows.max(1) as f64).min(10.0 * ROW_BYTES);
        let budget_rows = self.bytes_allowed.map_or(f64::INFINITY, |allowed| {
            (allowed - received - self.expected.values().sum::<f64>()) / row_bytes
        });
        for _ in 0..self.lanes.len() {
            let at = self.turn;
            self.turn = (self.turn + 1) % self.lanes.len();
            match self.lanes[at].next(self.places, budget_rows) {
                Ok(Some(window)) => {
                    if self.bytes_allowed.is_some() {
                        let rows = self.lanes[at].sizing.rows_in(window.wanted.range.micros());
                        self.expected.insert((at, window.wanted.range), rows * row_bytes);
                    }
                    return Some((at, window));
                }
                Ok(None) => {}
                // What is under way may take less than was expected of it.
                Err(OverBudget) if !self.tasks.is_empty() => {}
                Err(OverBudget) => {
                    self.stop_for(limit_of_bytes());
                    return None;
                }
            }
        }
        None
    }

    fn take_in(
        &mut self,
        at: usize,
        window: &Window,
        told: Result<Told>,
        on_event: &mut impl FnMut(Event<'_>),
    ) {
        self.expected.remove(&(at, window.wanted.range));
        let lane = &mut self.lanes[at];
        match told {
            Ok(told) => {
                let result = lane.answered(window, &told);
                on_event(Event::Answered(window, &progress(lane)));
                if let Err(error) = result {
                    let wanted = lane.give_up();
                    self.fail(at, wanted, error, on_event);
                }
            }
            Err(error) if error.kind() == ErrorKind::Disk => {
                self.stop_for(error.retold("not tried: nothing can be kept any more").with_tries(0));
                self.broken.get_or_insert(error);
            }
            Err(error) if error.kind() == ErrorKind::TimedOut && error.tries() > 0 && lane.split(window) => {
                on_event(Event::Split(window, &error));
            }
            Err(error) => {
                let lost = lane.failed(window);
                // What was stopped under way was stopped for the same reason as all the rest.
                let error = match &self.stop {
                    Some(reason) if error.kind() == ErrorKind::Limit => reason.retold(reason.chain()),
                    _ => error,
                };
                let (kind, others) = (error.kind(), not_tried(&error));
                self.fail(at, lost, error, on_event);
                match kind {
                    // Everything else would be refused too.
                    ErrorKind::Unauthorized => self.stop_for(others),
                    ErrorKind::Forbidden => {
                        let lost = self.lanes[at].give_up();
                        self.fail(at, lost, others, on_event);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Asks nothing more, and drops what is under way.
    fn stop_for(&mut self, error: Error) {
        self.stop.get_or_insert(error);
        self.drop_all();
    }

    /// Asks nothing more, and takes what has come of the answers under way.
    fn end_for(&mut self, error: Error) {
        self.stop.get_or_insert(error);
        self.is_ending = true;
        self.source.stop();
    }

    fn drop_all(&mut self) {
        self.is_ending = false;
        self.is_stopped.send_replace(true);
    }

    /// Lists ranges as given up: the first with the error and its causes, the others with its words.
    fn fail(
        &mut self,
        at: usize,
        wanted: Vec<TimeRange>,
        error: Error,
        on_event: &mut impl FnMut(Event<'_>),
    ) {
        let words = error.retold(error.chain());
        let mut error = Some(error);
        for range in wanted {
            let wanted = Request { mnemonic: self.lanes[at].mnemonic.clone(), range };
            let error = error.take().unwrap_or_else(|| words.retold(words.to_string()));
            let failure = Failure { wanted, error };
            on_event(Event::Failed(&failure, &progress(&self.lanes[at])));
            self.failures.push((at, failure));
        }
    }

    fn finish(mut self, on_event: &mut impl FnMut(Event<'_>)) -> Retrieval {
        // Without a stop nothing is left; what were left all the same must not go unsaid.
        let never_asked =
            || Error::new(ErrorKind::Unclassified, "never asked: this is a defect").with_tries(0);
        let error = self.stop.take().unwrap_or_else(never_asked);
        for at in 0..self.lanes.len() {
            self.lanes[at].drop_taken();
            let left = self.lanes[at].give_up();
            self.fail(at, left, error.retold(error.chain()), on_event);
        }
        self.failures.sort_by_key(|(at, failure)| (*at, failure.wanted.range));
        let ends = self.lanes.iter().filter_map(|lane| Some((lane.mnemonic.clone(), lane.end()?)));
        let begins = self.lanes.iter().filter_map(|lane| Some((lane.mnemonic.clone(), lane.begin()?)));
        let truncated = self.lanes.iter().filter(|lane| lane.truncated > 0);
        Retrieval {
            delivered: self.lanes.iter().map(progress).collect(),
            ends: ends.collect(),
            begins: begins.collect(),
            truncated: truncated.map(|lane| (lane.mnemonic.clone(), lane.truncated)).collect(),
            failures: self.failures.into_iter().map(|(_, failure)| failure).collect(),
        }
    }
}

fn progress(lane: &Lane) -> Progress {
    Progress {
        mnemonic: lane.mnemonic.clone(),
        span_us: lane.span_us(),
        done_us: (lane.span_us() - lane.left_us()).max(0),
        rows: lane.rows,
        answers: lane.answers,
    }
}

pub(crate) fn limit_of_time() -> Error {
    limit("stopped by the limit of time")
}

pub(crate) fn limit_of_bytes() -> Error {
    limit("stopped by the limit of bytes")
}

fn limit(what: &str) -> Error {
    Error::new(ErrorKind::Limit, what.to_owned())
        .with_tries(0)
        .with_hint("run it again: with a store, or with raw files, it goes on from there")
}

fn not_tried(cause: &Error) -> Error {
    cause.retold("not tried: the service had refused another request").with_tries(0)
}

/// Delivers the answer to a window.
async fn hand_over(
    window: &Window,
    answer: Answer,
    deliver: Arc<impl Fn(Answer) -> Result<()> + Send + Sync + 'static>,
) -> Result<Told> {
    let window = window.clone();
    blocking(move || {
        let (told, answer) = Told::of(&window, answer)?;
        deliver(answer)?;
        Ok(told)
    })
    .await
}
