//! Files into a store.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use edb_core::{Answer, Dictionary, Error, Instant, Mnemonic, Notice, Request, Result, Samples, TimeRange};
use edb_store::{About, Header, Segment, Store};
use edb_wire::local;

use crate::keep::keep;

/// What came of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// Files read.
    pub files: usize,
    /// Samples kept.
    pub rows: usize,
    /// Samples passed over because the store knew their range already.
    pub rows_known: usize,
    /// That samples which were known are others now.
    pub notices: Vec<Notice>,
    /// Whose.
    pub mnemonics: Vec<Mnemonic>,
    /// Files that are none of ours and were passed over.
    pub passed_over: Vec<PathBuf>,
    /// Files that could not be read, and why; the others were imported.
    pub failures: Vec<(PathBuf, Error)>,
}

/// Imports EDB CSV files (`MNEMONIC.csv`, or the service's own `MNEMONIC-START-STOP.csv`) and `EngdbLocal` folders
/// (`<mnemonic>_data.json`, with `meta.json` for types and sampling), named one by one or by folder.
///
/// A file named as the service names it proves what its answer proves; the bracket rows in it are kept as brackets. Any
/// other file is taken as all there is between its first and last row, both included.
///
/// A file counts as fetched when it was last written (`now` at the latest), and what was younger than `settle` then is
/// provisional. An import fills what the store does not know, replaces what was provisional and has settled since, and overrides
/// nothing else.
///
/// # Errors
/// [`edb_core::ErrorKind::Disk`] if a path or the store cannot be read or written. Files that are not what their name says
/// are listed, and the rest imported.
pub fn import(store: &dyn Store, paths: &[PathBuf], now: Instant, settle: Duration) -> Result<Imported> {
    let settle_us = i64::try_from(settle.as_micros()).unwrap_or(i64::MAX);
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
            let entries = entries.map_err(|error| Error::disk("list", path, error))?;
            files.extend(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()));
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    let mut imported = Imported::default();
    let mut dictionary = Dictionary::default();
    for path in files.iter().filter(|path| name_of(path) == "meta.json") {
        dictionary = edb_wire::dictionary::direct::parse(&read(path)?)
            .map(|listing| listing.dictionary)
            .map_err(|error| error.while_doing(format!("could not import `{}`", path.display())))?;
    }
    for path in files.iter().filter(|path| name_of(path) != "meta.json") {
        let name = name_of(path);
        let written = written(path, now)?;
        let segment = if let Some(mnemonic) =
            name.strip_suffix("_data.json").and_then(|stem| Mnemonic::new(stem).ok())
        {
            from_json(path, &mnemonic, &mut dictionary, written)
        } else if let Ok(request) = Request::from_file_name(&name) {
            from_answer(path, request, written)
        } else if let Some(mnemonic) = name.strip_suffix(".csv").and_then(|stem| Mnemonic::new(stem).ok()) {
            from_csv(path, mnemonic, written)
        } else {
            imported.passed_over.push(path.clone());
            continue;
        };
        match segment {
            Ok(segment) => {
                imported.files += 1;
                if let Some(segment) = segment {
                    imported.mnemonics.push(segment.mnemonic.clone());
                    let rows = segment.samples.len();
                    let kept = keep(store, segment, written, settle_us, false)?;
                    imported.rows += kept.rows;
                    imported.rows_known += rows - kept.rows;
                    imported.notices.extend(kept.notices);
                }
            }
            Err(error) => imported.failures.push((path.clone(), error)),
        }
    }
    imported.mnemonics.sort();
    imported.mnemonics.dedup();
    // Of a large dictionary only what the store has samples of is of use to it.
    let held = store.mnemonics()?;
    let learnt: Dictionary =
        dictionary.iter().filter(|entry| held.binary_search(&entry.mnemonic).is_ok()).cloned().collect();
    if !learnt.is_empty() {
        store.learn(learnt)?;
    }
    Ok(imported)
}

/// When a file was last written: later than that it proves nothing.
fn written(path: &Path, now: Instant) -> Result<Instant> {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let modified = modified.map_err(|error| Error::disk("read", path, error))?;
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)).min(now))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::disk("read", path, error))
}

fn source(path: &Path) -> String {
    format!("import of {}", name_of(path))
}

fn from_answer(path: &Path, request: Request, written: Instant) -> Result<Option<Segment>> {
    let decoded = edb_wire::decode(&read(path)?)?;
    let answer = Answer::from_rows(request.mnemonic, request.range, decoded.samples, decoded.misplaced)?;
    // Nobody can be asked again whether the file was cut: what is in it is there, and nothing is said of the time beyond.
    Ok(Segment::from_answer(answer.ended()?, written, &source(path), ""))
}

fn from_csv(path: &Path, mnemonic: Mnemonic, written: Instant) -> Result<Option<Segment>> {
    Ok(all_there_is(mnemonic, edb_wire::decode(&read(path)?)?.samples, written, &source(path)))
}

fn from_json(
    path: &Path,
    mnemonic: &Mnemonic,
    dictionary: &mut Dictionary,
    written: Instant,
) -> Result<Option<Segment>> {
    let known = dictionary.get(mnemonic).cloned();
    let local = local::parse(&read(path)?, known.as_ref().and_then(|entry| entry.sql_type.as_ref()))?;
    if local.mnemonic != *mnemonic {
        return Err(Error::integrity(format!("expected samples of {mnemonic}, found {}", local.mnemonic)));
    }
    let mut entry = known.unwrap_or_else(|| edb_core::DictionaryEntry::bare(mnemonic.clone()));
    entry.all_points = entry.all_points.or(local.all_points);
    dictionary.insert(entry);
    Ok(all_there_is(local.mnemonic, local.samples, written, &source(path)))
}

fn all_there_is(mnemonic: Mnemonic, samples: Samples, written: Instant, source: &str) -> Option<Segment> {
    let (first, last) = (samples.times().first()?, samples.times().last()?);
    let proven = TimeRange::checked(Instant::from_micros(*first), Instant::from_micros(*last + 1))?;
    let about = About {
        header: Header { fetched_at: written, proven, provisional: false },
        sql_type: samples.sql_type().clone(),
        unit: String::new(),
        leading: None,
        trailing: None,
        sources: vec![source.to_owned()],
    };
    Some(Segment { mnemonic, about, samples })
}
