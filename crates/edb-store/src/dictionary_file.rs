//! What a store knows about its mnemonics, as one JSON file.

use edb_core::{Dictionary, DictionaryEntry, Error, Mnemonic, Result, SqlType};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Entry {
    mnemonic: Mnemonic,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    subsystem: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifier: Option<i64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sql_type: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all_points: Option<bool>,
}

pub(crate) fn parse(text: &[u8]) -> Result<Dictionary> {
    let entries: Vec<Entry> = serde_json::from_slice(text)
        .map_err(|error| Error::integrity("could not read the store's dictionary").caused_by(error))?;
    let entry = |entry: Entry| DictionaryEntry {
        mnemonic: entry.mnemonic,
        subsystem: entry.subsystem,
        identifier: entry.identifier,
        description: entry.description,
        sql_type: entry.sql_type.as_deref().map(SqlType::new),
        unit: entry.unit,
        all_points: entry.all_points,
    };
    Ok(entries.into_iter().map(entry).collect())
}

/// One line for each mnemonic, so that two versions can be compared line by line.
pub(crate) fn format(dictionary: &Dictionary) -> Result<String> {
    let line = |entry: &DictionaryEntry| {
        serde_json::to_string(&Entry {
            mnemonic: entry.mnemonic.clone(),
            subsystem: entry.subsystem.clone(),
            identifier: entry.identifier,
            description: entry.description.clone(),
            sql_type: entry.sql_type.as_ref().map(|sql_type| sql_type.as_str().to_owned()),
            unit: entry.unit.clone(),
            all_points: entry.all_points,
        })
    };
    let lines = dictionary
        .iter()
        .map(line)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::integrity("could not write the store's dictionary").caused_by(error))?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// What `newer` says replaces what was known; what it leaves out stays.
pub(crate) fn merge(known: &mut Dictionary, newer: &Dictionary) {
    for mut entry in newer.iter().cloned() {
        if let Some(old) = known.get(&entry.mnemonic) {
            let keep = |text: &mut String, old: &str| {
                if text.is_empty() {
                    old.clone_into(text);
                }
            };
            keep(&mut entry.subsystem, &old.subsystem);
            keep(&mut entry.description, &old.description);
            keep(&mut entry.unit, &old.unit);
            entry.identifier = entry.identifier.or(old.identifier);
            entry.sql_type = entry.sql_type.or_else(|| old.sql_type.clone());
            entry.all_points = entry.all_points.or(old.all_points);
        }
        known.insert(entry);
    }
}
