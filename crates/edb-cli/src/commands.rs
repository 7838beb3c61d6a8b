//! One module for each verb.

pub(crate) mod auth;
pub(crate) mod export;
pub(crate) mod fetch;
mod files;
pub(crate) mod info;
pub(crate) mod plot;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod stats;
pub(crate) mod store;
pub(crate) mod sync;
mod tables;

use std::path::Path;
use std::time::Instant as Stopwatch;

use edb::{
    Archive, During, Error, ExposureSearch, Instant, Mnemonic, Request, Result, Selection, Term, TimeRange,
    parse_instant, parse_query,
};
use edb_job::Job;

use crate::args::{Common, DuringArgs, RangeArgs, SelectionArgs};
use crate::progress::Display;
use crate::{output, source, summary};

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
    Ok(Selection { terms, ranges: range.into_iter().collect() })
}

fn query_file(query: Option<&Path>, now: Instant) -> Result<Vec<Request>> {
    let Some(path) = query else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("could not read the query file `{}`", path.display())).caused_by(error)
    })?;
    parse_query(&text, now).map_err(|error| error.while_doing(format!("could not use `{}`", path.display())))
}

/// The exposures that flags name.
fn during(args: &DuringArgs) -> Result<During> {
    let search = |word: &String| ExposureSearch::parse(word, args.instrument.as_deref());
    let mut searches = args.observation.iter().map(search).collect::<Result<Vec<_>>>()?;
    for (words, flag, length, example) in
        [(&args.visit, "visit", 13, "V02733001001"), (&args.program, "program", 7, "2733")]
    {
        for word in words {
            let one = search(word)?;
            if one.prefix().len() != length {
                return Err(Error::usage(format!("could not read `{word}` as a {flag}"))
                    .with_hint(format!("write `--{flag} {example}`, or use `--observation`")));
            }
            searches.push(one);
        }
    }
    let during = During { searches, files: args.during.clone(), margin: args.margin };
    if during.searches.is_empty() && args.instrument.is_some() {
        return Err(Error::usage("an instrument alone names no exposures")
            .with_hint("add `--program`, `--observation` or `--visit`"));
    }
    if during.is_empty() && !args.margin.is_zero() {
        return Err(Error::usage("a margin goes with exposures, and none is named")
            .with_hint("add `--observation`, `--visit`, `--program` or `--during`"));
    }
    Ok(during)
}

/// A job without outputs, of a verb's selection.
fn job(name: &str, args: &SelectionArgs, now: Instant) -> Result<Job> {
    Ok(Job {
        name: name.to_owned(),
        source: None,
        store: None,
        selection: selection(&args.terms, &args.range, now)?,
        during: during(&args.during)?,
        change_only: args.change_only.iter().map(|name| Mnemonic::new(name)).collect::<Result<Vec<_>>>()?,
        outputs: Vec::new(),
        manifest: None,
        asked: asked(),
    })
}

/// The words of the command line, without a token that is one of them.
fn asked() -> Vec<(String, String)> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    without_token(words).map(|word| ("arguments".to_owned(), word)).collect()
}

fn without_token(words: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut is_secret = false;
    words.map(move |word| {
        if std::mem::take(&mut is_secret) {
            return "…".to_owned();
        }
        is_secret = word == "--token";
        word
    })
}

/// Runs a job, shows how far it is, prints its summary, and returns the exit code.
async fn run_job(common: &Common, job: &Job, now: Instant) -> Result<u8> {
    let watch = Stopwatch::now();
    let (job, archive) = &open(common, job).await?;
    if common.dry_run {
        return plan(common, job, archive, now).await;
    }
    let mut display = Display::new(common, archive.source());
    let report = edb_job::run(job, archive, now, |event| display.show(&event)).await;
    display.finish();
    let report = report?;
    let has_store = source::store_folder(common, job.store.as_deref()).is_some();
    summary::print(common, &report, watch.elapsed(), has_store)?;
    if let Some(cause) = &report.cause {
        output::say_error(cause);
    }
    Ok(report.exit_code)
}

/// The archive that a job asks, and the job, which wants all that is in files.
async fn open(common: &Common, job: &Job) -> Result<(Job, Archive)> {
    let mut job = job.clone();
    let archive =
        source::archive(common, job.source.as_deref(), job.store.as_deref(), &job.change_only).await?;
    if source::is_file(common, job.source.as_deref())? {
        job.select_what_is_there(&archive)?;
    }
    Ok((job, archive))
}

/// Says what a job would ask, and asks nothing about samples.
async fn plan(common: &Common, job: &Job, archive: &Archive, now: Instant) -> Result<u8> {
    let resolved = job.resolve(archive, now).await?;
    let plan = archive.plan(&resolved.requests, now)?;
    summary::print_plan(common, &plan, &resolved.exposures)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::without_token;

    #[test]
    fn a_token_is_not_told() {
        let words = ["export", "A@-1d", "--token", "abc", "--source", "mast"].map(str::to_owned);
        let told: Vec<String> = without_token(words.into_iter()).collect();
        assert_eq!(told, ["export", "A@-1d", "--token", "…", "--source", "mast"]);
    }
}
