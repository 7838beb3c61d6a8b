//! Writes a table to a file format with units and provenance, atomically, and reads series and lists of intervals back.
//!
//! **Does**: Parquet, CSV, ECSV, FITS, `VOTable`, Arrow and JSON Lines, each with the columns' units and meaning, how the table was made, and
//! the notices about it in the file itself, in the words of the format's own readers ([`Format`]). **Does not**: change a value. What a
//! format cannot say (NaN in JSON, characters beyond ASCII in FITS) is written in the nearest way it has, and told ([`Written::notices`]).
//!
//! Start here: [`write_file`] for a table, [`FileWriter`] for more rows than memory has, [`DataSet`] for a folder of files by mnemonic and
//! day. The same rows give the same bytes.

mod arrow;
mod columns;
mod csv;
mod data_set;
mod ecsv;
mod escape;
mod fits;
mod fits_header;
mod format;
mod header;
mod intervals;
mod json_lines;
mod measured;
mod parquet;
mod read;
mod rows;
mod spool;
mod text;
mod units;
mod votable;
mod writer;
mod yaml;

pub use data_set::{DataSet, Part, PartitionKey, Replaced};
pub use format::{FileOptions, Format};
pub use intervals::read_intervals;
pub use measured::Measured;
pub use read::read_series;
pub use text::{Word, words};
pub use writer::{FileWriter, Writer, Written, about_path, write, write_file};
