//! One listener: what goes out to it, one piece after the other, at its own pace.
//!
//! It takes what the hub holds, and reads the log itself where it has fallen behind that; so nobody waits for anybody, and nothing is left
//! out or told twice. What is told, and which of it is wanted, says [`Listening`].

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use super::ring::{Found, Told};
use super::seats::Seat;
use crate::api::attestations::Wanted;
use crate::api::error::ApiError;

/// How often a stream that has nothing to tell says so.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
pub(super) const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");
/// So many events are looked at before the reader is asked whether it takes more.
const TURN: usize = 256;
/// About how many bytes go out at a time.
const CHUNK: usize = 64 * 1024;
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What is listened to.
pub(super) trait Listening: Send + 'static {
    /// What is told.
    type Event: Told;

    /// At most so many events behind a place, as they are held.
    fn held(&self, after: u64, limit: usize) -> Found<Self::Event>;

    /// Some events behind a place, from where they are kept.
    fn kept(
        &self,
        after: u64,
    ) -> impl Future<Output = Result<Vec<Arc<Self::Event>>, ApiError>> + Send;

    /// Whether an event is wanted.
    fn wants(&self, event: &Self::Event) -> Wanted;
}

/// One listener, and how far it is.
pub(super) struct Reader<L> {
    pub(super) _seat: Seat,
    pub(super) listening: L,
    /// Tells of changes; the value is [`u64::MAX`] once listening is over.
    pub(super) changes: watch::Receiver<u64>,
    pub(super) after: u64,
    /// Whether anything was sent: the first bytes tell the client that it is connected.
    pub(super) has_said: bool,
}

/// A stream of events over HTTP.
pub(super) fn response(
    frames: impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Response {
    let headers = [(header::CONTENT_TYPE, EVENT_STREAM), (header::CACHE_CONTROL, NO_STORE)];
    (headers, Body::from_stream(frames)).into_response()
}

impl<L: Listening> Reader<L> {
    /// All that it is told.
    pub(super) fn respond(self) -> Response {
        response(futures_util::stream::unfold(self, Self::next))
    }

    /// What goes out next; `None` where listening is over.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if !self.has_said {
            self.has_said = true;
            return Some((Ok(ALIVE), self));
        }
        loop {
            if *self.changes.borrow_and_update() == u64::MAX {
                return None;
            }
            let found = match self.listening.held(self.after, TURN) {
                Found::Events(events) => events,
                Found::Behind => match self.listening.kept(self.after).await {
                    Ok(events) => events,
                    Err(error) => {
                        // The client comes back, and goes on where it was.
                        tracing::warn!(%error, "a stream ends early");
                        return None;
                    }
                },
            };
            let was = self.after;
            let chunk = self.take(&found);
            if !chunk.is_empty() {
                return Some((Ok(chunk), self));
            }
            if self.after > was {
                tokio::task::yield_now().await;
                continue;
            }
            if tokio::time::timeout(KEEP_ALIVE, self.changes.changed()).await.is_err() {
                return Some((Ok(ALIVE), self));
            }
        }
    }

    /// The events that are wanted, as they go out; moves on behind the last that was looked at.
    fn take(&mut self, events: &[Arc<L::Event>]) -> Bytes {
        let mut wanted: Vec<&Bytes> = Vec::new();
        let mut size = 0;
        for event in events {
            match self.listening.wants(event) {
                Wanted::No => {}
                // It is looked at again when its names are known.
                Wanted::NotYet => break,
                Wanted::Yes => {
                    wanted.push(event.frame());
                    size += event.frame().len();
                }
            }
            self.after = event.seq();
            if size > CHUNK {
                break;
            }
        }
        match wanted.as_slice() {
            [] => Bytes::new(),
            [one] => Bytes::clone(one),
            several => {
                let mut chunk = Vec::with_capacity(size);
                for frame in several {
                    chunk.extend_from_slice(frame);
                }
                chunk.into()
            }
        }
    }
}
