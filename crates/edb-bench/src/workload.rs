//! The downloads that the toolkit and its peers are compared on.

use edb_core::{Error, Instant, MICROS_PER_DAY, MICROS_PER_SECOND, Mnemonic, Request, Result, TimeRange};

/// 2024-03-01T00:00:00Z, the first day of all workloads.
const FIRST_DAY_MICROS: i64 = 1_709_251_200_000_000;

/// A set of requests; `peers/fetch.py` makes the same. All mnemonics are sampled every 256 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// W1: 40 mnemonics, one day each (864 MB).
    ManyMnemonics,
    /// W2: 200 mnemonics, ten minutes each (30 MB): waiting, mostly.
    ShortRequests,
    /// W3: one mnemonic, 30 requests of a day each (648 MB).
    LongRange,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ManyMnemonics, Self::ShortRequests, Self::LongRange];
    /// The days that they touch, counted from 1970.
    pub const DAYS: std::ops::Range<i64> =
        FIRST_DAY_MICROS / MICROS_PER_DAY..FIRST_DAY_MICROS / MICROS_PER_DAY + 30;

    /// Reads `w1`, `w2` or `w3`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Usage`] for other words.
    pub fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|workload| workload.name() == text);
        found.ok_or_else(|| Error::usage(format!("expected `w1`, `w2` or `w3`, found `{text}`")))
    }

    /// `w1`, `w2` or `w3`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ManyMnemonics => "w1",
            Self::ShortRequests => "w2",
            Self::LongRange => "w3",
        }
    }

    /// The requests.
    ///
    /// # Errors
    /// None: names and ranges are valid.
    pub fn requests(self) -> Result<Vec<Request>> {
        let noon = FIRST_DAY_MICROS + MICROS_PER_DAY / 2;
        let request = |mnemonic: i64, start: i64, length: i64| {
            let (start, stop) = (Instant::from_micros(start), Instant::from_micros(start + length));
            let mnemonic = Mnemonic::new(&format!("B256_{mnemonic:03}"))?;
            Ok(Request { mnemonic, range: TimeRange::new(start, stop)? })
        };
        match self {
            Self::ManyMnemonics => (0..40).map(|at| request(at, FIRST_DAY_MICROS, MICROS_PER_DAY)).collect(),
            Self::ShortRequests => (0..200).map(|at| request(at, noon, 600 * MICROS_PER_SECOND)).collect(),
            Self::LongRange => {
                Self::DAYS.map(|day| request(0, day * MICROS_PER_DAY, MICROS_PER_DAY)).collect()
            }
        }
    }
}
