//! What is drawn: series, statistics of their bins, limits, and which of them share a panel.

use std::borrow::Cow;
use std::sync::Arc;

use edb_core::{Error, Result, Series, ValueKind};

/// A series to draw, and what is known about its values.
#[derive(Debug, Clone)]
pub struct Trace<'a> {
    /// The samples.
    pub series: Cow<'a, Series>,
    /// Statistics of bins of the mnemonic, drawn as a line within an envelope; the same in each of its ranges.
    pub bins: Option<Arc<Bins>>,
    /// Whether the samples are drawn, too; without bins they always are.
    pub has_samples: bool,
    /// What its values are held against.
    pub limits: Limits,
    /// What it is, in place of the dictionary's description.
    pub description: Option<String>,
}

impl<'a> From<&'a Series> for Trace<'a> {
    fn from(series: &'a Series) -> Self {
        Cow::Borrowed(series).into()
    }
}

impl From<Series> for Trace<'_> {
    fn from(series: Series) -> Self {
        Cow::<Series>::Owned(series).into()
    }
}

impl<'a> From<Cow<'a, Series>> for Trace<'a> {
    fn from(series: Cow<'a, Series>) -> Self {
        Self { series, bins: None, has_samples: true, limits: Limits::default(), description: None }
    }
}

impl Trace<'_> {
    pub(crate) fn name(&self) -> &str {
        self.series.mnemonic().as_str()
    }

    /// What it is, as far as anybody says.
    pub(crate) fn description(&self) -> &str {
        self.description.as_deref().unwrap_or(&self.series.about.description).trim()
    }

    /// Whether its values are texts. What has a unit is a number, although nobody has seen one yet.
    pub fn is_text(&self) -> bool {
        let has_unit = self.series.samples.is_empty() && !self.series.about.unit.trim().is_empty();
        self.series.samples.values().kind() == ValueKind::Text && !has_unit
    }
}

/// Statistics of bins, ascending and without overlap; all columns have the same length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bins {
    /// What the line is, as `mean of 1m`.
    pub line: String,
    /// What the envelope is, as `min to max`; empty if there is none.
    pub envelope: String,
    /// Starts, in microseconds since 1970 UTC.
    pub starts: Vec<i64>,
    /// Ends, which belong to the next bin.
    pub stops: Vec<i64>,
    /// The line; not finite where there is none.
    pub middles: Vec<f64>,
    /// The lower side of the envelope.
    pub lows: Vec<f64>,
    /// Its upper side.
    pub highs: Vec<f64>,
}

/// What values are held against. A side that is infinite is open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Where values should be.
    pub nominal: Option<f64>,
    /// Lowest and highest value that cause no worry.
    pub yellow: Option<(f64, f64)>,
    /// Lowest and highest value that are allowed.
    pub red: Option<(f64, f64)>,
}

/// How far a value is from where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Yellow,
    Red,
}

impl Limits {
    /// Limits whose sides are in order.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if a low limit is above its high one, or something is not a number.
    pub fn checked(self) -> Result<Self> {
        let is_upside_down = |pair: Option<(f64, f64)>| {
            pair.is_some_and(|(low, high)| low.partial_cmp(&high).is_none_or(std::cmp::Ordering::is_gt))
        };
        if is_upside_down(self.yellow)
            || is_upside_down(self.red)
            || self.nominal.is_some_and(|value| !value.is_finite())
        {
            return Err(Error::usage("limits are a low and a high number, in this order"));
        }
        Ok(self)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn severity(&self, value: f64) -> Option<Severity> {
        let is_outside =
            |pair: Option<(f64, f64)>| pair.is_some_and(|(low, high)| value < low || value > high);
        if is_outside(self.red) {
            Some(Severity::Red)
        } else if is_outside(self.yellow) {
            Some(Severity::Yellow)
        } else {
            None
        }
    }

    /// All numbers in it that an axis could show.
    pub(crate) fn levels(&self) -> impl Iterator<Item = f64> {
        let pairs = self.yellow.into_iter().chain(self.red).flat_map(|(low, high)| [low, high]);
        self.nominal.into_iter().chain(pairs).filter(|level| level.is_finite())
    }
}

/// What a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartKind {
    /// Values, states or messages over time.
    Time,
    /// How far samples are from the line of their bins, or from their nominal value, over time.
    Deviation,
    /// How often values are there.
    Histogram,
    /// The second trace over the first, coloured by time.
    Phase,
}

/// Traces that are drawn together.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// What is drawn of them.
    pub kind: ChartKind,
    /// What stands above, if anything.
    pub heading: Option<String>,
    /// What is drawn. Each text has a panel of its own, and more numbers than there are colours go on in another one.
    pub traces: Vec<Trace<'a>>,
    /// Whether the value axis, or the counts of a histogram, are logarithmic.
    pub is_logarithmic: bool,
}

impl<'a> Chart<'a> {
    /// A chart without heading, linear.
    pub fn new(kind: ChartKind, traces: Vec<Trace<'a>>) -> Self {
        Self { kind, heading: None, traces, is_logarithmic: false }
    }
}

/// Which traces share a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Numbers of one unit; those without a unit are alone.
    #[default]
    Unit,
    /// Each mnemonic is alone.
    Mnemonic,
}

/// Sorts traces into charts over time, in order of first appearance. Numbers without a unit have nothing in common that an axis could
/// show.
pub fn arrange<'a>(traces: impl IntoIterator<Item = Trace<'a>>, grouping: Grouping) -> Vec<Chart<'a>> {
    let mut charts: Vec<Chart<'a>> = Vec::new();
    for trace in traces {
        let unit = trace.series.about.unit.trim();
        let is_home = |chart: &&mut Chart<'a>| {
            let first = &chart.traces[0];
            // A mnemonic may be there over several ranges.
            let is_same = first.series.mnemonic() == trace.series.mnemonic();
            let is_alike =
                !unit.is_empty() && first.series.about.unit.trim() == unit && grouping == Grouping::Unit;
            trace.is_text() == first.is_text() && (is_same || (is_alike && !trace.is_text()))
        };
        match charts.iter_mut().find(is_home) {
            Some(chart) => chart.traces.push(trace),
            None => charts.push(Chart::new(ChartKind::Time, vec![trace])),
        }
    }
    charts
}
