//! (6) Refused credentials.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use edb_core::ErrorKind;
use edb_fetch::{Client, ClientOptions, Event, Token, TokenFinder, retrieve};
use edb_testkit::{Reply, ScriptedServer, Service};

use crate::world::{
    DAY, HOUR, Kept, MINUTE, TOKEN, archive, assert_accounted, assert_complete, at_once, client_of, every,
    options, refused, request, run,
};

fn token() -> Token {
    Token::new(TOKEN).unwrap()
}

/// Finds the token, and counts how often it is asked to.
fn finder() -> (TokenFinder, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let finder = TokenFinder::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        Token::new(TOKEN).map(Some)
    });
    (finder, asked)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("M{number}")).collect()
}

#[tokio::test]
async fn a_refusal_of_the_token_is_never_tried_again() {
    for (status, kind) in [(401, ErrorKind::Unauthorized), (403, ErrorKind::Forbidden)] {
        let server = ScriptedServer::start(move |_| Reply::status(status));
        let error =
            refused(&client_of(&ClientOptions { token: Some(token()), ..options(&server.url()) })).await;
        assert_eq!((error.kind(), error.tries(), error.kind().exit_code()), (kind, 1, 6));
        assert!(error.hint().unwrap().contains("edb auth check"));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_token_that_expires_stops_early_and_keeps_what_was_done() {
    let names = names(40);
    let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 2000))));
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match asked.number {
        0..10 => service.reply(asked),
        _ => Reply::status(401),
    });
    let client = client_of(&ClientOptions { token: Some(token()), ..options(&server.url()) });
    let requests: Vec<_> = names.iter().map(|name| request(name, 0..DAY)).collect();
    let (retrieval, kept) = run(&client, &requests, &at_once(4)).await;
    assert_accounted(&retrieval, &kept, &archive, &requests, "expired");
    // An answer may still be on its way when another request is refused.
    let kept = kept.answers().len();
    assert!((7..=10).contains(&kept) && kept + retrieval.failures.len() == 40, "{kept} answers");
    assert!(retrieval.failures.iter().all(|failure| failure.error.kind() == ErrorKind::Unauthorized));
    let tried = retrieval.failures.iter().filter(|failure| failure.was_tried()).count();
    assert!((1..=4).contains(&tried), "{tried}");
    assert!(server.requests().len() <= 14, "{}", server.requests().len());
}

#[tokio::test]
async fn a_forbidden_mnemonic_leaves_the_others_alone() {
    let names = names(5);
    let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 3000))));
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match asked.file() {
        Some(file) if file.starts_with("M2-") => Reply::status(403),
        _ => service.reply(asked),
    });
    let client = client_of(&options(&server.url()));
    // Two ranges each, one failure for each range.
    let ranges = [0..HOUR, DAY..DAY + HOUR];
    let requests: Vec<_> =
        names.iter().flat_map(|name| ranges.clone().map(|range| request(name, range))).collect();
    let (retrieval, kept) = run(&client, &requests, &at_once(3)).await;
    assert_accounted(&retrieval, &kept, &archive, &requests, "forbidden");
    let refused: Vec<_> =
        retrieval.failures.iter().map(|failure| (failure.wanted.clone(), failure.error.tries())).collect();
    assert_eq!(refused, [(requests[4].clone(), 1), (requests[5].clone(), 0)]);
    let asked = server.requests().iter().filter(|head| head.contains("M2-")).count();
    assert_eq!((asked, retrieval.rows()), (1, 4 * 2 * 60));
}

#[tokio::test]
async fn a_token_is_looked_for_once_and_only_when_one_is_needed() {
    let names = names(12);
    let archive = archive(names.iter().map(|name| (name.as_str(), every(MINUTE, 2000))));
    let requests: Vec<_> = names.iter().map(|name| request(name, 0..DAY)).collect();
    for needs_token in [true, false] {
        let service = Service::new(archive.clone());
        let service = if needs_token { service.with_token(TOKEN) } else { service };
        let server = ScriptedServer::start(move |asked| service.reply(asked));
        let (finder, asked) = finder();
        let client = client_of(&ClientOptions { token_finder: Some(finder), ..options(&server.url()) });
        let (retrieval, kept) = run(&client, &requests, &at_once(6)).await;
        assert_complete(&retrieval, &kept, &archive, &requests, "found");
        assert_eq!(asked.load(Ordering::SeqCst), usize::from(needs_token));
        let authorised = server.requests().iter().filter(|head| head.contains(TOKEN)).count();
        assert_eq!(authorised, if needs_token { 12 } else { 0 });
    }
}

#[tokio::test]
async fn a_token_that_was_found_and_is_refused_too_is_not_looked_for_again() {
    let server = ScriptedServer::start(|_| Reply::status(401));
    let (finder, asked) = finder();
    let client = client_of(&ClientOptions { token_finder: Some(finder), ..options(&server.url()) });
    for _ in 0..2 {
        assert_eq!(refused(&client).await.kind(), ErrorKind::Unauthorized);
    }
    assert_eq!((asked.load(Ordering::SeqCst), server.requests().len()), (1, 3));
}

#[tokio::test]
async fn a_token_is_not_looked_for_when_the_service_fails_otherwise() {
    for status in [404, 500, 429, 407] {
        let server = ScriptedServer::start(move |_| Reply::status(status));
        let (finder, asked) = finder();
        let client = client_of(&ClientOptions { token_finder: Some(finder), ..options(&server.url()) });
        refused(&client).await;
        assert_eq!(asked.load(Ordering::SeqCst), 0, "{status}");
    }
}

#[test]
fn a_token_is_never_sent_in_the_clear_to_another_machine() {
    for url in ["http://localhost.example.org/", "http://127.0.0.1.example.org/", "http://10.0.0.1/"] {
        let error = Client::new(&ClientOptions { token: Some(token()), ..options(url) }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
        assert!(!error.chain().contains(TOKEN));
    }
    for url in ["https://example.org", "http://localhost:1/", "http://[::1]:1/", "http://127.1.2.3:1/"] {
        assert!(Client::new(&ClientOptions { token: Some(token()), ..options(url) }).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn a_text_of_the_service_that_repeats_the_token_does_not_get_into_an_error() {
    let echo = format!("you sent `{TOKEN}`, which is wrong");
    let late = format!("{} {TOKEN}", "x".repeat(280));
    for text in [&echo, &late] {
        for (status, kind) in
            [(401, "text/plain"), (403, "text/plain"), (500, "text/plain"), (200, "text/csv")]
        {
            let text = text.clone();
            let server = ScriptedServer::start(move |_| Reply::new(status, kind, text.as_bytes()));
            let client = client_of(&ClientOptions { token: Some(token()), ..options(&server.url()) });
            let (retrieval, _) =
                run(&client, &[request("M", 0..DAY), request("N", 0..DAY)], &at_once(1)).await;
            let failures = format!("{:?}", retrieval.failures);
            assert!(!failures.contains(&TOKEN[..8]), "{status}: {failures}");
            let who = format!("{:?}", client.account().await);
            assert!(!who.contains(&TOKEN[..8]), "{status}: {who}");
        }
    }
    let server = ScriptedServer::start(move |_| Reply::new(403, "text/plain", echo.as_bytes()));
    let client = client_of(&ClientOptions { token: Some(token()), ..options(&server.url()) });
    let error = refused(&client).await;
    assert!(error.chain().contains("you sent `…`, which is wrong"), "the rest is told: {error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_delivered_when_everything_stops_is_accounted_for() {
    let archive = archive(["M0", "M1", "M2"].map(|name| (name, every(MINUTE, 2000))));
    let service = Service::new(archive.clone());
    let (delivering, is_delivering) = mpsc::channel();
    let (stopped, is_stopped) = mpsc::channel();
    let (is_delivering, is_stopped) = (Mutex::new(is_delivering), Mutex::new(is_stopped));
    let server = ScriptedServer::start(move |asked| match asked.file() {
        // Refused as soon as the other is being delivered.
        Some(file) if file.starts_with("M1-") => {
            is_delivering.lock().unwrap().recv().unwrap();
            Reply::status(401)
        }
        _ => service.reply(asked),
    });
    let requests = ["M0", "M1", "M2"].map(|name| request(name, 0..DAY));
    let kept = Kept::default();
    let keep = kept.deliver();
    let deliver = move |answer| {
        delivering.send(()).unwrap();
        is_stopped.lock().unwrap().recv().unwrap();
        keep(answer)
    };
    let on_event = |event: Event<'_>| {
        if let Event::Failed(..) = event {
            let _ = stopped.send(());
        }
    };
    let client = client_of(&options(&server.url()));
    let retrieval = retrieve(client, &requests, &at_once(2), deliver, on_event).await.unwrap();
    assert_accounted(&retrieval, &kept, &archive, &requests, "stopped");
    assert_eq!(
        (kept.answers().len(), retrieval.answers()),
        (1, 1),
        "nothing is delivered behind the caller's back"
    );
    assert!(retrieval.failures.iter().map(|failure| &failure.wanted).eq(&requests[1..]));
}
