//! Serves an archive over the EDB protocol, so exactly that clients of MAST work unchanged.
//!
//! | request | answer |
//! |---|---|
//! | `GET [/jwst]/api/v0.1/Download/file?uri=mast:jwstedb/<FILE>` | CSV, byte for byte the service's form, one bracket row on each side where one exists; an unknown mnemonic is the header alone |
//! | `GET [/jwst]/api/` | 200: the service is alive |
//! | `GET /viz/api/v0.1/info/mnemonics[/][?name=…]` | the dictionary |
//! | `POST [/jwst]/api/v0/invoke` | `Mast.JwstEdb.Mnemonics`, `Mast.JwstEdb.Dictionary` |
//! | `POST /portal/Mashup/Mashup.asmx/columnsconfig` | an empty configuration |
//!
//! [`run`] takes the listener and the signal to stop: the caller owns the socket.

mod routes;

use std::sync::Arc;

use edb::{Error, ErrorKind, Holdings, Result};
use tokio::net::TcpListener;

/// Serves `holdings` until `shutdown` completes; requests under way are finished.
///
/// # Errors
/// [`ErrorKind::Unclassified`] if the listener fails.
pub async fn run(
    listener: TcpListener,
    holdings: Arc<dyn Holdings>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    axum::serve(listener, routes::router(holdings))
        .with_graceful_shutdown(shutdown)
        .await
        .map_err(|error| Error::new(ErrorKind::Unclassified, "the server's listener failed").caused_by(error))
}

/// Binds `address`, as `127.0.0.1:0` for any free loopback port.
///
/// # Errors
/// [`ErrorKind::Usage`] if the address cannot be bound.
pub async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::usage(format!("could not listen on `{address}`"))
            .with_hint("choose another `--port`, or 0 for any free one")
            .caused_by(error)
    })
}
