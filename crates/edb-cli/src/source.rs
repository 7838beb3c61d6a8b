//! Flags and environment into a source, a store and an archive.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use edb::fetch::{Client, ClientOptions, DEFAULT_BASE_URL, RetryPolicy, Token};
use edb::{
    Archive, ArchiveOptions, DiskStore, Error, Instant, MemoryStore, Mnemonic, Result, Source, Store, sample,
};

use crate::args::Common;

/// The present, read once for each command.
#[expect(clippy::disallowed_methods, reason = "the clock enters here, as a value")]
pub(crate) fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(since.as_micros() as i64)
}

/// Where samples come from.
pub(crate) enum Origin {
    /// A service.
    Service(ClientOptions),
    /// The built-in sample.
    Sample,
    /// Only the store.
    Store,
}

impl Origin {
    /// What the flag says, or else what the job file says, or else `ENG_BASE_URL`, or else MAST.
    pub(crate) fn choose(common: &Common, wanted: Option<&str>) -> Result<Self> {
        let word = common.source.as_deref().or(wanted);
        let service = |base_url: String| -> Result<Self> {
            let token = environment("MAST_API_TOKEN").map(|text| Token::new(&text)).transpose()?;
            let prefix = common.prefix.clone();
            let usual = RetryPolicy::default();
            let retry = RetryPolicy {
                tries: common.tries,
                integrity_tries: usual.integrity_tries.min(common.tries),
                ..usual
            };
            Ok(Self::Service(ClientOptions { base_url, prefix, token, retry, ..ClientOptions::default() }))
        };
        match word {
            None | Some("mast") => {
                let base_url = environment("ENG_BASE_URL").filter(|_| word.is_none());
                service(base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned()))
            }
            Some("sample") => Ok(Self::Sample),
            Some("store") => Ok(Self::Store),
            Some(url) if url.contains("://") => service(url.to_owned()),
            Some(other) => Err(Error::usage(format!("there is no source `{other}`"))
                .with_hint("use `mast`, `sample`, `store`, or a URL as `http://127.0.0.1:8642/`")),
        }
    }

    /// The source itself; `None` stays offline. The sample is served on loopback and asked over HTTP like any service.
    pub(crate) async fn open(self) -> Result<Option<Client>> {
        match self {
            Self::Store => Ok(None),
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
                    ..ClientOptions::default()
                };
                Client::new(&options).map(Some)
            }
        }
    }
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

/// Source and store as the flags, and a job's wishes, have them.
pub(crate) async fn archive(
    common: &Common,
    source: Option<&str>,
    store: Option<&Path>,
    change_only: &[Mnemonic],
) -> Result<Archive> {
    let origin = Origin::choose(common, source)?;
    let folder = store_folder(common, store);
    let is_offline = matches!(origin, Origin::Store);
    let store: Arc<dyn Store> = match folder {
        Some(folder) if is_offline => Arc::new(DiskStore::open(&folder)?),
        Some(folder) => Arc::new(DiskStore::open_or_create(&folder)?),
        None if is_offline => {
            required_store(common)?;
            Arc::new(MemoryStore::new())
        }
        None => Arc::new(MemoryStore::new()),
    };
    let options = ArchiveOptions {
        concurrency: usize::from(common.concurrency),
        refresh: common.refresh,
        change_only: change_only.to_vec(),
        ..ArchiveOptions::default()
    };
    let source = origin.open().await?.map(|client| Arc::new(client) as Arc<dyn Source>);
    Ok(Archive::new(source, store, options))
}

/// An environment variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the environment enters here")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
