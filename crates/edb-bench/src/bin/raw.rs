//! What a download costs at least: the bytes of a workload are received and thrown away.
//!
//! ```text
//! raw URL w1|w2|w3 [CONCURRENCY]        eight at once unless said otherwise
//! ```
//! Same HTTP client as the toolkit's, over HTTP/1.1 and not compressed. `peers/fetch.py` does the same with other libraries.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use edb_bench::{Meter, Workload};
use edb_core::{Error, ErrorKind, Request, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (url, workload, concurrency) = match arguments[..] {
        [url, workload] => (url, workload, "8"),
        [url, workload, concurrency] => (url, workload, concurrency),
        _ => return Err(Error::usage("expected `URL w1|w2|w3 [CONCURRENCY]`")),
    };
    let workload = Workload::parse(workload)?;
    let concurrency = concurrency.parse::<usize>().map_err(|_| Error::usage("CONCURRENCY is a number"))?;
    let client = client()?;
    let requests: Arc<[Request]> = workload.requests()?.into();
    let (next, bytes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));

    let before = server_cpu_seconds(&client, url).await?;
    let meter = Meter::start();
    let workers: Vec<_> = (0..concurrency)
        .map(|_| {
            let (client, requests, next, bytes) =
                (client.clone(), requests.clone(), next.clone(), bytes.clone());
            let url = url.trim_end_matches('/').to_owned();
            tokio::spawn(async move {
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let file = request.file_name();
                    let url = format!("{url}/api/v0.1/Download/file?uri=mast:jwstedb/{file}");
                    let mut response = client.get(url).send().await?.error_for_status()?;
                    while let Some(chunk) = response.chunk().await? {
                        bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                    }
                }
                Ok::<(), reqwest::Error>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    }
    let report = meter.report();
    let server = server_cpu_seconds(&client, url).await? - before;
    println!(
        "{} raw{concurrency}: {report}, {:.1} MB, server {server:.2} CPU s",
        workload.name(),
        bytes.load(Ordering::Relaxed) as f64 / 1e6
    );
    Ok(())
}

fn client() -> Result<reqwest::Client> {
    // An error means that there is a provider already; none is used over plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().http1_only().no_gzip().no_proxy();
    builder.build().map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> Error {
    Error::new(ErrorKind::Unclassified, format!("could not download: {error:?}"))
}

/// What `edb_service` has used so far; 0 for any other service.
async fn server_cpu_seconds(client: &reqwest::Client, url: &str) -> Result<f64> {
    let url = format!("{}/figures", url.trim_end_matches('/'));
    let reply = client.get(url).send().await.map_err(|error| failed(&error))?;
    let reply = reply.text().await.map_err(|error| failed(&error))?;
    let figures: serde_json::Value = serde_json::from_str(&reply).unwrap_or_default();
    Ok(figures["cpu_seconds"].as_f64().unwrap_or(0.0))
}
