//! Keeps samples on local disk so that a reader never sees half a write and knows which ranges are known.
//!
//! ```text
//! <store>/edb-store.json                                       format version
//! <store>/dictionary.json                                      what is known about the mnemonics
//! <store>/samples/mnemonic=SA_ZADUCMDX/<segment>.parquet        immutable, readable by any engine
//! ```
//!
//! A **segment** is what one answer proved: every sample of one mnemonic in one range, with the brackets on both sides in
//! its footer. Its name carries the range it proves, when it was fetched and whether it is provisional, so the folder *is*
//! the catalogue and nothing can get out of step. Segments may overlap; readers take the newest proof of each instant.
//!
//! [`Store`] is what can be done with segments wherever they are: [`DiskStore`] keeps them, [`MemoryStore`] holds them for
//! one run.

mod dictionary_file;
mod disk;
mod memory;
mod pieces;
mod segment;
mod store;

pub use disk::{DiskStore, MnemonicStatus};
pub use memory::MemoryStore;
pub use segment::{Header, Segment};
pub use store::{Reading, Store};
