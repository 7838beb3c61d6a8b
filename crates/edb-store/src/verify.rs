//! Everything read again, and compared with everything that is said of it.

use std::path::PathBuf;

use edb_core::{Error, Mnemonic, Result, TimeRange, atomic};

use crate::disk::{DICTIONARY_FILE, DiskStore, Exchange, is_gone};
use crate::folder::names_in;
use crate::name::SegmentName;
use crate::{Header, pieces};

const DAMAGED_FOLDER: &str = "damaged";

/// What verifying the segments of one mnemonic found.
#[derive(Debug, Default)]
pub struct Verified {
    /// Segments read.
    pub segments: usize,
    /// Samples in them.
    pub rows: usize,
    /// Bytes read.
    pub size_bytes: u64,
    /// Segments that are not what was written.
    pub damaged: Vec<Damage>,
    /// Segments without checksums, of the first version of the format: what can be told of them is right.
    pub unchecked: usize,
    /// Segments with samples that newer ones have replaced: a kill in between leaves them, and compacting cuts them.
    pub superseded: usize,
    /// Files that writers left who died.
    pub left: Vec<PathBuf>,
    /// Files that are not ours.
    pub foreign: Vec<PathBuf>,
}

/// A segment that is not what was written.
#[derive(Debug)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// The range that it was to prove.
    pub range: TimeRange,
    /// What is wrong with it.
    pub error: Error,
    name: SegmentName,
}

impl DiskStore {
    /// Reads every segment of `mnemonic` whole, and compares checksums, hashes, order, ranges, brackets and names.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if the folder cannot be read. A damaged segment is no error but a finding.
    pub fn verify(&self, mnemonic: &Mnemonic) -> Result<Verified> {
        let listing = self.listing(mnemonic)?;
        let headers: Vec<Header> = listing.segments.iter().map(|name| name.header).collect();
        let mut verified = Verified {
            // A file that is being written is not left.
            left: listing.temporary.into_iter().filter(|path| atomic::is_left(path)).collect(),
            foreign: listing.foreign,
            ..Verified::default()
        };
        for (name, share) in listing.segments.iter().zip(pieces::shares(&headers)) {
            let path = self.path(mnemonic, *name);
            let read = self.open_segment(mnemonic, *name).and_then(|open| {
                verified.size_bytes += open.size_bytes();
                let lost = crate::disk::lost(&open, name.header.proven, &share)?;
                open.check()?;
                let whole = open.whole()?;
                Ok((whole.samples.len(), lost))
            });
            match read {
                Ok((rows, lost)) => {
                    verified.segments += 1;
                    verified.rows += rows;
                    verified.superseded += usize::from(lost);
                    verified.unchecked += usize::from(name.body.is_none());
                }
                // Replaced by somebody meanwhile.
                Err(error) if is_gone(&error) => {}
                // Bytes that cannot be read at all are damaged, too, and the others are still worth a look.
                Err(error) => {
                    verified.segments += 1;
                    verified.damaged.push(Damage { path, range: name.header.proven, error, name: *name });
                }
            }
        }
        // The oldest first: what is set aside later is then spoken for by none of these.
        verified.damaged.sort_by_key(|damage| damage.name.header.fetched_at);
        Ok(verified)
    }

    /// Files that writers left in the store's own folder who died.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`] if the folder cannot be read.
    pub fn left(&self) -> Result<Vec<PathBuf>> {
        let names = names_in(self.root())?.into_iter().filter(|name| atomic::is_temporary(name));
        Ok(names.map(|name| self.root().join(name)).filter(|path| atomic::is_left(path)).collect())
    }

    /// Moves a dictionary that cannot be read to the folder `damaged` of the store, and returns where it is now: what it said is learnt
    /// again.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`].
    pub fn set_dictionary_aside(&self) -> Result<PathBuf> {
        let to = self.root().join(DAMAGED_FOLDER).join(DICTIONARY_FILE);
        atomic::move_file(&self.root().join(DICTIONARY_FILE), &to)?;
        Ok(to)
    }

    /// Moves a damaged segment to the folder `damaged` of the store, and returns where it is now. What it alone was believed about is not
    /// known any more, whatever older segments say of it, and the next query that needs it fetches it again.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`]; [`edb_core::ErrorKind::Integrity`] if an older segment that has to be cut for it is damaged, too.
    pub fn set_aside(&self, mnemonic: &Mnemonic, damage: &Damage) -> Result<PathBuf> {
        let to = self.root().join(DAMAGED_FOLDER).join(mnemonic.as_str()).join(damage.name.to_file_name());
        atomic::link_file(&damage.path, &to)?;
        self.until_exchanged(mnemonic, |listing| {
            let around = listing.around(damage.range);
            let names = listing.overlapping(around);
            let headers: Vec<Header> = names.iter().map(|name| name.header).collect();
            let mut exchange = Exchange::default();
            if !names.contains(&damage.name) {
                return Ok(None);
            }
            for (name, share) in names.iter().zip(pieces::shares(&headers)) {
                if *name == damage.name {
                    exchange.removed.push(*name);
                } else if name.header.proven.intersect(damage.range).is_some()
                    && !share.gaps(name.header.proven).is_empty()
                {
                    self.cut_always(mnemonic, *name, &share, &mut exchange)?;
                }
            }
            Ok(Some((around, exchange)))
        })?;
        Ok(to)
    }
}
