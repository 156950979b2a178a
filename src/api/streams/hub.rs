//! The newest records, held once for all who listen.
//!
//! One task reads the log when something was appended, writes each record as an event once, and keeps the newest in memory; a thousand
//! listeners share those bytes. Whoever falls behind them reads the log itself, at its own pace, so that nobody waits for anybody and
//! nothing is left out. A record whose names are not looked up yet is held with them open, and written anew when they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::participants::Participants;
use super::ring::{Found, Ring, Told};
use crate::api::attestations::{Standing, answers, standing};
use crate::api::error::ApiError;
use crate::did::web::WebHost;
use crate::rekey::Role;
use crate::storage::{Database, Party, PartyState, StoredRecord, Tx};

/// So many records are read at a time.
const READ_MAX: u32 = 500;
/// So many of the newest records are read when listening begins.
const PRELOADED: u64 = 2_000;
/// How often the log is looked at. What comes in between goes out together.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long to leave a database alone that fails.
const PAUSE: Duration = Duration::from_secs(1);

/// A record as it is told to listeners.
pub(super) struct Event {
    pub(super) record: StoredRecord,
    parties: [Option<Party>; 2],
    frame: Bytes,
}

impl Told for Event {
    fn seq(&self) -> u64 {
        self.record.seq
    }

    fn frame(&self) -> &Bytes {
        &self.frame
    }
}

impl Event {
    /// Whom a name of it meant.
    pub(super) const fn party(&self, role: Role) -> Option<&Party> {
        let [issuer, subject] = &self.parties;
        match role {
            Role::Issuer => issuer.as_ref(),
            Role::Subject => subject.as_ref(),
            Role::Author | Role::Named => None,
        }
    }

    fn is_open(&self) -> bool {
        self.parties.iter().flatten().any(|party| party.state == PartyState::Open)
    }
}

/// The newest events, and word of what is new.
#[derive(Clone)]
pub(in crate::api) struct Hub(Arc<Inner>);

struct Inner {
    database: Database,
    held: RwLock<Held>,
    /// How often something changed; [`u64::MAX`] once nothing will any more.
    changes: watch::Sender<u64>,
    participants: Participants,
    /// The one of those who have fallen behind that asks the database.
    behind: Semaphore,
    /// The one whose cards are computed.
    cards: Semaphore,
}

#[derive(Default)]
struct Held {
    events: Ring<Event>,
    /// Those whose names are not looked up yet.
    open: BTreeSet<u64>,
}

impl Hub {
    pub(in crate::api) fn new(database: Database) -> Self {
        let (changes, _) = watch::channel(0);
        let (behind, cards) = (Semaphore::new(1), Semaphore::new(1));
        let (held, participants) = (RwLock::default(), Participants::new());
        Self(Arc::new(Inner { database, held, changes, participants, behind, cards }))
    }

    /// What happens to participants.
    pub(super) fn participants(&self) -> &Participants {
        &self.0.participants
    }

    /// The turn of one who has fallen behind.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Closed never: nobody closes it.
        self.0.behind.acquire().await.ok()
    }

    /// The turn of one whose cards are computed.
    pub(super) async fn card_turn(&self) -> Option<SemaphorePermit<'_>> {
        self.0.cards.acquire().await.ok()
    }

    /// Tells of changes; the value is [`u64::MAX`] once listening is over.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Ends all streams.
    pub(in crate::api) fn close(&self) {
        self.0.changes.send_replace(u64::MAX);
        self.0.participants.close();
    }

    /// At most so many events behind a place.
    pub(super) fn events_after(&self, after: u64, limit: usize) -> Found<Event> {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        held.events.after(after, limit)
    }

    /// Reads the log as it grows, for ever. Participants have their DIDs at `host`.
    pub(in crate::api) async fn keep(&self, host: &WebHost) {
        let mut is_begun = false;
        loop {
            let pause = match self.look(&mut is_begun, host).await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, "streams wait for the database");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn look(&self, is_begun: &mut bool, host: &WebHost) -> Result<(), ApiError> {
        let mut tx = self.0.database.begin_read().await?;
        if !*is_begun {
            // Who comes back after a restart is seldom far behind.
            let size = tx.log_size().await?;
            self.write(|held| held.events.begin_after(size.saturating_sub(PRELOADED)));
            self.0.participants.begin(&mut tx).await?;
            *is_begun = true;
        }
        self.0.participants.look(&mut tx, host).await?;
        let standing = standing(&mut tx).await?;
        loop {
            let last = self.write(|held| held.events.last());
            let read = tx.records_after(crate::storage::RecordsBy::Seq, last, READ_MAX).await?;
            if read.is_empty() {
                break;
            }
            let events = events(&mut tx, read, &standing).await?;
            self.write(|held| held.extend(events));
            self.tell();
        }
        self.look_at_open(&mut tx, &standing).await
    }

    /// Writes anew what is held with open names that were looked up since.
    async fn look_at_open(&self, tx: &mut Tx, standing: &Standing) -> Result<(), ApiError> {
        let open: Vec<StoredRecord> = self.write(|held| {
            let event = |seq: &u64| held.events.at(*seq).map(|event| event.record.clone());
            held.open.iter().take(READ_MAX as usize).filter_map(event).collect()
        });
        if open.is_empty() {
            return Ok(());
        }
        let mut settled = events(tx, open, standing).await?;
        settled.retain(|event| !event.is_open());
        if !settled.is_empty() {
            self.write(|held| held.replace(settled));
            self.tell();
        }
        Ok(())
    }

    fn tell(&self) {
        self.0.changes.send_modify(|count| *count = count.saturating_add(1).min(u64::MAX - 1));
    }

    fn write<T>(&self, change: impl FnOnce(&mut Held) -> T) -> T {
        change(&mut self.0.held.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Held {
    fn extend(&mut self, events: Vec<Event>) {
        for event in events {
            if event.is_open() {
                self.open.insert(event.record.seq);
            }
            self.events.push(event);
        }
        let after = self.events.trim();
        self.open.retain(|seq| *seq > after);
    }

    fn replace(&mut self, events: Vec<Event>) {
        for event in events {
            self.open.remove(&event.record.seq);
            self.events.replace(event);
        }
    }
}

/// Records as events.
pub(super) async fn events(
    tx: &mut Tx,
    records: Vec<StoredRecord>,
    standing: &Standing,
) -> Result<Vec<Event>, ApiError> {
    let mut parties: BTreeMap<(u64, Role), Party> = tx.parties_of(&records).await?;
    let answers = answers(tx, &records, standing).await?;
    let mut events = Vec::with_capacity(records.len());
    for (record, answer) in records.into_iter().zip(answers) {
        let json = serde_json::to_string(&answer);
        let json =
            json.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))?;
        // JSON of one line: what is in texts is escaped.
        let frame =
            Bytes::from(format!("id: {}\nevent: attestation\ndata: {json}\n\n", record.seq));
        let parties = Role::OF_ATTESTATION.map(|role| parties.remove(&(record.seq, role)));
        events.push(Event { record, parties, frame });
    }
    Ok(events)
}
