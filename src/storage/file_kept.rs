//! How much of what was fetched is kept, and when a source had what, without the contents themselves.

use alloy::primitives::B256;
use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::UnixSeconds;

const CONTENT_BYTES: &str =
    "SELECT CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM file_content";
const CONTENT_HELD: &str = "SELECT COUNT(*) FROM file_content WHERE hash = $1";
const MOMENTS: &str = "
    SELECT v.seq, v.hash, v.since, v.checked_at, v.is_proven, CAST(LENGTH(c.body) AS BIGINT) AS bytes
    FROM file_version v LEFT JOIN file_content c ON c.hash = v.hash
    WHERE v.source = $1 AND v.seq > $2 AND (v.since <= $3 OR v.is_proven = 1)
    ORDER BY v.seq LIMIT $4";

/// What a source was seen to have, and when, without the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMoment {
    /// Its number among all versions of all sources, in the order in which they came.
    pub seq: u64,
    /// SHA-256 of the content, and how many bytes it has; `None` where the host said that there is nothing.
    pub content: Option<(B256, u64)>,
    /// When it was first seen.
    pub since: UnixSeconds,
    /// When it was last seen.
    pub checked_at: UnixSeconds,
    /// Whether it was checked against the identifier that names it.
    pub is_proven: bool,
}

#[derive(FromRow)]
struct MomentRow {
    seq: i64,
    hash: Option<Vec<u8>>,
    since: i64,
    checked_at: i64,
    is_proven: i64,
    bytes: Option<i64>,
}

impl TryFrom<MomentRow> for FileMoment {
    type Error = StorageError;

    fn try_from(row: MomentRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "file_version", column, row: &row.seq };
        let content = match (&row.hash, row.bytes) {
            (Some(hash), Some(bytes)) => {
                Some((cell("hash").hash(hash)?, cell("hash").unsigned(bytes)?))
            }
            (None, None) => None,
            _ => return Err(cell("hash").wrong()),
        };
        Ok(Self {
            seq: cell("seq").unsigned(row.seq)?,
            content,
            since: cell("since").time(row.since)?,
            checked_at: cell("checked_at").time(row.checked_at)?,
            is_proven: row.is_proven != 0,
        })
    }
}

impl Tx {
    /// How many bytes all contents together have. It looks at every one of them: ask once.
    pub async fn stored_bytes(&mut self) -> Result<u64, StorageError> {
        let bytes: i64 = on_engine!(self, conn => sqlx::query_scalar(CONTENT_BYTES)
            .fetch_one(conn).await)?;
        Cell { table: "file_content", column: "body", row: &"all" }.unsigned(bytes)
    }

    /// Whether a content is kept, by its SHA-256.
    pub async fn holds_content(&mut self, hash: B256) -> Result<bool, StorageError> {
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(CONTENT_HELD)
            .bind(hash.to_vec()).fetch_one(conn).await)?;
        Ok(count > 0)
    }

    /// When a source was seen to have what, by a time, oldest first; where its name proves a content, also what was seen later.
    pub async fn file_moments(
        &mut self,
        id: B256,
        time: UnixSeconds,
        after: u64,
        limit: u32,
    ) -> Result<Vec<FileMoment>, StorageError> {
        let (time, after) = (signed("time", time.get())?, signed("version", after)?);
        let rows: Vec<MomentRow> = on_engine!(self, conn => sqlx::query_as(MOMENTS)
            .bind(id.to_vec()).bind(after).bind(time).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        rows.into_iter().map(FileMoment::try_from).collect()
    }
}
