//! The dictionary in the form of `viz/api/v0.1/info/mnemonics`.

use edb_core::{Dictionary, DictionaryEntry, Error, Mnemonic, Result, SqlType};
use serde::{Deserialize, Serialize};

/// The last entry of the service's list, which is no mnemonic.
const SENTINEL: &str = "ZZZZZZ";

/// One entry, in the words of the public metadata services.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(default)]
    subsystem: Option<String>,
    #[serde(rename = "tlmMnemonic")]
    mnemonic: String,
    #[serde(rename = "tlmIdentifier", default)]
    identifier: Option<i64>,
    #[serde(default)]
    description: Option<String>,
    #[serde(rename = "sqlDataType", default)]
    sql_type: Option<String>,
    #[serde(default)]
    unit: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Reply {
    data: Vec<Row>,
}

/// Reads a reply: all mnemonics, or the one asked for; none if it is unknown. Names that no mnemonic has are skipped.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if the text is no such JSON.
pub fn parse(text: &[u8]) -> Result<Dictionary> {
    let reply: Reply = serde_json::from_slice(text)
        .map_err(|error| Error::integrity("could not read the dictionary's JSON").caused_by(error))?;
    Ok(dictionary(reply.data))
}

/// Writes a reply.
///
/// # Errors
/// None that a dictionary could cause.
pub fn format(dictionary: &Dictionary) -> Result<String> {
    serde_json::to_string(&Reply { data: rows(dictionary) })
        .map_err(|error| Error::integrity("could not write the dictionary's JSON").caused_by(error))
}

pub(crate) fn dictionary(rows: Vec<Row>) -> Dictionary {
    let entry = |row: Row| {
        let mnemonic = Mnemonic::new(&row.mnemonic).ok().filter(|mnemonic| mnemonic.as_str() != SENTINEL)?;
        Some(DictionaryEntry {
            mnemonic,
            subsystem: row.subsystem.unwrap_or_default(),
            identifier: row.identifier,
            description: row.description.unwrap_or_default(),
            sql_type: row.sql_type.filter(|word| !word.is_empty()).as_deref().map(SqlType::new),
            unit: row.unit.unwrap_or_default(),
            all_points: None,
        })
    };
    rows.into_iter().filter_map(entry).collect()
}

pub(crate) fn rows(dictionary: &Dictionary) -> Vec<Row> {
    let row = |entry: &DictionaryEntry| Row {
        subsystem: Some(entry.subsystem.clone()),
        mnemonic: entry.mnemonic.to_string(),
        identifier: entry.identifier,
        description: Some(entry.description.clone()),
        sql_type: entry.sql_type.as_ref().map(|sql_type| sql_type.as_str().to_owned()),
        unit: Some(entry.unit.clone()),
    };
    dictionary.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_round_trip_and_the_sentinel_is_dropped() {
        let text = br#"{"data":[
            {"subsystem":"OTE","tlmMnemonic":"SO_ZFXPOSNS","tlmIdentifier":81669,"description":"d","sqlDataType":"float","unit":"rad"},
            {"subsystem":"FOS","tlmMnemonic":"fgdp_icdh_state","tlmIdentifier":570000,"description":null,"sqlDataType":"varchar","unit":""},
            {"subsystem":"","tlmMnemonic":"ZZZZZZ","tlmIdentifier":0,"description":"","sqlDataType":"","unit":""},
            {"tlmMnemonic":"not a mnemonic"}]}"#;
        let dictionary = parse(text).unwrap();
        assert_eq!(dictionary.len(), 2);
        let entry = dictionary.get(&Mnemonic::new("so_zfxposns").unwrap()).unwrap();
        assert_eq!(
            (entry.unit.as_str(), entry.identifier, &entry.sql_type),
            ("rad", Some(81669), &Some(SqlType::Float))
        );
        assert_eq!(parse(format(&dictionary).unwrap().as_bytes()).unwrap(), dictionary);
        assert!(parse(b"<html>").is_err());
    }
}
