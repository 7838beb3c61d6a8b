//! A host that is down is given up once, not once for each request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edb_core::{Error, ErrorKind};
use tokio::time::Instant;

use crate::trouble::{Class, Trouble};

/// How many requests in a row must spend their tries on a host that answers, but answers none of them.
const GIVEN_UP_IN_A_ROW: u32 = 3;
/// The same, where they were too slow: the same host may answer when it is asked for less, as it then is.
const TOO_SLOW_IN_A_ROW: u32 = 8;
/// After this time one request may look whether the host is back.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// Whether a host is worth asking.
///
/// It opens when a request has spent its tries on connections that could not be made, while no other request succeeded, or
/// when several in a row were given up for another reason that may pass.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    successes: u64,
    given_up: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// What the others are told.
    reason: Error,
    since: Instant,
}

impl State {
    fn refusal(&self) -> Result<(), Error> {
        match &self.open {
            Some(open) if open.since.elapsed() < COOL_DOWN => {
                Err(open.reason.retold(open.reason.to_string()))
            }
            _ => Ok(()),
        }
    }
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request: what to hand back when it is given up.
    pub(crate) fn begin(&self) -> u64 {
        self.state().successes
    }

    /// Whether a try is worth waiting for its turn.
    ///
    /// # Errors
    /// With the reason why the host was given up.
    pub(crate) fn is_worth_waiting(&self) -> Result<(), Error> {
        self.state().refusal()
    }

    /// Whether a try may begin now.
    ///
    /// # Errors
    /// With the reason why the host was given up.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let mut state = self.state();
        state.refusal()?;
        if let Some(open) = &mut state.open {
            // This one looks; the others are refused until it has found something.
            open.since = Instant::now();
        }
        Ok(())
    }

    /// The host answered.
    pub(crate) fn succeeded(&self) {
        let mut state = self.state();
        state.successes += 1;
        state.given_up = 0;
        state.open = None;
    }

    /// A request was given up that began with `begun`.
    pub(crate) fn gave_up(&self, begun: u64, trouble: &Trouble) {
        let mut state = self.state();
        if state.successes != begun || state.open.is_some() {
            return;
        }
        state.given_up += 1;
        let in_a_row = if trouble.class == Class::Slow { TOO_SLOW_IN_A_ROW } else { GIVEN_UP_IN_A_ROW };
        let is_down = trouble.is_of_the_host()
            || (trouble.is_of_the_way() || trouble.error.kind() == ErrorKind::Unavailable)
                && state.given_up >= in_a_row;
        if is_down {
            let reason = format!("not tried: another request had failed: {}", trouble.error.chain());
            state.open =
                Some(Open { reason: trouble.error.retold(reason).with_tries(0), since: Instant::now() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(class: Class) -> Trouble {
        Trouble::new(class, Error::new(ErrorKind::Unavailable, "could not connect"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_host_is_given_up_at_once_and_looked_at_again_later() {
        let breaker = Breaker::default();
        let begun = breaker.begin();
        breaker.gave_up(begun, &trouble(Class::Unreachable));
        let error = breaker.check().unwrap_err();
        assert_eq!((error.tries(), error.to_string().contains("could not connect")), (0, true));
        assert!(breaker.is_worth_waiting().is_err());
        tokio::time::advance(COOL_DOWN).await;
        assert!(breaker.is_worth_waiting().is_ok(), "queueing is not looking yet");
        assert!(breaker.check().is_ok(), "one looks");
        assert!(breaker.check().is_err(), "the others wait");
        breaker.succeeded();
        assert!(breaker.check().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_bad_mnemonic_does_not_condemn_the_host() {
        let breaker = Breaker::default();
        let begun = breaker.begin();
        breaker.succeeded();
        breaker.gave_up(begun, &trouble(Class::Unreachable));
        assert!(breaker.check().is_ok(), "something succeeded meanwhile");
        let begun = breaker.begin();
        for given_up in 1..=3 {
            assert!(breaker.check().is_ok(), "{given_up}");
            breaker.gave_up(begun, &trouble(Class::Passing));
        }
        assert!(breaker.check().is_err(), "three in a row do");
        let other = Breaker::default();
        let refused = Trouble::new(Class::Final, Error::usage("404"));
        (0..9).for_each(|_| other.gave_up(0, &refused));
        assert!(other.check().is_ok(), "a refusal is an answer");
    }
}
