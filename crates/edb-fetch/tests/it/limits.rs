//! What one retrieval may take, and going on afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use edb_core::{Error, ErrorKind, MemorySource, Request, Source as _};
use edb_fetch::{ClientOptions, Limits, RetrieveOptions, retrieve};
use edb_testkit::{ScriptedServer, Service};

use crate::world::{
    DAY, HOUR, Kept, MINUTE, MS, SECOND, archive, assert_accounted, assert_complete, at_once, client,
    client_of, every, name, options, request, rows, run,
};

fn limited(limits: Limits, concurrency: usize) -> RetrieveOptions {
    RetrieveOptions { limits, ..at_once(concurrency) }
}

/// What is left of requests when all that was delivered is known.
fn left(requests: &[Request], kept: &Kept) -> Vec<Request> {
    let gaps = |request: &Request| {
        let gaps = kept.proven(&request.mnemonic).gaps(request.range);
        let mnemonic = request.mnemonic.clone();
        gaps.into_iter().map(move |range| Request { mnemonic: mnemonic.clone(), range }).collect::<Vec<_>>()
    };
    requests.iter().flat_map(gaps).collect()
}

fn two() -> (MemorySource, Vec<Request>) {
    let names = ["M", "N"];
    let archive = archive(names.map(|name| (name, every(SECOND, 40_000))));
    (archive, names.map(|name| request(name, 5 * SECOND..30_000 * SECOND)).into())
}

#[tokio::test]
async fn a_limit_of_bytes_stops_and_the_next_retrieval_goes_on() {
    let (archive, requests) = two();
    for concurrency in [1, 4] {
        let server = Service::new(archive.clone()).start();
        let client = client(&server.url());
        let mut todo = requests.clone();
        let mut all = Vec::new();
        let limit = 400_000;
        let mut runs = 0;
        while !todo.is_empty() {
            runs += 1;
            assert!(runs < 40, "{runs} runs, {} left", todo.len());
            let before = client.traffic().bytes;
            let limits = Limits { bytes: Some(limit), duration: None };
            let (retrieval, kept) = run(&client, &todo, &limited(limits, concurrency)).await;
            assert_accounted(&retrieval, &kept, &archive, &todo, "limited");
            let came = client.traffic().bytes - before;
            assert!(came <= limit + limit / 4, "{came} bytes came, {concurrency} at once");
            assert!(
                came > limit / 4 || retrieval.failures.is_empty(),
                "{came} bytes only, {concurrency} at once"
            );
            for failure in &retrieval.failures {
                assert_eq!((failure.error.kind(), failure.was_tried()), (ErrorKind::Limit, false));
                assert_eq!(failure.error.kind().exit_code(), 8);
            }
            all.extend(kept.answers());
            let known = Kept::default();
            all.iter().cloned().for_each(|answer| known.deliver()(answer).unwrap());
            todo = left(&requests, &known);
            if todo.is_empty() {
                for request in &requests {
                    let truth = rows(archive.samples(&request.mnemonic).unwrap(), request.range);
                    assert_eq!(known.read(&request.mnemonic, request.range), truth);
                }
            }
        }
        assert!(runs >= 5, "{runs} runs");
    }
}

#[tokio::test]
async fn a_limit_too_small_for_anything_asks_for_nothing() {
    let (archive, requests) = two();
    let server = Service::new(archive).start();
    let limits = Limits { bytes: Some(0), duration: None };
    let (retrieval, kept) = run(&client(&server.url()), &requests, &limited(limits, 4)).await;
    assert_eq!((retrieval.failures.len(), kept.answers().len(), server.requests().len()), (2, 0, 0));
}

#[tokio::test]
async fn a_limit_of_time_stops_and_the_next_retrieval_goes_on() {
    let names: Vec<String> = (0..12).map(|number| format!("M{number}")).collect();
    let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 2000))));
    let service = Service::new(archive.clone());
    let server = edb_testkit::ScriptedServer::start(move |asked| {
        let reply = service.reply(asked);
        if asked.number == 5 { reply.stall_before_head() } else { reply }
    });
    let client = client(&server.url());
    let requests: Vec<_> = names.iter().map(|name| request(name, 0..DAY)).collect();
    let limits = Limits { bytes: None, duration: Some(900 * MS) };
    let (retrieval, kept) = run(&client, &requests, &limited(limits, 1)).await;
    assert_accounted(&retrieval, &kept, &archive, &requests, "timed");
    assert_eq!((kept.answers().len(), retrieval.failures.len()), (5, 7));
    let stopped =
        |failure: &edb_fetch::Failure| failure.error.kind() == ErrorKind::Limit && !failure.was_tried();
    assert!(retrieval.failures.iter().all(stopped));
    let rest = left(&requests, &kept);
    let (retrieval, again) = run(&client, &rest, &at_once(2)).await;
    assert!(retrieval.failures.is_empty());
    assert_eq!((rest.len(), again.answers().len(), server.requests().len()), (7, 7, 13));
}

#[tokio::test]
async fn a_limit_of_no_time_asks_for_nothing_for_long() {
    let (archive, requests) = two();
    let server = Service::new(archive.clone()).start();
    let limits = Limits { bytes: None, duration: Some(Duration::ZERO) };
    let (retrieval, kept) = run(&client(&server.url()), &requests, &limited(limits, 2)).await;
    assert_accounted(&retrieval, &kept, &archive, &requests, "no time");
    assert!(!retrieval.failures.is_empty());
}

#[tokio::test]
async fn a_disk_that_fails_ends_everything_and_keeps_what_was_delivered() {
    let names: Vec<String> = (0..40).map(|number| format!("M{number}")).collect();
    let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 2000))));
    let server = Service::new(archive).start();
    let requests: Vec<_> = names.iter().map(|name| request(name, 0..DAY)).collect();
    let delivered = AtomicUsize::new(0);
    let deliver = move |_| match delivered.fetch_add(1, Ordering::SeqCst) {
        0..5 => Ok(()),
        _ => Err(Error::new(ErrorKind::Disk, "the disk is full")),
    };
    let client = client(&server.url());
    let error = retrieve(client, &requests, &at_once(2), deliver, |_| ()).await.unwrap_err();
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Disk, 11));
    assert!(server.requests().len() <= 9, "{}", server.requests().len());
}

#[tokio::test]
async fn an_answer_of_too_many_rows_is_read_in_parts() {
    // Some batches of bytes are decoded before anybody looks.
    let (rows, most) = (60_000, 5_000);
    let archive = archive([("M", every(SECOND, rows))]);
    let server = Service::new(archive.clone()).start();
    let client = client_of(&ClientOptions { most_rows: most, ..options(&server.url()) });
    let requests = [request("M", 10..20 * HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "in parts");
    let largest = kept.answers().iter().map(|answer| answer.samples.len()).max().unwrap();
    assert!((most..4 * most).contains(&largest), "{largest} rows in one answer");
}

#[tokio::test]
async fn what_had_come_when_the_time_was_up_is_kept_and_every_run_gets_on() {
    let archive = archive([("M", every(SECOND, 4000))]);
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| service.reply(asked).drip(8_000, 20 * MS));
    let client = client(&server.url());
    let whole = [request("M", 10..HOUR)];
    let (kept, mut requests, mut runs) = (Kept::default(), whole.to_vec(), 0);
    while !requests.is_empty() {
        let limits = Limits { duration: Some(300 * MS), ..Limits::default() };
        let options = limited(limits, 2);
        let before = kept.proven(&name("M")).micros();
        let retrieval = retrieve(client.clone(), &requests, &options, kept.deliver(), |_| {}).await.unwrap();
        assert!(retrieval.failures.iter().all(|failure| failure.error.kind() == ErrorKind::Limit));
        assert!(kept.proven(&name("M")).micros() > before, "run {runs} kept nothing");
        requests = left(&whole, &kept);
        runs += 1;
    }
    assert!(runs > 1, "the limit was never reached");
    assert_eq!(
        kept.read(&name("M"), whole[0].range),
        rows(archive.samples(&name("M")).unwrap(), whole[0].range)
    );
}
