//! How often values are there.

use edb_core::{Notice, NoticeKind, Result};

use crate::panel::{About, about, extent, numbers, numbers_only};
use crate::trace::{Chart, Limits};
use crate::track::Canvas;

/// Counts of the values of some traces in the same steps.
pub(crate) struct Histogram {
    pub(crate) unit: String,
    pub(crate) is_logarithmic: bool,
    pub(crate) low: f64,
    /// The width of a step.
    pub(crate) step: f64,
    pub(crate) bars: Vec<Bars>,
    pub(crate) limits: Limits,
}

impl Histogram {
    /// Both ends of its axis: a single step has room on both sides.
    pub(crate) fn ends(&self) -> (f64, f64) {
        let steps = self.bars.iter().map(|bars| bars.counts.len()).max().unwrap_or(1);
        let room = if steps == 1 { 3.0 * self.step } else { 0.0 };
        (self.low - room, self.low + self.step * steps as f64 + room)
    }

    /// Whether each step is one whole number.
    pub(crate) fn is_whole(&self) -> bool {
        self.step.to_bits() == 1.0_f64.to_bits() && (self.low + 0.5).fract() == 0.0
    }
}

/// The counts of one trace.
pub(crate) struct Bars {
    pub(crate) about: About,
    pub(crate) counts: Vec<u64>,
}

/// No more steps than can be looked at.
const MOST_STEPS: usize = 120;

/// Counts the samples of the traces of a chart that are on the axis.
pub(crate) fn histogram(chart: &Chart<'_>, canvas: Canvas, notices: &mut Vec<Notice>) -> Result<Histogram> {
    let mut all: Vec<(About, Vec<f64>)> = Vec::new();
    for trace in &chart.traces {
        if trace.is_text() {
            return Err(numbers_only(trace.name()));
        }
        let about = about(trace, canvas, false, notices);
        let values = numbers(trace.series.as_ref());
        let window = trace.series.range.intersect(canvas.axis);
        let rows = window.map_or(0..0, |window| trace.series.samples.rows_in(window));
        let finite: Vec<f64> = values[rows].iter().copied().filter(|value| value.is_finite()).collect();
        if finite.len() < about.count {
            let text = format!(
                "{} values are missing or not finite: they are not counted",
                about.count - finite.len()
            );
            notices.push(Notice::about(NoticeKind::LeftOut, trace.series.mnemonic(), text));
        }
        // Ranges of one mnemonic are one.
        match all.iter_mut().find(|(other, _)| other.name == about.name) {
            Some((other, values)) => {
                other.join(about);
                values.extend(finite);
            }
            None => all.push((about, finite)),
        }
    }
    let (low, step, steps) = steps(&all);
    let bars = all.into_iter().map(|(about, values)| {
        let mut counts = vec![0; steps];
        for value in values {
            counts[(((value - low) / step) as usize).min(steps - 1)] += 1;
        }
        Bars { about, counts }
    });
    let bars = bars.collect();
    let unit = chart.traces.first().map_or("", |trace| trace.series.about.unit.trim()).to_owned();
    let limits = chart.traces.first().map(|trace| trace.limits).unwrap_or_default();
    let is_common = chart.traces.iter().all(|trace| trace.limits == limits);
    let limits = if is_common { limits } else { Limits::default() };
    Ok(Histogram { unit, is_logarithmic: chart.is_logarithmic, low, step, bars, limits })
}

/// Low end, width and number of steps: one for each integer if they are few, or else by Freedman and Diaconis' rule, whose widths are twice
/// the middle half of the values over the cube root of their number; of integers each step has as many.
fn steps(all: &[(About, Vec<f64>)]) -> (f64, f64, usize) {
    let Some((low, high)) = extent(all.iter().flat_map(|(_, values)| values.iter().copied())) else {
        return (0.0, 1.0, 1);
    };
    if low >= high {
        let width = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        return (low - width / 2.0, width, 1);
    }
    let is_whole = all.iter().all(|(_, values)| values.iter().all(|value| value.fract() == 0.0));
    if is_whole && high - low < MOST_STEPS as f64 {
        return (low - 0.5, 1.0, (high - low) as usize + 1);
    }
    let width = all.iter().filter_map(|(_, values)| {
        let mut sorted = values.clone();
        let at = |part: usize| sorted.len().saturating_sub(1) * part / 4;
        let (first, third) = (at(1), at(3));
        if sorted.is_empty() {
            return None;
        }
        let first = *sorted.select_nth_unstable_by(first, f64::total_cmp).1;
        let third = *sorted.select_nth_unstable_by(third, f64::total_cmp).1;
        let width = 2.0 * (third - first) / (values.len() as f64).cbrt();
        (width > 0.0).then_some(width)
    });
    let width = width.fold(f64::INFINITY, f64::min);
    // Halves, so that the largest numbers have a difference.
    let reach = high / 2.0 - low / 2.0;
    let wanted = (reach / width * 2.0).ceil();
    let steps = if wanted.is_finite() { (wanted as usize).clamp(8, MOST_STEPS) } else { 40 };
    // The highest value belongs to the last step.
    let width = reach / steps as f64 * 2.0;
    if is_whole && high.abs().max(low.abs()) < 1e15 {
        let width = width.ceil();
        return (low - 0.5, width, ((high - low + 1.0) / width).ceil() as usize);
    }
    (low, width, steps)
}
