//! Raw files, many at once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edb_core::atomic::AtomicFile;
use edb_core::{End, Error, ErrorKind, Instant, MICROS_PER_SECOND, Request, Result, Source as _, TimeRange};
use edb_wire::{Seen, Whole};
use tokio::task::JoinSet;

use crate::body::{blocking, failed};
use crate::client::{Ask, Client};
use crate::retrieve::{Limits, limit_of_bytes, limit_of_time};
use crate::trouble::{Class, Trouble};

/// One file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// What is asked.
    pub request: Request,
    /// Where its bytes go.
    pub destination: PathBuf,
}

/// A file that was downloaded whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    /// Its size.
    pub size_bytes: u64,
    /// Whether it has any row: an unknown mnemonic is answered with the header alone.
    pub has_rows: bool,
    /// The time of its last row, if it ends before the range does and a second look agreed: the archive ends there as of now.
    pub ends_at: Option<Instant>,
}

impl Client {
    /// Writes the service's bytes about `request` to `destination`, as they came. The file takes its name only if the body
    /// is a whole CSV answer: one without trailing bracket is checked with a second, short request, and refused if that finds
    /// more.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Unauthorized`], [`ErrorKind::Integrity`] from the service,
    /// [`ErrorKind::Disk`] from the file.
    pub async fn download(&self, request: &Request, destination: &Path) -> Result<Downloaded> {
        let url = self.download_url(request);
        self.with_retries(|| self.download_once(&url, request, destination))
            .await
            .map_err(|error| error.while_doing(format!("could not download `{}`", request.file_name())))
    }

    async fn download_once(
        &self,
        url: &str,
        request: &Request,
        destination: &Path,
    ) -> Result<Downloaded, Trouble> {
        let mut file = AtomicFile::create(destination).map_err(failed)?;
        let mut body = self.open(url, Ask::Samples).await?;
        let mut check = Whole::new();
        while let Some(chunk) = body.next().await? {
            check.feed(&chunk).map_err(failed)?;
            file.write_all(&chunk).map_err(|error| failed(file.error(error)))?;
        }
        let size_bytes = body.bytes;
        drop(body);
        let seen = check.finish().map_err(|error| failed(error).after(size_bytes))?;
        let stop = request.range.to_whole_seconds().stop();
        // A sample at the very stop is sent with the one after it.
        let is_closed = seen.last.is_some_and(|last| last > stop);
        if !is_closed {
            self.check_end(request, &seen, size_bytes).await?;
        }
        blocking(move || file.commit()).await.map_err(failed)?;
        let ends_at = seen.last.filter(|last| *last < stop);
        Ok(Downloaded { size_bytes, has_rows: seen.has_rows, ends_at })
    }

    /// Asks again from the last row on, or for the last second if there is no row.
    async fn check_end(&self, request: &Request, seen: &Seen, bytes: u64) -> Result<(), Trouble> {
        let asked = request.range.to_whole_seconds();
        let last_second = asked.stop().plus_micros(-MICROS_PER_SECOND);
        // Where there was no row, the same question would have the same answer; the last second has a bracket before it.
        let start =
            seen.last.map_or(last_second, |last| last.floor_to_second().min(last_second)).max(asked.start());
        let range = TimeRange::checked(start, asked.stop()).unwrap_or(asked);
        let question = Request { mnemonic: request.mnemonic.clone(), range };
        let answer = self.fetch_once(&self.download_url(&question), &question).await?;
        // A lone bracket says where the archive ends, but not with how many rows.
        let twins = answer.rows_at_end();
        let is_same = answer.last == seen.last && (twins == 0 || twins == seen.rows_at_end);
        match answer.end {
            End::Open | End::Closed if is_same => return Ok(()),
            End::Cut if answer.last <= seen.last => {
                let text = "could not check whether the answer was cut: the answer to that was cut itself";
                return Err(Trouble::new(Class::Passing, Error::new(ErrorKind::Unavailable, text)));
            }
            _ => {}
        }
        let reached = seen.last.map_or("the header".to_owned(), |last| last.to_string());
        let error = Error::integrity(format!("the answer was cut off after {reached}: there is more"))
            .with_hint("ask for shorter ranges, or let `edb export` do that");
        Err(Trouble::of(error).after(bytes))
    }
}

/// How to work through downloads.
#[derive(Debug, Clone, Copy)]
pub struct DownloadOptions {
    /// Files under way at once.
    pub concurrency: usize,
    /// When to stop although not every file has come.
    pub limits: Limits,
}

/// What became of all downloads.
#[derive(Debug, Default)]
pub struct Downloads {
    /// The results in the order of the downloads; `None` for files that were not tried, or not to their end.
    pub results: Vec<(Download, Option<Result<Downloaded>>)>,
    /// The limit that stopped the work, if one did.
    pub stopped: Option<Error>,
}

/// Downloads files as the service sends them. `on_done` is told of every file that is whole or was given up. A failing disk
/// ends everything, and so do refused credentials: every other file would fail too. When as many bytes have come as are
/// allowed, no further file is begun; when the time is up, those under way are dropped.
pub async fn download(
    client: &Arc<Client>,
    downloads: Vec<Download>,
    options: &DownloadOptions,
    mut on_done: impl FnMut(&Download, &Result<Downloaded>),
) -> Downloads {
    let before = client.traffic().bytes;
    let is_spent = || options.limits.bytes.is_some_and(|limit| client.traffic().bytes - before >= limit);
    let mut results: Vec<_> = downloads.into_iter().map(|download| (download, None)).collect();
    let (mut next, mut is_over, mut stopped) = (0, false, None);
    let mut tasks = JoinSet::new();
    let deadline = options.limits.reached();
    tokio::pin!(deadline);
    loop {
        while !is_over && next < results.len() && tasks.len() < options.concurrency.max(1) {
            if is_spent() {
                (is_over, stopped) = (true, Some(limit_of_bytes()));
                break;
            }
            let (at, client, download) = (next, Arc::clone(client), results[next].0.clone());
            next += 1;
            tasks.spawn(async move { (at, client.download(&download.request, &download.destination).await) });
        }
        let joined = tokio::select! {
            joined = tasks.join_next() => joined,
            () = &mut deadline, if !is_over => {
                tasks.abort_all();
                (is_over, stopped) = (true, Some(limit_of_time()));
                continue;
            }
        };
        let (at, result) = match joined {
            None => return Downloads { results, stopped },
            Some(Ok(joined)) => joined,
            // Cut off by an abort; a panic is a defect and must not pass for one.
            Some(Err(error)) if error.is_cancelled() => continue,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        };
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::Disk | ErrorKind::Unauthorized)
        {
            is_over = true;
            tasks.abort_all();
        }
        on_done(&results[at].0, &result);
        results[at].1 = Some(result);
    }
}
