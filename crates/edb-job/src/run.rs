//! Selection to tables and figures.

use std::sync::Arc;

use edb::atomic::{self, AtomicFile};
use edb::export;
use edb::fetch::Event;
use edb::frame::Bins;
use edb::series::gaps;
use edb::{
    Archive, Coverage, Error, ErrorKind, Exposures, Fetched, Instant, MICROS_PER_SECOND, Mnemonic, Notice,
    NoticeKind, Request, Result, Retrieved, Sampling, Series, TimeRange,
};

use crate::job::{Job, Resolved, Shape, TableShape};
use crate::make::{Made, blocking, make};
use crate::report::{DeliveredReport, ExposureReport, FailureReport, FileReport, Report, SeriesReport};

/// Runs a job: checks its destinations, fetches what the store does not know, makes its tables and figures. `now` is the present;
/// `on_event` is told of each window fetched.
///
/// Windows that fail do not fail the rest: what came is written, and the report says what did not
/// ([`ErrorKind::Partial`]). Where only statistics of bins are wanted one mnemonic at a time is in memory.
///
/// # Errors
/// As [`Archive::retrieve`]; [`ErrorKind::Disk`] if a destination cannot be written, before anything is fetched;
/// [`ErrorKind::Usage`] for what cannot be made of the series. If nothing at all could be fetched, no file is written and the report has the
/// cause.
pub async fn run(
    job: &Job,
    archive: &Archive,
    now: Instant,
    on_event: impl FnMut(Event<'_>),
) -> Result<Report> {
    check(job)?;
    let resolved = job.resolve(archive, now).await?;
    let fetched = archive.fetch(&resolved.requests, now, on_event).await;
    let mut fetched = fetched.map_err(|error| meant_as_text(error, job))?;
    let job = &with_ranges(job, &fetched);
    fetched.retrieved.notices.splice(0..0, resolved.notices.iter().cloned());
    let is_asked = |name: &&Mnemonic| fetched.known().iter().any(|(request, _)| request.mnemonic == **name);
    let idle: Vec<&Mnemonic> = job.change_only.iter().filter(|name| !is_asked(name)).collect();
    let text = "is said to be change-only, and is not asked for";
    let idle = idle.into_iter().map(|name| Notice::about(NoticeKind::LeftOut, name, text));
    fetched.retrieved.notices.extend(idle);
    if let Some(cause) = fetched.take_cause() {
        let series = nothing(&fetched);
        let mut report = report(job, &fetched.retrieved, &resolved.exposures, series);
        report.exit_code = cause.kind().exit_code();
        report.cause = Some(Arc::new(cause));
        return Ok(report);
    }
    let (series, made) = make(job, &resolved, &mut fetched).await?;
    let mut report = report(job, &fetched.retrieved, &resolved.exposures, series);
    let mut notices = fetched.retrieved.notices.clone();
    let outputs = job.outputs.clone();
    let facts = provenance(&resolved, &fetched);
    let told = fetched.retrieved.notices;
    let written = blocking(move || {
        let mut files = Vec::new();
        let mut shown = Vec::new();
        for (output, made) in outputs.iter().zip(made) {
            match made {
                Made::Table(mut table) => {
                    table.made.splice(0..0, facts.iter().cloned().chain(output.preparation.words()));
                    add(&mut notices, &table.notices);
                    table.notices.splice(0..0, told.iter().cloned());
                    match (&output.path, &output.shape) {
                        (Some(path), Shape::Table(shape, format)) => {
                            let size_bytes = export::write_file(&table, *format, path)?;
                            let (content, rows) = (shape.words().to_owned(), table.rows());
                            files.push(FileReport { path: path.clone(), content, rows, size_bytes });
                        }
                        _ => shown.push(*table),
                    }
                }
                Made::Figure(drawn) => {
                    add(&mut notices, &drawn.notices);
                    if let Some(path) = &output.path {
                        atomic::write(path, &drawn.bytes)?;
                        let size_bytes = drawn.bytes.len() as u64;
                        files.push(FileReport {
                            path: path.clone(),
                            content: "figure".to_owned(),
                            rows: drawn.rows,
                            size_bytes,
                        });
                    }
                }
            }
        }
        Ok((files, shown, notices))
    });
    let (files, shown, notices) = written.await?;
    (report.files, report.shown) = (files, shown);
    report.notices = notices.iter().map(ToString::to_string).collect();
    Ok(report)
}

/// A word of an expression that is no mnemonic may be meant as text.
fn meant_as_text(error: Error, job: &Job) -> Error {
    let message = error.to_string();
    // The event log stands in no expression by its name.
    let is_it = |name: &&Mnemonic| {
        name.as_str() != "ICTM_EVENT_MSG"
            && error.kind() == ErrorKind::UnknownMnemonic
            && message.contains(&format!("`{name}`"))
    };
    match job.outputs.iter().flat_map(|output| output.preparation.needs()).find(|name| is_it(&name)) {
        Some(name) => {
            let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
            error.with_hint(format!("{hint}texts are written in quotes, as '{name}'"))
        }
        None => error,
    }
}

/// Statistics of ranges are those of the ranges that were asked, whatever conditions leave in them; derived quantities have those of the
/// mnemonic whose times they have.
fn with_ranges(job: &Job, fetched: &Fetched) -> Job {
    let asked: Vec<Request> = fetched.known().iter().map(|(request, _)| request.clone()).collect();
    let mut job = job.clone();
    for output in &mut job.outputs {
        let mut asked = asked.clone();
        for definition in &output.preparation.derive {
            let first = definition.expression.mnemonics().into_iter().next();
            let own = asked.iter().filter(|request| Some(&request.mnemonic) == first.as_ref());
            let own: Vec<TimeRange> = own.map(|request| request.range).collect();
            asked.extend(own.into_iter().map(|range| Request { mnemonic: definition.name.clone(), range }));
        }
        if let Shape::Table(TableShape::Resampled(options), _) = &mut output.shape
            && let Bins::Ranges(ranges) = &mut options.bins
        {
            *ranges = asked;
        }
    }
    job
}

/// Refuses what can be known to fail before anything is fetched.
fn check(job: &Job) -> Result<()> {
    let mut paths = std::collections::BTreeSet::new();
    for output in &job.outputs {
        if let Shape::Figure(..) = output.shape
            && !output.preparation.is_empty()
        {
            return Err(Error::usage("a figure shows the samples themselves, as they were selected")
                .with_hint("conditions, intervals and derived quantities are for tables"));
        }
        if let Shape::Table(TableShape::Intervals, _) = output.shape
            && output.preparation.condition.is_none()
        {
            return Err(Error::usage("intervals of what? no condition is given")
                .with_hint("add `--where`, or ask for `states`"));
        }
        let Some(path) = &output.path else { continue };
        if !paths.insert(path) {
            return Err(Error::usage(format!("two outputs have the name `{}`", path.display()))
                .with_hint("give each output a name of its own"));
        }
        // Made and dropped: a folder that cannot be written is better known before a long retrieval than after it.
        AtomicFile::create(path)?;
    }
    Ok(())
}

/// What every file says of where it comes from. Nothing in it changes from run to run: the same data give the same bytes.
pub(crate) fn provenance(resolved: &Resolved, fetched: &Fetched) -> Vec<(String, String)> {
    let mut facts = vec![("tool".to_owned(), format!("edb {}", env!("CARGO_PKG_VERSION")))];
    facts.extend(fetched.retrieved.sources.iter().map(|source| ("source".to_owned(), source.clone())));
    for (request, _) in fetched.known() {
        let is_wanted = resolved.wanted.contains(&request.mnemonic);
        let key = if is_wanted { "selected" } else { "needed" };
        facts.push((key.to_owned(), request.to_string()));
    }
    let exposure = |one: &edb::Exposure| ("exposure".to_owned(), format!("{}@{}", one.label, one.range));
    facts.extend(resolved.exposures.all().iter().map(exposure));
    facts
}

fn report(job: &Job, retrieved: &Retrieved, exposures: &Exposures, series: Vec<SeriesReport>) -> Report {
    let exposure = |one: &edb::Exposure| ExposureReport {
        label: one.label.clone(),
        instrument: one.instrument.clone(),
        kind: one.kind.clone(),
        start: one.range.start().to_string(),
        stop: one.range.stop().to_string(),
    };
    Report {
        job: job.name.clone(),
        sources: retrieved.sources.clone(),
        exposures: exposures.all().iter().map(exposure).collect(),
        series,
        files: Vec::new(),
        requests: retrieved.answers(),
        rows_fetched: retrieved.rows_fetched(),
        delivered: delivered(&retrieved.delivered),
        notices: retrieved.notices.iter().map(ToString::to_string).collect(),
        exit_code: retrieved.exit_code(),
        shown: Vec::new(),
        cause: None,
        failures: failures(&retrieved.failures),
    }
}

/// The series of a run that got nothing.
fn nothing(fetched: &Fetched) -> Vec<SeriesReport> {
    let report = |(request, _): &(edb::Request, Coverage)| SeriesReport {
        mnemonic: request.mnemonic.to_string(),
        start: request.range.start().to_string(),
        stop: request.range.stop().to_string(),
        samples: 0,
        cadence_s: None,
        gaps: None,
        longest_gap_s: None,
        is_complete: false,
    };
    fetched.known().iter().map(report).collect()
}

/// What could not be fetched, in words.
pub fn failures(failures: &[edb::fetch::Failure]) -> Vec<FailureReport> {
    let failure = |failure: &edb::fetch::Failure| FailureReport {
        request: failure.wanted.to_string(),
        error: failure.error.chain(),
        hint: failure.error.hint().map(str::to_owned),
        tries: failure.error.tries(),
        exit_code: failure.error.kind().exit_code(),
    };
    failures.iter().map(failure).collect()
}

/// What came over the network, in words.
pub fn delivered(parts: &[edb::fetch::Progress]) -> Vec<DeliveredReport> {
    let seconds = |micros: i64| micros as f64 / MICROS_PER_SECOND as f64;
    let one = |progress: &edb::fetch::Progress| DeliveredReport {
        mnemonic: progress.mnemonic.to_string(),
        answers: progress.answers,
        samples: progress.rows,
        settled_s: seconds(progress.done_us),
        asked_s: seconds(progress.span_us),
    };
    parts.iter().map(one).collect()
}

pub(crate) fn about(series: &Series) -> SeriesReport {
    let seconds = |micros: i64| micros as f64 / MICROS_PER_SECOND as f64;
    let times = series.samples.times();
    // What is reported only when it changes has no cadence, and so no gaps.
    let regular = gaps::regular_gaps(times).filter(|_| series.sampling() != Sampling::ChangeOnly);
    let longest =
        regular.as_ref().and_then(|(_, gaps)| gaps.iter().map(|at| times[at + 1] - times[*at]).max());
    SeriesReport {
        mnemonic: series.mnemonic().to_string(),
        start: series.range.start().to_string(),
        stop: series.range.stop().to_string(),
        samples: series.samples.len(),
        cadence_s: regular.as_ref().map(|(cadence, _)| seconds(*cadence)),
        gaps: regular.as_ref().map(|(_, gaps)| gaps.len()),
        longest_gap_s: longest.map(seconds),
        is_complete: series.unknown().is_empty(),
    }
}

/// Adds notices of an output. What is not known, or not there, was told of the series already.
pub(crate) fn add(notices: &mut Vec<Notice>, more: &[Notice]) {
    for notice in more {
        let is_told = matches!(notice.kind, NoticeKind::NotKnown | NoticeKind::NoSamples);
        if !is_told && !notices.contains(notice) {
            notices.push(notice.clone());
        }
    }
}

/// A few sources in full, more of them by number.
pub(crate) fn sources(retrieved: &Retrieved) -> String {
    match retrieved.sources.as_slice() {
        [] => "none".to_owned(),
        all if all.len() <= 3 => all.join(", "),
        all => format!("{}, {} and {} more", all[0], all[1], all.len() - 2),
    }
}
