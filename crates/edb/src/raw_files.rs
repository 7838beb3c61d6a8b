//! A store's samples as files of the service's own forms.

use std::io::Write;
use std::path::{Path, PathBuf};

use edb_core::atomic::{self, AtomicFile};
use edb_core::{
    Coverage, Dictionary, DictionaryEntry, Error, ErrorKind, Instant, MICROS_PER_SECOND, Mnemonic, Notice,
    NoticeKind, Request, Result, TimeRange,
};
use edb_store::{DiskStore, MnemonicStatus, Reading, Store};
use edb_wire::{dictionary::direct, local};

/// Samples in one CSV file, about; more are cut into several.
const FILE_ROWS: usize = 1 << 22;

/// A form of files that [`crate::import`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawForm {
    /// The service's CSV, `MNEMONIC-START-STOP.csv`, brackets included: imported again, it proves the same.
    Csv,
    /// JSON of `EngdbLocal`, `<mnemonic>_data.json` and `meta.json`: whole milliseconds, no brackets.
    EngdbLocal,
}

/// What was written.
#[derive(Debug, Default)]
pub struct RawFiles {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Samples in them, brackets not counted.
    pub rows: usize,
    /// Facts about the data.
    pub notices: Vec<Notice>,
}

/// Writes what `store` knows of `mnemonics`, all of it or in `range`, into `folder`. Each file appears whole or not at all, and is dated by when
/// the oldest of its samples were fetched: imported again they are as settled, or as provisional, as they are here.
///
/// # Errors
/// [`ErrorKind::Disk`] if nothing is known of any of them; [`ErrorKind::Usage`] if the form cannot say what is known (a JSON file knows no
/// holes), before anything is written; [`ErrorKind::Disk`] and [`ErrorKind::Integrity`] from the store.
pub fn write_raw_files(
    store: &DiskStore,
    mnemonics: &[Mnemonic],
    range: Option<TimeRange>,
    form: RawForm,
    folder: &Path,
) -> Result<RawFiles> {
    let mut written = RawFiles::default();
    let mut held = Vec::new();
    for mnemonic in mnemonics {
        let status = store.status(mnemonic)?;
        let known = range.map_or_else(|| status.known.clone(), |range| status.known.within(range));
        let Some(hull) = known.ranges().iter().copied().reduce(TimeRange::hull) else { continue };
        let holes: Vec<String> = known.gaps(range.unwrap_or(hull)).iter().map(ToString::to_string).collect();
        if form == RawForm::EngdbLocal && known.ranges().len() > 1 {
            let message = format!(
                "could not write {mnemonic} as JSON: nothing is known in {}, and a file of this form knows no holes",
                holes.join(", ")
            );
            return Err(Error::usage(message)
                .with_hint("name a range on one side with `--start` and `--stop`, or write CSV"));
        }
        if !holes.is_empty() {
            let text = format!("nothing is known in {}", holes.join(", "));
            written.notices.push(Notice::about(NoticeKind::NotKnown, mnemonic, text));
        }
        held.push((status, known, hull));
    }
    if held.is_empty() {
        let what = range.map_or_else(String::new, |range| format!(" in {range}"));
        return Err(Error::new(ErrorKind::Disk, format!("the store knows nothing of what was named{what}"))
            .with_hint("see what it knows with `edb store status`"));
    }
    match form {
        RawForm::Csv => {
            for (status, known, _) in &held {
                csv_files(store, status, known, folder, &mut written)?;
            }
        }
        RawForm::EngdbLocal => {
            let dictionary = store.dictionary()?;
            let mut described = Dictionary::default();
            for (status, _, hull) in &held {
                let mnemonic = &status.mnemonic;
                let reading = store.read(mnemonic, *hull)?;
                if reading.samples.times().iter().any(|time| time % 1000 != 0) {
                    let text = "times are rounded to the millisecond, which is all this form holds";
                    written.notices.push(Notice::about(NoticeKind::LeftOut, mnemonic, text));
                }
                let known = dictionary.get(mnemonic).cloned();
                let mut entry = known.unwrap_or_else(|| DictionaryEntry::bare(mnemonic.clone()));
                entry.sql_type = Some(reading.samples.sql_type().clone());
                let path = folder.join(format!("{}_data.json", mnemonic.as_str().to_ascii_lowercase()));
                let text = local::format(mnemonic, &reading.samples, entry.all_points);
                file(path, &text, &reading, &mut written)?;
                described.insert(entry);
            }
            let path = folder.join("meta.json");
            atomic::write(&path, &direct::format(&described))?;
            written.files.push(path);
        }
    }
    Ok(written)
}

/// A file for each range that is known, settled and provisional ones apart; long ones in parts.
fn csv_files(
    store: &DiskStore,
    status: &MnemonicStatus,
    known: &Coverage,
    folder: &Path,
    written: &mut RawFiles,
) -> Result<()> {
    let settled = known.without(&status.provisional);
    let provisional = known.without(&settled);
    for known in settled.ranges().iter().chain(provisional.ranges()) {
        let share = known.micros() as f64 / status.known.micros().max(1) as f64;
        let parts = (status.rows as f64 * share / FILE_ROWS as f64).ceil();
        if parts <= 1.0 {
            csv_file(store, &status.mnemonic, *known, folder, written)?;
            continue;
        }
        // Whole seconds, which names are made of.
        let step = (known.micros() as f64 / parts / MICROS_PER_SECOND as f64).ceil() as i64;
        for part in known.windows(step * MICROS_PER_SECOND) {
            csv_file(store, &status.mnemonic, part, folder, written)?;
        }
    }
    Ok(())
}

/// One answer as the service would give it.
fn csv_file(
    store: &DiskStore,
    mnemonic: &Mnemonic,
    known: TimeRange,
    folder: &Path,
    written: &mut RawFiles,
) -> Result<()> {
    let reading = store.read(mnemonic, known)?;
    // Whoever reads the file takes rows outside the range of its name for brackets: it must not reach them, and must reach all
    // samples where there are none.
    let floor = |instant: Instant| instant.floor_to_second();
    let start = if reading.leading.is_some() { known.start().ceil_to_second() } else { floor(known.start()) };
    let stop = if reading.trailing.is_some() { floor(known.stop()) } else { known.stop().ceil_to_second() };
    let range = TimeRange::checked(start, stop).unwrap_or_else(|| known.to_whole_seconds());
    let path = folder.join(Request { mnemonic: mnemonic.clone(), range }.file_name());
    if written.files.contains(&path) {
        let message =
            format!("two ranges of {mnemonic} that are known would have the name `{}`", path.display());
        return Err(Error::usage(message).with_hint(
            "they lie within one second: name a range with one of them, with `--start` and `--stop`",
        ));
    }
    let rows = reading.samples.clone().with_brackets(reading.leading.as_ref(), reading.trailing.as_ref())?;
    file(path, &edb_wire::encode(&rows), &reading, written)
}

fn file(path: PathBuf, bytes: &[u8], reading: &Reading, written: &mut RawFiles) -> Result<()> {
    let mut file = AtomicFile::create(&path)?;
    file.write_all(bytes).map_err(|error| file.error(error))?;
    if let Some(fetched_at) = reading.fetched_at {
        file.date(fetched_at)?;
    }
    file.commit()?;
    written.rows += reading.samples.len();
    written.files.push(path);
    Ok(())
}
