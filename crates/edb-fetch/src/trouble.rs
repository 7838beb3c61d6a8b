//! Why a try failed, as far as that decides what to do next.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use edb_core::{Error, ErrorKind};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};

/// How much of a refusal's own text is repeated.
const MAX_REASON_BYTES: usize = 300;
const TOKEN_HINT: &str = "check the token (`MAST_API_TOKEN`, `--token-file`) with `edb auth check`: tokens end after 10 days \
    without use, and after 60 days; most telemetry needs none (`--no-token`)";

/// What a failure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// The host: no connection could be made.
    Unreachable,
    /// The host, for good: its certificate, or a proxy that refuses. No other request will fare better.
    Barred,
    /// The connection or the service, for a moment.
    Passing,
    /// The service, which has too much to do.
    Overload,
    /// Time: nothing, or too little, came.
    Slow,
    /// The bytes, which are no telemetry.
    Integrity,
    /// The request, by a status that the service is known to take back now and then.
    Odd,
    /// The request: the same again would be refused again.
    Final,
    /// Nothing: we stopped it.
    Stopped,
}

/// A failed try.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) error: Error,
    pub(crate) class: Class,
    /// How long the service asks to wait.
    pub(crate) wait: Option<Duration>,
    /// How much of the answer had come, where its end is what is wrong with it: so the same bytes are known when they come
    /// again.
    pub(crate) after_bytes: u64,
}

impl Trouble {
    pub(crate) fn new(class: Class, error: Error) -> Self {
        Self { error, class, wait: None, after_bytes: 0 }
    }

    /// A failure of our own side, or of bytes: never of the network.
    pub(crate) fn of(error: Error) -> Self {
        let class = if error.kind() == ErrorKind::Integrity { Class::Integrity } else { Class::Final };
        Self::new(class, error)
    }

    pub(crate) fn after(mut self, bytes: u64) -> Self {
        self.after_bytes = bytes;
        self
    }

    /// The answer was ended by us.
    pub(crate) fn stopped() -> Self {
        let error = Error::new(ErrorKind::Limit, "stopped before anything of use had come");
        Self::new(Class::Stopped, error.with_tries(0))
    }

    /// Silence, or less than a trickle.
    pub(crate) fn slow(what: String) -> Self {
        let hint = "try again later; a shorter range is answered sooner";
        Self::new(Class::Slow, Error::new(ErrorKind::TimedOut, what).with_hint(hint))
    }

    /// An answer other than 200. `says` is what to tell, `wait` the service's own `Retry-After`.
    pub(crate) fn status(status: StatusCode, says: String, wait: Option<Duration>) -> Self {
        let later = |kind| Error::new(kind, says.clone()).with_hint("try again later");
        let (class, error) = match status.as_u16() {
            401 => (Class::Final, Error::new(ErrorKind::Unauthorized, says).with_hint(TOKEN_HINT)),
            403 => (Class::Final, Error::new(ErrorKind::Forbidden, says).with_hint(TOKEN_HINT)),
            407 => (Class::Barred, Error::new(ErrorKind::Unavailable, says).with_hint(PROXY_HINT)),
            // Asking the same again gives the same.
            413 | 416 | 422 => (Class::Final, Error::usage(says).with_hint("ask for another range")),
            404 | 405 | 410 | 414 => {
                (Class::Final, Error::usage(says).with_hint("check `--source` and `--prefix`"))
            }
            408 | 504 => (Class::Slow, later(ErrorKind::TimedOut)),
            429 | 503 => (Class::Overload, later(ErrorKind::Unavailable)),
            501 | 505 => {
                (Class::Final, Error::usage(says).with_hint("check `--source`: this service cannot do that"))
            }
            425 | 500..=599 => (Class::Passing, later(ErrorKind::Unavailable)),
            300..=399 => {
                (Class::Final, Error::usage(says).with_hint("check `--source`: it redirects to nowhere"))
            }
            // The service is known to refuse what it answers a minute later.
            _ => (Class::Odd, later(ErrorKind::Unavailable)),
        };
        Self { wait, ..Self::new(class, error) }
    }

    /// What the transport says, without the URL that it adds.
    pub(crate) fn transport(error: &reqwest::Error) -> Self {
        let unavailable = |what: &str| Error::new(ErrorKind::Unavailable, what);
        let check = "check the network and `--source`, and try again later";
        let (class, kind) = match find_cause(error) {
            Some(Cause::Certificate) => (
                Class::Barred,
                unavailable("could not trust the service's certificate").with_hint(
                    "check the clock and `--source`; where a proxy signs with its own authority, name its certificates with \
                     `--ca-file` or `SSL_CERT_FILE`",
                ),
            ),
            Some(Cause::Proxy) => (Class::Barred, unavailable("the proxy would not let the request through").with_hint(PROXY_HINT)),
            Some(Cause::Coding) => (
                Class::Integrity,
                Error::integrity("the answer is not compressed as it says").with_hint(check),
            ),
            None if error.is_timeout() => {
                (Class::Unreachable, unavailable("could not connect to the service in time").with_hint(check))
            }
            None if error.is_connect() => {
                (Class::Unreachable, unavailable("could not connect to the service").with_hint(check))
            }
            None => (
                Class::Passing,
                unavailable("the connection broke before the answer was whole").with_hint(check),
            ),
        };
        Self::new(class, kind.caused_by(root_of(error)))
    }

    /// Whether it says something about the host as a whole.
    pub(crate) fn is_of_the_host(&self) -> bool {
        matches!(self.class, Class::Unreachable | Class::Barred)
    }

    /// Whether the answer was under way, so that what came of it may be of use.
    pub(crate) fn is_of_the_way(&self) -> bool {
        matches!(self.class, Class::Passing | Class::Slow | Class::Unreachable | Class::Stopped)
    }
}

const PROXY_HINT: &str = "check `HTTPS_PROXY` and its credentials, or name the host in `NO_PROXY`";

/// What the transport's innermost layer says; the others only say that there is one.
fn root_of(error: &reqwest::Error) -> String {
    let mut root: &(dyn StdError + 'static) = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    // Without a cause it would name the URL.
    if error.source().is_none() { "no reason is known".to_owned() } else { root.to_string() }
}

/// What lies below a transport error and no second try changes.
enum Cause {
    Certificate,
    Proxy,
    Coding,
}

fn find_cause(error: &reqwest::Error) -> Option<Cause> {
    let mut next: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(cause) = next {
        // What an I/O error holds is not its source, and may be another of its kind.
        let mut inner = cause;
        while let Some(held) = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            inner = held;
        }
        if let Some(rustls::Error::InvalidCertificate(_)) = inner.downcast_ref() {
            return Some(Cause::Certificate);
        }
        let text = cause.to_string();
        // The tunnel's own errors are not public; these are their words.
        if text.starts_with("tunnel error: ") && !text.contains("io error") {
            return Some(Cause::Proxy);
        }
        if let Some(fault) = cause.downcast_ref::<io::Error>()
            && matches!(fault.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
            && error.is_decode()
        {
            return Some(Cause::Coding);
        }
        next = cause.source();
    }
    None
}

/// The service's own wait: seconds, or a date, which is read against the service's own clock.
pub(crate) fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than can be counted is very long.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let (then, now) = (date(asked)?, date(text(DATE)?)?);
    (then - now).to_std().ok()
}

/// The first line of a refusal that comes as plain text: the service's own reason.
pub(crate) async fn reason(mut response: reqwest::Response) -> Option<String> {
    let kind = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("text/plain") {
        return None;
    }
    let mut text = Vec::new();
    while text.len() < MAX_REASON_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        text.extend_from_slice(&chunk);
    }
    text.truncate(MAX_REASON_BYTES);
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.escape_debug().to_string())
}
