//! `edb fetch` as the drop-in for MAST's `edb_script.py`.

use std::process::Command;

use edb_testkit::{Reply, ScriptedServer};

use crate::world::{Served, World, finish};

const DEFAULT: &str = "SA_ZADUCMDX-20220601T000000-20220601T060000.csv";

fn body() -> Vec<u8> {
    b"theTime,MJD,euvalue,sqldataType\r\n2022-06-01 00:00:00.064000,59731.0000007407,0.2500000000,real\r\n\
      2022-06-02 00:00:01.000000,59732.0000115741,0.5000000000,real\r\n"
        .to_vec()
}

#[test]
fn nothing_asked_fetches_what_the_script_fetches_byte_for_byte() {
    // Bytes that our own encoder would not write: they must come through untouched.
    let odd = [body(), b"2022-06-02 00:00:01.128,x,1e-3,REAL\n".to_vec()].concat();
    let (sent, prefix) = (odd.clone(), "/jwst");
    let server = ScriptedServer::start(move |_| Reply::csv(&sent));
    let world = World::new();
    world.edb(&["fetch", "--source", &server.url(), "-p", prefix]).succeeded();
    assert_eq!(world.files(), [format!("edb-data/{DEFAULT}")]);
    assert_eq!(std::fs::read(world.path(&world.files()[0])).unwrap(), odd);
    let head = server.requests().remove(0);
    assert!(
        head.starts_with(&format!("GET /jwst/api/v0.1/Download/file?uri=mast:jwstedb/{DEFAULT} HTTP/1.1")),
        "{head}"
    );
    assert!(head.to_lowercase().contains("user-agent: edb/"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");

    world.edb(&["fetch", "--source", &server.url()]).succeeded();
    assert_eq!(server.requests().len(), 1, "a complete file is not asked again");
    world.edb(&["fetch", "--source", &server.url(), "--refresh"]).succeeded();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn files_are_named_in_every_way_and_each_is_fetched_once() {
    let server = ScriptedServer::start(|_| Reply::csv(&body()));
    let world = World::new();
    let query = world.write(
        "query.csv",
        "\u{feff}mnemonic,start,end\n\n# a remark\nsa_a, 2022-06-01T00:00:00 ,2022-06-01T06:00:00\n",
    );
    world
        .edb(&[
            "fetch",
            "--source",
            &server.url(),
            "-f",
            "out",
            "-q",
            query.to_str().unwrap(),
            "SA_A-20220601T000000-20220601T060000.csv",
            "SA_B@2022-06-01T00:00:00.5/2022-06-01T00:00:01.5",
            "SA_C",
            "--start",
            "2022:152",
            "--stop",
            "mjd:59732",
        ])
        .succeeded();
    let expected = [
        "SA_A-20220601T000000-20220601T060000",
        "SA_B-20220601T000000-20220601T000002",
        "SA_C-20220601T000000-20220602T000000",
    ];
    let mut files = world.files();
    files.retain(|name| name.starts_with("out/"));
    assert_eq!(files, expected.map(|name| format!("out/{name}.csv")));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn every_bad_line_of_a_query_is_named_before_anything_is_requested() {
    let server = ScriptedServer::start(|_| Reply::csv(&body()));
    let world = World::new();
    let query = world
        .write("query.csv", "SA_A,2022-06-01,2022-06-02\nSA_B,2022-06-02,2022-06-01\nSA_C,soon,2022-06-01\n");
    let run = world.edb(&["fetch", "--source", &server.url(), "-q", query.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("line 2: ") && run.stderr.contains("line 3: "), "{}", run.stderr);
    let nameless = world.edb(&["fetch", "--source", &server.url(), "--start", "2022-06-01"]);
    assert_eq!(nameless.code, 2, "a range of nothing is not the default file: {nameless:?}");
    assert_eq!((server.requests().len(), world.files().len()), (0, 1));
}

#[test]
fn failed_downloads_leave_no_file_and_a_code() {
    let server = ScriptedServer::start(|asked| match asked.path.as_str() {
        path if path.contains("SA_A") => Reply::csv(&body()),
        path if path.contains("SA_B") => Reply::new(200, "text/html", b"<html>Sign in</html>"),
        path if path.contains("SA_C") => Reply::until_close(&body()[..70]),
        _ => Reply::claiming(200, "text/csv", &body(), 1_000_000),
    });
    let range = ["--start", "2022-06-01", "--stop", "2022-06-02", "--tries", "1"];
    let world = World::new();
    let fetch = |names: &[&str]| {
        let mut arguments = vec!["fetch", "--source"];
        let url = server.url();
        arguments.push(&url);
        arguments.extend(names);
        arguments.extend(range);
        world.edb(&arguments)
    };
    for (name, code) in [("SA_B", 7), ("SA_C", 7), ("SA_D", 5)] {
        let run = fetch(&[name]);
        assert_eq!((run.code, world.files()), (code, vec![]), "{name}: {run:?}");
    }
    let run = fetch(&["SA_A", "SA_B", "SA_D"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(world.files(), ["edb-data/SA_A-20220601T000000-20220602T000000.csv"]);
    assert!(run.stderr.contains("1 of 3 files downloaded"), "{}", run.stderr);
}

#[test]
fn the_curl_script_fetches_the_same_bytes() {
    let world = World::new();
    let served = Served::start(&world, &["--source", "sample"]);
    let words = [
        "SAMPLE_WHEEL_POS@2024-03-01T05:00/2024-03-01T06:00",
        "SAMPLE_EVENT_MSG@2024-03-01T05:00/2024-03-01T06:00",
    ];
    let script = world.edb(&[
        "fetch",
        "--source",
        &served.url,
        "-f",
        "by curl's",
        "--emit",
        "curl",
        words[0],
        words[1],
    ]);
    let script = world.write("fetch.sh", &script.succeeded().stdout);
    world.edb(&["fetch", "--source", &served.url, "-f", "by edb", words[0], words[1]]).succeeded();
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: no curl on this machine");
        return;
    }
    let token = "0123456789abcdef0123456789abcdef";
    let mut bash = Command::new("bash");
    bash.arg(&script).current_dir(world.path("")).env("NO_PROXY", "*").env("MAST_API_TOKEN", token);
    let run = finish(&mut bash).succeeded();
    assert!(!run.stdout.contains(token) && !std::fs::read_to_string(&script).unwrap().contains(token));
    let names: Vec<String> = world.files().into_iter().filter(|name| name.starts_with("by edb/")).collect();
    assert_eq!(names.len(), 2);
    for name in names {
        let by_curl = name.replace("by edb/", "by curl's/");
        assert_eq!(
            std::fs::read(world.path(&name)).unwrap(),
            std::fs::read(world.path(&by_curl)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn a_file_of_an_archive_that_was_still_growing_is_asked_for_again() {
    let world = World::new();
    let served = Served::start(&world, &["--source", "sample"]);
    // The sample's last message is of 11:39; the file reaches further, and was written "now", long after: it is complete.
    let range = "SAMPLE_EVENT_MSG@2024-03-01T11:00/2024-03-02T12:00";
    let fetch = || world.edb(&["fetch", "--source", &served.url, "-f", "out", range]).succeeded().stderr;
    assert!(fetch().contains("the archive ends at 2024-03-01T11:"), "told, and kept");
    assert!(fetch().contains("1 file, all of them complete already"));
    // Written on the day after, it may have become longer.
    let path = world.path("out").read_dir().unwrap().next().unwrap().unwrap().path();
    let written = std::time::UNIX_EPOCH + std::time::Duration::from_hours(474_852);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    assert!(fetch().contains("1 of 1 files downloaded"));
}
