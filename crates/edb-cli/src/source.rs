//! Flags and environment into a source, a store and an archive.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edb::fetch::{Client, ClientOptions, DEFAULT_BASE_URL, FlowOptions, Limits, RetryPolicy, SpeedLimits};
use edb::{
    Archive, ArchiveOptions, DictionaryCache, DiskStore, Error, Instant, MemoryStore, Mnemonic, Result,
    Source, Store, open_files, sample,
};

use crate::args::Common;
use crate::token;

/// The present, read once for each command.
#[expect(clippy::disallowed_methods, reason = "the clock enters here, as a value")]
pub(crate) fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(since.as_micros() as i64)
}

/// Where samples come from.
pub(crate) enum Origin {
    /// A service.
    Service(Box<ClientOptions>),
    /// The built-in sample.
    Sample,
    /// Only the store.
    Store,
    /// Only what is in a file or a folder of files, or on stdin.
    Files(PathBuf),
}

impl Origin {
    /// What the flag says, or else what the job file says, or else `ENG_BASE_URL`, or else MAST.
    pub(crate) fn choose(common: &Common, wanted: Option<&str>) -> Result<Self> {
        let word = common.source.as_deref().or(wanted);
        let service = |base_url: String| options(common, base_url).map(Box::new).map(Self::Service);
        match word {
            None | Some("mast") => {
                let base_url = environment("ENG_BASE_URL").filter(|_| word.is_none());
                service(base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned()))
            }
            Some("sample") => Ok(Self::Sample),
            Some("store") => Ok(Self::Store),
            Some(url) if url.contains("://") => service(url.to_owned()),
            Some(path) if path == "-" || Path::new(path).exists() => Ok(Self::Files(PathBuf::from(path))),
            Some(other) => Err(Error::usage(format!("there is no source `{other}`")).with_hint(
                "use `mast`, `sample`, `store`, a file that is there, or a URL as `http://127.0.0.1:8642/`",
            )),
        }
    }

    /// The source itself; `None` stays offline. The sample is served on loopback and asked over HTTP like any service.
    pub(crate) async fn open(self, common: &Common) -> Result<Option<Client>> {
        match self {
            Self::Store | Self::Files(_) => Ok(None),
            Self::Service(options) => Client::new(&options).map(Some),
            Self::Sample => {
                let listener = edb_server::bind("127.0.0.1:0").await?;
                let port = listener.local_addr().map(|address| address.port());
                let port =
                    port.map_err(|error| Error::usage("could not listen on loopback").caused_by(error))?;
                let archive = Arc::new(sample::archive()?);
                tokio::spawn(edb_server::run(listener, archive, std::future::pending()));
                let options = ClientOptions {
                    base_url: format!("http://127.0.0.1:{port}/"),
                    name: Some(sample::NAME.to_owned()),
                    flow: flow(common),
                    ..ClientOptions::default()
                };
                Client::new(&options).map(Some)
            }
        }
    }
}

/// How to reach a service, as the flags and the environment have it.
fn options(common: &Common, base_url: String) -> Result<ClientOptions> {
    let network = &common.network;
    let usual = ClientOptions::default();
    let certificates = network.ca_file.iter().map(|path| {
        std::fs::read(path).map_err(|error| {
            Error::usage(format!("could not read the certificates in `{}`", path.display())).caused_by(error)
        })
    });
    Ok(ClientOptions {
        token: token::given(common, &base_url)?.map(|found| found.token),
        token_finder: token::finder(common, &base_url),
        base_url,
        prefix: network.prefix.clone(),
        connect_timeout: network.connect_timeout,
        speed: SpeedLimits { idle_timeout: network.idle_timeout, ..usual.speed },
        retry: RetryPolicy { tries: network.tries, longest_time: network.retry_max_time, ..usual.retry },
        flow: flow(common),
        certificates: certificates.collect::<Result<Vec<_>>>()?,
        most_rows: usual.most_rows,
        name: None,
    })
}

/// When to stop although not everything has come.
pub(crate) fn limits(common: &Common) -> Limits {
    Limits { bytes: common.network.max_bytes, duration: common.network.max_duration }
}

fn flow(common: &Common) -> FlowOptions {
    FlowOptions {
        concurrency: usize::from(common.network.concurrency),
        requests_per_second: common.network.rate,
        bytes_per_second: common.network.bwlimit,
    }
}

/// Where the dictionary of `source` is kept between runs. Services on this machine come and go, and theirs is kept only where
/// the user says so.
pub(crate) fn dictionary_cache(common: &Common, source: &Client) -> Option<DictionaryCache> {
    let chosen = common.network.cache.clone().or_else(|| environment("EDB_CACHE").map(PathBuf::from));
    let name = source.name();
    let usual = || {
        let folder =
            environment("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cache")))?;
        name.starts_with("https://").then(|| folder.join("edb"))
    };
    let host: String = name
        .split_once("://")?
        .1
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let file = format!("dictionary-{}.json", host.trim_matches('-'));
    let mut cache = DictionaryCache::new(chosen.or_else(usual)?.join(file));
    if common.refresh {
        cache.longest_age = Duration::ZERO;
    }
    Some(cache)
}

/// The folder of the store, if one is to be used: the flag, or the job file, or `EDB_STORE`.
pub(crate) fn store_folder(common: &Common, wanted: Option<&Path>) -> Option<PathBuf> {
    if common.no_store {
        return None;
    }
    let flag = common.store.clone().or_else(|| wanted.map(Path::to_owned));
    flag.or_else(|| environment("EDB_STORE").map(PathBuf::from))
}

/// The folder of a store that must be named.
pub(crate) fn required_store(common: &Common) -> Result<PathBuf> {
    store_folder(common, None)
        .ok_or_else(|| Error::usage("no store is named").with_hint("add `--store DIR`, or set `EDB_STORE`"))
}

/// Whether samples come from files.
pub(crate) fn is_file(common: &Common, source: Option<&str>) -> Result<bool> {
    Origin::choose(common, source).map(|origin| matches!(origin, Origin::Files(_)))
}

/// Source and store as the flags, and a job's wishes, have them.
pub(crate) async fn archive(
    common: &Common,
    source: Option<&str>,
    store: Option<&Path>,
    change_only: &[Mnemonic],
) -> Result<Archive> {
    let origin = Origin::choose(common, source)?;
    let folder = store_folder(common, store).filter(|_| !matches!(origin, Origin::Files(_)));
    let is_offline = matches!(origin, Origin::Store);
    let is_whole = matches!(origin, Origin::Files(_));
    let store: Arc<dyn Store> = match (&origin, folder) {
        (Origin::Files(path), _) => open_files(path, now())?,
        (_, Some(folder)) if is_offline => Arc::new(DiskStore::open(&folder)?),
        // A plan makes nothing, not even an empty store.
        (_, Some(folder)) if common.dry_run && !folder.exists() => Arc::new(MemoryStore::new()),
        (_, Some(folder)) => Arc::new(DiskStore::open_or_create(&folder)?),
        (_, None) if is_offline => {
            required_store(common)?;
            Arc::new(MemoryStore::new())
        }
        (_, None) => Arc::new(MemoryStore::new()),
    };
    let client = origin.open(common).await?;
    let network = &common.network;
    let options = ArchiveOptions {
        concurrency: usize::from(network.concurrency),
        refresh: common.refresh,
        settle: common.settle,
        change_only: change_only.to_vec(),
        limits: limits(common),
        is_whole,
        dictionary: client.as_ref().and_then(|client| dictionary_cache(common, client)),
    };
    let source = client.map(|client| Arc::new(client) as Arc<dyn Source>);
    Ok(Archive::new(source, store, options))
}

/// The user's folder.
pub(crate) fn home() -> Option<PathBuf> {
    environment("HOME").map(PathBuf::from)
}

/// An environment variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the environment enters here")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
