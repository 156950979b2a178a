//! Who names which source: agents by their URI and metadata, and files by what they hold. And how far the record was looked through.
//!
//! What stands here follows from spans and from what was fetched, and is made anew by looking through the record again.

use alloy::primitives::{B256, keccak256};
use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::{Revision, StorageError, Tx};
use crate::vocab::{AgentId, UnixSeconds};

// Bounded on both sides, so that SQLite takes the index of blocks.
const URIS_BEGUN: &str = "
    SELECT subject, value, from_block FROM span
    WHERE kind = 'uri' AND from_block > $1 AND from_block <= $2 AND to_block IS NULL";
const ENTRIES_BEGUN: &str = "
    SELECT subject, value, from_block FROM span
    WHERE kind = 'metadata' AND name = $3 AND from_block > $1 AND from_block <= $2
      AND to_block IS NULL";
const URI_NOW: &str = "
    SELECT subject, value, from_block FROM span
    WHERE kind = 'uri' AND subject = $1 AND to_block IS NULL";
const ENTRY_NOW: &str = "
    SELECT subject, value, from_block FROM span
    WHERE kind = 'metadata' AND subject = $1 AND name = $2 AND to_block IS NULL";
const AGENT_NAMES: &str = "
    INSERT INTO file_agent (agent, entry, source, from_block) VALUES ($1, $2, $3, $4)
    ON CONFLICT (agent, entry) DO UPDATE
    SET source = excluded.source, from_block = excluded.from_block";
const AGENT_NAMES_NOTHING: &str = "DELETE FROM file_agent WHERE agent = $1 AND entry = $2";
const NAMED_ABOVE: &str = "SELECT agent, entry FROM file_agent WHERE from_block > $1";
const IS_NAMED: &str = "
    SELECT 1 FROM file_agent WHERE source = $1
    UNION ALL
    SELECT 1 FROM file_mention m JOIN file_agent a ON a.source = m.source WHERE m.named = $1
    LIMIT 1";
const MENTIONS_FORGET: &str = "DELETE FROM file_mention WHERE source = $1";
const MENTION_INSERT: &str = "
    INSERT INTO file_mention (source, named) VALUES ($1, $2) ON CONFLICT (source, named) DO NOTHING";
const PROGRESS: &str = "
    SELECT through_block, rewrites, reorgs, sources, read_sources, failing, waiting, counted_at
    FROM file_progress";
const PROGRESS_THROUGH: &str =
    "UPDATE file_progress SET through_block = $1, rewrites = $2, reorgs = $3";
const SOURCES_COUNT: &str = "
    SELECT COUNT(*), COALESCE(SUM(CASE WHEN tried_at IS NOT NULL AND failures = 0 THEN 1 ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN failures > 0 THEN 1 ELSE 0 END), 0),
           COALESCE(SUM(CASE WHEN next_try <= $1 THEN 1 ELSE 0 END), 0)
    FROM file_source";
const PROGRESS_COUNTED: &str = "
    UPDATE file_progress
    SET sources = $1, read_sources = $2, failing = $3, waiting = $4, counted_at = $5";

/// By which of its entries an agent names a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamedBy {
    /// Its URI.
    Uri,
    /// Its metadata entry `did`.
    Did,
}

impl NamedBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Did => "did",
        }
    }
}

/// An agent's URI or metadata entry as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryNow {
    /// Whose.
    pub agent: AgentId,
    /// The value: bytes of a stranger.
    pub value: Vec<u8>,
    /// The block in which it was set.
    pub from_block: u64,
}

/// How far the record was looked through for URIs, and how fetching is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileProgress {
    /// The last block that was looked through; `None` before the first.
    pub through: Option<u64>,
    /// The record's revision then.
    pub revision: Revision,
    /// What was counted last.
    pub counts: SourceCounts,
    /// When it was counted; `None` where it never was.
    pub counted_at: Option<UnixSeconds>,
}

/// How many sources there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// All that were ever named.
    pub all: u64,
    /// Those whose last fetch succeeded.
    pub read: u64,
    /// Those whose last fetch failed.
    pub failing: u64,
    /// Those whose time has come.
    pub waiting: u64,
}

#[derive(FromRow)]
struct EntryRow {
    subject: String,
    value: Option<Vec<u8>>,
    from_block: i64,
}

impl TryFrom<EntryRow> for EntryNow {
    type Error = StorageError;

    fn try_from(row: EntryRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "span", column, row: &row.subject };
        Ok(Self {
            agent: parse_agent(&row.subject).ok_or_else(|| cell("subject").wrong())?,
            value: row.value.unwrap_or_default(),
            from_block: cell("from_block").unsigned(row.from_block)?,
        })
    }
}

#[derive(FromRow)]
struct ProgressRow {
    through_block: Option<i64>,
    rewrites: i64,
    reorgs: i64,
    sources: i64,
    read_sources: i64,
    failing: i64,
    waiting: i64,
    counted_at: Option<i64>,
}

impl Tx {
    /// Tells of every URI that is in force at the end of `through` and was set after the end of another block, in no order; and of
    /// every metadata entry of a key. After nothing: of all.
    pub async fn entries_begun(
        &mut self,
        key: &[u8],
        after: Option<u64>,
        through: u64,
        mut tell: impl FnMut(NamedBy, EntryNow),
    ) -> Result<(), StorageError> {
        let after = after.map_or(Ok(-1), |number| signed("block number", number))?;
        let (through, key) = (signed("block number", through)?, keccak256(key).to_vec());
        on_engine!(self, conn => {
            let mut rows =
                sqlx::query_as::<_, EntryRow>(URIS_BEGUN).bind(after).bind(through).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                tell(NamedBy::Uri, row.try_into()?);
            }
        });
        on_engine!(self, conn => {
            let mut rows = sqlx::query_as::<_, EntryRow>(ENTRIES_BEGUN)
                .bind(after).bind(through).bind(key).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                tell(NamedBy::Did, row.try_into()?);
            }
        });
        Ok(())
    }

    /// An agent's URI or metadata entry of a key, as it is now.
    pub async fn entry_now(
        &mut self,
        agent: AgentId,
        by: NamedBy,
        key: &[u8],
    ) -> Result<Option<EntryNow>, StorageError> {
        let agent = agent_text(agent);
        let row: Option<EntryRow> = match by {
            NamedBy::Uri => on_engine!(self, conn => sqlx::query_as(URI_NOW)
                .bind(agent).fetch_optional(conn).await)?,
            NamedBy::Did => on_engine!(self, conn => sqlx::query_as(ENTRY_NOW)
                .bind(agent).bind(keccak256(key).to_vec()).fetch_optional(conn).await)?,
        };
        row.map(EntryNow::try_from).transpose()
    }

    /// Notes where an agent's entry leads from a block on; `None` where it leads nowhere.
    pub async fn set_agent_source(
        &mut self,
        agent: AgentId,
        by: NamedBy,
        leads: Option<(B256, u64)>,
    ) -> Result<(), StorageError> {
        let agent = agent_text(agent);
        let Some((source, from_block)) = leads else {
            on_engine!(self, conn => sqlx::query(AGENT_NAMES_NOTHING)
                .bind(agent).bind(by.as_str()).execute(conn).await.map(drop))?;
            return Ok(());
        };
        let from_block = signed("block number", from_block)?;
        on_engine!(self, conn => sqlx::query(AGENT_NAMES)
            .bind(agent).bind(by.as_str()).bind(source.to_vec()).bind(from_block)
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The entries that were noted to be set after the end of a block.
    pub async fn agent_sources_above(
        &mut self,
        block: u64,
    ) -> Result<Vec<(AgentId, NamedBy)>, StorageError> {
        let block = signed("block number", block)?;
        let rows: Vec<(String, String)> = on_engine!(self, conn => sqlx::query_as(NAMED_ABOVE)
            .bind(block).fetch_all(conn).await)?;
        let read = rows.iter().map(|(agent, entry)| {
            let cell = |column| Cell { table: "file_agent", column, row: agent };
            let by = [NamedBy::Uri, NamedBy::Did].into_iter().find(|by| by.as_str() == entry);
            let agent = parse_agent(agent).ok_or_else(|| cell("agent").wrong())?;
            Ok((agent, by.ok_or_else(|| cell("entry").wrong())?))
        });
        read.collect()
    }

    /// Whether an agent names a source, or a file of an agent does.
    pub async fn is_source_named(&mut self, source: B256) -> Result<bool, StorageError> {
        let found: Option<i32> = on_engine!(self, conn => sqlx::query_scalar(IS_NAMED)
            .bind(source.to_vec()).fetch_optional(conn).await)?;
        Ok(found.is_some())
    }

    /// Notes which sources the content of one names, in the place of those it named before.
    pub async fn set_mentions(&mut self, source: B256, named: &[B256]) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(MENTIONS_FORGET)
            .bind(source.to_vec()).execute(conn).await.map(drop))?;
        for named in named {
            on_engine!(self, conn => sqlx::query(MENTION_INSERT)
                .bind(source.to_vec()).bind(named.to_vec()).execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// How far the record was looked through, and what was counted last.
    pub async fn file_progress(&mut self) -> Result<FileProgress, StorageError> {
        let row: ProgressRow =
            on_engine!(self, conn => sqlx::query_as(PROGRESS).fetch_one(conn).await)?;
        let cell = |column| Cell { table: "file_progress", column, row: &"progress" };
        Ok(FileProgress {
            through: row.through_block.map(|n| cell("through_block").unsigned(n)).transpose()?,
            revision: Revision {
                rewrites: cell("rewrites").unsigned(row.rewrites)?,
                reorgs: cell("reorgs").unsigned(row.reorgs)?,
            },
            counts: SourceCounts {
                all: cell("sources").unsigned(row.sources)?,
                read: cell("read_sources").unsigned(row.read_sources)?,
                failing: cell("failing").unsigned(row.failing)?,
                waiting: cell("waiting").unsigned(row.waiting)?,
            },
            counted_at: row.counted_at.map(|t| cell("counted_at").time(t)).transpose()?,
        })
    }

    /// Says how far the record was looked through; `None` where it is to be looked through from its beginning.
    pub async fn set_file_progress(
        &mut self,
        through: Option<u64>,
        revision: Revision,
    ) -> Result<(), StorageError> {
        let through = through.map(|number| signed("block number", number)).transpose()?;
        let rewrites = signed("rewriting", revision.rewrites)?;
        let reorgs = signed("reorganisation", revision.reorgs)?;
        on_engine!(self, conn => sqlx::query(PROGRESS_THROUGH)
            .bind(through).bind(rewrites).bind(reorgs).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Counts the sources, and keeps the counts for whoever asks.
    pub async fn count_sources(&mut self, now: UnixSeconds) -> Result<SourceCounts, StorageError> {
        let now = signed("time", now.get())?;
        let (all, read, failing, waiting): (i64, i64, i64, i64) = on_engine!(self, conn =>
            sqlx::query_as(SOURCES_COUNT).bind(now).fetch_one(conn).await)?;
        on_engine!(self, conn => sqlx::query(PROGRESS_COUNTED)
            .bind(all).bind(read).bind(failing).bind(waiting).bind(now)
            .execute(conn).await.map(drop))?;
        Ok(self.file_progress().await?.counts)
    }
}
