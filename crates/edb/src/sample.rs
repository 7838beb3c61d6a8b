//! The synthetic archive inside the binary: everything can be tried with no network and no token.
//!
//! Nine mnemonics of every cadence and kind, made by `edb-testkit` and kept in `data/sample`. None of it was measured.

use edb_core::{Error, MemorySource, Result};
use edb_store::Segment;

/// What the sample calls itself in every output.
pub const NAME: &str = "synthetic sample (not measured on JWST)";

macro_rules! segments {
    ($($file:literal),* $(,)?) => {
        [$(($file, include_bytes!(concat!("../../../data/sample/", $file, ".parquet")) as &[u8])),*]
    };
}

const DICTIONARY: &[u8] = include_bytes!("../../../data/sample/dictionary.json");
const SEGMENTS: [(&str, &[u8]); 9] = segments![
    "SAMPLE_ATTITUDE_X",
    "SAMPLE_DETECTOR_ID",
    "SAMPLE_EVENT_MSG",
    "SAMPLE_FINE_X",
    "SAMPLE_HEATER_STATE",
    "SAMPLE_MIRROR_TEMP",
    "SAMPLE_MOTOR_VOLT",
    "SAMPLE_PANEL_TEMP",
    "SAMPLE_WHEEL_POS",
];

/// The archive.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if the binary is damaged.
pub fn archive() -> Result<MemorySource> {
    let dictionary = edb_wire::dictionary::viz::parse(DICTIONARY)?.dictionary;
    let mut archive = MemorySource::new(NAME);
    for (name, bytes) in SEGMENTS {
        let segment = Segment::from_bytes(bytes)
            .map_err(|error| error.while_doing(format!("could not read the built-in sample `{name}`")))?;
        let entry = dictionary.get(&segment.mnemonic).cloned();
        let entry =
            entry.ok_or_else(|| Error::integrity(format!("`{name}` is not in the sample's dictionary")))?;
        archive.insert(entry, segment.samples);
    }
    Ok(archive)
}
