//! `cargo +nightly fuzz run decode`, from the folder of the crate.

#![no_main]

mod invariant;

libfuzzer_sys::fuzz_target!(|body: &[u8]| invariant::check(body));
