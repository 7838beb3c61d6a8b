//! Files as an archive.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use edb_core::{Dictionary, Error, Instant, Result, Series};
use edb_export::read_series;
use edb_store::{About, Header, MemoryStore, Segment, Store};

use crate::import::import;

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
        keep(&store, read_series(bytes).map_err(doing)?, "stdin", now)?;
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
        keep(&store, series, &format!("file {name}"), now)?;
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
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect())
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

fn keep(store: &MemoryStore, series: Vec<Series>, source: &str, now: Instant) -> Result<()> {
    let mut dictionary = Dictionary::default();
    for one in series {
        for known in one.known.ranges() {
            let about = About {
                header: Header { fetched_at: now, proven: *known, provisional: false },
                sql_type: one.samples.sql_type().clone(),
                unit: one.about.unit.clone(),
                leading: None,
                trailing: None,
                sources: vec![source.to_owned()],
            };
            let samples = one.samples.clone().cut(*known);
            store.commit(Segment { mnemonic: one.mnemonic().clone(), about, samples })?;
        }
        dictionary.insert(one.about);
    }
    store.learn(dictionary)
}
