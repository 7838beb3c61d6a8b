//! Where a token comes from.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use edb::fetch::{Token, TokenFinder, takes_kept_token};
use edb::{Error, Result};

use crate::args::Common;
use crate::source::{environment, home};
use crate::{output, progress};

/// The entry that astroquery writes into the keyring.
const KEYRING_SERVICE: &str = "astroquery:mast.stsci.edu.token";
const KEYRING_USER: &str = "masttoken";
const VARIABLE: &str = "MAST_API_TOKEN";
const HOME_FILE: &str = ".mast_api_token";

/// Whether the terminal is waiting for a token, and shows nothing of what is typed.
static IS_ASKING: AtomicBool = AtomicBool::new(false);

/// Makes the terminal show again what is typed, if it was left waiting for a token.
pub(crate) fn stop_asking() -> bool {
    let was_asking = IS_ASKING.load(Ordering::SeqCst);
    if was_asking {
        // A terminal that cannot be mended in this way is no worse than before.
        let _ = Command::new("stty").arg("echo").status();
    }
    was_asking
}

/// A token, and where it was found.
pub(crate) struct Found {
    pub(crate) token: Token,
    pub(crate) place: String,
}

/// The token that the user named, or keeps where MAST's own clients look; looking costs nothing and asks nobody.
pub(crate) fn given(common: &Common, base_url: &str) -> Result<Option<Found>> {
    let credentials = &common.credentials;
    if credentials.no_token {
        return Ok(None);
    }
    if let Some(path) = &credentials.token_file {
        return from_file(path).map(Some);
    }
    let found =
        |text: &str, place: &str| Ok(Some(Found { token: Token::new(text)?, place: place.to_owned() }));
    if let Some(text) = &credentials.token {
        return found(&text.0, "--token");
    }
    let is_trusted = takes_kept_token(base_url);
    match environment(VARIABLE) {
        Some(text) if is_trusted => return found(&text, VARIABLE),
        Some(_) => output::say(&format!(
            "note: {VARIABLE} is for MAST and is not sent to {base_url}; name a token for it with `--token-file`"
        )),
        None => {}
    }
    match home().map(|home| home.join(HOME_FILE)).filter(|path| path.is_file() && is_trusted) {
        Some(path) => from_file(&path).map(Some),
        None => Ok(None),
    }
}

fn from_file(path: &Path) -> Result<Found> {
    let fault = || Error::usage(format!("could not read the token in `{}`", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fault().caused_by(error))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(fault().with_hint("let it hold the token and nothing else, on one line"));
    };
    warn_if_public(path);
    let token = Token::new(line).map_err(|error| error.while_doing(fault().to_string()))?;
    Ok(Found { token, place: format!("the file `{}`", path.display()) })
}

#[cfg(unix)]
fn warn_if_public(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    static TOLD: AtomicBool = AtomicBool::new(false);
    let is_public = std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if is_public && !TOLD.swap(true, Ordering::SeqCst) {
        let path = path.display();
        output::say(&format!("warning: other users can read the token in `{path}`: run `chmod 600 {path}`"));
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: &Path) {}

/// The token that astroquery keeps in the keyring. The tools that own the keyring are asked, so that whatever kind of
/// keyring it is, theirs and astroquery's are the same.
pub(crate) fn kept() -> Result<Option<Found>> {
    let tools: [(&str, &[&str]); 3] = [
        ("keyring", &["get", KEYRING_SERVICE, KEYRING_USER]),
        ("secret-tool", &["lookup", "service", KEYRING_SERVICE, "username", KEYRING_USER]),
        ("security", &["find-generic-password", "-s", KEYRING_SERVICE, "-a", KEYRING_USER, "-w"]),
    ];
    for (tool, arguments) in tools {
        let output = Command::new(tool).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
        // A tool that is not there, or has no such entry, is no fault.
        let Ok(output) = output else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && !text.trim().is_empty() {
            let place = format!("the keyring (`{KEYRING_SERVICE}`, by `{tool}`)");
            return Token::new(&text).map(|token| Some(Found { token, place }));
        }
    }
    Ok(None)
}

/// The token that a person types, unseen; nobody is asked where there is no terminal.
pub(crate) fn asked() -> Result<Option<Found>> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    progress::suspended(ask)
}

fn ask() -> Result<Option<Found>> {
    output::say("a token can be made at https://auth.mast.stsci.edu/token; it is not shown as it is typed");
    IS_ASKING.store(true, Ordering::SeqCst);
    let text = rpassword::prompt_password("MAST token (empty for none): ");
    IS_ASKING.store(false, Ordering::SeqCst);
    let text =
        text.map_err(|error| Error::usage("could not read the token from the terminal").caused_by(error))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(Found { token: Token::new(&text)?, place: "the terminal".to_owned() }))
}

/// Looks where looking is not free, once a service has refused to answer without a token.
pub(crate) fn finder(common: &Common, base_url: &str) -> Option<TokenFinder> {
    if common.credentials.no_token || !takes_kept_token(base_url) {
        return None;
    }
    let is_quiet = common.words.quiet;
    Some(TokenFinder::new(move || {
        let found = match kept()? {
            Some(found) => Some(found),
            None if is_quiet => None,
            None => asked()?,
        };
        if let Some(found) = &found
            && !is_quiet
        {
            output::say(&format!("the service asks for a token: using the one from {}", found.place));
        }
        Ok(found.map(|found| found.token))
    }))
}

/// Where a token was looked for, for people who have none.
pub(crate) fn places(base_url: &str) -> String {
    let home = home().map_or_else(|| PathBuf::from("~").join(HOME_FILE), |home| home.join(HOME_FILE));
    if takes_kept_token(base_url) {
        format!(
            "--token-file, --token, MAST_API_TOKEN, `{}`, the keyring (`{KEYRING_SERVICE}`)",
            home.display()
        )
    } else {
        "--token-file, --token, MAST_API_TOKEN; what is kept for MAST is not sent elsewhere".to_owned()
    }
}
