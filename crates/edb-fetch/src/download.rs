//! Many files at once.

use std::path::PathBuf;
use std::sync::Arc;

use edb_core::{ErrorKind, Request, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Client;

/// One file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// What is asked.
    pub request: Request,
    /// Where its bytes go.
    pub destination: PathBuf,
}

/// Downloads files as the service sends them, at most `concurrency` at a time. `on_bytes` is told of every piece that
/// arrives, `on_done` of every file that is whole (its size) or was given up. A refused token or a failing disk ends
/// everything: every other file would fail too. Returns the results in the order of `downloads`; `None` for files that
/// were not tried.
pub async fn download(
    client: &Client,
    downloads: Vec<Download>,
    concurrency: usize,
    on_bytes: impl Fn(&Download, u64) + Send + Sync + 'static,
    mut on_done: impl FnMut(&Download, &Result<u64>),
) -> Vec<(Download, Option<Result<u64>>)> {
    let places = Arc::new(Semaphore::new(concurrency.max(1)));
    let on_bytes = Arc::new(on_bytes);
    let mut results: Vec<_> = downloads.into_iter().map(|download| (download, None)).collect();
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
        let Ok((at, result)) = joined else { continue };
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Disk)
        {
            tasks.abort_all();
        }
        on_done(&results[at].0, &result);
        results[at].1 = Some(result);
    }
    results
}
