//! (3) Too much to do, (4) faults of the service, (5) pages that are no telemetry, (7) redirects.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use edb_core::{ErrorKind, Source as _};
use edb_fetch::{ClientOptions, Token};
use edb_testkit::tls::Authority;
use edb_testkit::{Reply, ScriptedServer, Service};
use serde_json::json;

use crate::world::{
    DAY, HOUR, MINUTE, MS, TOKEN, archive, assert_complete, at_once, client, client_of, every, name, options,
    range, refused, request, run,
};

/// A service that answers its first requests with `faults`, one after the other, and then as it should.
fn after(faults: Vec<Reply>) -> ScriptedServer {
    let service = Service::new(archive([("M", every(MINUTE, 2000))]));
    ScriptedServer::start(move |asked| {
        faults.get(asked.number).cloned().unwrap_or_else(|| service.reply(asked))
    })
}

async fn arrives(server: &ScriptedServer, requests: usize) {
    let client = client(&server.url());
    let answer = client.answer(&name("M"), range(0..HOUR)).await.unwrap();
    assert!(answer.is_closed());
    assert_eq!((answer.samples.len(), server.requests().len()), (61, requests), "the stop is a sample, too");
}

#[tokio::test]
async fn a_retry_after_is_obeyed_up_to_a_limit_however_it_is_written() {
    let refusals = [
        Reply::status(429).header("Retry-After", "1"),
        Reply::status(503).header("Retry-After", "99999999999999999999999999"),
        Reply::status(503)
            .header("Date", "Wed, 01 Jun 2022 00:00:00 GMT")
            .header("Retry-After", "Wed, 01 Jun 2022 00:00:09 GMT"),
    ];
    for refusal in refusals {
        let server = after(vec![refusal.clone()]);
        let mut options = options(&server.url());
        options.retry.longest_wait = 60 * MS;
        let client = client_of(&options);
        let since = Instant::now();
        client.answer(&name("M"), range(0..HOUR)).await.unwrap();
        assert!(since.elapsed() >= 60 * MS, "{refusal:?}: {:?}", since.elapsed());
        assert_eq!(server.requests().len(), 2, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_retry_after_that_asks_for_nothing_is_not_waited_for() {
    for value in ["0", "soon", "-5", "Wed, 01 Jun 2022 00:00:00 GMT"] {
        let refusal =
            Reply::status(503).header("Date", "Wed, 01 Jun 2022 00:00:00 GMT").header("Retry-After", value);
        arrives(&after(vec![refusal; 3]), 4).await;
    }
}

#[tokio::test]
async fn a_date_without_the_services_own_clock_is_not_read_against_ours() {
    let refusal = Reply::status(503).header("Retry-After", "Wed, 01 Jun 2522 00:00:00 GMT");
    let server = after(vec![refusal]);
    let mut options = options(&server.url());
    options.retry.longest_wait = 60_000 * MS;
    let client = client_of(&options);
    client.answer(&name("M"), range(0..HOUR)).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_retry_after_stops_the_whole_client() {
    let server = after(vec![Reply::status(429).header("Retry-After", "5")]);
    let mut options = options(&server.url());
    options.retry.longest_wait = 80 * MS;
    let client = client_of(&options);
    let refused = tokio::spawn({
        let client = std::sync::Arc::clone(&client);
        async move { client.answer(&name("M"), range(0..HOUR)).await }
    });
    while client.places() == 8 {
        tokio::task::yield_now().await;
    }
    let since = Instant::now();
    client.answer(&name("M"), range(0..DAY)).await.unwrap();
    assert!(since.elapsed() >= 60 * MS, "{:?}", since.elapsed());
    refused.await.unwrap().unwrap();
}

#[tokio::test]
async fn faults_of_the_service_are_tried_again() {
    let html = Reply::new(502, "text/html", b"<html>theTime,MJD,euvalue,sqldataType</html>");
    arrives(&after(vec![Reply::status(500), html, Reply::status(504)]), 4).await;
    for status in [408, 425, 500, 502, 503, 504, 599] {
        arrives(&after(vec![Reply::status(status)]), 2).await;
    }
}

#[tokio::test]
async fn faults_that_do_not_end_are_given_up_with_exit_code_5() {
    for (status, kind) in
        [(500, ErrorKind::Unavailable), (503, ErrorKind::Unavailable), (504, ErrorKind::TimedOut)]
    {
        let server = ScriptedServer::start(move |_| Reply::status(status));
        let error = refused(&client(&server.url())).await;
        assert_eq!((error.kind(), error.tries(), error.kind().exit_code()), (kind, 4, 5), "{status}");
        assert!(error.chain().contains(&format!("127.0.0.1 answered {status}")), "{error:?}");
        assert_eq!(server.requests().len(), 4);
    }
}

#[tokio::test]
async fn refusals_that_the_service_takes_back_are_tried_less_often_and_final_ones_once() {
    for (status, tries, kind) in [
        (400, 3, ErrorKind::Unavailable),
        (418, 3, ErrorKind::Unavailable),
        (404, 1, ErrorKind::Usage),
        (410, 1, ErrorKind::Usage),
    ] {
        let server = ScriptedServer::start(move |_| Reply::status(status));
        let error = refused(&client(&server.url())).await;
        assert_eq!((error.kind(), error.tries()), (kind, tries), "{status}");
        assert_eq!(server.requests().len(), tries as usize, "{status}");
    }
}

#[tokio::test]
async fn a_page_with_status_200_is_no_telemetry_and_is_asked_for_twice() {
    let pages = [
        Reply::new(200, "text/html", b"<!DOCTYPE html><html><form action=\"/login\">Log in</form></html>"),
        Reply::csv(b"<html>maintenance</html>"),
        Reply::json(&json!({ "error": "not today" })),
        Reply::new(200, "text/plain", b"Service unavailable\n"),
    ];
    for page in pages {
        let shown = format!("{page:?}");
        let server = ScriptedServer::start(move |_| page.clone());
        let error = refused(&client(&server.url())).await;
        assert_eq!(
            (error.kind(), error.tries(), error.kind().exit_code()),
            (ErrorKind::Integrity, 2, 7),
            "{shown}"
        );
        assert!(error.hint().is_some(), "{shown}");
        assert_eq!(server.requests().len(), 2, "{shown}");
    }
}

#[tokio::test]
async fn a_page_that_comes_once_is_not_remembered() {
    arrives(&after(vec![Reply::new(200, "text/html", b"<html>maintenance</html>")]), 2).await;
}

#[tokio::test]
async fn redirects_in_circles_are_final() {
    let server = ScriptedServer::start(|_| Reply::redirect("/round/and/round"));
    let error = refused(&client(&server.url())).await;
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Usage, 1), "{error:?}");
    assert!(error.chain().contains("redirects in circles"), "{error:?}");
    assert!(server.requests().len() <= 12);
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_token() {
    let archive = archive([("M", every(MINUTE, 2000))]);
    let service = Service::new(archive.clone());
    let there = ScriptedServer::start(move |asked| service.reply(asked));
    let other = there.url().replace("127.0.0.1", "localhost");
    let here = ScriptedServer::start(move |asked| {
        Reply::redirect(&format!("{}{}", other.trim_end_matches('/'), asked.path))
    });
    let token = Some(Token::new(TOKEN).unwrap());
    let client = client_of(&ClientOptions { token, ..options(&here.url()) });
    let requests = [request("M", 0..HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "redirected");
    let _ = client.account().await;
    assert!(here.requests().iter().all(|head| head.contains(TOKEN)), "it is sent where it belongs");
    assert!(here.requests().last().unwrap().to_ascii_lowercase().contains("cookie: mast_token="));
    assert_eq!(there.requests().len(), 2);
    assert!(there.requests().iter().all(|head| !head.contains(TOKEN)), "{:?}", there.requests());
}

#[tokio::test]
async fn a_token_does_not_come_back_with_the_second_redirect() {
    // The service sends the client to another host, which sends it to itself, and then back.
    let archive = archive([("M", every(MINUTE, 2000))]);
    let service = Service::new(archive.clone());
    let there = ScriptedServer::start(|asked| {
        if let Some(rest) = asked.path.strip_prefix("/first") {
            return Reply::redirect(&format!("/second{rest}"));
        }
        let (second, path) = asked.path.split_once("?back=").unwrap_or_default();
        assert_eq!(second, "/second");
        Reply::redirect(path)
    });
    let (other, home) = (there.url().replace("127.0.0.1", "localhost"), Arc::new(OnceLock::<String>::new()));
    let own = Arc::clone(&home);
    let here = ScriptedServer::start(move |asked| match asked.path.strip_prefix("/home") {
        Some(path) => service.reply(&edb_testkit::Asked { path: path.to_owned(), ..asked.clone() }),
        None => Reply::redirect(&format!("{other}first?back={}home{}", own.get().unwrap(), asked.path)),
    });
    home.set(here.url()).unwrap();
    let token = Some(Token::new(TOKEN).unwrap());
    let client = client_of(&ClientOptions { token, ..options(&here.url()) });
    let requests = [request("M", 0..HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "redirected three times");
    assert_eq!((here.requests().len(), there.requests().len()), (2, 2));
    assert!(there.requests().iter().all(|head| !head.contains(TOKEN)), "{:?}", there.requests());
    assert!(here.requests().iter().all(|head| head.contains(TOKEN)), "back at home it is sent again");
}

#[tokio::test]
async fn a_redirect_from_https_to_http_carries_no_token() {
    let authority = Authority::new();
    let archive = archive([("M", every(MINUTE, 2000))]);
    let service = Service::new(archive.clone());
    let there = ScriptedServer::start(move |asked| service.reply(asked));
    let plain = there.url().replace("127.0.0.1", "localhost");
    let here = ScriptedServer::start_tls(&authority.issue(&["localhost"]), move |asked| {
        Reply::redirect(&format!("{}{}", plain.trim_end_matches('/'), asked.path))
    });
    let client = client_of(&ClientOptions {
        token: Some(Token::new(TOKEN).unwrap()),
        certificates: vec![authority.pem().into_bytes()],
        ..options(&here.url())
    });
    let requests = [request("M", 0..HOUR)];
    let (retrieval, kept) = run(&client, &requests, &at_once(1)).await;
    assert_complete(&retrieval, &kept, &archive, &requests, "redirected");
    let _ = client.account().await;
    assert!(here.requests().iter().all(|head| head.contains(TOKEN)));
    assert!(there.requests().len() == 2 && there.requests().iter().all(|head| !head.contains(TOKEN)));
}
