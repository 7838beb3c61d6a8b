//! Slow housekeeping telemetry: what most mnemonics of a spacecraft look like.
//!
//! A sensor is read out in 12-bit counts; a cubic calibration makes engineering units of them, which the service prints with ten
//! decimals. The signal drifts over days and follows a thermostat; the noise is a part of a count, or a few.

/// Microseconds since 1970: 2024-01-01T00:00:00.017Z.
const FIRST_MICROS: i64 = 1_704_067_200_017_000;

/// A mnemonic of housekeeping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Housekeeping {
    /// Between samples.
    pub step_us: i64,
    /// Standard deviation of the noise, in counts.
    pub noise_counts: f64,
    /// Number of samples.
    pub samples: usize,
}

impl Housekeeping {
    /// Times in microseconds since 1970 UTC, and values.
    pub fn columns(&self) -> (Vec<i64>, Vec<f64>) {
        let mut random = Random(0x2545_F491_4F6C_DD1D ^ self.noise_counts.to_bits());
        let time = |row: usize| FIRST_MICROS + row as i64 * self.step_us;
        let value = |row: usize| {
            let counts = (self.signal(row) + self.noise_counts * random.normal()).round().clamp(0.0, 4095.0);
            let units = -40.0 + counts * (0.03 + counts * (1.2e-6 - counts * 3e-11));
            // The service prints ten decimals.
            (units * 1e10).round() / 1e10
        };
        ((0..self.samples).map(time).collect(), (0..self.samples).map(value).collect())
    }

    /// The signal without noise, in counts: five days' drift and forty minutes of a thermostat.
    fn signal(&self, row: usize) -> f64 {
        let seconds = row as f64 * self.step_us as f64 / 1e6;
        let drift = 60.0 * (seconds / (5.0 * 86_400.0) * std::f64::consts::TAU).sin();
        let phase = (seconds / 2400.0).fract();
        2048.0 + drift + 16.0 * (phase - 0.5).abs()
    }

    /// What a coder that knew the signal would need for a value, in bytes: the entropy of the noise once it is rounded to counts, the
    /// mean over the first million samples.
    pub fn entropy_bytes(&self) -> f64 {
        let rows = self.samples.min(1_000_000);
        let below = |counts: f64| normal_below(counts / self.noise_counts);
        let bits = |row: usize| -> f64 {
            let signal = self.signal(row);
            let around = (6.0 * self.noise_counts).ceil() as i64 + 1;
            let counts = (-around..=around).map(|offset| signal.round() + offset as f64);
            let shares = counts.map(|counts| below(counts + 0.5 - signal) - below(counts - 0.5 - signal));
            shares.filter(|share| *share > 1e-12).map(|share| -share * share.log2()).sum()
        };
        (0..rows).step_by(97).map(bits).sum::<f64>() / rows.div_ceil(97) as f64 / 8.0
    }
}

/// The part of a normal distribution that lies below `x` (Abramowitz and Stegun 7.1.26, to seven decimals).
fn normal_below(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let erf = 1.0 - series * (-z * z).exp();
    if x < 0.0 { (1.0 - erf) / 2.0 } else { f64::midpoint(1.0, erf) }
}

/// Numbers that are the same on every machine.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().max(f64::MIN_POSITIVE).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_few_and_near_their_signal() {
        let telemetry = Housekeeping { step_us: 256_000, noise_counts: 0.5, samples: 100_000 };
        let (times, values) = telemetry.columns();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 256_000));
        let mut distinct: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert!((10..200).contains(&distinct.len()), "{}", distinct.len());
    }

    #[test]
    fn the_entropy_is_that_of_rounded_noise() {
        // Of wide noise it is that of the normal distribution, log2(s sqrt(2 pi e)).
        let wide = Housekeeping { step_us: 256_000, noise_counts: 8.0, samples: 100_000 };
        assert!((wide.entropy_bytes() * 8.0 - (3.0 + 2.047)).abs() < 0.01, "{}", wide.entropy_bytes());
        let narrow = Housekeeping { noise_counts: 0.05, ..wide };
        assert!(narrow.entropy_bytes() < 0.05);
    }
}
