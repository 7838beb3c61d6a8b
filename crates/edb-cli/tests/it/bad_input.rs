//! Bad input and bad worlds: one clear message, the documented exit code, no half file, no lost good one.

use edb_testkit::{Reply, ScriptedServer};

use crate::world::{World, finish};

const RANGE: &str = "2024-03-01T05:00/2024-03-01T06:00";

/// A service that knows any mnemonic and answers about samples what `reply` says to the path and the number of requests
/// before this one.
fn service(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |asked| {
        let path = asked.path.as_str();
        if path.starts_with("/viz/") {
            let name = path.rsplit('=').next().unwrap_or_default().to_uppercase();
            return Reply::new(
                200,
                "application/json",
                format!(r#"{{"data":[{{"tlmMnemonic":"{name}"}}]}}"#).as_bytes(),
            );
        }
        reply(path, asked.number)
    })
}

fn rows() -> Vec<u8> {
    let row = "2024-03-01 05:00:00.000000,60370.2083333333,1.0000000000,real\r\n";
    format!("theTime,MJD,euvalue,sqldataType\r\n{}", row.repeat(500)).into_bytes()
}

/// Runs `export` over an earlier good file, which must survive.
fn check(name: &str, source: &str, selection: &str, code: i32, expected: &[&str]) {
    let world = World::new();
    world.write("out.csv", "good");
    let run = world.edb(&["export", "--source", source, "--tries", "1", selection, "-o", "out.csv"]);
    assert_eq!(run.code, code, "{name}: {run:?}");
    for words in expected {
        assert!(run.stderr.contains(words), "{name}: expected `{words}` in {}", run.stderr);
    }
    assert!(run.stderr.contains("hint: "), "{name}: {}", run.stderr);
    assert_eq!(run.stdout, "", "{name}");
    assert_eq!(world.files(), ["out.csv"], "{name}");
    assert_eq!(std::fs::read_to_string(world.path("out.csv")).unwrap(), "good", "{name}");
}

#[test]
fn what_cannot_be_asked_is_refused_before_anything_is_asked() {
    for (name, selection, code, expected) in [
        ("unknown mnemonic", format!("SAMPLE_FINE_Y@{RANGE}"), 4, "for `SAMPLE_FINE_Y` try SAMPLE_FINE_X"),
        (
            "pattern of nothing",
            "NO_SUCH*@2024-03-01/2024-03-02".to_owned(),
            2,
            "could not read `NO_SUCH*` as a mnemonic",
        ),
        ("reversed range", "SAMPLE_FINE_X@2024-03-02/2024-03-01".to_owned(), 2, "is reversed"),
        ("empty range", "SAMPLE_FINE_X@2024-03-01/2024-03-01".to_owned(), 2, "is empty"),
        ("start in the future", "SAMPLE_FINE_X@2999-01-01/2999-01-02".to_owned(), 2, "starts in the future"),
        (
            "unparsable time",
            "SAMPLE_FINE_X@yesterday/2024-03-01".to_owned(),
            2,
            "could not read `yesterday` as a time",
        ),
        ("no range", "SAMPLE_FINE_X".to_owned(), 2, "add `--start` and `--stop`"),
        (
            "no such character",
            "SAMPLE-FINE@2024-03-01/2024-03-02".to_owned(),
            2,
            "could not read `SAMPLE-FINE` as a mnemonic",
        ),
    ] {
        check(name, "sample", &selection, code, &["error: ", expected]);
    }
    check("no such source", "mars", &format!("A@{RANGE}"), 2, &["there is no source `mars`"]);
}

#[test]
fn a_service_that_fails_is_told_apart_by_how_it_fails() {
    let selection = format!("SAMPLE_FINE_X@{RANGE}");
    check("server down", &ScriptedServer::nobody(), &selection, 5, &["could not connect to the service"]);

    let html =
        service(|_, _| Reply::new(200, "text/html", b"<!DOCTYPE html><html><body>Maintenance</body></html>"));
    check("HTML with status 200", &html.url(), &selection, 7, &["<!DOCTYPE html>"]);

    let body = rows();
    let half = body.clone();
    let counted = service(move |_, _| Reply::claiming(200, "text/csv", &half[..20_000], half.len()));
    check(
        "stops in mid-body, length known",
        &counted.url(),
        &selection,
        5,
        &["the connection broke before the answer was whole"],
    );

    let half = body.clone();
    let closed = service(move |_, _| Reply::until_close(&half[..20_010]));
    check(
        "stops in mid-body, length unknown",
        &closed.url(),
        &selection,
        7,
        &["could not fetch SAMPLE_FINE_X@2024"],
    );

    let busy = service(|_, _| Reply::status(503));
    check("busy", &busy.url(), &selection, 5, &["127.0.0.1 answered 503"]);

    let refusing = service(|_, _| Reply::status(401));
    check("not authorised", &refusing.url(), &selection, 6, &["answered 401", "MAST_API_TOKEN"]);
    let asked = refusing.requests().iter().filter(|head| head.contains("Download")).count();
    assert_eq!(asked, 1, "a refusal is never tried again");

    let lost = service(|_, _| Reply::status(404));
    check("not there", &lost.url(), &selection, 2, &["answered 404", "--source"]);
}

#[test]
fn a_transient_failure_is_tried_again_and_then_forgotten() {
    // The first request is for the dictionary, the second for the samples.
    let flaky = service(|_, count| if count < 2 { Reply::status(503) } else { Reply::csv(&rows()) });
    let world = World::new();
    let word = format!("A@{RANGE}");
    let run = world.edb(&["export", "--source", &flaky.url(), "--summary", "json", &word, "-o", "a.csv"]);
    let summary = run.succeeded().summary();
    assert_eq!(summary["failures"].as_array().unwrap().len(), 0);
    assert_eq!(summary["series"][0]["samples"], 500);
    assert!(flaky.requests().iter().filter(|head| head.contains("Download")).count() >= 2);
}

#[test]
fn what_came_is_kept_when_another_mnemonic_fails() {
    let server =
        service(|path, _| if path.contains("BAD") { Reply::status(500) } else { Reply::csv(&rows()) });
    let world = World::new();
    let run = world.edb(&[
        "export",
        "--source",
        &server.url(),
        "--tries",
        "1",
        "--summary",
        "json",
        &format!("GOOD@{RANGE}"),
        &format!("BAD@{RANGE}"),
        "-o",
        "out.csv",
    ]);
    assert_eq!(run.code, 3, "{run:?}");
    let summary = run.summary();
    assert_eq!(
        (&summary["series"][0]["samples"], &summary["failures"][0]["exit_code"]),
        (&500.into(), &5.into())
    );
    let text = std::fs::read_to_string(world.path("out.csv")).unwrap();
    assert!(
        text.contains("# notice: BAD: nothing is known in 2024-03-01T05:00:00Z/2024-03-01T06:00:00Z"),
        "{text}"
    );
}

#[test]
fn folders_that_cannot_be_written_are_known_before_the_first_request() {
    let server = service(|_, _| Reply::csv(&rows()));
    let world = World::new();
    world.write("file", "in the way");
    let run =
        world.edb(&["export", "--source", &server.url(), &format!("A@{RANGE}"), "-o", "file/below/out.csv"]);
    assert_eq!(run.code, 11, "{run:?}");
    assert!(run.stderr.contains("file/below"), "{}", run.stderr);
    assert_eq!(server.requests().len(), 0);
    let store =
        world.edb(&["export", "--source", "sample", "--store", "file", &format!("SAMPLE_FINE_X@{RANGE}")]);
    assert_eq!(store.code, 11, "{store:?}");
    assert_eq!(world.files(), ["file"]);
}

#[test]
fn a_disk_that_fills_up_leaves_nothing_half_written() {
    let world = World::new();
    world.write("out.csv", "good");
    let binary = env!("CARGO_BIN_EXE_edb");
    // A limit of 8 KiB on files makes writing fail half-way, as a full disk does.
    let script = format!(
        "ulimit -f 8; trap '' XFSZ; exec '{binary}' export --source sample SAMPLE_FINE_X@2024-03-01T06:00/2024-03-01T06:10 -o out.csv"
    );
    let mut command = std::process::Command::new("bash");
    let run = finish(command.args(["-c", &script]).current_dir(world.path("")));
    assert_eq!(run.code, 11, "{run:?}");
    assert!(run.stderr.contains("out.csv"), "{}", run.stderr);
    assert_eq!(world.files(), ["out.csv"]);
    assert_eq!(std::fs::read_to_string(world.path("out.csv")).unwrap(), "good");

    let script = format!(
        "exec '{binary}' export --source sample SAMPLE_FINE_X@2024-03-01T06:00/2024-03-01T06:10 > /dev/full"
    );
    let run = finish(std::process::Command::new("bash").args(["-c", &script]).current_dir(world.path("")));
    assert_eq!(run.code, 11, "{run:?}");
    assert!(run.stderr.contains("could not write to stdout"), "{}", run.stderr);
    // A reader that has had enough is no fault.
    let script = format!(
        "'{binary}' export --source sample SAMPLE_FINE_X@2024-03-01T06:00/2024-03-01T06:10 | head -n 1; exit ${{PIPESTATUS[0]}}"
    );
    let run = finish(std::process::Command::new("bash").args(["-c", &script]).current_dir(world.path("")));
    assert_eq!((run.code, run.stderr.contains("error")), (0, false), "{run:?}");
}

#[test]
fn a_token_is_sent_and_never_shown() {
    let token = "0123456789abcdef0123456789abcdef";
    let server = service(|_, _| Reply::status(401));
    let world = World::new();
    let mut command = world.command();
    command.env("MAST_API_TOKEN", token);
    let run =
        finish(command.args(["export", "--source", &server.url(), &format!("A@{RANGE}"), "-o", "x.csv"]));
    assert_eq!(run.code, 6);
    assert!(
        server
            .requests()
            .iter()
            .all(|head| head.to_lowercase().contains(&format!("authorization: token {token}")))
    );
    assert!(!run.stderr.contains(token) && !run.stdout.contains(token), "{run:?}");

    for url in [
        "http://192.0.2.1/",
        "http://127.invalid.example/",
        "https://x.example/?key=1",
        "https://u:p@x.example/",
    ] {
        let run = world.edb(&["export", "--source", url, "--token", token, &format!("A@{RANGE}")]);
        assert_eq!(run.code, 2, "refused before anything is sent: {url}: {run:?}");
        assert!(!run.stderr.contains(token), "{run:?}");
    }
}

#[test]
fn words_that_are_no_words_of_the_command_line_have_code_2() {
    let world = World::new();
    for arguments in [
        &["exprt"][..],
        &["export", "--no-such-flag"],
        &["export", "--align", "1s", "A@2024-03-01/2024-03-02"],
        &["run", "no-such-job.toml"],
        &["plot", "--source", "sample", "SAMPLE_FINE_X@2024-03-01/2024-03-02", "-o", "x.jpeg"],
        &["store", "status"],
    ] {
        let run = world.edb(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {run:?}");
        assert!(!run.stderr.is_empty());
    }
    assert!(world.edb(&["--help"]).succeeded().stdout.contains("Exit codes: 0 done"));
    assert!(world.files().is_empty());
}
