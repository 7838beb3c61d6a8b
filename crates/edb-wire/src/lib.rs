//! Reads and writes the forms of the EDB service: CSV answers, dictionary and `EngdbLocal` JSON. (File names are
//! [`edb_core::Request`]'s.)
//!
//! **Does**: turn bytes into columns and back, exactly, saying where and why bytes are not telemetry. **Does not**: touch
//! a network, a disk or a clock, or decide which rows of an answer were asked for ([`edb_core::Answer`] does).
//!
//! # Invariants
//! - Every byte of an answer is accounted for: it is in a column, or it is an error of kind
//!   [`Integrity`](edb_core::ErrorKind::Integrity) that names its line.
//! - What is decoded does not depend on how the bytes were cut into chunks.
//! - `decode(encode(samples))` is `samples`, as far as ten decimals carry real numbers.
//!
//! Start at [`Decoder`] and [`Encoder`].

mod decode;
pub mod dictionary;

mod encode;
mod excerpt;
pub mod exposures;
mod json;
pub mod local;
pub mod mashup;
mod question;
mod whole;

pub use decode::{Decoded, Decoder, decode};
pub use encode::{Encoder, encode};
pub use question::Question;
pub use whole::{Seen, Whole, last_row};
