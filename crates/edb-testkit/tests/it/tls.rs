//! HTTP/1.1 over TLS.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use edb_testkit::tls::Authority;
use edb_testkit::{Reply, ScriptedServer};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::{address, split, whole};

type Stream = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn trusting(authority: &Authority, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn connect(authority: &Authority, url: &str) -> Stream {
    assert!(url.starts_with("https://localhost:"), "{url}");
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(trusting(authority, &["h2", "http/1.1"]), name).unwrap();
    let port = address(url).replace("localhost", "127.0.0.1");
    StreamOwned::new(connection, TcpStream::connect(port).unwrap())
}

fn ask(authority: &Authority, url: &str) -> std::io::Result<Stream> {
    let mut stream = connect(authority, url);
    stream.write_all(b"GET /x HTTP/1.1\r\n\r\n")?;
    Ok(stream)
}

fn refusal(authority: &Authority, url: &str) -> String {
    let outcome = ask(authority, url).and_then(|mut stream| stream.read(&mut [0]));
    outcome.unwrap_err().to_string()
}

#[test]
fn a_client_that_trusts_the_authority_is_answered() {
    let authority = Authority::new();
    let server = ScriptedServer::start_tls(&authority.issue(&["localhost", "127.0.0.1"]), |asked| {
        Reply::csv(asked.path.as_bytes())
    });
    let mut stream = ask(&authority, &server.url()).unwrap();
    let (head, body) = whole(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 ") && body == b"/x", "{head}");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_should_not_be_trusted_is_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (identity, expected) in [
        (authority.issue_expired(&["localhost"]), "expired"),
        (authority.issue(&["elsewhere.example"]), "not valid for name"),
        (other.issue(&["localhost"]), "invalid peer certificate"),
    ] {
        let server = ScriptedServer::start_tls(&identity, |_| Reply::csv(b""));
        let said = refusal(&authority, &server.url());
        assert!(said.contains(expected), "{said}");
        assert_eq!((server.connections(), server.requests().len()), (1, 0));
    }
}

#[test]
fn a_door_slammed_in_the_handshake_is_an_end_without_a_word() {
    let server = ScriptedServer::slamming();
    let said = refusal(&Authority::new(), &server.url());
    assert_eq!(said, "unexpected end of file");
    assert_eq!(server.connections(), 1);
}

#[test]
fn closes_are_announced_and_resets_are_not() {
    let authority = Authority::new();
    let server = ScriptedServer::start_tls(&authority.issue(&["localhost"]), |asked| match asked.number {
        0 => Reply::until_close(b"theTime,MJD").cut(7),
        _ => Reply::until_close(b"theTime,MJD").reset_after(7),
    });
    let (_, body) = whole(&mut ask(&authority, &server.url()).unwrap());
    assert_eq!(body, b"theTime");
    let mut answer = Vec::new();
    let error = ask(&authority, &server.url()).unwrap().read_to_end(&mut answer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(split(&answer).1, b"theTime");
}
