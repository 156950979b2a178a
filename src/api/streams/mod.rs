//! Server-Sent Events (HTML Living Standard, section 9.2): what is appended to the log, as it is appended.
//!
//! An event's id is the record's place in the log, so a listener that comes back with `Last-Event-ID` goes on behind it, whatever happened
//! in between, here or there. A stream that is filtered by what names meant waits at a record whose names are not known yet: it is neither
//! passed over nor guessed. Who reads slowly is sent to slowly, and falls back on the log itself. `cards` and `participants` are streams of
//! something else than records, with places of their own.

mod cards;
mod hub;
mod participants;
mod reader;
mod ring;
mod seats;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
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
use hub::Event;
use reader::{Listening, Reader};
use ring::Found;

/// So many records are read from the log at a time, by whoever has fallen behind.
const LOG_TURN: u32 = 64;

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
    /// Of `participant.did`: this one only, by its handle or DID, or by an account that was linked or unlinked.
    participant: Option<String>,
}

/// What is appended to the log, as it is appended: `attestation.raw` (all of it), `attestation.system` (the platforms' own word),
/// `attestation.agent` (that of agents); the data of each event is what `/v1/attestations` shows of a record. And the cards of one `agent`:
/// `trust-cards` (the cards as they are, and again whenever they say something else), `trust-cards.history` (those after each game, or each
/// record that is of none). And `participant.did`, what happens to the DIDs of human participants: `created`, `linked`, `unlinked` and
/// `removed`, with the account and whoever ended the link; its events are numbered by themselves, so that `since_seq` is a place among them.
///
/// `no-such-stream` is a 404, and names those that there are. `too-many-listeners` is a 429 where one address has its share of open streams, and a 503 where there are no more. Whoever takes nothing
/// for a minute is cut off, and goes on with `Last-Event-ID`.
#[utoipa::path(
    get, path = "/v1/streams/{name}", tag = "attestations",
    params(
        ("name" = String, Path, description = "`attestation.raw`, `attestation.system`, `attestation.agent`, `trust-cards`, `trust-cards.history` or `participant.did`"),
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
    let client = Client::of(peer.map(|peer| peer.0.0.ip()));
    if query.participant.is_some() && name != participants::NAME {
        let detail = format!("the stream `{name}` is not of participants");
        return Err(ApiError::parameter("participant", detail));
    }
    if let Some(wanted) = cards::Wanted::of(&name) {
        return cards::stream(state, wanted, &query, last.or(since), client).await;
    }
    if query.projector.is_some() {
        let detail = format!("the stream `{name}` is not of cards");
        return Err(ApiError::parameter("projector", detail));
    }
    if name == participants::NAME {
        return participants::stream(state, &query, last.or(since), client).await;
    }
    let Some((_, class)) = NAMES.iter().find(|(known, _)| *known == name) else {
        let known =
            NAMES.iter().map(|(name, _)| *name).chain(cards::NAMES).chain([participants::NAME]);
        let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        let shown = super::shorten(&name);
        let kind = ("no-such-stream", "No such stream", StatusCode::NOT_FOUND);
        let detail = format!("there is no stream `{shown}`; there are {known}");
        return Err(ApiError::Refused { kind, detail, retry_after_s: None });
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
    let (hub, database) = (state.hub.clone(), state.database.clone());
    let reader = Reader {
        _seat: state.seats.take(client)?,
        listening: Records { hub, database, filter },
        changes: state.hub.changes(),
        after,
        has_said: false,
    };
    Ok(reader.respond())
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

/// Records, as they are listened to.
struct Records {
    hub: Hub,
    database: Database,
    filter: Filter,
}

impl Listening for Records {
    type Event = Event;

    fn held(&self, after: u64, limit: usize) -> Found<Event> {
        self.hub.events_after(after, limit)
    }

    async fn kept(&self, after: u64) -> Result<Vec<Arc<Event>>, ApiError> {
        // The database is not theirs alone: those who have fallen behind wait for each other, and for nobody else.
        let _turn = self.hub.turn().await;
        let mut tx = self.database.begin_read().await?;
        let standing = standing(&mut tx).await?;
        let records = tx.records_after(RecordsBy::Seq, after, LOG_TURN).await?;
        let events = hub::events(&mut tx, records, &standing).await?;
        Ok(events.into_iter().map(Arc::new).collect())
    }

    fn wants(&self, event: &Event) -> Wanted {
        self.filter.wants(&event.record, |role| event.party(role))
    }
}
