//! Files as an archive.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edb_core::{Coverage, Dictionary, Error, Instant, Result, Series, TimeRange};
use edb_export::read_series;
use edb_series::gaps::{gap_limit_us, regular_gaps};
use edb_store::{About, Header, MemoryStore, Segment, Store};

use crate::import::import;
use crate::keep::keep;

/// Reads a file, or a folder of files, into a store that is gone with the process: tables of ours ([`edb_export::read_series`]), files of the
/// service and of `EngdbLocal` ([`import`]); `-` is a table on stdin.
///
/// # Errors
/// [`edb_core::ErrorKind::Usage`] if there is nothing that can be read, [`edb_core::ErrorKind::Disk`].
pub fn open_files(path: &Path, now: Instant) -> Result<Arc<dyn Store>> {
    let store = MemoryStore::new();
    let doing = |error: Error| error.while_doing(format!("could not read samples from `{}`", path.display()));
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| doing(Error::usage("stdin failed").caused_by(error)))?;
        keep_all(&store, read_series(bytes).map_err(doing)?, "stdin", now)?;
        return Ok(Arc::new(store));
    }
    let files = if path.is_dir() { files_in(path)? } else { vec![path.to_owned()] };
    let mut raw = Vec::new();
    for file in files {
        if !is_table(&file)? {
            raw.push(file);
            continue;
        }
        let bytes = fs::read(&file).map_err(|error| Error::disk("read", &file, error))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let series = read_series(bytes)
            .map_err(|error| doing(error.while_doing(format!("could not read `{name}`"))))?;
        keep_all(&store, series, &format!("file {name}"), now)?;
    }
    let imported = import(&store, &raw, now, Duration::ZERO).map_err(doing)?;
    if let Some((file, error)) = imported.failures.into_iter().next() {
        return Err(error.while_doing(format!("could not read samples from `{}`", file.display())));
    }
    if store.mnemonics()?.is_empty() {
        return Err(doing(Error::usage("there are no samples in it")));
    }
    Ok(Arc::new(store))
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| Error::disk("list", folder, error))?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    // Where two files have samples of one time, the first one by name counts, wherever they lie on the disk.
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.append(&mut files_in(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a file is a table of ours, by its name and, since files of the service may have every name, by what it begins with.
fn is_table(path: &Path) -> Result<bool> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if extension == "csv" {
        let mut head = Vec::new();
        let file = fs::File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
        file.map_err(|error| Error::disk("read", path, error))?;
        let head = String::from_utf8_lossy(&head);
        return Ok(!head.trim_start_matches('\u{feff}').trim_start_matches('"').starts_with("theTime"));
    }
    Ok(extension == "parquet" || extension == "ecsv")
}

fn keep_all(store: &MemoryStore, series: Vec<Series>, source: &str, now: Instant) -> Result<()> {
    let mut dictionary = Dictionary::default();
    for one in series {
        let known = if one.known.is_empty() { unbroken(one.samples.times()) } else { one.known };
        let about = |proven: TimeRange| About {
            header: Header { fetched_at: now, proven, provisional: false },
            sql_type: one.samples.sql_type().clone(),
            unit: one.about.unit.clone(),
            leading: None,
            trailing: None,
            sources: vec![source.to_owned()],
        };
        let mnemonic = one.about.mnemonic.clone();
        if let [only] = known.ranges() {
            let about = about(*only);
            keep(store, Segment { mnemonic, about, samples: one.samples.cut(*only) }, now, 0, false)?;
        } else {
            for known in known.ranges() {
                let samples = one.samples.slice(one.samples.rows_in(*known));
                let segment = Segment { mnemonic: mnemonic.clone(), about: about(*known), samples };
                keep(store, segment, now, 0, false)?;
            }
        }
        dictionary.insert(one.about);
    }
    store.learn(dictionary)
}

/// What is known of samples of which nobody says what lies between them: from each to the next, where the step is none that would be a gap.
fn unbroken(times: &[i64]) -> Coverage {
    let limit = match regular_gaps(times) {
        Some((cadence_us, _)) => gap_limit_us(cadence_us),
        None => 0,
    };
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for time in times {
        match runs.last_mut().filter(|run| *time - run.1 <= limit) {
            Some(run) => run.1 = *time,
            None => runs.push((*time, *time)),
        }
    }
    let range = |(first, last): (i64, i64)| {
        TimeRange::checked(Instant::from_micros(first), Instant::from_micros(last.saturating_add(1)))
    };
    runs.into_iter().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_prove_what_lies_between_them_as_far_as_they_have_a_cadence() {
        let known = |times: &[i64]| {
            unbroken(times)
                .ranges()
                .iter()
                .map(|range| (range.start().as_micros(), range.stop().as_micros()))
                .collect::<Vec<_>>()
        };
        let times: Vec<i64> = (0..20).filter(|at| *at != 7).map(|at| at * 1_000_000).collect();
        assert_eq!(known(&times), [(0, 6_000_001), (8_000_000, 19_000_001)]);
        assert_eq!(known(&[5, 100_000_000]), [(5, 6), (100_000_000, 100_000_001)]);
        assert_eq!(known(&[]), []);
    }
}
