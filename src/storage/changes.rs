//! How timelines are written: the open spans that a fold begins from, and what it comes to.
//!
//! Both come in hundreds: a stretch of history touches thousands of timelines, most of which have no span yet.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Bytes;

use super::bulk::{Bound, Bulk, MANY};
use super::columns::signed;
use super::engine::on_engine;
use super::spans::{SpanRow, timeline_columns};
use super::{StorageError, Tx};
use crate::identity::{Changes, Closing, SpanRecord, TimelineRef, Value};

const HIGHEST_SUBJECT: &str = "SELECT MAX(subject) FROM span WHERE kind = $1";
const SPAN_OPEN: &str = "
    SELECT kind, subject, name, account, label, value, cause, ended_by,
           from_block, from_log, to_block, to_log
    FROM span WHERE kind = $1 AND name = $2 AND subject IN ($3) AND to_block IS NULL";
static SPANS_OPEN: Bulk = Bulk::new(SPAN_OPEN);
const SPAN_INSERT: &str = "
    INSERT INTO span (kind, subject, name, account, label, value, cause, ended_by,
                      from_block, from_log, to_block, to_log)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
static SPANS_INSERT: Bulk = Bulk::new(SPAN_INSERT);
const SPAN_CLOSE: &str = "
    UPDATE span SET to_block = c.column6, to_log = c.column7, ended_by = c.column8
    FROM (VALUES ($1, $2, $3, $4, $5, $6, $7, $8)) AS c
    WHERE span.kind = c.column1 AND span.subject = c.column2 AND span.name = c.column3
      AND span.from_block = c.column4 AND span.from_log = c.column5 AND span.to_block IS NULL";
static SPANS_CLOSE: Bulk = Bulk::new(SPAN_CLOSE);
const SPANS_DELETE: &str = "DELETE FROM span";

impl Tx {
    /// The open spans of some timelines, in no order; a timeline that has none is not among them.
    ///
    /// Timelines of one kind and name are asked for together, and none whose subject is above all that have spans of its kind: an
    /// agent that is minted needs no look into storage.
    pub async fn open_spans(
        &mut self,
        timelines: &BTreeSet<TimelineRef>,
    ) -> Result<Vec<SpanRecord>, StorageError> {
        let mut asked: BTreeMap<(&'static str, Vec<u8>), Vec<String>> = BTreeMap::new();
        for timeline in timelines {
            let of = timeline_columns(*timeline);
            asked.entry((of.kind, of.name)).or_default().push(of.subject);
        }
        let mut highest: BTreeMap<&'static str, Option<String>> = BTreeMap::new();
        let mut open = Vec::new();
        for ((kind, name), mut subjects) in asked {
            if !highest.contains_key(kind) {
                highest.insert(kind, self.highest_subject(kind).await?);
            }
            let known = highest.get(kind).and_then(Option::as_deref);
            subjects.retain(|subject| known.is_some_and(|known| subject.as_str() <= known));
            let head = [Bound::text(kind), Bound::bytes(name)];
            let subjects = subjects.into_iter().map(|subject| [Bound::text(subject)]);
            let rows: Vec<SpanRow> = SPANS_OPEN.select(self, &head, subjects).await?;
            for row in rows {
                open.push(SpanRecord::try_from(row)?);
            }
        }
        Ok(open)
    }

    /// The span of a timeline that is open, if one is.
    pub async fn open_span(
        &mut self,
        timeline: TimelineRef,
    ) -> Result<Option<SpanRecord>, StorageError> {
        Ok(self.open_spans(&BTreeSet::from([timeline])).await?.pop())
    }

    /// The last subject, in the order of bytes, that has a span of a kind.
    pub(super) async fn highest_subject(
        &mut self,
        kind: &'static str,
    ) -> Result<Option<String>, StorageError> {
        Ok(on_engine!(self, conn => sqlx::query_scalar(HIGHEST_SUBJECT)
            .bind(kind).fetch_one(conn).await)?)
    }

    /// Writes what a fold came to: first the ends of stored spans, then the new ones.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where a span that is to end is not open.
    pub async fn write_changes(&mut self, changes: &Changes) -> Result<(), StorageError> {
        self.close_spans(&changes.closings).await?;
        self.insert_spans(&changes.begun).await
    }

    async fn close_spans(&mut self, closings: &[Closing]) -> Result<(), StorageError> {
        let mut rows = Vec::with_capacity(closings.len());
        for closing in closings {
            let from_block = signed("block number", closing.from.block_number)?;
            rows.push((closing, from_block, signed("block number", closing.to.block_number)?));
        }
        // In the order of the keys, neighbours meet in memory.
        rows.sort_by_key(|(closing, ..)| closing.timeline);
        for part in rows.chunks(MANY) {
            let columns = part.iter().map(|(closing, from_block, to_block)| {
                let of = timeline_columns(closing.timeline);
                [
                    Bound::text(of.kind),
                    Bound::text(of.subject),
                    Bound::bytes(of.name),
                    Bound::number(*from_block),
                    Bound::number(i64::from(closing.from.log_index)),
                    Bound::number(*to_block),
                    Bound::number(i64::from(closing.to.log_index)),
                    Bound::text(closing.ended_by.as_str()),
                ]
            });
            if SPANS_CLOSE.write(self, columns).await? != part.len() as u64 {
                let rows = part.iter().map(|(closing, from_block, _)| {
                    let of = timeline_columns(closing.timeline);
                    format!("{} {} from block {from_block}", of.kind, of.subject)
                });
                let rows: Vec<_> = rows.collect();
                return Err(StorageError::inconsistent("span", "to_block", rows.join(" or ")));
            }
        }
        Ok(())
    }

    async fn insert_spans(&mut self, spans: &[SpanRecord]) -> Result<(), StorageError> {
        let mut rows = Vec::with_capacity(spans.len());
        for span in spans {
            let from_block = signed("block number", span.span.from.block_number)?;
            let to_block =
                span.span.to.map(|to| signed("block number", to.block_number)).transpose()?;
            rows.push((span, from_block, to_block));
        }
        // In the order of the keys, neighbours meet in memory.
        rows.sort_by_key(|(span, ..)| (span.timeline, span.span.from));
        let columns = rows.iter().map(|(span, from_block, to_block)| {
            let of = timeline_columns(span.timeline);
            let (label, value): (Option<&Bytes>, Option<&Bytes>) = match &span.value {
                Value::Absent | Value::Account(_) => (None, None),
                Value::Uri(uri) => (None, Some(uri)),
                Value::Entry { key, value } => (Some(key), Some(value)),
            };
            [
                Bound::text(of.kind),
                Bound::text(of.subject),
                Bound::bytes(of.name),
                Bound::Bytes(span.value.account().map(|account| account.to_vec().into())),
                Bound::Bytes(label.map(|label| label.as_ref().into())),
                Bound::Bytes(value.map(|value| value.as_ref().into())),
                Bound::Text(span.cause.map(|cause| cause.as_str().into())),
                Bound::Text(span.ended_by.map(|end| end.as_str().into())),
                Bound::number(*from_block),
                Bound::number(i64::from(span.span.from.log_index)),
                Bound::Number(*to_block),
                Bound::Number(span.span.to.map(|to| i64::from(to.log_index))),
            ]
        });
        SPANS_INSERT.write(self, columns).await.map(drop)
    }

    /// Forgets all timelines, so that they can be folded anew.
    pub async fn delete_spans(&mut self) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(SPANS_DELETE).execute(conn).await.map(drop))?;
        self.note_rewrite().await
    }
}
