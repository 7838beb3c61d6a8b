//! The service as its clients know it.

use edb_core::{DictionaryEntry, MemorySource, Mnemonic, Nulls, Samples, SqlType, Values};
use edb_testkit::{Asked, Reply, ScriptedServer, Service};
use serde_json::{Value, json};

use crate::get;

/// 2022-06-01T00:00:00Z.
const START: i64 = 1_654_041_600_000_000;
const FILE: &str = "TICKS-20220601T000001-20220601T000003.csv";
const DOWNLOAD: &str = "/api/v0.1/Download/file?uri=mast:jwstedb/";

/// Eleven seconds of `TICKS`, one row each, and a mnemonic without samples.
fn archive() -> MemorySource {
    let mut archive = MemorySource::new("archive");
    let times: Vec<i64> = (0..11).map(|second| START + second * 1_000_000).collect();
    let values = Values::Integer((0..11).collect());
    let (samples, _) = Samples::from_columns(SqlType::Int, times, values, Nulls::none()).unwrap();
    archive.insert(entry("TICKS", "s"), samples);
    archive.insert(entry("IDLE", ""), Samples::empty(SqlType::Real));
    archive
}

fn entry(name: &str, unit: &str) -> DictionaryEntry {
    let mut entry = DictionaryEntry::bare(Mnemonic::new(name).unwrap());
    unit.clone_into(&mut entry.unit);
    entry
}

fn exposures() -> Vec<Value> {
    let exposure = |instrument: &str, program: &str, start: f64| json!({ "instrume": instrument, "program": program, "expstart": start, "visit": 1, "targname": null });
    vec![
        exposure("NIRCAM", "2733", 59700.25),
        exposure("NIRCAM", "2733", 59700.75),
        exposure("NIRCAM", "1345", 59701.25),
        exposure("MIRI", "2733", 59700.5),
    ]
}

fn encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    })
}

/// The head and the body of a whole answer, as the server sends it.
fn said(service: Service, head: &str, body: &str) -> (String, String) {
    use std::io::Write;
    let server = ScriptedServer::start(move |asked| service.reply(asked));
    let length = body.len();
    let mut tcp = std::net::TcpStream::connect(crate::address(&server.url())).unwrap();
    let request = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
    tcp.write_all(request.as_bytes()).unwrap();
    // The service keeps its connections.
    tcp.shutdown(std::net::Shutdown::Write).unwrap();
    let (head, body) = crate::whole(&mut tcp);
    (head, String::from_utf8(body).unwrap())
}

fn body(service: Service, path: &str) -> String {
    let (head, body) = said(service, &format!("GET {path} HTTP/1.1"), "");
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("Connection: close"), "{path}: {head}");
    body
}

fn invoke(service: Service, question: &Value) -> Value {
    let form = format!("request={}", encoded(&question.to_string()));
    let (head, body) = said(service, "POST /api/v0/invoke HTTP/1.1", &form);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    serde_json::from_str(&body).unwrap()
}

fn search(instrument: &str, columns: &str, filters: &Value) -> Value {
    let service = format!("Mast.Jwst.Filtered.{instrument}");
    json!({ "service": service, "params": { "columns": columns, "filters": filters }, "format": "json" })
}

#[test]
fn samples_come_with_a_row_before_and_one_after() {
    let expected =
        edb_wire::encode(&archive().samples(&Mnemonic::new("TICKS").unwrap()).unwrap().slice(0..5));
    for path in [
        format!("{DOWNLOAD}{FILE}"),
        format!("/jwst{DOWNLOAD}{FILE}"),
        format!("/api/v0.1/Download/file?uri={}", encoded(&format!("mast:jwstedb/{FILE}"))),
    ] {
        assert_eq!(body(Service::new(archive()), &path).as_bytes(), expected, "{path}");
    }
    let capped = body(Service::new(archive()).capped(2), &format!("{DOWNLOAD}{FILE}"));
    assert_eq!(capped.lines().count(), 1 + 2);
    for name in [
        "NOBODY-20220601T000001-20220601T000003.csv",
        "IDLE-20220601T000001-20220601T000003.csv",
        "TICKS-20220601T000003-20220601T000001.csv",
    ] {
        let body = body(Service::new(archive()), &format!("{DOWNLOAD}{name}"));
        assert_eq!(body, "theTime,MJD,euvalue,sqldataType\r\n", "{name}");
    }
}

#[test]
fn what_is_no_question_is_refused() {
    for (path, status) in
        [(format!("{DOWNLOAD}TICKS.csv"), "400"), ("/api/v0.1/Download/file".to_owned(), "404")]
    {
        let (head, _) = said(Service::new(archive()), &format!("GET {path} HTTP/1.1"), "");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {head}");
    }
    let answer = invoke(Service::new(archive()), &json!({ "service": "Mast.Caom.Cone" }));
    assert_eq!(answer["status"], "ERROR");
    assert_eq!(body(Service::new(archive()), "/jwst/api/"), "alive");
}

#[test]
fn the_dictionary_comes_in_both_forms() {
    let names = |text: &str| {
        let listing = edb_wire::dictionary::viz::parse(text.as_bytes()).unwrap();
        listing.dictionary.iter().map(|entry| entry.mnemonic.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&body(Service::new(archive()), "/viz/api/v0.1/info/mnemonics")), ["IDLE", "TICKS"]);
    assert_eq!(names(&body(Service::new(archive()), "/viz/api/v0.1/info/mnemonics/?name=ticks")), ["TICKS"]);
    assert!(names(&body(Service::new(archive()), "/viz/api/v0.1/info/mnemonics?name=NOBODY")).is_empty());

    let question = json!({ "service": "Mast.JwstEdb.Mnemonics", "params": {}, "pagesize": 1, "page": 2 });
    let answer = invoke(Service::new(archive()), &question);
    assert_eq!((&answer["status"], &answer["data"][0]["tlmMnemonic"]), (&json!("COMPLETE"), &json!("TICKS")));
    assert_eq!((&answer["paging"]["pagesFiltered"], &answer["paging"]["rows"]), (&json!(2), &json!(1)));
    assert_eq!(answer["fields"].as_array().unwrap().len(), 6);
    let question = json!({ "service": "Mast.JwstEdb.Dictionary", "params": { "mnemonic": "TICKS" } });
    assert_eq!(invoke(Service::new(archive()), &question)["data"][0]["unit"], "s");
    let question = json!({ "service": "Mast.JwstEdb.Dictionary", "params": { "mnemonic": "NOBODY" } });
    assert_eq!(invoke(Service::new(archive()), &question)["data"], json!([]));
}

#[test]
fn exposures_are_found_by_instrument_and_filters() {
    let find = |question: &Value| invoke(Service::new(archive()).with_exposures(exposures()), question);
    let count = |instrument: &str, filters: Value| {
        find(&search(instrument, "*", &filters))["data"].as_array().unwrap().len()
    };
    assert_eq!([count("Nircam", json!([])), count("Miri", json!([])), count("Fgs", json!([]))], [3, 1, 0]);
    let program = json!({ "paramName": "program", "values": [2733, "99"] });
    assert_eq!(count("Nircam", json!([program])), 2);
    let start = json!({ "paramName": "expstart", "values": [{ "min": 59700.75, "max": 59701.0 }] });
    assert_eq!(count("Nircam", json!([program, start])), 1);
    assert_eq!(count("Nircam", json!([{ "paramName": "visit", "values": ["1"] }])), 3);
    assert_eq!(count("Nircam", json!([{ "paramName": "targname", "values": ["null"] }])), 0);

    let projected = find(&search("Miri", "program, expstart", &json!([])));
    assert_eq!(projected["data"], json!([{ "program": "2733", "expstart": 59700.5 }]));
    assert_eq!(projected["paging"]["rowsTotal"], 1);
    assert_eq!(find(&search("Nircam", "COUNT_BIG(*)", &json!([])))["data"], json!([{ "Column1": 3 }]));

    let mut paged = search("Nircam", "expstart", &json!([]));
    (paged["pagesize"], paged["page"]) = (json!(2), json!(2));
    let answer = find(&paged);
    assert_eq!(answer["data"], json!([{ "expstart": 59701.25 }]));
    let paging = json!({
        "page": 2, "pageSize": 2, "pagesFiltered": 2, "rows": 1, "rowsFiltered": 3, "rowsTotal": 3
    });
    assert_eq!(answer["paging"], paging);
    let capped = Service::new(archive()).with_exposures(exposures()).capped(2);
    assert_eq!(invoke(capped, &search("Nircam", "*", &json!([])))["paging"]["rowsTotal"], 2);
}

#[test]
fn a_question_can_take_its_time() {
    let service = Service::new(archive()).with_exposures(exposures()).executing_first();
    let ask = |page: u32| {
        let mut question = search("Miri", "*", &json!([]));
        question["page"] = json!(page);
        let body = format!("request={}", encoded(&question.to_string())).into_bytes();
        let path = "/api/v0/invoke".to_owned();
        let asked = Asked { method: "POST".to_owned(), path, body, ..Asked::default() };
        format!("{:?}", service.reply(&asked))
    };
    let (first, second) = (ask(1), ask(1));
    assert_ne!(first, second);
    assert_eq!((ask(1), ask(2)), (second, first));
}

#[test]
fn a_token_opens_the_service() {
    let status = |path: &str, header: &str| {
        let service = Service::new(archive()).with_token("secret");
        said(service, &format!("GET {path} HTTP/1.1\r\n{header}"), "").0[9..12].to_owned()
    };
    let path = format!("{DOWNLOAD}{FILE}");
    assert_eq!(status(&path, "authorization: token secret"), "200");
    for header in
        ["X: y", "Authorization: token None", "Authorization: Bearer secret", "Cookie: mast_token=secret"]
    {
        assert_eq!(status(&path, header), "401", "{header}");
    }
    let who = |service: Service, header: &str| {
        let text = said(service, &format!("GET /whoami HTTP/1.1\r\n{header}"), "").1;
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let known = json!({ "anon": false, "ezid": "tester", "attrib": { "display_name": "Test User" } });
    for header in ["Authorization: token secret", "Cookie: a=b; mast_token=secret"] {
        assert_eq!(who(Service::new(archive()).with_token("secret"), header), known, "{header}");
    }
    for header in ["X: y", "Cookie: mast_token=other"] {
        assert_eq!(who(Service::new(archive()).with_token("secret"), header), json!({ "anon": true }));
    }
    assert_eq!(who(Service::new(archive()), "Authorization: token secret"), json!({ "anon": true }));
}

#[test]
fn a_service_can_be_all_there_is() {
    let server = Service::new(archive()).with_token("secret").start();
    let closed = ScriptedServer::start(|_| Reply::status(401));
    assert_eq!(get(&closed.url(), "/").1, b"scripted refusal");
    drop(server);
}
