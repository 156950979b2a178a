//! How a row becomes a span of a timeline again.

use alloy::primitives::{Address, B256};
use sqlx::FromRow;

use super::StorageError;
use super::columns::{Cell, agent_text, parse_agent};
use crate::identity::{SpanCause, SpanEnd, SpanRecord, TimelineRef, Value};
use crate::vocab::{RegistryKind, Span};

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
