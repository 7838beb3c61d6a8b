//! Dev only: worlds to test in.
//!
//! [`synthetic`] makes telemetry that looks like JWST's and is not. [`ScriptedServer`] is a service on loopback that says what
//! a test wants it to say, well-formed or not, in the clear or over TLS; [`Http2Server`] does so over HTTP/2. [`Service`] is
//! a script that behaves as the real service does. At a [`BlackHole`] nothing is ever said.

mod asked;
mod black_hole;
mod http2;
mod reply;
mod send;
mod server;
mod service;
pub mod synthetic;
pub mod tls;

pub use asked::Asked;
pub use black_hole::{BlackHole, black_hole};
pub use http2::Http2Server;
pub use reply::Reply;
pub use server::ScriptedServer;
pub use service::Service;

use std::path::PathBuf;

/// The folder of real telemetry beside the repository (or where `EDB_SHARED_DATA` says), if it is there. Tests that need it
/// live in modules called `real`, and say that they are skipped where it is not.
///
/// # Panics
/// If it is missing although `EDB_REQUIRE_SHARED_DATA` is set: the CI script sets it where the folder is, so that no test
/// passes there without having run.
pub fn shared_data() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = std::env::var_os("EDB_SHARED_DATA").map_or_else(beside, PathBuf::from);
    if folder.join("jw00703").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("EDB_REQUIRE_SHARED_DATA").is_none(),
        "real telemetry is required and not at {}",
        folder.display()
    );
    note("skipped: no real telemetry beside the repository");
    None
}

#[expect(clippy::print_stderr, reason = "a test's remark for whoever reads its output")]
fn note(text: &str) {
    eprintln!("{text}");
}
