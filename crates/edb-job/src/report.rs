//! What happened.

use std::path::PathBuf;
use std::sync::Arc;

use edb::export::{Part, Written};
use edb::{Error, ErrorKind};
use serde::Serialize;

/// What a run did. Serialises to the object of `--summary json`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The job's name.
    pub job: String,
    /// Where the samples came from.
    pub sources: Vec<String>,
    /// The exposures that ranges were taken from, by time.
    pub exposures: Vec<ExposureReport>,
    /// One entry for each series.
    pub series: Vec<SeriesReport>,
    /// Files written, in the order of the job.
    pub files: Vec<FileReport>,
    /// Answers that the source gave.
    pub requests: usize,
    /// Samples that came over the network; the others were in the store.
    pub rows_fetched: usize,
    /// Facts about the data.
    pub notices: Vec<String>,
    /// What came over the network, by mnemonic.
    pub delivered: Vec<DeliveredReport>,
    /// What could not be fetched.
    pub failures: Vec<FailureReport>,
    /// The exit code.
    pub exit_code: u8,
    /// Tables that go to no file, in the order of the job.
    #[serde(skip)]
    pub shown: Vec<edb::frame::Table>,
    /// Why nothing at all came, if nothing did; no file was written then.
    #[serde(skip)]
    pub cause: Option<Arc<Error>>,
}

/// One exposure.
#[derive(Debug, Clone, Serialize)]
pub struct ExposureReport {
    /// `jw02733001001_02101_00001`, or the name of its file.
    pub label: String,
    /// The instrument; empty if not said.
    pub instrument: String,
    /// The type of exposure; empty if not said.
    pub kind: String,
    /// Its beginning, without margin.
    pub start: String,
    /// Its end, without margin.
    pub stop: String,
}

/// One mnemonic over one range.
#[derive(Debug, Clone, Serialize)]
pub struct SeriesReport {
    /// Whose samples.
    pub mnemonic: String,
    /// The unit as the archive writes it; empty if none.
    pub unit: String,
    /// The description; empty if not said.
    pub description: String,
    /// First instant asked for.
    pub start: String,
    /// First instant after.
    pub stop: String,
    /// Number of samples in the range.
    pub samples: usize,
    /// Median step in seconds, if the mnemonic has a cadence.
    pub cadence_s: Option<f64>,
    /// Steps longer than one and a half cadences, if it has one.
    pub gaps: Option<usize>,
    /// The longest of them, in seconds.
    pub longest_gap_s: Option<f64>,
    /// Whether every sample of the range is known.
    pub is_complete: bool,
    /// The parts of the range in which every sample is known.
    pub proven: Vec<String>,
    /// The parts in which it is not.
    pub not_known: Vec<String>,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// Where.
    pub path: PathBuf,
    /// What, in words.
    pub content: String,
    /// Rows of a table; samples of a figure.
    pub rows: usize,
    /// Its size.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes, if the job has a manifest; a folder of files has one for each of them.
    pub sha256: Option<String>,
    /// The files of a folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartReport>,
}

/// One file of a data set.
#[derive(Debug, Clone, Serialize)]
pub struct PartReport {
    /// Its place in the folder.
    pub path: PathBuf,
    /// Rows.
    pub rows: usize,
    /// Its size.
    pub size_bytes: u64,
    /// The SHA-256 of its bytes, if the job has a manifest.
    pub sha256: Option<String>,
}

impl From<Part> for PartReport {
    fn from(part: Part) -> Self {
        let Written { rows, size_bytes, sha256, .. } = part.written;
        Self { path: part.path, rows, size_bytes, sha256 }
    }
}

/// What came of one mnemonic over the network.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveredReport {
    /// Whose samples.
    pub mnemonic: String,
    /// Answers.
    pub answers: usize,
    /// Samples.
    pub samples: usize,
    /// Seconds of what was asked that are settled, failures among them.
    pub settled_s: f64,
    /// Seconds that were asked.
    pub asked_s: f64,
}

/// One range that could not be fetched.
#[derive(Debug, Clone, Serialize)]
pub struct FailureReport {
    /// What was asked.
    pub request: String,
    /// Why it failed.
    pub error: String,
    /// What to do next, if there is a hint.
    pub hint: Option<String>,
    /// How often it was tried; 0 if it was not, because something else had failed.
    pub tries: u32,
    /// The exit code that the reason alone would have.
    pub exit_code: u8,
}

impl Report {
    /// Whether anything failed.
    pub fn is_partial(&self) -> bool {
        self.exit_code == ErrorKind::Partial.exit_code()
    }
}
