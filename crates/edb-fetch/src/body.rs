//! The body of an answer, as it arrives.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use edb_core::{Error, ErrorKind, Result, format_duration};
use edb_wire::Decoder;
use futures_util::{Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::client::Client;
use crate::flow::Place;
use crate::trouble::{Class, Trouble};

/// How many bytes are decoded at a time: enough that handing them over costs nothing beside decoding them.
const BATCH_BYTES: usize = 256 << 10;

/// A body that is arriving. It holds its place in the flow until it is dropped.
pub(crate) struct Body<'a> {
    client: &'a Client,
    chunks: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    _place: Place<'a>,
    stops: watch::Receiver<u64>,
    /// Bytes so far.
    pub(crate) bytes: u64,
    /// Time spent waiting for the network since the speed was last looked at, and what came in it.
    waited: Duration,
    came: u64,
}

impl<'a> Body<'a> {
    pub(crate) fn new(client: &'a Client, response: reqwest::Response, place: Place<'a>) -> Self {
        Self {
            client,
            chunks: Box::pin(response.bytes_stream()),
            _place: place,
            stops: client.stops.subscribe(),
            bytes: 0,
            waited: Duration::ZERO,
            came: 0,
        }
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        let limits = &self.client.speed;
        let since = Instant::now();
        let chunk = tokio::select! {
            chunk = timeout(limits.idle_timeout, self.chunks.next()) => chunk,
            // The sender lives as long as the client.
            _ = self.stops.changed() => return Err(Trouble::stopped().after(self.bytes)),
        };
        let Ok(chunk) = chunk else {
            let silence = format_duration(limits.idle_timeout);
            return Err(Trouble::slow(format!(
                "the service fell silent for {silence} in the middle of its answer"
            ))
            .after(self.bytes));
        };
        let Some(chunk) = chunk else { return Ok(None) };
        let chunk = chunk.map_err(|error| Trouble::transport(&error).after(self.bytes))?;
        let size = chunk.len() as u64;
        self.bytes += size;
        self.came += size;
        self.waited += since.elapsed();
        if self.waited >= limits.low_speed_time {
            if (self.came as f64) < limits.low_speed_bytes_per_second as f64 * self.waited.as_secs_f64() {
                let (came, waited) = (self.came, format_duration(self.waited));
                return Err(
                    Trouble::slow(format!("the answer trickled: {came} bytes in {waited}")).after(self.bytes)
                );
            }
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
        self.client.counts.bytes.fetch_add(size, Ordering::Relaxed);
        self.client.flow.take(size).await;
        Ok(Some(chunk))
    }

    /// All of a body that has at most `most` bytes.
    pub(crate) async fn whole(mut self, most: usize) -> Result<Vec<u8>, Trouble> {
        let mut text = Vec::new();
        while let Some(chunk) = self.next().await? {
            text.extend_from_slice(&chunk);
            if text.len() > most {
                return Err(Trouble::of(Error::integrity(format!("the answer has more than {most} bytes"))));
            }
        }
        Ok(text)
    }
}

/// Decodes a body on the blocking pool, one batch while the next one arrives.
pub(crate) struct Decoding {
    decoder: Option<Decoder>,
    under_way: Option<JoinHandle<Result<Decoder>>>,
    batch: Vec<Bytes>,
    size: usize,
    /// Rows decoded so far, those of the batch under way not counted.
    pub(crate) rows: usize,
}

impl Decoding {
    pub(crate) fn new() -> Self {
        Self { decoder: Some(Decoder::new()), under_way: None, batch: Vec::new(), size: 0, rows: 0 }
    }

    /// Adds the next bytes of the body.
    pub(crate) async fn feed(&mut self, chunk: Bytes) -> Result<()> {
        self.size += chunk.len();
        self.batch.push(chunk);
        if self.size >= BATCH_BYTES { self.hand_over().await } else { Ok(()) }
    }

    async fn hand_over(&mut self) -> Result<()> {
        self.collect().await?;
        let Some(mut decoder) = self.decoder.take() else { return Err(defect()) };
        let batch = std::mem::take(&mut self.batch);
        self.size = 0;
        self.under_way = Some(tokio::task::spawn_blocking(move || {
            batch.iter().try_for_each(|chunk| decoder.feed(chunk))?;
            Ok(decoder)
        }));
        Ok(())
    }

    /// Waits for the batch under way.
    async fn collect(&mut self) -> Result<()> {
        if let Some(under_way) = self.under_way.take() {
            let decoder = under_way.await.map_err(|error| defect().caused_by(error))??;
            self.rows = decoder.rows();
            self.decoder = Some(decoder);
        }
        Ok(())
    }

    /// The decoder, having read all that was fed.
    pub(crate) async fn finish(mut self) -> Result<Decoder> {
        self.hand_over().await?;
        self.collect().await?;
        self.decoder.ok_or_else(defect)
    }
}

fn defect() -> Error {
    Error::new(ErrorKind::Unclassified, "the decoder was lost")
}

/// Runs what takes time or touches a disk where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => {
                Err(Error::new(ErrorKind::Interrupted, "the work was interrupted").caused_by(error))
            }
        },
    }
}

/// The same, for what decides about another try.
pub(crate) fn failed(error: Error) -> Trouble {
    match error.kind() {
        ErrorKind::Unclassified => Trouble::new(Class::Final, error),
        _ => Trouble::of(error),
    }
}
