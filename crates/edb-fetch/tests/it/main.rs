//! The retriever against services that fail in every way we know of.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may fail, and read what files it likes"
)]

mod body;
mod connection;
mod credentials;
mod download;
mod ends;
mod flow;
mod limits;
mod metadata;
mod schedule;
mod slow;
mod status;
mod table;
mod world;
