//! How far samples are from where they should be.

use edb_core::{Error, Result};

use crate::trace::Trace;

/// The samples of `trace` less the line through its bins, held flat beyond the first and the last bin of a run without gaps; without bins,
/// less its nominal value. And what that is called.
pub(crate) fn deviation(trace: &Trace<'_>, values: &[f64]) -> Result<(Vec<f64>, String)> {
    let times = trace.series.samples.times();
    if let Some(bins) = &trace.bins {
        let rows = (0..bins.starts.len()).filter(|at| bins.middles[*at].is_finite());
        let point = |at: usize| {
            let (start, stop) = (bins.starts[at], bins.stops[at]);
            (start + (stop - start) / 2, bins.middles[at], stop, start)
        };
        let line: Vec<(i64, f64, i64, i64)> = rows.map(point).collect();
        let mut after = 0;
        let mut level =
            |time: i64| {
                while line.get(after).is_some_and(|point| point.0 < time) {
                    after += 1;
                }
                match (after.checked_sub(1).map(|before| line[before]), line.get(after)) {
                    // No line is drawn from bin to bin across one that is missing: the nearer one holds.
                    (Some(before), Some(after)) if before.2 < after.3 => {
                        if time - before.0 <= after.0 - time { before.1 } else { after.1 }
                    }
                    (Some(before), Some(after)) => {
                        let part = (time - before.0) as f64 / (after.0 - before.0) as f64;
                        before.1 + part * (after.1 - before.1)
                    }
                    (Some(end), None) => end.1,
                    (None, Some(end)) => end.1,
                    (None, None) => f64::NAN,
                }
            };
        let deviations = times.iter().zip(values).map(|(time, value)| value - level(*time)).collect();
        return Ok((deviations, bins.line.clone()));
    }
    let nominal = trace.limits.nominal.ok_or_else(|| {
        Error::usage(format!("could not tell how far {} deviates: from what?", trace.name()))
            .with_hint("give a nominal value, or resample")
    })?;
    Ok((values.iter().map(|value| value - nominal).collect(), format!("nominal {nominal}")))
}
