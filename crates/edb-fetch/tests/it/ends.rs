//! Open ends, (14) late data, (15) silent caps, (25) borders of the calendar.

use std::sync::{Arc, Mutex};

use edb_core::{ErrorKind, Instant, MemorySource, Request};
use edb_testkit::{ScriptedServer, Service};

use crate::world::{
    DAY, HOUR, MINUTE, SECOND, archive, assert_accounted, assert_complete, assert_true, at, at_once, client,
    counted, every, name, range, request, run, texts,
};

const YEAR: i64 = 365 * DAY;

/// Retrieves and checks; how many requests that took, and where the archive ends.
async fn taken(archive: &MemorySource, requests: &[Request], concurrency: usize) -> (usize, Vec<Instant>) {
    let server = Service::new(archive.clone()).start();
    let (retrieval, kept) = run(&client(&server.url()), requests, &at_once(concurrency)).await;
    assert_complete(&retrieval, &kept, archive, requests, &format!("{concurrency} at once"));
    let truth = |request: &Request| {
        archive.samples(&request.mnemonic).map_or(0, |all| all.rows_in(request.range).len())
    };
    assert_eq!(retrieval.rows(), requests.iter().map(truth).sum::<usize>(), "rows are counted once");
    (server.requests().len(), retrieval.ends.iter().map(|(_, end)| *end).collect())
}

#[tokio::test]
async fn an_end_inside_the_range_costs_one_request_more() {
    for concurrency in [1, 8] {
        let archive = archive([("M", every(MINUTE, 61))]);
        assert_eq!(taken(&archive, &[request("M", 0..HOUR)], concurrency).await, (1, vec![]));
        assert_eq!(taken(&archive, &[request("M", 1..12 * HOUR)], concurrency).await, (2, vec![at(HOUR)]));
        let after = request("M", 2 * HOUR..12 * HOUR);
        assert_eq!(taken(&archive, &[after], concurrency).await, (2, vec![at(HOUR)]), "all of it beyond");
    }
}

#[tokio::test]
async fn an_end_inside_a_year_costs_few_requests() {
    for concurrency in [1, 8] {
        for days in [1, 10, 200] {
            let archive = archive([("M", every(DAY, days))]);
            let (requests, ends) = taken(&archive, &[request("M", 5..YEAR)], concurrency).await;
            assert_eq!(ends, [at((days - 1) * DAY)]);
            assert!(requests <= 6, "{requests} requests, {days} days, {concurrency} at once");
        }
    }
}

#[tokio::test]
async fn an_unknown_mnemonic_costs_two_requests_however_long_the_range() {
    for concurrency in [1, 8] {
        let ranges = [request("NOBODY", 0..YEAR), request("NOBODY", 2 * YEAR..3 * YEAR)];
        let (requests, ends) = taken(&archive([]), &ranges, concurrency).await;
        assert_eq!((requests, ends), (2, vec![Instant::MIN]));
    }
}

#[tokio::test]
async fn what_one_answer_of_a_sparse_mnemonic_proves_is_not_asked_again() {
    let archive = archive([("M", counted(&[-DAY, 100 * DAY]))]);
    let requests: Vec<_> = (0..50).map(|day| request("M", day * DAY + 7..day * DAY + HOUR)).collect();
    assert_eq!(taken(&archive, &requests, 8).await, (1, vec![]));
}

#[tokio::test]
async fn an_end_with_nothing_before_it_but_its_own_second_is_looked_at_from_the_far_end() {
    // Asking again from the last row on would be the same question.
    let alone = archive([("M", counted(&[-HOUR, 10, 10, 20]))]);
    assert_eq!(taken(&alone, &[request("M", 0..DAY)], 4).await, (2, vec![at(20)]));
    let first = archive([("M", counted(&[HOUR]))]);
    assert_eq!(taken(&first, &[request("M", 0..DAY)], 4).await, (2, vec![at(HOUR)]));
    let latest = [request("M", HOUR - 5..HOUR + 5)];
    assert_eq!(taken(&first, &latest, 4).await, (2, vec![at(HOUR)]), "in the last second that is requested");
}

#[tokio::test]
async fn twins_at_an_end_are_all_delivered() {
    let times = [0, 1, 2, 3, 3, 3].map(|minute| minute * MINUTE);
    for samples in [counted(&times), texts(&times)] {
        let archive = archive([("M", samples)]);
        assert_eq!(taken(&archive, &[request("M", 1..DAY)], 2).await, (2, vec![at(3 * MINUTE)]));
    }
}

#[tokio::test]
async fn late_rows_are_seen_by_the_next_retrieval() {
    let early = archive([("M", every(MINUTE, 10))]);
    let late = archive([("M", every(MINUTE, 500))]);
    let now = Arc::new(Mutex::new(early.clone()));
    let archive = Arc::clone(&now);
    let server =
        ScriptedServer::start(move |asked| Service::new(archive.lock().unwrap().clone()).reply(asked));
    let client = client(&server.url());
    let requests = [request("M", 0..5 * HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(2)).await;
    assert_complete(&retrieval, &kept, &early, &requests, "before");
    assert_eq!(retrieval.ends, [(name("M"), at(9 * MINUTE))]);
    *now.lock().unwrap() = late.clone();
    let (retrieval, kept) = run(&client, &requests, &at_once(2)).await;
    assert_complete(&retrieval, &kept, &late, &requests, "after");
    assert!(retrieval.ends.is_empty(), "an end of before is not believed");
}

#[tokio::test]
async fn an_archive_that_grows_meanwhile_has_the_end_that_was_seen_last() {
    let whole = archive([("M", every(MINUTE, 500))]);
    let server = ScriptedServer::start(move |asked| {
        let rows = 20 + 30 * asked.number as i64;
        Service::new(archive([("M", every(MINUTE, rows.min(200)))])).reply(asked)
    });
    let requests = [request("M", 0..5 * HOUR)];
    let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(2)).await;
    assert!(retrieval.failures.is_empty());
    assert_true(&kept, &whole, "growing");
    assert_eq!(retrieval.ends, [(name("M"), at(199 * MINUTE))]);
    assert_eq!(kept.read(&name("M"), range(0..5 * HOUR)).len(), 200);
}

#[tokio::test]
async fn a_service_that_caps_its_rows_and_does_not_say_so_is_walked_through() {
    for (cap, rows, most) in [(3, 40, 130), (50, 1000, 40), (1000, 10_000, 24)] {
        for concurrency in [1, 4] {
            let archive = archive([("M", every(10 * SECOND, rows))]);
            let server = Service::new(archive.clone()).capped(cap).start();
            for stop in [rows * 5 * SECOND, rows * 20 * SECOND] {
                let before = server.requests().len();
                let requests = [request("M", 15 * SECOND..stop)];
                let context = format!("capped at {cap}, up to {stop}, {concurrency} at once");
                let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(concurrency)).await;
                assert_complete(&retrieval, &kept, &archive, &requests, &context);
                assert_eq!(retrieval.truncated.len(), 1, "{context}");
                let asked = server.requests().len() - before;
                assert!(asked <= most, "{context}: {asked} requests for {rows} rows");
            }
        }
    }
}

#[tokio::test]
async fn a_service_that_never_sends_enough_to_prove_a_row_is_given_up_and_no_end_is_claimed() {
    for cap in [1, 2] {
        let archive = archive([("M", every(10 * SECOND, 100))]);
        let server = Service::new(archive.clone()).capped(cap).start();
        let requests = [request("M", 15 * SECOND..2000 * SECOND)];
        let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(2)).await;
        assert_accounted(&retrieval, &kept, &archive, &requests, &format!("capped at {cap}"));
        assert!(!retrieval.failures.is_empty());
        assert!(retrieval.failures.iter().all(|failure| failure.error.kind() == ErrorKind::Integrity));
        assert!(server.requests().len() < 50, "{} requests", server.requests().len());
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_between_rows_is_found_out_and_told() {
    let archive = archive([("M", every(MINUTE, 500))]);
    let service = Service::new(archive.clone());
    let capped = Service::new(archive.clone()).capped(20);
    let server =
        ScriptedServer::start(
            move |asked| if asked.number == 0 { capped.reply(asked) } else { service.reply(asked) },
        );
    let requests = [request("M", 0..5 * HOUR)];
    let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(2)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "cut once");
    assert_eq!((retrieval.truncated, server.requests().len()), (vec![(name("M"), 1)], 2));
}

#[tokio::test]
async fn leap_days_year_ends_and_the_future_are_ranges_like_others() {
    // From 2022-06-01 to leap day, year end, and far beyond any archive.
    let leap_day = 637 * DAY;
    let year_end = 213 * DAY;
    let edges = [leap_day, year_end, year_end + YEAR];
    let times: Vec<i64> =
        edges.iter().flat_map(|edge| (-20..60).map(move |n| edge + n * HOUR + 500_000)).collect();
    let mut times = times;
    times.sort_unstable();
    let archive = archive([("M", counted(&times))]);
    let mut requests: Vec<_> =
        edges.iter().map(|edge| request("M", edge - 3 * HOUR..edge + 30 * HOUR + 1)).collect();
    requests.push(request("M", leap_day - 1..leap_day + 1));
    assert_eq!(taken(&archive, &requests, 4).await.1, []);
    let to_2500 = [request("M", year_end - DAY..475 * YEAR)];
    assert_eq!(taken(&archive, &to_2500, 4).await.1, [at(leap_day + 59 * HOUR + 500_000)]);
    let names = Request::parse("M@2024-02-28T23:59:59.5/2024-03-01", Instant::MIN).unwrap();
    assert_eq!(names.file_name(), "M-20240228T235959-20240301T000000.csv");
    assert_eq!(taken(&archive, &[names], 1).await.1, []);
}

#[tokio::test]
async fn of_twins_at_the_end_none_is_lost_whichever_answer_is_cut_between_them() {
    let many = [0, 1, 2, 3, 3, 3].map(|minute| minute * MINUTE);
    for times in [&many[..], &[3 * MINUTE; 3]] {
        let archive = archive([("M", counted(times))]);
        for (cut, rows) in [(0, times.len() - 1), (0, times.len() - 2), (1, 1), (1, 2), (2, 1), (2, 2)] {
            let service = Service::new(archive.clone());
            let capped = Service::new(archive.clone()).capped(rows);
            let server = ScriptedServer::start(move |asked| {
                if asked.number == cut { capped.reply(asked) } else { service.reply(asked) }
            });
            let requests = [request("M", 1..DAY)];
            let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(1)).await;
            assert_complete(&retrieval, &kept, &archive, &requests, &format!("{rows} rows of answer {cut}"));
            assert_eq!(retrieval.ends, [(name("M"), at(3 * MINUTE))]);
        }
    }
}

#[tokio::test]
async fn a_beginning_inside_the_range_is_told_and_asked_for_once() {
    for concurrency in [1, 8] {
        let archive = archive([("M", every(MINUTE, 100))]);
        let server = Service::new(archive.clone()).start();
        let requests = [request("M", -20 * DAY..-19 * DAY), request("M", -5 * DAY - 3..HOUR)];
        let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(concurrency)).await;
        assert_complete(&retrieval, &kept, &archive, &requests, "begins inside");
        assert_eq!((retrieval.begins, retrieval.ends), (vec![(name("M"), at(0))], vec![]));
        assert!(server.requests().len() <= 2, "{} requests", server.requests().len());
    }
}

#[tokio::test]
async fn a_check_that_fails_loses_what_it_was_to_tell_about_and_ends_there() {
    // Everything is answered once; every question after that is refused, for a moment or for good.
    for refusal in [404, 500] {
        for archive in
            [archive([]), archive([("M", counted(&[-HOUR]))]), archive([("M", counted(&[10 * SECOND]))])]
        {
            let service = Service::new(archive.clone());
            let server = ScriptedServer::start(move |asked| match asked.number {
                0 => service.reply(asked),
                _ => edb_testkit::Reply::status(refusal),
            });
            let requests = [request("M", 5 * SECOND..30 * DAY), request("M", 40 * DAY..50 * DAY)];
            let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(4)).await;
            assert_accounted(&retrieval, &kept, &archive, &requests, &format!("then {refusal}"));
            let lost: i64 = retrieval.failures.iter().map(|failure| failure.wanted.range.micros()).sum();
            assert!(lost > 39 * DAY, "{:?}", retrieval.failures);
            assert!(server.requests().len() <= 6, "{} requests", server.requests().len());
        }
    }
}
