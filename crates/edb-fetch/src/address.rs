//! Where a service is, and what may be told to it.

use std::net::IpAddr;

use edb_core::{Error, Result};
use reqwest::Url;

/// The parsed URL of a service.
#[derive(Debug, Clone)]
pub(crate) struct Address(Url);

impl Address {
    /// Reads `https://host/` or `http://host:port/`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .filter(|url| url.query().is_none() && url.fragment().is_none())
            .map(Self)
            .ok_or_else(|| {
                Error::usage(
                    "could not use the service's URL: expected `https://host/` or `http://host:port/`",
                )
                .with_hint(
                    "look at `--source` and at `ENG_BASE_URL`; a URL must carry neither a password nor a query",
                )
            })
    }

    /// Whether it is this machine. A name that only begins like a loopback address is somebody else's.
    pub(crate) fn is_loopback(&self) -> bool {
        self.0.host_str().is_some_and(|host| {
            let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        })
    }

    /// Whether a token may be sent there at all: over https, or without leaving this machine.
    pub(crate) fn may_carry_token(&self) -> bool {
        self.0.scheme() == "https" || self.is_loopback()
    }

    /// Whether `url` is of the same service: what was meant for it may be told there.
    pub(crate) fn is_same_service(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }
}

/// Whether a service may be sent a token that is kept for MAST, and was not named for this service: MAST itself, and services
/// on this machine.
pub fn takes_kept_token(base_url: &str) -> bool {
    Address::parse(base_url).is_ok_and(|address| {
        let is_of_the_institute = |host: &str| host == "stsci.edu" || host.ends_with(".stsci.edu");
        address.is_loopback()
            || address.may_carry_token() && address.0.host_str().is_some_and(is_of_the_institute)
    })
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
            assert!(takes_kept_token(url), "{url}");
        }
        for url in [
            "http://mast.stsci.edu/",
            "https://mast.stsci.edu.example.org/",
            "https://examplestsci.edu/",
            "https://127.0.0.1.example.org/",
            "https://example.org/mast.stsci.edu",
            "https://example.org\\.stsci.edu/",
            "https://example.org\\@mast.stsci.edu/",
            "https://mast.stsci.edu@example.org/",
            "ftp://mast.stsci.edu/",
        ] {
            assert!(!takes_kept_token(url), "{url}");
        }
    }
}
