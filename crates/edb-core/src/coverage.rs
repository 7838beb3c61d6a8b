//! Which ranges are known.

use std::fmt;

use crate::TimeRange;

/// A set of instants as sorted, disjoint, non-touching half-open ranges.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Coverage(Vec<TimeRange>);

impl Coverage {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[TimeRange] {
        &self.0
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Total length in microseconds.
    pub fn micros(&self) -> i64 {
        self.0.iter().map(|range| range.micros()).sum()
    }

    /// Adds `range`, joining what it overlaps or touches. Cost: O(n).
    pub fn insert(&mut self, range: TimeRange) {
        let first = self.0.partition_point(|known| known.stop() < range.start());
        let last = self.0.partition_point(|known| known.start() <= range.stop());
        let joined = self.0[first..last].iter().fold(range, |all, known| all.hull(*known));
        self.0.splice(first..last, [joined]);
    }

    /// The parts of `range` that are not in the set, ascending.
    pub fn gaps(&self, range: TimeRange) -> Vec<TimeRange> {
        let mut gaps = Vec::new();
        let mut start = range.start();
        let first = self.0.partition_point(|known| known.stop() <= start);
        for known in &self.0[first..] {
            if known.start() >= range.stop() {
                break;
            }
            gaps.extend(TimeRange::checked(start, known.start()));
            start = known.stop();
        }
        gaps.extend(TimeRange::checked(start, range.stop()));
        gaps
    }

    /// The part of the set inside `range`.
    #[must_use]
    pub fn within(&self, range: TimeRange) -> Self {
        let before = self.0.partition_point(|known| known.stop() <= range.start());
        let until = self.0[before..].partition_point(|known| known.start() < range.stop());
        Self(self.0[before..before + until].iter().filter_map(|known| known.intersect(range)).collect())
    }

    /// The part of the set that is not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().flat_map(|range| other.gaps(*range)).collect())
    }

    /// The part of the set that is in `other` as well.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }

    /// Whether all of `range` is in the set.
    pub fn covers(&self, range: TimeRange) -> bool {
        self.gaps(range).is_empty()
    }
}

impl FromIterator<TimeRange> for Coverage {
    fn from_iter<I: IntoIterator<Item = TimeRange>>(ranges: I) -> Self {
        let mut coverage = Self::new();
        for range in ranges {
            coverage.insert(range);
        }
        coverage
    }
}

impl fmt::Debug for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instant;
    use proptest::prelude::*;

    fn range(start: i64, stop: i64) -> TimeRange {
        TimeRange::checked(Instant::from_micros(start), Instant::from_micros(stop)).unwrap()
    }

    #[test]
    fn touching_ranges_join() {
        let coverage: Coverage = [range(0, 10), range(20, 30), range(10, 20)].into_iter().collect();
        assert_eq!(coverage.ranges(), [range(0, 30)]);
    }

    proptest! {
        /// The oracle is a bitmap of sixty instants.
        #[test]
        fn coverage_agrees_with_a_bitmap(ranges in proptest::collection::vec((0_i64..50, 1_i64..10), 0..8), ask in (0_i64..50, 1_i64..10)) {
            let mut bits = [false; 60];
            let mut coverage = Coverage::new();
            for (start, length) in ranges {
                bits[start as usize..(start + length) as usize].fill(true);
                coverage.insert(range(start, start + length));
            }
            let asked = range(ask.0, ask.0 + ask.1);
            for (at, bit) in bits.iter().enumerate() {
                let instant = Instant::from_micros(at as i64);
                prop_assert_eq!(coverage.ranges().iter().any(|known| known.contains(instant)), *bit);
                let in_gap = coverage.gaps(asked).iter().any(|gap| gap.contains(instant));
                prop_assert_eq!(in_gap, asked.contains(instant) && !bit);
                let within = coverage.within(asked).ranges().iter().any(|known| known.contains(instant));
                prop_assert_eq!(within, asked.contains(instant) && *bit);
                let without = coverage.without(&[asked].into_iter().collect());
                let shared = coverage.intersect(&[asked].into_iter().collect());
                let both = shared.ranges().iter().any(|known| known.contains(instant));
                prop_assert_eq!(both, asked.contains(instant) && *bit);
                let left = without.ranges().iter().any(|known| known.contains(instant));
                prop_assert_eq!(left, !asked.contains(instant) && *bit);
            }
            for pair in coverage.ranges().windows(2) {
                prop_assert!(pair[0].stop() < pair[1].start(), "sorted and not touching");
            }
        }
    }
}
