//! The store against the truth: whatever is done to it, and whatever happens to it, a reading is what a search through the whole
//! archive finds.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test may fail, say so, and make what files it likes"
)]

mod damage;
mod disk;
mod golden;
mod model;
mod race;
mod reading;
mod world;
