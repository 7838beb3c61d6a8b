//! Dictionary, exposures, account.

use edb_core::{
    DictionaryEntry, ErrorKind, ExposureSearch, Instant, MemorySource, Samples, Source as _, SqlType,
};
use edb_fetch::{Account, ClientOptions, Token};
use edb_testkit::{Asked, Reply, ScriptedServer, Service};
use serde_json::{Value, json};

use crate::world::{TOKEN, client, client_of, name, options};

/// Four entries, which say what a dictionary says.
fn archive() -> MemorySource {
    let mut archive = MemorySource::new("archive");
    for text in ["SA_ONE", "SA_TWO", "SE_THREE", "SE_FOUR"] {
        let mut entry = DictionaryEntry::bare(name(text));
        "V".clone_into(&mut entry.unit);
        entry.description = format!("the voltage of {text}");
        entry.sql_type = Some(SqlType::Real);
        archive.insert(entry, Samples::empty(SqlType::Real));
    }
    archive
}

/// A service whose first dictionary is replaced by `viz`.
fn without_viz(viz: Reply, service: Service) -> ScriptedServer {
    ScriptedServer::start(
        move |asked| if asked.path.contains("/viz/") { viz.clone() } else { service.reply(asked) },
    )
}

#[tokio::test]
async fn the_dictionary_comes_from_the_documented_service() {
    let server = Service::new(archive()).start();
    let client = client(&server.url());
    assert_eq!(client.dictionary(None).await.unwrap(), *archive().entries());
    let one = client.dictionary(Some(&name("SA_TWO"))).await.unwrap();
    assert_eq!((one.len(), one.get(&name("SA_TWO"))), (1, archive().entries().get(&name("SA_TWO"))));
    assert!(client.dictionary(Some(&name("NOBODY"))).await.unwrap().is_empty());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn the_portals_dictionary_is_asked_where_the_documented_one_fails() {
    let html = Reply::new(200, "text/html", b"<html>moved</html>");
    for (viz, tries) in [(Reply::status(404), 1), (Reply::status(500), 2), (html, 2)] {
        let server = without_viz(viz, Service::new(archive()).executing_first());
        let client = client(&server.url());
        assert_eq!(client.dictionary(None).await.unwrap(), *archive().entries());
        assert_eq!(server.requests().len(), tries + 2, "asked once while it is at work, and again");
        let one = client.dictionary(Some(&name("SA_TWO"))).await.unwrap();
        assert_eq!(one.iter().map(|entry| entry.mnemonic.as_str()).collect::<Vec<_>>(), ["SA_TWO"]);
    }
    let server = without_viz(Reply::status(500), Service::new(archive()));
    let mut options = options(&server.url());
    options.retry.tries = 1;
    assert_eq!(client_of(&options).dictionary(None).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_dictionary_that_is_nowhere_says_why_the_documented_one_failed() {
    let server = ScriptedServer::start(|_| Reply::status(404));
    let error = client(&server.url()).dictionary(None).await.unwrap_err();
    assert!(error.chain().starts_with("could not look mnemonics up in the dictionary: "), "{error:?}");
    let error = client(&ScriptedServer::nobody()).dictionary(None).await.unwrap_err();
    assert_eq!((error.kind(), error.tries()), (ErrorKind::Unavailable, 2));
}

/// Answers each question to the Mashup services with as many pages as there are rows, as if pages were that small.
fn paged(service: &Service, asked: &Asked) -> Reply {
    let text =
        String::from_utf8_lossy(&asked.body).replace("%2250000", "%221").replace("%3A50000%2C", "%3A1%2C");
    let asked = Asked { body: text.into_bytes(), ..asked.clone() };
    service.reply(&asked)
}

#[tokio::test]
async fn all_pages_are_collected_and_each_is_polled() {
    let service = Service::new(archive()).executing_first();
    let server = ScriptedServer::start(move |asked| {
        if asked.path.contains("/viz/") { Reply::status(404) } else { paged(&service, asked) }
    });
    assert_eq!(client(&server.url()).dictionary(None).await.unwrap(), *archive().entries());
    assert_eq!(server.requests().len(), 1 + 2 * 4, "{:?}", server.requests());
}

#[tokio::test]
async fn a_mashup_service_that_fails_is_tried_again_and_its_words_are_told() {
    let refusal = Reply::new(200, "application/json", &edb_wire::mashup::refusal("the database is down"));
    let server = ScriptedServer::start(move |_| refusal.clone());
    let search = ExposureSearch::parse("2733", Some("MIRI")).unwrap();
    let error = client(&server.url()).exposures(&search).await.unwrap_err();
    assert_eq!((error.kind(), error.tries(), server.requests().len()), (ErrorKind::Unavailable, 4, 4));
    assert!(error.chain().contains("the database is down"), "{error:?}");
}

fn exposures() -> Vec<Value> {
    let row = |label: &str, file: &str, instrument: &str, start: f64, stop: f64| {
        json!({
            "filename": format!("{label}_{file}.fits"), "exp_type": "SOME_IMAGE", "instrume": instrument,
            "program": label[2..7].trim_start_matches('0'), "visit_id": &label[2..13],
            "date_beg_mjd": null, "date_end_mjd": null, "expstart": start, "expend": stop,
        })
    };
    vec![
        row("jw02733001001_02103_00002", "mirimage_rate", "MIRI", 59_738.5, 59_738.6),
        row("jw02733001001_02103_00001", "mirimage_rate", "MIRI", 59_738.3, 59_738.4),
        row("jw02733001001_02103_00001", "mirimage_uncal", "MIRI", 59_738.3, 59_738.4),
        row("jw02733002001_02101_00001", "nrca1_rate", "NIRCAM", 59_737.0, 59_737.1),
        row("jw01345001001_02101_00001", "nrca1_rate", "NIRCAM", 59_739.0, 59_739.1),
    ]
}

#[tokio::test]
async fn exposures_are_found_by_program_visit_exposure_and_instrument() {
    let server = Service::new(archive()).with_exposures(exposures()).executing_first().start();
    let client = client(&server.url());
    for (text, instrument, expected) in [
        (
            "2733",
            None,
            &["jw02733002001_02101_00001", "jw02733001001_02103_00001", "jw02733001001_02103_00002"][..],
        ),
        ("2733", Some("miri"), &["jw02733001001_02103_00001", "jw02733001001_02103_00002"]),
        ("jw02733002", None, &["jw02733002001_02101_00001"]),
        ("V02733001001", None, &["jw02733001001_02103_00001", "jw02733001001_02103_00002"]),
        ("jw02733001001_02103_00002", None, &["jw02733001001_02103_00002"]),
        ("1345", Some("NIRCAM"), &["jw01345001001_02101_00001"]),
    ] {
        let before = server.requests().len();
        let found = client.exposures(&ExposureSearch::parse(text, instrument).unwrap()).await.unwrap().value;
        let labels: Vec<&str> = found.iter().map(|exposure| exposure.label.as_str()).collect();
        assert_eq!(labels, expected, "{text} {instrument:?}, by time");
        let asked = server.requests().len() - before;
        assert_eq!(asked, if instrument.is_some() { 2 } else { 10 }, "{text} {instrument:?}");
    }
    let nircam = client.exposures(&ExposureSearch::parse("1345", None).unwrap()).await.unwrap().value;
    let (start, stop) = (Instant::from_mjd(59_739.0).unwrap(), Instant::from_mjd(59_739.1).unwrap());
    assert_eq!((nircam[0].instrument.as_str(), nircam[0].kind.as_str()), ("NIRCAM", "SOME_IMAGE"));
    assert_eq!((nircam[0].range.start(), nircam[0].range.stop()), (start, stop));
    for (text, instrument) in [("9999", None), ("2733", Some("FGS"))] {
        let error = client.exposures(&ExposureSearch::parse(text, instrument).unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Usage, 2), "{text}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn one_instrument_that_fails_fails_the_search() {
    let service = Service::new(archive()).with_exposures(exposures());
    let server = ScriptedServer::start(move |asked| {
        if String::from_utf8_lossy(&asked.body).contains("Nirspec") {
            Reply::status(500)
        } else {
            service.reply(asked)
        }
    });
    let error =
        client(&server.url()).exposures(&ExposureSearch::parse("2733", None).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "exposures that are not listed would pass for none");
}

#[tokio::test]
async fn the_account_is_asked_with_header_and_cookie() {
    let server = Service::new(archive()).with_token(TOKEN).start();
    let with = |token: Option<&str>| {
        let token = token.map(|text| Token::new(text).unwrap());
        client_of(&ClientOptions { token, ..options(&server.url()) })
    };
    assert_eq!(with(Some(TOKEN)).account().await.unwrap(), Account::Known("Test User".to_owned()));
    assert_eq!(with(Some("another")).account().await.unwrap(), Account::Anonymous);
    assert_eq!(with(None).account().await.unwrap(), Account::Anonymous);
    let heads = server.requests().join("\n").to_ascii_lowercase();
    assert!(heads.contains(&format!("authorization: token {TOKEN}")));
    assert!(heads.contains(&format!("cookie: mast_token={TOKEN}")));
    let broken = ScriptedServer::start(|_| Reply::new(200, "text/html", b"<html>log in</html>"));
    let error = client(&broken.url()).account().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
}

#[tokio::test]
async fn a_dictionary_that_fails_does_not_keep_the_telemetry() {
    let archive = archive();
    let service = Service::new(archive.clone());
    let server = ScriptedServer::start(move |asked| match asked.file() {
        Some(_) => service.reply(asked),
        None => Reply::status(503),
    });
    let client = client(&server.url());
    for _ in 0..5 {
        assert!(client.dictionary(None).await.is_err());
    }
    assert!(client.answer(&name("SA_TWO"), crate::world::range(0..1_000_000)).await.is_ok());
}
