//! Fewer and smaller files for the same samples.

use std::sync::Arc;

use edb_core::{Error, Instant, Mnemonic, Result, TimeRange, ValueKind};
use edb_parquet::{Effort, File};

use crate::disk::{DiskStore, Exchange};
use crate::folder::Listing;
use crate::footer::About;
use crate::name::SegmentName;
use crate::open::OpenSegment;
use crate::pieces::{self, Proof};
use crate::{Header, Segment};

/// Segments are merged up to so many samples: twelve days at 256 ms, and 64 MB in memory.
const MOST_ROWS: usize = 1 << 22;

/// What compacting came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Segments that are gone.
    pub removed: usize,
    /// Segments that took their place.
    pub added: usize,
    /// Samples that were written again.
    pub rows: usize,
}

impl DiskStore {
    /// Merges neighbouring segments of `mnemonic` that have settled, with more effort to make them small, and removes what newer
    /// proofs have replaced. No sample changes: each merged file is read back and compared before the old ones go.
    ///
    /// Readers and writers may go on meanwhile. A kill at any moment leaves every sample there.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Disk`]; [`edb_core::ErrorKind::Integrity`] if a segment is damaged: it is left as it is, and so are its
    /// neighbours.
    pub fn compact(&self, mnemonic: &Mnemonic) -> Result<Compacted> {
        let mut done = Compacted::default();
        loop {
            let step = self.while_it_stands(mnemonic, |listing| self.step(mnemonic, listing))?;
            let Some(step) = step else { return Ok(done) };
            done.removed += step.removed;
            done.added += step.added;
            done.rows += step.rows;
        }
    }

    /// The next thing to do, done; `None` if there is nothing left to do.
    fn step(&self, mnemonic: &Mnemonic, listing: &Listing) -> Result<Option<Compacted>> {
        let Some((around, exchange)) = self.next_exchange(mnemonic, listing)? else { return Ok(None) };
        let step = Compacted {
            removed: exchange.removed.len(),
            added: exchange.added.len(),
            rows: exchange.added.iter().filter_map(|(_, name)| Some(name.body?.rows)).sum(),
        };
        // Where somebody came in between there is something to do still, and it is looked for again.
        let is_done = self.exchange(mnemonic, listing, around, exchange)?;
        Ok(Some(if is_done { step } else { Compacted::default() }))
    }

    fn next_exchange(&self, mnemonic: &Mnemonic, listing: &Listing) -> Result<Option<(TimeRange, Exchange)>> {
        let headers: Vec<Header> = listing.segments.iter().map(|name| name.header).collect();
        for (name, share) in listing.segments.iter().zip(pieces::shares(&headers)) {
            let mut exchange = Exchange::default();
            if self.cut(mnemonic, *name, &share, &mut exchange)? {
                return Ok(Some((name.header.proven, exchange)));
            }
        }
        let Some(group) = self.next_group(mnemonic, &listing.segments)? else { return Ok(None) };
        let merged = self.merged(mnemonic, group)?;
        let around = merged.about.header.proven;
        let content_hash = merged.content_hash();
        let (file, name) = self.write(&merged, Effort::Thorough)?;
        // Room for the copy that is read back.
        drop(merged);
        let read_back = File::open(file.path(), name.body.map(|body| body.end))?;
        if OpenSegment::new(read_back)?.whole()?.content_hash() != content_hash {
            return Err(Error::integrity(format!(
                "could not merge segments of {mnemonic}: what was written is not what was read"
            ))
            .with_hint("nothing was removed; check this machine's memory and disk"));
        }
        Ok(Some((around, Exchange { added: vec![(file, name)], removed: group.to_vec() })))
    }

    /// The first segments to merge: two at least, or one of the first version, that touch, have settled, are not too large together,
    /// have one kind of values, and are believed before others as much together as each is by itself.
    fn next_group<'a>(
        &self,
        mnemonic: &Mnemonic,
        all: &'a [SegmentName],
    ) -> Result<Option<&'a [SegmentName]>> {
        let mut names = all;
        while !names.is_empty() {
            let mut group = self.next_run(mnemonic, names)?;
            while group.len() > 1 && changes_belief(group, all) {
                group = &group[..group.len() - 1];
            }
            if group.len() > 1 || group.first().is_some_and(|name| name.body.is_none()) {
                return Ok(Some(group));
            }
            names = &names[group.len().max(1)..];
        }
        Ok(None)
    }

    /// The touching segments from the first on that have settled, are not too large together, and have one kind of values.
    fn next_run<'a>(&self, mnemonic: &Mnemonic, names: &'a [SegmentName]) -> Result<&'a [SegmentName]> {
        let (mut rows, mut end, mut kind) = (0, names.first().map(|name| name.header.proven.start()), None);
        for (at, name) in names.iter().enumerate() {
            let proven = name.header.proven;
            rows += self.rows_of(mnemonic, *name)?;
            if name.header.provisional || Some(proven.start()) > end || rows > MOST_ROWS {
                return Ok(&names[..at]);
            }
            // Opened only where there is something to merge it with.
            if at > 0 {
                let first = kind.map_or_else(|| self.kind_of(mnemonic, names[0]), Ok)?;
                kind = Some(first);
                if self.kind_of(mnemonic, *name)? != first {
                    return Ok(&names[..at]);
                }
            }
            end = end.max(Some(proven.stop()));
        }
        Ok(names)
    }

    fn kind_of(&self, mnemonic: &Mnemonic, name: SegmentName) -> Result<ValueKind> {
        Ok(self.open_segment(mnemonic, name)?.about().sql_type.kind())
    }

    /// One segment with the samples of all.
    fn merged(&self, mnemonic: &Mnemonic, group: &[SegmentName]) -> Result<Segment> {
        let headers: Vec<Header> = group.iter().map(|name| name.header).collect();
        let hull = headers.iter().map(|header| header.proven).reduce(TimeRange::hull);
        let hull = hull.ok_or_else(|| Error::integrity("there is nothing to merge"))?;
        let rows = |at: usize| group[at].body.map(|body| body.rows);
        let reading =
            pieces::read(&headers, rows, hull, |at| self.open_segment(mnemonic, group[at]).map(Arc::new))?;
        let about = About {
            // The oldest: whatever was fetched since is to be believed rather than this.
            header: Header {
                fetched_at: reading.fetched_at.unwrap_or(Instant::MIN),
                proven: hull,
                provisional: false,
            },
            sql_type: reading.samples.sql_type().clone(),
            unit: reading.unit,
            leading: reading.leading,
            trailing: reading.trailing,
            sources: reading.sources,
        };
        Ok(Segment { mnemonic: mnemonic.clone(), about, samples: reading.samples })
    }
}

/// Whether somebody who is believed less than a member of the group, and speaks for a part of its range, would be believed more than all of
/// them as one: the merged segment is as old as its oldest member.
fn changes_belief(group: &[SegmentName], all: &[SegmentName]) -> bool {
    let oldest = group.iter().map(|name| name.header.fetched_at).min();
    let outsiders = all.iter().filter(|name| !group.contains(name) && Some(name.header.fetched_at) >= oldest);
    outsiders.into_iter().any(|outsider| {
        group.iter().any(|member| {
            member.header.fetched_at >= outsider.header.fetched_at
                && member.header.proven.intersect(outsider.header.proven).is_some()
        })
    })
}
