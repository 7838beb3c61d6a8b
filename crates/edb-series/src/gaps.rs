//! Where a series has gaps: steps between samples that are longer than its cadence explains.
//!
//! A change-only series has no gaps in this sense: it is silent while its value holds, so no limit follows from its steps.
//! Callers do not ask these kernels about such a series.

/// The cadence of a series in microseconds: the median of its positive steps, the lower of two; `None` if there are none.
///
/// # Shapes
/// - `times`: microseconds since 1970 UTC, ascending. Equal times are one moment: their steps of 0 do not count
///
/// # Cost
/// O(n), exact. Steps of some hundred lengths are counted; only where there are more, selection on a copy of them, 8 bytes each. No sampling, so
/// the answer does not depend on luck.
///
/// # Examples
/// ```
/// assert_eq!(edb_series::gaps::cadence_us(&[0, 256, 256, 512, 9000]), Some(256));
/// assert_eq!(edb_series::gaps::cadence_us(&[7]), None);
/// ```
pub fn cadence_us(times: &[i64]) -> Option<i64> {
    let steps = || times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).filter(|step| *step > 0);
    let mut counts = Counts::default();
    if steps().all(|step| counts.add(step) <= MOST_LENGTHS) {
        return counts.ascending().lower_median();
    }
    let mut steps: Vec<i64> = steps().collect();
    let middle = (steps.len() - 1) / 2;
    Some(*steps.select_nth_unstable(middle).1)
}

/// Steps of more lengths than this are not counted, where that is a choice.
const MOST_LENGTHS: usize = 512;

/// How often each step comes that is longer than nothing: a table with places that are found by multiplication, which for the few lengths
/// that steps have is several times as fast as a map that must not be deceived.
#[derive(Debug, Clone)]
struct Counts {
    /// A power of two of places, half of them empty at least: a length of 0 is an empty one.
    table: Vec<(i64, usize)>,
    lengths: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self { table: vec![(0, 0); 2 * MOST_LENGTHS], lengths: 0 }
    }
}

impl Counts {
    /// Counts a step, which is longer than nothing; returns how many lengths there are now.
    #[inline]
    fn add(&mut self, step: i64) -> usize {
        let last = self.table.len() - 1;
        let mut place = self.place(step);
        loop {
            let (length, count) = &mut self.table[place & last];
            if *length == step {
                *count += 1;
                return self.lengths;
            }
            if *length == 0 {
                return self.begin(step);
            }
            place += 1;
        }
    }

    /// Where a step is sought first. Steps that are alike differ in their last digits, which multiplication carries to the front.
    #[inline]
    fn place(&self, step: i64) -> usize {
        ((step as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - self.table.len().ilog2())) as usize
    }

    /// Counts the first step of a length.
    #[cold]
    fn begin(&mut self, step: i64) -> usize {
        self.lengths += 1;
        let mut entries = vec![(step, 1)];
        if 2 * self.lengths > self.table.len() {
            let table = vec![(0, 0); 2 * self.table.len()];
            entries.append(&mut std::mem::replace(&mut self.table, table));
        }
        for entry in entries.into_iter().filter(|(length, _)| *length > 0) {
            let mut place = self.place(entry.0);
            while self.table[place].0 > 0 {
                place = (place + 1) % self.table.len();
            }
            self.table[place] = entry;
        }
        self.lengths
    }

    fn ascending(&self) -> Ascending {
        let mut counts: Vec<(i64, usize)> =
            self.table.iter().copied().filter(|(length, _)| *length > 0).collect();
        counts.sort_unstable();
        Ascending(counts)
    }
}

/// Steps and how often each comes, ascending.
struct Ascending(Vec<(i64, usize)>);

impl Ascending {
    /// The middle step, the lower of two.
    fn lower_median(&self) -> Option<i64> {
        let all: usize = self.0.iter().map(|(_, count)| count).sum();
        let mut left = all.checked_sub(1)? / 2;
        for (step, count) in &self.0 {
            if left < *count {
                return Some(*step);
            }
            left -= count;
        }
        None
    }
}

/// How far the steps of a series stray from its cadence, in microseconds: 19 of 20 of the steps that are no gaps
/// ([`gap_limit_us`]) do not stray further.
pub fn jitter_us(times: &[i64], cadence_us: i64) -> i64 {
    let limit = gap_limit_us(cadence_us);
    let steps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
    let mut strays: Vec<i64> =
        steps.filter(|step| *step <= limit).map(|step| (step - cadence_us).abs()).collect();
    if strays.is_empty() {
        return 0;
    }
    let place = (strays.len() - 1) * 19 / 20;
    *strays.select_nth_unstable(place).1
}

/// How far off its nominal tick one time stamp may be. Two of them bound the error of a step.
const JITTER_US: i64 = 1_000;

/// The longest step that is not a gap: one and a half cadences, and never less than the cadence plus the jitter of two
/// time stamps (1 ms each).
///
/// One missing sample makes a step of two cadences, so it is a gap; a late sample makes a step well below one and a half.
/// This is the only place that states the rule.
pub fn gap_limit_us(cadence_us: i64) -> i64 {
    let cadence = cadence_us.max(1);
    cadence.saturating_add((cadence / 2).max(2 * JITTER_US))
}

/// The gaps: every `i` for which `times[i + 1] - times[i]` exceeds `limit_us`, ascending.
///
/// # Shapes
/// - `times`: microseconds since 1970 UTC, ascending
///
/// # Examples
/// ```
/// use edb_series::gaps::{cadence_us, gap_limit_us, gaps};
///
/// let times = [0, 256_000, 512_000, 1_024_000, 1_280_000];
/// let limit = gap_limit_us(cadence_us(&times).unwrap());
/// assert_eq!(gaps(&times, limit), [2]);
/// ```
pub fn gaps(times: &[i64], limit_us: i64) -> Vec<usize> {
    let steps = times.windows(2).enumerate();
    steps.filter(|(_, pair)| pair[1].saturating_sub(pair[0]) > limit_us).map(|(at, _)| at).collect()
}

/// The steps of a series that comes in parts, counted.
///
/// # Cost
/// O(1) for each time, and memory for each different step: telemetry has few.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    counts: Counts,
    times: usize,
    last: Option<i64>,
}

/// What the steps of a series with a cadence say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regular {
    /// The cadence ([`cadence_us`]).
    pub cadence_us: i64,
    /// How many gaps there are.
    pub gaps: usize,
    /// The longest of them.
    pub longest_us: Option<i64>,
}

impl Steps {
    /// Adds times, each at or after those before.
    pub fn add(&mut self, times: &[i64]) {
        self.times += times.len();
        for time in times {
            let step = self.last.replace(*time).map_or(0, |last| time.saturating_sub(last));
            if step > 0 {
                self.counts.add(step);
            }
        }
    }

    /// Number of times.
    pub fn times(&self) -> usize {
        self.times
    }

    /// What [`regular_gaps`] says of all of them.
    pub fn regular(&self) -> Option<Regular> {
        let steps = self.counts.ascending();
        let cadence_us = steps.lower_median()?;
        let limit = gap_limit_us(cadence_us);
        let long = || steps.0.iter().filter(|(step, _)| *step > limit);
        let gaps = long().map(|(_, count)| count).sum::<usize>();
        let is_regular = self.times >= 10 && gaps * 10 < self.times;
        is_regular.then(|| Regular { cadence_us, gaps, longest_us: long().map(|(step, _)| *step).max() })
    }
}

/// The cadence and the [`gaps`] of times that have a cadence: at most a tenth of the steps are longer than the limit that
/// the median step sets ([`gap_limit_us`]). `None` for fewer than ten times, and for times that come as they please (event
/// messages, changes of state).
pub fn regular_gaps(times: &[i64]) -> Option<(i64, Vec<usize>)> {
    let cadence = cadence_us(times).filter(|_| times.len() >= 10)?;
    let gaps = gaps(times, gap_limit_us(cadence));
    (gaps.len() * 10 < times.len()).then_some((cadence, gaps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gaps_of(times: &[i64]) -> Vec<usize> {
        cadence_us(times).map(|cadence| gaps(times, gap_limit_us(cadence))).unwrap_or_default()
    }

    #[test]
    fn one_missing_sample_is_a_gap() {
        assert_eq!(gaps_of(&[0, 256_000, 512_000, 1_024_000, 1_280_000]), [2]);
    }

    #[test]
    fn jitter_of_a_millisecond_is_not_a_gap() {
        for cadence in [2_000, 64_000, 256_000, 1_024_000, 60_000_000] {
            let times: Vec<i64> = (0..1000_i64).map(|at| at * cadence + (at * 37 % 3 - 1) * 1_000).collect();
            assert_eq!(gaps_of(&times), [0; 0], "{cadence}");
        }
    }

    #[test]
    fn equal_times_neither_set_the_cadence_nor_make_gaps() {
        let times = [0, 0, 0, 0, 0, 1_000_000, 1_000_000, 2_000_000, 5_000_000];
        assert_eq!(cadence_us(&times), Some(1_000_000));
        assert_eq!(gaps_of(&times), [7]);
        assert_eq!(cadence_us(&[5, 5, 5]), None);
    }

    #[test]
    fn none_and_one_sample_have_no_cadence_and_no_gap() {
        assert_eq!(cadence_us(&[]), None);
        assert_eq!(cadence_us(&[3]), None);
        assert_eq!(gaps(&[], 1), [0; 0]);
        assert_eq!(gaps(&[3], 1), [0; 0]);
    }

    #[test]
    fn jitter_is_what_most_steps_stay_within() {
        let times: Vec<i64> = (0..100).map(|at| at * 1000 + if at == 50 { 300 } else { at % 3 }).collect();
        let cadence = cadence_us(&times).unwrap();
        assert_eq!((cadence, jitter_us(&times, cadence)), (1001, 3));
        assert_eq!(jitter_us(&[5], 10), 0);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let times = [i64::MIN, 0, i64::MAX];
        assert_eq!(gaps(&times, gap_limit_us(1)), [0, 1]);
        assert_eq!(gap_limit_us(i64::MAX), i64::MAX);
    }

    proptest! {
        #[test]
        fn steps_that_come_in_parts_say_what_they_say_at_once(
            steps in proptest::collection::vec(prop_oneof![8 => Just(256_000_i64), 2 => 0..400_000_i64, 1 => 0..9_000_000_i64], 0..60),
            part in 1_usize..20,
        ) {
            let times: Vec<i64> =
                steps.iter().scan(0, |time, step| { *time += step; Some(*time) }).collect();
            let mut counted = Steps::default();
            times.chunks(part).for_each(|part| counted.add(part));
            let expected = regular_gaps(&times).map(|(cadence_us, gaps)| Regular {
                cadence_us,
                gaps: gaps.len(),
                longest_us: gaps.iter().map(|at| times[at + 1] - times[*at]).max(),
            });
            prop_assert_eq!(counted.regular(), expected);
            prop_assert_eq!(counted.times(), times.len());
        }
    }

    proptest! {
        /// The oracle sorts.
        #[test]
        fn cadence_is_the_lower_median_of_the_positive_steps(steps in prop_oneof![
            proptest::collection::vec(0_i64..50, 0..60),
            // More lengths than are counted.
            proptest::collection::vec(0_i64..1_000_000, 900..1000),
        ]) {
            let times: Vec<i64> = std::iter::once(0)
                .chain(steps.iter().scan(0, |time, step| { *time += step; Some(*time) }))
                .collect();
            let mut positive: Vec<i64> = steps.into_iter().filter(|step| *step > 0).collect();
            positive.sort_unstable();
            let expected = (!positive.is_empty()).then(|| positive[(positive.len() - 1) / 2]);
            prop_assert_eq!(cadence_us(&times), expected);
        }
    }

    #[test]
    fn times_that_come_as_they_please_have_no_gaps() {
        let mut times: Vec<i64> = (0..40).map(|n| n * 256_000).collect();
        times.drain(20..25);
        assert_eq!(regular_gaps(&times), Some((256_000, vec![19])));
        let events: Vec<i64> = (0..40_i64).map(|n| n * n * n * 1_024_000).collect();
        assert_eq!(regular_gaps(&events), None);
        assert_eq!(regular_gaps(&[0, 256_000]), None);
    }
}
