//! `edb sync`.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant as Stopwatch;

use edb::{
    Archive, Coverage, Error, Instant, MICROS_PER_DAY, Mnemonic, Notice, NoticeKind, Request, Result, Store,
    Synced, Term, TimeRange,
};
use edb_job::Job;
use serde_json::json;

use crate::args::{Common, SummaryForm, SyncArgs};
use crate::progress::Display;
use crate::{output, source, summary};

pub(crate) async fn run(common: &Common, args: SyncArgs) -> Result<u8> {
    let now = source::now();
    let watch = Stopwatch::now();
    let folder = source::required_store(common)?;
    if !folder.exists() && args.selection.terms.is_empty() && args.selection.range.query.is_none() {
        // Before a store is made for nothing.
        return Err(Error::usage(format!(
            "there is no store in `{}`, and no mnemonic is named",
            folder.display()
        ))
        .with_hint("name what it is to hold, as in `edb sync SA_ZADUCMDX --start -30d`"));
    }
    let lag_us = i64::try_from(args.lag.as_micros()).unwrap_or(i64::MAX);
    let latest = now.plus_micros(-lag_us);
    let mut job = super::job("sync", &args.selection, now)?;
    let archive = source::archive(common, None, None, &job.change_only).await?;
    let source = archive.required_source()?;
    let named = job.selection.terms.len();
    let holes = go_on(&mut job, archive.store().as_ref(), latest)?;
    if job.selection.terms.is_empty() && (named > 0 || !archive.store().mnemonics()?.is_empty()) {
        // A run that comes too soon after another one is no mistake.
        let synced = Synced { notices: holes, ..Synced::default() };
        return finish(common, &archive, &synced, watch.elapsed().as_secs_f64());
    }
    let resolved = job.resolve(&archive, now).await?;
    let requests: Vec<Request> =
        resolved.requests.into_iter().filter_map(|request| until(request, latest)).collect();
    if requests.is_empty() {
        return Err(Error::usage("there is nothing to bring: every range begins later than `--lag` allows")
            .with_hint("choose an earlier start, or a shorter lag"));
    }
    if common.dry_run {
        summary::print_plan(common, &archive.plan(&requests, now)?, &resolved.exposures)?;
        return Ok(0);
    }
    let mut display = Display::new(common, Some(source));
    let synced = archive.sync(&requests, now, |event| display.show(&event)).await;
    display.finish();
    let mut synced = synced?;
    synced.notices.splice(0..0, holes.into_iter().chain(resolved.notices));
    finish(common, &archive, &synced, watch.elapsed().as_secs_f64())
}

/// Names without a range go on from where the store ends; without names, all that it holds. What it lacks before that is told: whether it is
/// wanted nobody but the user knows.
fn go_on(job: &mut Job, store: &dyn Store, latest: Instant) -> Result<Vec<Notice>> {
    let selection = &mut job.selection;
    let held = store.mnemonics()?;
    if selection.terms.is_empty() {
        selection.terms = held.iter().map(|mnemonic| Term::Name(mnemonic.to_string())).collect();
    }
    let mut notices = Vec::new();
    if !selection.ranges.is_empty() || !job.during.is_empty() {
        return Ok(notices);
    }
    for term in std::mem::take(&mut selection.terms) {
        let names: Vec<&Mnemonic> = match &term {
            Term::Name(name) => held.iter().filter(|mnemonic| mnemonic.matches(name)).collect(),
            Term::Whole(_) => Vec::new(),
        };
        if names.is_empty() {
            selection.terms.push(term);
        }
        for mnemonic in names {
            let headers = store.headers(mnemonic)?;
            let known: Coverage = headers.iter().map(|header| header.proven).collect();
            let young: Coverage = headers.iter().filter(|it| it.provisional).map(|it| it.proven).collect();
            let Some(end) = known.ranges().last().map(|last| last.stop()) else {
                // Nothing is left of it to go on from.
                selection.terms.push(Term::Name(mnemonic.to_string()));
                continue;
            };
            let start = young.ranges().first().map_or(end, |first| first.start());
            if let Some(range) = TimeRange::checked(start, latest) {
                selection.terms.push(Term::Whole(Request { mnemonic: mnemonic.clone(), range }));
            }
            let holes = known
                .ranges()
                .windows(2)
                .filter_map(|pair| TimeRange::checked(pair[0].stop(), pair[1].start()));
            notices.extend(holes.map(|hole| {
                let text = format!("nothing is known in {hole}; if it is wanted: edb sync {mnemonic}@{hole}");
                Notice::about(NoticeKind::NotKnown, mnemonic, text)
            }));
        }
    }
    Ok(notices)
}

fn until(request: Request, latest: Instant) -> Option<Request> {
    let range = TimeRange::checked(request.range.start(), request.range.stop().min(latest))?;
    Some(Request { range, ..request })
}

fn finish(common: &Common, archive: &Archive, synced: &Synced, elapsed_s: f64) -> Result<u8> {
    let code = synced.exit_code();
    let failures = edb_job::failures(&synced.failures);
    if common.words.summary == SummaryForm::Json {
        let known = |(request, known): &(Request, edb::Coverage)| {
            json!({
                "mnemonic": request.mnemonic, "start": request.range.start().to_string(),
                "stop": request.range.stop().to_string(), "known_s": known.micros() as f64 / 1e6,
                "is_complete": known.gaps(request.range).is_empty(),
            })
        };
        let object = json!({
            "source": synced.source, "ranges": synced.known.iter().map(known).collect::<Vec<_>>(),
            "delivered": edb_job::delivered(&synced.delivered), "failures": failures, "exit_code": code,
            "notices": synced.notices.iter().map(ToString::to_string).collect::<Vec<_>>(), "elapsed_s": elapsed_s,
        });
        output::data(format!("{object}\n").as_bytes())?;
        return Ok(code);
    }
    if common.words.summary == SummaryForm::Text && !common.words.quiet {
        output::say(text(archive.store(), synced, elapsed_s)?.trim_end());
        summary::notices(&synced.notices).iter().for_each(|line| output::say(line));
    }
    summary::failures(&failures).iter().for_each(|line| output::say(line));
    Ok(code)
}

fn text(store: &Arc<dyn Store>, synced: &Synced, elapsed_s: f64) -> Result<String> {
    if synced.known.is_empty() {
        return Ok("everything is known already, up to what `--lag` allows".to_owned());
    }
    let width =
        synced.known.iter().map(|(request, _)| request.mnemonic.as_str().len()).max().unwrap_or(0).max(8);
    let mut text = format!(
        "{:width$}  {:>12}  {:>8}  {:>10}  range\n",
        "mnemonic", "new samples", "answers", "known days"
    );
    let mut told = Vec::new();
    for (request, known) in &synced.known {
        let part = synced.delivered.iter().find(|part| part.mnemonic == request.mnemonic);
        // Of a mnemonic with several ranges it is told once what came.
        let part = part.filter(|_| !told.contains(&&request.mnemonic));
        told.push(&request.mnemonic);
        let whole = if known.gaps(request.range).is_empty() { "" } else { "  (not all known)" };
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{:width$}  {:>12}  {:>8}  {:>10.2}  {}{whole}",
            request.mnemonic,
            summary::thousands(part.map_or(0, |part| part.rows) as u64),
            part.map_or(0, |part| part.answers),
            known.micros() as f64 / MICROS_PER_DAY as f64,
            request.range
        );
    }
    let rows: usize = synced.delivered.iter().map(|part| part.rows).sum();
    let answers: usize = synced.delivered.iter().map(|part| part.answers).sum();
    let _ = writeln!(
        text,
        "{} in {} from {} in {elapsed_s:.2} s; the store holds {}",
        summary::counted(rows, "sample"),
        summary::counted(answers, "answer"),
        synced.source,
        summary::counted(store.mnemonics()?.len(), "mnemonic"),
    );
    Ok(text)
}
