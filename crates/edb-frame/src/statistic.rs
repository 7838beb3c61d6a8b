//! The statistics that a bin can have, and their words.

use edb_core::{Error, Result};
use edb_series::order::Quantile;

/// One statistic of a bin. NaN and infinities are left out of all of them, and not counted.
///
/// Of change-only mnemonics those marked ¹ are weighted by how long each value held in the bin; [`Statistic::First`] is then the value that
/// stood first in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// Number of samples with a value; of text mnemonics as well.
    Count,
    /// Mean¹.
    Mean,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Population standard deviation¹ (divided by n).
    Std,
    /// Median¹: the middle value, or the mean of the two in the middle.
    Median,
    /// First value in time; of text mnemonics as well.
    First,
    /// Last value in time; of text mnemonics as well.
    Last,
    /// Sample standard deviation (divided by n - 1); none for one sample, nor for change-only mnemonics.
    StdSample,
    /// Sum of the samples.
    Sum,
    /// Greatest value minus least.
    Range,
    /// Square root of the mean of the squares¹.
    Rms,
    /// A percentile¹ in hundredths of a percent, and how it is found between two values (of change-only mnemonics it is one of
    /// the values, or the mean of two).
    Percentile(u16, Quantile),
    /// Mean weighted by the time until the next sample, at most `ResampleOptions::max_gap` (without end for what is change-only).
    TimeMean,
    /// Population standard deviation weighted likewise.
    TimeStd,
    /// Fraction of the known time of the bin that each state took; of texts and integers, held likewise. One column a state.
    Fraction,
    /// Number of samples that sigma clipping leaves; of change-only mnemonics, of values that held in the bin.
    ClippedCount,
    /// Mean of what sigma clipping leaves¹.
    ClippedMean,
    /// Median of what sigma clipping leaves¹.
    ClippedMedian,
    /// Population standard deviation of what sigma clipping leaves¹.
    ClippedStd,
}

impl Statistic {
    /// The usual ones, in the order in which tables have them.
    pub const USUAL: [Self; 8] =
        [Self::Count, Self::Mean, Self::Min, Self::Max, Self::Std, Self::Median, Self::First, Self::Last];

    const WORDS: [(&'static str, Self); 19] = [
        ("count", Self::Count),
        ("mean", Self::Mean),
        ("min", Self::Min),
        ("max", Self::Max),
        ("std", Self::Std),
        ("median", Self::Median),
        ("first", Self::First),
        ("last", Self::Last),
        ("std_sample", Self::StdSample),
        ("sum", Self::Sum),
        ("range", Self::Range),
        ("rms", Self::Rms),
        ("time_mean", Self::TimeMean),
        ("time_std", Self::TimeStd),
        ("fraction", Self::Fraction),
        ("clipped_count", Self::ClippedCount),
        ("clipped_mean", Self::ClippedMean),
        ("clipped_median", Self::ClippedMedian),
        ("clipped_std", Self::ClippedStd),
    ];

    /// Its word, as in column names: `mean`, `p05`, `p99.9_cunnane`.
    pub fn word(self) -> String {
        if let Self::Percentile(hundredths, method) = self {
            let (whole, part) = (hundredths / 100, hundredths % 100);
            let part = if part == 0 {
                String::new()
            } else {
                format!(".{part:02}").trim_end_matches('0').to_owned()
            };
            let method = if method == Quantile::Cunnane { "_cunnane" } else { "" };
            return format!("p{whole:02}{part}{method}");
        }
        let known = Self::WORDS.iter().find(|(_, statistic)| *statistic == self);
        known.map_or_else(String::new, |(word, _)| (*word).to_owned())
    }

    /// Reads a word.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] if there is no such statistic.
    pub fn parse(word: &str) -> Result<Self> {
        let word = word.trim();
        let known = Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, statistic)| *statistic);
        known.or_else(|| percentile(word)).ok_or_else(|| {
            let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
            Error::usage(format!("there is no statistic `{word}`")).with_hint(format!(
                "use {}, or a percentile as `p05` or `p99.9` (numpy's linear one) or `p05_cunnane`",
                words.join(", ")
            ))
        })
    }

    /// What it is, in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::Count => "number of samples with a value",
            Self::Mean => "mean",
            Self::Min => "least value",
            Self::Max => "greatest value",
            Self::Std => "population standard deviation",
            Self::Median => "median",
            Self::First => "first value",
            Self::Last => "last value",
            Self::StdSample => "sample standard deviation",
            Self::Sum => "sum of the samples",
            Self::Range => "greatest value minus least",
            Self::Rms => "square root of the mean of the squares",
            Self::Percentile(_, Quantile::Linear) => "percentile, linear between values",
            Self::Percentile(_, Quantile::Cunnane) => "percentile, Cunnane's plotting positions",
            Self::TimeMean => "mean weighted by time",
            Self::TimeStd => "population standard deviation weighted by time",
            Self::Fraction => "fraction of the known time in each state",
            Self::ClippedCount => "number of samples after sigma clipping",
            Self::ClippedMean => "mean after sigma clipping",
            Self::ClippedMedian => "median after sigma clipping",
            Self::ClippedStd => "population standard deviation after sigma clipping",
        }
    }

    /// Whether it is a number in the unit of the mnemonic.
    pub(crate) fn has_unit(self) -> bool {
        !matches!(self, Self::Count | Self::ClippedCount | Self::Fraction)
    }
}

fn percentile(word: &str) -> Option<Statistic> {
    let (number, method) = match word.strip_suffix("_cunnane") {
        Some(number) => (number, Quantile::Cunnane),
        None => (word, Quantile::Linear),
    };
    let percent: f64 = number.strip_prefix('p')?.parse().ok()?;
    let hundredths = (percent * 100.0).round();
    let is_one = (0.0..=10_000.0).contains(&hundredths) && (hundredths - percent * 100.0).abs() < 1e-6;
    is_one.then_some(Statistic::Percentile(hundredths as u16, method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for (word, statistic) in Statistic::WORDS {
            assert_eq!((Statistic::parse(word).unwrap(), statistic.word().as_str()), (statistic, word));
        }
        for (word, hundredths, method) in [
            ("p05", 500, Quantile::Linear),
            ("p99.9", 9_990, Quantile::Linear),
            ("p00.25", 25, Quantile::Linear),
            ("p100", 10_000, Quantile::Linear),
            ("p16_cunnane", 1_600, Quantile::Cunnane),
        ] {
            let read = Statistic::parse(word).unwrap();
            assert_eq!((read, read.word().as_str()), (Statistic::Percentile(hundredths, method), word));
        }
        for word in ["", "average", "p", "p-1", "p101", "p50.001", "pNaN", "p05_linear"] {
            assert!(Statistic::parse(word).unwrap_err().hint().unwrap().contains("p99.9"), "{word}");
        }
    }
}
