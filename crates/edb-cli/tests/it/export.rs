//! Tables, figures and the store, on the built-in sample.

use crate::world::World;

const QUICKSTART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/quickstart.toml");

#[test]
fn the_quickstart_does_the_main_job() {
    let world = World::new();
    let run = world.edb(&["run", QUICKSTART, "--summary", "json"]).succeeded();
    let summary = run.summary();
    let expected =
        ["aligned-1s.parquet", "heater-on.csv", "minutes.csv", "quickstart.png", "samples.parquet"];
    assert_eq!(world.files(), expected.map(|name| format!("edb-quickstart/{name}")));
    assert_eq!(summary["requests"], 9);
    let of = |name: &str| {
        summary["series"].as_array().unwrap().iter().find(|one| one["mnemonic"] == name).unwrap().clone()
    };
    assert_eq!(
        (of("SAMPLE_FINE_X")["cadence_s"].as_f64(), of("SAMPLE_FINE_X")["gaps"].as_u64()),
        (Some(0.064), Some(0))
    );
    assert_eq!(of("SAMPLE_MOTOR_VOLT")["gaps"], 1);
    assert!((of("SAMPLE_MOTOR_VOLT")["longest_gap_s"].as_f64().unwrap() - 2401.0).abs() < 1.0);
    assert!(of("SAMPLE_HEATER_STATE")["cadence_s"].is_null(), "change-only");

    let bytes: Vec<(String, Vec<u8>)> = world
        .files()
        .into_iter()
        .map(|name| (name.clone(), std::fs::read(world.path(&name)).unwrap()))
        .collect();
    for (name, bytes) in &bytes {
        let is_said = bytes.windows(9).any(|window| window == b"synthetic");
        assert!(is_said, "{name} does not say that it is synthetic");
    }
    world.edb(&["run", QUICKSTART, "--quiet"]).succeeded();
    for (name, before) in bytes {
        assert!(std::fs::read(world.path(&name)).unwrap() == before, "{name} differs from run to run");
    }
}

#[test]
fn the_same_export_twice_asks_nothing_the_second_time() {
    let world = World::new();
    let arguments = |range: &str, output: &str| {
        let word = format!("SAMPLE_HEATER_STATE@{range}");
        let run = world.edb(&[
            "export",
            "--source",
            "sample",
            "--store",
            "store",
            "--summary",
            "json",
            &word,
            "-o",
            output,
        ]);
        run.succeeded().summary()["requests"].as_u64().unwrap()
    };
    assert_eq!(arguments("2024-03-01T05:00/2024-03-01T05:10", "a.csv"), 1);
    assert_eq!(arguments("2024-03-01T05:00/2024-03-01T05:10", "b.csv"), 0);
    // A change-only mnemonic's answer proves far more than it was asked: until its next change.
    assert_eq!(arguments("2024-03-01T04:00/2024-03-01T05:20", "c.csv"), 0);
    let body = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(body("a.csv"), body("b.csv"));

    let offline = world.edb(&[
        "export",
        "--source",
        "store",
        "--store",
        "store",
        "SAMPLE_HEATER_STATE@2024-03-01T04:30/2024-03-01T05:00",
        "--align",
        "10m",
        "--max-age",
        "unlimited",
    ]);
    let lines: Vec<String> =
        offline.succeeded().stdout.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "time,SAMPLE_HEATER_STATE",
            "2024-03-01T04:30:00.000000Z,ON",
            "2024-03-01T04:40:00.000000Z,ON",
            "2024-03-01T04:50:00.000000Z,ON"
        ],
        "the state into the range, without network"
    );

    let status = world.edb(&["store", "status", "--store", "store"]).succeeded().stdout;
    assert!(status.contains("SAMPLE_HEATER_STATE"), "{status}");
    let unknown = world.edb(&[
        "export",
        "--source",
        "store",
        "--store",
        "store",
        "SAMPLE_FINE_X@2024-03-01/2024-03-02",
    ]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
}

#[test]
fn figures_come_as_png_and_svg() {
    let world = World::new();
    let range = ["--start", "2024-03-01T05:00", "--stop", "2024-03-01T06:00"];
    let mut arguments =
        vec!["plot", "--source", "sample", "SAMPLE_MOTOR_VOLT", "SAMPLE_WHEEL_POS", "-o", "a.svg"];
    arguments.extend(range);
    world.edb(&arguments).succeeded();
    let svg = std::fs::read_to_string(world.path("a.svg")).unwrap();
    for text in ["SAMPLE_MOTOR_VOLT", "F560W", "MOVING", "UTC", "synthetic"] {
        assert!(svg.contains(text), "{text}");
    }
    world
        .edb(&[
            "plot",
            "--source",
            "sample",
            "SAMPLE_MOTOR_VOLT@2024-03-01T05:00/2024-03-01T06:00",
            "-o",
            "a.png",
        ])
        .succeeded();
    assert!(std::fs::read(world.path("a.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn names_are_searched_by_pattern() {
    let world = World::new();
    let found = world.edb(&["search", "--source", "sample", "temp"]).succeeded().stdout;
    let names: Vec<&str> = found.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["SAMPLE_MIRROR_TEMP", "SAMPLE_PANEL_TEMP"]);
    assert_eq!(world.edb(&["search", "--source", "sample", "zzz"]).code, 4);
    let csv = world.edb(&[
        "export",
        "--source",
        "sample",
        "SAMPLE_*_TEMP",
        "--start",
        "2024-03-01T05:00",
        "--stop",
        "2024-03-01T05:01",
    ]);
    assert!(csv.succeeded().stdout.contains(",SAMPLE_MIRROR_TEMP,"));
}
