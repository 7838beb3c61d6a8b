//! What an export was asked, what came of it, and what its files are: one JSON object, with what changes from run to run.

use std::path::Path;

use edb::{Error, ErrorKind, Instant, Result, atomic};
use serde_json::{Value, json};

use crate::job::{Job, Resolved};
use crate::report::Report;

/// Writes the manifest of a run to `path`.
///
/// Keys: `tool`, `version`, `made_at`, `asked` (an object of what was asked, in the words that were used), `resolved` (`MNEMONIC@START/STOP`
/// of each request), and those of the report (`--summary json`): `sources`, `series` with proven ranges and gaps, `files` with rows, sizes and
/// SHA-256, `notices`, `failures`, `exit_code`.
pub(crate) fn write(
    path: &Path,
    job: &Job,
    resolved: &Resolved,
    report: &Report,
    now: Instant,
) -> Result<()> {
    let value = serde_json::to_value(report).map_err(|error| {
        Error::new(ErrorKind::Unclassified, "could not form the manifest").caused_by(error)
    })?;
    let mut asked = serde_json::Map::new();
    for (key, value) in &job.asked {
        // What was said several times is a list.
        match asked.get_mut(key) {
            Some(Value::Array(all)) => all.push(value.as_str().into()),
            Some(one) => *one = json!([one.take(), value]),
            None => {
                asked.insert(key.clone(), value.as_str().into());
            }
        }
    }
    let mut manifest = json!({
        "tool": "edb", "version": env!("CARGO_PKG_VERSION"), "made_at": now.to_string(), "asked": asked,
        "resolved": resolved.requests.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if let (Value::Object(manifest), Value::Object(report)) = (&mut manifest, value) {
        manifest.extend(report);
    }
    atomic::write(path, format!("{manifest:#}\n").as_bytes())
}
