//! (16) A service that has too much to do, fairness between mnemonics, (26) many rows.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use edb_core::{MemorySource, Request};
use edb_fetch::{Event, FlowOptions, Rate, RetrieveOptions, retrieve};
use edb_testkit::{Reply, ScriptedServer, Service};

use crate::world::{
    BASE, DAY, HOUR, Kept, MINUTE, MS, archive, assert_complete, at, at_once, client, client_of, every, name,
    request, run, with_concurrency,
};

fn many(count: usize) -> (MemorySource, Vec<Request>) {
    let names: Vec<String> = (0..count).map(|number| format!("M{number}")).collect();
    let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 2000))));
    (archive, names.iter().map(|name| request(name, 3..DAY)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_refusals_ends_at_what_the_service_bears() {
    let (archive, requests) = many(120);
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match asked.concurrent {
        // Long enough for the others to arrive on a busy machine.
        0..=3 => service.reply(asked).after(20 * MS),
        _ => Reply::status(429).keep_alive(),
    });
    let mut options = with_concurrency(&server.url(), 8);
    options.retry.tries = 12;
    let client = client_of(&options);
    let (retrieval, kept) = run(&client, &requests, &at_once(8)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "429");
    assert!(server.most_concurrent() <= 8, "{}", server.most_concurrent());
    assert!((1..=5).contains(&client.places()), "{} places", client.places());
    let refused = server.requests().len() - 120;
    assert!((1..120).contains(&refused), "{refused} refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_asked_at_once_than_allowed_however_much_is_to_be_done() {
    let (archive, requests) = many(40);
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| service.reply(asked).after(2 * MS));
    let client = client_of(&with_concurrency(&server.url(), 3));
    let (retrieval, kept) = run(&client, &requests, &at_once(16)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "three at once");
    assert_eq!(server.most_concurrent(), 3);
}

#[tokio::test]
async fn requests_are_spread_over_time_as_asked() {
    let (archive, requests) = many(6);
    let server = Service::new(archive.clone()).start();
    let mut options = with_concurrency(&server.url(), 6);
    options.flow = FlowOptions { requests_per_second: Some(100.0), ..options.flow };
    let since = std::time::Instant::now();
    let (retrieval, kept) = run(&client_of(&options), &requests, &at_once(6)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "spread");
    assert!(since.elapsed() >= 50 * MS, "{:?}", since.elapsed());
}

#[tokio::test]
async fn small_mnemonics_do_not_wait_for_a_huge_one() {
    let names: Vec<String> = (0..40).map(|number| format!("S{number}")).collect();
    let small = names.iter().map(|name| (name.as_str(), every(MINUTE, 1000)));
    let archive = archive(small.chain([("HUGE", every(10 * MINUTE, 60_000))]));
    let server = Service::new(archive.clone()).start();
    let mut requests = vec![request("HUGE", 1..365 * DAY)];
    requests.extend(names.iter().map(|name| request(name, 1..HOUR)));
    // A rate far above the truth makes many windows.
    let rates = [(name("HUGE"), Rate { rows: 200_000_000, span_us: 365 * DAY })].into();
    let kept = Kept::default();
    let mut order = Vec::new();
    let note = |event: Event<'_>| {
        if let Event::Answered(window, _) = event {
            order.push(window.wanted.mnemonic.to_string());
        }
    };
    let options = RetrieveOptions { rates, ..at_once(4) };
    let retrieval = retrieve(client(&server.url()), &requests, &options, kept.deliver(), note).await.unwrap();
    assert_complete(&retrieval, &kept, &archive, &requests, "fair");
    let last_small = order.iter().rposition(|name| name.starts_with('S')).unwrap();
    let huge = order.iter().filter(|name| *name == "HUGE").count();
    assert!(huge > 3, "{huge}");
    assert!(last_small + 2 < order.len(), "small ones were done at {last_small} of {}", order.len());
    let early = order[..12].iter().filter(|name| name.starts_with('S')).count();
    assert!(early >= 6, "{order:?}");
}

/// A service that makes one row each `step_us` of whatever is asked, while it is sent.
fn endless(step_us: i64) -> (ScriptedServer, Arc<AtomicI64>) {
    let made = Arc::new(AtomicI64::new(0));
    let count = Arc::clone(&made);
    let server = ScriptedServer::start(move |asked| {
        let range = Request::from_file_name(&asked.file().unwrap()).unwrap().range;
        let first = (range.start().as_micros() - BASE).div_euclid(step_us) - 1;
        let stop = (range.stop().as_micros() - BASE).div_euclid(step_us) + 1;
        let (mut row, count) = (first, Arc::clone(&count));
        Reply::stream(200, "text/csv", move || {
            let rows = row..(row + 2000).min(stop + 1);
            let mut piece = if row == first { crate::world::HEADER.to_owned() } else { String::new() };
            count.fetch_add(rows.end - rows.start, Ordering::Relaxed);
            row = rows.end.max(row);
            for number in rows {
                let time = at(number * step_us).to_edb_text();
                write!(piece, "{time},59731.0000000000,{number},int\r\n").unwrap();
            }
            (!piece.is_empty()).then(|| piece.into_bytes())
        })
    });
    (server, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_thousand_rows_in_many_windows_are_all_there_once() {
    let step_us = 64_000;
    let (server, made) = endless(step_us);
    // A rate above the truth makes windows of an eighth of the range.
    let rates = [(name("M"), Rate { rows: 1000, span_us: 3 * 1_000_000 })].into();
    let requests = [request("M", 0..300_000 * step_us)];
    let (retrieval, kept) =
        run(&client(&server.url()), &requests, &RetrieveOptions { rates, ..at_once(4) }).await;
    assert!(retrieval.failures.is_empty() && retrieval.ends.is_empty() && retrieval.truncated.is_empty());
    assert_eq!(retrieval.rows(), 300_000);
    let found = kept.read(&name("M"), requests[0].range);
    assert_eq!(found.len(), 300_000);
    let is_next = |(number, sample): (usize, &edb_core::Sample)| {
        let number = number as i64;
        sample.time == at(number * step_us) && sample.value == edb_core::Value::Integer(number)
    };
    assert!(found.iter().enumerate().all(is_next));
    let made = made.load(Ordering::Relaxed);
    assert!(
        server.requests().len() > 4 && made < 301_000,
        "{made} rows in {} answers",
        server.requests().len()
    );
}
