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
        let found = self.search(target);
        self.step = found - self.after;
        self.after = found;
        found
    }

    fn search(&self, target: i64) -> usize {
        let mut at = self.after;
        let mut stride = 1;
        while at + stride <= self.times.len() && self.times[at + stride - 1] <= target {
            at += stride;
            stride *= 2;
        }
        let end = (at + stride).min(self.times.len());
        at + self.times[at..end].partition_point(|time| *time <= target)
    }
}
