//! An archive to ask, and stores to keep the answers in.

use std::path::{Path, PathBuf};

use edb_core::{
    Answer, DictionaryEntry, Instant, MemorySource, Mnemonic, Nulls, Sample, Samples, SqlType, TimeRange,
    Values,
};
use edb_store::{About, DiskStore, Header, Segment};

pub(crate) fn at(micros: i64) -> Instant {
    Instant::from_micros(micros)
}

pub(crate) fn range(start: i64, stop: i64) -> TimeRange {
    TimeRange::new(at(start), at(stop)).unwrap()
}

pub(crate) fn name() -> Mnemonic {
    Mnemonic::new("SA_TEST").unwrap()
}

/// Integer samples, numbered.
pub(crate) fn samples(times: &[i64]) -> Samples {
    let values = Values::Integer((0..times.len() as i64).collect());
    Samples::from_columns(SqlType::Int, times.to_vec(), values, Nulls::none()).unwrap().0
}

pub(crate) fn archive(times: &[i64]) -> MemorySource {
    archive_of(samples(times))
}

pub(crate) fn archive_of(samples: Samples) -> MemorySource {
    let mut archive = MemorySource::new("a test");
    archive.insert(DictionaryEntry::bare(name()), samples);
    archive
}

/// What the archive answers.
pub(crate) fn segment(archive: &MemorySource, asked: TimeRange, fetched_at: i64) -> Option<Segment> {
    let rows = archive.rows(&name(), asked.start(), asked.stop());
    let answer = Answer::from_rows(name(), asked, rows, 0).unwrap();
    Segment::from_answer(answer, at(fetched_at), "a test", "V")
}

/// All there is in a range.
pub(crate) fn whole(archive: &MemorySource, range: TimeRange, fetched_at: i64) -> Segment {
    let samples = archive.samples(&name()).unwrap().clone();
    let about = About {
        header: Header {
            fetched_at: at(fetched_at),
            proven: TimeRange::new(at(-1000), at(1000)).unwrap(),
            provisional: false,
        },
        sql_type: samples.sql_type().clone(),
        unit: "V".to_owned(),
        leading: None,
        trailing: None,
        sources: vec!["a test".to_owned()],
    };
    Segment { mnemonic: name(), about, samples }.part(range)
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(crate) fn segment_files(store: &DiskStore) -> Vec<PathBuf> {
    files(&store.root().join("samples"))
}

/// What an engine finds that reads all files and knows nothing of proofs.
pub(crate) fn all_samples(store: &DiskStore) -> Vec<Sample> {
    let mut all = Vec::new();
    for path in segment_files(store) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".parquet") && !name.starts_with('.') {
            all.extend(Segment::from_bytes(std::fs::read(&path).unwrap()).unwrap().samples.iter());
        }
    }
    all.sort_by_key(|sample| sample.time);
    all
}
