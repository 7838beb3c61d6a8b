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
        asked: asked(std::env::args().skip(1)),
    })
}

/// The words of the command line, without secrets.
fn asked(words: impl Iterator<Item = String>) -> Vec<(String, String)> {
    let mut is_secret = false;
    let mut safe = Vec::new();
    for word in words {
        let said = if std::mem::take(&mut is_secret) {
            "…".to_owned()
        } else if word.starts_with("--token=") {
            "--token=…".to_owned()
        } else {
            is_secret = word == "--token";
            without_user(&word)
        };
        safe.push(("arguments".to_owned(), said));
    }
    safe
}

/// `https://user:password@host/` without what is before the host.
fn without_user(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://…{}", &rest[user.len()..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn what_was_asked_is_told_without_secrets() {
        let words =
            ["export", "A@-1d", "--token", "abc", "--token=abc", "--source", "https://me:abc@host/x@y"];
        let told: Vec<String> =
            asked(words.into_iter().map(str::to_owned)).into_iter().map(|(_, word)| word).collect();
        assert_eq!(told, ["export", "A@-1d", "--token", "…", "--token=…", "--source", "https://…@host/x@y"]);
    }
}

/// Runs a job, shows how far it is, prints its summary, and returns the exit code.
async fn run_job(common: &Common, job: &Job, now: Instant) -> Result<u8> {
    let watch = Stopwatch::now();
    let archive =
        source::archive(common, job.source.as_deref(), job.store.as_deref(), &job.change_only).await?;
    if common.dry_run {
        return plan(common, job, &archive, now).await;
    }
    let mut display = Display::new(common, archive.source());
    let report = edb_job::run(job, &archive, now, |event| display.show(&event)).await;
    display.finish();
    let report = report?;
    let has_store = source::store_folder(common, job.store.as_deref()).is_some();
    summary::print(common, &report, watch.elapsed(), has_store)?;
    if let Some(cause) = &report.cause {
        output::say_error(cause);
    }
    Ok(report.exit_code)
}

/// Says what a job would ask, and asks nothing about samples.
async fn plan(common: &Common, job: &Job, archive: &Archive, now: Instant) -> Result<u8> {
    let resolved = job.resolve(archive, now).await?;
    let plan = archive.plan(&resolved.requests, now)?;
    summary::print_plan(common, &plan, &resolved.exposures)?;
    Ok(0)
}
