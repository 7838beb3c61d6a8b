//! Which segment speaks for which instant.

use std::collections::HashMap;
use std::sync::Arc;

use edb_core::{Coverage, Result, Sample, Samples, SqlType, TimeRange};

use crate::{Header, Reading, Segment};

/// A range for which one segment, the newest that proves it, speaks.
struct Piece {
    range: TimeRange,
    segment: usize,
}

/// The pieces of all that is proven, ascending and disjoint.
fn pieces(headers: &[Header]) -> Vec<Piece> {
    let mut newest_first: Vec<usize> = (0..headers.len()).collect();
    newest_first.sort_by_key(|at| std::cmp::Reverse(headers[*at]));
    let mut proven = Coverage::new();
    let mut pieces = Vec::new();
    for segment in newest_first {
        let range = headers[segment].proven;
        pieces.extend(proven.gaps(range).into_iter().map(|range| Piece { range, segment }));
        proven.insert(range);
    }
    pieces.sort_by_key(|piece| piece.range);
    pieces
}

/// Reads `range` out of segments: the samples of each piece, and the samples on both sides as far as nothing unknown lies
/// between. `load` is called at most once for each segment that is needed.
pub(crate) fn read(
    headers: &[Header],
    range: TimeRange,
    load: impl FnMut(usize) -> Result<Arc<Segment>>,
) -> Result<Reading> {
    let pieces = pieces(headers);
    let mut shelf = Shelf { load, loaded: HashMap::new() };
    let mut samples = Samples::empty(SqlType::Varchar);
    let mut known = Coverage::new();
    let mut sources = Vec::new();
    for piece in &pieces {
        if let Some(part) = piece.range.intersect(range) {
            let segment = shelf.segment(piece.segment)?;
            let part_samples = segment.samples.slice(segment.samples.rows_in(part));
            // Without rows a part still tells the type.
            if samples.is_empty() {
                samples = part_samples;
            } else {
                samples.append(part_samples)?;
            }
            known.insert(part);
            if !sources.contains(&segment.source) {
                sources.push(segment.source.clone());
            }
        }
    }
    let leading = leading(&pieces, range, &mut shelf)?;
    let trailing = trailing(&pieces, range, &mut shelf)?;
    Ok(Reading { samples, leading, trailing, known, sources })
}

struct Shelf<F> {
    load: F,
    loaded: HashMap<usize, Arc<Segment>>,
}

impl<F: FnMut(usize) -> Result<Arc<Segment>>> Shelf<F> {
    fn segment(&mut self, at: usize) -> Result<Arc<Segment>> {
        if let Some(segment) = self.loaded.get(&at) {
            return Ok(Arc::clone(segment));
        }
        let segment = (self.load)(at)?;
        self.loaded.insert(at, Arc::clone(&segment));
        Ok(segment)
    }
}

/// The last sample before `range`: walks back through touching pieces, however far, to a sample or a leading bracket.
fn leading<F: FnMut(usize) -> Result<Arc<Segment>>>(
    pieces: &[Piece],
    range: TimeRange,
    shelf: &mut Shelf<F>,
) -> Result<Option<Sample>> {
    let after = pieces.partition_point(|piece| piece.range.start() <= range.start());
    let mut limit = range.start();
    for piece in pieces[..after].iter().rev() {
        if piece.range.stop() < limit {
            break;
        }
        let segment = shelf.segment(piece.segment)?;
        if let Some(before) = TimeRange::checked(piece.range.start(), limit)
            && let Some(last) = segment.samples.rows_in(before).last()
        {
            return Ok(Some(segment.samples.sample(last)));
        }
        if piece.range.start() == segment.header.proven.start() && segment.leading.is_some() {
            return Ok(segment.leading.clone());
        }
        limit = piece.range.start();
    }
    Ok(None)
}

/// The first sample at or after the end of `range`: the mirror image of [`leading`].
fn trailing<F: FnMut(usize) -> Result<Arc<Segment>>>(
    pieces: &[Piece],
    range: TimeRange,
    shelf: &mut Shelf<F>,
) -> Result<Option<Sample>> {
    let first = pieces.partition_point(|piece| piece.range.stop() < range.stop());
    let mut limit = range.stop();
    for piece in &pieces[first..] {
        if piece.range.start() > limit {
            break;
        }
        let segment = shelf.segment(piece.segment)?;
        if let Some(after) = TimeRange::checked(limit.max(piece.range.start()), piece.range.stop())
            && let Some(first) = segment.samples.rows_in(after).next()
        {
            return Ok(Some(segment.samples.sample(first)));
        }
        if piece.range.stop() == segment.header.proven.stop() && segment.trailing.is_some() {
            return Ok(segment.trailing.clone());
        }
        limit = piece.range.stop();
    }
    Ok(None)
}
