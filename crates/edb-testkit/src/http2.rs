//! A scripted service over HTTP/2.

use std::error::Error;
use std::fmt::Write;
use std::future::poll_fn;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time;
use tokio_rustls::TlsAcceptor;

use crate::asked::{Asked, Entry, Ledger};
use crate::reply::{Ending, Opening, Reply};
use crate::tls::Identity;

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;
type Fallible<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// A service on a free loopback port that speaks HTTP/2 over TLS and nothing else; it ends when it is dropped.
///
/// What a [`Reply`] says about connections is said about streams where that is what HTTP/2 has; see its methods.
/// [`Reply::raw`] is no answer here: the stream is reset.
pub struct Http2Server {
    port: u16,
    ledger: Arc<Ledger>,
    /// Its end is the server's.
    _end: oneshot::Sender<()>,
}

impl Http2Server {
    /// Serves what `script` says to each request.
    ///
    /// # Panics
    /// If no loopback port or no thread can be had.
    pub fn start(identity: &Identity, script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let port = listener.local_addr().expect("its address").port();
        let ledger = Arc::new(Ledger::default());
        let shared = Arc::new(Shared {
            config: Arc::new(identity.server(b"h2")),
            ledger: Arc::clone(&ledger),
            script,
        });
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (end, ended) = oneshot::channel();
        thread::spawn(move || run(runtime, listener, shared, ended));
        Self { port, ledger, _end: end }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("https://localhost:{}/", self.port)
    }

    /// The heads of all requests so far, as HTTP/1.1 would write them.
    pub fn requests(&self) -> Vec<String> {
        self.ledger.heads()
    }

    /// How many requests there were at most at the same time.
    pub fn most_concurrent(&self) -> usize {
        self.ledger.most_concurrent()
    }

    /// How many connections there were so far.
    pub fn connections(&self) -> usize {
        self.ledger.connections()
    }
}

struct Shared<F: ?Sized = Script> {
    config: Arc<ServerConfig>,
    ledger: Arc<Ledger>,
    script: F,
}

/// What the answer to one request does to its whole connection.
enum Order {
    /// GOAWAY when the streams have ended.
    Drain,
    /// GOAWAY at once. The stream is kept until then, as one that is dropped is reset.
    GoAway(SendResponse<Bytes>),
    Break,
}

fn run(runtime: Runtime, listener: std::net::TcpListener, shared: Arc<Shared>, ended: oneshot::Receiver<()>) {
    runtime.block_on(async {
        tokio::select! {
            _ = ended => {}
            _ = listen(listener, shared) => {}
        }
    });
    // A script that still waits for something must not hold up the test that has ended.
    runtime.shutdown_background();
}

async fn listen(listener: std::net::TcpListener, shared: Arc<Shared>) -> Fallible {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (tcp, _) = listener.accept().await?;
        shared.ledger.connected();
        tokio::spawn(converse(tcp, Arc::clone(&shared)));
    }
}

async fn converse(tcp: TcpStream, shared: Arc<Shared>) -> Fallible {
    tcp.set_nodelay(true)?;
    let tls = TlsAcceptor::from(Arc::clone(&shared.config)).accept(tcp).await?;
    let mut connection = h2::server::handshake(tls).await?;
    let (orders, mut ordered) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            // GOAWAY must be on its way before the answer that it comes with.
            biased;
            Some(order) = ordered.recv() => match order {
                Order::Drain => connection.graceful_shutdown(),
                Order::GoAway(stream) => {
                    connection.abrupt_shutdown(Reason::NO_ERROR);
                    drop(stream);
                }
                Order::Break => return Ok(()),
            },
            accepted = connection.accept() => {
                let Some(accepted) = accepted else { return Ok(()) };
                let (request, stream) = accepted?;
                // A client that goes away early is none of the script's business.
                tokio::spawn(answer(request, stream, Arc::clone(&shared), orders.clone()));
            }
        }
    }
}

async fn answer(
    request: Request<RecvStream>,
    mut stream: SendResponse<Bytes>,
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Order>,
) -> Fallible {
    let (head, body) = read_request(request).await?;
    let (asked, entry) = shared.ledger.enter(head, body);
    // A script may wait for another request of the same connection.
    let reply = tokio::task::spawn_blocking(move || (shared.script)(&asked)).await?;
    time::sleep(reply.latency).await;
    match reply.opening {
        Opening::Head => {}
        Opening::Bare => stream.send_reset(Reason::INTERNAL_ERROR),
        Opening::HangUp => drop(orders.send(Order::Break)),
        Opening::GoAway => {
            let _ = orders.send(Order::GoAway(stream));
            return Ok(());
        }
        Opening::Stall => drop(poll_fn(|context| stream.poll_reset(context)).await),
    }
    if reply.opening != Opening::Head {
        return Ok(());
    }
    if reply.goes_away {
        let _ = orders.send(Order::Drain);
    }
    send(&reply, stream, entry, &orders).await
}

async fn read_request(request: Request<RecvStream>) -> Fallible<(String, Vec<u8>)> {
    let (parts, mut stream) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("{} {path} HTTP/2.0\r\n", parts.method);
    if let Some(authority) = parts.uri.authority() {
        write!(head, "host: {authority}\r\n")?;
    }
    for (name, value) in &parts.headers {
        write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()))?;
    }
    head.push_str("\r\n");
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        let piece = piece?;
        stream.flow_control().release_capacity(piece.len())?;
        body.extend(piece);
    }
    Ok((head, body))
}

async fn send(
    reply: &Reply,
    mut response: SendResponse<Bytes>,
    entry: Entry,
    orders: &mpsc::UnboundedSender<Order>,
) -> Fallible {
    let mut head = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        head = head.header(name, value);
    }
    if let Some(length) = reply.length() {
        head = head.header("content-length", length);
    }
    let mut stream = response.send_response(head.body(())?, false)?;
    for (number, piece) in reply.pieces().enumerate() {
        if let Some((_, every)) = reply.drip.filter(|_| number > 0) {
            time::sleep(every).await;
        }
        push(&mut stream, piece.into()).await?;
    }
    match reply.ending {
        Ending::Whole => {
            // A client that has the whole answer must not be counted as still waiting for it.
            drop(entry);
            stream.send_data(Bytes::new(), true)?;
        }
        Ending::Cut(_) => stream.send_reset(Reason::INTERNAL_ERROR),
        Ending::Reset(_) => drop(orders.send(Order::Break)),
        Ending::Stall(_) => drop(poll_fn(|context| stream.poll_reset(context)).await),
    }
    Ok(())
}

/// Sends a piece as fast as the client takes it.
async fn push(stream: &mut SendStream<Bytes>, mut piece: Bytes) -> Fallible {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        let granted =
            poll_fn(|context| stream.poll_capacity(context)).await.ok_or("the stream has ended")??;
        stream.send_data(piece.split_to(granted.min(piece.len())), false)?;
    }
    Ok(())
}
