//! Statistics that need values in order of size: median, percentiles, sigma clipping.

use crate::bins::{LANES, Sums, squares_about, total};

/// How a percentile that falls between two values is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantile {
    /// On the straight line through `(i / (n - 1), x[i])`: the default of numpy, pandas and Polars (type 7 of Hyndman and Fan).
    Linear,
    /// With plotting positions `(i + 1 - 0.4) / (n + 0.2)`, as Chandra's cheta has it (Cunnane 1978).
    Cunnane,
}

/// Sorts without NaN in mind; -0.0 comes before 0.0.
pub fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

/// The median of sorted values: the middle one, or the mean of the two in the middle.
///
/// # Panics
/// If there are none.
pub fn median_of_sorted(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[half - 1], sorted[half]) } else { sorted[half] }
}

/// The median, at less than the cost of sorting; the values change places.
///
/// # Panics
/// If there are none.
pub fn median(values: &mut [f64]) -> f64 {
    let count = values.len();
    let (below, &mut middle, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(lower) if count.is_multiple_of(2) => f64::midpoint(lower, middle),
        _ => middle,
    }
}

/// The value below which `percent` (0 to 100) of the sorted values lie.
///
/// # Panics
/// If there are none.
pub fn percentile_of_sorted(sorted: &[f64], percent: f64, method: Quantile) -> f64 {
    let (count, p) = (sorted.len() as f64, percent / 100.0);
    // Counted from 0, and never beyond the ends.
    let place = match method {
        Quantile::Linear => p * (count - 1.0),
        Quantile::Cunnane => p * count + 0.4 + 0.2 * p - 1.0,
    };
    let place = place.clamp(0.0, count - 1.0);
    let (below, fraction) = (place.floor(), place.fract());
    let lower = sorted[below as usize];
    match sorted.get(below as usize + 1) {
        Some(upper) if fraction > 0.0 => lower + (upper - lower) * fraction,
        _ => lower,
    }
}

/// How far sigma clipping goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// How many standard deviations from the median a value may be.
    pub sigma: f64,
    /// How often at most what is beyond is left out; none is until nothing is beyond.
    pub max_iterations: Option<u32>,
}

impl Default for Clip {
    /// Three sigma and five times, as astropy and the JWQL monitor have it.
    fn default() -> Self {
        Self { sigma: 3.0, max_iterations: Some(5) }
    }
}

/// What sigma clipping leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clipped {
    /// How many values are left.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their median.
    pub median: f64,
    /// Their population standard deviation.
    pub std: f64,
}

/// Working memory of [`clip`].
#[derive(Debug, Default)]
pub struct Scratch {
    buckets: Vec<u8>,
    middle: Vec<f64>,
}

/// Leaves out what is further than `sigma` population standard deviations from the median, again and again, until nothing
/// is. The values are finite, in any order; `None` if there are none, or if (with less than one sigma) all would be left out.
///
/// # Cost
/// The values are put into 256 buckets once; medians are then found among the few that share a bucket, sorted once, since
/// clipping hardly moves them. What stays lies between two borders, so that a round costs two passes without a branch.
///
/// # Source
/// The rule of `astropy.stats.sigma_clip` with its defaults (`cenfunc="median"`, `stdfunc="std"`): a value exactly on the
/// border stays. Checked against astropy.
pub fn clip(values: &[f64], options: Clip, scratch: &mut Scratch) -> Option<Clipped> {
    if values.is_empty() {
        return None;
    }
    let sums = Sums::of(values);
    let mut ranks = Ranks::of(values, sums.min, sums.max, scratch);
    let (mut low, mut high) = (sums.min, sums.max);
    let (mut below, mut count) = (0, values.len());
    let mut mean = sums.mean(count);
    let mut std = (squares_about(values, mean) / count as f64).sqrt();
    let mut rounds = 0;
    loop {
        let median = ranks.median(below, count);
        let found = Clipped { count, mean, median, std };
        (low, high) = (low.max(median - options.sigma * std), high.min(median + options.sigma * std));
        if options.max_iterations == Some(rounds) {
            return Some(found);
        }
        let between = Between::of(values, low, high, median);
        if between.count == count {
            return Some(found);
        }
        if between.count == 0 {
            return None;
        }
        (below, count) = (between.below, between.count);
        // About the median, so that values that are all the same have no deviation at all.
        mean = median + between.offsets / count as f64;
        std = (squares_between(values, low, high, mean) / count as f64).sqrt();
        rounds += 1;
    }
}

/// What lies between two borders, both inside.
struct Between {
    below: usize,
    count: usize,
    /// The sum of the distances from a centre.
    offsets: f64,
}

impl Between {
    fn of(values: &[f64], low: f64, high: f64, centre: f64) -> Self {
        let (mut below, mut above, mut sum) = ([0_u64; LANES], [0_u64; LANES], [0.0; LANES]);
        for_lanes(values, |lane, value| {
            let (is_below, is_above) = (value < low, value > high);
            below[lane] += u64::from(is_below);
            above[lane] += u64::from(is_above);
            sum[lane] += if is_below | is_above { 0.0 } else { value - centre };
        });
        let (below, above) = (below.iter().sum::<u64>() as usize, above.iter().sum::<u64>() as usize);
        Self { below, count: values.len().saturating_sub(below + above), offsets: total(sum) }
    }
}

/// [`squares_about`] of what lies between two borders.
fn squares_between(values: &[f64], low: f64, high: f64, centre: f64) -> f64 {
    let mut squares = [0.0; LANES];
    for_lanes(values, |lane, value| {
        let off = if value >= low && value <= high { value - centre } else { 0.0 };
        squares[lane] += off * off;
    });
    total(squares)
}

#[inline]
fn for_lanes(values: &[f64], mut step: impl FnMut(usize, f64)) {
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        chunk.iter().enumerate().for_each(|(lane, value)| step(lane, *value));
    }
    rest.iter().enumerate().for_each(|(lane, value)| step(lane, *value));
}

/// The lowest bits of a double that is not much larger than this are its whole part, rounded: a cast that needs no checks.
const WHOLE: f64 = (1_u64 << 52) as f64;

/// Values by size, as far as medians need it: in 256 buckets of equal width, one of them sorted.
struct Ranks<'a> {
    values: &'a [f64],
    buckets: &'a [u8],
    /// How many values lie in lower buckets.
    below: [u32; 257],
    /// The bucket that is sorted.
    sorted: usize,
    middle: &'a mut Vec<f64>,
}

impl<'a> Ranks<'a> {
    fn of(values: &'a [f64], min: f64, max: f64, scratch: &'a mut Scratch) -> Self {
        let Scratch { buckets, middle } = scratch;
        // All alike, or so far apart that the width is infinite: one bucket, and no harm but time.
        let scale = Some(255.0 / (max - min)).filter(|scale| scale.is_normal()).unwrap_or_default();
        buckets.clear();
        buckets.extend(values.iter().map(|value| ((value - min) * scale + WHOLE).to_bits() as u8));
        // Neighbours share buckets; four counters each, so that one need not wait for the other.
        let mut counts = [[0_u32; 256]; 4];
        let (chunks, rest) = buckets.as_chunks::<4>();
        for chunk in chunks {
            for lane in 0..4 {
                counts[lane][usize::from(chunk[lane])] += 1;
            }
        }
        rest.iter().for_each(|bucket| counts[0][usize::from(*bucket)] += 1);
        let mut below = [0; 257];
        for bucket in 0..256 {
            below[bucket + 1] = below[bucket] + counts.iter().map(|lane| lane[bucket]).sum::<u32>();
        }
        Self { values, buckets, below, sorted: usize::MAX, middle }
    }

    /// The median of `count` values of which `first` are lower.
    fn median(&mut self, first: usize, count: usize) -> f64 {
        let (lower, upper) = (first + (count - 1) / 2, first + count / 2);
        let high = self.at(upper);
        if lower == upper { high } else { f64::midpoint(self.at(lower), high) }
    }

    /// The value with so many lower ones.
    fn at(&mut self, rank: usize) -> f64 {
        let bucket = self.below.partition_point(|below| *below as usize <= rank) - 1;
        if bucket != self.sorted {
            self.sorted = bucket;
            self.middle.clear();
            let members =
                self.values.iter().zip(self.buckets).filter(|(_, own)| usize::from(**own) == bucket);
            self.middle.extend(members.map(|(value, _)| *value));
            sort(self.middle);
        }
        self.middle[rank - self.below[bucket] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_have_the_place_that_their_method_says() {
        // From the survey of cheta: the same ten values by both methods.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        for (percent, linear, cunnane) in
            [(1.0, 1.09, 1.0), (5.0, 1.45, 1.0), (16.0, 2.44, 2.032), (50.0, 5.5, 5.5), (95.0, 9.55, 10.0)]
        {
            let at = |method| percentile_of_sorted(&ten, percent, method);
            assert!((at(Quantile::Linear) - linear).abs() < 1e-12, "{percent}");
            assert!((at(Quantile::Cunnane) - cunnane).abs() < 1e-12, "{percent}");
        }
        assert!((percentile_of_sorted(&[3.0], 99.0, Quantile::Cunnane) - 3.0).abs() < 1e-15);
    }

    #[test]
    fn values_that_are_all_the_same_have_no_deviation() {
        let mut values = vec![0.999_994_3; 1000];
        let clip = |values: &[f64]| super::clip(values, Clip::default(), &mut Scratch::default()).unwrap();
        let constant = clip(&values);
        values[17] = 55.0;
        let clipped = clip(&values);
        assert!(constant.std == 0.0 && clipped.std == 0.0, "{constant:?} {clipped:?}");
        assert_eq!((clipped.count, clipped.mean.to_bits()), (999, values[0].to_bits()));
    }

    /// Straight from astropy's description, on values in any order.
    fn clip_slowly(values: &[f64], options: Clip) -> Option<(usize, f64)> {
        let mut kept = values.to_vec();
        let mut rounds = 0;
        while options.max_iterations.is_none_or(|most| rounds < most) && !kept.is_empty() {
            let mean = kept.iter().sum::<f64>() / kept.len() as f64;
            let std =
                (kept.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / kept.len() as f64).sqrt();
            let centre = median(&mut kept.clone());
            let before = kept.len();
            // A hair's breadth, so that the order of summing does not decide about values on the border.
            kept.retain(|value| (value - centre).abs() <= options.sigma * std * (1.0 + 1e-12));
            rounds += 1;
            if kept.len() == before {
                break;
            }
        }
        (!kept.is_empty()).then(|| (kept.len(), kept.iter().sum::<f64>() / kept.len() as f64))
    }

    proptest! {
        #[test]
        fn clipping_agrees_with_its_description(
            values in proptest::collection::vec(prop_oneof![8 => -1.0_f64..1.0, 1 => -50.0_f64..50.0, 1 => Just(3.0)], 0..80),
            sigma in 1.5_f64..4.0, most in proptest::option::of(0_u32..6),
        ) {
            let options = Clip { sigma, max_iterations: most };
            let mut sorted = values.clone();
            sort(&mut sorted);
            let (fast, slow) = (clip(&values, options, &mut Scratch::default()), clip_slowly(&values, options));
            prop_assert_eq!(fast.map(|it| it.count), slow.map(|it| it.0));
            if let (Some(fast), Some(slow)) = (fast, slow) {
                prop_assert!((fast.mean - slow.1).abs() < 1e-12);
            }
            if !values.is_empty() {
                prop_assert!((median(&mut values.clone()) - median_of_sorted(&sorted)).abs() < 1e-15);
            }
        }
    }
}
