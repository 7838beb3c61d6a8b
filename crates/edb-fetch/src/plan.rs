//! How much to ask for at once.

use edb_core::{Answer, MICROS_PER_DAY, MICROS_PER_SECOND, Mnemonic, Request, TimeRange};

/// Rows of one answer: as many as keep requests few, as few as keep each of them quick and small.
const LEAST_ROWS: f64 = 500_000.0;
const MOST_ROWS: f64 = 1_000_000.0;
/// What is asked first of a mnemonic of which nothing is known: a long range is not asked for blindly.
const PROBE_US: i64 = 3600 * MICROS_PER_SECOND;
/// At the observatory's fastest tick, 64 ms, a day has 1.35 million rows: short enough to ask without a probe.
const UNPROBED_US: i64 = MICROS_PER_DAY;
/// How many times longer than what has been seen of a mnemonic its next window may be.
const GROWTH: i64 = 100;
/// How many times more answers must go well, each time that a window was too slow.
const PATIENCE_GROWTH: u32 = 8;
/// The observatory's fastest tick.
const FASTEST_TICK_US: f64 = 64_000.0;
/// A row of a number, as the service prints it.
pub(crate) const ROW_BYTES: f64 = 64.0;
/// No window is planned shorter than this for its rows, nor split further because it took too long.
pub(crate) const SHORTEST_US: i64 = 60 * MICROS_PER_SECOND;

/// How many rows a mnemonic has in how much time, as far as that has been seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Rows seen.
    pub rows: u64,
    /// In which time.
    pub span_us: i64,
}

impl Rate {
    /// What an answer tells, if it proves anything: its brackets count, so that even an empty range tells something.
    pub fn of(answer: &Answer) -> Option<Self> {
        let proven = answer.proven?;
        Some(Self { rows: answer.samples.len() as u64 + 1, span_us: proven.micros() })
    }

    /// Rows to be expected in so much time.
    pub fn rows_in(self, span_us: i64) -> f64 {
        self.rows as f64 * (span_us as f64 / self.span_us.max(1) as f64)
    }

    /// What both have seen together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, span_us: self.span_us.saturating_add(other.span_us) }
    }

    /// The one that expects more rows in the same time.
    fn denser(self, other: Self) -> Self {
        if self.rows_in(MICROS_PER_DAY) >= other.rows_in(MICROS_PER_DAY) { self } else { other }
    }
}

/// What has been learnt about one mnemonic, and so how long its windows are to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizing {
    all: Option<Rate>,
    last: Option<Rate>,
    /// Windows that were longer than this were cut by the service.
    longest_us: i64,
    /// Windows that were longer than this broke off or took too long.
    for_now_us: i64,
    /// Answers that were whole since then, and how many must be before longer windows are tried.
    whole_in_a_row: u32,
    patience: u32,
}

impl Sizing {
    pub(crate) fn new(known: Option<Rate>) -> Self {
        Self {
            all: known,
            last: known,
            longest_us: i64::MAX,
            for_now_us: i64::MAX,
            whole_in_a_row: 0,
            patience: 1,
        }
    }

    pub(crate) fn learn(&mut self, seen: Rate) {
        self.all = Some(self.all.map_or(seen, |all| all.and(seen)));
        self.last = Some(seen);
    }

    /// The service does not send more than this at once.
    pub(crate) fn shorten(&mut self, length_us: i64) {
        self.longest_us = self.longest_us.min(length_us).max(MICROS_PER_SECOND);
    }

    /// A window was not answered whole, which may have been an accident: shorter ones are asked for until things go well.
    pub(crate) fn shorten_for_now(&mut self, length_us: i64) {
        self.for_now_us = self.for_now_us.min(length_us).max(MICROS_PER_SECOND);
        self.whole_in_a_row = 0;
    }

    /// A window was too slow. To find that out took long, so that ever more answers must go well before longer ones are tried.
    ///
    /// Returns whether that was not known yet.
    pub(crate) fn shorten_slow(&mut self, length_us: i64) -> bool {
        let before_us = self.for_now_us;
        self.shorten_for_now(length_us.max(SHORTEST_US));
        let is_news = self.for_now_us < before_us;
        if is_news {
            self.patience = self.patience.saturating_mul(PATIENCE_GROWTH);
        }
        is_news
    }

    /// A window was answered whole.
    pub(crate) fn ease(&mut self) {
        self.whole_in_a_row += 1;
        if self.whole_in_a_row >= self.patience {
            self.whole_in_a_row = 0;
            self.for_now_us = self.for_now_us.saturating_mul(2);
        }
    }

    /// The rate that is reckoned with: what is bursty is taken at its densest.
    pub(crate) fn rate(&self) -> Option<Rate> {
        match (self.all, self.last) {
            (Some(all), Some(last)) => Some(all.denser(last)),
            (all, last) => all.or(last),
        }
    }

    /// Rows to be expected in so much time, and where nothing is known, rows there can be at most.
    pub(crate) fn rows_in(&self, span_us: i64) -> f64 {
        self.rate().map_or(span_us as f64 / FASTEST_TICK_US, |rate| rate.rows_in(span_us))
    }

    /// The window at the start of `left`, where `places` requests may be under way at once and the answer may have at most
    /// `budget_rows`. `None` if not even a second of it fits.
    pub(crate) fn window(&self, left: TimeRange, places: usize, budget_rows: f64) -> Option<TimeRange> {
        let left_us = left.micros();
        let wanted_us = match self.rate() {
            None if left_us <= UNPROBED_US => left_us,
            None => PROBE_US,
            Some(rate) => {
                let rows = (rate.rows_in(left_us) / places.max(1) as f64).clamp(LEAST_ROWS, MOST_ROWS);
                let by_rows = (rows / rate.rows_in(1)).min(left_us as f64).round() as i64;
                by_rows.min(rate.span_us.max(PROBE_US).saturating_mul(GROWTH)).max(SHORTEST_US)
            }
        };
        let wanted_us = wanted_us.min(self.longest_us).min(self.for_now_us);
        let affordable_us = (budget_rows / self.rows_in(1)).min(left_us as f64).round() as i64;
        if affordable_us < MICROS_PER_SECOND.min(left_us) {
            return None;
        }
        // A short rest is not worth a request of its own.
        let window_us = if left_us <= wanted_us.saturating_add(wanted_us / 4) { left_us } else { wanted_us };
        let window_us = window_us.min(affordable_us);
        if window_us >= left_us {
            return Some(left);
        }
        // Whole seconds are what the service can be asked for without an overlap, whole hours what people can read.
        let step_us = if window_us > UNPROBED_US { PROBE_US } else { MICROS_PER_SECOND };
        let stop = left.start().as_micros() + window_us;
        let stop = edb_core::Instant::from_micros(stop.div_euclid(step_us) * step_us);
        TimeRange::checked(left.start(), stop).or_else(|| {
            TimeRange::checked(left.start(), left.start().plus_micros(1).ceil_to_second().min(left.stop()))
        })
    }
}

/// What a retrieval of some requests would take.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// One entry for each request.
    pub parts: Vec<PlannedPart>,
}

/// What one request would take.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPart {
    /// The request.
    pub request: Request,
    /// Whether the mnemonic's rate is known; otherwise rows and bytes are the most there can be at a sample every 64 ms.
    pub is_rate_known: bool,
    /// Requests to the service, without the question about an open end.
    pub requests: usize,
    /// Rows to be expected.
    pub rows: f64,
    /// Bytes to be expected.
    pub bytes: f64,
}

impl Plan {
    /// Plans `requests`, as [`retrieve`](crate::retrieve) would begin them with `places` at once. `rate` is what is known of a
    /// mnemonic.
    pub fn new(requests: &[Request], places: usize, rate: impl Fn(&Mnemonic) -> Option<Rate>) -> Self {
        let part = |request: &Request| {
            let known = rate(&request.mnemonic);
            let mut sizing = Sizing::new(known);
            let (rows, mut count, mut left) =
                (sizing.rows_in(request.range.micros()), 0, Some(request.range));
            while let Some(rest) = left {
                let window = sizing.window(rest, places, f64::INFINITY).unwrap_or(rest);
                count += 1;
                left = TimeRange::checked(window.stop(), rest.stop());
                // What the probe would tell is taken as the most it could.
                let seen =
                    Rate { rows: sizing.rows_in(window.micros()).ceil() as u64, span_us: window.micros() };
                sizing.learn(seen);
            }
            PlannedPart {
                request: request.clone(),
                is_rate_known: known.is_some(),
                requests: count,
                rows,
                bytes: rows * ROW_BYTES,
            }
        };
        Self { parts: requests.iter().map(part).collect() }
    }

    /// Requests in all.
    pub fn requests(&self) -> usize {
        self.parts.iter().map(|part| part.requests).sum()
    }

    /// Bytes in all.
    pub fn bytes(&self) -> f64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Seconds that it would take if each request took `latency_s` and the service sent so many bytes a second over all
    /// connections.
    pub fn seconds(&self, places: usize, latency_s: f64, bytes_per_second: f64) -> f64 {
        (self.requests() as f64 / places.max(1) as f64).ceil() * latency_s + self.bytes() / bytes_per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edb_core::{Instant, parse_instant};

    const YEAR: &str = "2022-01-01/2023-01-01";

    fn request(mnemonic: &str, range: &str) -> Request {
        Request::parse(&format!("{mnemonic}@{range}"), Instant::MIN).unwrap()
    }

    fn plan(range: &str, rate: Option<Rate>) -> (usize, f64) {
        let plan = Plan::new(&[request("M", range)], 8, |_| rate);
        (plan.requests(), plan.parts[0].rows)
    }

    fn every(seconds: f64) -> Rate {
        Rate { rows: 1000, span_us: (seconds * 1e9) as i64 }
    }

    #[test]
    fn windows_are_sized_by_rows() {
        assert_eq!(plan(YEAR, Some(every(3600.0))).0, 1, "a year of an hourly mnemonic is one request");
        assert_eq!(plan(YEAR, Some(every(32.768))).0, 3);
        let (requests, rows) = plan(YEAR, Some(every(0.064)));
        assert!((rows - 365.0 * 1.35e6).abs() < 1.0, "{rows}");
        assert!((400..1000).contains(&requests), "{requests} requests for {rows} rows");
        let (requests, rows) = plan("2022-01-01/2022-01-31", Some(every(0.256)));
        let each = rows / requests as f64;
        assert!((LEAST_ROWS..=MOST_ROWS).contains(&each), "{each} rows in each of {requests}");
        assert_eq!(plan("2022-01-01/2022-01-02", None).0, 1, "a day is asked for without a probe");
    }

    #[test]
    fn what_is_not_known_is_probed_and_reckoned_at_its_most() {
        let sizing = Sizing::new(None);
        let year = request("M", YEAR).range;
        assert_eq!(sizing.window(year, 8, f64::INFINITY).unwrap().micros(), PROBE_US);
        let mut sparse = sizing;
        sparse.learn(Rate { rows: 1, span_us: 2 * MICROS_PER_DAY });
        let next = sparse.window(year, 8, f64::INFINITY).unwrap();
        assert_eq!(next.micros(), 200 * MICROS_PER_DAY, "a hundred times what has been seen");
        sparse.learn(Rate { rows: 100, span_us: 200 * MICROS_PER_DAY });
        let rest = TimeRange::checked(next.stop(), year.stop()).unwrap();
        assert_eq!(sparse.window(rest, 8, f64::INFINITY), Some(rest));
    }

    #[test]
    fn a_budget_shortens_windows_and_ends_them() {
        let sizing = Sizing::new(Some(every(1.0)));
        let day = request("M", "2022-01-01/2022-01-02").range;
        assert_eq!(sizing.window(day, 8, 100.0).unwrap().micros(), 100 * MICROS_PER_SECOND);
        assert_eq!(sizing.window(day, 8, 0.5), None);
    }

    #[test]
    fn what_was_too_long_is_not_asked_again() {
        let mut sizing = Sizing::new(Some(every(1.0)));
        let day = request("M", "2022-01-01/2022-01-02").range;
        sizing.shorten(7200 * MICROS_PER_SECOND);
        assert_eq!(sizing.window(day, 8, f64::INFINITY).unwrap().micros(), 7200 * MICROS_PER_SECOND);
        sizing.shorten(0);
        assert_eq!(sizing.window(day, 8, f64::INFINITY).unwrap().micros(), MICROS_PER_SECOND);
    }

    #[test]
    fn windows_join_on_whole_seconds_and_cover_everything() {
        for (start, stop) in
            [("2024-02-28T12:00:00.4", "2024-03-02T01:00:00.7"), ("2023-12-31", "2024-01-01T00:00:01")]
        {
            let whole = TimeRange::new(
                parse_instant(start, Instant::MIN).unwrap(),
                parse_instant(stop, Instant::MIN).unwrap(),
            );
            let mut left = Some(whole.unwrap());
            let mut sizing = Sizing::new(Some(every(0.001)));
            sizing.shorten(1);
            while let Some(rest) = left {
                let window = sizing.window(rest, 8, 7e6).unwrap();
                assert_eq!(window.start(), rest.start());
                assert!(window.stop() == rest.stop() || window.stop() == window.stop().floor_to_second());
                left = TimeRange::checked(window.stop(), rest.stop());
            }
        }
    }
}
