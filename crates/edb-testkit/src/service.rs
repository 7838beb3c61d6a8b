//! A script that behaves as the real service does.

use std::collections::BTreeSet;
use std::sync::Mutex;

use edb_core::{Dictionary, Instant, MemorySource, Mnemonic, parse_instant};
use edb_wire::dictionary::{mashup, viz};
use serde_json::{Map, Value, json};

use crate::asked::{Asked, lock};
use crate::{Reply, ScriptedServer};

/// What the names of the observation search's services begin with.
const SEARCH: &str = "Mast.Jwst.Filtered.";
/// Rows of a page, if the question does not say.
const PAGE_SIZE: usize = 1000;

/// An EDB service over an archive in memory: samples, dictionary, observation search.
///
/// # Form
/// - Every path can have `/jwst` before it.
/// - Samples: one row before and one after; the header alone for what is unknown or reversed.
/// - Observation search: an exposure is found if its `instrume` is the service's and for each filter one of the values is its
///   own as text, or one of the ranges has it, both ends included.
/// - Connections are kept.
///
/// # Examples
/// ```
/// use edb_core::MemorySource;
/// use edb_testkit::{Reply, ScriptedServer, Service};
/// let service = Service::new(MemorySource::new("archive")).with_token("secret");
/// let flaky = ScriptedServer::start(move |asked| match asked.number {
///     0 => Reply::hang_up(),
///     _ => service.reply(asked),
/// });
/// ```
#[derive(Debug)]
pub struct Service {
    archive: MemorySource,
    exposures: Vec<Value>,
    token: Option<String>,
    executes_first: bool,
    most_rows: usize,
    /// The questions that have been answered with `EXECUTING`.
    asked_before: Mutex<BTreeSet<String>>,
}

impl Service {
    /// A service that needs no token and knows no exposures.
    pub fn new(archive: MemorySource) -> Self {
        Self {
            archive,
            exposures: Vec::new(),
            token: None,
            executes_first: false,
            most_rows: usize::MAX,
            asked_before: Mutex::default(),
        }
    }

    /// The rows of the observation search, each an object with at least `instrume`.
    #[must_use]
    pub fn with_exposures(self, rows: Vec<Value>) -> Self {
        Self { exposures: rows, ..self }
    }

    /// Only requests with `Authorization: token <text>` are answered, others with 401; `whoami` also takes the cookie
    /// `mast_token=<text>`, and answers everybody.
    #[must_use]
    pub fn with_token(self, text: &str) -> Self {
        Self { token: Some(text.to_owned()), ..self }
    }

    /// Each new question to the Mashup services is answered `EXECUTING` once.
    #[must_use]
    pub fn executing_first(self) -> Self {
        Self { executes_first: true, ..self }
    }

    /// No answer about samples or exposures has more than so many rows, and none says so.
    #[must_use]
    pub fn capped(self, rows: usize) -> Self {
        Self { most_rows: rows, ..self }
    }

    /// Serves this and nothing else.
    ///
    /// # Panics
    /// If no loopback port can be had.
    pub fn start(self) -> ScriptedServer {
        ScriptedServer::start(move |asked| self.reply(asked))
    }

    /// What the service says to a request.
    pub fn reply(&self, asked: &Asked) -> Reply {
        let route = asked.route();
        let route = route.strip_prefix("/jwst").unwrap_or(route);
        let is_known =
            self.knows(asked.header("Authorization").and_then(|value| value.strip_prefix("token ")));
        let reply = match (asked.method.as_str(), route) {
            ("GET", "/whoami") => self.whoami(asked, is_known),
            _ if self.token.is_some() && !is_known => Reply::status(401),
            ("GET", "/api" | "/api/") => Reply::new(200, "text/plain", b"alive"),
            ("GET", "/api/v0.1/Download/file") => self.download(asked),
            ("GET", "/viz/api/v0.1/info/mnemonics" | "/viz/api/v0.1/info/mnemonics/") => {
                let entries = match asked.query("name") {
                    Some(name) => self.entry(&name),
                    None => self.archive.entries().clone(),
                };
                Reply::new(200, "application/json", &viz::format(&entries))
            }
            ("POST", "/api/v0/invoke") => self.invoke(asked),
            _ => Reply::status(404),
        };
        reply.keep_alive()
    }

    fn knows(&self, token: Option<&str>) -> bool {
        token.is_some() && token == self.token.as_deref()
    }

    fn whoami(&self, asked: &Asked, is_known: bool) -> Reply {
        let mut cookies = asked.header("Cookie").unwrap_or_default().split(';');
        let cookie = cookies.find_map(|cookie| cookie.trim().strip_prefix("mast_token="));
        Reply::json(&if is_known || self.knows(cookie) {
            json!({ "anon": false, "ezid": "tester", "attrib": { "display_name": "Test User" } })
        } else {
            json!({ "anon": true })
        })
    }

    fn entry(&self, name: &str) -> Dictionary {
        let entry =
            Mnemonic::new(name).ok().and_then(|mnemonic| self.archive.entries().get(&mnemonic).cloned());
        entry.into_iter().collect()
    }

    fn download(&self, asked: &Asked) -> Reply {
        let Some(file) = asked.file() else { return Reply::status(404) };
        let Some((mnemonic, first, last)) = parse_name(&file) else { return Reply::status(400) };
        let rows = self.archive.rows(&mnemonic, first, last);
        let count = if first > last { 0 } else { rows.len().min(self.most_rows) };
        Reply::csv(&edb_wire::encode(&rows.slice(0..count)))
            .header("Content-Disposition", &format!("attachment; filename=\"{file}\""))
    }

    fn invoke(&self, asked: &Asked) -> Reply {
        let text = asked.form("request").unwrap_or_default();
        let Ok(question) = serde_json::from_str::<Value>(&text) else {
            return refusal("expected JSON in the form field `request`");
        };
        let service = question["service"].as_str().unwrap_or_default();
        let parameters = &question["params"];
        let rows = match service {
            "Mast.JwstEdb.Mnemonics" => rows(self.archive.entries()),
            "Mast.JwstEdb.Dictionary" => {
                rows(&self.entry(parameters["mnemonic"].as_str().unwrap_or_default()))
            }
            _ => match service.strip_prefix(SEARCH) {
                Some(instrument) => self.search(instrument, parameters),
                None => return refusal(&format!("there is no service `{service}`")),
            },
        };
        if self.executes_first && lock(&self.asked_before).insert(text) {
            return Reply::json(
                &json!({ "status": "EXECUTING", "msg": "", "data": [], "fields": [], "paging": {} }),
            );
        }
        let number =
            |name: &str| question[name].as_u64().filter(|number| *number > 0).map(|number| number as usize);
        page(&rows, number("page").unwrap_or(1), number("pagesize").unwrap_or(PAGE_SIZE))
    }

    fn search(&self, instrument: &str, parameters: &Value) -> Vec<Value> {
        let filters = parameters["filters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_found = |row: &&Value| {
            row["instrume"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(instrument))
                && filters.iter().all(|filter| passes(row, filter))
        };
        let found = self.exposures.iter().filter(is_found).take(self.most_rows);
        match parameters["columns"].as_str().unwrap_or("*") {
            "*" => found.cloned().collect(),
            "COUNT_BIG(*)" => vec![json!({ "Column1": found.count() })],
            columns => {
                let names: Vec<&str> = columns.split(',').map(str::trim).collect();
                let projected = |row: &Value| {
                    names.iter().map(|&name| (name.to_owned(), row[name].clone())).collect::<Map<_, _>>()
                };
                found.map(|row| Value::Object(projected(row))).collect()
            }
        }
    }
}

/// The mnemonic and both ends of a file name, whose range may be empty or reversed.
fn parse_name(name: &str) -> Option<(Mnemonic, Instant, Instant)> {
    let mut parts = name.strip_suffix(".csv")?.splitn(3, '-');
    let mnemonic = Mnemonic::new(parts.next()?).ok()?;
    let mut instant = || {
        let text = parts.next().filter(|text| text.len() == 15)?;
        parse_instant(text, Instant::MIN).ok()
    };
    Some((mnemonic, instant()?, instant()?))
}

fn rows(dictionary: &Dictionary) -> Vec<Value> {
    let mut reply: Value = serde_json::from_slice(&mashup::format(dictionary)).unwrap_or_default();
    match reply["data"].take() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}

/// Whether one of a filter's values is the row's.
fn passes(row: &Value, filter: &Value) -> bool {
    let found = &row[filter["paramName"].as_str().unwrap_or_default()];
    let values = filter["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    !found.is_null()
        && values.iter().any(|value| match value {
            Value::Object(range) => number(found).is_some_and(|found| {
                let end = |name: &str| range.get(name).and_then(number);
                end("min").is_none_or(|min| found >= min) && end("max").is_none_or(|max| found <= max)
            }),
            literal => text(literal) == text(found),
        })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn page(rows: &[Value], page: usize, size: usize) -> Reply {
    let shown = rows.chunks(size).nth(page - 1).unwrap_or_default();
    let fields = rows.first().and_then(Value::as_object).into_iter().flatten().map(|(name, value)| {
        let kind = match value {
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "float",
            Value::Number(_) => "int",
            _ => "string",
        };
        json!({ "name": name, "type": kind })
    });
    Reply::json(&json!({
        "status": "COMPLETE",
        "msg": "",
        "data": shown,
        "fields": fields.collect::<Vec<_>>(),
        "paging": {
            "page": page,
            "pageSize": size,
            "pagesFiltered": rows.len().div_ceil(size).max(1),
            "rows": shown.len(),
            "rowsFiltered": rows.len(),
            "rowsTotal": rows.len(),
        },
    }))
}

/// The Mashup services report errors with status 200.
fn refusal(message: &str) -> Reply {
    Reply::new(200, "application/json", &edb_wire::mashup::refusal(message))
}
