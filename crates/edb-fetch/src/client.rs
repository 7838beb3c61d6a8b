//! One service.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Once, PoisonError, RwLock};
use std::time::Duration;

use edb_core::{
    Answer, BoxFuture, Dictionary, Error, ErrorKind, Exposure, ExposureSearch, Mnemonic, Outcome, Request,
    Result, Source, TimeRange, Traffic, format_duration,
};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::address::Address;
use crate::body::{Body, Decoding, blocking, failed};
use crate::breaker::Breaker;
use crate::flow::{Flow, FlowOptions};
use crate::retry::{Retries, RetryPolicy};
use crate::token::{Token, TokenFinder};
use crate::trouble::{Class, Trouble, reason, wait_asked};

/// MAST.
pub const DEFAULT_BASE_URL: &str = "https://mast.stsci.edu/";
/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 10;
const USER_AGENT: &str = concat!("edb/", env!("CARGO_PKG_VERSION"), " (+", env!("CARGO_PKG_REPOSITORY"), ")");
const NO_TELEMETRY_HINT: &str = "check `--source`, or try again later: a log-in or maintenance page, or a body that was cut, is no telemetry";

/// How to reach a service.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The service, as `https://mast.stsci.edu/`; a missing final slash is added.
    pub base_url: String,
    /// A path put between the host and `/api`, as `/jwst`; may be empty.
    pub prefix: String,
    /// Sent as `Authorization: token …`; most telemetry needs none.
    pub token: Option<Token>,
    /// Where to look for a token once the service has refused to answer without one.
    pub token_finder: Option<TokenFinder>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// When an answer is too slow.
    pub speed: SpeedLimits,
    /// When to try again.
    pub retry: RetryPolicy,
    /// How much to ask at once.
    pub flow: FlowOptions,
    /// Certificates (PEM) to trust beside the system's own, as those of a proxy that signs for every host.
    pub certificates: Vec<Vec<u8>>,
    /// Up to how many rows an answer is read; what is behind them is asked for again. So no answer, planned too large or made so
    /// on purpose, takes more memory than these.
    pub most_rows: usize,
    /// What to call the service in provenance, instead of its URL.
    pub name: Option<String>,
}

/// When an answer is too slow to wait for.
#[derive(Debug, Clone, Copy)]
pub struct SpeedLimits {
    /// How long the service may be silent, before and in the middle of an answer.
    pub idle_timeout: Duration,
    /// How long an answer may come slower than [`low_speed_bytes_per_second`](Self::low_speed_bytes_per_second).
    pub low_speed_time: Duration,
    /// Fewer bytes each second than this are as good as none.
    pub low_speed_bytes_per_second: u64,
}

impl Default for SpeedLimits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_mins(1),
            low_speed_time: Duration::from_secs(30),
            low_speed_bytes_per_second: 100,
        }
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            prefix: String::new(),
            token: None,
            token_finder: None,
            connect_timeout: Duration::from_secs(10),
            speed: SpeedLimits::default(),
            retry: RetryPolicy::default(),
            flow: FlowOptions::default(),
            certificates: Vec::new(),
            most_rows: 4 << 20,
            name: None,
        }
    }
}

/// A client of one EDB service. Cheap to share behind an [`Arc`](std::sync::Arc).
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) prefix: String,
    name: String,
    most_rows: usize,
    retry: RetryPolicy,
    pub(crate) speed: SpeedLimits,
    pub(crate) flow: Flow,
    breaker: Breaker,
    pub(crate) counts: Counts,
    address: Address,
    token: RwLock<Option<Token>>,
    finder: tokio::sync::Mutex<Option<TokenFinder>>,
    /// Counts the times that the answers under way were ended.
    pub(crate) stops: watch::Sender<u64>,
}

/// [`Traffic`] as it grows.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: AtomicU64,
    pub(crate) bytes: AtomicU64,
    rows: AtomicU64,
}

/// What a request is for, and carries beyond its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask<'a> {
    /// Telemetry.
    Samples,
    Get,
    /// The token also as the cookie that the account service reads.
    GetAccount,
    /// A form.
    Post(&'a str),
}

/// What is given up with a request that spent its tries, if it is not alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blame {
    /// The service, whatever the reason.
    Service,
    /// The host, if it cannot be reached; nothing else.
    Host,
}

/// How much patience a question deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tries {
    All,
    /// What is asked can be done without, or had in another way.
    Few,
}

impl Client {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if the URL is none, or would carry a token in plain text to another machine, or a certificate
    /// cannot be read.
    pub fn new(options: &ClientOptions) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // An error means that the process already has a provider, which serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let address = Address::parse(&options.base_url)?;
        if options.token.is_some() && !address.may_carry_token() {
            return Err(Error::usage(format!(
                "could not send the token to `{}`: plain http would show it to everybody on the way",
                options.base_url
            ))
            .with_hint("use the service's https URL, or send no token (`--no-token`)"));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(options.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .http2_adaptive_window(true);
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        for pem in &options.certificates {
            let bundle = reqwest::Certificate::from_pem_bundle(pem).ok().filter(|all| !all.is_empty());
            let bundle = bundle.ok_or_else(|| {
                Error::usage("could not read the certificates to trust: expected PEM")
                    .with_hint("name a file with `-----BEGIN CERTIFICATE-----` lines")
            })?;
            builder = builder.tls_certs_merge(bundle);
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
        Ok(Self {
            http,
            base,
            prefix,
            name,
            most_rows: options.most_rows,
            retry: options.retry.clone(),
            speed: options.speed,
            flow: Flow::new(options.flow),
            breaker: Breaker::default(),
            counts: Counts::default(),
            address,
            token: RwLock::new(options.token.clone()),
            finder: tokio::sync::Mutex::new(options.token_finder.clone()),
            stops: watch::Sender::new(0),
        })
    }

    /// Where `request` is downloaded from.
    pub fn download_url(&self, request: &Request) -> String {
        let file = request.file_name();
        format!("{}{}api/v0.1/Download/file?uri=mast:jwstedb/{file}", self.base, self.prefix)
    }

    /// How many requests may be under way at once, as the service's answers have it now.
    pub fn places(&self) -> usize {
        self.flow.places()
    }

    pub(crate) async fn fetch(&self, request: &Request) -> Result<Answer> {
        let url = self.download_url(request);
        self.with_retries(|| self.fetch_once(&url, request)).await.map_err(|error| match error.tries() {
            // The reason is that of all that were not tried, and is told once for them.
            0 => error,
            _ => error.while_doing(format!("could not fetch {request}")),
        })
    }

    /// One try. What came of an answer that broke off is kept if it reaches further than it began.
    pub(crate) async fn fetch_once(&self, url: &str, request: &Request) -> Result<Answer, Trouble> {
        let mut body = self.open(url, Ask::Samples).await?;
        let mut decoding = Decoding::new();
        let mut rows = 0;
        let broke = loop {
            match body.next().await {
                // Its words say where in the answer it is; how much had come by then is chance.
                Ok(Some(chunk)) => decoding.feed(chunk).await.map_err(failed)?,
                Ok(None) => break None,
                Err(trouble) => break Some(trouble),
            }
            self.counts.rows.fetch_add((decoding.rows - rows) as u64, Ordering::Relaxed);
            rows = decoding.rows;
            if rows > self.most_rows {
                let text = format!("the answer has more than {} rows", self.most_rows);
                break Some(Trouble::of(Error::integrity(text)));
            }
        };
        let bytes = body.bytes;
        drop(body);
        let decoder = decoding.finish().await.map_err(|error| failed(error).after(bytes))?;
        self.counts.rows.fetch_add((decoder.rows() - rows) as u64, Ordering::Relaxed);
        let (mnemonic, asked) = (request.mnemonic.clone(), request.range);
        if broke.is_none() && !decoder.is_in_row() {
            let answer = move || {
                let decoded = decoder.finish()?;
                Answer::from_rows(mnemonic, asked, decoded.samples, decoded.misplaced)
            };
            return blocking(answer).await.map_err(|error| failed(error).after(bytes));
        }
        let is_salvageable =
            broke.as_ref().is_none_or(|trouble| trouble.is_of_the_way() || rows > self.most_rows);
        if is_salvageable {
            let cut = move || {
                let Some(decoded) = decoder.finish_cut()? else { return Ok(None) };
                Answer::from_rows(mnemonic, asked, decoded.samples, decoded.misplaced)
                    .map(|answer| Some(answer.cut()))
            };
            if let Some(answer) = blocking(cut).await.map_err(failed)?
                && (answer.is_closed() || answer.resume_at() > asked.start())
            {
                return Ok(answer);
            }
        }
        Err(broke.unwrap_or_else(|| {
            let text = "the answer is cut off: it ends in the middle of a row";
            Trouble::new(Class::Passing, Error::integrity(text).with_hint(NO_TELEMETRY_HINT)).after(bytes)
        }))
    }

    /// Asks with all tries, and reads the whole answer, of at most `most` bytes.
    pub(crate) async fn ask<T>(
        &self,
        url: &str,
        ask: Ask<'_>,
        most: usize,
        tries: Tries,
        read: impl Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let policy = match tries {
            Tries::All => self.retry.clone(),
            Tries::Few => RetryPolicy { tries: self.retry.tries.min(2), ..self.retry.clone() },
        };
        // A dictionary that fails says nothing about the telemetry beside it.
        self.with_policy(&policy, Blame::Host, || async {
            let text = self.open(url, ask).await?.whole(most).await?;
            read(&text).map_err(|error| match error.kind() {
                // The Mashup services say in their answer that they could not answer.
                ErrorKind::Unavailable => Trouble::new(Class::Passing, error),
                _ => failed(error).after(text.len() as u64),
            })
        })
        .await
    }

    /// One try: the body of an answer whose status is 200.
    pub(crate) async fn open(&self, url: &str, ask: Ask<'_>) -> Result<Body<'_>, Trouble> {
        loop {
            let token = self.token.read().unwrap_or_else(PoisonError::into_inner).clone();
            let mut stops = self.stops.subscribe();
            let opened = tokio::select! {
                opened = self.open_with(url, ask, token.as_ref()) => opened,
                _ = stops.changed() => Err(Trouble::stopped()),
            };
            match opened {
                Err(trouble)
                    if token.is_none()
                        && matches!(trouble.error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden)
                        && self.find_token().await.map_err(failed)? => {}
                done => return done,
            }
        }
    }

    /// Looks for a token, once; whether there is one now.
    async fn find_token(&self) -> Result<bool> {
        let mut finder = self.finder.lock().await;
        if let Some(finder) = finder.take().filter(|_| self.address.may_carry_token()) {
            let found = blocking(move || finder.find()).await?;
            *self.token.write().unwrap_or_else(PoisonError::into_inner) = found;
        }
        Ok(self.token.read().unwrap_or_else(PoisonError::into_inner).is_some())
    }

    async fn open_with(&self, url: &str, ask: Ask<'_>, token: Option<&Token>) -> Result<Body<'_>, Trouble> {
        let barred = |error| Trouble::new(Class::Barred, error);
        // A host that was given up is not waited for, neither before its gate nor behind it.
        self.breaker.is_worth_waiting().map_err(barred)?;
        let place = self.flow.enter().await;
        self.breaker.check().map_err(barred)?;
        let since = Instant::now();
        let response = self.send(url, ask, token).await?;
        if response.status() == StatusCode::OK {
            // Other questions are answered sooner, and tell nothing about how hard telemetry is.
            if ask == Ask::Samples {
                place.answered(since.elapsed());
            }
            self.breaker.succeeded();
            return Ok(Body::new(self, response, place));
        }
        let wait = wait_asked(response.headers()).map(|wait| wait.min(self.retry.longest_wait));
        let host = response.url().host_str().unwrap_or("the service").to_owned();
        let status = response.status();
        let mut says = format!("{host} answered {}", status.as_u16());
        if let Some(reason) = timeout(self.speed.idle_timeout, reason(response)).await.unwrap_or(None) {
            says = format!("{says}: {reason}");
        }
        let trouble = Trouble::status(status, says, wait);
        match trouble.class {
            Class::Overload => place.refused(wait),
            Class::Final | Class::Odd => self.breaker.succeeded(),
            _ => {}
        }
        Err(trouble)
    }

    /// Sends a request, and after it where it is redirected to. The token goes to the service itself only, however a redirect
    /// came about.
    async fn send(
        &self,
        url: &str,
        ask: Ask<'_>,
        token: Option<&Token>,
    ) -> Result<reqwest::Response, Trouble> {
        let nowhere = |what: &str| {
            let error = Error::usage(format!("the service redirects {what}")).with_hint("check `--source`");
            Trouble::new(Class::Final, error)
        };
        let mut url = reqwest::Url::parse(url).map_err(|_| nowhere("to what is no URL"))?;
        for _ in 0..=MOST_REDIRECTS {
            let mut request = match ask {
                Ask::Samples | Ask::Get => self.http.get(url.clone()),
                Ask::GetAccount => self.http.get(url.clone()).header(ACCEPT, "application/json"),
                Ask::Post(form) => self
                    .http
                    .post(url.clone())
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .header(ACCEPT, "text/plain")
                    .body(form.to_owned()),
            };
            if let Some(token) = token.filter(|_| self.address.is_same_service(&url)) {
                request = request.header(AUTHORIZATION, token.authorization().map_err(failed)?);
                if ask == Ask::GetAccount {
                    request = request.header(COOKIE, token.cookie().map_err(failed)?);
                }
            }
            self.counts.requests.fetch_add(1, Ordering::Relaxed);
            let idle = self.speed.idle_timeout;
            let Ok(sent) = timeout(idle, request.send()).await else {
                let silence = format_duration(idle);
                return Err(Trouble::slow(format!("the service did not begin to answer within {silence}")));
            };
            let response = sent.map_err(|error| Trouble::transport(&error))?;
            let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
            let Some(location) = location else { return Ok(response) };
            let next = location.to_str().ok().and_then(|location| url.join(location).ok());
            url = next
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .ok_or_else(|| nowhere("to what is no URL"))?;
        }
        Err(nowhere("in circles"))
    }

    /// The trouble in words that do not repeat the token: services have been seen to.
    fn without_token(&self, trouble: Trouble) -> Trouble {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        let scrubbed = token.as_ref().and_then(|token| token.scrubbed(&trouble.error.chain()));
        let Some(text) = scrubbed else { return trouble };
        let error = trouble.error.retold(text);
        Trouble { error, ..trouble }
    }

    /// What a service said, without a token that it may repeat.
    pub(crate) fn scrubbed(&self, text: String) -> String {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().and_then(|token| token.scrubbed(&text)).unwrap_or(text)
    }

    /// A number that tells questions apart.
    pub(crate) fn nonce(&self) -> u64 {
        self.retry.jitter.next().to_bits()
    }

    /// Waits as long as the shortest wait between tries.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(self.retry.shortest_wait).await;
    }

    /// How long questions that are being worked on may be asked again.
    pub(crate) fn longest_time(&self) -> Duration {
        self.retry.longest_time
    }

    /// Tries until it succeeds, or a budget is spent, or the failure is one that no second try changes.
    pub(crate) async fn with_retries<T, F>(&self, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        self.with_policy(&self.retry, Blame::Service, attempt).await
    }

    async fn with_policy<T, F>(
        &self,
        policy: &RetryPolicy,
        blame: Blame,
        attempt: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let mut retries = Retries::new(policy);
        let begun = self.breaker.begin();
        let mut before: Option<Trouble> = None;
        loop {
            let trouble = match attempt().await {
                Ok(done) => return Ok(done),
                Err(trouble) => self.without_token(trouble),
            };
            // It was not tried. If the host was given up meanwhile, what this request had found out itself says more.
            if trouble.error.tries() == 0 {
                return Err(match before {
                    Some(own) if trouble.class != Class::Stopped => told(own.error, retries.tried),
                    _ => trouble.error,
                });
            }
            let Some(wait) = retries.next_wait(&trouble) else {
                if blame == Blame::Service || trouble.is_of_the_host() {
                    self.breaker.gave_up(begun, &trouble);
                }
                return Err(told(trouble.error, retries.tried));
            };
            before = Some(trouble);
            tokio::time::sleep(wait).await;
        }
    }
}

/// The last error of a request, and how often it was tried.
fn told(error: Error, tried: u32) -> Error {
    let error = match error.kind() {
        ErrorKind::Integrity if error.hint().is_none() => error.with_hint(NO_TELEMETRY_HINT),
        _ => error,
    };
    match tried {
        0 | 1 => error.with_tries(tried),
        _ => error.while_doing(format!("gave up after {tried} tries")).with_tries(tried),
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
        Box::pin(self.look_up(only))
    }

    fn exposures<'a>(&'a self, search: &'a ExposureSearch) -> BoxFuture<'a, Result<Outcome<Vec<Exposure>>>> {
        Box::pin(self.search(search))
    }

    fn stop(&self) {
        self.stops.send_modify(|stops| *stops += 1);
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.counts.requests.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
            rows: self.counts.rows.load(Ordering::Relaxed),
        }
    }
}
