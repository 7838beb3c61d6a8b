//! Requests to answers.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use edb::wire::dictionary::{mashup, viz};
use edb::wire::mashup::refusal;
use edb::wire::{Encoder, Question};
use edb::{Dictionary, Error, ErrorKind, Holdings, Instant, Mnemonic, Result, Samples, SqlType};
use futures_util::stream;

/// The largest form that is read; the questions of the metadata services have a few hundred bytes.
const MAX_FORM_BYTES: usize = 1 << 16;
const URI_PREFIX: &str = "mast:jwstedb/";

type Shared = State<Arc<dyn Holdings>>;

pub(crate) fn router(holdings: Arc<dyn Holdings>) -> Router {
    let service = || {
        Router::new()
            .route("/api", get(alive))
            .route("/api/", get(alive))
            .route("/api/v0.1/Download/file", get(download))
            .route("/api/v0/invoke", post(invoke))
    };
    service()
        .nest("/jwst", service())
        .route(
            "/",
            get(|| async {
                "an archive of telemetry over the EDB protocol; see /viz/api/v0.1/info/mnemonics\n"
            }),
        )
        .route("/viz/api/v0.1/info/mnemonics", get(mnemonics))
        .route("/viz/api/v0.1/info/mnemonics/", get(mnemonics))
        .route("/portal/Mashup/Mashup.asmx/columnsconfig", post(columns_config))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(holdings)
}

async fn alive() -> &'static str {
    "alive"
}

/// Clients ask for column settings before anything else, and can do with none.
async fn columns_config() -> Response {
    json(b"{}".to_vec())
}

async fn download(State(holdings): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let Some(uri) = query.get("uri") else { return refuse(StatusCode::BAD_REQUEST, "expected `uri`") };
    let Some(name) = uri.strip_prefix(URI_PREFIX) else {
        return refuse(StatusCode::NOT_FOUND, "expected a `uri` that begins with `mast:jwstedb/`");
    };
    let Some((mnemonic, first, last)) = parse_name(name) else {
        return refuse(StatusCode::BAD_REQUEST, "expected MNEMONIC-YYYYMMDDTHHMMSS-YYYYMMDDTHHMMSS.csv");
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let rows = blocking(move || {
        if first > last {
            Ok(Samples::empty(SqlType::Varchar))
        } else {
            holdings.rows(&mnemonic, first, last)
        }
    });
    match rows.await {
        Ok(rows) => {
            let chunks =
                Encoder::new(rows).map(|chunk| Ok::<_, std::convert::Infallible>(Bytes::from(chunk)));
            let headers =
                [(header::CONTENT_TYPE, "text/csv".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
            (headers, Body::from_stream(stream::iter(chunks))).into_response()
        }
        // What the store cannot say must not look like telemetry that is not there.
        Err(error) if error.kind() == ErrorKind::Empty => {
            refuse(StatusCode::RANGE_NOT_SATISFIABLE, &error.to_string())
        }
        Err(error) => fault(&error),
    }
}

/// The mnemonic and both ends of a file name. Unlike [`edb::Request`] it may be empty or reversed: the service answers those
/// too, with brackets only, and with nothing.
fn parse_name(name: &str) -> Option<(Mnemonic, Instant, Instant)> {
    let mut parts = name.strip_suffix(".csv")?.splitn(3, '-');
    let mnemonic = Mnemonic::new(parts.next()?).ok()?;
    let mut instant = || {
        let text = parts.next().filter(|text| text.len() == 15)?;
        edb::parse_instant(text, Instant::MIN).ok()
    };
    Some((mnemonic, instant()?, instant()?))
}

async fn mnemonics(State(holdings): Shared, Query(query): Query<HashMap<String, String>>) -> Response {
    let found = match query.get("name").map(|name| Mnemonic::new(name)) {
        Some(Err(_)) => Ok(Dictionary::default()),
        Some(Ok(mnemonic)) => dictionary(holdings, Some(mnemonic)).await,
        None => dictionary(holdings, None).await,
    };
    match found {
        Ok(found) => json(viz::format(&found)),
        Err(error) => fault(&error),
    }
}

async fn invoke(State(holdings): Shared, Form(form): Form<HashMap<String, String>>) -> Response {
    let question = form
        .get("request")
        .ok_or_else(|| Error::usage("expected the form field `request`"))
        .and_then(|text| Question::parse(text));
    let found = match question {
        Ok(Question::Mnemonics) => dictionary(holdings, None).await,
        Ok(Question::Dictionary(mnemonic)) => dictionary(holdings, Some(mnemonic)).await,
        Err(error) => Err(error),
    };
    // The Mashup services report everything, errors too, with status 200.
    json(match found {
        Ok(found) => mashup::format(&found),
        Err(error) => refusal(&error.chain()),
    })
}

async fn dictionary(holdings: Arc<dyn Holdings>, only: Option<Mnemonic>) -> Result<Dictionary> {
    blocking(move || holdings.dictionary(only.as_ref())).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(ErrorKind::Unclassified, "a request could not be worked on").caused_by(error)
    })?
}

fn json(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn refuse(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}

fn fault(error: &Error) -> Response {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}
