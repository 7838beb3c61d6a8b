//! The mnemonic dictionary in the three forms it is sent in: [`viz`] (public, one GET), [`mashup`] (public, polled and
//! paged) and [`direct`] (internal, and `meta.json` of an `EngdbLocal` folder; the only one that says which mnemonics are
//! change-only).
//!
//! Rows whose name is no mnemonic are skipped and counted, so that one odd row does not cost the other 20,000; the
//! sentinel `ZZZZZZ` that ends the archive's list is dropped.

use edb_core::{Dictionary, DictionaryEntry, Mnemonic, SqlType};
use serde::Deserialize;
use serde_json::{Value, json};

/// The archive's mark for the end of its list.
const SENTINEL: &str = "ZZZZZZ";

/// A dictionary as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries.
    pub dictionary: Dictionary,
    /// How many rows had a name that is no mnemonic; the sentinel is not counted.
    pub skipped: usize,
}

impl Listing {
    fn of(names_and_entries: impl Iterator<Item = (String, DictionaryEntry)>) -> Self {
        let mut listing = Self::default();
        for (name, entry) in names_and_entries.filter(|(name, _)| name.trim() != SENTINEL) {
            match Mnemonic::new(&name) {
                Ok(mnemonic) => listing.dictionary.insert(DictionaryEntry { mnemonic, ..entry }),
                Err(_) => listing.skipped += 1,
            }
        }
        listing
    }
}

/// A row of the two public forms. Any field may be null or missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    tlm_mnemonic: Option<String>,
    subsystem: Option<String>,
    tlm_identifier: Option<Value>,
    description: Option<String>,
    sql_data_type: Option<String>,
    unit: Option<String>,
}

impl Row {
    fn listing(rows: Vec<Self>) -> Listing {
        Listing::of(rows.into_iter().map(|row| {
            let identifier = row.tlm_identifier.and_then(|number| match number {
                Value::String(text) => text.trim().parse().ok(),
                other => other.as_i64(),
            });
            let entry = DictionaryEntry {
                subsystem: row.subsystem.unwrap_or_default(),
                identifier,
                description: row.description.unwrap_or_default(),
                sql_type: row.sql_data_type.filter(|word| !word.is_empty()).map(|word| SqlType::new(&word)),
                unit: row.unit.unwrap_or_default(),
                ..nameless()
            };
            (row.tlm_mnemonic.unwrap_or_default(), entry)
        }))
    }

    fn rows(dictionary: &Dictionary) -> Vec<Value> {
        let row = |entry: &DictionaryEntry| {
            json!({
                "subsystem": entry.subsystem,
                "tlmMnemonic": entry.mnemonic.as_str(),
                "tlmIdentifier": entry.identifier,
                "description": entry.description,
                "sqlDataType": entry.sql_type.as_ref().map(SqlType::as_str),
                "unit": entry.unit,
            })
        };
        dictionary.iter().map(row).collect()
    }
}

/// An entry whose name is still to be read.
fn nameless() -> DictionaryEntry {
    match Mnemonic::new(SENTINEL) {
        Ok(sentinel) => DictionaryEntry::bare(sentinel),
        Err(_) => unreachable!("the sentinel is a mnemonic"),
    }
}

/// `GET …/viz/api/v0.1/info/mnemonics`: `{"data":[{"subsystem","tlmMnemonic",…}]}`.
pub mod viz {
    use edb_core::{Dictionary, Result};
    use serde::Deserialize;
    use serde_json::json;

    use super::{Listing, Row};
    use crate::json;

    #[derive(Deserialize)]
    struct Reply {
        data: Vec<Row>,
    }

    /// Reads a reply; an unknown name gives an empty dictionary.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if `body` is not JSON of this form.
    pub fn parse(body: &[u8]) -> Result<Listing> {
        let reply: Reply = json::parse(body, "the dictionary")?;
        Ok(Row::listing(reply.data))
    }

    /// Writes a reply; change-only flags have no place in this form.
    pub fn format(dictionary: &Dictionary) -> Vec<u8> {
        json::format(&json!({ "data": Row::rows(dictionary) }))
    }
}

/// `Mast.JwstEdb.Mnemonics` and `Mast.JwstEdb.Dictionary` of the Mashup services ([`crate::mashup`]).
pub mod mashup {
    use edb_core::{Dictionary, Result};

    use super::{Listing, Row};
    use crate::mashup::{self, Reply};

    /// Reads a reply; an unknown name gives an empty dictionary.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Unavailable`] with the service's own words if it says that it failed;
    /// [`edb_core::ErrorKind::Integrity`] if `body` is not JSON of this form.
    pub fn parse(body: &[u8]) -> Result<Reply<Listing>> {
        Ok(mashup::parse(body, "the dictionary")?.map(Row::listing))
    }

    /// Writes a complete reply of one page.
    pub fn format(dictionary: &Dictionary) -> Vec<u8> {
        let names = ["subsystem", "tlmMnemonic", "tlmIdentifier", "description", "sqlDataType", "unit"];
        let kind = |name| (name, if name == "tlmIdentifier" { "int" } else { "string" });
        mashup::format(&names.map(kind), &Row::rows(dictionary))
    }
}

/// The direct service, and `meta.json` of an `EngdbLocal` folder: `{"Count","TlmMnemonics":[{"TlmMnemonic",…}]}`.
pub mod direct {
    use edb_core::{Dictionary, DictionaryEntry, Result, SqlType};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Listing, nameless};
    use crate::json;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Reply {
        tlm_mnemonics: Option<Vec<Row>>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        tlm_mnemonic: Option<String>,
        subsystem: Option<String>,
        #[serde(rename = "SQLType")]
        sql_type: Option<String>,
        all_points: Option<Value>,
    }

    /// Reads a reply. `AllPoints` 0 is change-only; raw and engineering types are not kept.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if `body` is not JSON of this form.
    pub fn parse(body: &[u8]) -> Result<Listing> {
        let reply: Reply = json::parse(body, "the dictionary of the direct service")?;
        Ok(Listing::of(reply.tlm_mnemonics.unwrap_or_default().into_iter().map(|row| {
            let entry = DictionaryEntry {
                subsystem: row.subsystem.unwrap_or_default(),
                sql_type: row.sql_type.filter(|word| !word.is_empty()).map(|word| SqlType::new(&word)),
                all_points: row.all_points.as_ref().and_then(all_points),
                ..nameless()
            };
            (row.tlm_mnemonic.unwrap_or_default(), entry)
        })))
    }

    /// 1 and `true` are every sample, 0 and `false` only changes; anything else says nothing.
    pub(crate) fn all_points(value: &Value) -> Option<bool> {
        match value {
            Value::Bool(all) => Some(*all),
            other => match other.as_i64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
        }
    }

    /// Writes a reply. Raw and engineering types are the usual ones of the SQL type; what is not known is null.
    pub fn format(dictionary: &Dictionary) -> Vec<u8> {
        let row = |entry: &DictionaryEntry| {
            let engineering = entry.sql_type.as_ref().map(usual_type);
            json!({
                "TlmMnemonic": entry.mnemonic.as_str(),
                "Subsystem": entry.subsystem,
                "RawType": engineering,
                "EUType": engineering,
                "SQLType": entry.sql_type.as_ref().map(|sql_type| sql_type.as_str().to_ascii_uppercase()),
                "AllPoints": entry.all_points.map(u8::from),
            })
        };
        let rows: Vec<_> = dictionary.iter().map(row).collect();
        json::format(&json!({ "Count": rows.len(), "TlmMnemonics": rows }))
    }

    /// From the inventory that pipeline developers keep (2,449 mnemonics): the commonest engineering type.
    fn usual_type(sql_type: &SqlType) -> &'static str {
        match sql_type {
            SqlType::Real => "FL32",
            SqlType::Float => "FL64",
            SqlType::TinyInt => "UI8",
            SqlType::SmallInt => "SI16",
            SqlType::Int => "UI16",
            SqlType::BigInt => "UI32",
            SqlType::Varchar | SqlType::Other(_) => "DS",
        }
    }
}

#[cfg(test)]
mod tests {
    use edb_core::ErrorKind;

    use super::*;
    use crate::mashup::Reply;

    const ROWS: &str = r#"[
        {"subsystem":"OTE","tlmMnemonic":"SO_ZFXPOSNS","tlmIdentifier":81669,"description":"Position","sqlDataType":"float","unit":"rad"},
        {"subsystem":null,"tlmMnemonic":"FGDP_ICDH_STATE","tlmIdentifier":"570000","sqlDataType":"varchar","unit":""},
        {"tlmMnemonic":"no mnemonic"},
        {"subsystem":"ZZZ","tlmMnemonic":"ZZZZZZ","tlmIdentifier":0,"description":"","sqlDataType":"","unit":""}
    ]"#;

    fn entry<'a>(dictionary: &'a Dictionary, name: &str) -> &'a DictionaryEntry {
        dictionary.get(&Mnemonic::new(name).unwrap()).unwrap()
    }

    #[test]
    fn viz_replies_are_read_without_sentinel_and_odd_names() {
        let listing = viz::parse(format!(r#"{{"data":{ROWS}}}"#).as_bytes()).unwrap();

        assert_eq!((listing.dictionary.len(), listing.skipped), (2, 1));
        let position = entry(&listing.dictionary, "so_zfxposns");
        assert_eq!((position.identifier, position.unit.as_str()), (Some(81_669), "rad"));
        assert_eq!(position.sql_type, Some(SqlType::Float));
        assert_eq!(entry(&listing.dictionary, "FGDP_ICDH_STATE").identifier, Some(570_000));
        let again = viz::parse(&viz::format(&listing.dictionary)).unwrap();
        assert_eq!(again.dictionary, listing.dictionary);
    }

    #[test]
    fn mashup_replies_are_executing_complete_or_refused() {
        let executing = mashup::parse(br#"{"status":"EXECUTING","msg":""}"#).unwrap();
        assert_eq!(executing, Reply::Executing);
        let body = format!(
            r#"{{"status":"COMPLETE","msg":"","data":{ROWS},"fields":[],"paging":{{"pagesFiltered":3}}}}"#
        );
        let Reply::Complete { found: listing, pages } = mashup::parse(body.as_bytes()).unwrap() else {
            panic!("complete")
        };
        assert_eq!((listing.dictionary.len(), pages), (2, 3));
        let again = mashup::parse(&mashup::format(&listing.dictionary)).unwrap();
        assert_eq!(again, Reply::Complete { found: Listing { skipped: 0, ..listing }, pages: 1 });
        let none = Reply::Complete { found: Listing::default(), pages: 1 };
        assert_eq!(mashup::parse(br#"{"status":"COMPLETE"}"#).unwrap(), none);

        let refused = mashup::parse(br#"{"status":"ERROR","msg":"Must be logged in"}"#).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
        assert!(refused.to_string().contains("`Must be logged in`"));
    }

    #[test]
    fn direct_replies_say_which_mnemonics_are_change_only() {
        let body = br#"{"Count":3,"TlmMnemonics":[
            {"TlmMnemonic":"SE_ZIMIRICEA","Subsystem":"EPS","RawType":"UI16","EUType":"FL64","SQLType":"FLOAT","AllPoints":0},
            {"TlmMnemonic":"ICTM_EVENT_MSG","Subsystem":"FSW","RawType":"CS","EUType":"CS","SQLType":"VARCHAR(359)","AllPoints":1},
            {"TlmMnemonic":"X","SQLType":"INT"}]}"#;
        let listing = direct::parse(body).unwrap();

        let said = |name: &str| entry(&listing.dictionary, name).all_points;
        assert_eq!(
            (said("SE_ZIMIRICEA"), said("ICTM_EVENT_MSG"), said("X")),
            (Some(false), Some(true), None)
        );
        assert_eq!(entry(&listing.dictionary, "ICTM_EVENT_MSG").sql_type, Some(SqlType::Varchar));
        assert_eq!(direct::parse(&direct::format(&listing.dictionary)).unwrap(), listing);
    }

    #[test]
    fn a_page_instead_of_json_is_quoted() {
        let error = viz::parse(b"<html>down</html>").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.to_string().ends_with("found `<html>down</html>`"), "{error}");
        assert!(viz::parse(br#"{"rows":[]}"#).is_err());
    }
}
