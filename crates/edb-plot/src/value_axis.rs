//! Range and ticks of a value axis.

/// The part of the values that an axis shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Equal ratios are equally far apart; both ends are above zero then.
    pub(crate) is_logarithmic: bool,
}

/// Beyond this the difference of two values is not a number.
const LARGEST: f64 = 8e307;

/// Below this, decimal powers lose digits.
const SMALLEST: f64 = 1e-290;

impl Span {
    /// An axis that shows values from `low` to `high` with some room around them, also if they are one value.
    pub(crate) fn around(low: f64, high: f64) -> Self {
        let (low, high) = (low.clamp(-LARGEST, LARGEST), high.clamp(-LARGEST, LARGEST));
        let size = low.abs().max(high.abs());
        // Closer than this, doubles and labels can no longer tell the ticks apart.
        let room = if high - low > (size * 1e-12).max(SMALLEST) {
            (high - low) * 0.06
        } else if size > SMALLEST {
            size * 0.05
        } else {
            1.0
        };
        Self::linear(low - room, high + room)
    }

    /// An axis from `low` to `high`.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        Self { low, high, is_logarithmic: false }
    }

    /// A logarithmic axis that shows values from `low` to `high`, both above zero, with some room around them.
    pub(crate) fn logarithmic(low: f64, high: f64) -> Self {
        let (low, high) = (low.clamp(SMALLEST, LARGEST).ln(), high.clamp(SMALLEST, LARGEST).ln());
        let room = if high - low > 1e-12 { (high - low) * 0.06 } else { 0.3 };
        let (low, high) = ((low - room).max(SMALLEST.ln()), (high + room).min(LARGEST.ln()));
        Self { low: low.exp(), high: high.exp(), is_logarithmic: true }
    }

    /// Whether `value` lies on the axis.
    pub(crate) fn shows(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub(crate) fn part(self, value: f64) -> f64 {
        let part = if self.is_logarithmic {
            (value.max(f64::MIN_POSITIVE).ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        part.clamp(0.0, 1.0)
    }

    /// At most `most` round values in the span, with labels of one style. `whole`: no fractions.
    pub(crate) fn ticks(self, most: usize, whole: bool) -> Vec<(f64, String)> {
        // Within a decade equal steps are as good.
        if self.is_logarithmic && self.high / self.low > 10.0 {
            return self.decades(most);
        }
        let rough = (self.high - self.low) / most.max(1) as f64;
        let decade = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * decade >= rough * (1.0 - 1e-9));
        let step = round.unwrap_or(10.0) * decade;
        let step = if whole { step.max(1.0) } else { step };
        let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
        let decimals = (-(step * 1.001).log10().floor()).max(0.0) as usize;
        let size = self.low.abs().max(self.high.abs());
        let digits = (size.log10().floor() - (step * 1.001).log10().floor()).clamp(0.0, 15.0) as usize;
        let is_scientific = !(1e-3..1e15).contains(&size) || (size >= 1e9 && digits <= 6);
        (first..=last)
            .map(|at| {
                let value = at as f64 * step;
                let label = match (at, is_scientific) {
                    (0, _) => "0".to_owned(),
                    (_, true) => format!("{value:.digits$e}"),
                    (_, false) => format!("{value:.decimals$}"),
                };
                (value, label.replace('-', "\u{2212}"))
            })
            .collect()
    }

    /// Powers of ten, all of them or every second, third …, and three times, or twice and five times, as much where there is room.
    fn decades(self, most: usize) -> Vec<(f64, String)> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let count = (last - first).max(1) as usize;
        let step = count.div_ceil(most.max(1)) as i32;
        let digits: &[f64] = match most / count {
            0 | 1 => &[1.0],
            2 => &[1.0, 3.0],
            _ => &[1.0, 2.0, 5.0],
        };
        let powers = (first..=last).filter(|power| power.rem_euclid(step) == 0);
        let values = powers.flat_map(|power| digits.iter().map(move |digit| (*digit, power)));
        let label = |(digit, power): (f64, i32)| {
            let value = digit * 10_f64.powi(power);
            let text = if (-4..6).contains(&power) {
                format!("{value:.*}", (-power).max(0) as usize)
            } else {
                format!("{digit}e{power}").replace('-', "\u{2212}")
            };
            (value, text)
        };
        values.map(label).filter(|(value, _)| self.shows(*value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, whole: bool) -> Vec<String> {
        Span::around(low, high).ticks(5, whole).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_carry_the_decimals_of_their_step() {
        assert_eq!(labels(0.0, 10.0, false), ["0", "5", "10"]);
        assert_eq!(labels(-0.2, 0.21, false), ["\u{2212}0.2", "\u{2212}0.1", "0", "0.1", "0.2"]);
        assert_eq!(labels(6.0712, 6.0724, false), ["6.0715", "6.0720"]);
        assert_eq!(labels(28.0, 28.0, false), ["27", "28", "29"]);
        assert_eq!(labels(0.0, 1.0, true), ["0", "1"]);
        assert_eq!(labels(2e9, 9e9, false), ["2e9", "4e9", "6e9", "8e9"]);
    }

    #[test]
    fn logarithmic_axes_have_powers_of_ten() {
        let ticks = |low: f64, high: f64, most: usize| {
            let ticks = Span::logarithmic(low, high).ticks(most, false);
            ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(
            ticks(1e-3, 1e3, 8),
            ["0.001", "0.010", "0.100", "1", "10", "100", "1000"]
                .map(|label| label.replace("0.010", "0.01").replace("0.100", "0.1"))
        );
        assert_eq!(ticks(1e-9, 1e9, 5), ["1e\u{2212}10", "1e\u{2212}5", "1", "100000", "1e10"]);
        assert_eq!(ticks(3.0, 80.0, 8), ["5", "10", "20", "50"]);
        assert_eq!(ticks(20.0, 40.0, 4), ["20", "30", "40"]);
        let span = Span::logarithmic(1.0, 100.0);
        assert!((span.part(10.0) - 0.5).abs() < 1e-12 && span.part(0.0) == 0.0);
        for (low, high) in [(f64::MIN_POSITIVE, f64::MAX), (5e-324, 5e-324), (3.0, 3.0)] {
            let span = Span::logarithmic(low, high);
            assert!(span.low < span.high && span.low > 0.0 && span.high.is_finite(), "{low} {high}");
            assert!(span.ticks(5, false).len() <= 8);
        }
    }

    #[test]
    fn extreme_spans_have_finite_distinct_ticks() {
        for (low, high) in [
            (f64::MIN, f64::MAX),
            (0.0, 0.0),
            (5e-324, 5e-324),
            (1e-300, 2e-300),
            (1e300, 1e300),
            (1e15, 1e15 + 1.0),
            (1e9, 1e9 + 1e-3),
            (-3.0, -3.0),
        ] {
            let span = Span::around(low, high);
            assert!(span.low.is_finite() && span.high.is_finite() && span.low < span.high, "{low} {high}");
            let ticks = span.ticks(5, false);
            assert!((1..=7).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            assert!(
                ticks.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1),
                "{ticks:?}"
            );
        }
    }
}
