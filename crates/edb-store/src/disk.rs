//! Segments on disk.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edb_core::atomic::{self, AtomicFile, CompleteFile};
use edb_core::{Coverage, Dictionary, Error, ErrorKind, Instant, Mnemonic, Result, TimeRange};
use edb_parquet::Effort;

use crate::folder::{self, FolderLock, Listing};
use crate::format::{self, FORMAT, STORE_FILE};
use crate::name::{BodyName, SegmentName};
use crate::open::OpenSegment;
use crate::pieces::{self, Proof};
use crate::{Header, Outline, Reading, Segment, Store, dictionary_file};

pub(crate) const DICTIONARY_FILE: &str = "dictionary.json";
const SAMPLES_FOLDER: &str = "samples";
pub(crate) const PARTITION: &str = "mnemonic=";
/// How often something is begun again because somebody else changed the same segments meanwhile.
const MOST_TRIES: usize = 100;

/// A store in a folder.
#[derive(Debug, Clone)]
pub struct DiskStore {
    root: PathBuf,
}

/// What a store holds of one mnemonic.
#[derive(Debug, Clone)]
pub struct MnemonicStatus {
    /// Whose.
    pub mnemonic: Mnemonic,
    /// Number of segments.
    pub segments: usize,
    /// Rows in these segments; a sample that two of them prove counts twice.
    pub rows: usize,
    /// Bytes on disk.
    pub size_bytes: u64,
    /// The ranges in which every sample is known.
    pub known: Coverage,
    /// The part of it that is provisional.
    pub provisional: Coverage,
    /// When the oldest and the newest of the segments were fetched.
    pub fetched_at: Option<(Instant, Instant)>,
}

/// Files that take the place of others.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) added: Vec<(CompleteFile, SegmentName)>,
    pub(crate) removed: Vec<SegmentName>,
}

impl DiskStore {
    /// Opens the store in `root`.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] if there is none, it cannot be read, or its format is newer than this version's.
    pub fn open(root: &Path) -> Result<Self> {
        format::read(root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// Opens the store in `root`, or makes an empty one there if the folder is missing or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] as for [`open`](Self::open), and if the folder holds something else.
    pub fn open_or_create(root: &Path) -> Result<Self> {
        if root.join(STORE_FILE).exists() {
            return Self::open(root);
        }
        // What was not finished here is a store that was being made.
        if folder::names_in(root).is_ok_and(|names| names.iter().any(|name| !atomic::is_temporary(name))) {
            let message = format!(
                "could not make a store in `{}`: the folder holds something else, and no `{STORE_FILE}`",
                root.display()
            );
            let hint = if root.join(SAMPLES_FOLDER).is_dir() {
                format!("if it is a store that lost this file, write `{{\"format\": {FORMAT}}}` into it")
            } else {
                "name an empty folder, or one that does not exist yet".to_owned()
            };
            return Err(Error::new(ErrorKind::Disk, message).with_hint(hint));
        }
        format::write(root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is there of `mnemonic`.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] or [`ErrorKind::Integrity`] if a segment cannot be read.
    pub fn status(&self, mnemonic: &Mnemonic) -> Result<MnemonicStatus> {
        self.while_it_stands(mnemonic, |listing| {
            let headers = || listing.segments.iter().map(|name| name.header);
            let fetched = || headers().map(|header| header.fetched_at);
            let mut status = MnemonicStatus {
                mnemonic: mnemonic.clone(),
                segments: listing.segments.len(),
                rows: 0,
                size_bytes: 0,
                known: headers().map(|header| header.proven).collect(),
                provisional: headers()
                    .filter(|header| header.provisional)
                    .map(|header| header.proven)
                    .collect(),
                fetched_at: fetched().min().zip(fetched().max()),
            };
            for name in &listing.segments {
                let path = self.path(mnemonic, *name);
                status.rows += self.rows_of(mnemonic, *name)?;
                status.size_bytes +=
                    fs::metadata(&path).map_err(|error| Error::disk("read", &path, error))?.len();
            }
            Ok(status)
        })
    }

    pub(crate) fn folder_of(&self, mnemonic: &Mnemonic) -> PathBuf {
        self.root.join(SAMPLES_FOLDER).join(format!("{PARTITION}{mnemonic}"))
    }

    pub(crate) fn path(&self, mnemonic: &Mnemonic, name: SegmentName) -> PathBuf {
        self.folder_of(mnemonic).join(name.to_file_name())
    }

    pub(crate) fn open_segment(&self, mnemonic: &Mnemonic, name: SegmentName) -> Result<OpenSegment> {
        OpenSegment::open(&self.path(mnemonic, name), name)
    }

    pub(crate) fn rows_of(&self, mnemonic: &Mnemonic, name: SegmentName) -> Result<usize> {
        match name.body {
            Some(body) => Ok(body.rows),
            None => Ok(self.open_segment(mnemonic, name)?.rows()),
        }
    }

    /// What lies in the folder of `mnemonic`.
    pub(crate) fn listing(&self, mnemonic: &Mnemonic) -> Result<Listing> {
        let folder = self.folder_of(mnemonic);
        match FolderLock::shared(&folder)? {
            Some(lock) => folder::list(&folder, &lock),
            None => Ok(Listing::default()),
        }
    }

    /// Does something with the segments that are listed, and does it again if one of them was replaced before it was read.
    pub(crate) fn while_it_stands<T>(
        &self,
        mnemonic: &Mnemonic,
        mut work: impl FnMut(&Listing) -> Result<T>,
    ) -> Result<T> {
        let mut last = None;
        for _ in 0..MOST_TRIES {
            let listing = self.listing(mnemonic)?;
            match work(&listing) {
                Err(error) if is_gone(&error) => last = Some(error),
                done => return done,
            }
        }
        let unsettled = self.unsettled(mnemonic);
        Err(match last {
            Some(error) => unsettled.caused_by(error),
            None => unsettled,
        })
    }

    fn unsettled(&self, mnemonic: &Mnemonic) -> Error {
        let message = format!(
            "others changed the segments of {mnemonic} in `{}` {MOST_TRIES} times while they were being read",
            self.root.display()
        );
        Error::new(ErrorKind::Locked, message).with_hint("try again when they are done")
    }

    /// Writes a segment's file, whole and on disk, without giving it its name yet.
    pub(crate) fn write(&self, segment: &Segment, effort: Effort) -> Result<(CompleteFile, SegmentName)> {
        let mut file = AtomicFile::create(&self.folder_of(&segment.mnemonic).join("segment"))?;
        let end = segment.write(&mut file, effort)?;
        let body = BodyName { rows: segment.samples.len(), end };
        Ok((file.complete()?, SegmentName { header: segment.about.header, body: Some(body) }))
    }

    /// Puts files in the place of others, unless what was listed in `around` has changed since: then the work has to be done
    /// again, and `false` is returned.
    ///
    /// Until the last old name is gone both are there, and the newest proof of an instant is believed: a kill at any moment, and a
    /// power cut after it, leave the samples as they were or as they are to be.
    pub(crate) fn exchange(
        &self,
        mnemonic: &Mnemonic,
        listed: &Listing,
        around: TimeRange,
        exchange: Exchange,
    ) -> Result<bool> {
        let folder = self.folder_of(mnemonic);
        let lock = FolderLock::alone(&folder)?;
        let now = folder::list(&folder, &lock)?;
        if now.overlapping(around) != listed.overlapping(around) {
            return Ok(false);
        }
        if !exchange.added.is_empty() && format::read(&self.root)? != FORMAT {
            format::write(&self.root)?;
        }
        let kept: Vec<SegmentName> = exchange.added.iter().map(|(_, name)| *name).collect();
        for (file, name) in exchange.added {
            file.take_name(&folder.join(name.to_file_name()))?;
        }
        atomic::sync_folder(&folder)?;
        for name in exchange.removed.iter().filter(|name| !kept.contains(name)) {
            atomic::remove(&folder.join(name.to_file_name()))?;
        }
        if !exchange.removed.is_empty() {
            atomic::sync_folder(&folder)?;
        }
        for path in &now.temporary {
            atomic::sweep(path);
        }
        Ok(true)
    }

    /// What has to be written and what has to go so that `segment` is there and no sample is there twice, and the range that was
    /// looked at: what overlaps with those that may have to be cut has its say, too.
    ///
    /// Where ranges overlap the newest proof is believed. A file whose samples there are not believed any more is cut: other engines
    /// read all files, and know nothing of proofs. An overlap without samples, as neighbouring answers have it, is left alone.
    fn make_room(&self, listing: &Listing, segment: &Segment) -> Result<(TimeRange, Exchange)> {
        let range = segment.about.header.proven;
        let around = listing.around(range);
        let overlapping = listing.overlapping(around);
        let headers: Vec<Header> =
            overlapping.iter().map(|name| name.header).chain([segment.about.header]).collect();
        let mut shares = pieces::shares(&headers);
        let mut exchange = Exchange::default();
        let own = shares.pop().unwrap_or_default();
        if !own.is_empty() && !lost(segment, range, &own)? {
            exchange.added.push(self.write(segment, Effort::Quick)?);
        } else {
            self.write_parts(segment, &own, &mut exchange)?;
        }
        for (name, share) in overlapping.into_iter().zip(shares) {
            if name.header.proven.intersect(range).is_some() {
                self.cut(&segment.mnemonic, name, &share, &mut exchange)?;
            }
        }
        Ok((around, exchange))
    }

    /// Puts into `exchange` what becomes of a segment of which only `share` is believed any more, and says whether anything does: where it
    /// has no samples elsewhere it stays as it is.
    pub(crate) fn cut(
        &self,
        mnemonic: &Mnemonic,
        name: SegmentName,
        share: &Coverage,
        exchange: &mut Exchange,
    ) -> Result<bool> {
        let proven = name.header.proven;
        if share.gaps(proven).is_empty() {
            return Ok(false);
        }
        // One that goes wholly need not be read: it may be damaged.
        if !share.is_empty() && !lost(&self.open_segment(mnemonic, name)?, proven, share)? {
            return Ok(false);
        }
        self.cut_always(mnemonic, name, share, exchange)?;
        Ok(true)
    }

    /// The same, also where a segment has no samples that are not believed.
    pub(crate) fn cut_always(
        &self,
        mnemonic: &Mnemonic,
        name: SegmentName,
        share: &Coverage,
        exchange: &mut Exchange,
    ) -> Result<()> {
        if !share.is_empty() {
            self.write_parts(&self.open_segment(mnemonic, name)?.whole()?, share, exchange)?;
        }
        exchange.removed.push(name);
        Ok(())
    }

    fn write_parts(&self, segment: &Segment, share: &Coverage, exchange: &mut Exchange) -> Result<()> {
        for part in share.ranges() {
            exchange.added.push(self.write(&segment.part(*part), Effort::Quick)?);
        }
        Ok(())
    }

    /// Removes what is held of `mnemonic`, all of it or in `range`, and says how many samples that were.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`], and [`ErrorKind::Integrity`] if a segment that has to be cut cannot be read.
    pub fn remove(&self, mnemonic: &Mnemonic, range: Option<TimeRange>) -> Result<usize> {
        let mut removed = 0;
        self.until_exchanged(mnemonic, |listing| {
            let around = range.or_else(|| {
                let ranges = listing.segments.iter().map(|name| name.header.proven);
                ranges.reduce(TimeRange::hull)
            });
            let Some(around) = around else { return Ok(None) };
            removed = 0;
            let mut exchange = Exchange::default();
            let all: Coverage = [around].into_iter().collect();
            for name in listing.overlapping(around) {
                // Damaged ones can be removed, too.
                removed += self.rows_of(mnemonic, name).unwrap_or(0);
                let kept = [name.header.proven].into_iter().collect::<Coverage>().without(&all);
                self.cut_always(mnemonic, name, &kept, &mut exchange)?;
            }
            removed -= exchange.added.iter().filter_map(|(_, name)| Some(name.body?.rows)).sum::<usize>();
            Ok((!exchange.removed.is_empty()).then_some((around, exchange)))
        })?;
        if range.is_none() {
            // Somebody may be writing into it again.
            let _ = fs::remove_dir(self.folder_of(mnemonic));
        }
        Ok(removed)
    }

    /// Finds out what is to be exchanged, and does it, again and again until nobody has come in between; `None` if there is nothing to do.
    pub(crate) fn until_exchanged(
        &self,
        mnemonic: &Mnemonic,
        mut plan: impl FnMut(&Listing) -> Result<Option<(TimeRange, Exchange)>>,
    ) -> Result<()> {
        for _ in 0..MOST_TRIES {
            let is_done = self.while_it_stands(mnemonic, |listing| match plan(listing)? {
                Some((around, exchange)) => self.exchange(mnemonic, listing, around, exchange),
                None => Ok(true),
            });
            match is_done {
                Ok(true) => return Ok(()),
                // A folder that is removed meanwhile is made again.
                Err(error) if self.folder_of(mnemonic).is_dir() => return Err(error),
                _ => {}
            }
        }
        Err(self.unsettled(mnemonic))
    }
}

/// Whether a file was not there that had been listed: somebody has replaced it. (It may be there again by now: the same segment has the
/// same name.)
pub(crate) fn is_gone(error: &Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|cause| cause.kind() == IoErrorKind::NotFound) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Whether a segment has samples in the part of `proven` that is not its share.
pub(crate) fn lost(segment: &impl Proof, proven: TimeRange, share: &Coverage) -> Result<bool> {
    for range in share.gaps(proven) {
        if segment.first_in(range)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store for DiskStore {
    fn headers(&self, mnemonic: &Mnemonic) -> Result<Vec<Header>> {
        Ok(self.listing(mnemonic)?.segments.iter().map(|name| name.header).collect())
    }

    fn rows(&self, mnemonic: &Mnemonic, header: &Header) -> Result<usize> {
        self.while_it_stands(mnemonic, |listing| {
            let name = listing.segments.iter().find(|name| name.header == *header);
            name.map_or(Ok(0), |name| self.rows_of(mnemonic, *name))
        })
    }

    fn read(&self, mnemonic: &Mnemonic, range: TimeRange) -> Result<Reading> {
        self.while_it_stands(mnemonic, |listing| {
            let names = &listing.segments;
            let headers: Vec<Header> = names.iter().map(|name| name.header).collect();
            let rows = |at: usize| names[at].body.map(|body| body.rows);
            pieces::read(&headers, rows, range, |at| self.open_segment(mnemonic, names[at]).map(Arc::new))
        })
    }

    fn outline(&self, mnemonic: &Mnemonic, range: TimeRange) -> Result<Outline> {
        self.while_it_stands(mnemonic, |listing| {
            let headers: Vec<Header> = listing.segments.iter().map(|name| name.header).collect();
            let open = |at: usize| self.open_segment(mnemonic, listing.segments[at]).map(Arc::new);
            pieces::outline(&headers, range, open)
        })
    }

    fn commit(&self, segment: Segment) -> Result<()> {
        self.until_exchanged(&segment.mnemonic, |listing| {
            let (around, exchange) = self.make_room(listing, &segment)?;
            let is_nothing = exchange.added.is_empty() && exchange.removed.is_empty();
            Ok((!is_nothing).then_some((around, exchange)))
        })
    }

    fn dictionary(&self) -> Result<Dictionary> {
        let path = self.root.join(DICTIONARY_FILE);
        match fs::read(&path) {
            Ok(text) => dictionary_file::parse(&text),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(Dictionary::default()),
            Err(error) => Err(Error::disk("read", &path, error)),
        }
    }

    fn learn(&self, entries: Dictionary) -> Result<()> {
        // Two processes must not each read, merge and write at once.
        let lock = FolderLock::alone(&self.root)?;
        let mut known = self.dictionary()?;
        dictionary_file::merge(&mut known, &entries);
        let text = dictionary_file::format(&known)?;
        atomic::write(&self.root.join(DICTIONARY_FILE), text.as_bytes())?;
        drop(lock);
        Ok(())
    }

    fn mnemonics(&self) -> Result<Vec<Mnemonic>> {
        let names = folder::names_in(&self.root.join(SAMPLES_FOLDER))?;
        let names = names.iter().filter_map(|name| name.strip_prefix(PARTITION));
        let mut mnemonics: Vec<_> = names.filter_map(|name| Mnemonic::new(name).ok()).collect();
        mnemonics.sort();
        Ok(mnemonics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_is_always_outrun_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::open_or_create(&folder.path().join("store")).unwrap();
        let mut tries = 0;
        let outrun = store.while_it_stands(&Mnemonic::new("VOLT").unwrap(), |_| -> Result<()> {
            tries += 1;
            let gone = std::io::Error::from(IoErrorKind::NotFound);
            Err(Error::disk("open", Path::new("a segment"), gone).while_doing("could not read"))
        });
        let error = outrun.unwrap_err();
        assert_eq!((tries, error.kind()), (MOST_TRIES, ErrorKind::Locked));
        assert!(error.chain().contains("a segment"), "{}", error.chain());
    }
}
