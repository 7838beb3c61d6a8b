//! What all Mashup services have in common: one form field with JSON, and answers that are polled and paged.

use edb_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::excerpt::excerpt;
use crate::json;

/// Rows of a page: more than the dictionary has, so that one page does.
const PAGE_ROWS: u32 = 50_000;

/// What a service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    /// It is not done: send the identical request again.
    Executing,
    /// One page.
    Complete {
        /// What is on this page.
        found: T,
        /// How many pages there are; 1 if not said.
        pages: u64,
    },
}

impl<T> Reply<T> {
    pub(crate) fn map<U>(self, read: impl FnOnce(T) -> U) -> Reply<U> {
        match self {
            Self::Executing => Reply::Executing,
            Self::Complete { found, pages } => Reply::Complete { found: read(found), pages },
        }
    }
}

#[derive(Deserialize)]
struct Body<T> {
    status: String,
    msg: Option<String>,
    data: Option<Vec<T>>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paging {
    pages_filtered: Option<u64>,
}

/// Writes a question: the JSON of the form field `request`. `nonce` tells questions apart that are otherwise the same; it
/// stays the same while one is polled.
pub fn ask(service: &str, params: &Value, page: u64, nonce: u64) -> String {
    json!({
        "service": service,
        "params": params,
        "format": "json",
        "pagesize": PAGE_ROWS,
        "page": page,
        "cacheBreaker": format!("{nonce:016x}"),
    })
    .to_string()
}

/// Reads a reply with rows `T`; `what` is what they are of.
///
/// # Errors
/// [`ErrorKind::Unavailable`] with the service's own words if its status is neither complete nor executing;
/// [`ErrorKind::Integrity`] if `body` is not JSON of this form.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<Reply<Vec<T>>> {
    let body: Body<T> = json::parse(body, what)?;
    match body.status.as_str() {
        "EXECUTING" => Ok(Reply::Executing),
        "COMPLETE" => {
            let pages = body.paging.and_then(|paging| paging.pages_filtered).unwrap_or(1).max(1);
            Ok(Reply::Complete { found: body.data.unwrap_or_default(), pages })
        }
        status => {
            let said = excerpt(body.msg.unwrap_or_default().as_bytes());
            let status = excerpt(status.as_bytes());
            Err(Error::new(
                ErrorKind::Unavailable,
                format!("could not read {what}: the service answered {status} and said {said}"),
            ))
        }
    }
}

/// Writes a complete reply of one page with `fields` (name and type).
pub(crate) fn format(fields: &[(&str, &str)], data: &[Value]) -> Vec<u8> {
    let fields: Vec<_> = fields.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    let rows = data.len();
    json::format(&json!({
        "status": "COMPLETE",
        "msg": "",
        "data": data,
        "fields": fields,
        "paging": {
            "page": 1,
            "pageSize": rows,
            "pagesFiltered": 1,
            "rows": rows,
            "rowsFiltered": rows,
            "rowsTotal": rows,
        },
    }))
}

/// The services' way of saying that something failed: status 200, and this.
pub fn refusal(message: &str) -> Vec<u8> {
    json::format(&json!({ "status": "ERROR", "msg": message, "data": null, "fields": null, "paging": null }))
}
