//! Where a token comes from.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use edb::fetch::{Token, TokenFinder};
use edb::{Error, Result};

use crate::args::Common;
use crate::output;
use crate::source::{environment, home};

/// The entry that astroquery writes into the keyring.
const KEYRING_SERVICE: &str = "astroquery:mast.stsci.edu.token";
const KEYRING_USER: &str = "masttoken";
const HOME_FILE: &str = ".mast_api_token";

/// A token, and where it was found.
pub(crate) struct Found {
    pub(crate) token: Token,
    pub(crate) place: String,
}

/// Whether a service may be sent a token that nobody named for it.
pub(crate) fn is_trusted(base_url: &str) -> bool {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    host == "stsci.edu" || host.ends_with(".stsci.edu") || is_loopback
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
    if let Some(text) = environment("MAST_API_TOKEN") {
        return found(&text, "MAST_API_TOKEN");
    }
    match home().map(|home| home.join(HOME_FILE)).filter(|path| path.is_file() && is_trusted(base_url)) {
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
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
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
    output::say("a token can be made at https://auth.mast.stsci.edu/token; it is not shown as it is typed");
    let text = rpassword::prompt_password("MAST token (empty for none): ")
        .map_err(|error| Error::usage("could not read the token from the terminal").caused_by(error))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    Ok(Some(Found { token: Token::new(&text)?, place: "the terminal".to_owned() }))
}

/// Looks where looking is not free, once a service has refused to answer without a token.
pub(crate) fn finder(common: &Common, base_url: &str) -> Option<TokenFinder> {
    if common.credentials.no_token || !is_trusted(base_url) {
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
    if is_trusted(base_url) {
        format!(
            "--token-file, --token, MAST_API_TOKEN, `{}`, the keyring (`{KEYRING_SERVICE}`)",
            home.display()
        )
    } else {
        "--token-file, --token, MAST_API_TOKEN; what is kept for MAST is not sent elsewhere".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_tokens_go_to_the_institute_and_to_this_machine_only() {
        for url in [
            "https://mast.stsci.edu/",
            "https://mast.stsci.edu",
            "http://127.0.0.1:8642/",
            "http://localhost/",
            "http://[::1]:9/",
        ] {
            assert!(is_trusted(url), "{url}");
        }
        for url in [
            "https://mast.stsci.edu.example.org/",
            "https://examplestsci.edu/",
            "https://127.0.0.1.example.org/",
            "https://example.org/mast.stsci.edu",
        ] {
            assert!(!is_trusted(url), "{url}");
        }
    }
}
