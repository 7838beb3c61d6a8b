//! (1) Hosts that cannot be reached, (2) certificates, (17) connections that are closed as they are used again, HTTP/2.

use edb_core::ErrorKind;
use edb_fetch::{ClientOptions, FlowOptions};
use edb_testkit::tls::Authority;
use edb_testkit::{Http2Server, Reply, ScriptedServer, Service, black_hole};

use crate::world::{
    DAY, HOUR, MINUTE, MS, archive, assert_complete, at_once, client, client_of, every, name, options,
    refused, request, run,
};

#[tokio::test]
async fn a_refused_connection_is_tried_as_often_as_allowed() {
    let error = refused(&client(&ScriptedServer::nobody())).await;
    assert_eq!((error.kind(), error.tries(), error.kind().exit_code()), (ErrorKind::Unavailable, 3, 5));
    assert!(error.chain().contains("could not connect to the service"), "{error:?}");
}

#[tokio::test]
async fn a_name_that_is_none_is_tried_as_often_as_allowed() {
    let error = refused(&client(&format!("http://{}/", "x".repeat(64)))).await;
    assert_eq!((error.kind(), error.tries(), error.kind().exit_code()), (ErrorKind::Unavailable, 3, 5));
}

#[tokio::test]
async fn connecting_for_ever_ends_in_time() {
    let hole = black_hole();
    let client = client_of(&ClientOptions { connect_timeout: 50 * MS, ..options(&hole.url()) });
    let error = refused(&client).await;
    assert_eq!((error.kind(), error.tries(), error.kind().exit_code()), (ErrorKind::Unavailable, 3, 5));
    assert!(error.chain().contains("could not connect to the service in time"), "{error:?}");
}

#[tokio::test]
async fn a_dead_host_is_given_up_once_and_not_for_each_of_forty_mnemonics() {
    use edb_core::Source as _;
    // Reads what comes first and closes: every connection is counted.
    let dead = ScriptedServer::start(|_| Reply::hang_up());
    let hole = black_hole();
    for url in [ScriptedServer::nobody(), dead.url(), hole.url()] {
        let client = client_of(&ClientOptions { connect_timeout: 50 * MS, ..options(&url) });
        let requests: Vec<_> = (0..40).map(|number| request(&format!("M{number}"), 0..DAY)).collect();
        let (retrieval, kept) = run(&client, &requests, &at_once(4)).await;
        assert_eq!((retrieval.failures.len(), kept.answers().len()), (40, 0));
        assert!(
            retrieval.failures.iter().zip(&requests).all(|(failure, request)| failure.wanted == *request)
        );
        assert!(retrieval.failures.iter().all(|failure| failure.error.kind().exit_code() == 5));
        let tried = retrieval.failures.iter().filter(|failure| failure.was_tried());
        let tried: Vec<u32> = tried.map(|failure| failure.error.tries()).collect();
        assert!((1..=8).contains(&tried.len()) && tried.iter().any(|tries| *tries >= 3), "{tried:?}");
        let requests = client.traffic().requests;
        assert!((3..=32).contains(&requests), "{requests} requests");
        let not_tried = retrieval.failures.iter().find(|failure| !failure.was_tried()).unwrap();
        assert!(not_tried.error.chain().contains("not tried: another request had failed"), "{not_tried:?}");
    }
}

#[tokio::test]
async fn a_bad_certificate_is_never_tried_again() {
    let (ours, foreign) = (Authority::new(), Authority::new());
    for (what, identity) in [
        ("expired", ours.issue_expired(&["localhost"])),
        ("of another host", ours.issue(&["example.org"])),
        ("of an unknown authority", foreign.issue(&["localhost"])),
    ] {
        let server = ScriptedServer::start_tls(&identity, |_| Reply::csv(b""));
        let certificates = vec![ours.pem().into_bytes()];
        let client = client_of(&ClientOptions { certificates, ..options(&server.url()) });
        let error = refused(&client).await;
        assert_eq!((error.kind(), error.tries()), (ErrorKind::Unavailable, 1), "{what}: {error:?}");
        assert!(error.chain().contains("could not trust the service's certificate"), "{what}: {error:?}");
        assert!(error.hint().unwrap().contains("--ca-file"), "{what}");
        assert_eq!((server.connections(), server.requests().len()), (1, 0), "{what}");
    }
}

#[tokio::test]
async fn an_authority_of_our_own_is_trusted_when_named() {
    let authority = Authority::new();
    let archive = archive([("M", every(MINUTE, 100))]);
    let service = Service::new(archive.clone());
    let identity = authority.issue(&["localhost"]);
    let server = ScriptedServer::start_tls(&identity, move |asked| service.reply(asked));
    let certificates = vec![authority.pem().into_bytes()];
    let client = client_of(&ClientOptions { certificates, ..options(&server.url()) });
    let requests = [request("M", 0..HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(2)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "over TLS");
    assert_eq!((retrieval.rows(), server.connections()), (60, 1));
}

#[tokio::test]
async fn a_handshake_that_is_closed_is_tried_again() {
    let server = ScriptedServer::slamming();
    let error = refused(&client(&server.url())).await;
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Unavailable, 3));
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_kept_connection_that_is_closed_as_it_is_used_again_costs_nothing() {
    let archive = archive((0..20).map(|_| ("M", every(MINUTE, 100))));
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match asked.number % 3 {
        2 => Reply::hang_up(),
        _ => service.reply(asked),
    });
    let client = client(&server.url());
    for hour in 0..6 {
        // One microsecond less than whole minutes: the bracket after it does not prove the next range.
        let requests = [request("M", hour * 10 * MINUTE..(hour + 1) * 10 * MINUTE)];
        let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
        assert_complete(&retrieval, &kept, &archive, &requests, "kept connections");
    }
    assert!(server.connections() < server.requests().len(), "connections were kept");
    assert!(server.requests().len() >= 8, "and some closed");
}

#[tokio::test]
async fn http_2_is_used_where_offered_and_survives_goaway() {
    let authority = Authority::new();
    let archive = archive([("M", every(SECOND_AND_A_HALF, 3000)), ("N", every(MINUTE, 50))]);
    let service = Service::new(archive.clone());
    let server = Http2Server::start(&authority.issue(&["localhost"]), move |asked| match asked.number {
        1 => Reply::go_away(),
        3 => service.reply(asked).then_go_away(),
        4 => service.reply(asked).cut(100),
        _ => service.reply(asked),
    });
    let client = client_of(&ClientOptions {
        certificates: vec![authority.pem().into_bytes()],
        flow: FlowOptions { concurrency: 3, ..FlowOptions::default() },
        ..options(&server.url())
    });
    let hours = (0..6).map(|part| request("M", part * 10 * MINUTE + 1..(part + 1) * 10 * MINUTE));
    let requests: Vec<_> = hours.chain([request("N", 0..HOUR)]).collect();
    let (retrieval, kept) = run(&client, &requests, &at_once(3)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "over HTTP/2");
    assert!(server.requests().iter().all(|head| head.contains(" HTTP/2.0")), "{:?}", server.requests());
    assert!(server.connections() >= 2, "GOAWAY ends a connection");
    assert_eq!(retrieval.ends, [(name("N"), crate::world::at(49 * MINUTE))]);
}

const SECOND_AND_A_HALF: i64 = 1_500_000;
