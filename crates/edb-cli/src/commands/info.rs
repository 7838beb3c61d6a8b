//! `edb info`.

use std::fmt::Write;

use edb::{DictionaryEntry, Error, ErrorKind, MICROS_PER_DAY, Mnemonic, Result, SqlType};
use serde_json::json;

use crate::args::{Common, InfoArgs, SummaryForm};
use crate::{output, source};

pub(crate) async fn run(common: &Common, args: InfoArgs) -> Result<u8> {
    let now = source::now();
    let mnemonics = args.mnemonics.iter().map(|name| Mnemonic::new(name)).collect::<Result<Vec<_>>>()?;
    let archive = source::archive(common, None, None, &[]).await?;
    let mut notices = Vec::new();
    let dictionary = archive.describe(&mnemonics.iter().collect::<Vec<_>>(), now, &mut notices).await?;
    let has_store = source::store_folder(common, None).is_some();
    let mut objects = Vec::new();
    let mut text = String::new();
    for mnemonic in &mnemonics {
        let entry =
            dictionary.get(mnemonic).cloned().unwrap_or_else(|| DictionaryEntry::bare(mnemonic.clone()));
        let known = archive.store().known(mnemonic)?;
        objects.push(json!({
            "mnemonic": entry.mnemonic, "description": entry.description, "unit": entry.unit, "subsystem": entry.subsystem,
            "sql_type": entry.sql_type.as_ref().map(SqlType::as_str), "identifier": entry.identifier,
            "all_points": entry.all_points,
            "known": known.ranges().iter().map(|range| [range.start().to_string(), range.stop().to_string()]).collect::<Vec<_>>(),
        }));
        text.push_str(&about(&entry, &known, has_store));
    }
    let is_blank = |mnemonic: &&Mnemonic| dictionary.get(mnemonic).is_none();
    if let Some(blank) = mnemonics.iter().find(is_blank) {
        let why = notices.first().map_or("no dictionary has it".to_owned(), ToString::to_string);
        return Err(Error::new(ErrorKind::Unavailable, format!("nothing is known of {blank}: {why}"))
            .with_hint("try again later, or name another `--source`"));
    }
    for notice in notices {
        output::say(&format!("notice: {notice}"));
    }
    if common.words.summary == SummaryForm::Json {
        text = format!("{}\n", json!({ "mnemonics": objects }));
    }
    output::data(text.as_bytes())?;
    Ok(0)
}

fn about(entry: &DictionaryEntry, known: &edb::Coverage, has_store: bool) -> String {
    let or_dash = |text: &str| output::plain(if text.is_empty() { "-" } else { text });
    let sampling = match entry.all_points {
        Some(true) => "every sample",
        Some(false) => "changes only",
        None => "not said",
    };
    let kept = match (known.ranges().first(), known.ranges().last()) {
        (Some(first), Some(last)) => {
            let days = known.micros() as f64 / MICROS_PER_DAY as f64;
            format!("{days:.2} days between {} and {}", first.start(), last.stop())
        }
        _ if has_store => "nothing".to_owned(),
        _ => "no store is named".to_owned(),
    };
    let mut text = format!("{}\n", entry.mnemonic);
    for (name, value) in [
        ("description", or_dash(&entry.description)),
        ("unit", or_dash(&entry.unit)),
        ("subsystem", or_dash(&entry.subsystem)),
        ("SQL type", or_dash(entry.sql_type.as_ref().map_or("", SqlType::as_str))),
        ("identifier", entry.identifier.map_or("-".to_owned(), |number| number.to_string())),
        ("sampling", sampling.to_owned()),
        ("in the store", kept),
    ] {
        // Writing into a string does not fail.
        let _ = writeln!(text, "  {name:12}  {value}");
    }
    text
}
