//! Statistics of windows of time that end with each sample.

/// Which statistic of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rolling {
    /// Mean.
    Mean,
    /// Median.
    Median,
    /// Population standard deviation.
    Std,
}

/// For each row, the statistic of the finite values in the window `(t - window, t]`; NaN where there are none.
///
/// # Cost
/// Mean and deviation: each value is added once and taken out once, and the sums are made anew every 4,096 rows and after a
/// value that dwarfs the others, so that errors do not grow. Median: a sorted window, O(rows in it) for each row.
pub fn rolling(times: &[i64], values: &[f64], window_us: i64, what: Rolling) -> Vec<f64> {
    let mut first = 0;
    let mut sorted: Vec<f64> = Vec::new();
    let mut moments = Moments::default();
    let mut since = 0;
    let mut out = Vec::with_capacity(values.len());
    for (row, &time) in times.iter().enumerate() {
        let before = first;
        while times[first] <= time.saturating_sub(window_us) {
            first += 1;
        }
        if what == Rolling::Median {
            for value in values[before..first].iter().filter(|value| value.is_finite()) {
                let at = sorted.partition_point(|one| one.total_cmp(value).is_lt());
                sorted.remove(at);
            }
            if values[row].is_finite() {
                let at = sorted.partition_point(|one| one.total_cmp(&values[row]).is_lt());
                sorted.insert(at, values[row]);
            }
            out.push(if sorted.is_empty() { f64::NAN } else { crate::order::median_of_sorted(&sorted) });
            continue;
        }
        since += 1;
        let dropped = &values[before..first];
        if since >= 4096 || moments.are_dwarfed_by(dropped) {
            moments = Moments::default();
            values[first..=row].iter().for_each(|value| moments.add(*value));
            since = 0;
        } else {
            dropped.iter().for_each(|value| moments.remove(*value));
            moments.add(values[row]);
        }
        out.push(match what {
            _ if moments.count == 0.0 => f64::NAN,
            Rolling::Std => (moments.squares.max(0.0) / moments.count).sqrt(),
            _ => moments.mean,
        });
    }
    out
}

/// Count, mean and sum of squares about it, one value at a time (Welford 1962).
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.count += 1.0;
            let off = value - self.mean;
            self.mean += off / self.count;
            self.squares += off * (value - self.mean);
        }
    }

    fn remove(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.count < 1.5 {
            *self = Self::default();
            return;
        }
        let off = value - self.mean;
        self.count -= 1.0;
        self.mean -= off / self.count;
        self.squares -= off * (value - self.mean);
    }

    /// Whether taking the values out would leave a small difference of large numbers: less than a tenth of the squares.
    fn are_dwarfed_by(&self, values: &[f64]) -> bool {
        let finite = || values.iter().filter(|value| value.is_finite());
        let (out, left) = (finite().count() as f64, self.count - finite().count() as f64);
        let squares: f64 = finite().map(|value| (value - self.mean).powi(2)).sum();
        out > 0.0 && squares * self.count > 0.9 * self.squares * left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The oracle looks at all rows for each window.
        #[test]
        fn windows_agree_with_the_obvious(
            rows in proptest::collection::vec((0_i64..6, prop_oneof![6 => -3.0..3.0, 1 => Just(1e9), 1 => Just(f64::NAN)]), 1..80),
            window_us in 1_i64..30,
        ) {
            let mut time = 0;
            let times: Vec<i64> = rows.iter().map(|(step, _)| { time += step; time }).collect();
            let values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
            for what in [Rolling::Mean, Rolling::Median, Rolling::Std] {
                let fast = rolling(&times, &values, window_us, what);
                for row in 0..times.len() {
                    let inside = (0..=row).filter(|at| times[*at] > times[row] - window_us);
                    let mut window: Vec<f64> = inside.map(|at| values[at]).filter(|value| value.is_finite()).collect();
                    if window.is_empty() {
                        prop_assert!(fast[row].is_nan());
                        continue;
                    }
                    let mean = window.iter().sum::<f64>() / window.len() as f64;
                    let expected = match what {
                        Rolling::Mean => mean,
                        Rolling::Median => crate::order::median(&mut window),
                        Rolling::Std => {
                            (window.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / window.len() as f64).sqrt()
                        }
                    };
                    let scale = window.iter().map(|value| value.abs()).fold(1.0, f64::max);
                    prop_assert!((fast[row] - expected).abs() <= 1e-7 * scale, "{:?} at {row}: {} for {expected}", what, fast[row]);
                }
            }
        }
    }
}
