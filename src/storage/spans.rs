//! The spans of all timelines: how they are written, and how a row becomes a span again.

use alloy::primitives::{Address, B256, Bytes};
use sqlx::FromRow;

use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::identity::{Changes, Closing, SpanCause, SpanEnd, SpanRecord, TimelineRef, Value};
use crate::vocab::{RegistryKind, Span};

const SPAN_OPEN: &str = "
    SELECT kind, subject, name, account, label, value, cause, ended_by,
           from_block, from_log, to_block, to_log
    FROM span WHERE kind = $1 AND subject = $2 AND name = $3 AND to_block IS NULL";
const SPAN_INSERT: &str = "
    INSERT INTO span (kind, subject, name, account, label, value, cause, ended_by,
                      from_block, from_log, to_block, to_log)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const SPAN_CLOSE: &str = "
    UPDATE span SET to_block = $6, to_log = $7, ended_by = $8
    WHERE kind = $1 AND subject = $2 AND name = $3 AND from_block = $4 AND from_log = $5
      AND to_block IS NULL";
const SPANS_DELETE: &str = "DELETE FROM span";

/// A timeline as the three columns that name it.
pub(super) struct TimelineColumns {
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) name: Vec<u8>,
}

pub(super) fn timeline_columns(timeline: TimelineRef) -> TimelineColumns {
    let of = |kind, subject, name: &[u8]| TimelineColumns { kind, subject, name: name.to_vec() };
    match timeline {
        TimelineRef::Owner(agent) => of("owner", agent_text(agent), &[]),
        TimelineRef::Wallet(agent) => of("wallet", agent_text(agent), &[]),
        TimelineRef::Uri(agent) => of("uri", agent_text(agent), &[]),
        TimelineRef::Metadata(agent, key) => of("metadata", agent_text(agent), key.as_slice()),
        TimelineRef::Approved(agent) => of("approved", agent_text(agent), &[]),
        TimelineRef::Operator(owner, operator) => {
            of("operator", owner_text(owner), operator.as_slice())
        }
        TimelineRef::Implementation(kind) => of("implementation", kind.as_str().to_owned(), &[]),
    }
}

/// An owner as a subject: lower-case hex.
pub(super) fn owner_text(owner: Address) -> String {
    format!("{owner:#x}")
}

#[derive(Debug, FromRow)]
pub(super) struct SpanRow {
    kind: String,
    subject: String,
    name: Vec<u8>,
    account: Option<Vec<u8>>,
    label: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    cause: Option<String>,
    ended_by: Option<String>,
    from_block: i64,
    from_log: i64,
    to_block: Option<i64>,
    to_log: Option<i64>,
}

fn cell<'a>(column: &'static str, row: &'a String) -> Cell<'a> {
    Cell { table: "span", column, row }
}

impl SpanRow {
    /// The columns by which it is found.
    pub(super) fn key(&self) -> (String, String, Vec<u8>, i64, i64) {
        let (kind, subject, name) = (self.kind.clone(), self.subject.clone(), self.name.clone());
        (kind, subject, name, self.from_block, self.from_log)
    }

    fn timeline(&self, row: &String) -> Result<TimelineRef, StorageError> {
        let agent = || parse_agent(&self.subject).ok_or_else(|| cell("subject", row).wrong());
        match self.kind.as_str() {
            "owner" => Ok(TimelineRef::Owner(agent()?)),
            "wallet" => Ok(TimelineRef::Wallet(agent()?)),
            "uri" => Ok(TimelineRef::Uri(agent()?)),
            "metadata" => {
                let key =
                    B256::try_from(self.name.as_slice()).map_err(|_| cell("name", row).wrong())?;
                Ok(TimelineRef::Metadata(agent()?, key))
            }
            "approved" => Ok(TimelineRef::Approved(agent()?)),
            "operator" => {
                let owner = self.subject.parse().map_err(|_| cell("subject", row).wrong())?;
                Ok(TimelineRef::Operator(owner, cell("name", row).address(&self.name)?))
            }
            "implementation" => RegistryKind::from_word(&self.subject)
                .map(TimelineRef::Implementation)
                .ok_or_else(|| cell("subject", row).wrong()),
            _ => Err(cell("kind", row).wrong()),
        }
    }

    fn value(&mut self, timeline: TimelineRef, row: &String) -> Result<Value, StorageError> {
        match timeline {
            TimelineRef::Uri(_) => match self.value.take() {
                Some(uri) => Ok(Value::Uri(uri.into())),
                None => Err(cell("value", row).wrong()),
            },
            TimelineRef::Metadata(..) => match (self.label.take(), self.value.take()) {
                (Some(key), Some(value)) => {
                    Ok(Value::Entry { key: key.into(), value: value.into() })
                }
                _ => Err(cell("value", row).wrong()),
            },
            TimelineRef::Owner(_)
            | TimelineRef::Wallet(_)
            | TimelineRef::Approved(_)
            | TimelineRef::Operator(..)
            | TimelineRef::Implementation(_) => match self.account.as_deref() {
                Some(account) => Ok(Value::Account(cell("account", row).address(account)?)),
                None => Ok(Value::Absent),
            },
        }
    }
}

impl TryFrom<SpanRow> for SpanRecord {
    type Error = StorageError;

    fn try_from(mut row: SpanRow) -> Result<Self, StorageError> {
        let place = format!("{} {} from block {}", row.kind, row.subject, row.from_block);
        let timeline = row.timeline(&place)?;
        let value = row.value(timeline, &place)?;
        let from = cell("from_log", &place).position(row.from_block, row.from_log)?;
        let to = match (row.to_block, row.to_log) {
            (Some(block), Some(log)) => Some(cell("to_log", &place).position(block, log)?),
            (None, None) => None,
            _ => return Err(cell("to_log", &place).wrong()),
        };
        let cause = row
            .cause
            .as_deref()
            .map(|word| SpanCause::from_word(word).ok_or_else(|| cell("cause", &place).wrong()));
        let ended_by = row
            .ended_by
            .as_deref()
            .map(|word| SpanEnd::from_word(word).ok_or_else(|| cell("ended_by", &place).wrong()));
        Ok(Self {
            timeline,
            value,
            span: Span { from, to },
            cause: cause.transpose()?,
            ended_by: ended_by.transpose()?,
        })
    }
}

impl Tx {
    /// The span of a timeline that is open, if one is.
    pub async fn open_span(
        &mut self,
        timeline: TimelineRef,
    ) -> Result<Option<SpanRecord>, StorageError> {
        let of = timeline_columns(timeline);
        let row: Option<SpanRow> = on_engine!(self, conn => sqlx::query_as(SPAN_OPEN)
            .bind(of.kind).bind(of.subject).bind(of.name).fetch_optional(conn).await)?;
        row.map(SpanRecord::try_from).transpose()
    }

    /// Writes what a fold came to: first the ends of stored spans, then the new ones.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where a span that is to end is not open.
    pub async fn write_changes(&mut self, changes: &Changes) -> Result<(), StorageError> {
        for closing in &changes.closings {
            self.close_span(closing).await?;
        }
        for span in &changes.begun {
            self.insert_span(span).await?;
        }
        Ok(())
    }

    async fn close_span(&mut self, closing: &Closing) -> Result<(), StorageError> {
        let of = timeline_columns(closing.timeline);
        let from_block = signed("block number", closing.from.block_number)?;
        let to_block = signed("block number", closing.to.block_number)?;
        let row = format!("{} {} from block {from_block}", of.kind, of.subject);
        let done = on_engine!(self, conn => sqlx::query(SPAN_CLOSE)
            .bind(of.kind)
            .bind(of.subject)
            .bind(of.name)
            .bind(from_block)
            .bind(i64::from(closing.from.log_index))
            .bind(to_block)
            .bind(i64::from(closing.to.log_index))
            .bind(closing.ended_by.as_str())
            .execute(conn).await.map(|done| done.rows_affected()))?;
        if done == 1 { Ok(()) } else { Err(StorageError::inconsistent("span", "to_block", row)) }
    }

    async fn insert_span(&mut self, span: &SpanRecord) -> Result<(), StorageError> {
        let of = timeline_columns(span.timeline);
        let from_block = signed("block number", span.span.from.block_number)?;
        let to_block =
            span.span.to.map(|to| signed("block number", to.block_number)).transpose()?;
        let (label, value): (Option<&Bytes>, Option<&Bytes>) = match &span.value {
            Value::Absent | Value::Account(_) => (None, None),
            Value::Uri(uri) => (None, Some(uri)),
            Value::Entry { key, value } => (Some(key), Some(value)),
        };
        let account = span.value.account();
        on_engine!(self, conn => sqlx::query(SPAN_INSERT)
            .bind(of.kind)
            .bind(of.subject)
            .bind(of.name)
            .bind(account.as_ref().map(|a| a.as_slice()))
            .bind(label.map(AsRef::as_ref))
            .bind(value.map(AsRef::as_ref))
            .bind(span.cause.map(SpanCause::as_str))
            .bind(span.ended_by.map(SpanEnd::as_str))
            .bind(from_block)
            .bind(i64::from(span.span.from.log_index))
            .bind(to_block)
            .bind(span.span.to.map(|to| i64::from(to.log_index)))
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Forgets all timelines, so that they can be folded anew.
    pub async fn delete_spans(&mut self) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(SPANS_DELETE).execute(conn).await.map(drop))?;
        self.note_rewrite().await
    }
}
