//! Answers onto a connection of HTTP/1.1.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::asked::{Asked, Entry, lock};
use crate::reply::{Body, Ending, Framing, Opening, Reply};

/// What is to be done with a connection when an answer has been sent as far as it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Request,
    Close,
    Reset,
    /// Keep it and say nothing.
    Stall,
}

/// Lets threads wait for a time that ends early when the server does.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    is_over: Mutex<bool>,
    ended: Condvar,
}

impl Patience {
    pub(crate) fn end(&self) {
        *lock(&self.is_over) = true;
        self.ended.notify_all();
    }

    /// Waits; an error if the server has ended.
    pub(crate) fn wait(&self, duration: Duration) -> io::Result<()> {
        let is_over = lock(&self.is_over);
        let (is_over, _) = self
            .ended
            .wait_timeout_while(is_over, duration, |is_over| !*is_over)
            .unwrap_or_else(PoisonError::into_inner);
        if *is_over { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

/// Sends `reply`. The entry is closed just before the last bytes go out: a client that has the whole answer must not be
/// counted as still waiting for it. A stalled request is being answered for as long as its connection is there.
pub(crate) fn send(
    reply: &Reply,
    asked: &Asked,
    entry: &mut Option<Entry>,
    out: &mut impl Write,
    patience: &Patience,
) -> io::Result<Next> {
    patience.wait(reply.latency)?;
    let mut buffer = match reply.opening {
        Opening::Head => head(reply),
        Opening::Bare => Vec::new(),
        Opening::HangUp | Opening::GoAway => return Ok(Next::Close),
        Opening::Stall => return Ok(Next::Stall),
    };
    let is_chunked = reply.opening == Opening::Head && reply.framing == Framing::Chunked;
    let length = reply.length().filter(|_| reply.opening == Opening::Head);
    if matches!(reply.body, Body::Stream(_)) || reply.drip.is_some() {
        flush(&mut buffer, out)?;
    }
    let mut sent = 0;
    let pieces = reply.pieces().take(if asked.method == "HEAD" { 0 } else { usize::MAX });
    for (number, piece) in pieces.enumerate() {
        if let Some((_, every)) = reply.drip.filter(|_| number > 0) {
            patience.wait(every)?;
        }
        sent += piece.len();
        if length.is_some_and(|length| sent >= length) {
            *entry = None;
        }
        if is_chunked {
            buffer.extend(format!("{:x}\r\n", piece.len()).as_bytes());
        }
        buffer.extend(piece);
        if is_chunked {
            buffer.extend(b"\r\n");
        }
        // The last piece of a chunked body goes out with the chunk that ends it.
        flush(&mut buffer, out)?;
    }
    match reply.ending {
        Ending::Whole if is_chunked => buffer.extend(b"0\r\n\r\n"),
        Ending::Whole | Ending::Cut(_) => {}
        Ending::Reset(_) => {
            flush(&mut buffer, out)?;
            return Ok(Next::Reset);
        }
        Ending::Stall(_) => {
            flush(&mut buffer, out)?;
            return Ok(Next::Stall);
        }
    }
    *entry = None;
    flush(&mut buffer, out)?;
    Ok(if reply.leaves_open() { Next::Request } else { Next::Close })
}

fn flush(buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(buffer)?;
    buffer.clear();
    out.flush()
}

fn head(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    let mut line = |name: &str, value: &str| {
        let _ = write!(head, "{name}: {value}\r\n");
    };
    reply.headers.iter().for_each(|(name, value)| line(name, value));
    if let Some(length) = reply.length() {
        line("Content-Length", &length.to_string());
    }
    if reply.framing == Framing::Chunked {
        line("Transfer-Encoding", "chunked");
    }
    if !reply.leaves_open() {
        line("Connection", "close");
    }
    head.push_str("\r\n");
    head.into_bytes()
}
