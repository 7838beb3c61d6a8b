//! Which sample stands for a series at a given time.
//!
//! Every kernel walks the samples and the targets once, O(n + m). Both must ascend. Every kernel has a limit: how old
//! (or far) a sample may be; [`UNLIMITED`] must be typed out.

use crate::walk::Walk;

/// No sample stands at this target.
pub const NONE: u32 = u32::MAX;

/// The limit that never bites.
pub const UNLIMITED: i64 = i64::MAX;

/// For each target, the index of the last sample at or before it, if it is at most `max_age_us` old; else [`NONE`].
/// Of samples with equal times the last one wins: it is the value in force.
pub fn hold(times: &[i64], targets: &[i64], max_age_us: i64) -> Vec<u32> {
    let mut walk = Walk::new(times);
    let pick = |&target: &i64| match walk.past(target).checked_sub(1) {
        Some(at) if target - times[at] <= max_age_us => at as u32,
        _ => NONE,
    };
    targets.iter().map(pick).collect()
}

/// For each target, the index of the sample nearest in time, if it is at most `max_age_us` away; else [`NONE`].
/// A tie goes to the earlier sample, which was known at the target; of equal times the last one wins.
pub fn nearest(times: &[i64], targets: &[i64], max_age_us: i64) -> Vec<u32> {
    let mut walk = Walk::new(times);
    let pick = |&target: &i64| {
        let after = walk.past(target);
        let behind = after.checked_sub(1).map(|at| (target - times[at], at));
        let ahead = times.get(after).map(|time| {
            let twins = times[after..].iter().take_while(|twin| *twin == time).count();
            (time - target, after + twins - 1)
        });
        let nearest = match (behind, ahead) {
            (Some(behind), Some(ahead)) => Some(if behind.0 <= ahead.0 { behind } else { ahead }),
            (one, other) => one.or(other),
        };
        match nearest {
            Some((distance, at)) if distance <= max_age_us => at as u32,
            _ => NONE,
        }
    };
    targets.iter().map(pick).collect()
}

/// For each target, the index of the last sample at exactly that time; else [`NONE`].
pub fn exact(times: &[i64], targets: &[i64]) -> Vec<u32> {
    hold(times, targets, 0)
}

/// Cells of a column: a value for each, and whether it is one. Where it is none the value is arbitrary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells {
    /// One value a cell.
    pub values: Vec<f64>,
    /// Whether the cell has a value.
    pub is_known: Vec<bool>,
}

impl Cells {
    /// `count` cells without a value.
    pub fn none(count: usize) -> Self {
        Self { values: vec![0.0; count], is_known: vec![false; count] }
    }

    /// Some of the cells, to be filled.
    ///
    /// # Panics
    /// If `cells` are not all cells.
    pub fn part(&mut self, cells: std::ops::Range<usize>) -> CellsMut<'_> {
        CellsMut { values: &mut self.values[cells.clone()], is_known: &mut self.is_known[cells] }
    }

    /// Room for `count` cells.
    pub fn with_capacity(count: usize) -> Self {
        Self { values: Vec::with_capacity(count), is_known: Vec::with_capacity(count) }
    }

    /// Adds a cell.
    pub fn push(&mut self, value: Option<f64>) {
        self.values.push(value.unwrap_or(f64::NAN));
        self.is_known.push(value.is_some());
    }

    /// The cell, if it has a value.
    ///
    /// # Panics
    /// If `at` is not a cell.
    pub fn get(&self, at: usize) -> Option<f64> {
        self.is_known[at].then_some(self.values[at])
    }

    /// All cells in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<f64>> {
        self.values.iter().zip(&self.is_known).map(|(value, is_known)| is_known.then_some(*value))
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds the cells of another column.
    pub fn append(&mut self, mut more: Self) {
        self.values.append(&mut more.values);
        self.is_known.append(&mut more.is_known);
    }
}

/// Cells that are filled: those without a value are left as they are.
#[derive(Debug)]
pub struct CellsMut<'a> {
    /// One value a cell.
    pub values: &'a mut [f64],
    /// Whether the cell has a value.
    pub is_known: &'a mut [bool],
}

impl CellsMut<'_> {
    /// Some of these cells.
    ///
    /// # Panics
    /// If `cells` are not all cells.
    pub fn part(&mut self, cells: std::ops::Range<usize>) -> CellsMut<'_> {
        CellsMut { values: &mut self.values[cells.clone()], is_known: &mut self.is_known[cells] }
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (&mut f64, &mut bool)> {
        self.values.iter_mut().zip(self.is_known.iter_mut())
    }
}

/// Numbers at ascending times, some of which may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a> {
    /// Microseconds since 1970 UTC, ascending.
    pub times: &'a [i64],
    /// One value for each time; arbitrary where it is missing.
    pub values: &'a [f64],
    /// The rows whose value is missing, ascending.
    pub missing: &'a [usize],
}

impl Numbers<'_> {
    #[inline]
    fn is_missing(&self, row: usize) -> bool {
        !self.missing.is_empty() && self.missing.binary_search(&row).is_ok()
    }
}

/// For each target, the value on the straight line between the samples on both sides of it, if these are at most
/// `max_gap_us` apart; none else, and outside the samples: nothing is extrapolated.
///
/// A sample at exactly the target gives its own value, the last one of equal times. A line from or to a sample whose value is
/// missing does not exist. NaN and infinities propagate.
pub fn linear(numbers: Numbers<'_>, targets: &[i64], max_gap_us: i64, mut cells: CellsMut<'_>) {
    let (times, values) = (numbers.times, &numbers.values[..numbers.times.len()]);
    let mut walk = Walk::new(times);
    let mut at = 0;
    while let Some(&target) = targets.get(at) {
        if numbers.missing.is_empty()
            && let Some(block) = targets[at..].first_chunk::<BLOCK>()
            && let Some(first) = walk.in_step(block, max_gap_us)
        {
            let cells = cells.part(at..at + BLOCK);
            cells.is_known.fill(true);
            let values = lines(&times[first..], &values[first..], block);
            cells.values.copy_from_slice(&values);
            at += BLOCK;
            continue;
        }
        let (cell, is_known) = (&mut cells.values[at], &mut cells.is_known[at]);
        at += 1;
        let after = walk.past(target);
        let Some(before) = after.checked_sub(1).filter(|row| !numbers.is_missing(*row)) else { continue };
        if times[before] == target {
            (*cell, *is_known) = (values[before], true);
        } else if after < times.len()
            && times[after] - times[before] <= max_gap_us
            && !numbers.is_missing(after)
        {
            let [value] = lines(&times[before..], &values[before..], &[target]);
            (*cell, *is_known) = (value, true);
        }
    }
}

/// The values at targets on the lines between each two samples, or those of the samples at their times.
#[inline]
fn lines<const N: usize>(times: &[i64], values: &[f64], targets: &[i64; N]) -> [f64; N] {
    let (times, values) = (&times[..=N], &values[..=N]);
    let fraction: [f64; N] =
        std::array::from_fn(|row| (targets[row] - times[row]) as f64 / (times[row + 1] - times[row]) as f64);
    std::array::from_fn(|row| {
        let rise = (values[row + 1] - values[row]) * fraction[row];
        // The neighbour of a sample may be infinite.
        if fraction[row] > 0.0 { values[row] + rise } else { values[row] }
    })
}

/// How many targets are looked at together.
const BLOCK: usize = 16;

/// For each target, the value of the last sample at or before it ([`hold`]), if it is not missing.
pub fn hold_values(numbers: Numbers<'_>, targets: &[i64], max_age_us: i64, mut cells: CellsMut<'_>) {
    let (times, values) = (numbers.times, &numbers.values[..numbers.times.len()]);
    let mut walk = Walk::new(times);
    for (&target, (cell, is_known)) in targets.iter().zip(cells.iter_mut()) {
        if let Some(before) = walk.past(target).checked_sub(1)
            && target - times[before] <= max_age_us
            && !numbers.is_missing(before)
        {
            (*cell, *is_known) = (values[before], true);
        }
    }
}

/// The ascending union of ascending series of times, each time once.
pub fn union(series: &[&[i64]]) -> Vec<i64> {
    let mut all = series.concat();
    #[expect(clippy::stable_sort_primitive, reason = "it finds the ascending runs and merges them")]
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hold_takes_the_last_twin_within_its_age() {
        let times = [0, 10, 10, 20];
        assert_eq!(hold(&times, &[-1, 0, 9, 10, 15, 16, 99], 5), [NONE, 0, NONE, 2, 2, NONE, NONE]);
        assert_eq!(hold(&times, &[9, 99], UNLIMITED), [0, 3]);
        assert_eq!(hold(&[], &[1], UNLIMITED), [NONE]);
    }

    #[test]
    fn nearest_ties_go_to_the_earlier_sample() {
        let times = [0, 10, 20, 20];
        assert_eq!(nearest(&times, &[-5, 4, 5, 6, 15, 16, 99], UNLIMITED), [0, 0, 0, 1, 1, 3, 3]);
        assert_eq!(nearest(&times, &[-5, 4, 99], 4), [NONE, 0, NONE]);
    }

    proptest! {
        /// Many targets that keep step with the samples have what each of them has alone.
        #[test]
        fn linear_is_the_same_for_one_target_and_for_many(
            steps in prop::collection::vec((0_i64..=300, 0_i64..=256, prop_oneof![8 => -9.0..9.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]), 0..200),
            late in prop::collection::vec(0_usize..200, 0..4),
            limit in prop_oneof![Just(300_i64), Just(256), Just(UNLIMITED)],
        ) {
            let (mut times, mut targets, mut values) = (Vec::new(), Vec::new(), Vec::new());
            let mut time = 0;
            for (at, (jitter, phase, value)) in steps.into_iter().enumerate() {
                // Mostly one sample and one target in each step of 256; sometimes one at the time of the other, or out of step.
                time += if late.contains(&at) { 256 + jitter } else { 256 };
                times.push(time);
                targets.push(time + if at % 5 == 0 { 0 } else { phase });
                values.push(value);
            }
            let numbers = Numbers { times: &times, values: &values, missing: &[] };
            let mut together = Cells::none(targets.len());
            linear(numbers, &targets, limit, together.part(0..targets.len()));
            for (at, target) in targets.iter().enumerate() {
                let mut alone = Cells::none(1);
                linear(numbers, &[*target], limit, alone.part(0..1));
                prop_assert_eq!(together.is_known[at], alone.is_known[0], "{}", at);
                prop_assert_eq!(together.values[at].to_bits(), alone.values[0].to_bits(), "{}", at);
            }
        }
    }

    #[test]
    fn linear_never_extrapolates_nor_crosses_a_gap() {
        let (times, values) = ([0, 10, 10, 110], [0.0, 1.0, 2.0, 12.0]);
        let all = |missing: &[usize], targets: &[i64], limit: i64| -> Vec<Option<f64>> {
            let mut cells = Cells::none(targets.len());
            let numbers = Numbers { times: &times, values: &values, missing };
            linear(numbers, targets, limit, cells.part(0..targets.len()));
            cells.iter().collect()
        };
        let at = |target: i64, limit: i64| all(&[], &[target], limit)[0];
        assert_eq!(at(5, 10), Some(0.5));
        assert_eq!(at(10, 10), Some(2.0), "the last of equal times");
        assert_eq!(at(60, 100), Some(7.0));
        assert_eq!(at(60, 99), None, "the samples are 100 apart");
        assert_eq!((at(-1, UNLIMITED), at(111, UNLIMITED)), (None, None));
        assert_eq!(at(110, 0), Some(12.0));
        assert_eq!(all(&[2], &[10, 60], 500), [None, None]);
    }

    proptest! {
        /// The slow obvious version is the test of the fast one.
        #[test]
        fn kernels_agree_with_a_search_through_all_samples(
            mut times in proptest::collection::vec(0_i64..60, 0..30),
            mut targets in proptest::collection::vec(-5_i64..70, 0..30),
            limit in 0_i64..20,
        ) {
            times.sort_unstable();
            targets.sort_unstable();
            let slow = |allowed: &dyn Fn(i64, i64) -> bool, distance: &dyn Fn(i64, i64) -> i64| -> Vec<u32> {
                targets.iter().map(|&target| {
                    let candidates = (0..times.len()).filter(|&at| allowed(times[at], target));
                    // The least distance, then the earlier time, then the last of equal times.
                    let best = candidates.min_by_key(|&at| (distance(times[at], target), times[at], usize::MAX - at));
                    best.map_or(NONE, |at| at as u32)
                }).collect()
            };
            let hold_oracle = slow(&|t, target| t <= target && target - t <= limit, &|t, target| target - t);
            prop_assert_eq!(hold(&times, &targets, limit), hold_oracle);
            let near_oracle = slow(&|t, target| (t - target).abs() <= limit, &|t, target| (t - target).abs());
            prop_assert_eq!(nearest(&times, &targets, limit), near_oracle);
            let values: Vec<f64> = (0..times.len()).map(|row| row as f64).collect();
            let mut held = Cells::none(targets.len());
            let numbers = Numbers { times: &times, values: &values, missing: &[] };
            hold_values(numbers, &targets, limit, held.part(0..targets.len()));
            let picked = hold(&times, &targets, limit).into_iter().map(|row| (row != NONE).then_some(f64::from(row)));
            prop_assert!(held.iter().eq(picked));
            let exact_oracle = slow(&|t, target| t == target, &|_, _| 0);
            prop_assert_eq!(exact(&times, &targets), exact_oracle);
            let mut both = [times.clone(), targets.clone()].concat();
            both.sort_unstable();
            both.dedup();
            prop_assert_eq!(union(&[&times, &targets]), both);
        }
    }
}
