//! Selection to files.

use std::sync::Arc;

use edb::atomic::{self, AtomicFile};
use edb::export;
use edb::fetch::Event;
use edb::frame::{self, Table};
use edb::series::gaps;
use edb::{
    Archive, Error, ErrorKind, Exposures, Instant, MICROS_PER_SECOND, Notice, NoticeKind, Result, Retrieved,
    Sampling, Series, TimeRange, plot,
};

use crate::job::{Job, Output, Shape};
use crate::report::{DeliveredReport, ExposureReport, FailureReport, FileReport, Report, SeriesReport};

/// Runs a job: checks its destinations, fetches what the store does not know, writes its files. `now` is the present;
/// `on_event` is told of each window fetched.
///
/// Windows that fail do not fail the rest: what came is written, and the report says what did not
/// ([`ErrorKind::Partial`]).
///
/// # Errors
/// As [`Archive::retrieve`]; [`ErrorKind::Disk`] if a destination cannot be written, before anything is fetched. If nothing at
/// all could be fetched, no file is written and the report has the cause.
pub async fn run(
    job: &Job,
    archive: &Archive,
    now: Instant,
    on_event: impl FnMut(Event<'_>),
) -> Result<Report> {
    let mut paths = std::collections::BTreeSet::new();
    for output in &job.outputs {
        if !paths.insert(&output.path) {
            return Err(Error::usage(format!("two outputs have the name `{}`", output.path.display()))
                .with_hint("give each output a name of its own"));
        }
        // Made and dropped: a folder that cannot be written is better known before a long retrieval than after it.
        AtomicFile::create(&output.path)?;
    }
    let resolved = job.resolve(archive, now).await?;
    let mut retrieved = archive.retrieve(&resolved.requests, now, on_event).await?;
    retrieved.notices.splice(0..0, resolved.notices);
    let exposures = resolved.exposures;
    let mut report = report(job, &retrieved, &exposures);
    if let Some(cause) = retrieved.take_cause() {
        report.exit_code = cause.kind().exit_code();
        report.notices = retrieved.notices.iter().map(ToString::to_string).collect();
        report.cause = Some(Arc::new(cause));
        return Ok(report);
    }
    let outputs = job.outputs.clone();
    // Polars and compression block; the runtime's workers are for the network.
    let written = tokio::task::spawn_blocking(move || {
        let mut notices = retrieved.notices.clone();
        let files = outputs
            .iter()
            .map(|output| write(output, &retrieved, &exposures, &mut notices))
            .collect::<Result<Vec<_>>>()?;
        Ok::<_, Error>((files, notices))
    });
    let (files, notices) = written.await.map_err(|error| {
        Error::new(ErrorKind::Unclassified, "could not write the files").caused_by(error)
    })??;
    report.files = files;
    report.notices = notices.iter().map(ToString::to_string).collect();
    Ok(report)
}

fn report(job: &Job, retrieved: &Retrieved, exposures: &Exposures) -> Report {
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
        series: retrieved.series.iter().map(about).collect(),
        files: Vec::new(),
        requests: retrieved.answers(),
        rows_fetched: retrieved.rows_fetched(),
        delivered: delivered(&retrieved.delivered),
        notices: Vec::new(),
        exit_code: retrieved.exit_code(),
        cause: None,
        failures: failures(&retrieved.failures),
    }
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

fn about(series: &Series) -> SeriesReport {
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

/// What every file says of where it comes from. Nothing in it changes from run to run: the same data give the same bytes.
pub fn provenance(retrieved: &Retrieved, exposures: &Exposures) -> Vec<(String, String)> {
    let mut facts = vec![("tool".to_owned(), format!("edb {}", env!("CARGO_PKG_VERSION")))];
    facts.extend(retrieved.sources.iter().map(|source| ("source".to_owned(), source.clone())));
    let selected = retrieved.series.iter().map(|series| format!("{}@{}", series.mnemonic(), series.range));
    facts.extend(selected.map(|selected| ("selected".to_owned(), selected)));
    let exposure = |one: &edb::Exposure| ("exposure".to_owned(), format!("{}@{}", one.label, one.range));
    facts.extend(exposures.all().iter().map(exposure));
    facts
}

/// Every sample a row, with the exposure it belongs to where ranges were taken from exposures.
///
/// # Errors
/// None that bad telemetry could cause.
pub fn long(retrieved: &Retrieved, exposures: &Exposures) -> Result<Table> {
    let table = frame::long(&retrieved.series)?;
    if exposures.is_empty() { Ok(table) } else { table.labelled(exposures) }
}

fn write(
    output: &Output,
    retrieved: &Retrieved,
    exposures: &Exposures,
    notices: &mut Vec<Notice>,
) -> Result<FileReport> {
    let series = &retrieved.series;
    let facts = provenance(retrieved, exposures);
    let mut table = |table: Table, content: &str, format: export::Format| {
        write_table(output, table, content, format, facts.clone(), retrieved, notices)
    };
    match &output.shape {
        Shape::Long(format) => table(long(retrieved, exposures)?, "every sample", *format),
        Shape::Aligned(options, format) => table(frame::align(series, options)?, "aligned", *format),
        Shape::Resampled(options, format) => table(frame::resample(series, options)?, "resampled", *format),
        Shape::Figure(options, format) => {
            let mut options = options.as_ref().clone();
            options.description =
                facts.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>().join("\n");
            if options.footer.is_empty() {
                options.footer = format!("{} · source: {}", facts[0].1, sources(retrieved));
            }
            let hull = series.iter().map(|one| one.range).reduce(TimeRange::hull);
            let range = hull.ok_or_else(|| Error::usage("there is nothing to draw"))?;
            let drawn = plot::draw(series, range, &options, *format)?;
            add(notices, drawn.notices);
            atomic::write(&output.path, &drawn.value)?;
            Ok(FileReport {
                path: output.path.clone(),
                content: "figure".to_owned(),
                rows: series.iter().map(|one| one.samples.len()).sum(),
                size_bytes: drawn.value.len() as u64,
            })
        }
    }
}

fn write_table(
    output: &Output,
    mut table: Table,
    content: &str,
    format: export::Format,
    facts: Vec<(String, String)>,
    retrieved: &Retrieved,
    notices: &mut Vec<Notice>,
) -> Result<FileReport> {
    table.made.splice(0..0, facts);
    add(notices, table.notices.clone());
    table.notices.splice(0..0, retrieved.notices.iter().cloned());
    let size_bytes = export::write_file(&table, format, &output.path)?;
    Ok(FileReport { path: output.path.clone(), content: content.to_owned(), rows: table.rows(), size_bytes })
}

/// Adds notices of an output. What is not known, or not there, was told of the series already.
fn add(notices: &mut Vec<Notice>, more: Vec<Notice>) {
    for notice in more {
        let is_told = matches!(notice.kind, NoticeKind::NotKnown | NoticeKind::NoSamples);
        if !is_told && !notices.contains(&notice) {
            notices.push(notice);
        }
    }
}

/// A few sources in full, more of them by number.
fn sources(retrieved: &Retrieved) -> String {
    match retrieved.sources.as_slice() {
        [] => "none".to_owned(),
        all if all.len() <= 3 => all.join(", "),
        all => format!("{}, {} and {} more", all[0], all[1], all.len() - 2),
    }
}
