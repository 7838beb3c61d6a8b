//! `edb search`.

use std::fmt::Write;

use edb::{DictionaryEntry, Error, ErrorKind, Result};

use crate::args::{Common, SearchArgs};
use crate::{output, source};

pub(crate) async fn run(common: &Common, args: SearchArgs) -> Result<u8> {
    let archive = source::archive(common, None, None, &[]).await?;
    let dictionary = archive.dictionary().await?;
    let has_wildcard = args.pattern.contains(['*', '?']);
    let pattern = if has_wildcard { args.pattern.clone() } else { format!("*{}*", args.pattern) };
    let word = args.pattern.to_ascii_lowercase();
    let named: Vec<&DictionaryEntry> = dictionary.matching(&pattern).collect();
    let is_described = |entry: &&DictionaryEntry| {
        entry.description.to_ascii_lowercase().contains(&word) && !named.contains(entry)
    };
    let mut text = String::new();
    for entry in named.iter().copied().chain(dictionary.iter().filter(is_described)) {
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "{:24}  {:8}  {:10}  {:10}  {}",
            entry.mnemonic,
            entry.sql_type.as_ref().map_or("-", edb::SqlType::as_str),
            if entry.unit.is_empty() { "-" } else { &entry.unit },
            if entry.subsystem.is_empty() { "-" } else { &entry.subsystem },
            entry.description
        );
    }
    if text.is_empty() {
        return Err(Error::new(
            ErrorKind::UnknownMnemonic,
            format!("no name and no description matches `{pattern}`"),
        )
        .with_hint("`*` stands for any characters, `?` for one"));
    }
    output::data(text.as_bytes())?;
    Ok(0)
}
