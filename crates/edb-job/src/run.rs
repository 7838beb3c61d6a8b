//! Selection to tables and figures.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edb::atomic::{self, AtomicFile};
use edb::export::{self, FileOptions, Measured};
use edb::fetch::Event;
use edb::frame::Bins;
use edb::{
    Archive, DictionaryEntry, Error, ErrorKind, Exposures, Fetched, Instant, MICROS_PER_SECOND, Mnemonic,
    Notice, NoticeKind, Request, Result, Retrieved, Table, TimeRange,
};

use crate::destination::{Destination, Writing};
use crate::draw::Drawn;
use crate::job::{Job, Output, Resolved, Shape, TableShape};
use crate::make::{Made, blocking, make};
use crate::manifest;
use crate::report::{DeliveredReport, ExposureReport, FailureReport, FileReport, Report, SeriesReport};
use crate::service_csv::ServiceCsv;
use crate::tally::Tally;

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
    check_service_form(job, &resolved)?;
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
        if let Some(path) = &job.manifest {
            manifest::write(path, job, &resolved, &report, now)?;
        }
        report.cause = Some(Arc::new(cause));
        return Ok(report);
    }
    let (series, made) = make(job, &resolved, &mut fetched, now).await?;
    let mut report = report(job, &fetched.retrieved, &resolved.exposures, series);
    let mut notices = fetched.retrieved.notices.clone();
    let (outputs, is_hashed) = (job.outputs.clone(), job.manifest.is_some());
    let facts = provenance(&resolved, &fetched);
    let mnemonics = described(&resolved, &fetched);
    let (told, asked) = (of_data(&fetched.retrieved.notices), resolved.requests.clone());
    let written = blocking(move || {
        let mut files = Vec::new();
        let mut shown = Vec::new();
        for (output, made) in outputs.iter().zip(made) {
            match made {
                Made::Table(mut table) => {
                    table.mnemonics.clone_from(&mnemonics);
                    table.made.splice(0..0, facts.iter().cloned().chain(output.preparation.words()));
                    add(&mut notices, &table.notices);
                    table.notices.splice(0..0, told.iter().cloned());
                    match write(output, &table, is_hashed, &asked)? {
                        Some((file, more)) => {
                            add(&mut notices, &more);
                            files.push(file);
                        }
                        None => shown.push(*table),
                    }
                }
                Made::Written(file, more) => {
                    add(&mut notices, &more);
                    files.push(file);
                }
                Made::Figure(drawn) => {
                    add(&mut notices, &drawn.notices);
                    files.extend(write_figure(output, &drawn, is_hashed)?);
                }
            }
        }
        Ok((files, shown, notices))
    });
    let (files, shown, notices) = written.await?;
    (report.files, report.shown) = (files, shown);
    report.notices = notices.iter().map(ToString::to_string).collect();
    if report.series.iter().all(|series| series.samples == 0) && !report.series.is_empty() {
        let text = "there is no sample in what was asked";
        report.notices.push(text.to_owned());
    }
    if let Some(path) = &job.manifest {
        manifest::write(path, job, &resolved, &report, now)?;
    }
    Ok(report)
}

/// Writes a table where it is to go; `None` if that is nowhere.
fn write(
    output: &Output,
    table: &Table,
    is_hashed: bool,
    asked: &[Request],
) -> Result<Option<(FileReport, Vec<Notice>)>> {
    let Shape::Table(_, options) = output.shape else { return Ok(None) };
    let options = FileOptions { is_hashed, ..options };
    Writing::whole(&output.destination, options, table, output.shape.words(), asked)
}

fn write_figure(output: &Output, drawn: &Drawn, is_hashed: bool) -> Result<Option<FileReport>> {
    let mut measured = Measured::new(Vec::new(), is_hashed);
    // Memory takes everything.
    let _ = measured.write_all(&drawn.bytes);
    let (bytes, size_bytes, sha256) = measured.finish();
    let path = match &output.destination {
        Destination::File(path) => {
            atomic::write(path, &bytes)?;
            path.clone()
        }
        Destination::Stream(stream) => {
            let sent = stream.clone().write_all(&bytes);
            sent.map_err(|error| Error::new(ErrorKind::Disk, "could not write the figure").caused_by(error))?;
            PathBuf::from("-")
        }
        Destination::DataSet(..) | Destination::Shown => return Ok(None),
    };
    let (content, parts) = (output.shape.words().to_owned(), Vec::new());
    Ok(Some(FileReport { path, content, rows: drawn.rows, size_bytes, sha256, parts }))
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
    let needs = job.outputs.iter().flat_map(Output::preparations).flat_map(edb::frame::Preparation::needs);
    match needs.into_iter().find(|name| is_it(&name)) {
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
        let derive: Vec<_> = output.preparations().into_iter().flat_map(|one| one.derive.clone()).collect();
        for definition in &derive {
            let first = definition.expression.mnemonics().into_iter().next();
            let own = asked.iter().filter(|request| Some(&request.mnemonic) == first.as_ref());
            let own: Vec<TimeRange> = own.map(|request| request.range).collect();
            asked.extend(own.into_iter().map(|range| Request { mnemonic: definition.name.clone(), range }));
        }
        let bins: Vec<&mut Bins> = match &mut output.shape {
            Shape::Table(TableShape::Resampled(options), _) => vec![&mut options.bins],
            Shape::Figure(figure) => {
                let plans = figure.panels.iter_mut().filter_map(|panel| panel.bins.as_mut());
                plans.map(|plan| &mut plan.options.bins).collect()
            }
            _ => Vec::new(),
        };
        for bins in bins {
            if let Bins::Ranges(ranges) = bins {
                ranges.clone_from(&asked);
            }
        }
    }
    job
}

/// Refuses what can be known to fail before anything is fetched.
fn check(job: &Job) -> Result<()> {
    let mut paths = std::collections::BTreeSet::new();
    for output in &job.outputs {
        if let Shape::Table(TableShape::Intervals, _) = output.shape
            && output.preparation.condition.is_none()
        {
            return Err(Error::usage("intervals of what? no condition is given")
                .with_hint("add `--where`, or ask for `states`"));
        }
        check_destination(output)?;
        for path in names(output) {
            if !paths.insert(plain(&path)) {
                return Err(Error::usage(format!("two outputs have the name `{}`", path.display()))
                    .with_hint("give each output a name of its own"));
            }
        }
    }
    let streams = job.outputs.iter().filter(|output| matches!(output.destination, Destination::Stream(_)));
    if streams.count() > 1 {
        return Err(Error::usage("only one output can go to stdout").with_hint("give the others files"));
    }
    if let Some(path) = &job.manifest {
        if paths.contains(&plain(path)) {
            return Err(Error::usage(format!(
                "an output and the manifest have the name `{}`",
                path.display()
            )));
        }
        AtomicFile::create(path)?;
    }
    Ok(())
}

/// The file or folder of an output, and the file that tells of it if its format has no place for that.
fn names(output: &Output) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = output.destination.path().into_iter().cloned().collect();
    if let (Destination::File(path), Shape::Table(_, options)) = (&output.destination, &output.shape)
        && !options.format.has_header()
    {
        names.push(export::about_path(path));
    }
    names
}

/// A path of which two forms are one.
fn plain(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

/// The service's form has one mnemonic, and passes through: nothing else that is held goes with it.
fn check_service_form(job: &Job, resolved: &Resolved) -> Result<()> {
    if !job.outputs.iter().any(|output| matches!(output.shape, Shape::ServiceCsv)) {
        return Ok(());
    }
    if !job.is_streamed() {
        return Err(Error::usage(
            "the service's form goes with no figures, and with no tables but samples and bins",
        )
        .with_hint("export it by itself"));
    }
    match resolved.wanted.len() {
        1 => Ok(()),
        count => Err(ServiceCsv::refuse(count)),
    }
}

/// Whether an output can be written where it is to go, and as it is to be.
fn check_destination(output: &Output) -> Result<()> {
    // Made and dropped: a folder that cannot be written is better known before a long retrieval than after it.
    match (&output.destination, &output.shape) {
        (Destination::File(_), _) => {
            names(output).iter().try_for_each(|path| AtomicFile::create(path).map(|_| ()))?;
        }
        (Destination::DataSet(path, keys), Shape::Table(shape, _)) => {
            if let Some(key) = keys.iter().find(|key| !shape.has(**key)) {
                let (key, words) = (key.word(), shape.words());
                return Err(Error::usage(format!(
                    "files of the table `{words}` cannot be parted by {key}: its rows have none"
                ))
                .with_hint("part them by something else, or ask for every sample"));
            }
            if path.exists() && !path.is_dir() {
                return Err(Error::new(
                    ErrorKind::Disk,
                    format!("could not write into `{}`: it is a file", path.display()),
                )
                .with_hint("name a folder"));
            }
            atomic::Staging::create(path).map(|_| ())?;
        }
        (Destination::DataSet(..), _) => {
            return Err(
                Error::usage("only tables can be parted into files").with_hint("leave `--partition` out")
            );
        }
        (Destination::Stream(_) | Destination::Shown, _) => {}
    }
    if let Shape::ServiceCsv = output.shape
        && !output.preparation.is_empty()
    {
        return Err(Error::usage("the service's form has the samples as they came")
            .with_hint("conditions, intervals and derived quantities are for tables"));
    }
    Ok(())
}

/// What every file says of where it comes from. Nothing in it changes from run to run: the same data give the same bytes.
pub(crate) fn provenance(resolved: &Resolved, fetched: &Fetched) -> Vec<(String, String)> {
    let mut facts = vec![("tool".to_owned(), format!("edb {}", env!("CARGO_PKG_VERSION")))];
    facts.extend(fetched.retrieved.sources.iter().map(|source| ("source".to_owned(), source.clone())));
    for (request, known) in fetched.known() {
        let is_wanted = resolved.wanted.contains(&request.mnemonic);
        let key = if is_wanted { "selected" } else { "needed" };
        facts.push((key.to_owned(), request.to_string()));
        let told = |key: &str, ranges: &[TimeRange]| {
            let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            let words = format!("{}@{}", request.mnemonic, ranges.join(", "));
            (!ranges.is_empty()).then(|| (key.to_owned(), words))
        };
        facts.extend(told("proven", known.ranges()));
        facts.extend(told("not known", &known.gaps(request.range)));
    }
    let exposure = |one: &edb::Exposure| ("exposure".to_owned(), format!("{}@{}", one.label, one.range));
    facts.extend(resolved.exposures.all().iter().map(exposure));
    facts
}

/// What the dictionary says about the mnemonics that were asked for themselves.
pub(crate) fn described(resolved: &Resolved, fetched: &Fetched) -> Vec<DictionaryEntry> {
    resolved.wanted.iter().map(|mnemonic| fetched.about(mnemonic)).collect()
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
    (0..fetched.known().len()).map(|at| Tally::new(fetched.described(at)).report()).collect()
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

/// Adds notices of an output. What is not known, or not there, was told of the series already.
pub(crate) fn add(notices: &mut Vec<Notice>, more: &[Notice]) {
    for notice in more {
        let is_told = matches!(notice.kind, NoticeKind::NotKnown | NoticeKind::NoSamples);
        if !is_told && !notices.contains(notice) {
            notices.push(notice.clone());
        }
    }
}

/// What there is to tell of the data, by mnemonic, and the same in every run: files say nothing else.
pub(crate) fn of_data(notices: &[Notice]) -> Vec<Notice> {
    let mut told: Vec<Notice> = notices.iter().filter(|notice| !notice.kind.is_of_run()).cloned().collect();
    told.sort_by(|one, other| one.mnemonic.cmp(&other.mnemonic));
    told
}

/// A few sources in full, more of them by number.
pub(crate) fn sources(retrieved: &Retrieved) -> String {
    match retrieved.sources.as_slice() {
        [] => "none".to_owned(),
        all if all.len() <= 3 => all.join(", "),
        all => format!("{}, {} and {} more", all[0], all[1], all.len() - 2),
    }
}
