//! The dictionary, and ranges from exposures.

use edb_testkit::{Reply, ScriptedServer, Service, synthetic};
use serde_json::json;

use crate::world::{World, finish};

fn service() -> Service {
    let mut archive = edb::MemorySource::new("a test");
    synthetic::sample().into_iter().for_each(|(entry, samples)| archive.insert(entry, samples));
    // 2024-03-01T05:00:00 is MJD 60370.208333…; the second exposure begins five minutes after the first has ended.
    let row = |name: &str, instrument: &str, minute: f64, minutes: f64| {
        let start = 60_370.0 + (300.0 + minute) / 1440.0;
        json!({
            "filename": name, "instrume": instrument, "exp_type": "MIR_IMAGE", "program": "99999", "visit_id": &name[2..13],
            "expstart": start, "expend": start + minutes / 1440.0, "date_beg_mjd": null, "date_end_mjd": null,
        })
    };
    Service::new(archive).with_exposures(vec![
        row("jw99999001001_02101_00001_mirimage_rate.fits", "MIRI", 0.0, 10.0),
        row("jw99999001001_02101_00001_mirimage_cal.fits", "MIRI", 0.0, 10.0),
        row("jw99999001001_02101_00002_mirimage_rate.fits", "MIRI", 15.0, 10.0),
        row("jw99999002001_02101_00001_nrca1_rate.fits", "NIRCAM", 60.0, 5.0),
        row("jw99999-o001_t001_miri_f770w_i2d.fits", "MIRI", 0.0, 500.0),
    ])
}

#[test]
fn exposures_are_ranges_and_label_the_samples() {
    let server = service().executing_first().start();
    let world = World::new();
    let run = world.edb(&[
        "export",
        "--source",
        &server.url(),
        "SAMPLE_PANEL_TEMP",
        "--observation",
        "jw99999001001",
        "--margin",
        "4m",
        "-o",
        "long.csv",
        "--summary",
        "json",
    ]);
    let summary = run.succeeded().summary();
    // The margins of the two exposures overlap, so the two ranges are one series.
    let series = &summary["series"];
    assert_eq!(series.as_array().unwrap().len(), 1);
    assert_eq!(series[0]["start"], "2024-03-01T04:56:00Z");
    assert_eq!(series[0]["stop"], "2024-03-01T05:29:00Z");
    let text = std::fs::read_to_string(world.path("long.csv")).unwrap();
    assert!(text.contains("jw99999001001_02101_00002@2024-03-01T05:15"), "provenance: {text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("2024-03-01")).collect();
    let of = |exposure: &str| rows.iter().filter(|row| row.ends_with(exposure)).count();
    let (first, second) = (of("jw99999001001_02101_00001"), of("jw99999001001_02101_00002"));
    assert_eq!(first + second, rows.len());
    // 8.192 s: 4 + 10 + 2.5 minutes, then 2.5 + 10 + 4.
    assert!((119..=122).contains(&first) && (119..=122).contains(&second), "{first} {second}");

    for (arguments, expected) in [
        (&["--program", "99999"][..], 2),
        (&["--program", "99999", "--instrument", "nircam"], 1),
        (&["--visit", "V99999002001"], 1),
        (&["--visit", "99999:1:1", "--visit", "99999:2:1"], 2),
        (&["--observation", "jw99999001001_02101_00002"], 1),
    ] {
        let mut command = world.command();
        command.args([
            "export",
            "--source",
            &server.url(),
            "SAMPLE_PANEL_TEMP",
            "-o",
            "x.csv",
            "--summary",
            "json",
        ]);
        let count = finish(command.args(arguments).args(["--margin", "3m"])).succeeded().summary();
        assert_eq!(count["series"].as_array().unwrap().len(), expected, "{arguments:?}");
    }
}

#[test]
fn the_header_of_a_product_gives_a_range() {
    let server = service().start();
    let world = World::new();
    let header = [
        format!("{:80}", "SIMPLE  =                    T"),
        format!("{:80}", "DATE-BEG= '2024-03-01T05:00:00'"),
        format!("{:80}", "DATE-END= '2024-03-01T05:10:00'"),
        format!("{:80}", "END"),
    ]
    .concat();
    world.write("jw99999001001_02101_00001_mirimage_cal.fits", &format!("{header:2880}"));
    let during = ["--during", "jw99999001001_02101_00001_mirimage_cal.fits"];
    let mut command = world.command();
    command.args(["export", "--source", &server.url(), "SAMPLE_PANEL_TEMP", "-o", "x.csv"]).args(during);
    finish(&mut command).succeeded();
    let text = std::fs::read_to_string(world.path("x.csv")).unwrap();
    assert!(text.trim_end().ends_with("jw99999001001_02101_00001"), "{text}");
    let mut command = world.command();
    let plan = finish(
        command.args(["fetch", "--source", &server.url(), "SAMPLE_PANEL_TEMP", "--dry-run"]).args(during),
    );
    assert!(plan.succeeded().stdout.contains("2024-03-01T05:00:00Z/2024-03-01T05:10:00Z"));
}

#[test]
fn observations_that_cannot_be_had_are_told_apart() {
    let server = service().start();
    let world = World::new();
    for (source, arguments, code, expected) in [
        (server.url(), &["--observation", "jw99998001001"][..], 2, "there are no exposures of jw99998001001"),
        (server.url(), &["--observation", "M31"], 2, "could not read `M31` as an observation"),
        (
            server.url(),
            &["--program", "99999", "--instrument", "webcam"],
            2,
            "there is no instrument `webcam`",
        ),
        (server.url(), &["--instrument", "miri"], 2, "an instrument alone names no exposures"),
        (server.url(), &["--program", "99999:1"], 2, "could not read `99999:1` as a program"),
        (server.url(), &["--visit", "99999"], 2, "could not read `99999` as a visit"),
        (server.url(), &["--margin", "1h"], 2, "a margin goes with exposures"),
        (server.url(), &["--during", "nothing.fits"], 2, "it cannot be opened"),
    ] {
        let mut command = world.command();
        command.args(["export", "--source", &source, "SAMPLE_PANEL_TEMP", "-o", "x.csv"]).args(arguments);
        let run = finish(&mut command);
        assert_eq!(run.code, code, "{arguments:?}: {run:?}");
        assert!(
            run.stderr.contains(expected) && run.stderr.contains("hint: "),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn the_dictionary_is_kept_and_asked_for_once() {
    let server = service().start();
    let world = World::new();
    let url = server.url();
    let edb = |arguments: &[&str]| {
        let mut command = world.command();
        finish(command.args(arguments).args(["--source", &url, "--cache", "cache"]))
    };
    let found = edb(&["search", "sample_*temp"]).succeeded();
    assert_eq!(found.stdout.lines().count(), 2, "{}", found.stdout);
    assert_eq!(
        edb(&["search", "FILTER wheel"]).succeeded().stdout.lines().count(),
        1,
        "words of descriptions too"
    );
    let info = edb(&["info", "sample_panel_temp"]).succeeded();
    for expected in
        ["electronics panel temperature", "SQL type      real", "unit          C", "subsystem     SYNTHETIC"]
    {
        assert!(info.stdout.contains(expected), "{expected}: {}", info.stdout);
    }
    let json = edb(&["info", "sample_panel_temp", "--summary", "json"]).succeeded().summary();
    assert_eq!(json["mnemonics"][0]["unit"], "C");
    let selection = "SAMPLE_PANEL_TEMPS@2024-03-01T05:00/2024-03-01T06:00";
    let unknown = edb(&["export", selection, "-o", "x.csv"]);
    assert_eq!(unknown.code, 4);
    assert!(unknown.stderr.contains("try SAMPLE_PANEL_TEMP"), "{}", unknown.stderr);
    let raw = edb(&["fetch", selection]);
    assert!(raw.code == 4 && raw.stderr.contains("try SAMPLE_PANEL_TEMP"), "{raw:?}");
    let near = edb(&["search", "SAMPLE_PANEL_TEMPS"]);
    assert!(near.code == 4 && near.stderr.contains("try SAMPLE_PANEL_TEMP"), "{near:?}");
    assert_eq!(server.requests().len(), 1, "all of this with one request: {:?}", server.requests());
    assert!(world.files()[0].starts_with("cache/dictionary-127.0.0.1"), "{:?}", world.files());

    drop(server);
    let line = |name: &str| world.path(&format!("cache/{name}"));
    let file = std::fs::read_dir(line("")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("\"fetched_at\":").unwrap() + 13;
    let end = at + text[at..].find(|c: char| !c.is_ascii_digit()).unwrap();
    std::fs::write(&file, format!("{}1700000000000000{}", &text[..at], &text[end..])).unwrap();
    let old = edb(&["search", "panel", "--tries", "1"]).succeeded();
    assert!(
        old.stderr.contains("the dictionary is") && old.stderr.contains("could not be renewed"),
        "{}",
        old.stderr
    );
}

#[test]
fn the_portals_dictionary_stands_in_for_the_documented_one() {
    let service = service();
    let server = ScriptedServer::start(move |asked| {
        if asked.path.starts_with("/viz/") { Reply::status(404) } else { service.reply(asked) }
    });
    let world = World::new();
    let found = world.edb(&["search", "panel", "--source", &server.url()]).succeeded();
    assert!(found.stdout.starts_with("SAMPLE_PANEL_TEMP "), "{}", found.stdout);
    let info = world.edb(&["info", "SAMPLE_PANEL_TEMP", "--source", &server.url()]).succeeded();
    assert!(info.stdout.contains("electronics panel temperature"), "{}", info.stdout);
}
