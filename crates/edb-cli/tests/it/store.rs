//! The local archive as its users see it.

use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use edb::{
    DiskStore, Instant, MemorySource, Mnemonic, Nulls, Samples, SqlType, Store, Values, parse_instant,
};
use edb_testkit::{Reply, ScriptedServer, Service, synthetic};
use serde_json::Value;

use crate::world::{Run, World, finish};

const DAYS: &str = "SAMPLE_MIRROR_TEMP@2024-03-01/2024-03-05";

fn service() -> Service {
    let mut archive = MemorySource::new("a test");
    synthetic::sample().into_iter().for_each(|(entry, samples)| archive.insert(entry, samples));
    Service::new(archive)
}

/// The files asked for since it was looked last.
struct Asked<'a> {
    server: &'a ScriptedServer,
    seen: usize,
}

impl<'a> Asked<'a> {
    fn of(server: &'a ScriptedServer) -> Self {
        Self { server, seen: 0 }
    }

    fn downloads(&mut self) -> usize {
        let all = self.server.requests();
        let new = all[self.seen..].iter().filter(|head| head.contains("Download")).count();
        self.seen = all.len();
        new
    }
}

fn edb(world: &World, url: &str, arguments: &[&str]) -> Run {
    finish(world.command().args(arguments).args(["--source", url, "--store", "store"]))
}

#[test]
fn what_is_known_is_never_asked_for_again() {
    let server = service().start();
    let mut asked = Asked::of(&server);
    let world = World::new();
    let edb = |arguments: &[&str]| edb(&world, &server.url(), arguments).succeeded();
    let run = edb(&["sync", DAYS, "--summary", "json"]).summary();
    assert_eq!(run["ranges"][0]["is_complete"], false, "the archive begins on the first day: {run}");
    assert!(run["delivered"][0]["samples"].as_u64().unwrap() > 7000, "{run}");
    assert!(asked.downloads() > 0);
    let run = edb(&["sync", "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-05", "--summary", "json"]).summary();
    assert_eq!((&run["delivered"], &run["ranges"][0]["is_complete"]), (&Value::Array(vec![]), &true.into()));
    edb(&["export", "SAMPLE_MIRROR_TEMP@2024-03-03/2024-03-04", "-o", "x.parquet"]);
    edb(&["plot", "SAMPLE_MIRROR_TEMP@2024-03-03/2024-03-04", "-o", "x.png"]);
    assert_eq!(asked.downloads(), 0);
    // A state that changes twice a day: one answer proves the hours beside it.
    edb(&["sync", "SAMPLE_HEATER_STATE@2024-03-01T08:20/2024-03-01T08:30"]);
    assert_eq!(asked.downloads(), 1);
    let run = edb(&[
        "export",
        "SAMPLE_HEATER_STATE@2024-03-01T09:00/2024-03-01T10:00",
        "--align",
        "30m",
        "--max-age",
        "unlimited",
        "-o",
        "state.csv",
    ]);
    assert_eq!(asked.downloads(), 0, "{run:?}");
    let text = std::fs::read_to_string(world.path("state.csv")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("2024")).collect();
    assert!(
        rows.len() >= 2 && rows.iter().all(|row| !row.ends_with(',')),
        "the state into the range: {text}"
    );
}

/// Stops a sync while its second answer is awaited, in one way or another, and looks at what the next one does.
fn stopped_and_gone_on_with(signal: &str) -> ExitStatus {
    let (tell, told) = mpsc::channel();
    let (tell, service) = (Mutex::new(Some(tell)), service());
    let server = ScriptedServer::start(move |asked| match asked.file() {
        // The first window is an hour; whatever comes after it finds nobody, the first time.
        Some(name) if !name.contains("T050000-20240301T060000") => match tell.lock().unwrap().take() {
            Some(tell) => {
                tell.send(()).unwrap();
                Reply::csv(b"").stall_before_head()
            }
            None => service.reply(asked),
        },
        _ => service.reply(asked),
    });
    let mut asked = Asked::of(&server);
    let world = World::new();
    let days = "SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-03";
    let mut command = world.command();
    command.args(["sync", days, "--source", &server.url(), "--store", "store", "--concurrency", "1"]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    told.recv().unwrap();
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
    let status = child.wait().unwrap();
    let panel = Mnemonic::new("SAMPLE_PANEL_TEMP").unwrap();
    let kept = DiskStore::open(&world.path("store")).unwrap().known(&panel).unwrap();
    assert!(kept.micros() >= 3_600_000_000, "the first answer is there: {kept:?}");
    asked.downloads();
    let run = edb(&world, &server.url(), &["sync", days, "--summary", "json"]).succeeded().summary();
    let again = server.requests();
    let store = DiskStore::open(&world.path("store")).unwrap();
    let whole = store.known(&panel).unwrap();
    assert!(kept.without(&whole).is_empty() && whole.micros() > kept.micros(), "{run}");
    let first_hour = again[asked.seen..].iter().filter(|head| head.contains("T050000-20240301T060000"));
    assert_eq!(first_hour.count(), 0, "{again:?}");
    let (_, truth) = synthetic::sample().into_iter().find(|(entry, _)| entry.mnemonic == panel).unwrap();
    let range = whole.ranges()[0];
    assert_eq!(store.read(&panel, range).unwrap().samples, truth.cut(range));
    assert!(store.verify(&panel).unwrap().damaged.is_empty());
    status
}

#[test]
fn a_sync_that_is_stopped_goes_on_from_where_it_was() {
    assert_eq!(stopped_and_gone_on_with("KILL").code(), None, "it had no chance to say anything");
    assert_eq!(stopped_and_gone_on_with("INT").code(), Some(130));
    assert_eq!(stopped_and_gone_on_with("TERM").code(), Some(143));
}

/// An archive of one mnemonic, every minute of a day, that can be revised.
fn minutes(day: &str, value: impl Fn(usize) -> i64) -> MemorySource {
    let start = parse_instant(day, Instant::MIN).unwrap().as_micros();
    let times: Vec<i64> = (0..2 * 1440).map(|minute| start + minute * 60_000_000).collect();
    let values = Values::Integer((0..times.len()).map(value).collect());
    let (samples, _) = Samples::from_columns(SqlType::Int, times, values, Nulls::none()).unwrap();
    let mut archive = MemorySource::new("a test");
    archive.insert(edb::DictionaryEntry::bare(Mnemonic::new("SA_TEST").unwrap()), samples);
    archive
}

#[test]
fn a_refresh_tells_what_has_changed() {
    let archive = Arc::new(Mutex::new(Service::new(minutes("2022-06-01", |minute| minute as i64))));
    let serving = Arc::clone(&archive);
    let server = ScriptedServer::start(move |asked| serving.lock().unwrap().reply(asked));
    let world = World::new();
    let sync = |more: &[&str]| {
        let arguments = [&["sync", "SA_TEST@2022-06-01T06:00/2022-06-01T18:00"], more].concat();
        edb(&world, &server.url(), &arguments).succeeded()
    };
    sync(&[]);
    let run = sync(&["--full-refresh"]);
    assert!(!run.stderr.contains("revised"), "nothing has changed: {}", run.stderr);
    let revise = |minute: usize| if minute == 600 { -1 } else { minute as i64 };
    *archive.lock().unwrap() = Service::new(minutes("2022-06-01", revise));
    assert!(!sync(&[]).stderr.contains("revised"), "what has settled is not asked for");
    let run = sync(&["--full-refresh"]);
    let expected = "SA_TEST: the archive was revised in 2022-06-01T10:00:00Z/2022-06-01T10:00:00.000001Z: 1 changed samples since";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    let status = edb(&world, &server.url(), &["store", "status", "--summary", "json"]).succeeded().summary();
    assert_eq!(
        status["mnemonics"][0]["rows"],
        status["mnemonics"][0]["known"][0].as_array().map(|_| 721).unwrap(),
        "{status}"
    );
}

#[test]
fn lag_and_settle_say_what_is_too_young() {
    let server = service().start();
    let world = World::new();
    let edb = |arguments: &[&str]| edb(&world, &server.url(), arguments);
    let plan = edb(&[
        "sync",
        "SAMPLE_MIRROR_TEMP",
        "--start",
        "-2d",
        "--lag",
        "1d",
        "--dry-run",
        "--summary",
        "json",
    ]);
    let plan = plan.succeeded().summary();
    let instant = |text: &Value| parse_instant(text.as_str().unwrap(), Instant::MIN).unwrap().as_micros();
    let part = &plan["parts"][0];
    let hours = (instant(&part["stop"]) - instant(&part["start"])) as f64 / 3.6e9;
    assert!((23.9..24.1).contains(&hours), "{plan}");
    let nothing = edb(&["sync", "SAMPLE_MIRROR_TEMP", "--start", "-2h", "--lag", "1d"]);
    assert_eq!((nothing.code, nothing.stderr.contains("--lag")), (2, true), "{nothing:?}");
    // With a settle time of a century everything is young.
    edb(&["sync", DAYS, "--settle", "36500d"]).succeeded();
    let status = edb(&["store", "status", "--summary", "json"]).succeeded().summary();
    assert_eq!(status["mnemonics"][0]["known"], status["mnemonics"][0]["provisional"]);
    assert!(
        edb(&["store", "status"]).succeeded().stdout.contains("4.83 d")
            || status["mnemonics"][0]["rows"].as_u64() > Some(0)
    );
    // Once it has settled it is asked again, and then no more.
    let again = |days: &str| {
        let run =
            edb(&["sync", "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-04", "--settle", days, "--summary", "json"]);
        run.succeeded().summary()["delivered"].as_array().unwrap().len()
    };
    assert_eq!((again("36500d"), again("7d"), again("7d")), (0, 1, 0));
}

#[test]
fn names_alone_go_on_from_where_the_store_ends() {
    let server = service().start();
    let world = World::new();
    let edb = |arguments: &[&str]| edb(&world, &server.url(), arguments);
    let nothing = edb(&["sync"]);
    assert_eq!(nothing.code, 2, "an empty store names nothing: {nothing:?}");
    assert!(!world.path("store").exists(), "nor is one made for nothing");
    let unknown = edb(&["sync", "SAMPLE_MIRROR_TEMP"]);
    assert_eq!((unknown.code, unknown.stderr.contains("no range is given")), (2, true), "{unknown:?}");
    edb(&["sync", "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-03"]).succeeded();
    let run = edb(&["sync", "--summary", "json"]).succeeded().summary();
    let start = run["ranges"][0]["start"].as_str().unwrap();
    assert!(start.starts_with("2024-03-03T00:00"), "{run}");
    assert!(run["delivered"][0]["samples"].as_u64().unwrap() > 7000, "{run}");
    // Everything that lag allows is known: no mistake of an unattended run.
    let again = edb(&["sync", "--lag", "36500d"]).succeeded();
    assert!(again.stderr.contains("everything is known already"), "{again:?}");
    let again =
        edb(&["sync", "SAMPLE_MIRROR_TEMP", "--lag", "36500d", "--summary", "json"]).succeeded().summary();
    assert_eq!((&again["exit_code"], again["ranges"].as_array().unwrap().len()), (&0.into(), 0));
    let offline = finish(world.command().args(["sync", "--source", "store", "--store", "store"]));
    assert_eq!((offline.code, offline.stderr.contains("from itself")), (2, true), "{offline:?}");
    let nowhere = world.edb(&["sync", "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-03"]);
    assert_eq!((nowhere.code, nowhere.stderr.contains("--store DIR")), (2, true), "{nowhere:?}");
}

#[test]
fn a_store_without_a_service_says_what_it_lacks() {
    let server = service().start();
    let world = World::new();
    edb(&world, &server.url(), &["sync", "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-03"]).succeeded();
    let export = |range: &str| {
        let word = format!("SAMPLE_MIRROR_TEMP@{range}");
        finish(
            world.command().args(["export", &word, "--source", "store", "--store", "store", "-o", "x.csv"]),
        )
    };
    assert_eq!(export("2024-03-02T01:00/2024-03-02T02:00").code, 0);
    let partial = export("2024-03-02T23:00/2024-03-03T02:00");
    assert_eq!(partial.code, 3, "{partial:?}");
    assert!(partial.stderr.contains("edb sync") && world.path("x.csv").exists(), "{partial:?}");
    std::fs::remove_file(world.path("x.csv")).unwrap();
    let nothing = export("2024-03-04/2024-03-05");
    assert_eq!(nothing.code, 11, "{nothing:?}");
    assert!(
        nothing.stderr.contains("the store does not know it") && !world.path("x.csv").exists(),
        "{nothing:?}"
    );
}

#[test]
fn damage_is_found_set_aside_and_fetched_again() {
    let server = service().start();
    let world = World::new();
    let edb = |arguments: &[&str]| edb(&world, &server.url(), arguments);
    edb(&[
        "sync",
        "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-03",
        "SAMPLE_WHEEL_POS@2024-03-01T05:00/2024-03-01T06:00",
    ])
    .succeeded();
    assert!(edb(&["store", "verify"]).succeeded().stderr.contains("all as written"));
    let path = world.files().into_iter().find(|file| file.contains("mnemonic=SAMPLE_MIRROR_TEMP")).unwrap();
    let mut bytes = std::fs::read(world.path(&path)).unwrap();
    bytes[100] ^= 4;
    std::fs::write(world.path(&path), bytes).unwrap();
    world.write("store/samples/mnemonic=SAMPLE_WHEEL_POS/.edb-partial-1-0-segment.part", "half");
    let export = edb(&["export", "SAMPLE_MIRROR_TEMP@2024-03-02T06:00/2024-03-02T07:00", "-o", "x.csv"]);
    assert_eq!((export.code, export.stderr.contains("--repair")), (7, true), "{export:?}");
    let verify = edb(&["store", "verify"]);
    assert_eq!(verify.code, 7, "{verify:?}");
    assert!(
        verify.stderr.contains(path.rsplit('/').next().unwrap()) && verify.stderr.contains("--repair"),
        "{verify:?}"
    );
    let compact = edb(&["store", "compact", "--summary", "json"]);
    assert_eq!(compact.code, 0, "a segment alone is not merged: {compact:?}");
    let repair = edb(&["store", "verify", "--repair", "--summary", "json"]);
    assert_eq!(repair.code, 7, "{repair:?}");
    let summary = repair.summary();
    assert_eq!(
        (summary["damaged"].as_array().unwrap().len(), summary["left"].as_array().unwrap().len()),
        (1, 1)
    );
    assert!(world.files().iter().any(|file| file.starts_with("store/damaged/SAMPLE_MIRROR_TEMP/")));
    assert!(edb(&["store", "verify"]).succeeded().stderr.contains("all as written"));
    edb(&["export", "SAMPLE_MIRROR_TEMP@2024-03-02T06:00/2024-03-02T07:00", "-o", "x.csv"]).succeeded();
    assert!(world.path("x.csv").exists());
}

#[test]
fn a_store_is_looked_after_by_its_words() {
    let server = service().start();
    let world = World::new();
    let edb = |arguments: &[&str]| edb(&world, &server.url(), arguments);
    for hour in 5..9 {
        let range = format!("2024-03-01T0{hour}:00/2024-03-01T0{}:00", hour + 1);
        edb(&["sync", &format!("SAMPLE_MIRROR_TEMP@{range}"), &format!("SAMPLE_MOTOR_VOLT@{range}")])
            .succeeded();
    }
    let status = |names: &[&str]| {
        edb(&[&["store", "status", "--summary", "json"], names].concat()).succeeded().summary()
    };
    let before = status(&[]);
    assert_eq!(before["mnemonics"][0]["segments"], 4);
    let table = edb(&["store", "status", "sample_mirror*", "-o", "coverage.png"]).succeeded();
    assert!(
        table.stdout.contains("SAMPLE_MIRROR_TEMP") && !table.stdout.contains("MOTOR"),
        "{}",
        table.stdout
    );
    assert!(std::fs::read(world.path("coverage.png")).unwrap().starts_with(b"\x89PNG"));
    let merged = edb(&["store", "compact", "SAMPLE_M*"]).succeeded();
    assert!(merged.stderr.contains("merged 8 segments into 2"), "{}", merged.stderr);
    let after = status(&[]);
    for at in 0..2 {
        let (before, after) = (&before["mnemonics"][at], &after["mnemonics"][at]);
        assert_eq!(
            (&after["segments"], &after["rows"], &after["known"]),
            (&1.into(), &before["rows"], &before["known"])
        );
    }
    let plan = edb(&["store", "remove", "SAMPLE_MOTOR_VOLT", "--start", "2024-03-01T07:00", "--dry-run"])
        .succeeded();
    assert!(plan.stderr.contains("would remove"), "{plan:?}");
    assert_eq!(status(&[]), after);
    edb(&["store", "remove", "SAMPLE_MOTOR_VOLT", "--start", "2024-03-01T07:00"]).succeeded();
    assert!(
        status(&["SAMPLE_MOTOR_VOLT"])["mnemonics"][0]["known"][0][1].as_str()
            == Some("2024-03-01T07:00:00Z")
    );
    edb(&["store", "remove", "SAMPLE_MOTOR_VOLT"]).succeeded();
    assert_eq!(status(&[])["mnemonics"].as_array().unwrap().len(), 1);
    let unknown = edb(&["store", "status", "NOBODY"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
}

#[test]
fn what_is_written_out_is_what_is_taken_in() {
    let server = service().start();
    let world = World::new();
    let range = "2024-03-01T05:00:00.3/2024-03-01T06:00:00.7";
    let names = ["SAMPLE_MOTOR_VOLT", "SAMPLE_WHEEL_POS", "SAMPLE_EVENT_MSG", "SAMPLE_HEATER_STATE"];
    let words: Vec<String> = names.iter().map(|name| format!("{name}@{range}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    edb(&world, &server.url(), &[&["sync"], words.as_slice()].concat()).succeeded();
    for (form, folder) in [("csv", "csv-files"), ("json", "json-files")] {
        let all = ["store", "export", "SAMPLE_*", "--form", form, "-f", folder, "--store", "store"];
        let run = world.edb(&all).succeeded();
        assert!(run.stderr.contains("of 4 mnemonics"), "{}", run.stderr);
        world.edb(&["store", "import", folder, "--store", form]).succeeded();
        let (from, to) =
            (DiskStore::open(&world.path("store")).unwrap(), DiskStore::open(&world.path(form)).unwrap());
        for mnemonic in from.mnemonics().unwrap() {
            let known = from.known(&mnemonic).unwrap();
            let hull = known.ranges()[0];
            let (a, b) = (from.read(&mnemonic, hull).unwrap(), to.read(&mnemonic, hull).unwrap());
            assert_eq!(a.samples, b.samples, "{form} {mnemonic}");
            if form == "csv" {
                assert!(known.without(&to.known(&mnemonic).unwrap()).is_empty(), "{mnemonic}");
                assert_eq!((a.leading, a.trailing), (b.leading, b.trailing), "{mnemonic}");
            }
        }
    }
    let part = [
        "store",
        "export",
        "SAMPLE_WHEEL_POS",
        "--start",
        "2024-03-01T05:10",
        "--stop",
        "2024-03-01T07:00",
        "-f",
        "part",
        "--store",
        "store",
    ];
    let run = world.edb(&part).succeeded();
    assert!(run.stderr.contains("nothing is known in"), "{}", run.stderr);
    assert!(
        world.files().contains(&"part/SAMPLE_WHEEL_POS-20240301T051000-20240301T060004.csv".to_owned()),
        "{:?}",
        world.files()
    );
    // A hole is told, or, where the form cannot tell it, refused.
    edb(&world, &server.url(), &["sync", "SAMPLE_WHEEL_POS@2024-03-01T08:00/2024-03-01T09:00"]).succeeded();
    let json =
        world.edb(&["store", "export", "SAMPLE_WHEEL_POS", "--form", "json", "-f", "no", "--store", "store"]);
    assert_eq!((json.code, world.path("no").exists()), (2, false), "{json:?}");
    assert!(json.stderr.contains("knows no holes"), "{json:?}");
    let csv =
        world.edb(&["store", "export", "SAMPLE_WHEEL_POS", "-f", "two", "--store", "store"]).succeeded();
    assert!(csv.stderr.contains("to 2 files") && csv.stderr.contains("nothing is known in"), "{csv:?}");
    let sync = edb(&world, &server.url(), &["sync", "SAMPLE_WHEEL_POS"]).succeeded();
    assert!(
        sync.stderr.contains("if it is wanted: edb sync SAMPLE_WHEEL_POS@2024-03-01T06:00:04"),
        "{sync:?}"
    );
    // What is provisional stays so on its way.
    let young = ["sync", "SAMPLE_MIRROR_TEMP@2024-03-02/2024-03-03", "--settle", "36500d"];
    edb(&world, &server.url(), &young).succeeded();
    world.edb(&["store", "export", "SAMPLE_MIRROR_TEMP", "-f", "young", "--store", "store"]).succeeded();
    world.edb(&["store", "import", "young", "--store", "again", "--settle", "36500d"]).succeeded();
    let mirror = Mnemonic::new("SAMPLE_MIRROR_TEMP").unwrap();
    let status = |folder: &str| DiskStore::open(&world.path(folder)).unwrap().status(&mirror).unwrap();
    assert_eq!(status("again").provisional, status("store").provisional);
    assert_eq!(status("again").fetched_at, status("store").fetched_at);
    let none =
        world.edb(&["store", "export", "SAMPLE_WHEEL_POS", "--start", "2025-01-01", "--store", "store"]);
    assert_eq!(none.code, 11, "{none:?}");
}
