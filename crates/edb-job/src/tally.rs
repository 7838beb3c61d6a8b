//! What there is to tell of a series, counted while its samples pass.

use edb::series::gaps::Steps;
use edb::{MICROS_PER_SECOND, Sampling, Series};

use crate::report::SeriesReport;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Without samples.
    about: Series,
    steps: Steps,
}

impl Tally {
    /// Of a series as it is known before its samples are read.
    pub(crate) fn new(described: Series) -> Self {
        Self { about: described, steps: Steps::default() }
    }

    /// Adds the next samples.
    pub(crate) fn add(&mut self, part: &Series) {
        self.steps.add(part.samples.times());
    }

    /// Whether samples were added.
    pub(crate) fn has_samples(&self) -> bool {
        self.steps.times() > 0
    }

    pub(crate) fn report(&self) -> SeriesReport {
        let seconds = |micros: i64| micros as f64 / MICROS_PER_SECOND as f64;
        let series = &self.about;
        // What is reported only when it changes has no cadence, and so no gaps.
        let regular = self.steps.regular().filter(|_| series.sampling() != Sampling::ChangeOnly);
        SeriesReport {
            mnemonic: series.mnemonic().to_string(),
            unit: series.about.unit.clone(),
            description: series.about.description.clone(),
            start: series.range.start().to_string(),
            stop: series.range.stop().to_string(),
            samples: self.steps.times(),
            cadence_s: regular.map(|regular| seconds(regular.cadence_us)),
            gaps: regular.map(|regular| regular.gaps),
            longest_gap_s: regular.and_then(|regular| regular.longest_us).map(seconds),
            is_complete: series.unknown().is_empty(),
            proven: series.known.ranges().iter().map(ToString::to_string).collect(),
            not_known: series.unknown().iter().map(ToString::to_string).collect(),
        }
    }
}
