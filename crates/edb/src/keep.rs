//! What of a segment goes into a store.

use edb_core::{Instant, Notice, NoticeKind, Result};
use edb_store::{Segment, Store};

/// What became of a segment.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Samples kept.
    pub(crate) rows: usize,
    /// That samples which were known are others now.
    pub(crate) notices: Vec<Notice>,
}

/// Keeps what a segment proves beyond what the store knows as of `now`, and what replaces provisional samples that have settled
/// since; with `replace` all of it. An answer proves more than it was asked, so that neighbouring ones overlap: what is known
/// already stays as it is.
pub(crate) fn keep(
    store: &dyn Store,
    segment: Segment,
    now: Instant,
    settle_us: i64,
    replace: bool,
) -> Result<Kept> {
    let proven = segment.about.header.proven;
    let parts = if replace { vec![proven] } else { store.gaps(&segment.mnemonic, proven, now, settle_us)? };
    let mut kept = Kept::default();
    let mut commit = |segment: Segment| -> Result<()> {
        for part in segment.settled(settle_us) {
            let difference = store.difference(&part)?;
            kept.rows += part.samples.len();
            kept.notices.extend(difference.map(|difference| {
                Notice::about(NoticeKind::Revised, &part.mnemonic, difference.to_string())
            }));
            store.commit(part)?;
        }
        Ok(())
    };
    if parts == [proven] {
        // Nearly always, and then there is no need for a second copy of it.
        commit(segment)?;
    } else {
        parts.into_iter().try_for_each(|part| commit(segment.part(part)))?;
    }
    Ok(kept)
}
