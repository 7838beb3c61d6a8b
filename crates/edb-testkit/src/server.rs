//! A service that says what a test wants it to say.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::asked::{Asked, Ledger, header, lock};
use crate::reply::Reply;
use crate::send::{Next, Patience, send};
use crate::tls::Identity;

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A service on a free loopback port, with a thread for each connection; it ends when it is dropped, and every connection
/// with it.
///
/// # Examples
/// ```
/// use edb_testkit::{Reply, ScriptedServer};
/// let busy_at_first = ScriptedServer::start(|asked| match asked.number {
///     0 => Reply::status(503).header("Retry-After", "1"),
///     _ => Reply::csv(b"theTime,MJD,euvalue,sqldataType\r\n"),
/// });
/// assert!(busy_at_first.url().starts_with("http://127.0.0.1:"));
/// ```
pub struct ScriptedServer {
    port: u16,
    is_secure: bool,
    world: Arc<World>,
}

/// What the threads of a server share.
#[derive(Default)]
struct World {
    has_ended: AtomicBool,
    patience: Patience,
    ledger: Arc<Ledger>,
    open: Mutex<BTreeMap<usize, Arc<TcpStream>>>,
}

impl ScriptedServer {
    /// Serves what `script` says to each request.
    ///
    /// # Panics
    /// If no loopback port can be had.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let script: Arc<Script> = Arc::new(script);
        Self::listen(false, move |world, tcp| converse(world, Wire(Arc::clone(tcp)), tcp, &*script))
    }

    /// As [`ScriptedServer::start`], over TLS with this identity.
    ///
    /// # Panics
    /// If no loopback port can be had.
    pub fn start_tls(identity: &Identity, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let script: Arc<Script> = Arc::new(script);
        let config = Arc::new(identity.server(b"http/1.1"));
        Self::listen(true, move |world, tcp| {
            let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(connection, Wire(Arc::clone(tcp)));
            let how = converse(world, &mut stream, tcp, &*script)?;
            // A close in good order says so inside of TLS, too.
            if how == Farewell::Close {
                stream.conn.send_close_notify();
                stream.flush()?;
            }
            Ok(how)
        })
    }

    /// A service at an `https` URL that reads the beginning of the handshake and closes.
    ///
    /// # Panics
    /// If no loopback port can be had.
    pub fn slamming() -> Self {
        Self::listen(true, |_, tcp| (&**tcp).read(&mut [0; 1 << 14]).map(|_| Farewell::Close))
    }

    fn listen(
        is_secure: bool,
        serve: impl Fn(&World, &Arc<TcpStream>) -> io::Result<Farewell> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("its address").port();
        let world = Arc::new(World::default());
        let (shared, serve) = (Arc::clone(&world), Arc::new(serve));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let tcp = Arc::new(stream);
                lock(&shared.open).insert(number, Arc::clone(&tcp));
                // Looked at after the insertion, so that whoever ends the server either sees the connection or is seen here.
                if shared.has_ended.load(Ordering::SeqCst) {
                    break;
                }
                shared.ledger.connected();
                let (world, serve) = (Arc::clone(&shared), Arc::clone(&serve));
                thread::spawn(move || {
                    // Small pieces must not wait for each other.
                    let _ = tcp.set_nodelay(true);
                    // A client that goes away early is none of the script's business.
                    match serve(&world, &tcp) {
                        Ok(Farewell::Reset) => drop(SockRef::from(&*tcp).set_linger(Some(Duration::ZERO))),
                        _ => drop(tcp.shutdown(Shutdown::Write)),
                    }
                    // The last to hold the connection closes it.
                    lock(&world.open).remove(&number);
                });
            }
        });
        Self { port, is_secure, world }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        if self.is_secure {
            // Certificates are issued to names.
            format!("https://localhost:{}/", self.port)
        } else {
            format!("http://127.0.0.1:{}/", self.port)
        }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.world.ledger.heads()
    }

    /// How many requests there were at most at the same time.
    pub fn most_concurrent(&self) -> usize {
        self.world.ledger.most_concurrent()
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.world.ledger.connections()
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
        self.world.has_ended.store(true, Ordering::SeqCst);
        self.world.patience.end();
        for tcp in lock(&self.world.open).values() {
            let _ = tcp.shutdown(Shutdown::Both);
        }
        // Wakes the listener, which then sees the flag.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A connection whose owner can also be reached by the one who ends the server.
struct Wire(Arc<TcpStream>);

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush()
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    Close,
    Reset,
}

/// Answers requests until the connection is to be closed.
fn converse(
    world: &World,
    stream: impl Read + Write,
    mut tcp: &TcpStream,
    script: &Script,
) -> io::Result<Farewell> {
    let mut reader = BufReader::new(stream);
    while let Some((head, body)) = read_request(&mut reader)? {
        let (asked, entry) = world.ledger.enter(head, body);
        let mut entry = Some(entry);
        let reply = script(&asked);
        match send(&reply, &asked, &mut entry, reader.get_mut(), &world.patience)? {
            Next::Request => {}
            Next::Close => break,
            Next::Reset => return Ok(Farewell::Reset),
            Next::Stall => {
                // Ends when the client leaves, or when the server's end shuts the connection down.
                io::copy(&mut tcp, &mut io::sink())?;
                break;
            }
        }
    }
    Ok(Farewell::Close)
}

/// The next request, if there is one.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = Vec::new();
    loop {
        let length = reader.read_until(b'\n', &mut head)?;
        if length == 0 {
            return Ok(None);
        }
        if length <= 2 {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = header(&head, "Content-Length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Some((head, body)))
}
