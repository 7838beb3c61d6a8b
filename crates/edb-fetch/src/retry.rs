//! When to try again.

use std::time::Duration;

use edb_core::ErrorKind;

/// Two budgets for one request: tries, and time spent waiting. The waits grow with decorrelated jitter.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How often to try at most, the first try included.
    pub tries: u32,
    /// How often to try at most when the answer was no telemetry, or was cut off.
    pub integrity_tries: u32,
    /// The shortest wait.
    pub shortest_wait: Duration,
    /// The longest wait, also for a `Retry-After` that asks for more.
    pub longest_wait: Duration,
    /// How long to wait in all.
    pub waiting_budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            integrity_tries: 2,
            shortest_wait: Duration::from_millis(500),
            longest_wait: Duration::from_mins(1),
            waiting_budget: Duration::from_mins(3),
        }
    }
}

/// What is left of the budgets of one request.
pub(crate) struct Retries {
    policy: RetryPolicy,
    pub(crate) tried: u32,
    waited: Duration,
    last_wait: Duration,
    random: u64,
}

impl Retries {
    /// `seed` makes the jitter of two requests differ.
    pub(crate) fn new(policy: RetryPolicy, seed: u64) -> Self {
        Self { policy, tried: 0, waited: Duration::ZERO, last_wait: policy.shortest_wait, random: seed | 1 }
    }

    /// How long to wait before the next try after a failure of `kind`; `None` when there is none. `asked` is the
    /// service's own `Retry-After`.
    pub(crate) fn next_wait(&mut self, kind: ErrorKind, asked: Option<Duration>) -> Option<Duration> {
        self.tried += 1;
        let tries = match kind {
            ErrorKind::Unavailable => self.policy.tries,
            ErrorKind::Integrity => self.policy.integrity_tries,
            _ => return None,
        };
        let most = self.last_wait * 3;
        let jitter = self.policy.shortest_wait
            + most.saturating_sub(self.policy.shortest_wait).mul_f64(self.fraction());
        let wait = asked.unwrap_or(jitter).min(self.policy.longest_wait);
        if self.tried >= tries || self.waited + wait > self.policy.waiting_budget {
            return None;
        }
        self.last_wait = wait.max(self.policy.shortest_wait);
        self.waited += wait;
        Some(wait)
    }

    /// A number in [0, 1) (xorshift64*).
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_never_tried_again() {
        let mut retries = Retries::new(RetryPolicy::default(), 7);
        for kind in [ErrorKind::Unauthorized, ErrorKind::Usage, ErrorKind::Disk, ErrorKind::UnknownMnemonic] {
            assert_eq!(retries.next_wait(kind, None), None, "{kind:?}");
        }
    }

    #[test]
    fn both_budgets_end_the_tries() {
        let policy = RetryPolicy::default();
        for seed in 0..1000 {
            let mut retries = Retries::new(policy, seed);
            let waits: Vec<_> =
                std::iter::from_fn(|| retries.next_wait(ErrorKind::Unavailable, None)).collect();
            assert!(waits.len() < policy.tries as usize);
            assert!(waits.iter().all(|wait| *wait >= policy.shortest_wait && *wait <= policy.longest_wait));
        }
        let mut retries = Retries::new(policy, 1);
        assert_eq!(
            retries.next_wait(ErrorKind::Unavailable, Some(Duration::from_secs(9999))),
            Some(policy.longest_wait)
        );
        let mut patient = Retries::new(RetryPolicy { tries: 1000, ..policy }, 1);
        let waits =
            std::iter::from_fn(|| patient.next_wait(ErrorKind::Unavailable, Some(Duration::from_secs(50))));
        assert_eq!(waits.count(), 3, "180 s of waiting hold three waits of 50 s");
    }

    #[test]
    fn an_answer_that_is_no_telemetry_is_tried_once_more() {
        let mut retries = Retries::new(RetryPolicy::default(), 3);
        assert!(retries.next_wait(ErrorKind::Integrity, None).is_some());
        assert!(retries.next_wait(ErrorKind::Integrity, None).is_none());
    }
}
