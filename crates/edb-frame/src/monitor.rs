//! The averaging words of the JWQL monitor's configurations, and the windows in which it asks for telemetry.

use edb_core::{Error, Instant, MICROS_PER_DAY, Result, TimeRange};

/// What a configuration averages over. A word may be joined to `all+`, which adds the samples themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Averaging {
    /// One statistic a day, of a quarter of an hour from noon on.
    DailyMeans,
    /// One for each block in which all conditions hold.
    BlockMeans,
    /// One for each bin.
    TimeInterval,
    /// One for each state of another mnemonic.
    EveryChange,
    /// None: all samples.
    All,
}

impl Averaging {
    /// Reads a word.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if there is no such one.
    pub fn parse(word: &str) -> Result<Self> {
        match word.strip_prefix("all+").unwrap_or(word) {
            "daily_means" => Ok(Self::DailyMeans),
            "block_means" => Ok(Self::BlockMeans),
            "time_interval" => Ok(Self::TimeInterval),
            "every_change" => Ok(Self::EveryChange),
            "all" => Ok(Self::All),
            _ => Err(Error::usage(format!("there is no averaging `{word}`")).with_hint(
                "the monitor knows daily_means, block_means, time_interval, every_change and all, and `all+` with another",
            )),
        }
    }

    /// How much the monitor asks for at once: a day; of daily means 0.01041667 d, which is a quarter of an hour.
    pub fn window_us(self) -> i64 {
        if self == Self::DailyMeans { 900_000_288 } else { MICROS_PER_DAY }
    }

    /// The windows from `start` on: one a day, whole ones only, none that ends after `now`.
    pub fn windows(self, start: Instant, now: Instant) -> Vec<TimeRange> {
        let days = 0..=(now.as_micros() - start.as_micros()).max(-1) / MICROS_PER_DAY;
        let window = |day: i64| {
            let start = start.plus_micros(day * MICROS_PER_DAY);
            TimeRange::checked(start, start.plus_micros(self.window_us()))
                .filter(|window| window.stop() <= now)
        };
        days.filter_map(window).collect()
    }
}
