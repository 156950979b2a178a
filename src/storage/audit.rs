//! Questions about the record itself: does every row keep the rules that all rows keep?
//!
//! Each answer lists offending rows, at most as many as asked for. These read whole tables, and only `hallmark audit` asks them.

use std::collections::BTreeMap;

use alloy::primitives::{B256, keccak256};
use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::engine::on_engine;
use super::spans::SpanRow;
use super::{StorageError, Tx};

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
    WHERE t.tag = 'indexed' AND b.number IS NULL LIMIT $1";

const SPANS_ALL: &str = "
    SELECT kind, subject, name, account, label, value, cause, ended_by,
           from_block, from_log, to_block, to_log
    FROM span ORDER BY kind, subject, name, from_block, from_log";

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
    /// The cursor is a block that is held.
    CursorHeld,
}

impl RecordRule {
    /// All rules, in the order in which they are reported.
    pub const ALL: [Self; 7] = [
        Self::CursorHeld,
        Self::NothingAboveCursor,
        Self::BlocksLinked,
        Self::HeadersWhole,
        Self::EventsHaveBlocks,
        Self::SpansDisjoint,
        Self::SpansForward,
    ];

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

    /// A digest of the spans of each kind and subject, to tell where two states of the record differ.
    pub async fn span_digests(&mut self) -> Result<BTreeMap<String, B256>, StorageError> {
        let mut digests = BTreeMap::new();
        on_engine!(self, conn => {
            let mut rows = sqlx::query_as::<_, SpanRow>(SPANS_ALL).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                let (timeline, text) = row.described();
                let digest: &mut B256 = digests.entry(timeline).or_default();
                *digest = keccak256([digest.as_slice(), text.as_bytes()].concat());
            }
        });
        Ok(digests)
    }
}
