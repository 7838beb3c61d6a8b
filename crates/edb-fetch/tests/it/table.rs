//! (12) Bodies that are CSV, but not quite, and (13) rows that are not where they should be.

use edb_core::{End, ErrorKind, NoticeKind, Sample, Source as _, Value, Values};
use edb_testkit::{Reply, ScriptedServer};

use crate::world::{BASE, SECOND, at, at_once, client, name, range, request, run};

const ROW_BEFORE: &str = "2022-05-31 23:59:59.000000,59730.9999884259,1.0000000000,real\r\n";
const ROW: &str = "2022-06-01 00:00:01.500000,59731.0000173611,2.0000000000,real\r\n";
const ROW_AFTER: &str = "2022-06-01 00:01:00.000000,59731.0006944444,3.0000000000,real\r\n";
const HEADER: &str = crate::world::HEADER;

fn serving(body: impl AsRef<[u8]>) -> ScriptedServer {
    let reply = Reply::csv(body.as_ref());
    ScriptedServer::start(move |_| reply.clone())
}

/// The one sample of the first ten seconds.
async fn one(body: impl AsRef<[u8]>) -> Sample {
    let server = serving(body);
    let answer = client(&server.url()).answer(&name("M"), range(0..10 * SECOND)).await.unwrap();
    assert_eq!((answer.end, answer.samples.len(), server.requests().len()), (End::Closed, 1, 1));
    answer.samples.sample(0)
}

#[tokio::test]
async fn forms_that_mean_the_same_are_read() {
    let expected = Sample { time: at(3 * SECOND / 2), value: Value::Real(2.0) };
    let whole = format!("{HEADER}{ROW_BEFORE}{ROW}{ROW_AFTER}");
    assert_eq!(one(&whole).await, expected);
    assert_eq!(one(whole.replace("\r\n", "\n")).await, expected, "LF");
    assert_eq!(one(format!("\u{feff}{whole}")).await, expected, "BOM");
    assert_eq!(one(whole.replace("real", "\"real\"")).await, expected, "quoted");
    let more = whole.replace("\r\n", ",0\r\n").replace("sqldataType,0", "sqldataType,quality");
    assert_eq!(one(more).await, expected, "one more column");
}

#[tokio::test]
async fn not_numbers_are_values() {
    let whole = format!("{HEADER}{ROW_BEFORE}{ROW}{ROW_AFTER}");
    for (text, expected) in [("NaN", f64::NAN), ("inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY)] {
        let Value::Real(value) = one(whole.replace("2.0000000000", text)).await.value else {
            panic!("{text}")
        };
        let is_same = if expected.is_nan() { value.is_nan() } else { value.to_bits() == expected.to_bits() };
        assert!(is_same, "{text}: {value}");
    }
    assert_eq!(one(whole.replace("2.0000000000", "")).await.value, Value::Null, "missing is null, never 0.0");
}

#[tokio::test]
async fn bytes_that_are_no_telemetry_are_refused_by_line_and_asked_for_twice() {
    let whole = format!("{HEADER}{ROW_BEFORE}{ROW}{ROW_AFTER}");
    let bad_utf8 = {
        let mut body = whole.clone().into_bytes();
        let at = body.len() - ROW_AFTER.len() - 4;
        body[at] = 0xff;
        body
    };
    let huge = format!("{HEADER}{ROW_BEFORE}{}", ROW.replace("2.0000000000", &"9".repeat(2 << 20)));
    let bodies: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
        ("a missing column", whole.replace("MJD,euvalue", "MJD").into_bytes(), None),
        ("a missing field", whole.replace(",59731.0000173611", "").into_bytes(), Some("line 3")),
        ("bad UTF-8", bad_utf8, Some("line 3")),
        ("NUL", whole.replace("2.0000", "2.\u{0}000").into_bytes(), Some("line 3")),
        ("a huge line", huge.into_bytes(), Some("line 3")),
        (
            "another type in the middle",
            whole.replace("2.0000000000,real", "2,int").into_bytes(),
            Some("line 3"),
        ),
        ("a time that is none", whole.replace("00:00:01.5", "00:00:61.5").into_bytes(), Some("line 3")),
        ("a number that is none", whole.replace("2.0000000000", "2.0.0").into_bytes(), Some("line 3")),
        ("no bytes at all", Vec::new(), None),
        ("a row instead of the header", ROW.into(), None),
    ];
    for (what, body, line) in bodies {
        let server = serving(body);
        let requests = [request("M", 0..10 * SECOND), request("N", 0..10 * SECOND)];
        let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(1)).await;
        assert_eq!(kept.answers().len(), 0, "{what}");
        assert_eq!(
            (retrieval.failures.len(), server.requests().len()),
            (2, 4),
            "{what}: {:?}",
            retrieval.failures
        );
        for failure in &retrieval.failures {
            let error = &failure.error;
            assert_eq!(
                (error.kind(), error.tries(), error.kind().exit_code()),
                (ErrorKind::Integrity, 2, 7),
                "{what}"
            );
            assert!(line.is_none_or(|line| error.chain().contains(line)), "{what}: {error:?}");
        }
    }
}

#[tokio::test]
async fn the_header_alone_says_that_there_is_nothing() {
    let server = serving(HEADER);
    let requests = [request("M", 0..10 * SECOND)];
    let (retrieval, kept) = run(&client(&server.url()), &requests, &at_once(2)).await;
    assert!(retrieval.failures.is_empty() && kept.answers().iter().all(|answer| answer.proven.is_none()));
    assert_eq!((retrieval.ends, server.requests().len()), (vec![(name("M"), edb_core::Instant::MIN)], 2));
}

fn row(second: i64, value: i64) -> String {
    let time = at(second * SECOND);
    format!("{},{},{value},int\r\n", time.to_edb_text(), time.to_mjd_text())
}

fn body(rows: &[(i64, i64)]) -> String {
    rows.iter().fold(HEADER.to_owned(), |body, (second, value)| body + &row(*second, *value))
}

#[tokio::test]
async fn rows_out_of_order_are_sorted_and_counted() {
    let server = serving(body(&[(-9, 0), (3, 1), (1, 2), (2, 3), (99, 4)]));
    let answer = client(&server.url()).answer(&name("M"), range(0..10 * SECOND)).await.unwrap();
    assert_eq!(answer.samples.times(), [1, 2, 3].map(|second| BASE + second * SECOND));
    assert!(matches!(answer.samples.values(), Values::Integer(values) if *values == [2, 3, 1]));
    let notices: Vec<_> = answer.notices.iter().map(|notice| notice.kind).collect();
    assert_eq!(notices, [NoticeKind::OutOfOrder]);
    assert!(answer.notices[0].text.contains('1'), "{:?}", answer.notices);
}

#[tokio::test]
async fn equal_times_are_kept_in_the_services_order_whatever_their_values() {
    let server = serving(body(&[(-9, 0), (1, 5), (1, 5), (1, 4), (99, 4)]));
    let answer = client(&server.url()).answer(&name("M"), range(0..10 * SECOND)).await.unwrap();
    assert!(matches!(answer.samples.values(), Values::Integer(values) if *values == [5, 5, 4]));
    assert_eq!(answer.samples.times(), [BASE + SECOND; 3]);
}

#[tokio::test]
async fn rows_outside_of_what_was_asked_are_kept_apart_or_proven() {
    let server = serving(body(&[(-30, 0), (-20, 1), (5, 2), (20, 3), (30, 4)]));
    let answer = client(&server.url()).answer(&name("M"), range(0..10 * SECOND)).await.unwrap();
    assert_eq!(answer.leading.unwrap().time, at(-30 * SECOND));
    assert_eq!(answer.trailing.unwrap().time, at(30 * SECOND));
    assert_eq!(answer.proven.unwrap().start(), at(-30 * SECOND + 1));
    assert_eq!(answer.samples.times(), [-20, 5, 20].map(|second| BASE + second * SECOND));
}
