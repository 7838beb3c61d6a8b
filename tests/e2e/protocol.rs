//! The server's answers, byte by byte, as any HTTP client sees them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use crate::world::{archive, serve};

struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// A request over a bare socket, so that nothing of ours stands between.
fn ask(url: &str, method: &str, target: &str, form: Option<&str>) -> Answer {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    let length = form.map_or(0, str::len);
    let head = format!(
        "{method} {target} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{}",
        form.unwrap_or_default()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

async fn asked(requests: Vec<(&'static str, String, Option<&'static str>)>) -> Vec<Answer> {
    let url = serve(Arc::new(archive())).await;
    tokio::task::spawn_blocking(move || {
        requests.iter().map(|(method, target, form)| ask(&url, method, target, *form)).collect()
    })
    .await
    .unwrap()
}

const HEADER: &str = "theTime,MJD,euvalue,sqldataType\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_asking_for_a_file_gives_the_same_bytes() {
    let file = "TICKS-20220601T000000-20220601T000010.csv";
    let ways = [
        format!("/api/v0.1/Download/file?uri=mast:jwstedb/{file}"),
        format!("/jwst/api/v0.1/Download/file?uri=mast:jwstedb/{file}"),
        format!("/api/v0.1/Download/file?uri=mast%3Ajwstedb%2F{file}"),
    ];
    let expected = format!(
        "{HEADER}2022-06-01 00:00:00.000000,59731.0000000000,0,int\r\n\
         2022-06-01 00:00:07.000000,59731.0000810185,1,int\r\n\
         2022-06-01 00:00:14.000000,59731.0001620370,2,int\r\n"
    );
    for answer in asked(ways.map(|way| ("GET", way, None)).to_vec()).await {
        assert_eq!((answer.status, answer.body.as_str()), (200, expected.as_str()));
        assert!(answer.head.contains("content-type: text/csv"), "{}", answer.head);
        assert!(answer.head.contains(&format!("filename=\"{file}\"").to_lowercase()), "{}", answer.head);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_files_are_answered_as_the_service_does() {
    let get = |file: &str| ("GET", format!("/api/v0.1/Download/file?uri=mast:jwstedb/{file}"), None);
    let answers = asked(vec![
        get("NOBODY-20220601T000000-20220602T000000.csv"),
        get("TICKS-20220602T000000-20220601T000000.csv"),
        get("TICKS-20220601T000010-20220601T000010.csv"),
        get("ticks-20220501T000000-20220502T000000.csv"),
        get("TICKS-2022-06-01.csv"),
        ("GET", "/api/v0.1/Download/file?uri=mast:HST/x".to_owned(), None),
        ("GET", "/api/v0.1/Download/file".to_owned(), None),
        get("MESSAGES-20220602T000000-20220602T000000.csv"),
    ])
    .await;
    let told: Vec<(u16, usize)> =
        answers.iter().map(|answer| (answer.status, answer.body.lines().count())).collect();
    assert_eq!(told[0], (200, 1), "an unknown mnemonic: the header alone");
    assert_eq!(told[1], (200, 1), "a reversed range: parseable, and no rows");
    assert_eq!(told[2], (200, 3), "an empty range: the two brackets");
    assert_eq!(told[3], (200, 2), "before the archive: the first row of all");
    assert_eq!((told[4].0, told[5].0, told[6].0), (400, 404, 400));
    assert!(
        answers[7].body.contains("\"also at midnight, \"\"second\"\"\",varchar\r\n"),
        "{}",
        answers[7].body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn liveness_and_the_metadata_services_answer() {
    let one = "request=%7B%22service%22%3A%22Mast.JwstEdb.Dictionary%22%2C%22params%22%3A%7B%22mnemonic%22%3A%22ticks%22%7D%7D";
    let all = "request=%7B%22service%22%3A%22Mast.JwstEdb.Mnemonics%22%2C%22params%22%3A%7B%7D%2C%22format%22%3A%22json%22%2C%22pagesize%22%3A50000%7D";
    let other = "request=%7B%22service%22%3A%22Mast.Caom.Cone%22%7D";
    let answers = asked(vec![
        ("GET", "/api/".to_owned(), None),
        ("GET", "/jwst/api/".to_owned(), None),
        ("GET", "/viz/api/v0.1/info/mnemonics".to_owned(), None),
        ("GET", "/viz/api/v0.1/info/mnemonics/?name=ticks".to_owned(), None),
        ("GET", "/viz/api/v0.1/info/mnemonics?name=nobody".to_owned(), None),
        ("POST", "/api/v0/invoke".to_owned(), Some(all)),
        ("POST", "/api/v0/invoke".to_owned(), Some(one)),
        ("POST", "/api/v0/invoke".to_owned(), Some(other)),
        (
            "POST",
            "/portal/Mashup/Mashup.asmx/columnsconfig".to_owned(),
            Some("colConfigId=Mast.JwstEdb.Mnemonics"),
        ),
    ])
    .await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let json: Vec<serde_json::Value> =
        answers[2..].iter().map(|answer| serde_json::from_str(&answer.body).unwrap()).collect();
    let names = |at: usize| -> Vec<&str> {
        json[at]["data"].as_array().unwrap().iter().map(|row| row["tlmMnemonic"].as_str().unwrap()).collect()
    };
    assert_eq!((names(0), names(1), names(2).len()), (vec!["MESSAGES", "TICKS"], vec!["TICKS"], 0));
    assert_eq!((names(3), names(4)), (vec!["MESSAGES", "TICKS"], vec!["TICKS"]));
    assert_eq!((&json[3]["status"], &json[3]["paging"]["rowsTotal"]), (&"COMPLETE".into(), &2.into()));
    assert_eq!(
        (&json[4]["data"][0]["unit"], &json[4]["data"][0]["sqlDataType"]),
        (&"V".into(), &"int".into())
    );
    assert_eq!(json[5]["status"], "ERROR");
}
