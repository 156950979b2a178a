//! Questions about one agent: what held at the end of a block, and the whole story.
//!
//! "As of block N" is the state at the end of block N: a span counts if it began in N or before and did not end in N or before. Every
//! span comes with the evidence for its ends: the transaction and the time.

use alloy::primitives::{Address, B256};
use sqlx::FromRow;

use super::columns::{Cell, agent_text, signed};
use super::engine::on_engine;
use super::spans::{SpanRow, owner_text, timeline_columns};
use super::{StorageError, Tx};
use crate::identity::{Evidence, EvidencedSpan, SpanRecord, TimelineRef};
use crate::vocab::{AgentId, Position};

/// Spans with the evidence for both ends; the rest of the statement follows.
macro_rules! select_spans {
    ($rest:literal) => {
        concat!(
            "SELECT s.kind, s.subject, s.name, s.account, s.label, s.value, s.cause, s.ended_by,
                    s.from_block, s.from_log, s.to_block, s.to_log,
                    fe.tx_hash AS from_tx, fb.time AS from_time,
                    te.tx_hash AS to_tx, tb.time AS to_time
             FROM span s
             LEFT JOIN registry_event fe ON fe.block = s.from_block AND fe.log_index = s.from_log
             LEFT JOIN block fb ON fb.number = s.from_block
             LEFT JOIN registry_event te ON te.block = s.to_block AND te.log_index = s.to_log
             LEFT JOIN block tb ON tb.number = s.to_block ",
            $rest
        )
    };
}
pub(super) use select_spans;

const SPAN_AT: &str = select_spans!(
    "WHERE s.kind = $1 AND s.subject = $2 AND s.name = $3
       AND s.from_block <= $4 AND (s.to_block IS NULL OR s.to_block > $4)"
);
const LAST_SPAN: &str = select_spans!(
    "WHERE s.kind = $1 AND s.subject = $2 AND s.name = $3 AND s.from_block <= $4
     ORDER BY s.from_block DESC, s.from_log DESC LIMIT 1"
);
const TIMELINE: &str = select_spans!(
    "WHERE s.kind = $1 AND s.subject = $2 AND s.name = $3
       AND (s.from_block, s.from_log) > ($4, $5)
     ORDER BY s.from_block, s.from_log LIMIT $6"
);
const METADATA_AT: &str = select_spans!(
    "WHERE s.kind = 'metadata' AND s.subject = $1 AND s.name > $2
       AND s.from_block <= $3 AND (s.to_block IS NULL OR s.to_block > $3)
     ORDER BY s.name LIMIT $4"
);
const METADATA_TIMELINES: &str = select_spans!(
    "WHERE s.kind = 'metadata' AND s.subject = $1
       AND (s.name, s.from_block, s.from_log) > ($2, $3, $4)
     ORDER BY s.name, s.from_block, s.from_log LIMIT $5"
);
const OPERATORS_OF_OWNER: &str = select_spans!(
    "WHERE s.kind = 'operator' AND s.subject = $1
     ORDER BY s.name, s.from_block, s.from_log LIMIT $2"
);
const OPERATORS_OF_OWNER_AT: &str = select_spans!(
    "WHERE s.kind = 'operator' AND s.subject = $1
       AND s.from_block <= $2 AND (s.to_block IS NULL OR s.to_block > $2)
     ORDER BY s.name LIMIT $3"
);
const MINTED_COUNT: &str =
    "SELECT COUNT(*) FROM span WHERE kind = 'owner' AND cause = 'registered' AND from_block <= $1";

#[derive(FromRow)]
pub(super) struct EvidencedRow {
    #[sqlx(flatten)]
    span: SpanRow,
    from_tx: Option<Vec<u8>>,
    from_time: Option<i64>,
    to_tx: Option<Vec<u8>>,
    to_time: Option<i64>,
}

impl TryFrom<EvidencedRow> for EvidencedSpan {
    type Error = StorageError;

    fn try_from(row: EvidencedRow) -> Result<Self, StorageError> {
        let record = SpanRecord::try_from(row.span)?;
        let evidence = |at: Position, tx: Option<Vec<u8>>, time: Option<i64>| {
            let place = at.block_number;
            let event = Cell { table: "registry_event", column: "tx_hash", row: &place };
            let block = Cell { table: "block", column: "time", row: &place };
            Ok::<_, StorageError>(Evidence {
                at,
                tx_hash: tx.as_deref().map(|tx| event.hash(tx)).transpose()?,
                time: time.map(|time| block.time(time)).transpose()?,
            })
        };
        let from = evidence(record.span.from, row.from_tx, row.from_time)?;
        let to = record.span.to.map(|to| evidence(to, row.to_tx, row.to_time)).transpose()?;
        Ok(Self { record, from, to })
    }
}

pub(super) fn evidenced(rows: Vec<EvidencedRow>) -> Result<Vec<EvidencedSpan>, StorageError> {
    rows.into_iter().map(EvidencedSpan::try_from).collect()
}

/// A page's beginning as the two columns that are compared.
pub(super) fn after_columns(after: Option<Position>) -> Result<(i64, i64), StorageError> {
    match after {
        Some(at) => Ok((signed("block number", at.block_number)?, i64::from(at.log_index))),
        None => Ok((-1, -1)),
    }
}

impl Tx {
    /// What a timeline held at the end of a block.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where two spans claim the same block's end.
    pub async fn span_at(
        &mut self,
        timeline: TimelineRef,
        block_number: u64,
    ) -> Result<Option<EvidencedSpan>, StorageError> {
        let of = timeline_columns(timeline);
        let block = signed("block number", block_number)?;
        let row = format!("{} {} at block {block}", of.kind, of.subject);
        let rows: Vec<EvidencedRow> = on_engine!(self, conn => sqlx::query_as(SPAN_AT)
            .bind(of.kind).bind(of.subject).bind(of.name).bind(block).fetch_all(conn).await)?;
        if rows.len() > 1 {
            return Err(StorageError::inconsistent("span", "from_block", row));
        }
        Ok(evidenced(rows)?.pop())
    }

    /// The last span of a timeline that began in a block or before, whether or not it has ended.
    pub async fn last_span(
        &mut self,
        timeline: TimelineRef,
        block_number: u64,
    ) -> Result<Option<EvidencedSpan>, StorageError> {
        let of = timeline_columns(timeline);
        let block = signed("block number", block_number)?;
        let row: Option<EvidencedRow> = on_engine!(self, conn => sqlx::query_as(LAST_SPAN)
            .bind(of.kind).bind(of.subject).bind(of.name).bind(block).fetch_optional(conn).await)?;
        row.map(EvidencedSpan::try_from).transpose()
    }

    /// A page of a timeline, oldest first.
    pub async fn timeline(
        &mut self,
        timeline: TimelineRef,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Vec<EvidencedSpan>, StorageError> {
        let of = timeline_columns(timeline);
        let (block, log) = after_columns(after)?;
        evidenced(on_engine!(self, conn => sqlx::query_as(TIMELINE)
            .bind(of.kind).bind(of.subject).bind(of.name)
            .bind(block).bind(log).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// An agent's metadata at the end of a block, ordered by the hash of the key; the first entries after `after`.
    pub async fn metadata_at(
        &mut self,
        agent: AgentId,
        block_number: u64,
        after: Option<B256>,
        limit: u32,
    ) -> Result<Vec<EvidencedSpan>, StorageError> {
        let block = signed("block number", block_number)?;
        let after = after.map(|key| key.to_vec()).unwrap_or_default();
        evidenced(on_engine!(self, conn => sqlx::query_as(METADATA_AT)
            .bind(agent_text(agent)).bind(after).bind(block).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// A page of the timelines of all of an agent's metadata, by the hash of the key, then oldest first.
    pub async fn metadata_timelines(
        &mut self,
        agent: AgentId,
        after: Option<(B256, Position)>,
        limit: u32,
    ) -> Result<Vec<EvidencedSpan>, StorageError> {
        let (block, log) = after_columns(after.map(|(_, at)| at))?;
        let key = after.map(|(key, _)| key.to_vec()).unwrap_or_default();
        evidenced(on_engine!(self, conn => sqlx::query_as(METADATA_TIMELINES)
            .bind(agent_text(agent)).bind(key).bind(block).bind(log).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// The spans in which an owner let operators act for all its agents.
    pub async fn operators_of_owner(
        &mut self,
        owner: Address,
        limit: u32,
    ) -> Result<Vec<EvidencedSpan>, StorageError> {
        evidenced(on_engine!(self, conn => sqlx::query_as(OPERATORS_OF_OWNER)
            .bind(owner_text(owner)).bind(i64::from(limit)).fetch_all(conn).await)?)
    }

    /// The operators whom an owner lets act for all its agents at the end of a block, by address.
    pub async fn operators_of_owner_at(
        &mut self,
        owner: Address,
        block_number: u64,
        limit: u32,
    ) -> Result<Vec<EvidencedSpan>, StorageError> {
        let block = signed("block number", block_number)?;
        evidenced(on_engine!(self, conn => sqlx::query_as(OPERATORS_OF_OWNER_AT)
            .bind(owner_text(owner)).bind(block).bind(i64::from(limit)).fetch_all(conn).await)?)
    }

    /// How many agents were minted up to the end of a block.
    pub async fn minted_count(&mut self, block_number: u64) -> Result<u64, StorageError> {
        let block = signed("block number", block_number)?;
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(MINTED_COUNT)
            .bind(block).fetch_one(conn).await)?;
        Cell { table: "span", column: "cause", row: &"count" }.unsigned(count)
    }

    /// The highest agent id that was ever minted.
    pub async fn highest_agent(&mut self) -> Result<Option<AgentId>, StorageError> {
        let found = self.highest_subject("owner").await?;
        let cell = Cell { table: "span", column: "subject", row: &"highest" };
        found.map(|text| super::columns::parse_agent(&text).ok_or_else(|| cell.wrong())).transpose()
    }
}
