//! `edb serve`.

use std::sync::Arc;

use edb::{DiskStore, Error, Holdings, Result, sample};

use crate::args::{Common, ServeArgs};
use crate::{output, source};

pub(crate) async fn run(common: &Common, args: ServeArgs) -> Result<u8> {
    let (holdings, what): (Arc<dyn Holdings>, String) = match common.source.as_deref() {
        Some("sample") => (Arc::new(sample::archive()?), sample::NAME.to_owned()),
        None | Some("store") => {
            let folder = source::required_store(common)?;
            (Arc::new(DiskStore::open(&folder)?), format!("the store `{}`", folder.display()))
        }
        Some(other) => {
            return Err(Error::usage(format!("could not serve `{other}`"))
                .with_hint("name a store with `--store DIR`, or use `--source sample`"));
        }
    };
    let listener = edb_server::bind(&format!("{}:{}", args.host, args.port)).await?;
    let address = listener.local_addr().map_err(|error| Error::usage("could not listen").caused_by(error))?;
    if !common.words.quiet {
        output::say(&format!("serving {what} over the EDB protocol until interrupted"));
        if !address.ip().is_loopback() {
            output::say("other machines can read it: there is no authentication");
        }
    }
    // The one line of data: a script that starts the server reads where it is.
    output::data(format!("http://{address}/\n").as_bytes())?;
    edb_server::run(listener, holdings, std::future::pending()).await?;
    Ok(0)
}
