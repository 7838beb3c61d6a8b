//! An archive in memory behind a real server on loopback.

use std::sync::Arc;

use edb::fetch::{Client, ClientOptions};
use edb::{
    DictionaryEntry, Holdings, Instant, MemorySource, Mnemonic, Nulls, Request, Samples, SqlType, TextColumn,
    Values,
};

pub(crate) fn at(text: &str) -> Instant {
    edb::parse_instant(text, Instant::MIN).unwrap()
}

pub(crate) fn request(text: &str) -> Request {
    Request::parse(text, Instant::MIN).unwrap()
}

pub(crate) fn name(text: &str) -> Mnemonic {
    Mnemonic::new(text).unwrap()
}

/// Three days of a 7 s integer from 2022-06-01, and messages that share times, also at midnight.
pub(crate) fn archive() -> MemorySource {
    let start = at("2022-06-01").as_micros();
    let times: Vec<i64> = (0..3 * 86_400 / 7).map(|n| start + n * 7_000_000).collect();
    let values = Values::Integer((0..times.len() as i64).collect());
    let (ticks, _) = Samples::from_columns(SqlType::Int, times, values, Nulls::none()).unwrap();

    let mut words = TextColumn::default();
    let mut times = Vec::new();
    for (time, word) in [
        ("2022-06-01T23:59:59.5", "before"),
        ("2022-06-02T00:00:00", "at midnight"),
        ("2022-06-02T00:00:00", "also at midnight, \"second\""),
        ("2022-06-02T00:00:00", "third"),
        ("2022-06-02T12:00:00", "noon"),
    ] {
        times.push(at(time).as_micros());
        words.push(word);
    }
    let (messages, _) =
        Samples::from_columns(SqlType::Varchar, times, Values::Text(words), Nulls::none()).unwrap();
    let mut archive = MemorySource::new("a test");
    let mut entry = DictionaryEntry::bare(name("TICKS"));
    "V".clone_into(&mut entry.unit);
    entry.sql_type = Some(SqlType::Int);
    archive.insert(entry, ticks);
    archive.insert(DictionaryEntry::bare(name("MESSAGES")), messages);
    archive
}

/// Serves `holdings` for as long as the test's runtime lives, and returns the base URL.
pub(crate) async fn serve(holdings: Arc<dyn Holdings>) -> String {
    let listener = edb_server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(edb_server::run(listener, holdings, std::future::pending()));
    url
}

pub(crate) fn client(url: &str) -> Arc<Client> {
    Arc::new(Client::new(&ClientOptions { base_url: url.to_owned(), ..ClientOptions::default() }).unwrap())
}
