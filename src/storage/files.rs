//! What can be fetched, what was, and when: sources and the versions of their content.
//!
//! A version lasts until the source's next one; one that is seen again is only said to have been seen again. Nothing that was fetched
//! is ever changed or forgotten. Times are those of whoever fetched.

use alloy::primitives::B256;
use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::did::claims::KEPT_S;
use crate::registry::file::{Source, SourceKind};
use crate::vocab::UnixSeconds;

const SOURCE_WANT: &str = "
    INSERT INTO file_source (source, kind, target, next_try, failures) VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (source) DO UPDATE SET next_try = excluded.next_try
    WHERE file_source.next_try IS NULL
       OR (file_source.next_try > excluded.next_try AND file_source.next_try < $5
           AND file_source.tried_at < $6)";
const SOURCES_DUE: &str = "
    SELECT source, kind, target, failures FROM file_source
    WHERE next_try IS NOT NULL AND next_try <= $1 ORDER BY next_try LIMIT $2";
const SOURCE_STATE: &str =
    "SELECT next_try, tried_at, failures, failure FROM file_source WHERE source = $1";
const SOURCE_PARK: &str = "UPDATE file_source SET next_try = NULL WHERE source = $1";
const SOURCE_DONE: &str = "
    UPDATE file_source SET tried_at = $2, next_try = $3, failures = 0, failure = NULL
    WHERE source = $1";
const SOURCE_FAILED: &str = "
    UPDATE file_source SET tried_at = $2, next_try = $3, failures = failures + 1, failure = $4
    WHERE source = $1";
const CONTENT_KEEP: &str =
    "INSERT INTO file_content (hash, body) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING";
const VERSION_NEWEST: &str = "
    SELECT v.seq, v.hash, v.since, v.checked_at, v.is_proven, c.body
    FROM file_version v LEFT JOIN file_content c ON c.hash = v.hash
    WHERE v.source = $1 ORDER BY v.seq DESC LIMIT 1";
const VERSION_AT: &str = "
    SELECT v.seq, v.hash, v.since, v.checked_at, v.is_proven, c.body
    FROM file_version v LEFT JOIN file_content c ON c.hash = v.hash
    WHERE v.source = $1 AND (v.since <= $2 OR v.is_proven = 1) ORDER BY v.seq DESC LIMIT 1";
const VERSIONS: &str = "
    SELECT v.seq, v.hash, v.since, v.checked_at, v.is_proven, c.body
    FROM file_version v LEFT JOIN file_content c ON c.hash = v.hash
    WHERE v.source = $1 AND v.seq > $2 ORDER BY v.seq LIMIT $3";
const VERSION_INSERT: &str = "
    INSERT INTO file_version (seq, source, hash, since, checked_at, is_proven)
    SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $3, $4 FROM file_version";
const VERSION_SEEN: &str = "UPDATE file_version SET checked_at = $2 WHERE seq = $1";
const NEWEST_SINCE: &str = "
    SELECT s.kind, s.target, v.seq, v.hash, v.since, v.checked_at, v.is_proven, c.body
    FROM file_version v
    JOIN file_source s ON s.source = v.source
    LEFT JOIN file_content c ON c.hash = v.hash
    WHERE v.seq > $1
      AND NOT EXISTS (SELECT 1 FROM file_version n WHERE n.source = v.source AND n.seq > v.seq)";
const LAST_VERSION: &str = "SELECT COALESCE(MAX(seq), 0) FROM file_version";

/// When a source is fetched that needs not be fetched again: its content can never be another.
pub const NEVER: UnixSeconds = UnixSeconds::MAX;

/// A source that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSource {
    /// Which.
    pub source: Source,
    /// How often it failed since it last succeeded.
    pub failures: u64,
}

/// How fetching a source is going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// When it is fetched next; `None` where nobody names it any more, [`NEVER`] where it need not be.
    pub next_try: Option<UnixSeconds>,
    /// When it was last tried.
    pub tried_at: Option<UnixSeconds>,
    /// How often it failed since it last succeeded.
    pub failures: u64,
    /// Why it last failed; `None` where it succeeded.
    pub failure: Option<String>,
}

/// What a source was seen to have, from when on: until the next version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Its number among all versions of all sources, in the order in which they came.
    pub seq: u64,
    /// SHA-256 of the content, and the content; `None` where the host said that there is nothing.
    pub content: Option<(B256, Vec<u8>)>,
    /// When it was first seen.
    pub since: UnixSeconds,
    /// When it was last seen.
    pub checked_at: UnixSeconds,
    /// Whether it was checked against the identifier that names it.
    pub is_proven: bool,
}

/// What was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// When.
    pub at: UnixSeconds,
    /// SHA-256 of the content, and the content; `None` where the host says that there is nothing.
    pub content: Option<(B256, &'a [u8])>,
    /// Whether it was checked against the identifier that names it.
    pub is_proven: bool,
    /// When to fetch it again.
    pub next_try: UnixSeconds,
}

#[derive(FromRow)]
struct DueRow {
    source: Vec<u8>,
    kind: String,
    target: String,
    failures: i64,
}

#[derive(FromRow)]
struct StateRow {
    next_try: Option<i64>,
    tried_at: Option<i64>,
    failures: i64,
    failure: Option<String>,
}

#[derive(FromRow)]
struct VersionRow {
    seq: i64,
    hash: Option<Vec<u8>>,
    since: i64,
    checked_at: i64,
    is_proven: i64,
    body: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct NewestRow {
    kind: String,
    target: String,
    #[sqlx(flatten)]
    version: VersionRow,
}

impl NewestRow {
    fn read(self) -> Result<(Source, FileVersion), StorageError> {
        let cell = Cell { table: "file_source", column: "kind", row: &self.version.seq };
        let kind = SourceKind::from_word(&self.kind).ok_or_else(|| cell.wrong())?;
        Ok((Source { kind, target: self.target }, self.version.try_into()?))
    }
}

impl TryFrom<VersionRow> for FileVersion {
    type Error = StorageError;

    fn try_from(row: VersionRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "file_version", column, row: &row.seq };
        let content = match (&row.hash, row.body) {
            (Some(hash), Some(body)) => Some((cell("hash").hash(hash)?, body)),
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
    /// Makes sure that a source is fetched soon: it is new, or somebody names it again. One that was tried since `recently` is left
    /// as it stands, and one that can never change as well.
    pub async fn want_source(
        &mut self,
        source: &Source,
        now: UnixSeconds,
        recently: UnixSeconds,
    ) -> Result<(), StorageError> {
        let now = signed("time", now.get())?;
        let (never, recently) = (signed("time", NEVER.get())?, signed("time", recently.get())?);
        on_engine!(self, conn => sqlx::query(SOURCE_WANT)
            .bind(source.id().to_vec())
            .bind(source.kind.as_str())
            .bind(source.target.as_str())
            .bind(now)
            .bind(never)
            .bind(recently)
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The sources whose time has come, the longest waiting first.
    pub async fn due_sources(
        &mut self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<DueSource>, StorageError> {
        let now = signed("time", now.get())?;
        let rows: Vec<DueRow> = on_engine!(self, conn => sqlx::query_as(SOURCES_DUE)
            .bind(now).bind(i64::from(limit)).fetch_all(conn).await)?;
        let due = rows.into_iter().map(|row| {
            let shown = B256::try_from(row.source.as_slice()).unwrap_or_default();
            let cell = |column| Cell { table: "file_source", column, row: &shown };
            let kind = SourceKind::from_word(&row.kind).ok_or_else(|| cell("kind").wrong())?;
            let source = Source { kind, target: row.target };
            if source.id().as_slice() != row.source {
                return Err(cell("target").wrong());
            }
            Ok(DueSource { source, failures: cell("failures").unsigned(row.failures)? })
        });
        due.collect()
    }

    /// How fetching a source is going; `None` where nobody ever named it.
    pub async fn source_state(&mut self, id: B256) -> Result<Option<SourceState>, StorageError> {
        let row: Option<StateRow> = on_engine!(self, conn => sqlx::query_as(SOURCE_STATE)
            .bind(id.to_vec()).fetch_optional(conn).await)?;
        let Some(row) = row else { return Ok(None) };
        let cell = |column| Cell { table: "file_source", column, row: &id };
        let time = |column, time: Option<i64>| time.map(|time| cell(column).time(time)).transpose();
        Ok(Some(SourceState {
            next_try: time("next_try", row.next_try)?,
            tried_at: time("tried_at", row.tried_at)?,
            failures: cell("failures").unsigned(row.failures)?,
            failure: row.failure,
        }))
    }

    /// Lets a source rest until somebody names it again.
    pub async fn park_source(&mut self, id: B256) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(SOURCE_PARK)
            .bind(id.to_vec()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Keeps what was fetched. Returns whether it is another version than the one before: it has other content, or the same that was not
    /// seen for so long that it did not speak meanwhile, and never will have.
    pub async fn keep_fetch(&mut self, id: B256, fetch: &Fetch<'_>) -> Result<bool, StorageError> {
        let tried_at = signed("time", fetch.at.get())?;
        let next_try = signed("time", fetch.next_try.get())?;
        let newest = self.newest_version(id).await?;
        let hash = fetch.content.map(|(hash, _)| hash);
        // A clock that went back changes nothing of what held as of a time.
        let seen = newest.as_ref().map_or(fetch.at, |newest| newest.checked_at.max(fetch.at));
        let at = signed("time", seen.get())?;
        let same = newest.filter(|newest| {
            let before = newest.content.as_ref().map(|(hash, _)| *hash);
            let spoke = newest.is_proven || seen.get() - newest.checked_at.get() <= KEPT_S;
            before == hash && newest.is_proven == fetch.is_proven && spoke
        });
        if let Some(same) = &same {
            let seq = signed("version", same.seq)?;
            on_engine!(self, conn => sqlx::query(VERSION_SEEN)
                .bind(seq).bind(at).execute(conn).await.map(drop))?;
        } else {
            if let Some((hash, body)) = fetch.content {
                on_engine!(self, conn => sqlx::query(CONTENT_KEEP)
                    .bind(hash.to_vec()).bind(body).execute(conn).await.map(drop))?;
            }
            on_engine!(self, conn => sqlx::query(VERSION_INSERT)
                .bind(id.to_vec())
                .bind(hash.map(|hash| hash.to_vec()))
                .bind(at)
                .bind(i64::from(fetch.is_proven))
                .execute(conn).await.map(drop))?;
        }
        on_engine!(self, conn => sqlx::query(SOURCE_DONE)
            .bind(id.to_vec()).bind(tried_at).bind(next_try).execute(conn).await.map(drop))?;
        Ok(same.is_none())
    }

    /// Notes that a source could not be fetched, why, and when to try again.
    pub async fn note_fetch_failure(
        &mut self,
        id: B256,
        at: UnixSeconds,
        why: &str,
        next_try: UnixSeconds,
    ) -> Result<(), StorageError> {
        let (at, next_try) = (signed("time", at.get())?, signed("time", next_try.get())?);
        // A host's words may be in it, and PostgreSQL takes no NUL in a text.
        let why = why.replace('\0', "\u{fffd}");
        on_engine!(self, conn => sqlx::query(SOURCE_FAILED)
            .bind(id.to_vec()).bind(at).bind(next_try).bind(why.as_str())
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// What a source was last seen to have.
    pub async fn newest_version(&mut self, id: B256) -> Result<Option<FileVersion>, StorageError> {
        let row: Option<VersionRow> = on_engine!(self, conn => sqlx::query_as(VERSION_NEWEST)
            .bind(id.to_vec()).fetch_optional(conn).await)?;
        row.map(FileVersion::try_from).transpose()
    }

    /// What a source was last seen to have at a time or before; where its name proves its content, also what was seen later.
    pub async fn version_at(
        &mut self,
        id: B256,
        time: UnixSeconds,
    ) -> Result<Option<FileVersion>, StorageError> {
        let time = signed("time", time.get())?;
        let row: Option<VersionRow> = on_engine!(self, conn => sqlx::query_as(VERSION_AT)
            .bind(id.to_vec()).bind(time).fetch_optional(conn).await)?;
        row.map(FileVersion::try_from).transpose()
    }

    /// All that a source was seen to have, oldest first.
    pub async fn versions(
        &mut self,
        id: B256,
        after: u64,
        limit: u32,
    ) -> Result<Vec<FileVersion>, StorageError> {
        let after = signed("version", after)?;
        let rows: Vec<VersionRow> = on_engine!(self, conn => sqlx::query_as(VERSIONS)
            .bind(id.to_vec()).bind(after).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(FileVersion::try_from).collect()
    }

    /// The number of the newest version of any source; 0 before the first.
    pub async fn last_version(&mut self) -> Result<u64, StorageError> {
        let seq: i64 = on_engine!(self, conn => sqlx::query_scalar(LAST_VERSION)
            .fetch_one(conn).await)?;
        Cell { table: "file_version", column: "seq", row: &"last" }.unsigned(seq)
    }

    /// Tells of the newest version of every source that got one after a number, in no order.
    pub async fn newest_versions_since(
        &mut self,
        after: u64,
        mut tell: impl FnMut(&Source, FileVersion),
    ) -> Result<(), StorageError> {
        let after = signed("version", after)?;
        on_engine!(self, conn => {
            let mut rows = sqlx::query_as::<_, NewestRow>(NEWEST_SINCE).bind(after).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                let (source, version) = row.read()?;
                tell(&source, version);
            }
        });
        Ok(())
    }
}
