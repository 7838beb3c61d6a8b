//! When to try again.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::trouble::{Class, Trouble};

/// Where jitter comes from: numbers in [0, 1).
#[derive(Clone)]
pub struct Jitter(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Jitter {
    /// Numbers of the caller's.
    pub fn new(next: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) fn next(&self) -> f64 {
        (self.0)()
    }

    /// The same numbers for the same seed.
    pub fn seeded(seed: u64) -> Self {
        let count = AtomicU64::new(seed);
        Self::new(move || {
            // splitmix64
            let mut z = count.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        })
    }
}

impl Default for Jitter {
    /// Other numbers in each process, so that many machines do not come back at once.
    fn default() -> Self {
        Self::seeded(RandomState::new().hash_one(0))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

/// Two budgets for one request: tries, and time. The waits grow with decorrelated jitter.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// How often to try at most, the first try included.
    pub tries: u32,
    /// How often to try at most when no connection can be made, and when the service refuses with a status that ought to be
    /// final (4xx), but is known not always to be.
    pub odd_tries: u32,
    /// The shortest wait.
    pub shortest_wait: Duration,
    /// The longest wait, also for a `Retry-After` that asks for more.
    pub longest_wait: Duration,
    /// How long tries and waits may take after the first failure before no further one begins.
    pub longest_time: Duration,
    /// Where jitter comes from.
    pub jitter: Jitter,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            odd_tries: 3,
            shortest_wait: Duration::from_millis(500),
            longest_wait: Duration::from_mins(1),
            longest_time: Duration::from_mins(10),
            jitter: Jitter::default(),
        }
    }
}

/// What is left of the budgets of one request.
pub(crate) struct Retries<'a> {
    policy: &'a RetryPolicy,
    pub(crate) tried: u32,
    /// When the first try had failed: waiting for one's turn is no trying.
    since: Option<Instant>,
    last_wait: Duration,
    last_integrity: Option<(u64, String)>,
}

impl<'a> Retries<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy) -> Self {
        Self { policy, tried: 0, since: None, last_wait: policy.shortest_wait, last_integrity: None }
    }

    /// How long to wait before the next try; `None` when there is none.
    pub(crate) fn next_wait(&mut self, trouble: &Trouble) -> Option<Duration> {
        self.tried += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        let policy = self.policy;
        let tries = match trouble.class {
            Class::Passing | Class::Overload | Class::Slow => policy.tries,
            // Nobody gains by waiting long for what is not there.
            Class::Unreachable | Class::Odd => policy.tries.min(policy.odd_tries),
            Class::Integrity => {
                // The same bytes would be refused for the same reason a third time.
                let found = Some((trouble.after_bytes, trouble.error.to_string()));
                if self.last_integrity == found {
                    return None;
                }
                self.last_integrity = found;
                policy.tries
            }
            Class::Barred | Class::Final | Class::Stopped => return None,
        };
        let most = self.last_wait.saturating_mul(3).max(policy.shortest_wait);
        let jitter =
            policy.shortest_wait + most.saturating_sub(policy.shortest_wait).mul_f64(policy.jitter.next());
        let wait = trouble.wait.unwrap_or(jitter).min(policy.longest_wait);
        if self.tried >= tries || since.elapsed().saturating_add(wait) > policy.longest_time {
            return None;
        }
        self.last_wait = wait.max(policy.shortest_wait);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edb_core::{Error, ErrorKind};

    fn trouble(class: Class) -> Trouble {
        Trouble::new(class, Error::new(ErrorKind::Unavailable, "a test"))
    }

    #[test]
    fn refusals_are_never_tried_again() {
        let policy = RetryPolicy::default();
        for class in [Class::Final, Class::Barred] {
            assert_eq!(Retries::new(&policy).next_wait(&trouble(class)), None, "{class:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn both_budgets_end_the_tries() {
        for seed in 0..1000 {
            let policy = RetryPolicy { jitter: Jitter::seeded(seed), ..RetryPolicy::default() };
            let mut retries = Retries::new(&policy);
            let waits: Vec<_> = std::iter::from_fn(|| retries.next_wait(&trouble(Class::Passing))).collect();
            assert_eq!(waits.len() + 1, policy.tries as usize, "seed {seed}");
            assert!(waits.iter().all(|wait| *wait >= policy.shortest_wait && *wait <= policy.longest_wait));
        }
        let policy = RetryPolicy { tries: 1000, ..RetryPolicy::default() };
        let mut patient = Retries::new(&policy);
        let asks = Trouble { wait: Some(Duration::from_secs(9999)), ..trouble(Class::Overload) };
        let mut waits = 0;
        while let Some(wait) = patient.next_wait(&asks) {
            assert_eq!(wait, policy.longest_wait, "what the service asks for is obeyed up to a limit");
            tokio::time::advance(wait).await;
            waits += 1;
        }
        assert_eq!(waits, 10, "ten minutes hold ten waits of a minute");
    }

    #[test]
    fn jitter_is_what_it_is_given() {
        let policy = RetryPolicy { jitter: Jitter::new(|| 0.5), ..RetryPolicy::default() };
        let mut retries = Retries::new(&policy);
        let waits: Vec<_> = std::iter::from_fn(|| retries.next_wait(&trouble(Class::Passing))).collect();
        // Each lies half-way between the shortest wait and three times the one before.
        assert_eq!(waits, [1_000_000, 1_750_000, 2_875_000, 4_562_500].map(Duration::from_micros));
    }

    #[test]
    fn the_same_bytes_are_not_refused_a_third_time() {
        let policy = RetryPolicy::default();
        let bad = |text: &str, bytes| Trouble::of(Error::integrity(text)).after(bytes);
        let mut same = Retries::new(&policy);
        assert!(same.next_wait(&bad("line 3", 100)).is_some());
        assert!(same.next_wait(&bad("line 3", 100)).is_none());
        let mut other = Retries::new(&policy);
        for bytes in 0..4 {
            assert!(other.next_wait(&bad("line 3", bytes)).is_some(), "other bytes may be a passing fault");
        }
        assert!(other.next_wait(&bad("line 3", 9)).is_none(), "but not for ever");
    }
}
