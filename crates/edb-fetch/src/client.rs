//! One service.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::net::IpAddr;
use std::sync::Once;
use std::time::Duration;

use edb_core::atomic::AtomicFile;
use edb_core::{
    Answer, BoxFuture, Dictionary, Error, ErrorKind, Mnemonic, Request, Result, Source, TimeRange,
};
use edb_wire::{Decoder, Whole, dictionary};
use futures_util::StreamExt;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};

use crate::retry::{Retries, RetryPolicy};
use crate::token::Token;

/// MAST.
pub const DEFAULT_BASE_URL: &str = "https://mast.stsci.edu/";
/// Statuses that no second try changes.
const FINAL_STATUSES: [u16; 7] = [404, 405, 410, 413, 414, 416, 422];
/// How much of a refusal's own text is repeated.
const MAX_REASON_BYTES: usize = 300;
const USER_AGENT: &str = concat!("edb/", env!("CARGO_PKG_VERSION"), " (+", env!("CARGO_PKG_REPOSITORY"), ")");
const NO_TELEMETRY_HINT: &str = "check `--source`, or try again later: a log-in or maintenance page, or a body that was cut, is no telemetry";
/// A dictionary of 20,000 mnemonics has some 4 MB.
const MAX_DICTIONARY_BYTES: usize = 64 << 20;

/// How to reach a service.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The service, as `https://mast.stsci.edu/`; a missing final slash is added.
    pub base_url: String,
    /// A path put between the host and `/api`, as `/jwst`; may be empty.
    pub prefix: String,
    /// Sent as `Authorization: token …`; most telemetry needs none.
    pub token: Option<Token>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
    /// When to try again.
    pub retry: RetryPolicy,
    /// What to call the service in provenance, instead of its URL.
    pub name: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            prefix: String::new(),
            token: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            retry: RetryPolicy::default(),
            name: None,
        }
    }
}

/// A file that was downloaded whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    /// Its size.
    pub size_bytes: u64,
    /// Whether it has any row: an unknown mnemonic is answered with the header alone.
    pub has_rows: bool,
}

/// A client of one EDB service. Cheap to clone; connections are shared.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    prefix: String,
    name: String,
    retry: RetryPolicy,
}

impl Client {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if the URL is none, or would carry a token in plain text to another machine.
    pub fn new(options: &ClientOptions) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means that the process already has a provider, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let url = reqwest::Url::parse(&options.base_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .filter(|url| url.query().is_none() && url.fragment().is_none())
            .ok_or_else(|| {
                Error::usage(
                    "could not use the service's URL: expected `https://host/` or `http://host:port/`",
                )
                .with_hint("look at `--source` and at `ENG_BASE_URL`; a URL must carry neither a password nor a query")
            })?;
        // A name that only begins like a loopback address is somebody else's machine.
        let is_loopback = url.host_str().is_some_and(|host| {
            let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        });
        let mut headers = HeaderMap::new();
        if let Some(token) = &options.token {
            if url.scheme() == "http" && !is_loopback {
                return Err(Error::usage(format!(
                    "could not send the token to `{}`: plain http would show it to everybody on the way",
                    options.base_url
                ))
                .with_hint("use the service's https URL, or unset `MAST_API_TOKEN`"));
            }
            let mut value = HeaderValue::from_str(&token.header())
                .map_err(|_| Error::usage("could not use the token in a header"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.idle_timeout);
        if is_loopback {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| {
            Error::new(ErrorKind::Unclassified, "could not set up HTTPS").caused_by(error)
        })?;
        let base = format!("{}/", options.base_url.trim_end_matches('/'));
        let prefix = match options.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let name = options.name.clone().unwrap_or_else(|| format!("{base}{prefix}"));
        Ok(Self { http, base, prefix, name, retry: options.retry })
    }

    /// Where `request` is downloaded from.
    pub fn download_url(&self, request: &Request) -> String {
        let file = request.file_name();
        format!("{}{}api/v0.1/Download/file?uri=mast:jwstedb/{file}", self.base, self.prefix)
    }

    /// Writes the service's bytes about `request` to `destination`, as they came. `on_bytes` is told of each piece. The file takes its name only if the body is a whole CSV answer.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`], [`ErrorKind::Unauthorized`], [`ErrorKind::Integrity`] from the service,
    /// [`ErrorKind::Disk`] from the file.
    pub async fn download(
        &self,
        request: &Request,
        destination: &std::path::Path,
        on_bytes: &(dyn Fn(u64) + Sync),
    ) -> Result<Downloaded> {
        let url = self.download_url(request);
        self.with_retries(&url, || async {
            let mut file = AtomicFile::create(destination)?;
            let mut body = self.get(&url).await?.bytes_stream();
            let mut check = Whole::new();
            let mut size_bytes = 0;
            while let Some(chunk) = body.next().await {
                let chunk = chunk.map_err(broken)?;
                check.feed(&chunk)?;
                file.write_all(&chunk).map_err(|error| file.error(error))?;
                size_bytes += chunk.len() as u64;
                on_bytes(chunk.len() as u64);
            }
            let has_rows = check.finish()?;
            file.commit()?;
            Ok(Downloaded { size_bytes, has_rows })
        })
        .await
        .map_err(|error| error.while_doing(format!("could not download `{}`", request.file_name())))
    }

    async fn fetch(&self, request: &Request) -> Result<Answer> {
        let url = self.download_url(request);
        self.with_retries(&url, || async {
            let mut body = self.get(&url).await?.bytes_stream();
            let mut decoder = Decoder::new();
            while let Some(chunk) = body.next().await {
                decoder.feed(&chunk.map_err(broken)?)?;
            }
            let decoded = decoder.finish()?;
            Answer::from_rows(request.mnemonic.clone(), request.range, decoded.samples, decoded.misplaced)
        })
        .await
        .map_err(|error| error.while_doing(format!("could not fetch {request}")))
    }

    async fn get_dictionary(&self, only: Option<&Mnemonic>) -> Result<Dictionary> {
        let query = only
            .map_or(String::new(), |mnemonic| format!("?name={}", mnemonic.as_str().to_ascii_lowercase()));
        let url = format!("{}viz/api/v0.1/info/mnemonics{query}", self.base);
        self.with_retries(&url, || async {
            let mut body = self.get(&url).await?.bytes_stream();
            let mut text = Vec::new();
            while let Some(chunk) = body.next().await {
                text.extend_from_slice(&chunk.map_err(broken)?);
                if text.len() > MAX_DICTIONARY_BYTES {
                    return Err(Error::integrity("the dictionary has more than 64 MB"));
                }
            }
            dictionary::viz::parse(&text).map(|listing| listing.dictionary)
        })
        .await
        .map_err(|error| error.while_doing("could not look the mnemonic up in the dictionary"))
    }

    /// One try: the response, if its status is 200.
    async fn get(&self, url: &str) -> Result<reqwest::Response> {
        let response = self.http.get(url).send().await.map_err(broken)?;
        let status = response.status();
        let wait =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if status == StatusCode::OK {
            return Ok(response);
        }
        let host = response.url().host_str().unwrap_or("the service").to_owned();
        let mut says = format!("{host} answered {}", status.as_u16());
        if let Some(reason) = reason(response).await {
            says = format!("{says}: {reason}");
        }
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::new(ErrorKind::Unauthorized, says).with_hint(
                "check the token in `MAST_API_TOKEN`: tokens end after 10 days without use, and after 60 days; \
                 most telemetry needs none, so unsetting it may do",
            ),
            // Final: asking the same again gives the same. Other refusals the service is known to take back.
            _ if FINAL_STATUSES.contains(&status.as_u16()) => {
                Error::usage(says).with_hint("check `--source` and `--prefix`, and the range")
            }
            _ => {
                let error = Error::new(ErrorKind::Unavailable, says)
                    .with_hint("try again later");
                match wait.and_then(|wait| wait.trim().parse().ok()) {
                    Some(seconds) => error.caused_by(RetryAfter(Duration::from_secs(seconds))),
                    None => error,
                }
            }
        })
    }

    async fn with_retries<T, F>(&self, url: &str, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut hasher = DefaultHasher::new();
        url.hash(&mut hasher);
        let mut retries = Retries::new(self.retry, hasher.finish());
        loop {
            let error = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let asked =
                std::error::Error::source(&error).and_then(|source| source.downcast_ref::<RetryAfter>());
            let Some(wait) = retries.next_wait(error.kind(), asked.map(|asked| asked.0)) else {
                let tried = retries.tried;
                let error = if error.kind() == ErrorKind::Integrity && error.hint().is_none() {
                    error.with_hint(NO_TELEMETRY_HINT)
                } else {
                    error
                };
                return Err(if tried > 1 {
                    error.while_doing(format!("gave up after {tried} tries"))
                } else {
                    error
                });
            };
            tokio::time::sleep(wait).await;
        }
    }
}

impl Source for Client {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn answer<'a>(&'a self, mnemonic: &'a Mnemonic, range: TimeRange) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            self.fetch(&Request { mnemonic: mnemonic.clone(), range: range.to_whole_seconds() }).await
        })
    }

    fn dictionary<'a>(&'a self, only: Option<&'a Mnemonic>) -> BoxFuture<'a, Result<Dictionary>> {
        Box::pin(self.get_dictionary(only))
    }
}

/// The service's own wait, carried as the cause of its refusal.
#[derive(Debug)]
struct RetryAfter(Duration);

impl std::fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it asks to wait {} s", self.0.as_secs())
    }
}

impl std::error::Error for RetryAfter {}

/// A transport error, without the URL that reqwest adds.
fn broken(error: reqwest::Error) -> Error {
    let what = if error.is_connect() {
        "could not connect to the service"
    } else if error.is_timeout() {
        "the service fell silent"
    } else {
        "the connection broke before the answer was whole"
    };
    Error::new(ErrorKind::Unavailable, what)
        .with_hint("check the network and `--source`, and try again later")
        .caused_by(error.without_url())
}

/// The first line of a refusal that comes as plain text: the service's own reason.
async fn reason(response: reqwest::Response) -> Option<String> {
    let kind = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("text/plain") {
        return None;
    }
    let mut body = response.bytes_stream();
    let mut text = Vec::new();
    while text.len() < MAX_REASON_BYTES
        && let Some(Ok(chunk)) = body.next().await
    {
        text.extend_from_slice(&chunk);
    }
    text.truncate(MAX_REASON_BYTES);
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.escape_debug().to_string())
}
