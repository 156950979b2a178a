//! The stream `participant.did`: what happened to the DIDs of human participants, as it happens.
//!
//! Its events have numbers of their own, without gaps, so that a listener goes on behind the last that it has. Characters, and the wallets
//! that proved themselves, are this service's own record and never taken back. What the chain says of agents and their DIDs may be: it is
//! not told here, and neither is what the log says of names, which `attestation.raw` tells.

use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::watch;

use super::StreamQuery;
use super::reader::{Listening, Reader};
use super::ring::{Found, Ring, Told};
use crate::api::attestations::Wanted;
use crate::api::error::ApiError;
use crate::api::guard::Client;
use crate::api::router::Shared;
use crate::did::Did;
use crate::did::web::{Local, WebDid, WebHost};
use crate::storage::{ParticipantChange, ParticipantEvent, Tx};
use crate::vocab::{AccountId, Handle, UnixSeconds};

/// The name of the stream.
pub(super) const NAME: &str = "participant.did";
/// So many of the newest changes are read when listening begins.
const PRELOADED: u64 = 1_000;
/// So many are read at a time.
const READ_MAX: u32 = 500;

/// A change as it is told.
pub(super) struct Event {
    number: u64,
    handle: String,
    account: Option<AccountId>,
    frame: Bytes,
}

impl Told for Event {
    fn seq(&self) -> u64 {
        self.number
    }

    fn frame(&self) -> &Bytes {
        &self.frame
    }
}

/// The data of an event.
#[derive(Serialize)]
struct Shown<'a> {
    number: u64,
    event: &'static str,
    did: String,
    character: &'a str,
    /// The number of the change in the character's own record, with which the id of a version of its document begins.
    change: u64,
    time: UnixSeconds,
    /// Which wallet was linked or unlinked.
    account: Option<String>,
    /// By whom it was unlinked: `character`, `wallet` or `removal`.
    ended_by: Option<&'static str>,
}

/// The newest changes, and word of what is new.
pub(super) struct Participants {
    held: RwLock<Ring<Event>>,
    changes: watch::Sender<u64>,
}

impl Participants {
    pub(super) fn new() -> Self {
        Self { held: RwLock::default(), changes: watch::channel(0).0 }
    }

    /// Ends all streams.
    pub(super) fn close(&self) {
        self.changes.send_replace(u64::MAX);
    }

    /// Begins to hold what is newest.
    pub(super) async fn begin(&self, tx: &mut Tx) -> Result<(), ApiError> {
        let count = tx.participant_changes().await?;
        self.write(|held| held.begin_after(count.saturating_sub(PRELOADED)));
        Ok(())
    }

    /// Reads what happened since the last look.
    pub(super) async fn look(&self, tx: &mut Tx, host: &WebHost) -> Result<(), ApiError> {
        loop {
            let last = self.write(|held| held.last());
            let read = tx.participant_changes_after(last, READ_MAX).await?;
            if read.is_empty() {
                return Ok(());
            }
            let events = read.into_iter().map(|change| event(change, host));
            let events = events.collect::<Result<Vec<_>, _>>()?;
            self.write(|held| {
                for event in events {
                    held.push(event);
                }
                held.trim();
            });
            self.changes.send_modify(|count| *count = count.saturating_add(1).min(u64::MAX - 1));
        }
    }

    fn write<T>(&self, change: impl FnOnce(&mut Ring<Event>) -> T) -> T {
        change(&mut self.held.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A change as an event.
fn event(change: ParticipantChange, host: &WebHost) -> Result<Event, ApiError> {
    let ParticipantChange { number, handle, change, event } = change;
    let (word, account, ended_by) = match event {
        ParticipantEvent::Created => ("created", None, None),
        ParticipantEvent::Linked(account) => ("linked", Some(account), None),
        ParticipantEvent::Unlinked(account, by) => ("unlinked", Some(account), Some(by.as_str())),
        ParticipantEvent::Removed => ("removed", None, None),
    };
    let shown = Shown {
        number,
        event: word,
        did: Local::Character(handle.to_string()).did(host),
        character: handle.as_str(),
        change: change.number,
        time: change.time,
        account: account.map(|account| account.to_string()),
        ended_by,
    };
    let json = serde_json::to_string(&shown);
    let json = json.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))?;
    let frame = format!("id: {number}\nevent: {NAME}\ndata: {json}\n\n").into();
    Ok(Event { number, handle: handle.folded(), account, frame })
}

/// Whose changes are wanted.
enum Whose {
    All,
    /// Those of a character, by its handle in lower case.
    Character(String),
    /// Links of an account.
    Account(AccountId),
}

impl Whose {
    /// Understands `participant`: a handle, a character's DID, or an account.
    async fn read(state: &Shared, text: Option<&str>) -> Result<Self, ApiError> {
        let Some(text) = text else { return Ok(Self::All) };
        let wrong = |detail| ApiError::parameter("participant", detail);
        let host = &state.documents.host;
        if text.starts_with("did:web:") {
            let web = Did::parse(text).and_then(|did| WebDid::parse(&did));
            let web = web.map_err(|error| wrong(error.to_string()))?;
            let local = Local::of(&web).filter(|_| web.host == *host);
            let Some(Local::Character(handle)) = local else {
                return Err(wrong(format!(
                    "participants have DIDs of this service here: did:web:{host}:character:…"
                )));
            };
            return Self::read_handle(&handle);
        }
        if text.contains(':') || text.starts_with("0x") || text.starts_with("0X") {
            let account = crate::api::characters::read_account(state, text).await?;
            return account.map(Self::Account).map_err(wrong);
        }
        Self::read_handle(text)
    }

    fn read_handle(text: &str) -> Result<Self, ApiError> {
        let handle = Handle::parse(text);
        let handle =
            handle.map_err(|error| ApiError::parameter("participant", error.to_string()))?;
        Ok(Self::Character(handle.folded()))
    }
}

/// What one listens to.
struct Changes {
    state: Shared,
    whose: Whose,
}

impl Listening for Changes {
    type Event = Event;

    fn held(&self, after: u64, limit: usize) -> Found<Event> {
        let held = self.state.hub.participants().held.read();
        held.unwrap_or_else(PoisonError::into_inner).after(after, limit)
    }

    async fn kept(&self, after: u64) -> Result<Vec<Arc<Event>>, ApiError> {
        let _turn = self.state.hub.turn().await;
        let mut tx = self.state.database.begin_read().await?;
        let read = tx.participant_changes_after(after, READ_MAX).await?;
        let host = &self.state.documents.host;
        read.into_iter().map(|change| event(change, host).map(Arc::new)).collect()
    }

    fn wants(&self, event: &Event) -> Wanted {
        let wants = match &self.whose {
            Whose::All => true,
            Whose::Character(handle) => event.handle == *handle,
            Whose::Account(account) => event.account == Some(*account),
        };
        if wants { Wanted::Yes } else { Wanted::No }
    }
}

/// Begins to tell of what happens to participants.
pub(super) async fn stream(
    state: Shared,
    query: &StreamQuery,
    after: Option<u64>,
    client: Client,
) -> Result<Response, ApiError> {
    query.filter.nothing_of_records(NAME)?;
    let whose = Whose::read(&state, query.participant.as_deref()).await?;
    let size = state.database.begin_read().await?.participant_changes().await?;
    let after = after.unwrap_or(size);
    super::check_place(after, size)?;
    let reader = Reader {
        _seat: state.seats.take(client)?,
        changes: state.hub.participants().changes.subscribe(),
        listening: Changes { state, whose },
        after,
        has_said: false,
    };
    Ok(reader.respond())
}
