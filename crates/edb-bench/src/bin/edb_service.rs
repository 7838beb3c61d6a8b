//! A service that answers like the archive's, after a delay and at next to no cost.
//!
//! ```text
//! edb_service [--port 0] [--latency-ms 200] [--rate-bytes N]
//! ```
//! The first line on stdout is its URL. It knows every mnemonic; the name says how often it is sampled, `B064_000` every
//! 64 ms, and every range has samples ([`edb_bench::days`]). `--rate-bytes` limits each connection, in
//! bytes per second. `GET /figures` says what the service has done so far.
//!
//! HTTP is written by hand, on one thread: 864 MB cost it 0.2 to 0.35 CPU seconds.
#![expect(clippy::print_stdout, reason = "the URL is the output")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edb_bench::days::{Cadence, Days, HEADER, ROW_BYTES, Redated, Slice, slices};
use edb_bench::{Workload, memory_bytes, process_cpu_seconds};
use edb_core::{Dictionary, DictionaryEntry, Error, ErrorKind, Mnemonic, Request, Result, SqlType};
use edb_wire::dictionary::viz;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};

/// What is printed and handed over at once; it stays in the cache on the way.
const PIECE_BYTES: usize = 1024 * ROW_BYTES;
const MAX_HEAD_BYTES: usize = 64 << 10;
const MNEMONICS_PER_CADENCE: usize = 200;

#[derive(Debug)]
struct Options {
    port: u16,
    latency: Duration,
    bytes_per_second: Option<f64>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { port: 0, latency: Duration::from_millis(200), bytes_per_second: None };
        while let Some(word) = words.next() {
            let mut number = || {
                let text = words.next().unwrap_or_default();
                text.replace('_', "")
                    .parse::<u32>()
                    .map_err(|_| Error::usage(format!("`{word}` needs a number, found `{text}`")))
            };
            match word.as_str() {
                "--port" => {
                    options.port = number()?.try_into().map_err(|_| Error::usage("there is no such port"))?;
                }
                "--latency-ms" => options.latency = Duration::from_millis(number()?.into()),
                "--rate-bytes" => options.bytes_per_second = Some(number()?.max(1).into()),
                _ => return Err(Error::usage(format!("there is no option `{word}`"))),
            }
        }
        Ok(options)
    }
}

#[derive(Debug, Default)]
struct Figures {
    connections: AtomicU64,
    requests: AtomicU64,
    body_bytes: AtomicU64,
    in_flight: AtomicU64,
    most_in_flight: AtomicU64,
}

struct Service {
    options: Options,
    days: Days,
    dictionary: Dictionary,
    figures: Figures,
}

/// What is sent after a head.
enum Body {
    Whole(&'static str, Vec<u8>),
    Rows(Cadence, Vec<Slice>),
}

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    // A second thread would cost more in waking than it could do.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| broken(&error))?.block_on(run(options))
}

async fn run(options: Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|error| broken(&error))?;
    let address = listener.local_addr().map_err(|error| broken(&error))?;
    let service = Arc::new(Service {
        days: Days::default(),
        dictionary: dictionary()?,
        figures: Figures::default(),
        options,
    });
    // The default cadence is printed before anybody measures.
    service.days.model(Cadence::of(""), Workload::DAYS.start).await?;
    println!("http://{address}");
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| broken(&error))?;
        let service = service.clone();
        tokio::spawn(async move {
            service.figures.connections.fetch_add(1, Ordering::Relaxed);
            // A client that goes away is no fault of the service.
            let _ = service.converse(stream).await;
        });
    }
}

fn broken(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Unclassified, format!("could not serve: {error}"))
}

fn dictionary() -> Result<Dictionary> {
    let mut dictionary = Dictionary::default();
    for cadence in ["B064", "B256", "B1024", "B4096"] {
        for number in 0..MNEMONICS_PER_CADENCE {
            dictionary.insert(entry(Mnemonic::new(&format!("{cadence}_{number:03}"))?));
        }
    }
    Ok(dictionary)
}

fn entry(mnemonic: Mnemonic) -> DictionaryEntry {
    DictionaryEntry {
        subsystem: "BENCH".to_owned(),
        description: "Synthetic".to_owned(),
        sql_type: Some(SqlType::Real),
        unit: "V".to_owned(),
        ..DictionaryEntry::bare(mnemonic)
    }
}

impl Service {
    /// Answers the requests of one connection, one after the other.
    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut received = Vec::with_capacity(1024);
        loop {
            let end = loop {
                if let Some(at) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                    break at + 4;
                }
                if received.len() > MAX_HEAD_BYTES || stream.read_buf(&mut received).await? == 0 {
                    return Ok(());
                }
            };
            let head = String::from_utf8_lossy(&received[..end]).into_owned();
            received.drain(..end);
            let is_last = head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"))
                || head.lines().next().is_some_and(|line| line.ends_with("HTTP/1.0"));
            let in_flight = self.figures.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
            self.figures.most_in_flight.fetch_max(in_flight, Ordering::Relaxed);
            let sent = self.respond(&mut stream, &head, is_last).await;
            self.figures.in_flight.fetch_sub(1, Ordering::Relaxed);
            sent?;
            if is_last {
                return stream.shutdown().await;
            }
        }
    }

    async fn respond(&self, stream: &mut TcpStream, head: &str, is_last: bool) -> std::io::Result<()> {
        let begun = Instant::now();
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, body) = match self.answer(method, target) {
            Ok(body) => ("200 OK", body),
            Err((status, text)) => (status, Body::Whole("text/plain", text.into_bytes())),
        };
        let (kind, length) = match &body {
            Body::Whole(kind, bytes) => (*kind, bytes.len()),
            Body::Rows(_, slices) => {
                ("text/csv", HEADER.len() + slices.iter().map(|slice| slice.bytes.len()).sum::<usize>())
            }
        };
        let connection = if is_last { "Connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{connection}\r\n"
        );
        if target != "/figures" {
            self.figures.requests.fetch_add(1, Ordering::Relaxed);
            // A cadence's first day is printed while the client waits anyway.
            if let Body::Rows(cadence, slices) = &body
                && let Some(first) = slices.first()
            {
                self.day(*cadence, first).await?;
            }
            sleep_until(begun + self.options.latency).await;
        }
        match body {
            Body::Whole(_, bytes) => stream.write_all(&[head.as_bytes(), &bytes].concat()).await?,
            Body::Rows(cadence, slices) => {
                stream.write_all(&[head.as_bytes(), HEADER].concat()).await?;
                self.send(stream, cadence, slices).await?;
            }
        }
        self.figures.body_bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn day(&self, cadence: Cadence, slice: &Slice) -> std::io::Result<Redated> {
        let model = self.days.model(cadence, slice.day).await.map_err(std::io::Error::other)?;
        Ok(Redated::new(model, slice.day))
    }

    /// Sends rows as fast as is allowed.
    async fn send(
        &self,
        stream: &mut TcpStream,
        cadence: Cadence,
        slices: Vec<Slice>,
    ) -> std::io::Result<()> {
        let (begun, mut sent) = (Instant::now(), 0);
        // Fifty pieces a second, so that a slow line is slow throughout.
        let rows = self.options.bytes_per_second.map(|rate| (rate / 50.0) as usize / ROW_BYTES);
        let piece_bytes = rows.map_or(PIECE_BYTES, |rows| (rows.max(1) * ROW_BYTES).min(PIECE_BYTES));
        let mut piece = Vec::with_capacity(piece_bytes);
        for slice in slices {
            let day = self.day(cadence, &slice).await?;
            for start in slice.bytes.clone().step_by(piece_bytes) {
                day.print(start..slice.bytes.end.min(start + piece_bytes), &mut piece);
                stream.write_all(&piece).await?;
                sent += piece.len();
                if let Some(rate) = self.options.bytes_per_second {
                    sleep_until(begun + Duration::from_secs_f64(sent as f64 / rate)).await;
                }
            }
        }
        Ok(())
    }

    fn answer(&self, method: &str, target: &str) -> std::result::Result<Body, (&'static str, String)> {
        if method != "GET" {
            return Err(("405 Method Not Allowed", "only GET is answered\n".to_owned()));
        }
        let url = reqwest::Url::parse(&format!("http://localhost{target}"))
            .map_err(|error| ("400 Bad Request", format!("{error}\n")))?;
        let parameter =
            |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let path = url.path().trim_end_matches('/');
        if path.ends_with("/api/v0.1/Download/file") {
            let uri = parameter("uri").unwrap_or_default();
            let request = uri.strip_prefix("mast:jwstedb/").ok_or_else(|| Error::usage("no such file"));
            let request = request.and_then(Request::from_file_name);
            let request = request.map_err(|error| ("404 Not Found", format!("{error}\n")))?;
            let cadence = Cadence::of(request.mnemonic.as_str());
            let slices = slices(cadence, request.range);
            let slices = slices.map_err(|error| ("400 Bad Request", format!("{error}\n")))?;
            Ok(Body::Rows(cadence, slices))
        } else if path.ends_with("/viz/api/v0.1/info/mnemonics") {
            let Some(name) = parameter("name") else {
                return Ok(Body::Whole("application/json", viz::format(&self.dictionary)));
            };
            let one = Mnemonic::new(&name).map(entry).into_iter().collect();
            Ok(Body::Whole("application/json", viz::format(&one)))
        } else if path.ends_with("/api") {
            // What existing clients ask to see whether there is anybody.
            Ok(Body::Whole("text/plain", Vec::new()))
        } else if path == "/figures" {
            Ok(Body::Whole("application/json", self.figures().into_bytes()))
        } else {
            Err(("404 Not Found", "there is nothing here\n".to_owned()))
        }
    }

    fn figures(&self) -> String {
        let figure = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        json!({
            "cpu_seconds": process_cpu_seconds(),
            "peak_memory_bytes": memory_bytes("VmHWM"),
            "connections": figure(&self.figures.connections),
            "requests": figure(&self.figures.requests),
            "most_in_flight": figure(&self.figures.most_in_flight),
            "body_bytes": figure(&self.figures.body_bytes),
        })
        .to_string()
    }
}
