//! Statistics of bins as a line within an envelope.

use edb_series::decimate::m4;

use crate::trace::Bins;
use crate::track::{Canvas, Vertex};

/// A line, and what lies around it. Both break where bins are missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Envelope {
    /// The line, at the middles of bins.
    pub(crate) lines: Vec<Vec<Vertex>>,
    /// Time, low and high.
    pub(crate) bands: Vec<Vec<(i64, f64, f64)>>,
    /// How long a column is of which only extremes are kept; nothing if all bins are.
    pub(crate) column_us: Option<f64>,
}

impl Envelope {
    /// Every value of it.
    pub(crate) fn values(&self) -> impl Iterator<Item = f64> {
        let band = self.bands.iter().flatten().flat_map(|(_, low, high)| [*low, *high]);
        self.lines.iter().flatten().map(|vertex| vertex.1).chain(band)
    }
}

/// The envelope of bins on the axis, with no more points than can be seen: of every pixel column the lowest low and the highest high are
/// kept.
pub(crate) fn envelope(bins: &Bins, is_logarithmic: bool, canvas: Canvas) -> Envelope {
    let canvas = canvas.fitted((canvas.axis, bins.starts.len()));
    let (start, stop) = (canvas.axis.start().as_micros(), canvas.axis.stop().as_micros());
    let is_shown = |value: f64| value.is_finite() && (!is_logarithmic || value > 0.0);
    let middle = |at: usize| bins.starts[at] + (bins.stops[at] - bins.starts[at]) / 2;
    let mut envelope = Envelope::default();
    let mut open: Option<std::ops::Range<usize>> = None;
    let mut pieces = Vec::new();
    for at in 0..bins.starts.len() {
        let is_inside = is_shown(bins.middles[at]) && (start..stop).contains(&middle(at));
        let goes_on = open.as_ref().is_some_and(|piece| bins.stops[piece.end - 1] >= bins.starts[at]);
        match (&mut open, is_inside) {
            (Some(piece), true) if goes_on => piece.end = at + 1,
            (_, true) => pieces.extend(open.replace(at..at + 1)),
            (_, false) => pieces.extend(open.take()),
        }
    }
    pieces.extend(open);
    let mut picked = Vec::new();
    for piece in pieces {
        let times: Vec<i64> = piece.clone().map(middle).collect();
        m4(&times, &bins.middles[piece.clone()], start, stop, canvas.columns, &mut picked);
        envelope.lines.push(picked.iter().map(|at| (times[*at], bins.middles[piece.start + at])).collect());
        let mut band: Vec<(i64, f64, f64)> = Vec::new();
        let mut column = usize::MAX;
        for (at, time) in piece.zip(times) {
            let side = |value: f64| if is_shown(value) { value } else { bins.middles[at] };
            let (low, high) = (side(bins.lows[at]), side(bins.highs[at]));
            let own = canvas.column(time);
            match band.last_mut() {
                Some(last) if own == column => (last.1, last.2) = (last.1.min(low), last.2.max(high)),
                _ => band.push((time, low, high)),
            }
            if own == column {
                envelope.column_us = Some(canvas.axis.micros() as f64 / canvas.columns as f64);
            }
            column = own;
        }
        envelope.bands.push(band);
    }
    envelope
}
