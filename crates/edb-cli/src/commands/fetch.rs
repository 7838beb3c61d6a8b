//! `edb fetch`: the drop-in for MAST's `edb_script.py`, and more.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use edb::fetch::{Client, Download, DownloadOptions, Downloaded, Downloads, Plan, download};
use edb::{Dictionary, Error, ErrorKind, Exposures, Mnemonic, Request, Result, Source};

use crate::args::{Common, Emit, FetchArgs};
use crate::source::Origin;
use crate::{output, progress, source, summary};

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
        if destination.is_file() && !common.refresh {
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
    let bar = progress::bar(
        common,
        asked as u64,
        "{bar:30} {pos}/{len} files  {prefix}  {elapsed} (ETA {eta})  {msg}",
    );
    let options = DownloadOptions {
        concurrency: usize::from(common.network.concurrency),
        limits: source::limits(common),
    };
    let done = download(&client, downloads, &options, |download, result| {
        bar.inc(1);
        bar.set_prefix(summary::bytes(client.traffic().bytes));
        bar.set_message(download.request.mnemonic.to_string());
        if !common.words.quiet {
            bar.suspend(|| match result {
                Ok(done) => output::say(&said(download, *done)),
                // The one error of a run is told in full at its end.
                Err(_) if asked == 1 => {}
                Err(error) => output::say(&format!("failed: {}", error.chain())),
            });
        }
    })
    .await;
    bar.finish_and_clear();
    finish(common, asked, skipped, done)
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

fn finish(common: &Common, asked: usize, skipped: usize, downloads: Downloads) -> Result<u8> {
    let Downloads { results, stopped } = downloads;
    let done = results.iter().filter(|(_, result)| matches!(result, Some(Ok(_)))).count();
    if !common.words.quiet {
        output::say(&format!("{done} of {asked} files downloaded, {skipped} already complete"));
    }
    let faults = results.into_iter().filter_map(|(_, result)| result.and_then(Result::err));
    // A disk that fails is the user's to mend before anything else.
    match faults.min_by_key(|error| error.kind() != ErrorKind::Disk) {
        None => stopped.map_or(Ok(0), Err),
        // Some came: a caller that looks at the code learns that not all did, the lines above say which.
        Some(error) if done + skipped > 0 && error.kind() != ErrorKind::Disk => {
            output::say_error(&error);
            Ok(ErrorKind::Partial.exit_code())
        }
        Some(error) => Err(error),
    }
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
            selection.ranges.extend(during.exposures(Some(source)).await?.ranges());
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
    let mut script = format!(
        "#!/usr/bin/env bash\n\
         # Downloads {} files of JWST engineering telemetry with curl. Run it again to get what is missing.\n\
         # A token is sent if MAST_API_TOKEN is set when this runs; most telemetry needs none.\n\
         set -u\n\
         folder=${{1:-{folder}}}\n\
         mkdir -p -- \"$folder\" || exit 1\n\
         failed=0\n\
         get() {{\n\
         \x20 [ -e \"$folder/$1\" ] && return 0\n\
         \x20 # The token goes through a pipe: the command line is visible to every user of the machine.\n\
         \x20 if printf '%s' \"${{MAST_API_TOKEN:+header = \\\"Authorization: token $MAST_API_TOKEN\\\"}}\" |\n\
         \x20   curl --config - --fail --location --retry 4 --silent --show-error --output \"$folder/.$1.partial\" -- \"$2\"\n\
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
