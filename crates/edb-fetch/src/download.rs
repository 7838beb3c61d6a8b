//! Raw files, many at once.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edb_core::atomic::AtomicFile;
use edb_core::{End, Error, ErrorKind, Instant, MICROS_PER_SECOND, Request, Result, Source, TimeRange};
use edb_wire::Whole;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::body::{blocking, failed};
use crate::client::{Ask, Client};
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
        let mut body = self.open(url, Ask::Get).await?;
        let mut check = Whole::new();
        while let Some(chunk) = body.next().await? {
            check.feed(&chunk).map_err(failed)?;
            file.write_all(&chunk).map_err(|error| failed(file.error(error)))?;
        }
        let size_bytes = body.bytes;
        drop(body);
        let seen = check.finish().map_err(|error| failed(error).after(size_bytes))?;
        let stop = request.range.to_whole_seconds().stop();
        let ends_at = match seen.last {
            // A sample at the very stop is sent with the one after it.
            Some(last) if last > stop => None,
            // Text with line ends in it may hide the time of the last row; what cannot be seen is not doubted.
            None if seen.has_rows => None,
            last => {
                self.check_end(request, last, size_bytes).await?;
                last.filter(|last| *last < stop)
            }
        };
        blocking(move || file.commit()).await.map_err(failed)?;
        Ok(Downloaded { size_bytes, has_rows: seen.has_rows, ends_at })
    }

    /// Asks again from the last row on, or for the last second if there is no row.
    async fn check_end(&self, request: &Request, last: Option<Instant>, bytes: u64) -> Result<(), Trouble> {
        let asked = request.range.to_whole_seconds();
        let last_second = asked.stop().plus_micros(-MICROS_PER_SECOND);
        // Where there was no row, the same question would have the same answer; the last second has a bracket before it.
        let start =
            last.map_or(last_second, |last| last.floor_to_second().min(last_second)).max(asked.start());
        let range = TimeRange::checked(start, asked.stop()).unwrap_or(asked);
        let answer = self.answer(&request.mnemonic, range).await.map_err(|error| {
            Trouble::new(Class::Final, error.while_doing("could not check whether the answer was cut"))
        })?;
        match answer.end {
            End::Open if answer.last == last => return Ok(()),
            End::Cut if answer.last <= last => {
                let text = "could not check whether the answer was cut: the answer to that was cut itself";
                return Err(Trouble::new(Class::Passing, Error::new(ErrorKind::Unavailable, text)));
            }
            _ => {}
        }
        let reached = last.map_or("the header".to_owned(), |last| last.to_string());
        let error = Error::integrity(format!("the answer was cut off after {reached}: there is more"))
            .with_hint("ask for shorter ranges, or let `edb export` do that");
        Err(Trouble::of(error).after(bytes))
    }
}

/// Downloads files as the service sends them, at most `concurrency` at a time. `on_done` is told of every file that is whole or
/// was given up. A failing disk ends everything, and so do refused credentials: every other file would fail too. Returns the
/// results in the order of `downloads`; `None` for files that were not tried.
pub async fn download(
    client: &Arc<Client>,
    downloads: Vec<Download>,
    concurrency: usize,
    mut on_done: impl FnMut(&Download, &Result<Downloaded>),
) -> Vec<(Download, Option<Result<Downloaded>>)> {
    let places = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut results: Vec<_> = downloads.into_iter().map(|download| (download, None)).collect();
    let mut tasks = JoinSet::new();
    for (at, (download, _)) in results.iter().enumerate() {
        let (client, download, places) = (Arc::clone(client), download.clone(), Arc::clone(&places));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            (at, client.download(&download.request, &download.destination).await)
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
            && matches!(error.kind(), ErrorKind::Disk | ErrorKind::Unauthorized)
        {
            tasks.abort_all();
        }
        on_done(&results[at].0, &result);
        results[at].1 = Some(result);
    }
    results
}
