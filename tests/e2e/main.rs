//! Across crates: through HTTP, the store, the frame and the binary.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and make what files it likes"
)]

mod sample;
