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
        let value = without_users(value);
        // What was said several times is a list.
        match asked.get_mut(key) {
            Some(Value::Array(all)) => all.push(value.into()),
            Some(one) => *one = json!([one.take(), value]),
            None => {
                asked.insert(key.clone(), value.into());
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

/// A text without what stands before the host in URLs, which may be a password, and without the values of tokens.
fn without_users(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        safe.push_str(before);
        safe.push_str("://");
        let is_end = |c: char| c.is_whitespace() || "/\"'?#".contains(c);
        let host = &after[..after.find(is_end).unwrap_or(after.len())];
        rest = match host.rsplit_once('@') {
            Some((user, _)) => {
                safe.push('…');
                &after[user.len()..]
            }
            None => after,
        };
    }
    safe.push_str(rest);
    let mut out = String::with_capacity(safe.len());
    let mut rest = safe.as_str();
    while let Some(at) = rest.find("token=") {
        let (before, after) = rest.split_at(at + "token=".len());
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "&\"'#".contains(c)).unwrap_or(after.len());
        out.push_str(if end > 0 { "…" } else { "" });
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::without_users;

    #[test]
    fn what_was_asked_is_told_without_secrets() {
        for (text, expected) in [
            ("--source https://me:abc@host/x@y", "--source https://…@host/x@y"),
            (
                "source = \"https://me:abc@host\"\nstop = \"a@b\"",
                "source = \"https://…@host\"\nstop = \"a@b\"",
            ),
            ("https://host/a?token=abc&b=1 ftp://u@h", "https://host/a?token=…&b=1 ftp://…@h"),
            ("--token=abc SA_X@-1d", "--token=… SA_X@-1d"),
            ("SA_X@-1d", "SA_X@-1d"),
        ] {
            assert_eq!(without_users(text), expected);
        }
    }
}
