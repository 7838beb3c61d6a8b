//! One module for each verb.

pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod plot;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod store;

use std::path::Path;
use std::time::Instant as Stopwatch;

use edb::fetch::Event;
use edb::{
    Error, Instant, Mnemonic, Request, Result, Selection, Term, TimeRange, parse_instant, parse_query,
};
use edb_job::{Job, Report};

use crate::args::{Common, RangeArgs, SelectionArgs};
use crate::{progress, source, summary};

/// Words, a common range and a query file as one selection.
fn selection(words: &[String], args: &RangeArgs, now: Instant) -> Result<Selection> {
    let range = match &args.start {
        Some(start) => {
            let stop = args.stop.as_deref().unwrap_or("now");
            Some(TimeRange::new(parse_instant(start, now)?, parse_instant(stop, now)?)?)
        }
        None => None,
    };
    let mut terms = words.iter().map(|word| Term::parse(word, now)).collect::<Result<Vec<_>>>()?;
    terms.extend(query_file(args.query.as_deref(), now)?.into_iter().map(Term::Whole));
    Ok(Selection { terms, range })
}

fn query_file(query: Option<&Path>, now: Instant) -> Result<Vec<Request>> {
    let Some(path) = query else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("could not read the query file `{}`", path.display())).caused_by(error)
    })?;
    parse_query(&text, now).map_err(|error| error.while_doing(format!("could not use `{}`", path.display())))
}

/// A job without outputs, of a verb's selection.
fn job(name: &str, args: &SelectionArgs, now: Instant) -> Result<Job> {
    Ok(Job {
        name: name.to_owned(),
        source: None,
        store: None,
        selection: selection(&args.terms, &args.range, now)?,
        change_only: args.change_only.iter().map(|name| Mnemonic::new(name)).collect::<Result<Vec<_>>>()?,
        outputs: Vec::new(),
    })
}

/// Runs a job with a bar over its windows, prints its summary, and returns the exit code.
async fn run_job(common: &Common, job: &Job, now: Instant) -> Result<u8> {
    let report = retrieve_and_write(common, job, now).await?;
    Ok(report.exit_code)
}

async fn retrieve_and_write(common: &Common, job: &Job, now: Instant) -> Result<Report> {
    let watch = Stopwatch::now();
    let archive =
        source::archive(common, job.source.as_deref(), job.store.as_deref(), &job.change_only).await?;
    let line = progress::counter(common, "{spinner} {pos} windows answered, {msg} samples, {elapsed}");
    let mut rows = 0;
    let report = edb_job::run(job, &archive, now, |event| match event {
        Event::Answered(_, more) => {
            rows += more;
            line.inc(1);
            line.set_message(summary::thousands(rows as u64));
        }
        // The summary, or the error if nothing came, tells of failures.
        Event::Failed(_) => line.inc(1),
    })
    .await;
    line.finish_and_clear();
    let report = report?;
    summary::print(common, &report, watch.elapsed())?;
    Ok(report)
}
