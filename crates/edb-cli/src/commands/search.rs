//! `edb search`.

use std::fmt::Write;

use edb::{DictionaryEntry, Error, ErrorKind, Mnemonic, Result, SqlType};
use serde_json::json;

use crate::args::{Common, SearchArgs, SummaryForm};
use crate::{output, source};

pub(crate) async fn run(common: &Common, args: SearchArgs) -> Result<u8> {
    let archive = source::archive(common, None, None, &[]).await?;
    let kept = archive.dictionary(source::now()).await?;
    kept.notices.iter().for_each(|notice| output::say(&format!("notice: {notice}")));
    if let Some(since) = kept.kept_since.filter(|_| !common.words.quiet) {
        output::say(&format!("from the dictionary of {since} (`--refresh` fetches it anew)"));
    }
    let dictionary = kept.dictionary;
    let has_wildcard = args.pattern.contains(['*', '?']);
    let pattern = if has_wildcard { args.pattern.clone() } else { format!("*{}*", args.pattern) };
    let word = args.pattern.to_ascii_lowercase();
    let named: Vec<&DictionaryEntry> = dictionary.matching(&pattern).collect();
    let is_described = |entry: &&DictionaryEntry| {
        entry.description.to_ascii_lowercase().contains(&word) && !named.contains(entry)
    };
    let found: Vec<&DictionaryEntry> =
        named.iter().copied().chain(dictionary.iter().filter(is_described)).collect();
    if found.is_empty() {
        let error =
            Error::new(ErrorKind::UnknownMnemonic, format!("no name and no description matches `{pattern}`"));
        let wanted = Mnemonic::new(&args.pattern).ok();
        let near: Vec<&str> =
            wanted.iter().flat_map(|name| dictionary.nearest(name)).map(Mnemonic::as_str).collect();
        return Err(if near.is_empty() {
            error.with_hint("`*` stands for any characters, `?` for one")
        } else {
            error.with_hint(format!("try {}", near.join(", ")))
        });
    }
    if common.words.summary == SummaryForm::Json {
        let object = |entry: &&DictionaryEntry| {
            json!({
                "mnemonic": entry.mnemonic, "sql_type": entry.sql_type.as_ref().map(SqlType::as_str), "unit": entry.unit,
                "subsystem": entry.subsystem, "description": entry.description, "identifier": entry.identifier,
            })
        };
        let objects: Vec<_> = found.iter().map(object).collect();
        output::data(
            format!(
                "{}\n",
                json!({ "mnemonics": objects, "kept_since": kept.kept_since.map(|since| since.to_string()) })
            )
            .as_bytes(),
        )?;
        return Ok(0);
    }
    let mut text = String::new();
    for entry in found {
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{:24}  {:8}  {:10}  {:10}  {}",
            entry.mnemonic,
            entry.sql_type.as_ref().map_or("-", SqlType::as_str),
            output::plain(if entry.unit.is_empty() { "-" } else { &entry.unit }),
            output::plain(if entry.subsystem.is_empty() { "-" } else { &entry.subsystem }),
            output::plain(&entry.description)
        );
    }
    output::data(text.as_bytes())?;
    Ok(0)
}
