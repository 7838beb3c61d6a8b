//! What became of samples that were fetched again.

use std::fmt;

use edb_core::{Instant, Samples, TimeRange};

use crate::Reading;

/// How samples differ from those that were known at the same times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// From the first to the last of the differences.
    pub range: TimeRange,
    /// Samples that were not there.
    pub added: usize,
    /// Samples whose value is another now.
    pub changed: usize,
    /// Samples that are there no more.
    pub gone: usize,
    /// When the oldest of what was known had been fetched.
    pub known_since: Option<Instant>,
}

impl Difference {
    /// Both together.
    pub(crate) fn and(self, other: &Self) -> Self {
        Self {
            range: self.range.hull(other.range),
            added: self.added + other.added,
            changed: self.changed + other.changed,
            gone: self.gone + other.gone,
            known_since: self.known_since.min(other.known_since),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.added, "added"), (self.changed, "changed"), (self.gone, "gone")];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        write!(f, "the archive was revised in {}: {} samples", self.range, parts.join(", "))?;
        self.known_since.map_or(Ok(()), |since| write!(f, " since {since}"))
    }
}

/// What differs between what is known and what has come, where something is known at all. Samples of one time are compared in their
/// order.
pub(crate) fn between(known: &Reading, new: &Samples) -> Option<Difference> {
    let mut found = Difference {
        range: known.known.ranges().first().copied()?,
        added: 0,
        changed: 0,
        gone: 0,
        known_since: known.fetched_at,
    };
    let mut span: Option<TimeRange> = None;
    for range in known.known.ranges() {
        let (old, new) = (known.samples.slice(known.samples.rows_in(*range)), new.slice(new.rows_in(*range)));
        if old == new {
            continue;
        }
        let (mut at, mut to) = (0, 0);
        while at < old.len() || to < new.len() {
            let of = |samples: &Samples, row: usize| samples.times().get(row).copied().unwrap_or(i64::MAX);
            let time = of(&old, at).min(of(&new, to));
            let twins = |samples: &Samples, row: usize| {
                samples.times()[row..].iter().take_while(|found| **found == time).count()
            };
            let (before, after) = (twins(&old, at), twins(&new, to));
            let shared = before.min(after);
            let changed = (0..shared).filter(|row| old.sample(at + row) != new.sample(to + row)).count();
            found.changed += changed;
            found.added += after - shared;
            found.gone += before - shared;
            if changed > 0 || before != after {
                let here = TimeRange::checked(Instant::from_micros(time), Instant::from_micros(time + 1));
                span = here.map(|here| span.map_or(here, |span| span.hull(here)));
            }
            at += before;
            to += after;
        }
    }
    span.map(|range| Difference { range, ..found })
}
