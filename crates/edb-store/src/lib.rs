//! Keeps samples on local disk so that a reader never sees half a write and knows which ranges are known.
//!
//! ```text
//! <store>/edb-store.json                                       format version
//! <store>/dictionary.json                                      what is known about the mnemonics
//! <store>/samples/mnemonic=SA_ZADUCMDX/<segment>.parquet        immutable, readable by any engine
//! <store>/damaged/SA_ZADUCMDX/<segment>.parquet                 set aside by verification
//! ```
//!
//! A **segment** is what one answer proved: every sample of one mnemonic in one range, with the brackets on both sides in
//! its footer. Its name carries the range it proves, when it was fetched, whether it is provisional, its number of samples and a
//! checksum, so the folder *is* the catalogue and nothing can get out of step. Ranges may overlap; readers take the newest proof of
//! each instant, and a writer cuts what it replaces, so that an engine that reads all files finds each sample once.
//!
//! [`Store`] is what can be done with samples wherever they are: [`DiskStore`] keeps them, [`MemoryStore`] holds them for
//! one run.
//!
//! # What is promised
//! - A commit is there for every reader when it returns, and survives a power cut; a kill at any moment leaves every segment as it was or
//!   as it is to be ([`edb_core::atomic`]).
//! - Any number of processes may read, write, compact and remove at once. A reader sees each sample once, and never misses one that
//!   was there when it began.
//! - Every byte is covered by a checksum that is compared when it is read.

mod compact;
mod dictionary_file;
mod difference;
mod disk;
mod folder;
mod footer;
mod format;
mod memory;
mod name;
mod open;
mod pieces;
mod segment;
mod store;
mod verify;

pub use compact::Compacted;
pub use difference::Difference;
pub use disk::{DiskStore, MnemonicStatus};
pub use edb_parquet::Effort;
pub use footer::About;
pub use memory::MemoryStore;
pub use name::Header;
pub use segment::Segment;
pub use store::{Outline, Reading, Store};
pub use verify::{Damage, Verified};
