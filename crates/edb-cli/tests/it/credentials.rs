//! Tokens: where they are looked for, where they go, and that nothing prints them.

use std::os::unix::fs::PermissionsExt;

use edb_testkit::{Asked, Reply, ScriptedServer, Service, synthetic};

use crate::world::{Run, World, finish};

const CANARY: &str = "c4nary0123456789abcdefc4nary0123";
const SELECTION: &str = "SAMPLE_PANEL_TEMP@2024-03-01T05:00/2024-03-01T06:00";

fn archive() -> edb::MemorySource {
    let mut archive = edb::MemorySource::new("a test");
    synthetic::sample().into_iter().for_each(|(entry, samples)| archive.insert(entry, samples));
    archive
}

/// A service that answers only with the token.
fn service() -> ScriptedServer {
    Service::new(archive()).with_token(CANARY).start()
}

/// A folder with a program in it that says `text` and records how it was asked.
fn tool(world: &World, name: &str, text: &str) -> String {
    let path = world.write(
        &format!("bin/{name}"),
        &format!(
            "#!/bin/sh\n/bin/echo \"{name} $@\" >> \"{}\"\n/bin/echo '{text}'\n",
            world.path("asked").display()
        ),
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    world.path("bin").display().to_string()
}

fn export(world: &World, server: &ScriptedServer, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = world.command();
    command.args(["export", "--source", &server.url(), SELECTION, "-o", "out.csv"]).args(arguments);
    command.envs(environment.iter().copied());
    finish(&mut command)
}

#[test]
fn a_token_is_found_where_the_clients_of_mast_keep_it() {
    let server = service();
    let world = World::new();
    let file = world.write("token", &format!("{CANARY}\n"));
    export(&world, &server, &["--token-file", file.to_str().unwrap()], &[]).succeeded();
    export(&world, &server, &["--token", CANARY], &[]).succeeded();
    export(&world, &server, &[], &[("MAST_API_TOKEN", CANARY)]).succeeded();
    // The one that is named wins over the one that is kept.
    export(&world, &server, &["--token-file", file.to_str().unwrap()], &[("MAST_API_TOKEN", "stale")])
        .succeeded();

    assert_eq!(export(&world, &server, &[], &[]).code, 6, "none is found");
    let path = tool(&world, "keyring", CANARY);
    let run = export(&world, &server, &[], &[("PATH", &path)]).succeeded();
    assert!(run.stderr.contains("using the one from the keyring"), "{}", run.stderr);
    let asked = std::fs::read_to_string(world.path("asked")).unwrap();
    assert_eq!(
        asked, "keyring get astroquery:mast.stsci.edu.token masttoken\n",
        "once, however many were refused"
    );

    world.write("home/.mast_api_token", CANARY);
    let run = export(&world, &server, &[], &[("PATH", &path)]).succeeded();
    assert!(run.stderr.contains("chmod 600"), "{}", run.stderr);
    assert_eq!(
        std::fs::read_to_string(world.path("asked")).unwrap(),
        asked,
        "the file comes before the keyring"
    );
    assert_eq!(export(&world, &server, &["--no-token"], &[("MAST_API_TOKEN", CANARY)]).code, 6);
    for (text, name) in [("", "empty"), ("a\nb\n", "two lines"), ("a b", "two words")] {
        let file = world.write(name, text);
        let run = export(&world, &server, &["--token-file", file.to_str().unwrap()], &[]);
        assert_eq!(run.code, 2, "{name}: {run:?}");
    }
}

#[test]
fn an_open_service_is_sent_no_token_and_no_keyring_is_asked() {
    let server = Service::new(archive()).start();
    let world = World::new();
    let path = tool(&world, "keyring", CANARY);
    export(&world, &server, &[], &[("PATH", &path)]).succeeded();
    assert!(!world.path("asked").exists());
    assert!(server.requests().iter().all(|head| !head.to_lowercase().contains("authorization")));
}

#[test]
fn no_output_of_any_kind_holds_the_token() {
    let open = service();
    // A service that throws the token back in every way it can.
    let echo = ScriptedServer::start(|asked: &Asked| {
        let said = asked.header("Authorization").unwrap_or_default().to_owned();
        match asked.number % 3 {
            0 => Reply::new(400, "text/plain", said.as_bytes()),
            1 => Reply::new(200, "text/html", format!("<html>{said}").as_bytes()),
            _ => Reply::new(401, "text/plain", said.as_bytes()),
        }
    });
    let world = World::new();
    let mut said = String::new();
    let mut keep = |run: Run| {
        said.push_str(&run.stdout);
        said.push_str(&run.stderr);
    };
    for server in [&open, &echo] {
        for arguments in [
            &["export", SELECTION, "-o", "out.parquet", "-o", "out.csv", "-o", "out.svg", "--store", "store"]
                [..],
            &[
                "export",
                SELECTION,
                "--summary",
                "json",
                "-o",
                "more.csv",
                "--log-format",
                "json",
                "--tries",
                "1",
            ],
            &["fetch", SELECTION, "--tries", "2"],
            &["fetch", SELECTION, "--emit", "curl"],
            &["plot", SELECTION, "--dry-run"],
            &["search", "panel", "--cache", "cache"],
            &["info", "SAMPLE_PANEL_TEMP", "--cache", "cache"],
            &["auth", "check"],
            &["auth", "check", "--summary", "json"],
        ] {
            let mut command = world.command();
            command.args(arguments).args(["--source", &server.url()]).env("MAST_API_TOKEN", CANARY);
            keep(finish(&mut command));
        }
    }
    let mut command = world.command();
    keep(finish(command.args([
        "auth",
        "check",
        "--source",
        "https://x.invalid/",
        "--token",
        "two words c4nary",
    ])));
    assert!(said.contains("wrote out.parquet") && said.contains("knows it, as that of Test User"), "{said}");
    assert!(!said.contains("c4nary"), "{said}");
    let files = world.files();
    assert!(
        files.iter().any(|name| name.starts_with("cache/"))
            && files.iter().any(|name| name.starts_with("store/"))
    );
    for name in files {
        let bytes = std::fs::read(world.path(&name)).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"c4nary"), "{name}");
    }
}

#[test]
fn auth_check_says_which_token_and_whether_it_works() {
    let server = service();
    let world = World::new();
    let check = |arguments: &[&str], token: Option<&str>| {
        let mut command = world.command();
        command.args(["auth", "check", "--source", &server.url()]).args(arguments);
        command.envs(token.map(|token| ("MAST_API_TOKEN", token)));
        finish(&mut command)
    };
    let works = check(&[], Some(CANARY)).succeeded();
    assert!(works.stdout.contains("token from MAST_API_TOKEN"), "{}", works.stdout);
    assert!(works.stdout.contains("10 days") && works.stdout.contains("60 days"), "{}", works.stdout);
    let json = check(&["--summary", "json"], Some(CANARY)).succeeded().summary();
    assert_eq!((&json["works"], &json["name"]), (&true.into(), &"Test User".into()));

    let stale = check(&[], Some("stale"));
    assert_eq!(stale.code, 6);
    assert!(
        stale.stderr.contains("does not know this token") && stale.stderr.contains("60 days"),
        "{}",
        stale.stderr
    );
    let none = check(&[], None);
    assert_eq!(none.code, 6);
    assert!(none.stderr.contains("none is needed for most telemetry"), "{}", none.stderr);
    assert_eq!(world.edb(&["auth", "check", "--source", "sample"]).code, 2);
}
