//! Across crates: through HTTP, the store and the facade.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

mod import;
mod protocol;
mod retrieval;
mod sample;
mod world;
