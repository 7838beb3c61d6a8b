//! Dev only: worlds to test in.
//!
//! [`synthetic`] makes telemetry that looks like JWST's and is not. [`ScriptedServer`] is a service on loopback that says what
//! a test wants it to say, well-formed or not.

mod server;
pub mod synthetic;

pub use server::{Reply, ScriptedServer};

use std::path::PathBuf;

/// The folder of real telemetry beside the repository, if it is there. Tests that need it say clearly that they were
/// skipped where it is not; the CI script insists that it was used where it is (it looks for this function's words).
pub fn shared_data() -> Option<PathBuf> {
    let folder = std::env::var_os("EDB_SHARED_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let found = folder.join("jw00703").is_dir();
    note(if found {
        "used: real telemetry beside the repository"
    } else {
        "skipped: no real telemetry beside the repository"
    });
    found.then_some(folder)
}

#[expect(clippy::print_stderr, reason = "a test's remark for whoever reads its output")]
fn note(text: &str) {
    eprintln!("{text}");
}
