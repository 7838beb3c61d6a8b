//! The two ways out: data to stdout, words to stderr.

use std::io::{self, Write};
use std::sync::OnceLock;

use edb::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::args::LogFormat;

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Decides, once, which form words have.
pub(crate) fn speak(format: LogFormat) {
    // A second decision would find the first in force.
    let _ = FORMAT.set(format);
}

fn is_json() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// Writes data to stdout. A reader that has gone away is no fault.
///
/// # Errors
/// [`ErrorKind::Disk`] if stdout fails otherwise.
pub(crate) fn data(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Disk, "could not write to stdout").caused_by(error))
        }
        _ => Ok(()),
    }
}

/// What a service said, without what would command a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// Says a line on stderr; there is nothing to be done if nobody listens.
pub(crate) fn say(text: &str) {
    if is_json() {
        event("message", json!({ "text": text }));
    } else {
        line(text);
    }
}

/// Tells what happened: programs in facts, people in words.
pub(crate) fn report(name: &str, facts: Value, words: &str) {
    if is_json() {
        event(name, facts);
    } else {
        line(words);
    }
}

/// Tells programs what happened; people see it in other ways.
pub(crate) fn event(name: &str, mut facts: Value) {
    if is_json() {
        facts["event"] = name.into();
        line(&facts.to_string());
    }
}

fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what was attempted, each cause on its own line, and what to do next.
pub(crate) fn say_error(error: &Error) {
    if is_json() {
        event(
            "error",
            json!({ "text": error.chain(), "hint": error.hint(), "exit_code": error.kind().exit_code(), "tries": error.tries() }),
        );
        return;
    }
    line(&format!("error: {error}"));
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        line(&format!("  because: {cause}"));
        next = cause.source();
    }
    if let Some(hint) = error.hint() {
        line(&format!("hint: {hint}"));
    }
}

/// The JSON summary of a command that came to nothing else.
pub(crate) fn summarise_error(wants_json: bool, error: &Error) {
    if wants_json {
        let object = json!({
            "exit_code": error.kind().exit_code(), "error": error.chain(), "hint": error.hint(), "tries": error.tries(),
        });
        // There is no other way left to say that it could not be said.
        let _ = data(format!("{object}\n").as_bytes());
    }
}
