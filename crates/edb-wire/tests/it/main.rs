//! The decoder and the encoder against each other, against the library's number parser, and against real answers.

use edb_core::{ErrorKind, Nulls, Samples, SqlType, TextColumn, Value, Values};
use edb_wire::{Decoded, Decoder, decode, encode};
use proptest::prelude::*;

#[path = "../../fuzz/invariant.rs"]
mod invariant;

fn body(rows: &str) -> String {
    format!("{}\r\n{rows}", edb_wire::HEADER)
}

fn values(rows: &str) -> Vec<Value> {
    decode(body(rows).as_bytes()).unwrap().samples.iter().map(|sample| sample.value).collect()
}

fn error(text: &str) -> String {
    let error = decode(text.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    error.to_string()
}

#[test]
fn a_real_answer_of_the_public_documentation_is_read() {
    let rows = "2022-02-02 22:24:57.797000,59612.9340022801,-0.7914493680,real\r\n\
                2022-02-02 22:24:58.053000,59612.9340052431,-0.7914494276,real\r\n";
    let Decoded { samples, misplaced } = decode(body(rows).as_bytes()).unwrap();
    assert_eq!((misplaced, samples.sql_type()), (0, &SqlType::Real));
    assert_eq!(samples.time(0).to_string(), "2022-02-02T22:24:57.797Z");
    assert_eq!(samples.sample(1).value, Value::Real(-0.791_449_427_6));
    assert_eq!(encode(&samples), body(rows).as_bytes());
}

#[test]
fn values_mean_what_the_policy_says() {
    let real = |text: &str| values(&format!("2022-06-01 00:00:00.000000,1,{text},float\n")).remove(0);
    assert_eq!(real(""), Value::Null);
    assert_eq!(real("NULL"), Value::Null);
    assert_eq!(real("-Infinity"), Value::Real(f64::NEG_INFINITY));
    assert!(matches!(real("NaN"), Value::Real(value) if value.is_nan()));
    assert!(matches!(real("-0.0000000000"), Value::Real(value) if value.to_bits() == (-0.0_f64).to_bits()));
    assert_eq!(real("8.417044478070679e-09"), Value::Real(8.417_044_478_070_679e-9));
    assert_eq!(real("9007199254740993.0000000000"), Value::Real(9_007_199_254_740_992.0));

    let integer = |text: &str| values(&format!("2022-06-01 00:00:00.000000,1,{text},bigint\n")).remove(0);
    assert_eq!(integer("1.0000000000"), Value::Integer(1));
    assert_eq!(integer("-9223372036854775808"), Value::Integer(i64::MIN));
    assert_eq!(integer("null"), Value::Null);

    let text = |text: &str| values(&format!("2022-06-01 00:00:00.000000,1,{text},varchar\n")).remove(0);
    assert_eq!(text(""), Value::Null);
    assert_eq!(text("\"\""), Value::Text("".into()));
    assert_eq!(text("NULL"), Value::Text("NULL".into()));
    assert_eq!(text("  two  blanks "), Value::Text("  two  blanks ".into()));
    assert_eq!(
        text("\"VISIT V1 ENDED, SSR \"\"FULL\"\"\nsecond line\""),
        Value::Text("VISIT V1 ENDED, SSR \"FULL\"\nsecond line".into())
    );
    let unknown = decode(body("2022-06-01 00:00:00,1,0x1F,varbinary\n").as_bytes()).unwrap().samples;
    assert_eq!(
        (unknown.sql_type().as_str(), unknown.sample(0).value),
        ("varbinary", Value::Text("0x1F".into()))
    );
}

#[test]
fn headers_are_read_by_name_in_any_case_and_order() {
    let text = "\u{feff}SQLDATATYPE,extra,TheTime,EUVALUE\nint,x,2022-06-01T00:00:00.5Z,7\n";
    let samples = decode(text.as_bytes()).unwrap().samples;
    assert_eq!((samples.times()[0] % 1_000_000, samples.sample(0).value), (500_000, Value::Integer(7)));
    assert!(decode(body("").as_bytes()).unwrap().samples.is_empty(), "an unknown mnemonic is answered so");
}

#[test]
fn everything_else_is_an_error_that_names_line_and_text() {
    let row = "2022-06-01 00:00:00.000000,59731.0000000000,1.0000000000,real\r\n";
    for (rows, expected) in [
        (
            format!("{row}2022-06-01 00:00:61.000000,1,1,real\n"),
            "line 3 of the answer: expected a time like `2022-06-01 00:00:00.064000`: `2022-06-01 00:00:61.000000`",
        ),
        (format!("{row}{row}2022-13-01 00:00:00,1,1,real\n"), "line 4"),
        (format!("{row}2022-06-01 00:00:00.0000001,1,1,real\n"), "expected a time"),
        (format!("{row}2022-06-01 00:00:00.000000,1,one,real\n"), "expected a number: `one`"),
        (format!("{row}2022-06-01 00:00:00.000000,1,1\n"), "expected 4 fields, found 3"),
        (format!("{row}2022-06-01 00:00:00.000000,1,1,real,\n"), "expected 4 fields, found 5"),
        (
            format!("{row}2022-06-01 00:00:00.000000,1,1,int\n"),
            "expected the type `real` of the rows before: `int`",
        ),
        (format!("{row}\n{row}"), "line 3 of the answer: expected 4 fields, found 1"),
        ("2022-06-01 00:00:00.000000,1,1.5,int\n".to_owned(), "expected an integer: `1.5`"),
        ("2022-06-01 00:00:00.000000,1,9223372036854775808,bigint\n".to_owned(), "expected an integer"),
        ("2022-06-01 00:00:00.000000,1,\"a\"b,varchar\n".to_owned(), "after a closing quote"),
        (row[..row.len() - 2].to_owned(), "the answer is cut off: it ends in the middle of line 2"),
        (format!("{row}2022-06-01 00:00:00.000000,1,\"never closed,varchar\n"), "cut off"),
    ] {
        let message = error(&body(&rows));
        assert!(message.contains(expected), "{rows:?}: {message}");
    }
    for (text, expected) in [
        ("", "the answer is empty"),
        ("<!DOCTYPE html><html>", "found HTML or XML"),
        ("  {\"status\":\"ERROR\"}", "found JSON"),
        ("time,value\n1,2\n", "expected the header `theTime,MJD,euvalue,sqldataType`: `time,value\\n`"),
        ("theTime,MJD,euv", "cut off"),
    ] {
        assert!(error(text).contains(expected), "{text:?}: {}", error(text));
    }
    assert!(decode(&[body("2022-06-01 00:00:00,1,").as_bytes(), b"\xFF,varchar\n"].concat()).is_err());
}

#[test]
fn an_unclosed_quote_does_not_eat_the_memory() {
    let mut decoder = Decoder::new();
    decoder.feed(body("2022-06-01 00:00:00,1,\"").as_bytes()).unwrap();
    let fed = (0..100).take_while(|_| decoder.feed(&[b'x'; 100_000]).is_ok()).count();
    assert!((10..12).contains(&fed), "{fed}");
}

#[test]
fn the_corpus_of_the_fuzzer_holds_the_invariant() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/decode");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        invariant::check(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 15, "{count} files");
}

#[test]
fn real_answers_survive_byte_for_byte() {
    let shared = std::env::var_os("EDB_SHARED_DATA").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(),
        std::path::PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(shared.join("jw00703")) else {
        eprintln!("skipped: no real telemetry beside this repository ({})", shared.display());
        return;
    };
    let mut rows = 0;
    for file in files {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let decoded = decode(&bytes).unwrap();
        rows += decoded.samples.len();
        assert!(encode(&decoded.samples) == bytes, "{}", path.display());
    }
    assert_eq!(rows, 379_687);
}

fn samples(kind: u8, rows: Vec<(i64, i64, String, bool)>) -> Samples {
    let mut nulls = Nulls::none();
    rows.iter().enumerate().filter(|(_, row)| row.3).for_each(|(at, _)| nulls.push(at));
    let times = rows.iter().map(|row| row.0).collect();
    let real = |row: &(i64, i64, String, bool)| match row.1 % 1000 {
        0 => f64::NAN,
        1 => f64::NEG_INFINITY,
        _ if row.3 => 0.0,
        _ => row.1 as f64 / 1e10,
    };
    let (sql_type, values) = match kind {
        0 => (SqlType::Float, Values::real(rows.iter().map(real).collect())),
        1 => {
            (SqlType::BigInt, Values::Integer(rows.iter().map(|row| if row.3 { 0 } else { row.1 }).collect()))
        }
        _ => {
            let mut column = TextColumn::default();
            rows.iter().for_each(|row| column.push(if row.3 { "" } else { &row.2 }));
            (SqlType::Varchar, Values::Text(column))
        }
    };
    Samples::from_columns(sql_type, times, values, nulls).unwrap().0
}

prop_compose! {
    fn any_samples()(
        kind in 0_u8..3,
        rows in proptest::collection::vec(
            // Times within two minutes make most rows take the fast path; any others none.
            (prop_oneof![0_i64..120_000_000, -10_i64.pow(15)..10_i64.pow(16)], -10_i64.pow(15)..10_i64.pow(15),
             "[ -~\r\n\"é,]{0,12}", proptest::bool::weighted(0.1)),
            0..40,
        ),
    ) -> Samples {
        samples(kind, rows)
    }
}

proptest! {
    #[test]
    fn what_was_encoded_decodes_to_itself(samples in any_samples()) {
        let decoded = decode(&encode(&samples)).unwrap();
        prop_assert_eq!(decoded.misplaced, 0);
        if samples.is_empty() {
            prop_assert!(decoded.samples.is_empty());
        } else {
            prop_assert_eq!(decoded.samples, samples);
        }
    }

    #[test]
    fn damaged_bodies_hold_the_invariant(samples in any_samples(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut bytes = encode(&samples);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        invariant::check(&bytes);
    }

    #[test]
    fn reals_of_any_form_are_the_library_s(text in "[-+]?[0-9]{0,20}(\\.[0-9]{0,14})?(e[-+]?[0-9]{1,3})?") {
        let row = format!("2022-06-01 00:00:00.000000,59731.0000000000,{text},float\r\n");
        // The first row sets what the fast path compares with, the second may take it.
        let body = body(&format!("2022-06-01 00:00:00.000000,59731.0000000000,1.0000000000,float\r\n{row}{row}"));
        match (decode(body.as_bytes()), text.parse::<f64>()) {
            (Ok(decoded), Ok(expected)) => {
                let Values::Real(values) = decoded.samples.values() else { panic!() };
                prop_assert!(values.0[1..].iter().all(|value| value.to_bits() == expected.to_bits()));
            }
            (Ok(decoded), Err(_)) => prop_assert!(text.is_empty() && decoded.samples.nulls().positions() == [1, 2]),
            (Err(_), expected) => prop_assert!(expected.is_err()),
        }
    }
}
