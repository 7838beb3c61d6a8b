//! What a file says about itself.

use edb_frame::Table;
use serde_json::{Value, json};

/// How the table was made, notices included, as pairs in reading order.
pub(crate) fn facts(table: &Table) -> Vec<(String, String)> {
    let notices = table.notices.iter().map(|notice| ("notice".to_owned(), notice.to_string()));
    table.made.iter().cloned().chain(notices).collect()
}

/// Key-value pairs of a Parquet footer: `edb.provenance`, a list of pairs, and `edb.columns`, an object by column.
pub(crate) fn footer(table: &Table) -> Vec<(String, String)> {
    let facts: Vec<Value> = facts(table).into_iter().map(|(key, value)| json!([key, value])).collect();
    let columns: serde_json::Map<String, Value> = table
        .columns()
        .iter()
        .map(|about| {
            let mnemonic = about.mnemonic.as_ref().map(ToString::to_string);
            let value = json!({ "unit": about.unit, "description": about.description, "mnemonic": mnemonic });
            (about.name.clone(), value)
        })
        .collect();
    vec![
        ("edb.provenance".to_owned(), Value::Array(facts).to_string()),
        ("edb.columns".to_owned(), Value::Object(columns).to_string()),
    ]
}
