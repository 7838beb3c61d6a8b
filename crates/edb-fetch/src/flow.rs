//! How much is asked of a service at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Answers that lately begin this much later than they used to mean that the service is struggling.
const STRUGGLING_FACTOR: f64 = 2.0;
const STRUGGLING_BEYOND_S: f64 = 0.5;
/// The weights of one answer in the two running means of latencies.
const LATELY_WEIGHT: f64 = 0.2;
const USUALLY_WEIGHT: f64 = 0.02;

/// No pause is longer: clocks do not count further than they must.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// What may be asked of a service.
#[derive(Debug, Clone, Copy)]
pub struct FlowOptions {
    /// Requests under way at once, at most: the service's answers decide how many fewer.
    pub concurrency: usize,
    /// Requests begun each second, at most.
    pub requests_per_second: Option<f64>,
    /// Bytes of answers each second, at most, over all requests.
    pub bytes_per_second: Option<u64>,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self { concurrency: 8, requests_per_second: None, bytes_per_second: None }
    }
}

/// The gate that every request to one service goes through.
///
/// The number of places grows by one in the time that all of them take to be answered once, and halves when the service says
/// that it has too much to do (429, 503) or lately takes much longer than usually to begin its answers.
#[derive(Debug)]
pub(crate) struct Flow {
    options: FlowOptions,
    state: Mutex<State>,
    is_free: Notify,
}

#[derive(Debug)]
struct State {
    places: f64,
    in_use: usize,
    /// Counts the times that `places` shrank: requests begun before do not shrink it again.
    era: u64,
    /// Nothing begins before.
    not_before: Instant,
    next_byte: Instant,
    /// Mean latency lately and usually, in seconds; `None` before the first answer.
    latency_s: Option<(f64, f64)>,
}

/// A place in the flow; it is free again when this is dropped.
pub(crate) struct Place<'a> {
    flow: &'a Flow,
    era: u64,
}

impl Flow {
    pub(crate) fn new(options: FlowOptions) -> Self {
        let state = State {
            places: options.concurrency.max(1) as f64,
            in_use: 0,
            era: 0,
            not_before: Instant::now(),
            next_byte: Instant::now(),
            latency_s: None,
        };
        Self { options, state: Mutex::new(state), is_free: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place, and for the moment when a request may begin.
    pub(crate) async fn enter(&self) -> Place<'_> {
        loop {
            // Enlisted before the look, so that a place that is freed in between is not missed.
            let mut freed = std::pin::pin!(self.is_free.notified());
            freed.as_mut().enable();
            {
                let mut state = self.state();
                if (state.in_use as f64) < state.places.floor().max(1.0) {
                    state.in_use += 1;
                    break;
                }
            }
            freed.await;
        }
        let place = Place { flow: self, era: self.state().era };
        loop {
            let until = {
                let mut state = self.state();
                let now = Instant::now();
                if state.not_before <= now {
                    if let Some(rate) = self.options.requests_per_second {
                        let spacing = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(LONGEST_PAUSE);
                        state.not_before = now + spacing.min(LONGEST_PAUSE);
                    }
                    break;
                }
                state.not_before
            };
            sleep_until(until).await;
        }
        place
    }

    /// Waits as long as it takes for so many more bytes to fit into the bandwidth.
    pub(crate) async fn take(&self, bytes: u64) {
        let Some(limit) = self.options.bytes_per_second else { return };
        let until = {
            let mut state = self.state();
            let from = state.next_byte.max(Instant::now());
            state.next_byte =
                from + Duration::from_secs_f64(bytes as f64 / limit.max(1) as f64).min(LONGEST_PAUSE);
            from
        };
        sleep_until(until).await;
    }

    /// Places there are now.
    pub(crate) fn places(&self) -> usize {
        self.state().places as usize
    }
}

impl Place<'_> {
    /// The service began to answer after `latency`.
    pub(crate) fn answered(&self, latency: Duration) {
        let mut state = self.flow.state();
        let seconds = latency.as_secs_f64();
        let (lately, usually) = state.latency_s.unwrap_or((seconds, seconds));
        let lately = lately + LATELY_WEIGHT * (seconds - lately);
        let usually = usually + USUALLY_WEIGHT * (seconds - usually);
        let is_struggling = lately > usually * STRUGGLING_FACTOR + STRUGGLING_BEYOND_S;
        // What comes next is measured against the new number of places.
        state.latency_s = Some((if is_struggling { usually } else { lately }, usually));
        if is_struggling {
            self.shrink(&mut state);
        } else {
            let most = self.flow.options.concurrency.max(1) as f64;
            state.places = (state.places + 1.0 / state.places).min(most);
            // Whoever leaves makes room for one; this may have made room for another.
            self.flow.is_free.notify_one();
        }
    }

    /// The service has too much to do, and may ask that nothing be begun for some time.
    pub(crate) fn refused(&self, wait: Option<Duration>) {
        let mut state = self.flow.state();
        self.shrink(&mut state);
        if let Some(wait) = wait {
            state.not_before = state.not_before.max(Instant::now() + wait.min(LONGEST_PAUSE));
        }
    }

    fn shrink(&self, state: &mut State) {
        if self.era == state.era {
            state.era += 1;
            state.places = (state.places / 2.0).max(1.0);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.flow.state().in_use -= 1;
        self.flow.is_free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn places_halve_once_for_a_burst_of_refusals_and_grow_back() {
        let flow = Flow::new(FlowOptions::default());
        let places = futures_util::future::join_all((0..8).map(|_| flow.enter())).await;
        places.iter().for_each(|place| place.refused(None));
        assert_eq!(flow.places(), 4, "eight refusals of one burst are one reason");
        drop(places);
        for _ in 0..4 + 5 + 6 + 7 {
            flow.enter().await.answered(MS);
        }
        assert_eq!(flow.places(), 7);
        for _ in 0..100 {
            flow.enter().await.answered(MS);
        }
        assert_eq!(flow.places(), 8, "never more than was allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_places_are_inside() {
        let flow = Flow::new(FlowOptions { concurrency: 2, ..FlowOptions::default() });
        let (first, _second) = (flow.enter().await, flow.enter().await);
        assert!(tokio::time::timeout(MS, flow.enter()).await.is_err());
        drop(first);
        assert!(tokio::time::timeout(MS, flow.enter()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_take_the_places_that_grow_back() {
        let flow = Flow::new(FlowOptions { concurrency: 2, ..FlowOptions::default() });
        flow.enter().await.refused(None);
        let place = flow.enter().await;
        let mut waiting = std::pin::pin!(async { tokio::join!(flow.enter(), flow.enter()) });
        assert!(tokio::time::timeout(MS, &mut waiting).await.is_err());
        place.answered(MS);
        drop(place);
        assert!(
            tokio::time::timeout(MS, waiting).await.is_ok(),
            "nobody else comes who would find the second place"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn rising_latency_shrinks_and_steady_latency_does_not() {
        let flow = Flow::new(FlowOptions::default());
        for _ in 0..50 {
            flow.enter().await.answered(300 * MS);
        }
        assert_eq!(flow.places(), 8, "slow but steady");
        let mut fewest = 8;
        for _ in 0..50 {
            flow.enter().await.answered(5000 * MS);
            fewest = fewest.min(flow.places());
        }
        assert!(fewest <= 4, "{fewest}");
        assert_eq!(flow.places(), 8, "what lasts becomes usual");
        let mixed = Flow::new(FlowOptions::default());
        for at in 0..200 {
            mixed.enter().await.answered(if at % 4 == 0 { 20 * MS } else { 1000 * MS });
        }
        assert_eq!(mixed.places(), 8, "small questions are answered sooner than large ones");
    }

    #[tokio::test(start_paused = true)]
    async fn rate_pause_and_bandwidth_are_kept() {
        let flow = Flow::new(FlowOptions { requests_per_second: Some(4.0), ..FlowOptions::default() });
        let since = Instant::now();
        for _ in 0..5 {
            flow.enter().await;
        }
        assert_eq!(since.elapsed(), 1000 * MS, "the first at once, then one every 250 ms");
        flow.enter().await.refused(Some(9000 * MS));
        let since = Instant::now();
        flow.enter().await;
        assert_eq!(since.elapsed(), 9000 * MS);

        let flow = Flow::new(FlowOptions { bytes_per_second: Some(1000), ..FlowOptions::default() });
        let since = Instant::now();
        for _ in 0..5 {
            flow.take(500).await;
        }
        assert_eq!(since.elapsed(), 2000 * MS, "the first bytes at once, the rest as they fit");
    }
}
