//! Walking ascending times by ascending targets.

/// Finds, for ascending targets, how many times lie at or before each. Telemetry is regular, so the step of the last
/// target is tried first; what is far is found by doubling the stride.
pub(crate) struct Walk<'a> {
    times: &'a [i64],
    after: usize,
    step: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(times: &'a [i64]) -> Self {
        Self { times, after: 0, step: 0 }
    }

    /// The first index whose time is after `target`, which is not before that of the last call.
    #[inline]
    pub(crate) fn past(&mut self, target: i64) -> usize {
        let guess = self.after + self.step;
        if guess > 0
            && let Some([before, after]) = self.times.get(guess - 1..=guess)
            && *before <= target
            && target < *after
        {
            self.after = guess;
            return guess;
        }
        let found = self.search(target, guess.min(self.times.len()));
        self.step = found - self.after;
        self.after = found;
        found
    }

    /// As many calls of [`past`](Self::past) at once, where the next targets lie one between each two times that are no further
    /// apart than `max_step`, as those of two sensors of one cadence do: the index of the first of these times.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "what does not branch is a vector of comparisons: a tenth of the whole"
    )]
    #[inline]
    pub(crate) fn in_step<const N: usize>(&mut self, targets: &[i64; N], max_step: i64) -> Option<usize> {
        if self.step != 1 {
            return None;
        }
        let times = self.times.get(self.after..=self.after + N)?;
        let mut is_in_step = true;
        for ((before, after), target) in times.iter().zip(&times[1..]).zip(targets) {
            is_in_step &= (before <= target) & (target < after) & (after - before <= max_step);
        }
        let first = self.after;
        is_in_step.then(|| {
            self.after += N;
            first
        })
    }

    /// Looks around the guess: it is rarely far off, and what is near it lies in the same cache line.
    fn search(&self, target: i64, guess: usize) -> usize {
        let is_before = |at: usize| self.times[at] <= target;
        let (mut low, mut high) = (guess, guess);
        let mut stride = 1;
        // Everything below `low` is at or before the target, everything from `high` on after it.
        while low > self.after && !is_before(low - 1) {
            high = low - 1;
            low = low.saturating_sub(stride).max(self.after);
            stride *= 2;
        }
        if high == guess {
            while high < self.times.len() && is_before(high) {
                low = high + 1;
                high = (high + stride).min(self.times.len());
                stride *= 2;
            }
        }
        low + self.times[low..high.max(low)].partition_point(|time| *time <= target)
    }
}
