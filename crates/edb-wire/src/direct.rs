//! The dictionary in the form of the direct service, which alone says how a mnemonic is sampled.

use edb_core::{Dictionary, DictionaryEntry, Error, Mnemonic, Result, SqlType};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "TlmMnemonics")]
    mnemonics: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "TlmMnemonic")]
    mnemonic: String,
    #[serde(rename = "Subsystem", default)]
    subsystem: String,
    #[serde(rename = "SQLType", default)]
    sql_type: String,
    #[serde(rename = "AllPoints", default)]
    all_points: Option<i64>,
}

/// Reads `{"Count":…,"TlmMnemonics":[{"TlmMnemonic","Subsystem","RawType","EUType","SQLType","AllPoints"},…]}`, as in the
/// `meta.json` of an EngdbLocal folder. Names that no mnemonic has are skipped.
///
/// # Errors
/// [`edb_core::ErrorKind::Integrity`] if the text is no such JSON.
pub fn parse(text: &[u8]) -> Result<Dictionary> {
    let reply: Reply = serde_json::from_slice(text).map_err(|error| {
        Error::integrity("could not read the direct service's dictionary").caused_by(error)
    })?;
    let entry = |row: Row| {
        let mut entry = DictionaryEntry::bare(Mnemonic::new(&row.mnemonic).ok()?);
        entry.subsystem = row.subsystem;
        entry.sql_type = Some(row.sql_type).filter(|word| !word.is_empty()).as_deref().map(SqlType::new);
        entry.all_points = row.all_points.map(|flag| flag != 0);
        Some(entry)
    };
    Ok(reply.mnemonics.into_iter().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_points_and_types_are_read() {
        let text =
            br#"{"Count":1,"TlmMnemonics":[{"TlmMnemonic":"SE_ZIMIRICEA","Subsystem":"EPS","RawType":"UI16",
            "EUType":"FL32","SQLType":"VARCHAR(50)","AllPoints":0}]}"#;
        let dictionary = parse(text).unwrap();
        let entry = dictionary.iter().next().unwrap();
        assert_eq!((entry.all_points, &entry.sql_type), (Some(false), &Some(SqlType::Varchar)));
        assert_eq!(entry.subsystem, "EPS");
    }
}
