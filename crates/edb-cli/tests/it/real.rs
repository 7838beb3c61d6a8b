//! On real telemetry, where it lies beside the repository.

use std::collections::BTreeMap;
use std::path::Path;

use crate::world::{Served, World};

/// A row of a CSV file of the service: time as text, value as text.
fn rows(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let fields = |line: &str| {
        let mut fields = line.split(',');
        (fields.next().unwrap().to_owned(), fields.nth(1).unwrap().to_owned())
    };
    text.lines().skip(1).map(fields).collect()
}

/// Text of the service's time in the form of our CSV.
fn iso(time: &str) -> String {
    format!("{}Z", time.replace(' ', "T"))
}

#[test]
fn nine_real_mnemonics_over_http_are_exact_to_the_last_value() {
    let Some(shared) = edb_testkit::shared_data() else { return };
    let world = World::new();
    let folder = shared.join("jw00703");
    let imported =
        world.edb(&["store", "import", "--store", "real", folder.to_str().unwrap(), "--summary", "json"]);
    assert_eq!(imported.succeeded().summary()["rows"], 379_687);
    let served = Served::start(&world, &["--store", "real"]);

    // Independent ranges: whole, parts, sub-second borders, one on the borders of samples.
    let asked = [
        ("SA_ZADUCMDX", "2019-06-03 16:22:00.000000", "2019-06-03 18:10:00.000000"),
        ("SA_ZADUCMDY", "2019-06-03 16:30:00.000000", "2019-06-03 17:00:00.500000"),
        ("SA_ZATTEST1", "2019-06-03 16:22:35.784000", "2019-06-03 18:09:05.544000"),
        ("SA_ZFGDETID", "2019-06-03 17:00:00.000000", "2019-06-03 17:00:10.000000"),
        ("SA_ZFGGSCMDX", "2019-06-03 16:23:00.872000", "2019-06-03 17:23:00.872000"),
        ("SA_ZFGGSPOSX", "2019-06-03 16:45:12.345678", "2019-06-03 16:45:56.789012"),
        ("SA_ZRFGS2J11", "2019-06-03 18:00:00.000000", "2019-06-03 18:09:00.000000"),
        ("SA_ZRFGS2J33", "2019-06-03 16:23:00.000000", "2019-06-03 18:09:00.168000"),
        ("INRSI_GWA_Y_TILT_AVGED", "2019-06-03 17:10:00.000000", "2019-06-03 17:50:00.000000"),
    ];
    let words: Vec<String> =
        asked.iter().map(|(name, start, stop)| format!("{name}@{}/{}", iso(start), iso(stop))).collect();
    let mut arguments = vec![
        "export",
        "--source",
        &served.url,
        "--summary",
        "json",
        "-o",
        "long.csv",
        "-o",
        "long.parquet",
        "-o",
        "figure.png",
    ];
    arguments.extend(words.iter().map(String::as_str));
    let summary = world.edb(&arguments).succeeded().summary();
    assert!(summary["requests"].as_u64().unwrap() >= 9);

    let mut exported: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let text = std::fs::read_to_string(world.path("long.csv")).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        exported.entry(fields[1].to_owned()).or_default().push((fields[0].to_owned(), fields[2].to_owned()));
    }
    for ((name, start, stop), series) in asked.iter().zip(summary["series"].as_array().unwrap()) {
        // Fixed-width UTC text sorts as time does: an oracle that shares no code with the toolkit.
        let truth: Vec<(String, String)> = rows(&folder.join(format!("{name}.csv")))
            .into_iter()
            .filter(|(time, _)| time.as_str() >= *start && time.as_str() < *stop)
            .collect();
        let ours = &exported[*name];
        assert!(!truth.is_empty(), "{name}");
        assert_eq!(
            (ours.len() as u64, series["samples"].as_u64()),
            (truth.len() as u64, Some(truth.len() as u64)),
            "{name}"
        );
        for ((our_time, our_value), (time, value)) in ours.iter().zip(&truth) {
            assert_eq!(*our_time, iso(time), "{name}");
            let (our_value, value): (f64, f64) = (our_value.parse().unwrap(), value.parse().unwrap());
            assert_eq!(our_value.to_bits(), value.to_bits(), "{name} at {time}");
        }
    }
    let png = std::fs::read(world.path("figure.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000);
    assert!(std::fs::metadata(world.path("long.parquet")).unwrap().len() > 100_000);
}

#[test]
fn served_files_are_the_imported_ones_with_one_bracket_on_each_side() {
    let Some(shared) = edb_testkit::shared_data() else { return };
    let world = World::new();
    let folder = shared.join("jw00703");
    world.edb(&["store", "import", "--store", "real", folder.to_str().unwrap()]).succeeded();
    let served = Served::start(&world, &["--store", "real"]);
    for (name, range, first, last) in [
        (
            "SA_ZADUCMDX",
            "2019-06-03T17:00:00/2019-06-03T17:10:00",
            "2019-06-03 17:00:00",
            "2019-06-03 17:10:00",
        ),
        (
            "SA_ZATTEST1",
            "2019-06-03T17:00:01/2019-06-03T17:00:02",
            "2019-06-03 17:00:01",
            "2019-06-03 17:00:02",
        ),
        (
            "SA_ZFGDETID",
            "2019-06-03T16:00:00/2019-06-03T19:00:00",
            "2019-06-03 16:00:00",
            "2019-06-03 19:00:00",
        ),
    ] {
        let word = format!("{name}@{range}");
        world.edb(&["fetch", "--source", &served.url, &word, "--refresh"]).succeeded();
        let all = std::fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap();
        let lines: Vec<&str> = all.split_inclusive("\r\n").skip(1).collect();
        let start = lines.iter().position(|line| line[..19] >= *first).unwrap_or(lines.len());
        // Inclusive at the end: `17:10:00.000000` itself belongs to the answer.
        let stop =
            lines.iter().position(|line| line[..26] > *format!("{last}.000000")).unwrap_or(lines.len());
        let expected = lines[start.saturating_sub(1)..(stop + 1).min(lines.len())].concat();
        let file =
            world.files().into_iter().find(|path| path.starts_with(&format!("edb-data/{name}-"))).unwrap();
        let got = std::fs::read_to_string(world.path(&file)).unwrap();
        assert!(got == format!("theTime,MJD,euvalue,sqldataType\r\n{expected}"), "{name}");
    }
}
