//! What the toolkit's retriever needs for the workloads: bytes of a service to typed columns, or to a store.
//!
//! ```text
//! fetch URL w1|w2|w3 [CONCURRENCY]            columns in memory
//! fetch URL MNEMONIC@START/STOP [CONCURRENCY]   the same for any range
//! fetch --store DIR URL …                      segments on disk, as a sync writes them; nothing is kept in memory
//! fetch --raw DIR URL …                        the service's bytes on disk, as `edb fetch` writes them
//! ```
//! `edb_service` is the service, `raw` receives the same bytes and throws them away, `peers/fetch.py` does the same work with
//! other libraries.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use edb_bench::{Meter, Workload, memory_bytes};
use edb_core::{Answer, Error, Instant, Request, Result, Samples, Source};
use edb_fetch::{
    Client, ClientOptions, Download, DownloadOptions, FlowOptions, Limits, RetrieveOptions, download,
    retrieve,
};
use edb_store::{DiskStore, Segment, Store};

/// A day after the last range of the workloads, and long after: nothing is provisional.
const NOW_MICROS: i64 = 1_800_000_000_000_000;

/// Where the samples go.
enum Into {
    Memory,
    Store(PathBuf),
    Raw(PathBuf),
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let goal = match words.first().map(String::as_str) {
        Some(flag @ ("--store" | "--raw")) if words.len() > 2 => {
            let folder = PathBuf::from(&words[1]);
            let goal = if flag == "--store" { Into::Store(folder) } else { Into::Raw(folder) };
            words.drain(..2);
            goal
        }
        _ => Into::Memory,
    };
    let (url, what, concurrency) = match words.as_slice() {
        [url, what] => (url, what, 8),
        [url, what, number] => {
            (url, what, number.parse().map_err(|_| Error::usage(format!("`{number}` is no number")))?)
        }
        _ => return Err(Error::usage("expected `fetch [--store DIR | --raw DIR] URL WHAT [CONCURRENCY]`")),
    };
    let requests = if what.contains('@') {
        vec![Request::parse(what, Instant::MIN)?]
    } else {
        Workload::parse(what)?.requests()?
    };
    let flow = FlowOptions { concurrency, ..FlowOptions::default() };
    let client = Client::new(&ClientOptions { base_url: url.clone(), flow, ..ClientOptions::default() })?;
    run(Arc::new(client), what, &requests, concurrency, goal).await
}

async fn run(
    client: Arc<Client>,
    what: &str,
    requests: &[Request],
    concurrency: usize,
    goal: Into,
) -> Result<()> {
    let options = RetrieveOptions { concurrency, ..RetrieveOptions::default() };
    let before = memory_bytes("VmHWM");
    let meter = Meter::start();
    let (name, columns) = match goal {
        Into::Memory => {
            let kept = Arc::new(Mutex::new(Vec::<Samples>::new()));
            let keep = Arc::clone(&kept);
            let deliver = move |answer: Answer| {
                keep.lock().unwrap_or_else(PoisonError::into_inner).push(answer.samples);
                Ok(())
            };
            let retrieval = retrieve(client.clone(), requests, &options, deliver, |_| {}).await?;
            refuse(&retrieval.failures)?;
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            ("columns", kept.iter().map(Samples::len).sum::<usize>() as u64 * 16)
        }
        Into::Store(folder) => {
            let (store, source) = (DiskStore::open_or_create(&folder)?, client.name());
            let now = Instant::from_micros(NOW_MICROS);
            let deliver = move |answer: Answer| match Segment::from_answer(answer, now, &source, "") {
                Some(segment) => store.commit(segment),
                None => Ok(()),
            };
            let retrieval = retrieve(client.clone(), requests, &options, deliver, |_| {}).await?;
            refuse(&retrieval.failures)?;
            ("store", 0)
        }
        Into::Raw(folder) => {
            let file = |request: &Request| Path::new(&folder).join(request.file_name());
            let downloads = requests
                .iter()
                .map(|request| Download { request: request.clone(), destination: file(request) });
            let options = DownloadOptions { concurrency, limits: Limits::default() };
            for (_, result) in download(&client, downloads.collect(), &options, |_, _| {}).await.results {
                result.transpose()?;
            }
            ("files", 0)
        }
    };
    let report = meter.report();
    let traffic = client.traffic();
    println!(
        "{what} edb to {name}, {concurrency} at once: {report} ({:.1} before, columns {:.1}), {} requests, {} rows, {:.1} MB",
        before as f64 / 1e6,
        columns as f64 / 1e6,
        traffic.requests,
        traffic.rows,
        traffic.bytes as f64 / 1e6
    );
    Ok(())
}

fn refuse(failures: &[edb_fetch::Failure]) -> Result<()> {
    match failures.first() {
        Some(failure) => Err(Error::integrity(failure.error.chain())),
        None => Ok(()),
    }
}
