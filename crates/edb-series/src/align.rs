//! Which sample stands for a series at a given time.
//!
//! Every kernel walks the samples and the targets once, O(n + m). Both must ascend. Every kernel has a limit: how old
//! (or far) a sample may be; [`UNLIMITED`] must be typed out.

/// No sample stands at this target.
pub const NONE: u32 = u32::MAX;

/// The limit that never bites.
pub const UNLIMITED: i64 = i64::MAX;

/// For each target, the index of the last sample at or before it, if it is at most `max_age_us` old; else [`NONE`].
/// Of samples with equal times the last one wins: it is the value in force.
pub fn hold(times: &[i64], targets: &[i64], max_age_us: i64) -> Vec<u32> {
    let mut after = 0;
    let pick = |&target: &i64| {
        after = advance(times, after, target);
        match after.checked_sub(1) {
            Some(at) if target - times[at] <= max_age_us => at as u32,
            _ => NONE,
        }
    };
    targets.iter().map(pick).collect()
}

/// For each target, the index of the sample nearest in time, if it is at most `max_age_us` away; else [`NONE`].
/// A tie goes to the earlier sample, which was known at the target; of equal times the last one wins.
pub fn nearest(times: &[i64], targets: &[i64], max_age_us: i64) -> Vec<u32> {
    let mut after = 0;
    let pick = |&target: &i64| {
        after = advance(times, after, target);
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

/// For each target, the value on the straight line between the samples on both sides of it, if these are at most
/// `max_gap_us` apart; `None` else, and outside the samples: nothing is extrapolated.
///
/// A sample at exactly the target gives its own value, the last one of equal times. `is_null` tells the samples that have
/// no value: a line from or to one of them does not exist. NaN and infinities propagate.
pub fn linear(
    times: &[i64],
    values: &[f64],
    is_null: impl Fn(usize) -> bool,
    targets: &[i64],
    max_gap_us: i64,
) -> Vec<Option<f64>> {
    let mut after = 0;
    let pick = |&target: &i64| {
        after = advance(times, after, target);
        let before = after.checked_sub(1).filter(|at| !is_null(*at))?;
        if times[before] == target {
            return Some(values[before]);
        }
        let gap = times.get(after)? - times[before];
        if gap > max_gap_us || is_null(after) {
            return None;
        }
        let fraction = (target - times[before]) as f64 / gap as f64;
        Some(values[before] + (values[after] - values[before]) * fraction)
    };
    targets.iter().map(pick).collect()
}

/// The ascending union of ascending series of times, each time once.
pub fn union(series: &[&[i64]]) -> Vec<i64> {
    let mut all = series.concat();
    // Concatenated ascending runs: the stable sort merges them without sorting each again.
    all.sort_unstable();
    all.dedup();
    all
}

/// The first index whose time is after `target`, searching from `from`.
fn advance(times: &[i64], from: usize, target: i64) -> usize {
    let mut at = from;
    // Near targets are a few samples away, far ones are found by doubling the stride.
    let mut stride = 1;
    while at + stride <= times.len() && times[at + stride - 1] <= target {
        at += stride;
        stride *= 2;
    }
    let end = (at + stride).min(times.len());
    at + times[at..end].partition_point(|time| *time <= target)
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

    #[test]
    fn linear_never_extrapolates_nor_crosses_a_gap() {
        let (times, values) = ([0, 10, 10, 110], [0.0, 1.0, 2.0, 12.0]);
        let at = |target: i64, limit: i64| linear(&times, &values, |_| false, &[target], limit)[0];
        assert_eq!(at(5, 10), Some(0.5));
        assert_eq!(at(10, 10), Some(2.0), "the last of equal times");
        assert_eq!(at(60, 100), Some(7.0));
        assert_eq!(at(60, 99), None, "the samples are 100 apart");
        assert_eq!((at(-1, UNLIMITED), at(111, UNLIMITED)), (None, None));
        assert_eq!(at(110, 0), Some(12.0));
        assert_eq!(linear(&times, &values, |at| at == 2, &[10, 60], 500), [None, None]);
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
            let exact_oracle = slow(&|t, target| t == target, &|_, _| 0);
            prop_assert_eq!(exact(&times, &targets), exact_oracle);
            let mut both = [times.clone(), targets.clone()].concat();
            both.sort_unstable();
            both.dedup();
            prop_assert_eq!(union(&[&times, &targets]), both);
        }
    }
}
