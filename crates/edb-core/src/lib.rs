//! The words every other crate speaks: instant, range, mnemonic, samples, bracket, coverage, dictionary entry, notice,
//! and the [`Source`] trait.
//!
//! **Does**: hold telemetry in plain columns with the invariants that the rest of the toolkit relies on, and say what an
//! answer of the archive proves. **Does not**: touch a network, a disk (except [`atomic`]) or a clock.
//!
//! # Invariants
//! - Time is an integer: microseconds since 1970-01-01T00:00:00 UTC ([`Instant`]); ranges are half-open ([`TimeRange`]).
//! - [`Samples`] are sorted by time; equal times are legal and keep the service's order; missing is null, never 0.0.
//! - Rows outside the range asked for are brackets, kept apart from the samples ([`Answer`]).
//!
//! Start at [`Answer::from_rows`]: it is rules 3 to 7 of the design in forty lines.

mod answer;
pub mod atomic;
mod coverage;
mod dictionary;
mod error;
mod exposure;
mod instant;
mod mnemonic;
mod notice;
mod parse;
mod range;
mod request;
mod samples;
mod series;
mod source;
mod sql_type;
mod time_text;
mod value;

pub use answer::{Answer, End};
pub use coverage::Coverage;
pub use dictionary::{Dictionary, DictionaryEntry};
pub use error::{Error, ErrorKind, Result};
pub use exposure::{Exposure, ExposureSearch, Exposures, INSTRUMENTS};
pub use instant::{Instant, MICROS_PER_DAY, MICROS_PER_SECOND};
pub use mnemonic::Mnemonic;
pub use notice::{Notice, NoticeKind, Outcome};
pub use parse::{format_duration, parse_duration, parse_instant};
pub use range::TimeRange;
pub use request::Request;
pub use samples::{Nulls, RealColumn, Samples, TextColumn, Values, keep};
pub use series::{Learned, Sampling, Series};
pub use source::{BoxFuture, MemorySource, Source, Traffic};
pub use sql_type::{SqlType, ValueKind};
pub use time_text::TimeText;
pub use value::{Sample, Value};
