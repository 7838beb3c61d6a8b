//! The servers do on the wire what the scripts say.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod http2;
mod plain;
mod service;
mod tls;

use std::io::{Read, Write};
use std::net::TcpStream;

/// The address in a base URL.
fn address(url: &str) -> String {
    url.split('/').nth(2).unwrap().to_owned()
}

/// A connection on which `request` has been sent; `Host` and the empty line are added.
fn connection(url: &str, request: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(address(url)).unwrap();
    tcp.write_all(format!("{request}\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    tcp
}

/// All that comes until the connection is closed in good order, split into head and body.
fn get(url: &str, path: &str) -> (String, Vec<u8>) {
    whole(&mut connection(url, &format!("GET {path} HTTP/1.1")))
}

fn whole(stream: &mut impl Read) -> (String, Vec<u8>) {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    split(&answer)
}

fn split(answer: &[u8]) -> (String, Vec<u8>) {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end..].to_vec())
}
