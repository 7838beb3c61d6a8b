//! One mnemonic over one range, ready for use.

use std::sync::Arc;

use crate::{Coverage, DictionaryEntry, Mnemonic, Sample, Samples, TimeRange};

/// How a mnemonic is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// At a cadence: a missing sample is a gap.
    AllPoints,
    /// Only when the value changes: it holds until the next sample.
    ChangeOnly,
    /// Not stated by anybody.
    Unknown,
}

/// The samples of one mnemonic in one requested range, with the state into it and what is known about it.
#[derive(Debug, Clone)]
pub struct Series {
    /// What the dictionary says.
    pub about: DictionaryEntry,
    /// The range that was requested.
    pub range: TimeRange,
    /// Every known sample in the range.
    pub samples: Samples,
    /// The last known sample before the range, if nothing unknown lies between: the state into the range.
    pub leading: Option<Sample>,
    /// The first known sample at or after the end of the range, if nothing unknown lies between.
    pub trailing: Option<Sample>,
    /// The parts of the range in which every sample is known.
    pub known: Coverage,
    /// What a longer series that this one was cut from says about it.
    pub learned: Option<Learned>,
}

/// What the samples of a mnemonic say about how they come; a few of them would not.
#[derive(Debug, Clone)]
pub struct Learned {
    /// How the mnemonic is sampled.
    pub sampling: Sampling,
    /// Why it is taken to be so, if nobody states it.
    pub evidence: Option<Arc<str>>,
    /// The cadence in microseconds.
    pub cadence_us: Option<i64>,
}

impl Series {
    /// Samples that are all there are in `range`, with nothing known around it. Samples outside are left out.
    pub fn new(mnemonic: Mnemonic, range: TimeRange, samples: Samples) -> Self {
        let mut about = DictionaryEntry::bare(mnemonic);
        about.sql_type = Some(samples.sql_type().clone());
        let known = [range].into_iter().collect();
        Self {
            about,
            range,
            samples: samples.cut(range),
            leading: None,
            trailing: None,
            known,
            learned: None,
        }
    }

    /// Whose samples.
    pub fn mnemonic(&self) -> &Mnemonic {
        &self.about.mnemonic
    }

    /// How the mnemonic is sampled, as far as it is stated.
    pub fn sampling(&self) -> Sampling {
        match self.about.all_points {
            Some(true) => Sampling::AllPoints,
            Some(false) => Sampling::ChangeOnly,
            None => Sampling::Unknown,
        }
    }

    /// The parts of the range in which nothing is known, ascending.
    pub fn unknown(&self) -> Vec<TimeRange> {
        self.known.gaps(self.range)
    }
}
