//! What a client asked, and the record of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the names of EDB files stand behind in a download.
const URI_PREFIX: &str = "mast:jwstedb/";

/// A request, as a script sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `POST`, `CONNECT`.
    pub method: String,
    /// The target with its query, as it was sent, percent signs and all; `host:port` of a `CONNECT`, a whole URL of
    /// what else a proxy is asked.
    pub path: String,
    /// The request line and the headers; over HTTP/2 they are written as HTTP/1.1 would.
    pub head: String,
    /// As much as `Content-Length` says.
    pub body: Vec<u8>,
    /// How many requests came to this server before.
    pub number: usize,
    /// How many requests are being answered right now, this one included.
    pub concurrent: usize,
}

impl Asked {
    /// The first header called `name`, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The name of the EDB file, if this is a download of one: what stands behind `uri=mast:jwstedb/`, percent-encoded
    /// or not.
    pub fn file(&self) -> Option<String> {
        let (path, _) = self.path.split_once('?')?;
        let uri = path.ends_with("/Download/file").then(|| self.query("uri"))??;
        uri.strip_prefix(URI_PREFIX).map(str::to_owned)
    }

    /// The path of the target alone: without its query, and without the host that a proxy is told.
    pub(crate) fn route(&self) -> &str {
        let target = self.path.split('?').next().unwrap_or_default();
        let Some(behind) = target.strip_prefix("http://") else { return target };
        behind.find('/').map_or("/", |at| &behind[at..])
    }

    /// The decoded value of `name` in the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        field(self.path.split_once('?')?.1, name)
    }

    /// The decoded value of `name` in the form that was posted.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        field(&String::from_utf8_lossy(&self.body), name)
    }
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    headers.find(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn field(pairs: &str, name: &str) -> Option<String> {
    let mut pairs = pairs.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| decoded(value))
}

/// Undoes the encoding of forms and queries.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let hexadecimal = || {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        (bytes, rest) = match (first, hexadecimal()) {
            (b'%', Some(byte)) => (pushed(bytes, byte), &behind[2..]),
            (b'+', _) => (pushed(bytes, b' '), behind),
            _ => (pushed(bytes, *first), behind),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn pushed(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

/// What came to a server so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    heads: Mutex<Vec<String>>,
    connections: AtomicUsize,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    numbers: BTreeSet<usize>,
    most: usize,
}

impl Ledger {
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        lock(&self.heads).clone()
    }

    pub(crate) fn most_concurrent(&self) -> usize {
        lock(&self.running).most
    }

    /// Writes a request down. It is being answered until the entry is dropped.
    pub(crate) fn enter(self: &Arc<Self>, head: String, body: Vec<u8>) -> (Asked, Entry) {
        let mut heads = lock(&self.heads);
        let number = heads.len();
        heads.push(head.clone());
        drop(heads);
        let mut running = lock(&self.running);
        running.numbers.insert(number);
        running.most = running.most.max(running.numbers.len());
        let concurrent = running.numbers.len();
        drop(running);
        let mut words = head.split([' ', '\r', '\n']).map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let asked = Asked { method: word(), path: word(), head, body, number, concurrent };
        (asked, Entry { ledger: Arc::clone(self), number })
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    number: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.ledger.running).numbers.remove(&self.number);
    }
}

/// A script that panicked has failed its test already; what it left behind is still in order.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Asked {
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nX-Two: a: b\r\n\r\n");
        Arc::new(Ledger::default()).enter(head, Vec::new()).0
    }

    #[test]
    fn a_request_is_taken_apart() {
        let asked = get("/a?b=%41+c&uri=x");
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/a?b=%41+c&uri=x"));
        assert_eq!((asked.header("x-two"), asked.header("GET /a")), (Some("a: b"), None));
        assert_eq!((asked.query("b").as_deref(), asked.file()), (Some("A c"), None));
        assert_eq!(
            [asked.route(), get("http://x:8/a/b?c").route(), get("http://x").route()],
            ["/a", "/a/b", "/"]
        );
        assert_eq!(decoded("100%&%4"), "100%&%4");
    }

    #[test]
    fn file_names_are_found_raw_and_encoded() {
        for uri in ["mast:jwstedb/A-1-2.csv", "mast%3Ajwstedb%2FA-1-2.csv", "mast%3ajwstedb/A-1-2.csv&x=y"] {
            let asked = get(&format!("/jwst/api/v0.1/Download/file?uri={uri}"));
            assert_eq!(asked.file().as_deref(), Some("A-1-2.csv"), "{uri}");
        }
        assert_eq!(get("/api/v0.1/Download/file?uri=mast:JWST/product/x.fits").file(), None);
    }

    #[test]
    fn requests_are_numbered_and_counted_while_they_are_answered() {
        let ledger = Arc::new(Ledger::default());
        let enter = || ledger.enter("GET / HTTP/1.1\r\n\r\n".to_owned(), Vec::new());
        let (first, first_entry) = enter();
        let (second, second_entry) = enter();
        drop((first_entry, second_entry));
        let (third, _entry) = enter();
        assert_eq!([first.number, second.number, third.number], [0, 1, 2]);
        assert_eq!([first.concurrent, second.concurrent, third.concurrent], [1, 2, 1]);
        assert_eq!((ledger.most_concurrent(), ledger.heads().len()), (2, 3));
    }
}
