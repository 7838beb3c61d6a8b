//! HTTP/2.

use std::sync::Arc;
use std::sync::mpsc;

use bytes::Bytes;
use edb_testkit::tls::Authority;
use edb_testkit::{Http2Server, Reply};
use h2::Reason;
use h2::client::SendRequest;
use http::Request;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use crate::address;
use crate::tls::trusting;

struct Client {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

async fn connect(authority: &Authority, server: &Http2Server) -> Client {
    let tcp = TcpStream::connect(address(&server.url()).replace("localhost", "127.0.0.1")).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(trusting(authority, &["h2"])).connect(name, tcp).await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::handshake(tls).await.unwrap();
    Client { sender, connection: tokio::spawn(connection) }
}

impl Client {
    async fn get(&self, path: &str) -> Result<(u16, Vec<u8>), h2::Error> {
        let mut sender = self.sender.clone().ready().await?;
        let request = Request::get(format!("https://localhost{path}")).header("x-two", "b").body(()).unwrap();
        let (response, _) = sender.send_request(request, true)?;
        let (head, mut stream) = response.await?.into_parts();
        let mut body = Vec::new();
        while let Some(piece) = stream.data().await {
            let piece = piece?;
            stream.flow_control().release_capacity(piece.len())?;
            body.extend(piece);
        }
        assert!(head.headers.contains_key("content-type"));
        Ok((head.status.as_u16(), body))
    }
}

fn world(script: impl Fn(&edb_testkit::Asked) -> Reply + Send + Sync + 'static) -> (Authority, Http2Server) {
    let authority = Authority::new();
    let server = Http2Server::start(&authority.issue(&["localhost"]), script);
    (authority, server)
}

#[tokio::test]
async fn status_and_body_are_sent_and_requests_share_a_connection() {
    let large: Vec<u8> = (0..1_000_000_u32).map(|at| at as u8).collect();
    let expected = large.clone();
    let (authority, server) = world(move |asked| match asked.path.as_str() {
        "/large" => Reply::csv(&large).chunked(),
        path => Reply::new(404, "text/plain", path.as_bytes()),
    });
    let client = connect(&authority, &server).await;
    let (large, small) = tokio::join!(client.get("/large"), client.get("/small?a=b"));
    assert!(large.unwrap() == (200, expected));
    assert_eq!(small.unwrap(), (404, b"/small?a=b".to_vec()));
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
    let heads = server.requests();
    let small = heads.iter().find(|head| head.starts_with("GET /small?a=b HTTP/2.0\r\nhost: localhost\r\n"));
    assert!(small.unwrap().contains("x-two: b\r\n"));
}

#[tokio::test]
async fn a_connection_that_goes_away_refuses_its_request() {
    let (authority, server) =
        world(|asked| if asked.number == 1 { Reply::go_away() } else { Reply::csv(b"x") });
    let client = connect(&authority, &server).await;
    client.get("/first").await.unwrap();
    client.get("/second").await.unwrap_err();
    client.get("/third").await.unwrap_err();
    drop(client.connection.await.unwrap());
    let again = connect(&authority, &server).await;
    assert_eq!(again.get("/fourth").await.unwrap(), (200, b"x".to_vec()));
    assert_eq!((server.connections(), server.requests().len()), (2, 3));
}

#[tokio::test]
async fn a_connection_can_answer_and_then_go_away() {
    let (authority, server) = world(|_| Reply::csv(b"x").then_go_away());
    let client = connect(&authority, &server).await;
    assert_eq!(client.get("/first").await.unwrap(), (200, b"x".to_vec()));
    client.get("/second").await.unwrap_err();
    // It ends; whether the client's own farewell is still taken is the system's business.
    drop(client.connection.await.unwrap());
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn streams_and_connections_break() {
    let (authority, server) = world(|asked| match asked.path.as_str() {
        "/cut" => Reply::csv(b"theTime").cut(3),
        "/reset" => Reply::csv(b"theTime").reset_after(3),
        "/raw" => Reply::raw(b"HTTP/1.1"),
        "/hang-up" => Reply::hang_up(),
        _ => Reply::csv(b"x"),
    });
    let client = connect(&authority, &server).await;
    for path in ["/cut", "/raw"] {
        let error = client.get(path).await.unwrap_err();
        assert_eq!((error.is_reset(), error.reason()), (true, Some(Reason::INTERNAL_ERROR)), "{path}");
        assert_eq!(client.get("/").await.unwrap().0, 200, "the connection is none the worse");
    }
    client.get("/reset").await.unwrap_err();
    client.get("/").await.unwrap_err();
    let client = connect(&authority, &server).await;
    client.get("/hang-up").await.unwrap_err();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_stalled_stream_holds_up_no_other_and_ends_with_the_server() {
    let (tell, told) = mpsc::channel();
    let (authority, server) = world(move |asked| {
        let _ = tell.send(asked.concurrent);
        if asked.path == "/stall" { Reply::csv(b"theTime").stall_after(3) } else { Reply::csv(b"x") }
    });
    let client = Arc::new(connect(&authority, &server).await);
    let stalled = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.get("/stall").await }
    });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.get("/").await.unwrap().0, 200);
    assert_eq!((told.recv().unwrap(), told.recv().unwrap()), (1, 2));
    assert_eq!(server.most_concurrent(), 2);
    assert!(!stalled.is_finished());
    drop(server);
    stalled.await.unwrap().unwrap_err();
}
