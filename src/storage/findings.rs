//! What was found out about nodes and their answers: the newest findings, and no more than a bounded number of them.
//!
//! Whoever makes findings may be hostile, so that the table must not grow with them: each one beyond the limit drives out the oldest.

use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{Finding, FindingKind, UnixSeconds};

const FINDING_INSERT: &str = "
    INSERT INTO finding (seq, kind, from_block, to_block, provider, detail, noted_at)
    SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, $6 FROM finding";
const FINDINGS_FORGET: &str =
    "DELETE FROM finding WHERE seq <= (SELECT MAX(seq) FROM finding) - $1";
const FINDINGS_NEWEST: &str = "
    SELECT seq, kind, from_block, to_block, provider, detail, noted_at
    FROM finding ORDER BY seq DESC LIMIT $1";

/// So many findings are kept.
const KEPT: i64 = 1_000;

/// A finding that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedFinding {
    /// Its number, from 1; those of forgotten ones are not used again.
    pub seq: u64,
    /// What was found.
    pub finding: Finding,
    /// When it was noted.
    pub noted_at: UnixSeconds,
}

#[derive(FromRow)]
struct FindingRow {
    seq: i64,
    kind: String,
    from_block: Option<i64>,
    to_block: Option<i64>,
    provider: Option<String>,
    detail: String,
    noted_at: i64,
}

impl TryFrom<FindingRow> for NotedFinding {
    type Error = StorageError;

    fn try_from(row: FindingRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "finding", column, row: &row.seq };
        let blocks = match (row.from_block, row.to_block) {
            (Some(from), Some(to)) => {
                Some((cell("from_block").unsigned(from)?, cell("to_block").unsigned(to)?))
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(cell("to_block").wrong()),
        };
        Ok(Self {
            seq: cell("seq").unsigned(row.seq)?,
            finding: Finding {
                kind: FindingKind::from_word(&row.kind).ok_or_else(|| cell("kind").wrong())?,
                blocks,
                provider: row.provider.clone(),
                detail: row.detail.clone(),
            },
            noted_at: cell("noted_at").time(row.noted_at)?,
        })
    }
}

impl Tx {
    /// Notes a finding, and forgets the oldest ones beyond a thousand.
    pub async fn insert_finding(
        &mut self,
        finding: &Finding,
        noted_at: UnixSeconds,
    ) -> Result<(), StorageError> {
        let number = |of: fn((u64, u64)) -> u64| {
            finding.blocks.map(|blocks| signed("block number", of(blocks))).transpose()
        };
        let (from, to) = (number(|(from, _)| from)?, number(|(_, to)| to)?);
        let noted_at = signed("time", noted_at.get())?;
        on_engine!(self, conn => sqlx::query(FINDING_INSERT)
            .bind(finding.kind.as_str())
            .bind(from)
            .bind(to)
            .bind(finding.provider.as_deref())
            .bind(finding.detail.as_str())
            .bind(noted_at)
            .execute(conn).await.map(drop))?;
        on_engine!(self, conn => sqlx::query(FINDINGS_FORGET)
            .bind(KEPT).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The newest findings, newest first.
    pub async fn findings(&mut self, limit: u32) -> Result<Vec<NotedFinding>, StorageError> {
        let rows: Vec<FindingRow> = on_engine!(self, conn => sqlx::query_as(FINDINGS_NEWEST)
            .bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(NotedFinding::try_from).collect()
    }
}
