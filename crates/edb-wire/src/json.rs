//! What the JSON forms have in common.

use edb_core::{Error, Result};
use serde::de::DeserializeOwned;

use crate::excerpt::excerpt;

/// Reads `body` as `what`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        let found = excerpt(body.trim_ascii_start());
        Error::integrity(format!("could not read {what}: expected JSON of that form, found {found}"))
            .caused_by(error)
    })
}

/// Writes `form`, whose maps all have text keys, so that it cannot fail.
pub(crate) fn format(form: &serde_json::Value) -> Vec<u8> {
    form.to_string().into_bytes()
}
