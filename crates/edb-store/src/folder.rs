//! The folder of a mnemonic: what lies in it, and its lock.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoErrorKind};
use std::path::{Path, PathBuf};

use edb_core::{Error, Result, TimeRange, atomic};

use crate::name::SegmentName;

/// What lies in a folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Ascending.
    pub(crate) segments: Vec<SegmentName>,
    /// Files that are being written, or were left by writers that died.
    pub(crate) temporary: Vec<PathBuf>,
    /// Files that are not ours.
    pub(crate) foreign: Vec<PathBuf>,
}

impl Listing {
    /// `range`, and that of all segments that overlap it.
    pub(crate) fn around(&self, range: TimeRange) -> TimeRange {
        let overlapping = self.overlapping(range);
        overlapping.iter().map(|name| name.header.proven).fold(range, TimeRange::hull)
    }

    /// The segments that overlap `range`.
    pub(crate) fn overlapping(&self, range: TimeRange) -> Vec<SegmentName> {
        let overlaps = |name: &&SegmentName| name.header.proven.intersect(range).is_some();
        self.segments.iter().filter(overlaps).copied().collect()
    }
}

/// The lock of a folder: of a mnemonic's, or of the store's own for its dictionary. It dies with its process.
///
/// Whoever lists the segments shares it for as long as that takes: a listing must not miss both a segment and the one that takes its
/// place. Whoever replaces segments holds it alone from the first new name to the last old one. Segments never change, so that
/// one that is open can be read to its end whatever happens to its name.
#[derive(Debug)]
pub(crate) struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

impl FolderLock {
    /// Waits until nobody replaces segments in `folder`; `None` if there is no such folder.
    pub(crate) fn shared(folder: &Path) -> Result<Option<Self>> {
        let file = match File::open(folder) {
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| Error::disk("list", folder, error))?,
        };
        // A disk without locks has no writer that replaces segments, either.
        let _ = file.lock_shared();
        Ok(Some(Self(file)))
    }

    /// Waits until nobody else lists or replaces segments in `folder`.
    pub(crate) fn alone(folder: &Path) -> Result<Self> {
        let lock = || {
            let file = File::open(folder)?;
            file.lock()?;
            Ok(Self(file))
        };
        lock().map_err(|error: io::Error| {
            Error::disk("lock the folder", folder, error)
                .with_hint("keep the store on a disk that has locks (flock)")
        })
    }
}

/// What lies in `folder`; nothing if there is none. The lock is held.
pub(crate) fn list(folder: &Path, _lock: &FolderLock) -> Result<Listing> {
    let mut listing = Listing::default();
    for name in names_in(folder)? {
        if atomic::is_temporary(&name) {
            listing.temporary.push(folder.join(name));
        } else if let Some(segment) = SegmentName::from_file_name(&name) {
            listing.segments.push(segment);
        } else {
            listing.foreign.push(folder.join(name));
        }
    }
    listing.segments.sort_unstable_by_key(|name| (name.header.proven, *name));
    Ok(listing)
}

/// The names in a folder; none if it does not exist.
pub(crate) fn names_in(folder: &Path) -> Result<Vec<String>> {
    let collect = || -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name().into_string()));
        names.filter_map(|name| name.map(Result::ok).transpose()).collect()
    };
    match collect() {
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| Error::disk("list", folder, error)),
    }
}
