//! The Polars layer against its rules, against other libraries, and against obvious versions of itself.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::float_cmp,
    reason = "a test may fail, make what files it likes, and want exactly one number"
)]

mod borders;
mod cheta;
mod conditions;
mod jwql;
mod jwql_checks;
mod oracles;
mod random;
mod tables;
mod world;
