//! The JWST engineering telemetry toolkit: archive, store and frame in one object.
//!
//! [`Archive`] joins a [`Source`] (MAST, any service of the same protocol, the synthetic sample) and a [`Store`] (on disk, or
//! in memory for one run): ask it for [`Series`], and it fetches what the store does not know. [`frame`] makes tables of
//! them, [`export`] files, [`plot`] figures.
#![doc = include_str!("../../../README.md")]

mod archive;
mod dictionary;
mod during;
mod fetched;
mod files;
mod holdings;
mod import;
mod keep;
mod raw_files;
pub mod sample;
mod selection;

pub use archive::{Archive, ArchiveOptions, Retrieved, Synced};
pub use dictionary::{DictionaryCache, KeptDictionary};
pub use during::{During, exposure_of_file};
pub use edb_core::*;
pub use edb_export as export;
pub use edb_fetch as fetch;
pub use edb_frame as frame;
pub use edb_frame::Table;
pub use edb_plot as plot;
pub use edb_series as series;
pub use edb_store::{
    Compacted, Damage, Difference, DiskStore, MemoryStore, MnemonicStatus, Reading, Segment, Store, Verified,
};
pub use edb_wire as wire;
pub use fetched::{Fetched, Reader};
pub use files::open_files;
pub use holdings::Holdings;
pub use import::{Imported, import};
pub use raw_files::{RawFiles, RawForm, write_raw_files};
pub use selection::{Selection, Term, parse_query};
