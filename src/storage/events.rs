//! The logs of the registries, as they came.
//!
//! What is stored is the log itself; its name, agent and thread stand beside it to be found by. Readers decode again.

use alloy::primitives::{B256, Bytes};
use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, agent_text, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{AgentId, BlockRef, Position, RawLog, RegistryKind, UnixSeconds};

const EVENT_INSERT: &str = "
    INSERT INTO registry_event (block, log_index, registry, name, agent, thread, tx_hash, topics, data)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

static EVENTS_INSERT: Bulk = Bulk::new(EVENT_INSERT);

/// Events with their block and contract; the rest of the statement follows.
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT e.block, e.log_index, e.registry, e.tx_hash, e.topics, e.data,
                    b.hash, b.time, r.address
             FROM registry_event e
             JOIN block b ON b.number = e.block
             JOIN registry r ON r.kind = e.registry ",
            $rest
        )
    };
}

const EVENTS_IN: &str =
    select_events!("WHERE e.block >= $1 AND e.block <= $2 ORDER BY e.block, e.log_index");
const NEXT_NAME_OF_AGENT: &str = "
    SELECT name FROM registry_event WHERE agent = $1 AND name > $2 ORDER BY name LIMIT 1";
const EVENTS_OF_AGENT_NAMED: &str = select_events!(
    "WHERE e.agent = $1 AND e.name = $2 AND (e.block, e.log_index) > ($3, $4) AND e.block <= $5
     ORDER BY e.block, e.log_index LIMIT $6"
);
const NEWEST_FEEDBACK: &str = select_events!(
    "WHERE e.agent = $1 AND e.name = 'NewFeedback' AND e.block <= $2
     ORDER BY e.block DESC, e.log_index DESC LIMIT $3"
);
const FIRST_OF_THREAD: &str = select_events!(
    "WHERE e.thread = $1 AND e.name = $2 AND e.name <> 'NewFeedback' AND e.block <= $3
     ORDER BY e.block, e.log_index LIMIT $4"
);
const NEWEST_OF_THREAD: &str = select_events!(
    "WHERE e.thread = $1 AND e.name = $2 AND e.name <> 'NewFeedback' AND e.block <= $3
     ORDER BY e.block DESC, e.log_index DESC LIMIT $4"
);
const EVENTS_UNDECODED: &str = select_events!(
    "WHERE e.registry = $1 AND e.name IS NULL ORDER BY e.block DESC, e.log_index DESC LIMIT $2"
);
const UNDECODED_COUNT: &str =
    "SELECT COUNT(*) FROM registry_event WHERE registry = $1 AND name IS NULL";
const NEXT_EVENT_BLOCK: &str = "
    SELECT block FROM registry_event WHERE block > $1 ORDER BY block LIMIT 1 OFFSET $2";

/// A log to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLog<'a> {
    /// As the chain handed it over.
    pub log: &'a RawLog,
    /// Whose it is.
    pub registry: RegistryKind,
    /// The event's name; `None` for a log that cannot be decoded.
    pub name: Option<&'static str>,
    /// The agent it is about.
    pub agent: Option<AgentId>,
    /// What it shares with those that follow on it.
    pub thread: Option<Bytes>,
}

/// A log that was stored, with the time of its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Whose it is.
    pub registry: RegistryKind,
    /// As the chain handed it over.
    pub log: RawLog,
    /// When its block was made.
    pub time: UnixSeconds,
}

/// Where a page of an agent's events begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsAfter {
    /// The last position of the page before; `None` for the first page.
    pub after: Option<Position>,
    /// Up to the end of this block.
    pub through_block: u64,
    /// At most so many.
    pub limit: u32,
}

#[derive(FromRow)]
struct EventRow {
    block: i64,
    log_index: i64,
    registry: String,
    tx_hash: Vec<u8>,
    topics: Vec<u8>,
    data: Vec<u8>,
    hash: Vec<u8>,
    time: i64,
    address: Vec<u8>,
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = StorageError;

    fn try_from(row: EventRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "registry_event", column, row: &row.block };
        let block = |column| Cell { table: "block", column, row: &row.block };
        let registry = Cell { table: "registry", column: "address", row: &row.registry };
        let at = cell("log_index").position(row.block, row.log_index)?;
        let time = block("time").time(row.time)?;
        if !row.topics.len().is_multiple_of(32) {
            return Err(cell("topics").wrong());
        }
        Ok(Self {
            registry: RegistryKind::from_word(&row.registry)
                .ok_or_else(|| cell("registry").wrong())?,
            log: RawLog {
                address: registry.address(&row.address)?,
                topics: row.topics.chunks_exact(32).map(B256::from_slice).collect(),
                data: row.data.into(),
                block: BlockRef { number: at.block_number, hash: block("hash").hash(&row.hash)? },
                block_time: Some(time),
                tx_hash: cell("tx_hash").hash(&row.tx_hash)?,
                log_index: at.log_index,
            },
            time,
        })
    }
}

fn events(rows: Vec<EventRow>) -> Result<Vec<StoredEvent>, StorageError> {
    rows.into_iter().map(StoredEvent::try_from).collect()
}

impl Tx {
    /// Keeps logs. Their blocks must be held.
    pub async fn insert_events(&mut self, events: &[StoredLog<'_>]) -> Result<(), StorageError> {
        let block = |event: &StoredLog<'_>| signed("block number", event.log.block.number);
        let blocks: Vec<i64> = events.iter().map(block).collect::<Result<_, _>>()?;
        let rows = events.iter().zip(blocks).map(|(event, block)| {
            let topics: Vec<u8> = event.log.topics.iter().flatten().copied().collect();
            [
                Bound::number(block),
                Bound::number(i64::from(event.log.log_index)),
                Bound::text(event.registry.as_str()),
                Bound::Text(event.name.map(Into::into)),
                Bound::Text(event.agent.map(|agent| agent_text(agent).into())),
                Bound::Bytes(event.thread.as_ref().map(|thread| thread.as_ref().into())),
                Bound::bytes(event.log.tx_hash.as_slice()),
                Bound::bytes(topics),
                Bound::bytes(event.log.data.as_ref()),
            ]
        });
        EVENTS_INSERT.write(self, rows).await.map(drop)
    }

    /// All logs of the blocks from `first` to `last`, ascending.
    pub async fn events_in(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        let (first, last) = (signed("block number", first)?, signed("block number", last)?);
        events(on_engine!(self, conn => sqlx::query_as(EVENTS_IN)
            .bind(first).bind(last).fetch_all(conn).await)?)
    }

    /// The block of the event that is `skip` places after the first one above `block_number`; `None` where there are fewer.
    pub async fn event_block_after(
        &mut self,
        block_number: Option<u64>,
        skip: u32,
    ) -> Result<Option<u64>, StorageError> {
        let after = block_number.map_or(Ok(-1), |number| signed("block number", number))?;
        let found: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(NEXT_EVENT_BLOCK)
            .bind(after).bind(i64::from(skip)).fetch_optional(conn).await)?;
        found
            .map(|b| Cell { table: "registry_event", column: "block", row: &b }.unsigned(b))
            .transpose()
    }

    /// A page of an agent's events, oldest first; of one name only, where one is given.
    ///
    /// Events of all names are those of each, merged: an agent's events have at most a dozen names, and an index by agent alone would
    /// cost every event as much as the one by agent and name, which must be there for an agent with few registrations among its
    /// hundreds of thousands of judgements.
    pub async fn events_of(
        &mut self,
        agent: AgentId,
        name: Option<&str>,
        page: EventsAfter,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        let agent = agent_text(agent);
        if let Some(name) = name {
            return self.events_named(&agent, name, page).await;
        }
        let mut found = Vec::new();
        let mut last = String::new();
        while let Some(name) = self.next_name(&agent, &last).await? {
            found.extend(self.events_named(&agent, &name, page).await?);
            last = name;
        }
        found.sort_by_key(|event| event.log.position());
        found.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn next_name(
        &mut self,
        agent: &str,
        after: &str,
    ) -> Result<Option<String>, StorageError> {
        Ok(on_engine!(self, conn => sqlx::query_scalar(NEXT_NAME_OF_AGENT)
            .bind(agent).bind(after).fetch_optional(conn).await)?)
    }

    async fn events_named(
        &mut self,
        agent: &str,
        name: &str,
        page: EventsAfter,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        let through = signed("block number", page.through_block)?;
        let (block, log) = match page.after {
            Some(after) => {
                (signed("block number", after.block_number)?, i64::from(after.log_index))
            }
            None => (-1, -1),
        };
        events(on_engine!(self, conn => sqlx::query_as(EVENTS_OF_AGENT_NAMED)
            .bind(agent).bind(name).bind(block).bind(log).bind(through).bind(i64::from(page.limit))
            .fetch_all(conn).await)?)
    }

    /// The newest feedback on an agent, up to the end of a block, newest first.
    pub async fn newest_feedback(
        &mut self,
        agent: AgentId,
        through_block: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        let through = signed("block number", through_block)?;
        events(on_engine!(self, conn => sqlx::query_as(NEWEST_FEEDBACK)
            .bind(agent_text(agent)).bind(through).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// The first events of one name that follow in a thread, up to the end of a block, oldest first.
    ///
    /// The feedback that a thread begins with is not among them: no index holds hundreds of thousands of threads that nobody followed on.
    pub async fn first_of_thread(
        &mut self,
        thread: &[u8],
        name: &str,
        through_block: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        let through = signed("block number", through_block)?;
        events(on_engine!(self, conn => sqlx::query_as(FIRST_OF_THREAD)
            .bind(thread).bind(name).bind(through).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// The newest events of one name that follow in a thread, up to the end of a block, newest first.
    pub async fn newest_of_thread(
        &mut self,
        thread: &[u8],
        name: &str,
        through_block: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        let through = signed("block number", through_block)?;
        events(on_engine!(self, conn => sqlx::query_as(NEWEST_OF_THREAD)
            .bind(thread).bind(name).bind(through).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// How many logs of a registry could not be decoded.
    pub async fn undecoded_count(&mut self, registry: RegistryKind) -> Result<u64, StorageError> {
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(UNDECODED_COUNT)
            .bind(registry.as_str()).fetch_one(conn).await)?;
        Cell { table: "registry_event", column: "name", row: &"count" }.unsigned(count)
    }

    /// The newest logs of a registry that could not be decoded, newest first.
    pub async fn events_undecoded(
        &mut self,
        registry: RegistryKind,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StorageError> {
        events(on_engine!(self, conn => sqlx::query_as(EVENTS_UNDECODED)
            .bind(registry.as_str()).bind(i64::from(limit)).fetch_all(conn).await)?)
    }
}
