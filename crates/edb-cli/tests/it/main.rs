//! The binary as its users run it: exit codes, words, files.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may fail, and make what files it likes"
)]

mod bad_input;
mod crash;
mod credentials;
mod export;
mod fetch;
mod files;
mod network;
mod observations;
mod plot;
mod real;
mod stats;
mod store;
mod world;
