//! `edb store`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use edb::plot::{CoverageRow, FigureOptions, Format, draw_coverage};
use edb::{
    Coverage, DiskStore, Error, ErrorKind, Instant, MICROS_PER_DAY, Mnemonic, MnemonicStatus, RawForm,
    Result, Store, TimeRange, atomic, format_duration, import, parse_instant, write_raw_files,
};
use serde_json::json;

use crate::args::{Common, HeldArgs, RawFileForm, StoreArgs, StoreCommand, SummaryForm};
use crate::{output, source, summary};

pub(crate) fn run(common: &Common, args: StoreArgs) -> Result<u8> {
    let folder = source::required_store(common)?;
    let open = || DiskStore::open(&folder);
    match args.command {
        StoreCommand::Import { paths } => take_in(common, &folder, &paths),
        StoreCommand::Export { held, form, folder } => give_out(common, &open()?, &held, form, &folder),
        StoreCommand::Status { mnemonics, output } => status(common, &open()?, &mnemonics, output.as_deref()),
        StoreCommand::Verify { mnemonics, repair } => verify(common, &open()?, &mnemonics, repair),
        StoreCommand::Compact { mnemonics } => compact(common, &open()?, &mnemonics),
        StoreCommand::Remove { held } => remove(common, &open()?, &held),
    }
}

/// The mnemonics of the store that match any of the words; all of them without words.
fn held(store: &DiskStore, words: &[String]) -> Result<Vec<Mnemonic>> {
    let all = store.mnemonics()?;
    if words.is_empty() {
        return Ok(all);
    }
    if let Some(unknown) = words.iter().find(|word| !all.iter().any(|mnemonic| mnemonic.matches(word))) {
        return Err(Error::new(
            ErrorKind::UnknownMnemonic,
            format!("the store holds nothing of `{unknown}`"),
        )
        .with_hint("see what it holds with `edb store status`"));
    }
    Ok(all.into_iter().filter(|mnemonic| words.iter().any(|word| mnemonic.matches(word))).collect())
}

/// Whether people are told what was done.
fn tells(common: &Common) -> bool {
    common.words.summary == SummaryForm::Text && !common.words.quiet
}

/// The range that is named, open ends being those of time.
fn range(args: &HeldArgs) -> Result<Option<TimeRange>> {
    let now = source::now();
    let instant = |text: &Option<String>| text.as_deref().map(|text| parse_instant(text, now)).transpose();
    match (instant(&args.start)?, instant(&args.stop)?) {
        (None, None) => Ok(None),
        (start, stop) => {
            TimeRange::new(start.unwrap_or(Instant::MIN), stop.unwrap_or(Instant::MAX)).map(Some)
        }
    }
}

fn take_in(common: &Common, folder: &Path, paths: &[PathBuf]) -> Result<u8> {
    // Before a store is made for nothing.
    if let Some(missing) = paths.iter().find(|path| !path.exists()) {
        return Err(Error::usage(format!(
            "could not import `{}`: there is no such file or folder",
            missing.display()
        )));
    }
    let store = DiskStore::open_or_create(folder)?;
    let imported = import(&store, paths, source::now(), common.settle)?;
    let failures: Vec<String> = imported
        .failures
        .iter()
        .map(|(path, error)| format!("{}: {}", path.display(), error.chain()))
        .collect();
    if common.words.summary == SummaryForm::Json {
        let object = json!({
            "files": imported.files, "rows": imported.rows, "rows_known": imported.rows_known, "mnemonics": imported.mnemonics,
            "passed_over": imported.passed_over, "failures": failures,
            "notices": imported.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        output::data(format!("{object}\n").as_bytes())?;
    } else if tells(common) {
        output::say(&format!(
            "imported {} of {} from {}",
            summary::counted(imported.rows, "sample"),
            summary::counted(imported.mnemonics.len(), "mnemonic"),
            summary::counted(imported.files, "file")
        ));
        if imported.rows_known > 0 {
            output::say(&format!(
                "passed over {} samples in ranges that the store knew already",
                summary::thousands(imported.rows_known as u64)
            ));
        }
        for path in &imported.passed_over {
            output::say(&format!("passed over (no EDB CSV or EngdbLocal name): {}", path.display()));
        }
        summary::notices(&imported.notices).iter().for_each(|line| output::say(line));
    }
    for failure in &failures {
        output::say(&format!("failed: {failure}"));
    }
    Ok(match imported.failures.first() {
        None => 0,
        Some((_, error)) if imported.files == 0 => error.kind().exit_code(),
        Some(_) => ErrorKind::Partial.exit_code(),
    })
}

fn give_out(
    common: &Common,
    store: &DiskStore,
    args: &HeldArgs,
    form: RawFileForm,
    folder: &Path,
) -> Result<u8> {
    let form = match form {
        RawFileForm::Csv => RawForm::Csv,
        RawFileForm::Json => RawForm::EngdbLocal,
    };
    let mnemonics = held(store, &args.mnemonics)?;
    let written = write_raw_files(store, &mnemonics, range(args)?, form, folder)?;
    if common.words.summary == SummaryForm::Json {
        let object = json!({
            "files": written.files, "rows": written.rows,
            "notices": written.notices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        output::data(format!("{object}\n").as_bytes())?;
    } else if tells(common) {
        output::say(&format!(
            "wrote {} of {} to {} in {}",
            summary::counted(written.rows, "sample"),
            summary::counted(mnemonics.len(), "mnemonic"),
            summary::counted(written.files.len(), "file"),
            folder.display()
        ));
        summary::notices(&written.notices).iter().for_each(|line| output::say(line));
    }
    Ok(0)
}

fn status(common: &Common, store: &DiskStore, words: &[String], figure: Option<&Path>) -> Result<u8> {
    let mnemonics = held(store, words)?;
    let all = mnemonics.iter().map(|mnemonic| store.status(mnemonic)).collect::<Result<Vec<_>>>()?;
    if let Some(path) = figure {
        draw(&all, store, path)?;
    }
    if common.words.summary == SummaryForm::Json {
        let entries: Vec<_> = all.iter().map(as_json).collect();
        output::data(format!("{}\n", json!({ "mnemonics": entries })).as_bytes())?;
        return Ok(0);
    }
    let now = source::now();
    let width = mnemonics.iter().map(|mnemonic| mnemonic.as_str().len()).max().unwrap_or(0).max(8);
    let mut text = format!(
        "{:width$}  {:>13}  {:>8}  {:>8}  {:>6}  {:>8}  {:>11}  {:>7}  known range\n",
        "mnemonic", "samples", "segments", "B/sample", "holes", "days", "provisional", "fetched"
    );
    for one in &all {
        let ranges = one.known.ranges();
        let hull = ranges
            .first()
            .zip(ranges.last())
            .map_or("-".to_owned(), |(first, last)| format!("{}/{}", first.start(), last.stop()));
        let days = |coverage: &Coverage| coverage.micros() as f64 / MICROS_PER_DAY as f64;
        let young = if one.provisional.is_empty() {
            "-".to_owned()
        } else {
            format!("{:.2} d", days(&one.provisional))
        };
        let age = one.fetched_at.map_or("-".to_owned(), |(_, newest)| ago(newest, now));
        let per_sample = match one.rows {
            0 => "-".to_owned(),
            rows => format!("{:.2}", one.size_bytes as f64 / rows as f64),
        };
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{:width$}  {:>13}  {:>8}  {per_sample:>8}  {:>6}  {:>8.2}  {young:>11}  {age:>7}  {hull}",
            one.mnemonic,
            summary::thousands(one.rows as u64),
            one.segments,
            ranges.len().saturating_sub(1),
            days(&one.known),
        );
    }
    let size: u64 = all.iter().map(|one| one.size_bytes).sum();
    let rows: usize = all.iter().map(|one| one.rows).sum();
    let _ = writeln!(
        text,
        "{} of {} in {}, {}",
        summary::counted(rows, "sample"),
        summary::counted(all.len(), "mnemonic"),
        summary::counted(all.iter().map(|one| one.segments).sum(), "segment"),
        summary::bytes(size)
    );
    output::data(text.as_bytes())?;
    Ok(0)
}

/// `3d`, `5h`, `2m`: how long ago, in its largest unit.
fn ago(then: Instant, now: Instant) -> String {
    let seconds = (now.as_micros() - then.as_micros()).max(0) as u64 / 1_000_000;
    let unit = [86_400, 3_600, 60, 1].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    format_duration(std::time::Duration::from_secs(seconds / unit * unit))
}

fn draw(all: &[MnemonicStatus], store: &DiskStore, path: &Path) -> Result<()> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let format = Format::from_extension(&extension).ok_or_else(|| {
        Error::usage(format!("could not tell the figure format of `{}`", path.display()))
            .with_hint("end the name in `.png` or `.svg`")
    })?;
    let ranges = all.iter().flat_map(|one| one.known.ranges()).copied();
    let hull = ranges.reduce(TimeRange::hull).ok_or_else(|| {
        Error::new(ErrorKind::Disk, "could not draw a timeline: the store holds nothing")
            .with_hint("fill it with `edb sync` or `edb store import`")
    })?;
    let row = |one: &MnemonicStatus| CoverageRow {
        name: one.mnemonic.to_string(),
        known: one.known.clone(),
        provisional: one.provisional.clone(),
    };
    let mut options = FigureOptions::default();
    options.footer = format!("edb {} · store: {}", env!("CARGO_PKG_VERSION"), store.root().display());
    let rows: Vec<CoverageRow> = all.iter().map(row).collect();
    atomic::write(path, &draw_coverage(&rows, hull, &options, format)?)
}

fn ranges_as_json(coverage: &Coverage) -> Vec<[String; 2]> {
    coverage.ranges().iter().map(|range| [range.start().to_string(), range.stop().to_string()]).collect()
}

fn as_json(one: &MnemonicStatus) -> serde_json::Value {
    let fetched = one.fetched_at.map(|(oldest, newest)| [oldest.to_string(), newest.to_string()]);
    json!({
        "mnemonic": one.mnemonic, "segments": one.segments, "rows": one.rows, "size_bytes": one.size_bytes,
        "known": ranges_as_json(&one.known), "provisional": ranges_as_json(&one.provisional), "fetched_at": fetched,
    })
}

fn verify(common: &Common, store: &DiskStore, words: &[String], repair: bool) -> Result<u8> {
    let mnemonics = held(store, words)?;
    let (mut segments, mut rows, mut size, mut unchecked, mut superseded) = (0, 0, 0, 0, 0);
    let (mut damaged, mut left, mut foreign, mut aside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // A dictionary that cannot be read is found here, too: losing it loses no telemetry.
    let dictionary = store.dictionary().err();
    if repair && dictionary.is_some() {
        aside.push(store.set_dictionary_aside()?);
    }
    for mnemonic in &mnemonics {
        let verified = store.verify(mnemonic)?;
        segments += verified.segments;
        rows += verified.rows;
        size += verified.size_bytes;
        unchecked += verified.unchecked;
        superseded += verified.superseded;
        for damage in verified.damaged {
            if repair {
                aside.push(store.set_aside(mnemonic, &damage)?);
            }
            damaged.push((mnemonic.clone(), damage));
        }
        left.extend(verified.left);
        foreign.extend(verified.foreign);
    }
    left.extend(store.left()?);
    if repair {
        left.iter().for_each(|path| {
            atomic::sweep(path);
        });
    }
    let code = if damaged.is_empty() && dictionary.is_none() { 0 } else { ErrorKind::Integrity.exit_code() };
    if common.words.summary == SummaryForm::Json {
        let damage = |(mnemonic, damage): &(Mnemonic, edb::Damage)| {
            json!({
                "mnemonic": mnemonic, "path": damage.path, "start": damage.range.start().to_string(),
                "stop": damage.range.stop().to_string(), "error": damage.error.chain(),
            })
        };
        let object = json!({
            "segments": segments, "rows": rows, "size_bytes": size, "unchecked": unchecked, "superseded": superseded,
            "damaged": damaged.iter().map(damage).collect::<Vec<_>>(), "set_aside": aside, "left": left, "foreign": foreign,
            "dictionary": dictionary.as_ref().map(Error::chain), "exit_code": code,
        });
        output::data(format!("{object}\n").as_bytes())?;
        return Ok(code);
    }
    for (_, damage) in &damaged {
        output::say(&format!("damaged: {}", damage.error.chain()));
    }
    if let Some(error) = &dictionary {
        output::say(&format!("damaged: {}", error.chain()));
    }
    if tells(common) {
        left.iter().for_each(|path| output::say(&format!("left by a writer that died: {}", path.display())));
        foreign.iter().for_each(|path| output::say(&format!("no file of the store: {}", path.display())));
        aside.iter().for_each(|path| output::say(&format!("set aside: {}", path.display())));
        let text = [
            (unchecked, "of an older format, without checksums; `edb store compact` writes them anew"),
            (superseded, "in part replaced by newer ones; `edb store compact` cuts them"),
        ];
        for (count, what) in text.into_iter().filter(|(count, _)| *count > 0) {
            output::say(&format!("{} {what}", summary::counted(count, "segment")));
        }
        let state = if damaged.is_empty() {
            "all as written".to_owned()
        } else {
            format!("{} damaged", damaged.len())
        };
        output::say(&format!(
            "read {} of {}, {} in {}: {state}",
            summary::counted(segments, "segment"),
            summary::counted(mnemonics.len(), "mnemonic"),
            summary::counted(rows, "sample"),
            summary::bytes(size),
        ));
    }
    if !damaged.is_empty() {
        let again: Vec<String> =
            damaged.iter().take(4).map(|(mnemonic, damage)| format!("{mnemonic}@{}", damage.range)).collect();
        let more = if damaged.len() > again.len() { " …" } else { "" };
        let again = format!("edb sync {}{more}", again.join(" "));
        output::say(&if repair {
            format!("hint: fetch again what was in them: {again}")
        } else {
            format!(
                "hint: run it with `--repair`, which sets them aside; then fetch again what was in them: {again}"
            )
        });
    }
    Ok(code)
}

fn compact(common: &Common, store: &DiskStore, words: &[String]) -> Result<u8> {
    let mnemonics = held(store, words)?;
    let (mut removed, mut added, mut rows, mut saved) = (0, 0, 0, 0_i64);
    let mut failures: Vec<(Mnemonic, Error)> = Vec::new();
    for mnemonic in &mnemonics {
        let before = store.status(mnemonic)?.size_bytes;
        match store.compact(mnemonic) {
            Ok(done) => {
                removed += done.removed;
                added += done.added;
                rows += done.rows;
                saved += before as i64 - store.status(mnemonic)?.size_bytes as i64;
            }
            // The others are still worth it.
            Err(error) if error.kind() == ErrorKind::Integrity => failures.push((mnemonic.clone(), error)),
            Err(error) => return Err(error),
        }
    }
    let code = if failures.is_empty() { 0 } else { ErrorKind::Integrity.exit_code() };
    if common.words.summary == SummaryForm::Json {
        let failure =
            |(mnemonic, error): &(Mnemonic, Error)| json!({ "mnemonic": mnemonic, "error": error.chain() });
        let object = json!({
            "removed": removed, "added": added, "rows": rows, "saved_bytes": saved,
            "failures": failures.iter().map(failure).collect::<Vec<_>>(), "exit_code": code,
        });
        output::data(format!("{object}\n").as_bytes())?;
        return Ok(code);
    }
    if tells(common) {
        let sign = if saved < 0 { "more" } else { "less" };
        output::say(&match removed {
            0 => "nothing to merge".to_owned(),
            _ => format!(
                "merged {} into {added}: {} written again, {} {sign}",
                summary::counted(removed, "segment"),
                summary::counted(rows, "sample"),
                summary::bytes(saved.unsigned_abs())
            ),
        });
    }
    for (mnemonic, error) in &failures {
        output::say(&format!("failed: {mnemonic}: {}", error.chain()));
    }
    if let Some(hint) = failures.iter().find_map(|(_, error)| error.hint()) {
        output::say(&format!("hint: {hint}"));
    }
    Ok(code)
}

fn remove(common: &Common, store: &DiskStore, args: &HeldArgs) -> Result<u8> {
    let mnemonics = held(store, &args.mnemonics)?;
    let range = range(args)?;
    let mut removed = Vec::new();
    for mnemonic in &mnemonics {
        let rows = match (common.dry_run, range) {
            (true, Some(range)) => store.read(mnemonic, range)?.samples.len(),
            (true, None) => store.status(mnemonic)?.rows,
            (false, range) => store.remove(mnemonic, range)?,
        };
        removed.push((mnemonic, rows));
    }
    if common.words.summary == SummaryForm::Json {
        let one = |(mnemonic, rows): &(&Mnemonic, usize)| json!({ "mnemonic": mnemonic, "rows": rows });
        let object =
            json!({ "removed": removed.iter().map(one).collect::<Vec<_>>(), "dry_run": common.dry_run });
        output::data(format!("{object}\n").as_bytes())?;
    } else if tells(common) {
        let verb = if common.dry_run { "would remove" } else { "removed" };
        for (mnemonic, rows) in &removed {
            output::say(&format!("{verb} {} of {mnemonic}", summary::counted(*rows, "sample")));
        }
    }
    Ok(0)
}
