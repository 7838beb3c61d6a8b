//! `edb fetch`: the drop-in for MAST's `edb_script.py`, and more.

use std::fmt::Write;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use edb::fetch::{
    Client, Download, DownloadOptions, Downloaded, Downloads, Plan, download, takes_kept_token,
};
use edb::wire::last_row;
use edb::{ArchiveOptions, Dictionary, Error, ErrorKind, Exposures, Mnemonic, Request, Result, Source};
use serde_json::{Value, json};

use crate::args::{Common, Emit, FetchArgs, SummaryForm};
use crate::source::Origin;
use crate::{output, progress, source, summary};

/// As much of the end of a file as holds its last row.
const TAIL_BYTES: u64 = 4096;
/// What MAST's script downloads when nothing is asked.
const DEFAULT_FILE: &str = "SA_ZADUCMDX-20220601T000000-20220601T060000.csv";

pub(crate) async fn run(common: &Common, args: FetchArgs) -> Result<u8> {
    let client = Origin::choose(common, None)?.open(common).await?.map(Arc::new).ok_or_else(|| {
        Error::usage("raw files come from a service, not from the store")
            .with_hint("use `edb export` for what the store holds")
    })?;
    let searched = Arc::clone(&client) as Arc<dyn Source>;
    let requests = requests(&args, &searched).await?;
    if let Some(cache) = source::dictionary_cache(common, &client) {
        let names: Vec<&Mnemonic> = requests.iter().map(|request| &request.mnemonic).collect();
        cache.refuse_unknown(client.as_ref(), &names, source::now()).await?;
    }
    if args.emit == Some(Emit::Curl) {
        output::data(curl_script(&client, &requests, &args).as_bytes())?;
        return Ok(0);
    }
    let mut downloads = Vec::new();
    let mut skipped = 0;
    for request in requests {
        let destination = args.folder.join(request.file_name());
        // Files take their name only when they are whole, so one that is there is complete.
        if !common.refresh && is_complete(&destination, &request) {
            skipped += 1;
        } else {
            downloads.push(Download { request, destination });
        }
    }
    if common.dry_run {
        let asks: Vec<Request> = downloads.into_iter().map(|download| download.request).collect();
        // A file is one request, whatever it holds.
        let mut plan = Plan::new(&asks, usize::from(common.network.concurrency), |_| None);
        plan.parts.iter_mut().for_each(|part| part.requests = 1);
        summary::print_plan(common, &plan, &Exposures::default())?;
        return Ok(0);
    }
    let asked = downloads.len();
    let bar = progress::bar(common, asked as u64, searched);
    let options = DownloadOptions {
        concurrency: usize::from(common.network.concurrency),
        limits: source::limits(common),
    };
    let done = download(&client, downloads, &options, |download, result| {
        bar.inc(1);
        bar.set_message(download.request.mnemonic.to_string());
        bar.suspend(|| match result {
            Ok(_) if common.words.quiet => {}
            Ok(done) => output::report("downloaded", about(download, *done), &said(download, *done)),
            // The one error of a run is told in full at its end.
            Err(_) if asked == 1 => {}
            // What was not tried is told of once, with what had failed before it.
            Err(error) if error.tries() == 0 => {}
            Err(error) => {
                output::report("failed", failed(download, error), &format!("failed: {}", error.chain()));
            }
        });
    })
    .await;
    bar.finish_and_clear();
    finish(common, asked, skipped, done)
}

/// Whether a file is there to which nothing can be added any more: it ends with its trailing bracket, or was written long
/// after its range.
fn is_complete(path: &Path, request: &Request) -> bool {
    let stop = request.range.to_whole_seconds().stop();
    let read = || -> std::io::Result<(bool, bool)> {
        let mut file = File::open(path)?;
        let written = file.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let settle = ArchiveOptions::default().settle;
        let is_old = written.saturating_sub(settle).as_micros() as i64 > stop.as_micros();
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok((is_old, last_row(&tail).is_some_and(|last| last > stop)))
    };
    // A file that is not there, or cannot be read, is asked for.
    read().is_ok_and(|(is_old, is_closed)| is_old || is_closed)
}

/// A line about a file that came.
fn said(download: &Download, done: Downloaded) -> String {
    let remark = match done.ends_at {
        _ if !done.has_rows => "  (no rows: an unknown mnemonic? see `edb search`)".to_owned(),
        Some(end) => format!("  (the archive ends at {end}, as of now)"),
        None => String::new(),
    };
    format!("{}  {}{remark}", download.destination.display(), summary::bytes(done.size_bytes))
}

/// The same for programs.
fn about(download: &Download, done: Downloaded) -> Value {
    json!({
        "path": download.destination, "size_bytes": done.size_bytes, "has_rows": done.has_rows,
        "ends_at": done.ends_at.map(|end| end.to_string()),
    })
}

/// What did not come, for programs.
fn failed(download: &Download, error: &Error) -> Value {
    json!({
        "request": download.request.to_string(), "error": error.chain(), "hint": error.hint(), "tries": error.tries(),
        "exit_code": error.kind().exit_code(),
    })
}

fn finish(common: &Common, asked: usize, skipped: usize, downloads: Downloads) -> Result<u8> {
    let Downloads { results, stopped } = downloads;
    let (mut files, mut failures, mut not_tried, mut cause) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (download, result) in results {
        match result {
            Some(Ok(done)) => files.push(about(&download, done)),
            Some(Err(error)) => {
                failures.push(failed(&download, &error));
                // A disk that fails is the user's to mend before anything else.
                if error.kind() == ErrorKind::Disk || cause.is_none() {
                    cause = Some(error);
                }
            }
            None => not_tried.push(download.request.file_name()),
        }
    }
    let done = files.len();
    let code = match (&cause, &stopped) {
        (None, None) => 0,
        (None, Some(limit)) => limit.kind().exit_code(),
        // Some came: a caller that looks at the code learns that not all did, the lines above say which.
        (Some(error), _) if done + skipped > 0 && error.kind() != ErrorKind::Disk => {
            ErrorKind::Partial.exit_code()
        }
        (Some(error), _) => error.kind().exit_code(),
    };
    if common.words.summary == SummaryForm::Json {
        let object = json!({
            "files": files, "already_complete": skipped, "failures": failures, "not_tried": not_tried, "exit_code": code,
        });
        output::data(format!("{object}\n").as_bytes())?;
    } else if !common.words.quiet {
        let left =
            if not_tried.is_empty() { String::new() } else { format!(", {} not tried", not_tried.len()) };
        output::say(&match asked {
            0 => format!("{}, all of them complete already", summary::counted(skipped, "file")),
            _ => format!("{done} of {asked} files downloaded, {skipped} already complete{left}"),
        });
    }
    cause.iter().chain(&stopped).for_each(output::say_error);
    Ok(code)
}

/// The requests, each once, in the order they were named. `edb_script.py` puts them into a set and loses the order.
async fn requests(args: &FetchArgs, source: &Arc<dyn Source>) -> Result<Vec<Request>> {
    let now = source::now();
    let during = super::during(&args.during)?;
    let (files, words): (Vec<String>, Vec<String>) =
        args.files.iter().cloned().partition(|text| text.to_ascii_lowercase().ends_with(".csv"));
    let mut requests = files.iter().map(|name| Request::from_file_name(name)).collect::<Result<Vec<_>>>()?;
    if !words.is_empty() || args.range.query.is_some() || args.range.start.is_some() || !during.is_empty() {
        let mut selection = super::selection(&words, &args.range, now)?;
        if !during.is_empty() {
            let found = during.exposures(Some(source)).await?;
            found.notices.iter().for_each(|notice| output::say(&format!("notice: {notice}")));
            selection.ranges.extend(found.value.ranges());
        }
        if selection.has_patterns() {
            return Err(Error::usage("raw files are asked for by name, not by pattern")
                .with_hint("look names up with `edb search PATTERN`"));
        }
        requests.extend(selection.resolve(&Dictionary::default())?);
    }
    if requests.is_empty() {
        requests.push(Request::from_file_name(DEFAULT_FILE)?);
    }
    if let Some(future) = requests.iter().find(|request| request.range.start() > now) {
        return Err(Error::usage(format!(
            "could not ask for {future}: it starts in the future (now is {now})"
        ))
        .with_hint("choose a start that has been"));
    }
    let mut seen = std::collections::BTreeSet::new();
    requests.retain(|request| seen.insert(request.file_name()));
    Ok(requests)
}

/// A script that downloads the same files. Names and URLs hold only letters, digits and `_-.:/?=&`, so that single quotes
/// hold them; the folder may hold anything.
fn curl_script(client: &Client, requests: &[Request], args: &FetchArgs) -> String {
    let folder = shell_quote(&args.folder);
    let service = client.name();
    // What is kept for MAST goes to MAST, and over https it stays there.
    let (remark, header) = if takes_kept_token(&service) {
        (
            "A token is sent if MAST_API_TOKEN is set when this runs; most telemetry needs none.",
            "${MAST_API_TOKEN:+header = \\\"Authorization: token $MAST_API_TOKEN\\\"}",
        )
    } else {
        ("No token is sent: this is not MAST.", "")
    };
    let redirects = if service.starts_with("https://") { "--proto-redir =https " } else { "" };
    let mut script = format!(
        "#!/usr/bin/env bash\n\
         # Downloads {} files of JWST engineering telemetry with curl. Run it again to get what is missing.\n\
         # {remark}\n\
         set -u\n\
         folder=${{1:-{folder}}}\n\
         mkdir -p -- \"$folder\" || exit 1\n\
         failed=0\n\
         get() {{\n\
         \x20 [ -e \"$folder/$1\" ] && return 0\n\
         \x20 # The token goes through a pipe: the command line is visible to every user of the machine.\n\
         \x20 if printf '%s' \"{header}\" |\n\
         \x20   curl --config - --fail --location {redirects}--retry 4 --silent --show-error --output \"$folder/.$1.partial\" -- \"$2\"\n\
         \x20 then mv -- \"$folder/.$1.partial\" \"$folder/$1\" && echo \"$folder/$1\"\n\
         \x20 else rm -f -- \"$folder/.$1.partial\"; echo \"failed: $1\" >&2; failed=1\n\
         \x20 fi\n\
         }}\n",
        requests.len()
    );
    for request in requests {
        // Writing into a string does not fail.
        let _ = writeln!(script, "get '{}' '{}'", request.file_name(), client.download_url(request));
    }
    script.push_str("exit $failed\n");
    script
}

fn shell_quote(path: &std::path::Path) -> String {
    let text = PathBuf::from(path).display().to_string();
    format!("'{}'", text.replace('\'', r"'\''"))
}
