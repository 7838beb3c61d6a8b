//! Plans, limits, progress, proxies, certificates.

use edb_testkit::tls::Authority;
use edb_testkit::{Reply, ScriptedServer, Service, synthetic};
use serde_json::Value;

use crate::world::{Run, World, finish};

const DAYS: &str = "SAMPLE_MIRROR_TEMP@2024-03-01/2024-03-05";
const HOUR: &str = "SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00";

fn service() -> Service {
    let mut archive = edb::MemorySource::new("a test");
    synthetic::sample().into_iter().for_each(|(entry, samples)| archive.insert(entry, samples));
    Service::new(archive)
}

fn downloads(server: &ScriptedServer) -> usize {
    server.requests().iter().filter(|head| head.contains("Download")).count()
}

#[test]
fn a_plan_says_what_would_be_asked_and_asks_nothing() {
    let server = service().start();
    let world = World::new();
    let url = server.url();
    let edb = |arguments: &[&str]| {
        let mut command = world.command();
        finish(command.args(arguments).args(["--source", &url, "--store", "store"])).succeeded()
    };
    let plan = edb(&["export", DAYS, HOUR, "-o", "x.csv", "--dry-run"]);
    assert!(
        plan.stdout.contains("≤") && plan.stdout.contains("64 ms is the most there can be"),
        "{}",
        plan.stdout
    );
    assert_eq!((downloads(&server), world.path("x.csv").exists()), (0, false));

    edb(&["export", "SAMPLE_MIRROR_TEMP@2024-03-01/2024-03-02", "-o", "x.csv"]);
    let json = edb(&["plot", DAYS, "--dry-run", "--summary", "json"]).summary();
    // Before the first sample of all nothing is ever known: that is a part of its own.
    let part = json["parts"].as_array().unwrap().last().unwrap();
    assert_eq!(part["is_rate_known"], true, "the store tells the rate");
    let rows = part["rows"].as_f64().unwrap();
    assert!((7800.0..8000.0).contains(&rows), "three days of 32.768 s are left: {rows}");
    assert_eq!(part["requests"], 1);

    let none =
        edb(&["export", "SAMPLE_MIRROR_TEMP@2024-03-01T06:00/2024-03-01T12:00", "-o", "y.csv", "--dry-run"]);
    assert!(none.stdout.contains("everything is known"), "what is known is not asked for: {}", none.stdout);
}

#[test]
fn a_limit_of_bytes_stops_with_code_8_and_the_next_run_goes_on() {
    let server = service().start();
    let world = World::new();
    let url = server.url();
    let export = |limit: &str| {
        let mut command = world.command();
        command.args([
            "export",
            "--source",
            &url,
            "--store",
            "store",
            "SAMPLE_ATTITUDE_X@2024-03-01T05:30/2024-03-01T06:45",
        ]);
        finish(command.args(["-o", "x.csv", "--summary", "json", "--max-bytes", limit]))
    };
    let mut samples = 0;
    let mut runs = 0;
    loop {
        let run = export("500kB");
        let summary = run.summary();
        let now = summary["series"][0]["samples"].as_u64().unwrap();
        assert!(now > samples, "each run gets on: {run:?}");
        samples = now;
        runs += 1;
        if run.code == 0 {
            break;
        }
        assert_eq!(run.code, 8, "{run:?}");
        assert_eq!(summary["failures"][0]["tries"], 0);
        assert!(runs < 10, "{run:?}");
    }
    // 17,579 rows of 64 bytes.
    assert!(runs >= 3, "{runs} runs");
    assert_eq!(samples, 17_579);
}

#[test]
fn a_limit_of_time_stops_with_code_8() {
    // The second answer never comes.
    let service = service();
    let server = ScriptedServer::start(move |asked| match asked.file() {
        Some(name) if !name.contains("T000000-20240301T010000") => Reply::csv(b"").stall_before_head(),
        _ => service.reply(asked),
    });
    let world = World::new();
    let run = world.edb(&[
        "export",
        "--source",
        &server.url(),
        "--store",
        "store",
        DAYS,
        "-o",
        "x.csv",
        "--summary",
        "json",
        "--max-duration",
        "3s",
    ]);
    assert_eq!(run.code, 8, "{run:?}");
    assert!(run.summary()["series"][0]["samples"].as_u64().unwrap() > 100, "what had come is kept: {run:?}");
}

#[test]
fn limits_hold_for_raw_files_too() {
    let server = service().start();
    let world = World::new();
    let url = server.url();
    let hours = |from: u32| {
        (from..from + 6)
            .map(|hour| format!("SAMPLE_MOTOR_VOLT@2024-03-01T{hour:02}:00/2024-03-01T{:02}:00", hour + 1))
    };
    let mut command = world.command();
    command.args(["fetch", "--source", &url, "--concurrency", "1", "--max-bytes", "400kB"]).args(hours(0));
    let run = finish(&mut command);
    assert_eq!(run.code, 8, "{run:?}");
    assert!(
        run.stderr.contains("2 of 6 files downloaded") && run.stderr.contains("run it again"),
        "{}",
        run.stderr
    );
    let mut command = world.command();
    let rest = finish(command.args(["fetch", "--source", &url]).args(hours(0))).succeeded();
    assert!(rest.stderr.contains("4 of 4 files downloaded, 2 already complete"), "{}", rest.stderr);

    let silent = ScriptedServer::start(|_| Reply::csv(b"").stall_before_head());
    let mut command = world.command();
    command.args(["fetch", "--source", &silent.url(), "--max-duration", "200ms", HOUR, "-f", "none"]);
    assert_eq!((finish(&mut command).code, world.path("none").read_dir().unwrap().count()), (8, 0));

    let failing = ScriptedServer::start(|asked| match asked.file() {
        Some(name) if name.contains("T00") => Reply::status(404),
        _ => Reply::status(401),
    });
    let mut command = world.command();
    command.args([
        "fetch",
        "--source",
        &failing.url(),
        "--concurrency",
        "1",
        "--summary",
        "json",
        "-f",
        "none",
    ]);
    let run = finish(command.args(["--quiet"]).args(hours(0)));
    let summary = run.summary();
    assert_eq!((run.code, summary["failures"].as_array().unwrap().len()), (2, 2), "{run:?}");
    assert_eq!(summary["not_tried"].as_array().unwrap().len(), 4);
}

#[test]
fn progress_comes_in_lines_and_in_events_and_not_at_all() {
    let server = service().start();
    let world = World::new();
    let url = server.url();
    let run = |arguments: &[&str]| -> Run {
        let mut command = world.command();
        command.args(["export", "--source", &url, DAYS, HOUR, "-o", "x.csv", "--summary", "none"]);
        finish(command.args(arguments)).succeeded()
    };
    let lines = run(&["--progress", "lines"]).stderr;
    assert!(lines.contains("SAMPLE_PANEL_TEMP: 439 samples in 1 answer\n"), "{lines}");
    assert!(lines.contains("SAMPLE_MIRROR_TEMP: 10_547 samples in 2 answers\n"), "{lines}");
    assert_eq!(run(&["--quiet"]).stderr, "");
    assert_eq!(run(&["--progress", "never"]).stderr, "");

    let events: Vec<Value> = run(&["--log-format", "json"])
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let count = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("planned"), count("asked"), count("answered")), (2, 3, 3));
    let last = events
        .iter()
        .rfind(|event| event["mnemonic"] == "SAMPLE_MIRROR_TEMP" && event["event"] == "answered")
        .unwrap();
    assert_eq!(last["progress"]["settled_s"], last["progress"]["asked_s"]);

    let mut command = world.command();
    let failed = finish(command.args([
        "search",
        "x",
        "--source",
        &ScriptedServer::nobody(),
        "--tries",
        "1",
        "--log-format",
        "json",
    ]));
    let event: Value = serde_json::from_str(failed.stderr.trim()).unwrap();
    assert_eq!((&event["event"], &event["exit_code"]), (&"error".into(), &5.into()));
}

#[test]
fn forty_mnemonics_and_a_dead_server_fail_once_and_soon() {
    let world = World::new();
    let names: Vec<String> = (0..40).map(|at| format!("SA_DEAD{at}")).collect();
    let mut command = world.command();
    command.args([
        "export",
        "--source",
        &ScriptedServer::nobody(),
        "--start",
        "2024-03-01",
        "--stop",
        "2024-03-02",
        "-o",
        "x.csv",
    ]);
    let run = finish(command.args(["--tries", "2"]).args(&names));
    assert_eq!(run.code, 5, "{run:?}");
    assert_eq!(run.stderr.matches("could not connect").count(), 1, "one message: {}", run.stderr);

    let mut command = world.command();
    command.args([
        "export",
        "--source",
        &ScriptedServer::nobody(),
        HOUR,
        "-o",
        "x.csv",
        "--tries",
        "1",
        "--summary",
        "json",
    ]);
    let run = finish(&mut command);
    let summary = run.summary();
    assert_eq!(
        (run.code, &summary["exit_code"], world.files()),
        (5, &5.into(), vec![]),
        "told to programs too"
    );
}

#[test]
fn a_proxy_that_refuses_is_named() {
    for (status, expected) in
        [(407, "proxy authorization required"), (403, "the proxy would not let the request through")]
    {
        let proxy = ScriptedServer::start(move |asked| {
            assert!(asked.method == "CONNECT" && asked.path == "telemetry.invalid:443", "{asked:?}");
            Reply::status(status)
        });
        let world = World::new();
        let mut command = world.command();
        command.env("HTTPS_PROXY", proxy.url());
        let run =
            finish(command.args(["export", "--source", "https://telemetry.invalid/", HOUR, "-o", "x.csv"]));
        assert_eq!(run.code, 5, "{run:?}");
        assert!(run.stderr.contains(expected) && run.stderr.contains("HTTPS_PROXY"), "{}", run.stderr);
        assert_eq!(proxy.requests().len(), 1, "a proxy that refuses is not asked again");
    }
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let authority = Authority::new();
    let service = service();
    let server =
        ScriptedServer::start_tls(&authority.issue(&["localhost"]), move |asked| service.reply(asked));
    let world = World::new();
    world.write("own.pem", &authority.pem());
    world.write("none.pem", "no certificate");
    let export = |arguments: &[&str]| {
        let mut command = world.command();
        finish(command.args(["export", "--source", &server.url(), HOUR, "-o", "x.csv"]).args(arguments))
    };
    export(&["--ca-file", "own.pem"]).succeeded();
    let run = export(&[]);
    assert_eq!(run.code, 5, "{run:?}");
    assert!(run.stderr.contains("could not trust the service's certificate"), "{}", run.stderr);
    assert!(run.stderr.contains("--ca-file"), "{}", run.stderr);
    assert_eq!(export(&["--ca-file", "none.pem"]).code, 2);
    assert_eq!(export(&["--ca-file", "missing.pem"]).code, 2);
}

#[test]
fn the_zone_of_the_machine_changes_nothing() {
    let world = World::new();
    let plan = |zone: &str| {
        let mut command = world.command();
        command.env("TZ", zone).args([
            "export",
            "--source",
            "sample",
            "-o",
            "x.csv",
            "--dry-run",
            "--summary",
            "json",
        ]);
        // Clocks were put forward in New York on that day, and back in Lord Howe by half an hour four weeks later.
        finish(command.args(["SAMPLE_FINE_X@2024-03-10/2024-03-11", "SAMPLE_FINE_X@2024-04-06/2024-04-07"]))
            .succeeded()
    };
    let everywhere = plan("UTC").stdout;
    assert!(
        everywhere.contains("2024-03-10T00:00:00Z") && everywhere.contains("2024-04-07T00:00:00Z"),
        "{everywhere}"
    );
    for zone in ["America/New_York", "Australia/Lord_Howe", "XYZ+13:45"] {
        assert_eq!(plan(zone).stdout, everywhere, "{zone}");
    }
}
