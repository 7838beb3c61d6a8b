//! (8) Bodies that are cut, (9) connections that are reset in the middle, (11) compression.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use edb_core::{End, ErrorKind, MemorySource, Source as _};
use edb_testkit::{Asked, Reply, ScriptedServer, Service};

use crate::world::{
    HOUR, Kept, MS, SECOND, archive, assert_accounted, assert_complete, assert_true, at_once, client,
    counted, every, impatient, name, range, refused, request, run, texts,
};

const FRAMINGS: [fn(Reply) -> Reply; 3] = [|reply| reply, Reply::chunked, Reply::close_delimited];

/// Twelve rows of `M` with twins and all that CSV must quote, and two of `N`.
fn small() -> MemorySource {
    let seconds = [0, 10, 20, 20, 30, 30, 31, 40, 55, 59, 59, 70];
    archive([
        ("M", texts(&seconds.map(|second| second * SECOND))),
        ("N", counted(&[5 * SECOND, 200 * SECOND])),
    ])
}

/// Answers `fault` makes of true answers, as long as it makes any.
fn faulty(
    archive: MemorySource,
    fault: impl Fn(&Asked, Reply) -> Reply + Send + Sync + 'static,
) -> ScriptedServer {
    let service = Service::new(archive);
    ScriptedServer::start(move |asked| fault(asked, service.reply(asked)))
}

/// The length of the longest body.
async fn longest(archive: &MemorySource) -> usize {
    let server = Service::new(archive.clone()).start();
    let client = client(&server.url());
    client.answer(&name("M"), range(0..200 * SECOND)).await.unwrap();
    client.traffic().bytes as usize
}

/// Cuts the first answer at every byte, and then all answers, which is seen by the client or not.
async fn cut_everywhere(framing: fn(Reply) -> Reply, is_seen: bool) {
    let archive = small();
    let length = longest(&archive).await;
    assert!(length > 700, "{length}");
    let (cut, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = faulty(archive.clone(), {
        let (cut, left) = (Arc::clone(&cut), Arc::clone(&left));
        move |_, reply| {
            let is_cut =
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            if is_cut { framing(reply).cut(cut.load(Ordering::SeqCst)) } else { reply }
        }
    });
    let client = client(&server.url());
    let requests = [request("M", 1..60 * SECOND), request("M", 65 * SECOND..100 * SECOND)];
    for at in 0..length {
        cut.store(at, Ordering::SeqCst);
        left.store(1, Ordering::SeqCst);
        let before = server.requests().len();
        let (retrieval, kept) = run(&client, &requests, &at_once(2)).await;
        assert_complete(&retrieval, &kept, &archive, &requests, &format!("cut at {at} of {length}"));
        assert_eq!(retrieval.rows(), 11, "cut at {at}");
        let asked = server.requests().len() - before;
        assert!(asked <= 6, "cut at {at}: {asked} requests");
    }
    // Where a row ends nothing but the framing tells.
    let whole = edb_wire::encode(archive.samples(&name("M")).unwrap());
    let row_ends = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1);
    for at in (0..length).step_by(7).chain(row_ends) {
        cut.store(at, Ordering::SeqCst);
        left.store(usize::MAX, Ordering::SeqCst);
        let (retrieval, kept) = run(&client, &requests, &at_once(2)).await;
        let context = format!("all cut at {at} of {length}");
        if is_seen {
            assert_accounted(&retrieval, &kept, &archive, &requests, &context);
        } else {
            assert_true(&kept, &archive, &context);
        }
    }
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_never_taken_for_whole() {
    cut_everywhere(FRAMINGS[0], true).await;
}

#[tokio::test]
async fn a_chunked_body_without_its_end_is_never_taken_for_whole() {
    cut_everywhere(FRAMINGS[1], true).await;
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_never_taken_for_whole() {
    cut_everywhere(FRAMINGS[2], false).await;
}

#[tokio::test]
async fn one_answer_that_breaks_off_early_does_not_make_all_others_small() {
    let archive = archive([("M", every(SECOND, 40_000))]);
    let broken = AtomicUsize::new(0);
    let server = faulty(archive.clone(), move |_, reply| match broken.fetch_add(1, Ordering::SeqCst) {
        0 => reply.cut(400),
        _ => reply,
    });
    let requests = [request("M", HOUR..11 * HOUR)];
    let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(4)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "broke off early");
    assert!(server.requests().len() <= 8, "{} requests", server.requests().len());
}

#[tokio::test]
async fn what_came_before_a_connection_was_reset_is_used() {
    let archive = archive([("M", every(SECOND, 40_000))]);
    let server = faulty(archive.clone(), |asked, reply| match asked.number % 2 {
        0 => reply.reset_after(300_000),
        _ => reply,
    });
    let client = client(&server.url());
    let requests = [request("M", HOUR..11 * HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "reset");
    assert!(server.requests().len() <= 10, "{} requests", server.requests().len());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_marked_and_proves_what_came() {
    let archive = archive([("M", every(SECOND, 40_000))]);
    let faults: [fn(Reply) -> Reply; 4] = [
        |reply| reply.cut(100_001),
        |reply| reply.chunked().cut(100_001),
        |reply| reply.close_delimited().cut(100_001),
        |reply| reply.stall_after(100_001),
    ];
    for fault in faults {
        let server = faulty(archive.clone(), move |_, reply| fault(reply));
        let answer =
            impatient(&server.url(), 700 * MS).answer(&name("M"), range(HOUR..11 * HOUR)).await.unwrap();
        assert_eq!(
            (answer.end, server.requests().len()),
            (End::Cut, 1),
            "asking for the rest is better than for all"
        );
        assert!((1700..2000).contains(&answer.samples.len()), "{}", answer.samples.len());
        let kept = Kept::default();
        kept.deliver()(answer).unwrap();
        assert_true(&kept, &archive, "broken off");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_after_its_trailing_bracket_lacks_nothing() {
    let archive = small();
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| service.reply(asked).with_length(100_000));
    let answer = impatient(&server.url(), 700 * MS).answer(&name("M"), range(0..60 * SECOND)).await.unwrap();
    assert_eq!((answer.end, answer.samples.len(), server.requests().len()), (End::Closed, 11, 1));
}

#[tokio::test]
async fn a_connection_that_is_reset_at_once_is_tried_again() {
    for bytes in [0, 10, 60] {
        let server = faulty(small(), move |asked, reply| match asked.number {
            0..3 => reply.reset_after(bytes),
            _ => reply,
        });
        let answer = client(&server.url()).answer(&name("M"), range(0..60 * SECOND)).await.unwrap();
        assert!(answer.is_closed());
        assert_eq!(server.requests().len(), 4, "after {bytes} bytes");
    }
}

#[tokio::test]
async fn gzip_is_offered_and_gives_the_same_rows() {
    let archive =
        archive([("M", every(SECOND, 20_000)), ("T", texts(&[0, 1, 2, 3, 4, 5, 6].map(|n| n * SECOND)))]);
    let server = faulty(archive.clone(), |asked, reply| {
        let offer = asked.header("Accept-Encoding").unwrap_or_default();
        assert!(offer.contains("gzip"), "{offer}");
        if asked.number % 2 == 0 { reply.gzip() } else { reply.chunked().gzip() }
    });
    let client = client(&server.url());
    let requests = [request("M", 1..5 * HOUR), request("T", 0..5 * SECOND)];
    let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "gzip");
    assert!(client.traffic().bytes > 45 * 18_000, "bytes are counted as they are decoded");
}

#[tokio::test]
async fn a_body_that_is_not_compressed_as_it_says_is_refused() {
    let server = faulty(small(), |_, reply| reply.header("Content-Encoding", "gzip"));
    let error = refused(&client(&server.url())).await;
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Integrity, 2), "{error:?}");
    assert!(error.chain().contains("not compressed as it says"), "{error:?}");
}

#[tokio::test]
async fn a_gzip_stream_cut_anywhere_claims_nothing_that_is_not_true() {
    let archive = small();
    for bytes in (0..300).step_by(11) {
        let server = faulty(archive.clone(), move |asked, reply| match asked.number {
            0 => reply.gzip_cut(bytes),
            _ => reply.gzip(),
        });
        let requests = [request("M", 0..60 * SECOND)];
        let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(1)).await;
        assert_complete(&retrieval, &kept, &archive, &requests, &format!("gzip cut at {bytes}"));
    }
    let server = faulty(archive.clone(), |_, reply| reply.gzip_cut(150));
    let requests = [request("M", 0..60 * SECOND)];
    let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(1)).await;
    assert_accounted(&retrieval, &kept, &archive, &requests, "always cut");
}

#[tokio::test]
async fn a_bomb_without_rows_is_refused_before_it_is_unpacked() {
    let zeros = vec![b'0'; 32 << 20];
    let server = ScriptedServer::start(move |_| {
        Reply::csv(&[crate::world::HEADER.as_bytes(), &zeros].concat()).gzip()
    });
    let client = client(&server.url());
    let error = refused(&client).await;
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error:?}");
    let (bytes, tries) = (client.traffic().bytes, u64::from(error.tries()));
    assert!(bytes < tries * (4 << 20), "{bytes} bytes in {tries} tries");
}

#[tokio::test]
async fn a_bomb_of_one_row_again_and_again_proves_nothing() {
    let bomb = Reply::gzip_bomb(8);
    let server = ScriptedServer::start(move |_| bomb.clone());
    let client = client(&server.url());
    let answer = client.answer(&name("M"), range(0..HOUR)).await.unwrap();
    assert_eq!((answer.end, answer.proven, answer.samples.len()), (End::Open, None, 0));
}
