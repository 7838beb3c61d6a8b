//! The crate against real telemetry, and against the corpus of its fuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

#[path = "../../fuzz/invariant.rs"]
mod invariant;
mod real;
mod replay;
