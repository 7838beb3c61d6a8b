//! The crate against real telemetry, and against the corpus of its fuzzer.

#[path = "../../fuzz/invariant.rs"]
mod invariant;
mod real;
mod replay;
