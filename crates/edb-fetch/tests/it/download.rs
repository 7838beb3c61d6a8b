//! Raw files.

use std::path::Path;
use std::sync::Arc;

use edb_core::{ErrorKind, MemorySource, Request};
use edb_fetch::{Client, Download, DownloadOptions, Downloaded, Limits, download};
use edb_testkit::{Asked, Reply, ScriptedServer, Service};

use crate::world::{DAY, HOUR, MINUTE, SECOND, archive, at, client, every, name, request, texts};

/// Where the files of a test go.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn take(&self, client: &Client, request: &Request) -> edb_core::Result<Downloaded> {
        client.download(request, &self.path(request)).await
    }

    fn path(&self, request: &Request) -> std::path::PathBuf {
        self.0.path().join(request.file_name())
    }

    /// The bytes of the file, if there is one; nothing else may lie about.
    fn only(&self, request: &Request) -> Option<Vec<u8>> {
        let names: Vec<_> =
            std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let is_there = Path::new(&self.path(request)).exists();
        assert_eq!(names.len(), usize::from(is_there), "{names:?}");
        is_there.then(|| std::fs::read(self.path(request)).unwrap())
    }
}

fn hours() -> MemorySource {
    archive([("M", every(MINUTE, 300)), ("T", texts(&[1, 2, 3, 4, 5, 6, 7].map(|minute| minute * MINUTE)))])
}

/// What the service would send.
fn truth(archive: &MemorySource, request: &Request) -> Vec<u8> {
    let range = request.range.to_whole_seconds();
    edb_wire::encode(&archive.rows(&request.mnemonic, range.start(), range.stop()))
}

fn faulty(fault: impl Fn(&Asked, Reply) -> Reply + Send + Sync + 'static) -> ScriptedServer {
    let service = Service::new(hours());
    ScriptedServer::start(move |asked| fault(asked, service.reply(asked)))
}

#[tokio::test]
async fn a_file_has_the_services_very_bytes() {
    let server = faulty(|_, reply| reply.gzip());
    for request in [request("M", HOUR + 1..2 * HOUR), request("T", 2 * MINUTE..6 * MINUTE)] {
        let folder = Folder::new();
        let done = folder.take(&client(&server.url()), &request).await.unwrap();
        let expected = truth(&hours(), &request);
        assert_eq!(folder.only(&request).unwrap(), expected);
        assert_eq!(done, Downloaded { size_bytes: expected.len() as u64, has_rows: true, ends_at: None });
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_file_cut_between_two_lines_is_taken_again() {
    // Rows of `M` have lengths by the digits of their values.
    let request = request("M", HOUR + 1..2 * HOUR);
    let expected = truth(&hours(), &request);
    let ends: Vec<usize> = (0..expected.len()).filter(|at| expected[*at] == b'\n').map(|at| at + 1).collect();
    let line_ends = ends[..ends.len() - 1].iter().copied();
    for cut in line_ends {
        let server = faulty(move |asked, reply| match asked.number {
            0 => reply.close_delimited().cut(cut),
            _ => reply,
        });
        let folder = Folder::new();
        folder.take(&client(&server.url()), &request).await.unwrap();
        assert_eq!(folder.only(&request).unwrap(), expected, "cut at {cut}");
        assert_eq!(server.requests().len(), 3, "cut, checked, taken again: {cut}");
    }
}

#[tokio::test]
async fn a_file_that_is_always_cut_is_refused_and_takes_no_name() {
    let request = request("M", HOUR..2 * HOUR);
    for cut in [0, 20, 33, 34, 500, 1000] {
        for framing in [|reply| reply, Reply::chunked, Reply::close_delimited as fn(Reply) -> Reply] {
            // The check finds more, as it is whole.
            let server = faulty(move |asked, reply| match asked.file() {
                Some(file) if file.contains("T010000-") => framing(reply).cut(cut),
                _ => reply,
            });
            let folder = Folder::new();
            let error = folder.take(&client(&server.url()), &request).await.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Unavailable),
                "{cut}: {error:?}"
            );
            assert_eq!(folder.only(&request), None, "{cut}");
        }
    }
}

#[tokio::test]
async fn a_file_cut_in_its_last_second_is_not_whole() {
    let archive = archive([("M", every(SECOND / 4, 100))]);
    let request = request("M", 0..10 * SECOND - 600_000);
    let expected = truth(&archive, &request);
    let service = Service::new(archive.clone());
    // All rows but those of the last half second.
    let short =
        expected.len() - 3 * expected.rsplit(|byte| *byte == b'\n').nth(1).map_or(0, |line| line.len() + 1);
    let server = ScriptedServer::start(move |asked| match asked.number {
        0 => service.reply(asked).close_delimited().cut(short),
        _ => service.reply(asked),
    });
    let folder = Folder::new();
    folder.take(&client(&server.url()), &request).await.unwrap();
    assert_eq!(folder.only(&request).unwrap(), expected);
}

#[tokio::test]
async fn the_end_of_the_archive_is_accepted_after_a_second_look() {
    let server = faulty(|_, reply| reply);
    let request = request("M", 4 * HOUR..DAY);
    let folder = Folder::new();
    let done = folder.take(&client(&server.url()), &request).await.unwrap();
    assert_eq!((done.has_rows, done.ends_at), (true, Some(at(299 * MINUTE))));
    assert_eq!((folder.only(&request).unwrap(), server.requests().len()), (truth(&hours(), &request), 2));
}

#[tokio::test]
async fn an_unknown_mnemonic_gives_the_header_alone() {
    let server = faulty(|_, reply| reply);
    let request = request("NOBODY", 0..DAY);
    let folder = Folder::new();
    let done = folder.take(&client(&server.url()), &request).await.unwrap();
    assert_eq!((done.has_rows, done.ends_at), (false, None));
    assert_eq!((folder.only(&request).unwrap(), server.requests().len()), (crate::world::HEADER.into(), 2));
}

#[tokio::test]
async fn a_page_is_no_file_and_what_was_there_stays() {
    let server =
        ScriptedServer::start(|_| Reply::new(200, "text/html", b"<!DOCTYPE html>\n<html>\n</html>\n"));
    let request = request("M", 0..HOUR);
    let folder = Folder::new();
    std::fs::write(folder.path(&request), "before").unwrap();
    let error = folder.take(&client(&server.url()), &request).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.tries(), server.requests().len()),
        (ErrorKind::Integrity, 2, 2),
        "{error:?}"
    );
    assert_eq!(folder.only(&request).unwrap(), b"before");
}

#[tokio::test]
async fn a_check_that_is_cut_itself_proves_no_end() {
    let server = faulty(|asked, reply| match asked.number {
        // Whole rows up to one before the end, then the connection breaks.
        0 => Service::new(archive([("M", every(MINUTE, 290))])).reply(asked),
        1 => reply.chunked().cut(34 + 2 * 53),
        _ => reply,
    });
    let request = request("M", 4 * HOUR..DAY);
    let folder = Folder::new();
    let done = folder.take(&client(&server.url()), &request).await.unwrap();
    assert_eq!(done.ends_at, Some(at(299 * MINUTE)));
    assert_eq!(folder.only(&request).unwrap(), truth(&hours(), &request));
}

#[tokio::test]
async fn one_of_many_files_fails_alone_and_refused_credentials_end_all() {
    let names: Vec<String> = (0..30).map(|number| format!("M{number}")).collect();
    for (status, tried) in [(404, 30..=30), (401, 1..=14)] {
        let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 300))));
        let service = Service::new(archive);
        let server = ScriptedServer::start(move |asked| match asked.file() {
            Some(file) if file.starts_with("M5-") => Reply::status(status),
            _ => service.reply(asked),
        });
        let folder = Folder::new();
        let downloads: Vec<_> = names
            .iter()
            .map(|name| request(name, 0..HOUR))
            .map(|request| Download { destination: folder.path(&request), request })
            .collect();
        let mut told = 0;
        let options = DownloadOptions { concurrency: 4, limits: Limits::default() };
        let results =
            download(&Arc::clone(&client(&server.url())), downloads.clone(), &options, |_, _| told += 1)
                .await
                .results;
        assert!(results.iter().map(|(download, _)| download).eq(&downloads), "in the order that was asked");
        let done: Vec<_> =
            results.iter().filter_map(|(download, result)| Some((download, result.as_ref()?))).collect();
        assert!(tried.contains(&done.len()) && done.len() == told, "{status}: {} done", done.len());
        for (download, result) in done {
            let is_refused = download.request.mnemonic == name("M5");
            assert_eq!(
                (result.is_err(), download.destination.exists()),
                (is_refused, !is_refused),
                "{status}"
            );
        }
    }
}

#[tokio::test]
async fn an_archive_that_ends_exactly_where_a_file_does_is_whole() {
    let archive = archive([("M", every(MINUTE, 61)), ("T", texts(&[MINUTE, HOUR, HOUR, HOUR]))]);
    for mnemonic in ["M", "T"] {
        let request = request(mnemonic, MINUTE..HOUR);
        let folder = Folder::new();
        let server = Service::new(archive.clone()).start();
        let done = folder.take(&client(&server.url()), &request).await.unwrap();
        assert_eq!((folder.only(&request), done.ends_at), (Some(truth(&archive, &request)), None));
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_file_cut_between_twins_at_the_end_of_the_archive_takes_no_name() {
    let archive = archive([("T", texts(&[MINUTE, HOUR, HOUR, HOUR]))]);
    let request = request("T", 5..2 * HOUR);
    let whole = truth(&archive, &request);
    let row_ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    for cut in &row_ends[2..row_ends.len() - 1] {
        let service = Service::new(archive.clone());
        let cut = *cut;
        let server = ScriptedServer::start(move |asked| match asked.file() {
            Some(file) if file.ends_with("T000000-20220601T020000.csv") => {
                service.reply(asked).close_delimited().cut(cut)
            }
            _ => service.reply(asked),
        });
        let folder = Folder::new();
        let error = folder.take(&client(&server.url()), &request).await.unwrap_err();
        assert_eq!((error.kind(), folder.only(&request)), (ErrorKind::Integrity, None), "{cut}");
    }
}
