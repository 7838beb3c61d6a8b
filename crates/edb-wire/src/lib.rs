//! Reads and writes the forms of the EDB service: CSV answers, dictionaries, the direct service's JSON.
//!
//! **Does**: turn bytes into samples and dictionary entries and back, exactly ([`decode`], [`encode`]). **Does not**: fetch
//! them, or decide what they prove.
//!
//! # The service's CSV
//! `theTime,MJD,euvalue,sqldataType`, CRLF line ends, times in UTC with six decimals, MJD and real values with ten decimals,
//! text quoted where it holds a comma, a quote or a line end. `theTime` is the authority: `MJD` has steps of 8.64 µs and is
//! never read for time.

pub mod decode;
pub mod direct;
pub mod encode;
pub mod local;
pub mod mashup;
mod number;
mod record;
pub mod viz;

pub use decode::{Decoded, Decoder, decode};
pub use encode::{Encoder, HEADER, encode};
