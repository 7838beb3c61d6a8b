//! HTTP/1.1 in the clear.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use edb_testkit::{Asked, Reply, ScriptedServer};
use flate2::read::GzDecoder;

use crate::{connection, get, split, whole};

const BODY: &[u8] = b"theTime,MJD,euvalue,sqldataType\r\n";
const HOUR: Duration = Duration::from_hours(1);

fn always(reply: Reply) -> ScriptedServer {
    ScriptedServer::start(move |_| reply.clone())
}

fn answer(reply: Reply) -> (String, Vec<u8>) {
    get(&always(reply).url(), "/")
}

/// A server that tells when it has been asked.
fn telling(reply: Reply) -> (ScriptedServer, Receiver<Asked>) {
    let (tell, told) = mpsc::channel();
    let server = ScriptedServer::start(move |asked| {
        tell.send(asked.clone()).unwrap();
        reply.clone()
    });
    (server, told)
}

/// Whether the connection is open with nothing in it to be read.
fn is_silent(tcp: &TcpStream) -> bool {
    tcp.set_nonblocking(true).unwrap();
    let silent = tcp.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    tcp.set_nonblocking(false).unwrap();
    silent
}

#[test]
fn a_script_sees_the_whole_request() {
    let (server, told) = telling(Reply::status(407));
    let mut tcp = TcpStream::connect(crate::address(&server.url())).unwrap();
    tcp.write_all(b"POST /a%20b?c HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello and more").unwrap();
    let asked = told.recv().unwrap();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/a%20b?c"));
    assert_eq!((asked.body.as_slice(), asked.header("Content-Length")), (&b"hello"[..], Some("5")));
    assert_eq!((asked.number, asked.concurrent), (0, 1));

    let (head, _) = whole(&mut connection(&server.url(), "CONNECT mast.stsci.edu:443 HTTP/1.1"));
    assert!(head.starts_with("HTTP/1.1 407 "), "{head}");
    let asked = told.recv().unwrap();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("CONNECT", "mast.stsci.edu:443"));
    assert_eq!((asked.number, server.requests().len(), server.connections()), (1, 2, 2));
}

#[test]
fn bodies_end_in_three_ways() {
    let (head, body) = answer(Reply::csv(BODY));
    assert_eq!(
        head,
        "HTTP/1.1 200 Scripted\r\nContent-Type: text/csv\r\nContent-Length: 33\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(body, BODY);
    let (head, body) = answer(Reply::csv(BODY).chunked());
    assert!(head.contains("Transfer-Encoding: chunked\r\n") && !head.contains("Content-Length"), "{head}");
    assert_eq!(body, [b"21\r\n", BODY, b"\r\n0\r\n\r\n"].concat());
    let (head, body) = answer(Reply::until_close(BODY));
    assert!(!head.contains("Transfer-Encoding") && !head.contains("Content-Length"), "{head}");
    assert_eq!(body, BODY);
    let (head, body) = answer(Reply::claiming(200, "text/csv", BODY, 1000));
    assert!(head.contains("Content-Length: 1000\r\n") && body == BODY, "{head}");
}

#[test]
fn a_cut_breaks_the_promise_of_each_kind_of_end() {
    let (head, body) = answer(Reply::csv(BODY).cut(7));
    assert!(head.contains("Content-Length: 33\r\n") && body == b"theTime", "{head}");
    let (_, body) = answer(Reply::csv(BODY).chunked().cut(7));
    assert_eq!(body, b"7\r\ntheTime\r\n");
    let (_, body) = answer(Reply::csv(BODY).close_delimited().cut(7));
    assert_eq!(body, b"theTime");
    let (_, body) = answer(Reply::csv(BODY).keep_alive().cut(0));
    assert_eq!(body, b"", "and the connection was closed");
}

#[test]
fn a_reset_is_no_close() {
    for reply in [Reply::csv(BODY), Reply::csv(BODY).chunked(), Reply::until_close(BODY)] {
        let server = always(reply.reset_after(7));
        let mut received = Vec::new();
        let error = connection(&server.url(), "GET / HTTP/1.1").read_to_end(&mut received).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn stalls_last_until_the_server_ends() {
    for (reply, expected) in [
        (Reply::csv(BODY).stall_after(7), 7),
        (Reply::csv(BODY).stall_after(0), 0),
        // Waiting is not stalling, and ends with the server all the same.
        (Reply::csv(BODY).drip(3, HOUR), 3),
    ] {
        let server = always(reply);
        let mut tcp = connection(&server.url(), "GET / HTTP/1.1");
        let mut answer = Vec::new();
        while !answer.ends_with(&[b"\r\n\r\n", &BODY[..expected]].concat()) {
            let mut byte = [0];
            tcp.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        assert!(is_silent(&tcp));
        drop(server);
        assert_eq!(tcp.read(&mut [0]).unwrap(), 0);
    }
    for reply in [Reply::csv(BODY).stall_before_head(), Reply::csv(BODY).after(HOUR)] {
        let (server, told) = telling(reply);
        let mut tcp = connection(&server.url(), "GET / HTTP/1.1");
        told.recv().unwrap();
        assert!(is_silent(&tcp));
        drop(server);
        assert_eq!(tcp.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_stalled_request_is_over_when_its_client_leaves() {
    let (server, told) = telling(Reply::csv(BODY).stall_before_head());
    drop(connection(&server.url(), "GET / HTTP/1.1"));
    // Each waits for the one before to be noticed as gone.
    while {
        let tcp = connection(&server.url(), "GET / HTTP/1.1");
        let concurrent = told.recv().unwrap().concurrent;
        drop(tcp);
        concurrent > 1
    } {}
}

#[test]
fn bodies_drip_in_pieces_and_answers_come_late() {
    let (_, body) = answer(Reply::csv(b"abcdefg").chunked().drip(3, Duration::from_millis(1)));
    assert_eq!(body, b"3\r\nabc\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n");
    let (_, body) = answer(Reply::csv(BODY).after(Duration::from_millis(1)));
    assert_eq!(body, BODY);
}

#[test]
fn a_connection_can_end_without_an_answer_or_with_anything() {
    for (reply, expected) in [
        (Reply::hang_up(), &b""[..]),
        (Reply::go_away(), b""),
        (Reply::raw(b"ICY 200\n\n"), b"ICY 200\n\n"),
        (Reply::raw(b"HTTP/1.1 200 OK\r\n").cut(4), b"HTTP"),
    ] {
        let server = always(reply);
        let mut answer = Vec::new();
        connection(&server.url(), "GET / HTTP/1.1").read_to_end(&mut answer).unwrap();
        assert_eq!(answer, expected);
    }
    assert!(TcpStream::connect(crate::address(&ScriptedServer::nobody())).is_err());
}

#[test]
fn a_connection_is_kept_when_the_answer_says_so() {
    let server = ScriptedServer::start(|asked| match asked.number {
        0 => Reply::csv(b"first").keep_alive(),
        1 => Reply::csv(b"second").chunked().keep_alive(),
        2 => Reply::redirect("http://127.0.0.1:9/elsewhere").keep_alive(),
        // Without a length or chunks the close is the end.
        _ => Reply::until_close(b"last").keep_alive(),
    });
    let mut tcp = connection(&server.url(), "GET /1 HTTP/1.1");
    for path in 2..5 {
        tcp.write_all(format!("GET /{path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    }
    let mut answers = String::new();
    tcp.read_to_string(&mut answers).unwrap();
    let parts: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).collect();
    assert!(parts[0].starts_with("200 ") && parts[0].ends_with("\r\n\r\nfirst"), "{answers}");
    assert!(parts[1].ends_with("\r\n6\r\nsecond\r\n0\r\n\r\n"), "{answers}");
    assert!(parts[2].starts_with("302 ") && parts[2].contains("Location: http://127.0.0.1:9/elsewhere\r\n"));
    assert!(parts[3].contains("Connection: close\r\n") && parts[3].ends_with("\r\n\r\nlast"), "{answers}");
    assert_eq!((parts.len(), server.connections(), server.requests().len()), (4, 1, 4));
}

#[test]
fn gzip_is_said_and_done_or_only_said() {
    let unpacked = |body: &[u8]| {
        let mut text = Vec::new();
        GzDecoder::new(body).read_to_end(&mut text).map(|_| text)
    };
    for (reply, expected) in [
        (Reply::csv(BODY).gzip(), Some(BODY.len())),
        (Reply::csv(BODY).gzip().cut(20), None),
        (Reply::csv(BODY).gzip_cut(20), None),
        (Reply::csv(BODY).header("Content-Encoding", "gzip"), None),
        (Reply::gzip_bomb(3), Some(3_000_033)),
    ] {
        let (head, body) = answer(reply);
        assert!(head.contains("Content-Encoding: gzip\r\n"), "{head}");
        assert_eq!(unpacked(&body).ok().map(|text| text.len()), expected, "{head}");
    }
}

#[test]
fn huge_bodies_are_made_while_they_are_sent() {
    let server = ScriptedServer::start(|_| {
        let mut left = 500;
        Reply::stream(200, "text/csv", move || {
            left -= 1;
            (left >= 0).then(|| vec![b'x'; 1 << 16])
        })
        .close_delimited()
    });
    let (_, body) = get(&server.url(), "/");
    assert_eq!(body.len(), 500 << 16);
}

#[test]
fn a_stream_is_sent_as_it_comes() {
    let (make, made) = mpsc::channel::<Vec<u8>>();
    let made = Arc::new(Mutex::new(made));
    let server = ScriptedServer::start(move |_| {
        let made = Arc::clone(&made);
        Reply::stream(200, "text/csv", move || made.lock().unwrap().recv().ok())
    });
    let mut tcp = connection(&server.url(), "GET / HTTP/1.1");
    let mut answer = Vec::new();
    for piece in ["one", "two"] {
        make.send(piece.as_bytes().to_vec()).unwrap();
        while !answer.ends_with(format!("3\r\n{piece}\r\n").as_bytes()) {
            let mut byte = [0];
            tcp.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
    }
    drop(make);
    tcp.read_to_end(&mut answer).unwrap();
    assert_eq!(split(&answer).1, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
}

#[test]
fn requests_at_the_same_time_are_counted_and_others_are_not() {
    let meeting = Barrier::new(3);
    let server = ScriptedServer::start(move |asked| {
        if asked.path == "/meet" {
            meeting.wait();
        }
        Reply::csv(BODY).chunked()
    });
    for _ in 0..100 {
        get(&server.url(), "/alone");
    }
    assert_eq!(server.most_concurrent(), 1);
    let mut clients: Vec<_> = (0..3).map(|_| connection(&server.url(), "GET /meet HTTP/1.1")).collect();
    clients.iter_mut().for_each(|client| drop(whole(client)));
    assert_eq!((server.most_concurrent(), server.requests().len()), (3, 103));
}
