//! A service that says what a test wants it to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The raw bytes of one answer, after which the connection is closed.
#[derive(Debug, Clone)]
pub struct Reply(pub Vec<u8>);

impl Reply {
    /// A well-formed answer.
    pub fn new(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self::claiming(status, content_type, body, body.len())
    }

    /// An answer whose `Content-Length` claims `length` bytes, whatever the body has.
    pub fn claiming(status: u16, content_type: &str, body: &[u8], length: usize) -> Self {
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        Self([head.as_bytes(), body].concat())
    }

    /// An answer that ends where the connection is closed, so that a cut cannot be seen from outside the body.
    pub fn until_close(body: &[u8]) -> Self {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nConnection: close\r\n\r\n";
        Self([head.as_bytes(), body].concat())
    }

    /// A CSV answer.
    pub fn csv(body: &[u8]) -> Self {
        Self::new(200, "text/csv", body)
    }

    /// A refusal.
    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", b"scripted refusal")
    }
}

/// A service on a free loopback port; it ends when it is dropped.
pub struct ScriptedServer {
    port: u16,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl ScriptedServer {
    /// Serves what `script` says to each request: its path with query, its head (request line and headers), and how many
    /// requests came before it.
    ///
    /// # Panics
    /// If no loopback port can be had.
    pub fn start(script: impl Fn(&str, &str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("its address").port();
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (ended, heard) = (Arc::clone(&stop), Arc::clone(&seen));
        let script = Arc::new(script);
        let count = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let (script, heard, count) = (Arc::clone(&script), Arc::clone(&heard), Arc::clone(&count));
                thread::spawn(move || {
                    let Some(head) = read_head(&stream) else { return };
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
                    let reply = script(&path, &head, count.fetch_add(1, Ordering::SeqCst));
                    // A client that goes away early is none of the script's business.
                    let _ = (&stream).write_all(&reply.0);
                    let _ = stream.shutdown(Shutdown::Write);
                });
            }
        });
        Self { port, stop, seen }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A URL at which nothing listens.
    ///
    /// # Panics
    /// If no loopback port can be had.
    pub fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        format!("http://127.0.0.1:{}/", listener.local_addr().expect("its address").port())
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn read_head(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    Some(head)
}
