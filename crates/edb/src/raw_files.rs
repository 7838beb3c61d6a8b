//! A store's samples as files of the service's own forms.

use std::path::{Path, PathBuf};

use edb_core::{
    Dictionary, DictionaryEntry, Error, ErrorKind, Instant, MICROS_PER_SECOND, Mnemonic, Notice, NoticeKind,
    Request, Result, TimeRange, atomic,
};
use edb_store::{DiskStore, Store};
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

/// Writes what `store` knows of `mnemonics`, all of it or in `range`, into `folder`. Each file appears whole or not at all.
///
/// # Errors
/// [`ErrorKind::Empty`] if nothing is known of any of them; [`ErrorKind::Disk`] and [`ErrorKind::Integrity`] from the store.
pub fn write_raw_files(
    store: &DiskStore,
    mnemonics: &[Mnemonic],
    range: Option<TimeRange>,
    form: RawForm,
    folder: &Path,
) -> Result<RawFiles> {
    let mut written = RawFiles::default();
    let mut described = Dictionary::default();
    let dictionary = store.dictionary()?;
    for mnemonic in mnemonics {
        let known = store.known(mnemonic)?;
        let known = range.map_or_else(|| known.clone(), |range| known.within(range));
        if let (Some(range), false) = (range, known.is_empty()) {
            let holes: Vec<String> = known.gaps(range).iter().map(ToString::to_string).collect();
            if !holes.is_empty() {
                let text = format!("nothing is known in {}", holes.join(", "));
                written.notices.push(Notice::about(NoticeKind::NotKnown, mnemonic, text));
            }
        }
        match form {
            RawForm::Csv => {
                let status = store.status(mnemonic)?;
                for known in known.ranges() {
                    let share = known.micros() as f64 / status.known.micros().max(1) as f64;
                    let parts = (status.rows as f64 * share / FILE_ROWS as f64).ceil();
                    if parts <= 1.0 {
                        csv_file(store, mnemonic, *known, folder, &mut written)?;
                        continue;
                    }
                    // Whole seconds, which names are made of.
                    let step = (known.micros() as f64 / parts / MICROS_PER_SECOND as f64).ceil() as i64;
                    for part in known.windows(step * MICROS_PER_SECOND) {
                        csv_file(store, mnemonic, part, folder, &mut written)?;
                    }
                }
            }
            RawForm::EngdbLocal => {
                let Some(hull) = known.ranges().iter().copied().reduce(TimeRange::hull) else { continue };
                let samples = store.read(mnemonic, hull)?.samples;
                if samples.times().iter().any(|time| time % 1000 != 0) {
                    let text = "times are rounded to the millisecond, which is all this form holds";
                    written.notices.push(Notice::about(NoticeKind::LeftOut, mnemonic, text));
                }
                let mut entry = dictionary
                    .get(mnemonic)
                    .cloned()
                    .unwrap_or_else(|| DictionaryEntry::bare(mnemonic.clone()));
                entry.sql_type = Some(samples.sql_type().clone());
                let path = folder.join(format!("{}_data.json", mnemonic.as_str().to_ascii_lowercase()));
                atomic::write(&path, &local::format(mnemonic, &samples, entry.all_points))?;
                described.insert(entry);
                written.rows += samples.len();
                written.files.push(path);
            }
        }
    }
    if !described.is_empty() {
        let path = folder.join("meta.json");
        atomic::write(&path, &direct::format(&described))?;
        written.files.push(path);
    }
    if written.files.is_empty() {
        let what = range.map_or_else(String::new, |range| format!(" in {range}"));
        return Err(Error::new(ErrorKind::Empty, format!("the store knows nothing of what was named{what}"))
            .with_hint("see what it knows with `edb store status`"));
    }
    Ok(written)
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
    written.rows += reading.samples.len();
    // Whoever reads the file takes rows outside the range of its name for brackets: it must not reach them, and must reach all
    // samples where there are none.
    let floor = |instant: Instant| instant.floor_to_second();
    let start = if reading.leading.is_some() { known.start().ceil_to_second() } else { floor(known.start()) };
    let stop = if reading.trailing.is_some() { floor(known.stop()) } else { known.stop().ceil_to_second() };
    let range = TimeRange::checked(start, stop).unwrap_or_else(|| known.to_whole_seconds());
    let rows = reading.samples.with_brackets(reading.leading.as_ref(), reading.trailing.as_ref())?;
    let path = folder.join(Request { mnemonic: mnemonic.clone(), range }.file_name());
    atomic::write(&path, &edb_wire::encode(&rows))?;
    written.files.push(path);
    Ok(())
}
