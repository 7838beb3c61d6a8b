//! The dictionary in the form of the Mashup services `Mast.JwstEdb.Mnemonics` and `Mast.JwstEdb.Dictionary`.

use edb_core::{Dictionary, Error, ErrorKind, Mnemonic, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::viz;

/// A question to the Mashup services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// `Mast.JwstEdb.Mnemonics`: all mnemonics.
    Mnemonics,
    /// `Mast.JwstEdb.Dictionary`: one mnemonic.
    Dictionary(Mnemonic),
}

#[derive(Deserialize)]
struct Asked {
    service: String,
    #[serde(default)]
    params: Value,
}

/// Reads the JSON of the form field `request`.
///
/// # Errors
/// [`ErrorKind::Usage`] if it asks for another service, or without a mnemonic.
pub fn parse_question(text: &str) -> Result<Question> {
    let asked: Asked = serde_json::from_str(text)
        .map_err(|error| Error::usage("could not read the form field `request` as JSON").caused_by(error))?;
    match asked.service.as_str() {
        "Mast.JwstEdb.Mnemonics" => Ok(Question::Mnemonics),
        "Mast.JwstEdb.Dictionary" => {
            let mnemonic = asked.params.get("mnemonic").and_then(Value::as_str);
            let mnemonic = mnemonic.ok_or_else(|| Error::usage("expected `params.mnemonic`"))?;
            Ok(Question::Dictionary(Mnemonic::new(mnemonic)?))
        }
        other => Err(Error::usage(format!(
            "expected the service `Mast.JwstEdb.Mnemonics` or `Mast.JwstEdb.Dictionary`, found `{other}`"
        ))),
    }
}

/// Writes a complete reply of one page.
pub fn format(dictionary: &Dictionary) -> String {
    let rows = viz::rows(dictionary);
    let count = rows.len();
    let names = ["subsystem", "tlmMnemonic", "tlmIdentifier", "description", "sqlDataType", "unit"];
    let kind = |name: &str| if name == "tlmIdentifier" { "int" } else { "string" };
    let fields: Vec<Value> = names.iter().map(|name| json!({ "name": name, "type": kind(name) })).collect();
    json!({
        "status": "COMPLETE",
        "msg": "",
        "data": rows,
        "fields": fields,
        "paging": {
            "page": 1, "pageSize": count, "pagesFiltered": 1, "rows": count, "rowsFiltered": count, "rowsTotal": count,
        },
    })
    .to_string()
}

/// Writes the services' way of saying that something failed: status 200, and this.
pub fn format_error(message: &str) -> String {
    json!({ "status": "ERROR", "msg": message, "data": null, "fields": null, "paging": null }).to_string()
}

#[derive(Deserialize)]
struct Reply {
    status: String,
    #[serde(default)]
    msg: Option<String>,
    #[serde(default)]
    data: Option<Vec<viz::Row>>,
}

/// Reads a reply. A mnemonic that is unknown gives an empty dictionary.
///
/// # Errors
/// [`ErrorKind::Unavailable`] with the service's own words if it reports an error, or is still at work;
/// [`ErrorKind::Integrity`] if the text is no such JSON.
pub fn parse(text: &[u8]) -> Result<Dictionary> {
    let reply: Reply = serde_json::from_slice(text)
        .map_err(|error| Error::integrity("could not read the Mashup reply's JSON").caused_by(error))?;
    if reply.status != "COMPLETE" {
        let says = reply.msg.unwrap_or_default();
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!("the service reports {}: {says}", reply.status),
        ));
    }
    Ok(viz::dictionary(reply.data.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use edb_core::DictionaryEntry;

    #[test]
    fn replies_round_trip() {
        let entry = DictionaryEntry::bare(Mnemonic::new("IMIR_HK_ICE_SEC_VOLT4").unwrap());
        let dictionary: Dictionary = [entry].into_iter().collect();
        assert_eq!(parse(format(&dictionary).as_bytes()).unwrap(), dictionary);
        assert!(parse(br#"{"status":"COMPLETE","msg":""}"#).unwrap().is_empty());
        let error = parse(format_error("Must be logged in").as_bytes()).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().contains("Must be logged in")),
            (ErrorKind::Unavailable, true)
        );
    }

    #[test]
    fn questions_are_read_and_others_refused() {
        let ask = |service: &str| {
            format!(r#"{{"service":"{service}","params":{{"mnemonic":"sa_x"}},"format":"json"}}"#)
        };
        assert_eq!(parse_question(&ask("Mast.JwstEdb.Mnemonics")).unwrap(), Question::Mnemonics);
        let one = Question::Dictionary(Mnemonic::new("SA_X").unwrap());
        assert_eq!(parse_question(&ask("Mast.JwstEdb.Dictionary")).unwrap(), one);
        assert!(parse_question(&ask("Mast.Caom.Cone")).is_err());
        assert!(parse_question("x").is_err());
    }
}
