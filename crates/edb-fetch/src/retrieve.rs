//! Many requests at once.

use std::sync::Arc;

use edb_core::{Answer, Error, ErrorKind, Instant, MICROS_PER_DAY, Request, Result, Source, TimeRange};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often an answer without trailing bracket is followed up at most: a service that caps its rows is walked through.
const MAX_FOLLOW_UPS: usize = 1000;

/// One question to the service: part of one of the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The request it is part of, as its position.
    pub request: usize,
    /// What is asked.
    pub ask: Request,
}

/// What happened to a window.
#[derive(Debug)]
pub enum Event<'a> {
    /// An answer was delivered: so many rows, brackets not counted.
    Answered(&'a Window, usize),
    /// The window was given up.
    Failed(&'a Failure),
}

/// A window that was given up, and why.
#[derive(Debug)]
pub struct Failure {
    /// The window.
    pub window: Window,
    /// Why.
    pub error: Error,
    /// Whether it was asked at all: after a refusal of the token the rest is not.
    pub was_tried: bool,
}

/// What became of all windows.
#[derive(Debug, Default)]
pub struct Retrieval {
    /// Answers delivered.
    pub answers: usize,
    /// Samples delivered; brackets are not counted, nor are samples outside the window, which an answer may prove too.
    pub rows: usize,
    /// Windows that were given up, in the order of the requests.
    pub failures: Vec<Failure>,
}

/// Cuts each range into the windows that the service is asked: one for ranges up to a day, else one for each UTC day.
pub fn windows(requests: &[Request]) -> Vec<Window> {
    let cut = |(at, request): (usize, &Request)| {
        let range = request.range.to_whole_seconds();
        let step_us = if range.micros() <= MICROS_PER_DAY { i64::MAX } else { MICROS_PER_DAY };
        let ranges: Vec<TimeRange> =
            if step_us == i64::MAX { vec![range] } else { range.windows(step_us).collect() };
        let mnemonic = request.mnemonic.clone();
        ranges
            .into_iter()
            .map(move |range| Window { request: at, ask: Request { mnemonic: mnemonic.clone(), range } })
    };
    requests.iter().enumerate().flat_map(cut).collect()
}

/// Asks `source` about all `windows`, at most `concurrency` at a time, and hands each answer to `deliver` on a thread that
/// may block.
///
/// An answer without trailing bracket is followed up by asking again from its last row on: rows that come then prove that
/// the answer was cut, and are delivered too; none prove that the archive ends there as of now. A window that fails leaves
/// the others alone and is listed; a refusal of the token before anything was answered ends the rest, which would be refused
/// too.
///
/// # Errors
/// [`ErrorKind::Disk`] if `deliver` reports one: what comes next could not be kept either. What was delivered stays.
pub async fn retrieve(
    source: Arc<dyn Source>,
    windows: Vec<Window>,
    concurrency: usize,
    deliver: impl Fn(Answer) -> Result<()> + Send + Sync + 'static,
    mut on_event: impl FnMut(Event<'_>),
) -> Result<Retrieval> {
    let places = Arc::new(Semaphore::new(concurrency.max(1)));
    let deliver = Arc::new(deliver);
    let mut tasks = JoinSet::new();
    let mut pending: Vec<Option<Window>> = windows.into_iter().map(Some).collect();
    for (at, window) in pending.iter().enumerate() {
        let Some(window) = window.clone() else { continue };
        let (source, places, deliver) = (Arc::clone(&source), Arc::clone(&places), Arc::clone(&deliver));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            (at, ask(source.as_ref(), &window, deliver).await)
        });
    }
    let mut retrieval = Retrieval::default();
    while let Some(joined) = tasks.join_next().await {
        let (at, result) = match joined {
            Ok(joined) => joined,
            // Cut off by the abort below, and listed after it; a panic is a defect and must not pass for one.
            Err(error) if error.is_cancelled() => continue,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let Some(window) = pending[at].take() else { continue };
        match result {
            Ok((answers, rows)) => {
                retrieval.answers += answers;
                retrieval.rows += rows;
                on_event(Event::Answered(&window, rows));
            }
            Err(error) if error.kind() == ErrorKind::Disk => return Err(error),
            Err(error) => {
                if error.kind() == ErrorKind::Unauthorized && retrieval.answers == 0 {
                    tasks.abort_all();
                }
                let failure = Failure { window, error, was_tried: true };
                on_event(Event::Failed(&failure));
                retrieval.failures.push(failure);
            }
        }
    }
    for window in pending.into_iter().flatten() {
        let error = Error::new(ErrorKind::Unauthorized, "not tried: the service had refused another request");
        retrieval.failures.push(Failure { window, error, was_tried: false });
    }
    retrieval.failures.sort_by_key(|a| (a.window.request, a.window.ask.range));
    Ok(retrieval)
}

/// Asks about one window and follows open ends up. Returns how many answers and rows were delivered.
async fn ask(
    source: &dyn Source,
    window: &Window,
    deliver: Arc<impl Fn(Answer) -> Result<()> + Send + Sync + 'static>,
) -> Result<(usize, usize)> {
    let (mut answers, mut rows) = (0, 0);
    let mut range = window.ask.range;
    let mut last_seen = None;
    for _ in 0..MAX_FOLLOW_UPS {
        let answer = source.answer(&window.ask.mnemonic, range).await?;
        answers += 1;
        let times = &answer.samples.times()[answer.samples.rows_in(range)];
        // A follow-up begins with the whole second of the last row seen; what it says again is not counted again.
        let fresh = times.len() - last_seen.map_or(0, |seen| times.partition_point(|time| *time <= seen));
        rows += fresh;
        last_seen = times.last().copied().or(last_seen);
        let next = last_seen
            .filter(|_| fresh > 0 && !answer.is_closed())
            .and_then(|last| TimeRange::checked(Instant::from_micros(last).floor_to_second(), range.stop()));
        let keep = Arc::clone(&deliver);
        tokio::task::spawn_blocking(move || keep(answer)).await.map_err(|error| {
            Error::new(ErrorKind::Unclassified, "could not keep an answer").caused_by(error)
        })??;
        match next {
            Some(next) => range = next,
            None => break,
        }
    }
    Ok((answers, rows))
}
