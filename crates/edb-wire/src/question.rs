//! Questions to the Mashup services, as a server reads them.

use edb_core::{Error, Mnemonic, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::json;

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

impl Question {
    /// Reads the JSON of the form field `request`.
    ///
    /// # Errors
    /// [`edb_core::ErrorKind::Integrity`] if it is no such JSON; [`edb_core::ErrorKind::Usage`] if it asks for another
    /// service, or for no mnemonic.
    pub fn parse(text: &str) -> Result<Self> {
        let asked: Asked = json::parse(text.as_bytes(), "the form field `request`")?;
        match asked.service.as_str() {
            "Mast.JwstEdb.Mnemonics" => Ok(Self::Mnemonics),
            "Mast.JwstEdb.Dictionary" => {
                let mnemonic = asked.params.get("mnemonic").and_then(Value::as_str);
                let mnemonic = mnemonic.ok_or_else(|| Error::usage("expected `params.mnemonic`"))?;
                Ok(Self::Dictionary(Mnemonic::new(mnemonic)?))
            }
            other => Err(Error::usage(format!(
                "expected the service `Mast.JwstEdb.Mnemonics` or `Mast.JwstEdb.Dictionary`, found `{other}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary;
    use crate::mashup::refusal;

    #[test]
    fn questions_are_read_and_others_refused() {
        let ask = |service: &str| {
            format!(r#"{{"service":"{service}","params":{{"mnemonic":"sa_x"}},"format":"json"}}"#)
        };
        assert_eq!(Question::parse(&ask("Mast.JwstEdb.Mnemonics")).unwrap(), Question::Mnemonics);
        let one = Question::Dictionary(Mnemonic::new("SA_X").unwrap());
        assert_eq!(Question::parse(&ask("Mast.JwstEdb.Dictionary")).unwrap(), one);
        assert!(Question::parse(&ask("Mast.Caom.Cone")).is_err());
        assert!(Question::parse("x").is_err());
        let error = dictionary::mashup::parse(&refusal("Must be logged in")).unwrap_err();
        assert!(error.chain().contains("Must be logged in"));
    }
}
