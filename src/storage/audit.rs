//! Questions about the record itself: does every row keep the rules that all rows keep?
//!
//! Each answer lists offending rows, at most as many as asked for, or one page of all rows in an order that makes offences neighbours.
//! These read whole tables, and only `hallmark audit` asks them.

use sqlx::FromRow;

use super::columns::{Cell, agent_text, signed};
use super::engine::on_engine;
use super::spans::SpanRow;
use super::{StorageError, Tx};
use crate::identity::SpanRecord;
use crate::vocab::{AgentId, Position};

const SPANS_OVERLAPPING: &str = "
    SELECT kind || ' ' || subject AS subject, from_block AS block FROM (
        SELECT kind, subject, from_block, to_block, to_log,
               LEAD(from_block) OVER timeline AS next_block,
               LEAD(from_log) OVER timeline AS next_log
        FROM span WINDOW timeline AS (PARTITION BY kind, subject, name ORDER BY from_block, from_log)
    ) AS follower
    WHERE next_block IS NOT NULL
      AND (to_block IS NULL OR to_block > next_block OR (to_block = next_block AND to_log > next_log))
    ORDER BY block, subject LIMIT $1";
const SPANS_EMPTY: &str = "
    SELECT kind || ' ' || subject AS subject, from_block AS block FROM span
    WHERE to_block < from_block OR (to_block = from_block AND to_log <= from_log)
    ORDER BY block, subject LIMIT $1";
const BLOCKS_UNLINKED: &str = "
    SELECT 'block' AS subject, b.number AS block FROM block b
    JOIN block p ON p.number = b.number - 1
    WHERE b.parent_hash IS NOT NULL AND b.parent_hash <> p.hash
    ORDER BY block LIMIT $1";
const HEADERS_MISSING: &str = "
    SELECT 'after block' AS subject, b.number AS block FROM block b
    LEFT JOIN block n ON n.number = b.number + 1
    WHERE n.number IS NULL
      AND b.number >= (SELECT number FROM chain_tag WHERE tag = 'finalized')
      AND b.number < (SELECT number FROM chain_tag WHERE tag = 'indexed')
    ORDER BY block LIMIT $1";
const EVENTS_WITHOUT_BLOCK: &str = "
    SELECT e.registry AS subject, e.block AS block FROM registry_event e
    LEFT JOIN block b ON b.number = e.block
    WHERE b.number IS NULL ORDER BY block LIMIT $1";
const ROWS_ABOVE_CURSOR: &str = "
    SELECT subject, block FROM (
        SELECT 'event' AS subject, block FROM registry_event
        WHERE block > (SELECT number FROM chain_tag WHERE tag = 'indexed')
        UNION ALL
        SELECT 'span' AS subject, from_block AS block FROM span
        WHERE from_block > (SELECT number FROM chain_tag WHERE tag = 'indexed')
        UNION ALL
        SELECT 'block' AS subject, number AS block FROM block
        WHERE number > (SELECT number FROM chain_tag WHERE tag = 'indexed')
    ) AS above ORDER BY block, subject LIMIT $1";
const CURSOR_WITHOUT_BLOCK: &str = "
    SELECT 'cursor' AS subject, t.number AS block FROM chain_tag t
    LEFT JOIN block b ON b.number = t.number AND b.hash = t.hash
    WHERE t.tag = 'indexed' AND b.number IS NULL
    UNION ALL
    SELECT 'no cursor, though blocks are held,' AS subject, MAX(number) AS block FROM block
    WHERE NOT EXISTS (SELECT 1 FROM chain_tag WHERE tag = 'indexed') HAVING COUNT(*) > 0
    LIMIT $1";
const FINALIZED_ASTRAY: &str = "
    SELECT 'another block is held than the finalized one' AS subject, t.number AS block
    FROM chain_tag t JOIN block b ON b.number = t.number AND b.hash <> t.hash
    WHERE t.tag = 'finalized' LIMIT $1";
const OBSERVATIONS_ASTRAY: &str = "
    SELECT o.kind || ' ' || o.subject AS subject, o.block AS block FROM observation o
    LEFT JOIN block b ON b.number = o.block
    WHERE b.hash <> o.block_hash OR (b.number IS NULL AND o.kind = 'wallet')
    ORDER BY block, subject LIMIT $1";
const TIMES_BACKWARD: &str = "
    SELECT 'block' AS subject, number AS block FROM (
        SELECT number, time, LAG(time) OVER (ORDER BY number) AS time_before FROM block
    ) AS follower WHERE time < time_before ORDER BY block LIMIT $1";

const SPANS_PAGE: &str = "
    SELECT kind, subject, name, account, label, value, cause, ended_by,
           from_block, from_log, to_block, to_log
    FROM span WHERE (kind, subject, name, from_block, from_log) > ($1, $2, $3, $4, $5)
    ORDER BY kind, subject, name, from_block, from_log LIMIT $6";
const LABELS_IN: &str = "
    SELECT block, log_index, name, agent, thread FROM registry_event
    WHERE block >= $1 AND block <= $2 ORDER BY block, log_index";
const EVENT_COUNT: &str = "SELECT COUNT(*) FROM registry_event";
/// A rule that every row keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRule {
    /// The spans of a timeline do not overlap, and only the last is open.
    SpansDisjoint,
    /// A span ends after it began.
    SpansForward,
    /// A block's parent hash is the hash of the block before it.
    BlocksLinked,
    /// Every block above the finalized one is held.
    HeadersWhole,
    /// Every event's block is held.
    EventsHaveBlocks,
    /// Nothing stands above the cursor.
    NothingAboveCursor,
    /// The cursor is a block that is held; there is one where blocks are held.
    CursorHeld,
    /// The finalized block is the one that is held, where one of its number is.
    FinalizedHeld,
    /// A contract's answer is of a block that is held.
    ObservationsHaveBlocks,
    /// No block is older than the one before it.
    TimesForward,
}

impl RecordRule {
    /// All rules, in the order in which they are reported.
    pub const ALL: [Self; 10] = [
        Self::CursorHeld,
        Self::FinalizedHeld,
        Self::NothingAboveCursor,
        Self::BlocksLinked,
        Self::HeadersWhole,
        Self::TimesForward,
        Self::EventsHaveBlocks,
        Self::ObservationsHaveBlocks,
        Self::SpansDisjoint,
        Self::SpansForward,
    ];

    /// Its name, which stays the same.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::SpansDisjoint => "spans-disjoint",
            Self::SpansForward => "spans-forward",
            Self::BlocksLinked => "blocks-linked",
            Self::HeadersWhole => "headers-whole",
            Self::EventsHaveBlocks => "events-have-blocks",
            Self::NothingAboveCursor => "nothing-above-cursor",
            Self::CursorHeld => "cursor-held",
            Self::FinalizedHeld => "finalized-held",
            Self::ObservationsHaveBlocks => "observations-have-blocks",
            Self::TimesForward => "times-forward",
        }
    }

    /// What it says, in a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SpansDisjoint => "spans do not overlap",
            Self::SpansForward => "spans end after they begin",
            Self::BlocksLinked => "blocks are linked by parent hash",
            Self::HeadersWhole => "no block is missing above the finalized one",
            Self::EventsHaveBlocks => "every event's block is held",
            Self::NothingAboveCursor => "nothing stands above the cursor",
            Self::CursorHeld => "the cursor's block is held",
            Self::FinalizedHeld => "the finalized block is the one held",
            Self::ObservationsHaveBlocks => "every answer of a contract is of a block that is held",
            Self::TimesForward => "no block is older than the one before it",
        }
    }

    const fn statement(self) -> &'static str {
        match self {
            Self::SpansDisjoint => SPANS_OVERLAPPING,
            Self::SpansForward => SPANS_EMPTY,
            Self::BlocksLinked => BLOCKS_UNLINKED,
            Self::HeadersWhole => HEADERS_MISSING,
            Self::EventsHaveBlocks => EVENTS_WITHOUT_BLOCK,
            Self::NothingAboveCursor => ROWS_ABOVE_CURSOR,
            Self::CursorHeld => CURSOR_WITHOUT_BLOCK,
            Self::FinalizedHeld => FINALIZED_ASTRAY,
            Self::ObservationsHaveBlocks => OBSERVATIONS_ASTRAY,
            Self::TimesForward => TIMES_BACKWARD,
        }
    }
}

/// A row that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RuleBreak {
    /// Which row, in words.
    pub subject: String,
    /// The block it is of.
    pub block: i64,
}

/// Where a page of spans ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanPlace {
    key: Option<(String, String, Vec<u8>, i64, i64)>,
}

/// What stands beside a log to find it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLabels {
    /// Which log.
    pub at: Position,
    /// The event's name.
    pub name: Option<String>,
    /// The agent, as the column's text.
    agent: Option<String>,
    /// What it shares with those that follow on it.
    pub thread: Option<Vec<u8>>,
}

impl EventLabels {
    /// Whether this agent, or none, is named.
    #[must_use]
    pub fn is_of(&self, agent: Option<AgentId>) -> bool {
        self.agent == agent.map(agent_text)
    }
}

#[derive(FromRow)]
struct LabelRow {
    block: i64,
    log_index: i64,
    name: Option<String>,
    agent: Option<String>,
    thread: Option<Vec<u8>>,
}

impl Tx {
    /// The first rows that break a rule, by block.
    pub async fn rows_breaking(
        &mut self,
        rule: RecordRule,
        limit: u32,
    ) -> Result<Vec<RuleBreak>, StorageError> {
        Ok(on_engine!(self, conn => sqlx::query_as(rule.statement())
            .bind(i64::from(limit)).fetch_all(conn).await)?)
    }

    /// A page of all spans, timeline by timeline, and where it ends; a row that cannot be read is an error in its place.
    pub async fn spans_after(
        &mut self,
        place: SpanPlace,
        limit: u32,
    ) -> Result<(Vec<Result<SpanRecord, StorageError>>, SpanPlace), StorageError> {
        let (kind, subject, name, block, log) = place.key.unwrap_or_default();
        let rows: Vec<SpanRow> = on_engine!(self, conn => sqlx::query_as(SPANS_PAGE)
            .bind(kind).bind(subject).bind(name).bind(block).bind(log).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        let place = SpanPlace { key: rows.last().map(SpanRow::key) };
        Ok((rows.into_iter().map(SpanRecord::try_from).collect(), place))
    }

    /// The labels of all logs of the blocks from `first` to `last`, ascending; also of those whose block is not held.
    pub async fn labels_in(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<Vec<EventLabels>, StorageError> {
        let (first, last) = (signed("block number", first)?, signed("block number", last)?);
        let rows: Vec<LabelRow> = on_engine!(self, conn => sqlx::query_as(LABELS_IN)
            .bind(first).bind(last).fetch_all(conn).await)?;
        rows.into_iter()
            .map(|LabelRow { block, log_index, name, agent, thread }| {
                Ok(EventLabels { at: place_of(block, log_index)?, name, agent, thread })
            })
            .collect()
    }

    /// How many logs are kept.
    pub async fn event_count(&mut self) -> Result<u64, StorageError> {
        let count: i64 =
            on_engine!(self, conn => sqlx::query_scalar(EVENT_COUNT).fetch_one(conn).await)?;
        Cell { table: "registry_event", column: "block", row: &"count" }.unsigned(count)
    }
}

fn place_of(block: i64, log_index: i64) -> Result<Position, StorageError> {
    Cell { table: "registry_event", column: "log_index", row: &block }.position(block, log_index)
}
