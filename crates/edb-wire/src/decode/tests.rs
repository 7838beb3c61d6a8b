use edb_core::{ErrorKind, Nulls, Samples, SqlType, TextColumn, Value, Values};
use proptest::prelude::*;

use super::{Decoded, Decoder, MOST_RECORD_BYTES, decode};
use crate::encode;

const HEADER: &str = "theTime,MJD,euvalue,sqldataType\r\n";

fn body(rows: &[(&str, &str)]) -> String {
    let rows = rows.iter().enumerate().map(|(at, (value, sql_type))| {
        format!("2022-06-01 00:00:{at:02}.064000,59731.0000007407,{value},{sql_type}\r\n")
    });
    HEADER.to_owned() + &rows.collect::<String>()
}

fn values(decoded: &Decoded) -> Vec<Value> {
    decoded.samples.iter().map(|sample| sample.value).collect()
}

fn message(body: impl AsRef<[u8]>) -> String {
    let error = decode(body.as_ref()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(!error.to_string().contains(['\n', '\r']), "{error}");
    error.to_string()
}

/// The outcome of feeding `body` in chunks that end at `cuts`.
fn decode_cut(body: &[u8], cuts: &[usize], has_short_path: bool) -> Result<Decoded, String> {
    let mut decoder = Decoder { has_short_path, ..Decoder::new() };
    let mut start = 0;
    for &cut in cuts {
        let cut = cut.clamp(start, body.len());
        decoder.feed(&body[start..cut]).map_err(|error| error.to_string())?;
        start = cut;
    }
    decoder.feed(&body[start..]).map_err(|error| error.to_string())?;
    decoder.finish().map_err(|error| error.to_string())
}

fn real(value: f64) -> Value {
    Value::Real(value)
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

#[test]
fn a_short_answer_is_columns() {
    let decoded =
        decode(body(&[("-0.7914493680", "real"), ("1e-3", "REAL"), ("+5", "real")]).as_bytes()).unwrap();
    assert_eq!(decoded.samples.times(), [0, 1, 2].map(|at| 1_654_041_600_064_000 + at * 1_000_000));
    assert_eq!(values(&decoded), [real(-0.791_449_368), real(0.001), real(5.0)]);
    assert_eq!(decoded.samples.sql_type(), &SqlType::Real);
}

#[test]
fn nulls_are_not_values() {
    let decoded =
        decode(body(&[("", "float"), ("NULL", "float"), ("null", "float"), ("inf", "float")]).as_bytes());
    assert_eq!(values(&decoded.unwrap()), [Value::Null, Value::Null, Value::Null, real(f64::INFINITY)]);
    let decoded = decode(body(&[("", "varchar"), ("\"\"", "varchar"), ("NULL", "varchar")]).as_bytes());
    assert_eq!(values(&decoded.unwrap()), [Value::Null, text(""), text("NULL")]);
    assert!(message(body(&[("\"\"", "real")])).contains("line 2"));
    assert!(message(body(&[("\"NULL\"", "int")])).contains("`NULL`"));
}

#[test]
fn every_type_is_read() {
    for word in ["tinyint", "smallint", "int", "bigint"] {
        let decoded =
            decode(body(&[("1", word), ("-12.0000000000", word), ("123456789012", word)]).as_bytes());
        let expected = [1, -12, 123_456_789_012].map(Value::Integer);
        assert_eq!(values(&decoded.unwrap()), expected, "{word}");
    }
    let decoded =
        decode(body(&[(" ON ", "datetime2"), ("\"a,\"\"b\"\"\r\nc\"", "datetime2")]).as_bytes()).unwrap();
    assert_eq!(values(&decoded), [text(" ON "), text("a,\"b\"\r\nc")]);
    assert_eq!(decoded.samples.sql_type().as_str(), "datetime2");
}

#[test]
fn the_header_is_read_by_name() {
    let bodies = [
        "sqldatatype,EUVALUE,theTime\n int,7,2022-06-01 00:00:00\n",
        "\u{feff}\"theTime\",extra,euvalue,MJD,sqlDataType\r\n2022-06-01T00:00:00Z,\"x,y\",7,,int\r\n",
    ];
    for body in bodies {
        let decoded = decode(body.as_bytes()).unwrap();
        assert_eq!(values(&decoded), [Value::Integer(7)], "{body}");
        assert_eq!(decoded.samples.times(), [1_654_041_600_000_000], "{body}");
    }
    assert_eq!(decode(HEADER.as_bytes()).unwrap().samples, Samples::empty(SqlType::Varchar));
    assert_eq!(
        message("time,MJD,euvalue,sqldataType\r\n"),
        "could not read the header of the answer: expected a column `theTime` as in \
         `theTime,MJD,euvalue,sqldataType`, found `time,MJD,euvalue,sqldataType`"
    );
}

#[test]
fn rows_out_of_order_are_sorted_and_counted() {
    let decoded =
        decode(b"theTime,euvalue,sqldataType\n2022-06-01 00:00:02,2,int\n2022-06-01 00:00:01,1,int\n");
    let decoded = decoded.unwrap();
    assert_eq!((values(&decoded), decoded.misplaced), (vec![Value::Integer(1), Value::Integer(2)], 1));
}

#[test]
fn other_bodies_are_named() {
    let page = format!("\r\n<!DOCTYPE html>\n<html>{}</html>", "x".repeat(400));
    let found = message(&page);
    assert!(found.contains("found HTML: `<!DOCTYPE html>\\n<html>xxx"), "{found}");
    assert!(message("{\"status\":\"ERROR\"}").ends_with("found JSON: `{\\\"status\\\":\\\"ERROR\\\"}`"));
    assert!(message("").contains("no bytes at all"));
    assert!(message("theTime,MJD,euv").contains("in the middle of the header"));
}

#[test]
fn a_cut_body_is_a_truncation() {
    let whole = body(&[("1", "int"), ("2", "int")]);
    for cut in HEADER.len() + 1..whole.len() {
        let at_line_end = whole[..cut].ends_with('\n');
        assert_eq!(decode(&whole.as_bytes()[..cut]).is_ok(), at_line_end, "{cut}");
    }
    let found = message(&whole[..whole.len() - 2]);
    assert!(found.contains("ends in the middle of row 2, line 3"), "{found}");
}

#[test]
fn what_departs_from_the_form_is_an_error_that_names_its_line() {
    let row = "2022-06-01 00:00:00.064000,59731.0000007407,";
    let good = format!("{HEADER}{row}1.0000000000,real\r\n");
    let long = "9".repeat(400);
    for (line, found) in [
        ("NaT,1,1,real\r\n", "`NaT`"),
        ("2022-02-30 00:00:00.000000,59731.0000007407,1.0000000000,real\r\n", "`2022-02-30 00:00:00.000000`"),
        (&format!("{row}1.0000000000,float\r\n"), "the type `real` as in the rows before, found `float`"),
        (&format!("{row}1.0000000000\r\n"), "expected 4 fields, found 3 fields"),
        (&format!("{row}1.0000000000,real,\r\n"), "expected 4 fields, found 5 fields"),
        (&format!("{row}one,real\r\n"), "expected a number, found `one`"),
        (&format!("{row}\"1\"2,real\r\n"), "after the closing quote, found `\\\"1\\\"2"),
        (&format!("{row}1.0000000000 ,real\r\n"), "`1.0000000000 `"),
        (&format!("{row}x{long},real\r\n"), "999…`"),
        ("\r\n", "found 1 fields"),
    ] {
        let found_message = message(format!("{good}{line}"));
        assert!(found_message.contains(found) && found_message.contains("line 3"), "{found_message}");
    }
    assert!(message([good.as_bytes(), row.as_bytes(), b"\xff,real\r\n"].concat()).contains("expected UTF-8"));
    assert!(message(body(&[("1.5", "int")])).contains("expected a whole number of 64 bits, found `1.5`"));
    assert!(message(body(&[("1", "")])).contains("expected a type like `real`, found ``"));
}

#[test]
fn lines_inside_quotes_count() {
    let found = message(body(&[("\"a\nb\n\"", "varchar"), ("x", "varchar"), ("x", "real")]));
    assert!(found.contains("line 6"), "{found}");
}

#[test]
fn an_unclosed_quote_does_not_eat_memory() {
    let mut decoder = Decoder::new();
    decoder.feed(body(&[("x", "varchar")]).as_bytes()).unwrap();
    decoder.feed(b"2022-06-01 00:00:00.064000,59731.0000007407,\"").unwrap();
    let mut fed = 0;
    let error = loop {
        match decoder.feed(&[b'\n'; 4096]) {
            Ok(()) => fed += 4096,
            Err(error) => break error,
        }
    };
    assert!(fed <= MOST_RECORD_BYTES && decoder.carry.capacity() <= 4 * MOST_RECORD_BYTES);
    assert!(error.to_string().contains("line 3"), "{error}");
    assert!(decoder.feed(b"").is_err());
}

/// Samples that the service's form carries, of every kind.
fn samples() -> impl Strategy<Value = Samples> {
    let times = prop_oneof![
        Just(0_i64..3_000_000_000_000_000),
        Just(1_654_041_600_000_000..1_654_041_700_000_000),
        Just(-62_135_596_800_000_000..253_402_300_800_000_000)
    ];
    let text =
        prop_oneof!["[ -~]{0,9}", "(ON|OFF|TRIP)", "[,\"\r\n ]{0,4}", ".{0,9}", Just(String::from("NULL"))];
    let real = prop_oneof![
        4 => (-6_000_000_000_000_000_i64..6_000_000_000_000_000).prop_map(|scaled| scaled as f64 / 1e10),
        4 => (-6_000_000_000_000_i64..6_000_000_000_000).prop_map(|scaled| scaled as f64 / 1e10),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0)],
        1 => (-1e15..1e15_f64).prop_map(f64::round),
    ];
    let integer =
        prop_oneof![any::<i64>(), any::<i8>().prop_map(i64::from), any::<i32>().prop_map(i64::from)];
    let values = (0..3_usize, prop::collection::vec((real, integer, text), 1..40));
    let word = prop_oneof![
        Just(SqlType::Varchar),
        Just(SqlType::new("xml")),
        "[a-z,\" ]{1,12}x".prop_map(|word| SqlType::new(&word))
    ];
    (times, values, word, any::<u64>(), any::<u64>()).prop_map(|(times, (kind, rows), word, seed, nulls)| {
        let step = |at: usize| (seed.rotate_left(at as u32 * 7) % times.end.abs_diff(times.start)) as i64;
        let mut micros: Vec<i64> = (0..rows.len()).map(|at| times.start + step(at)).collect();
        micros.sort_unstable();
        let (sql_type, values) = match kind {
            0 => (SqlType::Float, Values::real(rows.iter().map(|row| row.0).collect())),
            1 => (SqlType::Int, Values::Integer(rows.iter().map(|row| row.1).collect())),
            _ => {
                let mut column = TextColumn::default();
                for row in &rows {
                    column.push(&row.2);
                }
                (word, Values::Text(column))
            }
        };
        let mut marked = Nulls::none();
        let mut values = values;
        for at in (0..rows.len()).filter(|at| nulls >> (at % 64) & 5 == 5) {
            marked.push(at);
            // What the decoder holds at nulls, so that the columns compare equal.
            match &mut values {
                Values::Real(column) => column.0[at] = 0.0,
                Values::Integer(column) => column[at] = 0,
                Values::Text(_) => {}
            }
        }
        if let Values::Text(column) = &values {
            let mut blanked = TextColumn::default();
            (0..rows.len())
                .for_each(|at| blanked.push(if marked.contains(at) { "" } else { column.word(at) }));
            values = Values::Text(blanked);
        }
        Samples::from_columns(sql_type, micros, values, marked).unwrap().0
    })
}

/// A body that is nearly one of the service, so that every rule is met and every rule is broken.
fn nearly_a_body() -> impl Strategy<Value = Vec<u8>> {
    let splice = (
        any::<prop::sample::Index>(),
        0..3_usize,
        prop_oneof![
            "[0-9.,\"\r\n:eE+-]{0,3}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..3),
        ],
    );
    (samples(), prop::collection::vec(splice, 0..4), any::<bool>()).prop_map(|(samples, splices, is_unix)| {
        let mut body = encode(&samples);
        if is_unix {
            body.retain(|byte| *byte != b'\r');
        }
        for (at, removed, added) in splices {
            let at = at.index(body.len());
            let stop = (at + removed).min(body.len());
            body.splice(at..stop, added);
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn decoding_undoes_encoding(samples in samples()) {
        let body = encode(&samples);
        let decoded = decode(&body);
        prop_assert_eq!(&decoded.unwrap(), &Decoded { samples, misplaced: 0 });
    }

    #[test]
    fn neither_chunks_nor_the_short_path_change_the_outcome(
        body in nearly_a_body(),
        mut cuts in prop::collection::vec(0..4000_usize, 0..6),
    ) {
        cuts.sort_unstable();
        let general = decode_cut(&body, &[], false);
        prop_assert_eq!(&decode_cut(&body, &[], true), &general);
        prop_assert_eq!(&decode_cut(&body, &cuts, true), &general);
        let every_byte: Vec<usize> = (0..body.len()).collect();
        prop_assert_eq!(&decode_cut(&body, &every_byte, true), &general);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), has_header in any::<bool>()) {
        let mut body = if has_header { HEADER.as_bytes().to_vec() } else { Vec::new() };
        body.extend(bytes);
        let _ = decode(&body);
    }

    #[test]
    fn decimal_texts_mean_what_the_standard_library_says(
        texts in prop::collection::vec(
            prop_oneof![
                r"-?[0-9]{1,8}\.[0-9]{10}", r"-?[0-9]{0,3}\.?[0-9]{0,25}(e-?[0-9]{1,3})?", r"-?[0-9]{1,2}\.[0-9]{9,11}",
            ].prop_filter("a number", |text| text.parse::<f64>().is_ok()),
            8,
        )
    ) {
        let rows: Vec<_> = texts.iter().map(|text| (text.as_str(), "real")).collect();
        let decoded = decode(body(&rows).as_bytes()).unwrap();
        let Values::Real(column) = decoded.samples.values() else { panic!("reals") };
        let bits: Vec<_> = column.0.iter().map(|value| value.to_bits()).collect();
        prop_assert_eq!(bits, texts.iter().map(|text| text.parse::<f64>().unwrap().to_bits()).collect::<Vec<_>>());
    }
}
