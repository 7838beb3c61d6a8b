//! `edb store`.

use std::fmt::Write;
use std::path::PathBuf;

use edb::{
    ArchiveOptions, DiskStore, ErrorKind, MICROS_PER_DAY, Mnemonic, MnemonicStatus, Result, Store, import,
};
use serde_json::json;

use crate::args::{Common, StoreArgs, StoreCommand, SummaryForm};
use crate::{output, source, summary};

pub(crate) fn run(common: &Common, args: StoreArgs) -> Result<u8> {
    let folder = source::required_store(common)?;
    match args.command {
        StoreCommand::Import { paths } => take_in(common, &DiskStore::open_or_create(&folder)?, &paths),
        StoreCommand::Status { mnemonics } => status(common, &DiskStore::open(&folder)?, &mnemonics),
    }
}

fn take_in(common: &Common, store: &DiskStore, paths: &[PathBuf]) -> Result<u8> {
    let imported = import(store, paths, source::now(), ArchiveOptions::default().settle)?;
    let failures: Vec<String> = imported
        .failures
        .iter()
        .map(|(path, error)| format!("{}: {}", path.display(), error.chain()))
        .collect();
    if common.words.summary == SummaryForm::Json {
        let object = json!({
            "files": imported.files, "rows": imported.rows, "rows_known": imported.rows_known, "mnemonics": imported.mnemonics,
            "passed_over": imported.passed_over, "failures": failures,
        });
        output::data(format!("{object}\n").as_bytes())?;
    } else if !common.words.quiet {
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

fn status(common: &Common, store: &DiskStore, names: &[String]) -> Result<u8> {
    let mnemonics = match names {
        [] => store.mnemonics()?,
        names => names.iter().map(|name| Mnemonic::new(name)).collect::<Result<Vec<_>>>()?,
    };
    let all = mnemonics.iter().map(|mnemonic| store.status(mnemonic)).collect::<Result<Vec<_>>>()?;
    if common.words.summary == SummaryForm::Json {
        let entries: Vec<_> = all.iter().map(as_json).collect();
        output::data(format!("{}\n", json!({ "mnemonics": entries })).as_bytes())?;
        return Ok(0);
    }
    let width = mnemonics.iter().map(|mnemonic| mnemonic.as_str().len()).max().unwrap_or(0).max(8);
    let mut text = format!(
        "{:width$}  {:>12}  {:>8}  {:>8}  {:>6}  {:>8}  known range\n",
        "mnemonic", "samples", "segments", "B/sample", "holes", "days"
    );
    for one in &all {
        let ranges = one.known.ranges();
        let hull = ranges
            .first()
            .zip(ranges.last())
            .map_or("-".to_owned(), |(first, last)| format!("{}/{}", first.start(), last.stop()));
        let provisional = if one.provisional.is_empty() { "" } else { "  (in part provisional)" };
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{:width$}  {:>12}  {:>8}  {:>8.2}  {:>6}  {:>8.2}  {hull}{provisional}",
            one.mnemonic,
            summary::thousands(one.rows as u64),
            one.segments,
            one.size_bytes as f64 / one.rows.max(1) as f64,
            ranges.len().saturating_sub(1),
            one.known.micros() as f64 / MICROS_PER_DAY as f64
        );
    }
    let size: u64 = all.iter().map(|one| one.size_bytes).sum();
    let _ = writeln!(text, "{} mnemonics, {}", all.len(), summary::bytes(size));
    output::data(text.as_bytes())?;
    Ok(0)
}

fn as_json(one: &MnemonicStatus) -> serde_json::Value {
    let ranges = |coverage: &edb::Coverage| -> Vec<[String; 2]> {
        coverage.ranges().iter().map(|range| [range.start().to_string(), range.stop().to_string()]).collect()
    };
    json!({
        "mnemonic": one.mnemonic, "segments": one.segments, "rows": one.rows, "size_bytes": one.size_bytes,
        "known": ranges(&one.known), "provisional": ranges(&one.provisional),
    })
}
