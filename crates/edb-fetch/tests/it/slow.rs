//! (10) Silence, before an answer and in the middle of it, and answers that trickle.

use edb_core::{ErrorKind, Request};
use edb_fetch::{Event, SpeedLimits, retrieve};
use edb_testkit::{Asked, Reply, ScriptedServer, Service};

use crate::world::{
    DAY, HOUR, Kept, MINUTE, MS, archive, assert_accounted, assert_complete, at_once, client_of, every,
    impatient, options, refused, request, run,
};

/// How long the range is that a file is of.
fn length_us(asked: &Asked) -> Option<i64> {
    Some(Request::from_file_name(&asked.file()?).ok()?.range.micros())
}

#[tokio::test]
async fn silence_before_and_in_an_answer_ends_in_time() {
    let body = edb_wire::encode(&every(MINUTE, 10));
    let replies = [Reply::csv(&body).stall_before_head(), Reply::csv(&body).stall_after(10)];
    for (reply, says) in replies.into_iter().zip(["did not begin to answer within", "fell silent for"]) {
        let server = ScriptedServer::start(move |_| reply.clone());
        let error = refused(&impatient(&server.url(), 40 * MS)).await;
        assert_eq!((error.kind(), error.tries(), error.kind().exit_code()), (ErrorKind::TimedOut, 2, 5));
        assert!(error.chain().contains(says), "{error:?}");
        assert!(error.hint().unwrap().contains("shorter range"));
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_that_trickles_ends_in_time() {
    let body = edb_wire::encode(&every(MINUTE, 1000));
    let server = ScriptedServer::start(move |_| Reply::csv(&body).drip(1, 5 * MS));
    let mut options = options(&server.url());
    options.retry.tries = 2;
    let speed = SpeedLimits { low_speed_time: 50 * MS, low_speed_bytes_per_second: 100_000, ..options.speed };
    options.speed = speed;
    let error = refused(&client_of(&options)).await;
    assert_eq!((error.kind(), error.tries()), (ErrorKind::TimedOut, 2), "{error:?}");
    assert!(error.chain().contains("the answer trickled"), "{error:?}");
}

#[tokio::test]
async fn what_came_before_silence_is_used() {
    let archive = archive([("M", every(MINUTE, 1000))]);
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match asked.number {
        0 => service.reply(asked).stall_after(20_000),
        _ => service.reply(asked),
    });
    let requests = [request("M", 0..10 * HOUR)];
    let (retrieval, kept) = run(&impatient(&server.url(), 400 * MS), &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "silence");
    assert!(server.requests().len() <= 3, "{}", server.requests().len());
}

#[tokio::test]
async fn a_window_that_takes_too_long_is_asked_for_in_halves() {
    let names = ["M", "N"];
    let archive = archive(names.map(|name| (name, every(MINUTE, 3000))));
    for stall in [Reply::stall_before_head as fn(Reply) -> Reply, |reply| reply.stall_after(50)] {
        let service = Service::new(archive.clone());
        let server = ScriptedServer::start(move |asked| {
            let is_long = length_us(asked).is_some_and(|length| length > 4 * HOUR);
            if is_long { stall(service.reply(asked)) } else { service.reply(asked) }
        });
        let client = impatient(&server.url(), 150 * MS);
        // Six days in parts that are all asked at once: each of them is too long for the same reason.
        let parts = (0..2).flat_map(|part| names.map(|name| request(name, part * DAY + 5..(part + 1) * DAY)));
        let requests: Vec<_> = parts.collect();
        let kept = Kept::default();
        let mut splits = 0;
        let count = |event: Event<'_>| splits += usize::from(matches!(event, Event::Split(..)));
        let retrieval = retrieve(client, &requests, &at_once(2), kept.deliver(), count).await.unwrap();
        assert_complete(&retrieval, &kept, &archive, &requests, "halves");
        assert!((6..=12).contains(&splits), "{splits} splits");
    }
}

#[tokio::test]
async fn windows_of_one_mnemonic_that_are_too_long_at_once_are_one_reason_to_shorten() {
    let archive = archive([("M", every(MINUTE, 20_000))]);
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match length_us(asked) {
        Some(length) if length > 8 * HOUR => service.reply(asked).stall_after(50),
        _ => service.reply(asked),
    });
    let client = impatient(&server.url(), 150 * MS);
    // The first tells how many rows there are; the others go out at once.
    let mut requests = vec![request("M", 0..HOUR)];
    requests.extend((1..9).map(|day| request("M", day * DAY + 5..day * DAY + 20 * HOUR)));
    let (retrieval, kept) = run(&client, &requests, &at_once(8)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "eight at once");
}

#[tokio::test]
async fn a_service_that_is_always_too_slow_is_given_up() {
    let server = ScriptedServer::start(|_| Reply::csv(b"").stall_before_head());
    let archive = archive([]);
    let requests: Vec<_> = (0..30).map(|number| request(&format!("M{number}"), 0..DAY)).collect();
    let (retrieval, kept) = run(&impatient(&server.url(), 20 * MS), &requests, &at_once(8)).await;
    assert_accounted(&retrieval, &kept, &archive, &requests, "always slow");
    assert!(retrieval.failures.iter().all(|failure| failure.error.kind() == ErrorKind::TimedOut));
    assert!(server.requests().len() <= 40, "{} requests", server.requests().len());
}
