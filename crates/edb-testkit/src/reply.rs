//! What a script answers, faults included.

use std::fmt::{Debug, Formatter};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::asked::lock;

/// How much of a body is handed to the socket at once.
const PIECE_BYTES: usize = 1 << 16;

/// One answer and how it goes wrong: built from a constructor and whatever is put behind it.
///
/// Unless it says otherwise, an answer has a `Content-Length` and its connection is closed after it.
///
/// # Examples
/// ```
/// use edb_testkit::Reply;
/// let whole = Reply::csv(b"theTime,MJD,euvalue,sqldataType\r\n").keep_alive();
/// let broken = Reply::csv(b"theTime,MJD,euvalue,sqldataType\r\n").chunked().gzip().reset_after(10);
/// ```
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) opening: Opening,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) framing: Framing,
    pub(crate) ending: Ending,
    pub(crate) drip: Option<(usize, Duration)>,
    pub(crate) latency: Duration,
    pub(crate) keeps_alive: bool,
    pub(crate) goes_away: bool,
}

/// What comes before the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Head,
    /// Nothing: the body is all that is sent.
    Bare,
    /// Nothing at all, and the connection is closed.
    HangUp,
    /// Nothing at all, and the connection stays.
    Stall,
    /// HTTP/2: GOAWAY instead of an answer.
    GoAway,
}

/// How a client knows where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By a length: the body's own, or the one that is claimed.
    Length(Option<usize>),
    Chunked,
    Close,
}

/// What happens to the body on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    Cut(usize),
    Reset(usize),
    Stall(usize),
}

impl Ending {
    /// How many bytes of the body are sent at most.
    pub(crate) fn limit(self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Cut(bytes) | Self::Reset(bytes) | Self::Stall(bytes) => bytes,
        }
    }
}

type Source = dyn FnMut() -> Option<Vec<u8>> + Send;

#[derive(Clone)]
pub(crate) enum Body {
    Bytes(Arc<[u8]>),
    Stream(Arc<Mutex<Source>>),
}

impl Debug for Body {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(formatter, "{} bytes", bytes.len()),
            Self::Stream(_) => formatter.write_str("a stream"),
        }
    }
}

impl Reply {
    /// A well-formed answer.
    pub fn new(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self::of(status, content_type, Body::Bytes(body.into()))
    }

    /// An answer whose `Content-Length` claims `length` bytes, whatever the body has.
    pub fn claiming(status: u16, content_type: &str, body: &[u8], length: usize) -> Self {
        Self::new(status, content_type, body).with_length(length)
    }

    /// A CSV answer.
    pub fn csv(body: &[u8]) -> Self {
        Self::new(200, "text/csv", body)
    }

    /// A JSON answer.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::new(200, "application/json", value.to_string().as_bytes())
    }

    /// A refusal.
    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", b"scripted refusal")
    }

    /// 302 to another place.
    pub fn redirect(url: &str) -> Self {
        Self::new(302, "text/plain", b"").header("Location", url)
    }

    /// A CSV answer that ends where the connection is closed, so that a cut cannot be seen from outside the body.
    pub fn until_close(body: &[u8]) -> Self {
        Self::csv(body).close_delimited()
    }

    /// A chunked answer whose body is made while it is sent, until `next` gives `None`; one chunk for each piece. Clones
    /// share the source, so each piece is sent once.
    pub fn stream(
        status: u16,
        content_type: &str,
        next: impl FnMut() -> Option<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self::of(status, content_type, Body::Stream(Arc::new(Mutex::new(next)))).chunked()
    }

    /// These bytes and nothing else, which need not be HTTP; faults count in them as in a body.
    pub fn raw(bytes: &[u8]) -> Self {
        let reply = Self::of(200, "", Body::Bytes(bytes.into())).close_delimited();
        Self { opening: Opening::Bare, ..reply }
    }

    /// The connection is closed without a byte.
    pub fn hang_up() -> Self {
        Self { opening: Opening::HangUp, ..Self::status(500) }
    }

    /// HTTP/2: GOAWAY instead of an answer, which ends all streams of the connection. Over HTTP/1.1 as
    /// [`Reply::hang_up`].
    pub fn go_away() -> Self {
        Self { opening: Opening::GoAway, ..Self::status(500) }
    }

    /// A small gzip stream of well-formed CSV that unpacks to at least so many megabytes: one row, again and again.
    ///
    /// # Panics
    /// Never: compressing into memory does not fail.
    pub fn gzip_bomb(megabytes: usize) -> Self {
        let header = b"theTime,MJD,euvalue,sqldataType\r\n";
        let row = b"2022-06-01 00:00:00.064000,59731.0000007407,-0.2500000000,real\r\n";
        let megabyte = row.repeat(1_000_000 / row.len());
        // After a full flush nothing refers to what came before, so that the same compressed bytes can be said repeatedly.
        let flushed = |bytes: &[u8]| {
            let mut out = Vec::with_capacity(bytes.len() + 64);
            Compress::new(Compression::best(), false)
                .compress_vec(bytes, &mut out, FlushCompress::Full)
                .expect("compressing into memory does not fail");
            out
        };
        let mut check = Crc::new();
        check.update(header);
        let mut check_of_one = Crc::new();
        check_of_one.update(&megabyte);
        let (first, again) = (flushed(header), flushed(&megabyte));
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        bytes.extend(first);
        for _ in 0..megabytes {
            bytes.extend_from_slice(&again);
            check.combine(&check_of_one);
        }
        // An empty last block, then the checksum and the length.
        bytes.extend([3, 0]);
        bytes.extend(check.sum().to_le_bytes());
        bytes.extend(check.amount().to_le_bytes());
        Self::csv(&bytes).header("Content-Encoding", "gzip")
    }

    fn of(status: u16, content_type: &str, body: Body) -> Self {
        let headers = if content_type.is_empty() {
            Vec::new()
        } else {
            vec![("Content-Type".to_owned(), content_type.to_owned())]
        };
        Self {
            opening: Opening::Head,
            status,
            headers,
            body,
            framing: Framing::Length(None),
            ending: Ending::Whole,
            drip: None,
            latency: Duration::ZERO,
            keeps_alive: false,
            goes_away: false,
        }
    }
}

/// What can be put behind a constructor.
impl Reply {
    /// One more header; it does not replace one of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body ends with an empty chunk.
    #[must_use]
    pub fn chunked(self) -> Self {
        Self { framing: Framing::Chunked, ..self }
    }

    /// The body ends where the connection is closed.
    #[must_use]
    pub fn close_delimited(self) -> Self {
        Self { framing: Framing::Close, ..self }
    }

    /// The body has a `Content-Length` of `length` bytes, whatever it really has.
    #[must_use]
    pub fn with_length(self, length: usize) -> Self {
        Self { framing: Framing::Length(Some(length)), ..self }
    }

    /// Only the first `bytes` of the body are sent, then the connection is closed in good order: the promise of the head
    /// is broken. Over HTTP/2 the stream is reset.
    #[must_use]
    pub fn cut(self, bytes: usize) -> Self {
        Self { ending: Ending::Cut(bytes), ..self }
    }

    /// `bytes` of the body, then the connection is reset, and with it whatever the client's side had not taken yet. Over
    /// HTTP/2 the connection breaks off without a word.
    #[must_use]
    pub fn reset_after(self, bytes: usize) -> Self {
        Self { ending: Ending::Reset(bytes), ..self }
    }

    /// `bytes` of the body, then nothing: the connection stays until the client leaves or the server is dropped.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        Self { ending: Ending::Stall(bytes), ..self }
    }

    /// Nothing at all: the connection stays until the client leaves or the server is dropped.
    #[must_use]
    pub fn stall_before_head(self) -> Self {
        Self { opening: Opening::Stall, ..self }
    }

    /// The body comes in pieces of `bytes`, one `every` so often.
    ///
    /// # Panics
    /// If a piece has no bytes.
    #[must_use]
    pub fn drip(self, bytes: usize, every: Duration) -> Self {
        assert!(bytes > 0, "a piece has bytes");
        Self { drip: Some((bytes, every)), ..self }
    }

    /// The answer begins after `latency`.
    #[must_use]
    pub fn after(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// The connection stays open for a next request, if this answer has gone out whole and does not end with it.
    #[must_use]
    pub fn keep_alive(self) -> Self {
        Self { keeps_alive: true, ..self }
    }

    /// HTTP/2: GOAWAY after this answer, which is sent whole. Over HTTP/1.1 the connection is closed.
    #[must_use]
    pub fn then_go_away(self) -> Self {
        Self { goes_away: true, keeps_alive: false, ..self }
    }

    /// The body is compressed, and the head says so. What is not compressed and says that it is:
    /// `.header("Content-Encoding", "gzip")`.
    #[must_use]
    pub fn gzip(self) -> Self {
        let body = match &self.body {
            Body::Bytes(bytes) => Body::Bytes(compressed(bytes).into()),
            Body::Stream(source) => Body::Stream(Arc::new(Mutex::new(compressing(Arc::clone(source))))),
        };
        Self { body, ..self }.header("Content-Encoding", "gzip")
    }

    /// As [`Reply::gzip`], and of the compressed bytes only the first `bytes` are the body: HTTP is in order, the gzip
    /// stream is not.
    ///
    /// # Panics
    /// If the body is a stream.
    #[must_use]
    pub fn gzip_cut(self, bytes: usize) -> Self {
        let whole = self.gzip();
        let Body::Bytes(body) = &whole.body else { panic!("a stream has no known bytes") };
        let body = Body::Bytes(body[..bytes.min(body.len())].into());
        Self { body, ..whole }
    }
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing into memory does not fail");
    encoder.finish().expect("writing into memory does not fail")
}

fn compressing(source: Arc<Mutex<Source>>) -> impl FnMut() -> Option<Vec<u8>> + Send {
    let mut encoder = Some(GzEncoder::new(Vec::new(), Compression::fast()));
    move || loop {
        let Some(piece) = (*lock(&source))() else {
            return encoder
                .take()
                .map(|encoder| encoder.finish().expect("writing into memory does not fail"));
        };
        let open = encoder.as_mut()?;
        open.write_all(&piece).expect("writing into memory does not fail");
        // An empty chunk would end the body.
        if !open.get_ref().is_empty() {
            return Some(std::mem::take(open.get_mut()));
        }
    }
}

impl Reply {
    /// The length that the head states, if it states one.
    pub(crate) fn length(&self) -> Option<usize> {
        match (self.framing, &self.body) {
            (Framing::Length(Some(claimed)), _) => Some(claimed),
            (Framing::Length(None), Body::Bytes(bytes)) => Some(bytes.len()),
            _ => None,
        }
    }

    /// Whether the client can ask again on the same connection.
    pub(crate) fn leaves_open(&self) -> bool {
        let has_end = self.framing == Framing::Chunked || self.length().is_some();
        self.keeps_alive && has_end && self.ending == Ending::Whole
    }

    /// The body in pieces, up to where it is cut.
    pub(crate) fn pieces(&self) -> Pieces {
        let step = self.drip.map_or(PIECE_BYTES, |(bytes, _)| bytes);
        Pieces { body: self.body.clone(), at: 0, piece: Vec::new(), step, left: self.ending.limit() }
    }
}

/// The pieces in which a body is sent; none is empty.
pub(crate) struct Pieces {
    body: Body,
    /// Where we are in a body of bytes.
    at: usize,
    /// What is left of a stream's piece.
    piece: Vec<u8>,
    step: usize,
    /// How much may still be sent.
    left: usize,
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let step = self.step.min(self.left);
        if step == 0 {
            return None;
        }
        let piece = match &self.body {
            Body::Bytes(bytes) => {
                let rest = &bytes[self.at..];
                self.at += step.min(rest.len());
                rest[..step.min(rest.len())].to_vec()
            }
            Body::Stream(source) => {
                while self.piece.is_empty() {
                    self.piece = (*lock(source))()?;
                }
                let rest = self.piece.split_off(step.min(self.piece.len()));
                std::mem::replace(&mut self.piece, rest)
            }
        };
        self.left -= piece.len();
        (!piece.is_empty()).then_some(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn sent(reply: &Reply) -> Vec<u8> {
        reply.pieces().flatten().collect()
    }

    fn counting(pieces: u8) -> impl FnMut() -> Option<Vec<u8>> + Send {
        let mut count = 0;
        move || {
            count += 1;
            (count <= pieces).then(|| vec![count; 100])
        }
    }

    #[test]
    fn bodies_are_sent_whole_or_up_to_the_cut() {
        let body: Vec<u8> = (0..200_000_u32).map(|at| at as u8).collect();
        assert_eq!(sent(&Reply::csv(&body)), body);
        assert_eq!(sent(&Reply::csv(&body).reset_after(70_001)), body[..70_001]);
        let drops: Vec<_> = Reply::csv(&body[..7]).drip(3, Duration::ZERO).pieces().collect();
        assert_eq!(drops.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        let stream = Reply::stream(200, "text/csv", counting(3)).cut(150);
        assert_eq!(sent(&stream), [[1; 100].as_slice(), &[2; 50]].concat());
    }

    #[test]
    fn gzip_unpacks_to_the_body_however_it_is_made() {
        let unpacked = |reply: &Reply| {
            let mut body = Vec::new();
            GzDecoder::new(sent(reply).as_slice()).read_to_end(&mut body).map(|_| body)
        };
        let body = b"theTime,MJD,euvalue,sqldataType\r\n".repeat(100);
        assert_eq!(unpacked(&Reply::csv(&body).gzip()).unwrap(), body);
        let stream = Reply::stream(200, "text/csv", counting(9)).gzip();
        assert_eq!(unpacked(&stream).unwrap().len(), 900);
        let cut = Reply::csv(&body).gzip_cut(20);
        assert_eq!((cut.length(), sent(&cut).len()), (Some(20), 20));
        assert!(unpacked(&cut).is_err() && unpacked(&Reply::csv(&body)).is_err());
    }

    #[test]
    fn a_bomb_is_small_and_unpacks_to_well_formed_csv() {
        let bomb = Reply::gzip_bomb(5);
        assert!(bomb.length().unwrap() < 50_000);
        let mut body = String::new();
        GzDecoder::new(sent(&bomb).as_slice()).read_to_string(&mut body).unwrap();
        assert!(body.len() > 5_000_000);
        assert_eq!(edb_wire::decode(body.as_bytes()).unwrap().samples.len(), 5 * 15_625);
    }
}
