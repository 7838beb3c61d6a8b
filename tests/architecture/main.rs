//! The house rules that a machine can check: arrows between crates, one door for each heavy dependency, what must not enter
//! the tree, and the size of files.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const MOST_LINES: usize = 600;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(edb_tests::root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> Value {
    serde_json::from_str(&cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"])).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Names of dependencies: of ours all but those on the testkit by tests, of others all.
fn dependencies(package: &Value) -> Vec<(&str, bool)> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.map(|one| (one["name"].as_str().unwrap(), one["kind"] == "dev")).collect()
}

#[test]
fn crates_depend_along_the_arrows_only() {
    let metadata = metadata();
    let arrows = &metadata["metadata"]["arrows"];
    let packages = metadata["packages"].as_array().unwrap();
    let ours: Vec<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let allowed = texts(&arrows[name]);
        assert!(arrows[name].is_array(), "`{name}` has no arrows in [workspace.metadata.arrows]");
        for (on, is_dev) in dependencies(package) {
            let is_fine = !ours.contains(&on)
                || allowed.contains(&on)
                || allowed.contains(&"*")
                || is_dev && on == "edb-testkit";
            assert!(is_fine, "`{name}` must not depend on `{on}`: arrows point one way (design, section 3)");
        }
    }
    for (name, _) in arrows.as_object().unwrap() {
        assert!(
            ours.contains(&name.as_str()),
            "[workspace.metadata.arrows] names `{name}`, which is no crate"
        );
    }
}

#[test]
fn heavy_dependencies_have_one_door() {
    let metadata = metadata();
    let doors = metadata["metadata"]["doors"].as_object().unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        for (on, is_dev) in dependencies(package) {
            if let Some(allowed) = doors.get(on) {
                assert!(
                    is_dev || texts(allowed).contains(&name),
                    "`{name}` must not name `{on}`: {allowed} does"
                );
            }
        }
    }
}

#[test]
fn no_second_engine_and_no_second_client_enter_unannounced() {
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--offline",
        "--locked",
        "-e",
        "normal,build,dev",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ]);
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in tree.lines() {
        let mut words = line.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let known = versions.entry(name).or_default();
            if !known.contains(&version) {
                known.push(version);
            }
        }
    }
    for banned in [
        "polars-lazy",
        "polars-stream",
        "polars-sql",
        "object_store",
        "openssl-sys",
        "aws-lc-sys",
        "native-tls",
        "arrow",
    ] {
        assert!(
            !versions.contains_key(banned),
            "`{banned}` entered the tree: see DESIGN.md, what Polars costs"
        );
    }
    for single in ["reqwest", "hyper", "tokio", "rustls", "parquet", "polars-core", "chrono", "image", "png"]
    {
        let found = versions.get(single).map_or(0, Vec::len);
        assert!(found <= 1, "`{single}` is in the tree {found} times: {:?}", versions[single]);
    }
    assert!(
        versions.contains_key("reqwest") && versions.contains_key("polars-core"),
        "the tree was not read"
    );
}

#[test]
fn files_stay_small_and_crates_are_called_as_their_folders() {
    let root = edb_tests::root();
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{}", folder.display());
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} does not take the workspace's lints");
        each_file(&folder, &mut |path| {
            if path.extension().is_some_and(|extension| extension == "rs" || extension == "py") {
                let lines = std::fs::read_to_string(path).unwrap().lines().count();
                assert!(lines <= MOST_LINES, "{} has {lines} lines: split it", path.display());
            }
        });
    }
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                each_file(&path, visit);
            }
        } else {
            visit(&path);
        }
    }
}

#[test]
fn the_top_level_holds_what_was_agreed() {
    let agreed = [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "DESIGN.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "crates",
        "data",
        "examples",
        "tests",
    ];
    let listing =
        Command::new("git").args(["ls-tree", "--name-only", "HEAD"]).current_dir(edb_tests::root()).output();
    // A copy without its history has nothing to list.
    let Ok(listing) = listing else { return };
    for name in String::from_utf8_lossy(&listing.stdout).lines() {
        assert!(
            name.starts_with('.') || agreed.contains(&name),
            "`{name}` is not part of the agreed top level"
        );
    }
}
