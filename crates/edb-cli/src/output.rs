//! The two ways out: data to stdout, words to stderr.

use std::io::{self, Write};

use edb::{Error, ErrorKind, Result};

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

/// Says a line on stderr; there is nothing to be done if nobody listens.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what was attempted, each cause on its own line, and what to do next.
pub(crate) fn say_error(error: &Error) {
    say(&format!("error: {error}"));
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        say(&format!("  because: {cause}"));
        next = cause.source();
    }
    if let Some(hint) = error.hint() {
        say(&format!("hint: {hint}"));
    }
}
