//! Many files at once.

use std::path::PathBuf;
use std::sync::Arc;

use edb_core::{ErrorKind, Request, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::{Client, Downloaded};

/// One file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// What is asked.
    pub request: Request,
    /// Where its bytes go.
    pub destination: PathBuf,
}

/// Downloads files as the service sends them, at most `concurrency` at a time. `on_bytes` is told of every piece that
/// arrives, `on_done` of every file that is whole (its size) or was given up. A failing disk ends everything, and so does a
/// refusal of the token before anything came: every other file would fail too. Returns the results in the order of `downloads`; `None` for files that
/// were not tried.
pub async fn download(
    client: &Client,
    downloads: Vec<Download>,
    concurrency: usize,
    on_bytes: impl Fn(&Download, u64) + Send + Sync + 'static,
    mut on_done: impl FnMut(&Download, &Result<Downloaded>),
) -> Vec<(Download, Option<Result<Downloaded>>)> {
    let places = Arc::new(Semaphore::new(concurrency.max(1)));
    let on_bytes = Arc::new(on_bytes);
    let mut results: Vec<_> = downloads.into_iter().map(|download| (download, None)).collect();
    let mut done = 0;
    let mut tasks = JoinSet::new();
    for (at, (download, _)) in results.iter().enumerate() {
        let (client, download) = (client.clone(), download.clone());
        let (places, on_bytes) = (Arc::clone(&places), Arc::clone(&on_bytes));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            let told = |bytes| on_bytes(&download, bytes);
            (at, client.download(&download.request, &download.destination, &told).await)
        });
    }
    while let Some(joined) = tasks.join_next().await {
        let (at, result) = match joined {
            Ok(joined) => joined,
            // Cut off by the abort below; a panic is a defect and must not pass for one.
            Err(error) if error.is_cancelled() => continue,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        if let Err(error) = &result
            && (error.kind() == ErrorKind::Disk || error.kind() == ErrorKind::Unauthorized && done == 0)
        {
            tasks.abort_all();
        }
        done += usize::from(result.is_ok());
        on_done(&results[at].0, &result);
        results[at].1 = Some(result);
    }
    results
}
