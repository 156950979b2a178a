//! Server-Sent Events (HTML Living Standard, section 9.2): what is appended to the log, as it is appended.
//!
//! An event's id is the record's place in the log, so a listener that comes back with `Last-Event-ID` goes on behind it, whatever happened
//! in between, here or there. A stream that is filtered by what names meant waits at a record whose names are not known yet: it is neither
//! passed over nor guessed. Who reads slowly is sent to slowly, and falls back on the log itself.

mod cards;
mod hub;
mod seats;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

pub(super) use hub::Hub;
pub(super) use seats::Seats;

use super::attestations::{Filter, FilterQuery, Wanted, parse_seq, standing};
use super::error::{ApiError, Problems};
use super::extract::{Params, PathText};
use super::guard::Client;
use super::router::Shared;
use crate::attest::class::IssuerClass;
use crate::storage::{Database, RecordsBy};
use hub::{Event, Found};
use seats::Seat;

/// How often a stream that has nothing to tell says so.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// So many records are looked at before the reader is asked whether it takes more.
const TURN: usize = 256;
/// So many of them are read from the log at a time.
const LOG_TURN: u32 = 64;
/// About how many bytes go out at a time.
const CHUNK: usize = 64 * 1024;
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const ALIVE: Bytes = Bytes::from_static(b": alive\n\n");

/// The streams of the log.
const NAMES: [(&str, Option<IssuerClass>); 3] = [
    ("attestation.raw", None),
    ("attestation.system", Some(IssuerClass::System)),
    ("attestation.agent", Some(IssuerClass::Agent)),
];

/// Which records, and behind which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamQuery {
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterQuery,
    /// Behind this place of the log; `Last-Event-ID` goes before it. With neither, what comes from now on.
    #[param(value_type = Option<u64>)]
    since_seq: Option<String>,
    /// Of `trust-cards` and `trust-cards.history`: by this projector only.
    projector: Option<String>,
}

/// What is appended to the log, as it is appended: `attestation.raw` (all of it), `attestation.system` (the platforms' own word),
/// `attestation.agent` (that of agents); the data of each event is what `/v1/attestations` shows of a record. And the cards of one `agent`:
/// `trust-cards` (the cards as they are, and again whenever they say something else), `trust-cards.history` (those after each game, or each
/// record that is of none).
///
/// `too-many-listeners` is a 429 where one address has its share of open streams, and a 503 where there are no more. Whoever takes nothing
/// for a minute is cut off, and goes on with `Last-Event-ID`.
#[utoipa::path(
    get, path = "/v1/streams/{name}", tag = "attestations",
    params(
        ("name" = String, Path, description = "`attestation.raw`, `attestation.system`, `attestation.agent`, `trust-cards` or `trust-cards.history`"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that was received"),
        FilterQuery, StreamQuery
    ),
    responses((status = 200, description = "Events", content_type = "text/event-stream", body = String), Problems)
)]
pub(super) async fn stream(
    State(state): State<Shared>,
    PathText(name): PathText,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Params(query): Params<StreamQuery>,
) -> Result<Response, ApiError> {
    let last = last_event(&headers)?;
    let since = query.since_seq.as_deref().map(|text| parse_seq("since_seq", text)).transpose()?;
    if let Some(wanted) = cards::Wanted::of(&name) {
        let client = Client::of(peer.map(|peer| peer.0.0.ip()));
        return cards::stream(state, wanted, &query, last.or(since), client).await;
    }
    if query.projector.is_some() {
        let detail = format!("the stream `{name}` is not of cards");
        return Err(ApiError::parameter("projector", detail));
    }
    let Some((_, class)) = NAMES.iter().find(|(known, _)| *known == name) else {
        let known = NAMES.iter().map(|(name, _)| *name).chain(cards::NAMES);
        let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        let shown = super::shorten(&name);
        return Err(ApiError::NoSuchRecord(format!(
            "there is no stream `{shown}`; there are {known}"
        )));
    };
    let mut tx = state.database.begin_read().await?;
    let registry = standing(&mut tx).await?.registry;
    let mut filter = Filter::read(&mut tx, &query.filter, registry).await?;
    if let Some(class) = class {
        if filter.excludes(*class) {
            let detail =
                format!("the stream `{name}` has no other issuers than `{}`", class.as_str());
            return Err(ApiError::parameter("issuer_kind", detail));
        }
        filter = filter.of_class(*class);
    }
    let size = tx.log_size().await?;
    drop(tx);
    let after = last.or(since).unwrap_or(size);
    check_place(after, size)?;
    let seat = state.seats.take(Client::of(peer.map(|peer| peer.0.0.ip())))?;
    let reader = Reader {
        _seat: seat,
        hub: state.hub.clone(),
        database: state.database.clone(),
        changes: state.hub.changes(),
        filter,
        after,
        has_said: false,
    };
    let body = Body::from_stream(futures_util::stream::unfold(reader, Reader::next));
    let headers = [(header::CONTENT_TYPE, EVENT_STREAM), (header::CACHE_CONTROL, NO_STORE)];
    Ok((headers, body).into_response())
}

/// Whether a place is one of the log: a log that was put back would tell other records under the same places.
fn check_place(after: u64, size: u64) -> Result<(), ApiError> {
    if after <= size {
        return Ok(());
    }
    let kind = ("no-such-place", "No such place", StatusCode::CONFLICT);
    let detail =
        format!("the log has {size} records, and not {after}; if it was put back, begin anew");
    Err(ApiError::Refused { kind, detail, retry_after_s: None })
}

/// The place of the last event that a listener has.
fn last_event(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(text) = headers.get("last-event-id").map(HeaderValue::to_str) else { return Ok(None) };
    let place = text.ok().and_then(|text| crate::vocab::canonical_u64(text.trim()));
    let wrong = || ApiError::parameter("Last-Event-ID", "it is no place of the log: a number");
    place.ok_or_else(wrong).map(Some)
}

/// One listener, and how far it is.
struct Reader {
    _seat: Seat,
    hub: Hub,
    database: Database,
    changes: watch::Receiver<u64>,
    filter: Filter,
    after: u64,
    /// Whether anything was sent: the first bytes tell the client that it is connected.
    has_said: bool,
}

impl Reader {
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
            let found = match self.hub.events_after(self.after, TURN) {
                Found::Events(events) => events,
                Found::Behind => match self.read_log().await {
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
    fn take(&mut self, events: &[Arc<Event>]) -> Bytes {
        let mut wanted: Vec<&Bytes> = Vec::new();
        let mut size = 0;
        for event in events {
            match self.filter.wants(&event.record, |role| event.party(role)) {
                Wanted::No => {}
                // It is looked at again when its names are known.
                Wanted::NotYet => break,
                Wanted::Yes => {
                    wanted.push(&event.frame);
                    size += event.frame.len();
                }
            }
            self.after = event.record.seq;
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

    /// Events from the log, for whoever has fallen behind.
    async fn read_log(&self) -> Result<Vec<Arc<Event>>, ApiError> {
        // The database is not theirs alone: those who have fallen behind wait for each other, and for nobody else.
        let _turn = self.hub.turn().await;
        let mut tx = self.database.begin_read().await?;
        let standing = standing(&mut tx).await?;
        let limit = LOG_TURN;
        let records = tx.records_after(RecordsBy::Seq, self.after, limit).await?;
        let events = hub::events(&mut tx, records, &standing).await?;
        Ok(events.into_iter().map(Arc::new).collect())
    }
}
