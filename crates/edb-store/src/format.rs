//! The versions of the store's format.
//!
//! | version | what is in it |
//! |---|---|
//! | 1 | segments without checksums; names without rows |
//! | 2 | checksums of every page, of the footer (in the name) and of the samples; one schema for all segments |
//!
//! A store of an older version is read as it is, and its segments stay as they are until they are merged; the first segment that
//! is added makes it one of this version, so that older tools refuse it rather than guess. A newer version is refused.

use std::path::Path;

use edb_core::{Error, ErrorKind, Result, atomic};
use serde::{Deserialize, Serialize};

/// The version that is written.
pub(crate) const FORMAT: u32 = 2;
pub(crate) const STORE_FILE: &str = "edb-store.json";

#[derive(Serialize, Deserialize)]
struct StoreFile {
    format: u32,
}

/// Refuses versions that this code does not know.
pub(crate) fn check(format: u32) -> Result<()> {
    if (1..=FORMAT).contains(&format) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Disk, format!("expected store format {FORMAT} or older, found {format}"))
        .with_hint("use a version of edb that knows this format"))
}

/// The version of the store in `root`.
pub(crate) fn read(root: &Path) -> Result<u32> {
    let path = root.join(STORE_FILE);
    let text = std::fs::read(&path).map_err(|error| {
        let hint = "name the folder of a store (one that holds `edb-store.json`), or make one with \
             `edb sync` or `edb store import`";
        Error::disk("open the store", root, error).with_hint(hint)
    })?;
    let file: StoreFile = serde_json::from_slice(&text).map_err(|error| {
        Error::new(ErrorKind::Disk, format!("could not read `{}`", path.display())).caused_by(error)
    })?;
    check(file.format)
        .map_err(|error| error.while_doing(format!("could not open the store in `{}`", root.display())))?;
    Ok(file.format)
}

/// Makes the store in `root` one of this version.
pub(crate) fn write(root: &Path) -> Result<()> {
    let text = format!("{{\"format\": {FORMAT}}}\n");
    atomic::write(&root.join(STORE_FILE), text.as_bytes())
}
