//! Formats, folders of files, pipes, manifests.

use crate::world::{World, finish};

const RANGE: &str = "2024-03-01T05:00/2024-03-01T06:00";
const FORMATS: [&str; 7] = ["parquet", "csv", "ecsv", "fits", "vot", "arrow", "jsonl"];

fn export<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["export", "--source", "sample", "--quiet"], words].concat()
}

fn read(world: &World, name: &str) -> Vec<u8> {
    std::fs::read(world.path(name)).unwrap()
}

/// The bytes of stdout, which need not be text.
fn piped(world: &World, words: &[&str]) -> Vec<u8> {
    let output = world.command().args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn every_format_goes_to_files_and_into_pipes_with_the_same_bytes() {
    let world = World::new();
    let words = [
        "SAMPLE_PANEL_TEMP",
        "SAMPLE_HEATER_STATE",
        "--start",
        "2024-03-01T05:00",
        "--stop",
        "2024-03-01T06:00",
    ];
    for format in FORMATS {
        let (by_name, by_flag) = (format!("a.{format}"), format!("b-{format}"));
        world.edb(&[export(&words), vec!["-o", &by_name]].concat()).succeeded();
        world.edb(&[export(&words), vec!["-o", &by_flag, "--format", format]].concat()).succeeded();
        let bytes = read(&world, &by_name);
        assert!(bytes.len() > 500, "{format}");
        assert!(read(&world, &by_flag) == bytes, "{format}");
        assert!(
            piped(&world, &[export(&words), vec!["-o", "-", "--format", format]].concat()) == bytes,
            "{format}"
        );
    }
    let bytes = read(&world, "a.csv");
    assert!(piped(&world, &export(&words)) == bytes, "CSV is what stdout gets");
    let bare = piped(&world, &[export(&words), vec!["--no-comments"]].concat());
    assert!(bare.starts_with(b"time,") && bytes.ends_with(&bare));
    assert!(
        world.path("a.jsonl.about.json").exists(),
        "a line of JSON is a row, so provenance stands beside it"
    );
}

#[test]
fn samples_that_pass_through_are_those_that_are_held() {
    let world = World::new();
    let select = ["SAMPLE_*", "--start", "2024-03-01T04:00", "--stop", "2024-03-01T10:00"];
    for filter in [
        &[][..],
        &["--where", "SAMPLE_HEATER_STATE = 'ON'"],
        &["--where", "SAMPLE_PANEL_TEMP > 21", "--pad", "1m/1m"],
    ] {
        let words = [export(&select), filter.to_vec()].concat();
        let passed = world.edb(&[words.clone(), vec!["-o", "passed.csv"]].concat());
        // With a second table the series are held.
        let held = world.edb(&[words, vec!["-o", "held.csv", "-o", "held.svg"]].concat());
        assert!(passed.succeeded().stderr.is_empty());
        held.succeeded();
        let rows = |name: &str| {
            let text = String::from_utf8(read(&world, name)).unwrap();
            let rows = text.lines().filter(|line| !line.starts_with('#') && !line.contains(",DOUBLE,"));
            rows.map(str::to_owned).collect::<Vec<_>>()
        };
        let (passed, held) = (rows("passed.csv"), rows("held.csv"));
        assert!(passed.len() > 100, "{filter:?}");
        assert!(passed == held, "{filter:?}: {} and {} lines", passed.len(), held.len());
    }
}

#[test]
fn a_manifest_says_what_was_asked_and_what_the_files_are() {
    let world = World::new();
    let words = [
        "SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00",
        "-o",
        "a.parquet",
        "-o",
        "b.csv",
        "--manifest",
        "m.json",
    ];
    world.edb(&export(&words)).succeeded();
    let manifest: serde_json::Value = serde_json::from_slice(&read(&world, "m.json")).unwrap();
    assert_eq!(manifest["tool"], "edb");
    assert_eq!(manifest["resolved"][0], "SAMPLE_PANEL_TEMP@2024-03-01T05:00:00Z/2024-03-01T06:00:00Z");
    let asked = manifest["asked"]["arguments"].as_array().unwrap();
    assert_eq!(
        (&asked[0], &asked[4]),
        (&"export".into(), &"SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00".into())
    );
    let series = &manifest["series"][0];
    assert_eq!((&series["unit"], &series["samples"]), (&"C".into(), &439.into()));
    assert_eq!(series["proven"][0], "2024-03-01T05:00:00Z/2024-03-01T06:00:00Z");
    assert_eq!((series["gaps"].as_u64(), series["not_known"].as_array().unwrap().len()), (Some(0), 0));
    for (file, name) in manifest["files"].as_array().unwrap().iter().zip(["a.parquet", "b.csv"]) {
        let bytes = read(&world, name);
        let mut hashed = edb::export::Measured::new(Vec::new(), true);
        std::io::Write::write_all(&mut hashed, &bytes).unwrap();
        let (_, size, sha256) = hashed.finish();
        assert_eq!(
            (&file["sha256"], &file["size_bytes"], &file["rows"]),
            (&sha256.into(), &size.into(), &439.into())
        );
    }
    assert!(manifest["made_at"].as_str().unwrap().ends_with('Z'));
    // What changes from run to run is in the manifest only.
    let (data, text) = (read(&world, "a.parquet"), read(&world, "b.csv"));
    world.edb(&export(&words)).succeeded();
    assert!(read(&world, "a.parquet") == data && read(&world, "b.csv") == text);
}

#[test]
fn samples_are_parted_by_mnemonic_and_day() {
    let world = World::new();
    let words = [
        "SAMPLE_PANEL_TEMP",
        "SAMPLE_WHEEL_POS",
        "--start",
        "2024-03-01T04:00",
        "--stop",
        "2024-03-01T10:00",
    ];
    let parted =
        [&words[..], &["--partition", "mnemonic,day", "-o", "set", "--format", "csv", "--no-comments"]]
            .concat();
    let run = world
        .edb(&["export", "--source", "sample"].iter().chain(&parted).copied().collect::<Vec<_>>())
        .succeeded();
    let names = ["SAMPLE_PANEL_TEMP", "SAMPLE_WHEEL_POS"]
        .map(|name| format!("set/mnemonic={name}/day=2024-03-01/part-0.csv"));
    assert_eq!(world.files(), names);
    assert!(run.stderr.contains("2 files"), "{}", run.stderr);
    let whole = String::from_utf8(piped(&world, &[export(&words), vec!["--no-comments"]].concat())).unwrap();
    for (name, path) in ["SAMPLE_PANEL_TEMP", "SAMPLE_WHEEL_POS"].iter().zip(&names) {
        let marked = format!(",{name},");
        let expected: Vec<String> = whole
            .lines()
            .filter(|line| line.contains(&marked))
            .map(|line| line.replacen(&marked, ",", 1))
            .collect();
        let found = String::from_utf8(read(&world, path)).unwrap();
        assert_eq!(found.lines().skip(1).collect::<Vec<_>>(), expected);
    }
    // Each file says where its own mnemonic comes from, and of no other; a part of a day in the place of a day is told.
    let set = [&words[..], &["--partition", "mnemonic,day", "-o", "told", "--format", "csv"]].concat();
    let run = world.edb(&[&["export", "--source", "sample"][..], &set].concat()).succeeded();
    assert!(!run.stderr.contains("earlier export"), "{}", run.stderr);
    let told =
        String::from_utf8(read(&world, "told/mnemonic=SAMPLE_PANEL_TEMP/day=2024-03-01/part-0.csv")).unwrap();
    assert!(told.contains("# selected: SAMPLE_PANEL_TEMP@") && !told.contains("SAMPLE_WHEEL_POS"), "{told}");
    assert!(told.contains("# column value [C]") && told.contains("# source: synthetic sample"), "{told}");
    let run = world.edb(&[&["export", "--source", "sample"][..], &set].concat()).succeeded();
    assert!(run.stderr.contains("a range that is not all of its time"), "{}", run.stderr);
    let other = world.edb(&export(&[&words[..], &["--partition", "mnemonic,day", "-o", "told"]].concat()));
    assert_eq!(other.code, 11);
    assert!(other.stderr.contains("it has another format"), "{}", other.stderr);
    // A table of bins, too; and what is parted by what its rows lack is refused before anything is asked.
    world
        .edb(&export(&[&words[..], &["--resample", "1h", "--partition", "day", "-o", "hours"]].concat()))
        .succeeded();
    assert!(world.path("hours/day=2024-03-01/part-0.parquet").exists());
    let run = world.edb(&export(
        &[&words[..], &["--align", "1m", "--max-age", "1m", "--partition", "mnemonic", "-o", "x"]].concat(),
    ));
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("cannot be parted by mnemonic") && !world.path("x").exists(),
        "{}",
        run.stderr
    );
}

#[test]
fn the_services_own_form_is_that_of_its_answers() {
    let world = World::new();
    let word = format!("SAMPLE_MOTOR_VOLT@{RANGE}");
    world.edb(&["fetch", "--source", "sample", "--quiet", &word, "-f", "raw"]).succeeded();
    world.edb(&export(&[&word, "--csv-dialect", "edb", "-o", "one.csv"])).succeeded();
    let answer = read(&world, "raw/SAMPLE_MOTOR_VOLT-20240301T050000-20240301T060000.csv");
    assert!(read(&world, "one.csv") == answer, "bracket rows and all");
    assert!(piped(&world, &export(&[&word, "--csv-dialect", "edb"])) == answer);

    for (words, expected) in [
        (
            &["SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00", "--where", "SAMPLE_MOTOR_VOLT > 0"][..],
            "as they came",
        ),
        (&["SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00"], "2 are asked for"),
        (&["--resample", "1m"], "no other table"),
        (&["--format", "ecsv"], "a matter of CSV"),
    ] {
        let run =
            world.edb(&[export(&[&word, "--csv-dialect", "edb", "-o", "two.csv"]), words.to_vec()].concat());
        assert_eq!(run.code, 2, "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
    }
    assert!(!world.path("two.csv").exists());
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_asked() {
    let world = World::new();
    world.write("file", "");
    let word = "SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00";
    for (words, code, expected) in [
        (&["-o", "a.docx"][..], 2, "`parquet`, `csv`, `ecsv`, `fits`, `vot`, `arrow`, `jsonl`"),
        (&["-o", "a.csv", "--format", "hdf5"], 2, "there is no table format `hdf5`"),
        (&["-o", "a.parquet", "--no-comments"], 2, "comments are a matter of CSV"),
        (&["-o", "set", "--partition", "week"], 2, "could not read `week`"),
        (&["-o", "file", "--partition", "day"], 11, "it is a file"),
        (&["-o", "-", "-o", "-"], 2, "only one output can go to stdout"),
        (&["-o", "a.csv", "--manifest", "./a.csv"], 2, "have the name `./a.csv`"),
        (&["-o", "a.csv", "-o", "./a.csv"], 2, "have the name `./a.csv`"),
        (&["-o", "a.jsonl", "--manifest", "a.jsonl.about.json"], 2, "have the name `a.jsonl.about.json`"),
        (&["-o", "a.csv", "--manifest", "-"], 2, "a manifest is a file"),
        (&["-o", "-", "--partition", "day"], 2, "what goes to stdout cannot be parted"),
        (&["-o", "a.png", "--partition", "day"], 2, "a figure cannot be parted"),
        (&["-o", "a.csv", "--partition", "day"], 2, "would be a folder"),
        (&["-o", "a.png", "--csv-dialect", "foo"], 2, "there is no dialect of CSV `foo`"),
        (&["-o", "a.csv", "-o", "a.svg", "--csv-dialect", "edb"], 2, "goes with no figures"),
        (&["-o", "a.csv", "--manifest", "file/m.json"], 11, "`file`"),
        (&["--summary", "json"], 2, "would go to stdout"),
        (&["-o", "a.png", "--partition", "day", "--format", "png"], 2, "there is no table format `png`"),
    ] {
        let run = world.edb(&[export(&[word]), words.to_vec()].concat());
        assert_eq!(run.code, code, "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
        assert!(!run.stderr.contains("asked"), "{}", run.stderr);
    }
    assert_eq!(world.files(), ["file"]);
}

#[test]
fn quantities_of_known_units_have_units_that_readers_know() {
    let world = World::new();
    let derive = "ratio = SAMPLE_MOTOR_VOLT / SAMPLE_PANEL_TEMP";
    let words = [
        "export",
        "--source",
        "sample",
        "--start",
        "2024-03-01T05:00",
        "--stop",
        "2024-03-01T05:10",
        "--derive",
        derive,
    ];
    let run = world.edb(&[&words[..], &["-o", "a.ecsv", "-o", "a.fits"]].concat()).succeeded();
    assert!(
        !run.stderr.contains("no standard knows"),
        "V and C are known, and so is their ratio: {}",
        run.stderr
    );
    let text = String::from_utf8(read(&world, "a.ecsv")).unwrap();
    assert!(text.contains("unit: \"V deg_C-1\""), "{text}");
}

#[test]
fn a_job_file_parts_samples_and_writes_a_manifest() {
    let world = World::new();
    world.write(
        "job.toml",
        r#"
        source = "sample"
        folder = "out"
        start = "2024-03-01T05:00"
        stop = "2024-03-01T06:00"
        select = ["SAMPLE_PANEL_TEMP"]
        manifest = "manifest.json"
        [[output]]
        file = "set"
        format = "ecsv"
        partition = ["day"]
        [[output]]
        file = "bare.csv"
        comments = false
        [[output]]
        file = "service.csv"
        dialect = "edb"
        "#,
    );
    world.edb(&["run", "job.toml", "--quiet"]).succeeded();
    let files = ["bare.csv", "manifest.json", "service.csv", "set/day=2024-03-01/part-0.ecsv"]
        .map(|name| format!("out/{name}"));
    assert_eq!(world.files(), [&["job.toml".to_owned()], &files[..]].concat());
    let manifest: serde_json::Value = serde_json::from_slice(&read(&world, "out/manifest.json")).unwrap();
    assert!(manifest["asked"]["job_file"].as_str().unwrap().contains("partition"));
    assert_eq!(manifest["files"][0]["parts"][0]["rows"], 439);
    assert!(read(&world, "out/service.csv").starts_with(b"theTime,MJD,euvalue,sqldataType\r\n"));
}

#[test]
fn what_is_in_files_is_the_same_whoever_reads_stdout() {
    let world = World::new();
    let binary = env!("CARGO_BIN_EXE_edb");
    let script = format!(
        "'{binary}' export --source sample SAMPLE_FINE_X@2024-03-01T06:00/2024-03-01T06:20 -o - -o x.csv --manifest m.json \
         | /usr/bin/head -c 10 > out; exit ${{PIPESTATUS[0]}}"
    );
    let run = finish(std::process::Command::new("bash").args(["-c", &script]).current_dir(world.path("")));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(world.files(), ["m.json", "out", "x.csv"]);
    assert!(String::from_utf8(read(&world, "x.csv")).unwrap().lines().count() > 18_000);
}

#[test]
fn files_say_what_is_proven_and_what_is_not_known() {
    let world = World::new();
    let store = ["--store", "store"];
    let range = |start: &str, stop: &str| format!("SAMPLE_PANEL_TEMP@2024-03-01T{start}/2024-03-01T{stop}");
    world.edb(&[&["sync", "--source", "sample", &range("05:00", "05:10")][..], &store].concat()).succeeded();
    world.edb(&[&["sync", "--source", "sample", &range("05:30", "05:40")][..], &store].concat()).succeeded();
    let words = [
        "export",
        "--source",
        "store",
        &range("05:00", "05:40"),
        "-o",
        "x.csv",
        "-o",
        "x.ecsv",
        "--manifest",
        "m.json",
    ];
    let run = world.edb(&[&words[..], &store].concat());
    assert_eq!(run.code, 3, "{run:?}");
    let text = String::from_utf8(read(&world, "x.csv")).unwrap();
    let told = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: SAMPLE_PANEL_TEMP@")));
        line.unwrap_or_else(|| panic!("{key}: {text}")).split(", ").count()
    };
    assert_eq!((told("proven"), told("not known")), (2, 1));
    assert!(
        String::from_utf8(read(&world, "x.ecsv")).unwrap().contains("[\"not known\", \"SAMPLE_PANEL_TEMP@")
    );
    let manifest: serde_json::Value = serde_json::from_slice(&read(&world, "m.json")).unwrap();
    assert_eq!(manifest["series"][0]["not_known"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["exit_code"], 3);
}

#[test]
fn a_run_that_gets_nothing_says_so_in_its_manifest() {
    let world = World::new();
    world.write("m.json", "an old one");
    let words = ["export", "--source", "http://127.0.0.1:1/", "--tries", "1", "A@2024-03-01/2024-03-02"];
    let run = world.edb(&[&words[..], &["-o", "x.csv", "--manifest", "m.json"]].concat());
    assert_eq!(run.code, 5, "{run:?}");
    let text = String::from_utf8(read(&world, "m.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&manifest["exit_code"], manifest["files"].as_array().unwrap().len()), (&5.into(), 0));
}

#[test]
fn a_name_that_is_no_text_is_a_name() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    let mut command = world.command();
    command.args(export(&["SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T05:10", "-o"]));
    let run = finish(command.arg(std::ffi::OsStr::from_bytes(b"\xff.csv")));
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_reader_that_has_read_enough_is_no_fault() {
    let world = World::new();
    let binary = env!("CARGO_BIN_EXE_edb");
    for format in FORMATS {
        let script = format!(
            "'{binary}' export --source sample SAMPLE_FINE_X@2024-03-01T06:00/2024-03-01T06:20 -o - --format {format} | /usr/bin/head -c 10 > out; \
             exit ${{PIPESTATUS[0]}}"
        );
        let run =
            finish(std::process::Command::new("bash").args(["-c", &script]).current_dir(world.path("")));
        assert_eq!((run.code, run.stderr.contains("error")), (0, false), "{format}: {run:?}");
        assert_eq!(read(&world, "out").len(), 10);
    }
}
