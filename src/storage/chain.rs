//! Which chain this database follows, how far it is, and what happened on the way.

use sqlx::FromRow;

use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{BlockRef, BlockStamp, ChainId, RegistryKind, RegistryRef};

const CHAIN: &str = "SELECT chain_id, halted FROM chain";
const CHAIN_INSERT: &str = "INSERT INTO chain (chain_id) VALUES ($1)";
const CHAIN_HALT: &str = "UPDATE chain SET halted = $1";
const FOLLOWED: &str = "SELECT c.chain_id, r.address FROM chain c JOIN registry r ON r.kind = $1";
const REGISTRIES: &str = "SELECT kind, address, start_block FROM registry ORDER BY kind";
const REGISTRY_INSERT: &str =
    "INSERT INTO registry (kind, address, start_block) VALUES ($1, $2, $3)";
const TAGS: &str = "SELECT tag, number, hash, time FROM chain_tag";
const TAG_SET: &str = "
    INSERT INTO chain_tag (tag, number, hash, time) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tag) DO UPDATE
    SET number = excluded.number, hash = excluded.hash, time = excluded.time";
const REORG_INSERT: &str = "
    INSERT INTO reorg (seq, ancestor_number, ancestor_hash, orphaned_number, orphaned_hash)
    SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4 FROM reorg";
const EVERYTHING: [&str; 15] = [
    "DELETE FROM span",
    "DELETE FROM observation",
    "DELETE FROM registry_event",
    "DELETE FROM block",
    "DELETE FROM reorg",
    "DELETE FROM finding",
    "DELETE FROM file_mention",
    "DELETE FROM file_agent",
    "DELETE FROM file_version",
    "DELETE FROM file_content",
    "DELETE FROM file_source",
    "UPDATE file_progress SET through_block = NULL",
    "DELETE FROM chain_tag",
    "DELETE FROM registry",
    "DELETE FROM chain",
];
const REORGS_NEWEST: &str = "
    SELECT seq, ancestor_number, ancestor_hash, orphaned_number, orphaned_hash
    FROM reorg ORDER BY seq DESC LIMIT $1";

/// A contract that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Which of the three it is.
    pub kind: RegistryKind,
    /// Where it is.
    pub at: RegistryRef,
    /// The first block in which it can have said anything.
    pub start_block: u64,
}

/// What a database is bound to from its first use on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The chain.
    pub chain: ChainId,
    /// The registries, in the order of their kinds.
    pub registries: Vec<Registry>,
}

impl Binding {
    /// The registry of a kind, where one is followed.
    #[must_use]
    pub fn registry(&self, kind: RegistryKind) -> Option<&Registry> {
        self.registries.iter().find(|registry| registry.kind == kind)
    }

    /// The first block that any registry is read from.
    #[must_use]
    pub fn start_block(&self) -> u64 {
        self.registries.iter().map(|registry| registry.start_block).min().unwrap_or_default()
    }

    fn describe(&self) -> String {
        let registries: Vec<_> = self
            .registries
            .iter()
            .map(|r| format!("{} {} from block {}", r.kind.as_str(), r.at.address, r.start_block))
            .collect();
        format!("{} ({})", self.chain, registries.join(", "))
    }
}

/// Why the writer stopped for good: what it saw, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt(pub String);

/// The node's tags as last heard, and the cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// The last block applied: the cursor.
    pub indexed: Option<BlockStamp>,
    /// The node's head.
    pub head: Option<BlockStamp>,
    /// The node's safe block.
    pub safe: Option<BlockStamp>,
    /// The node's finalized block.
    pub finalized: Option<BlockStamp>,
}

impl Tags {
    fn named(&self) -> [(&'static str, Option<BlockStamp>); 4] {
        [
            ("indexed", self.indexed),
            ("head", self.head),
            ("safe", self.safe),
            ("finalized", self.finalized),
        ]
    }
}

/// A reorganisation that was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorg {
    /// Its number, from 1.
    pub seq: u64,
    /// The last block that both chains share.
    pub ancestor: BlockRef,
    /// The last block that was undone.
    pub orphaned: BlockRef,
}

#[derive(FromRow)]
struct ChainRow {
    chain_id: i64,
    halted: Option<String>,
}

#[derive(FromRow)]
struct RegistryRow {
    kind: String,
    address: Vec<u8>,
    start_block: i64,
}

#[derive(FromRow)]
struct TagRow {
    tag: String,
    number: i64,
    hash: Vec<u8>,
    time: i64,
}

#[derive(FromRow)]
struct ReorgRow {
    seq: i64,
    ancestor_number: i64,
    ancestor_hash: Vec<u8>,
    orphaned_number: i64,
    orphaned_hash: Vec<u8>,
}

impl Tx {
    /// What this database is bound to; `None` before its first use.
    pub async fn binding(&mut self) -> Result<Option<Binding>, StorageError> {
        let Some(chain) = self.chain_row().await? else { return Ok(None) };
        let cell = Cell { table: "chain", column: "chain_id", row: &chain.chain_id };
        let chain = ChainId(cell.unsigned(chain.chain_id)?);
        let rows: Vec<RegistryRow> =
            on_engine!(self, conn => sqlx::query_as(REGISTRIES).fetch_all(conn).await)?;
        let registries = rows
            .into_iter()
            .map(|row| {
                let cell = |column| Cell { table: "registry", column, row: &row.kind };
                Ok(Registry {
                    kind: RegistryKind::from_word(&row.kind).ok_or_else(|| cell("kind").wrong())?,
                    at: RegistryRef { chain, address: cell("address").address(&row.address)? },
                    start_block: cell("start_block").unsigned(row.start_block)?,
                })
            })
            .collect::<Result<_, StorageError>>()?;
        Ok(Some(Binding { chain, registries }))
    }

    /// Where the registry of a kind is that is followed, if one is.
    pub async fn followed_registry(
        &mut self,
        kind: RegistryKind,
    ) -> Result<Option<RegistryRef>, StorageError> {
        let row: Option<(i64, Vec<u8>)> = on_engine!(self, conn => sqlx::query_as(FOLLOWED)
            .bind(kind.as_str()).fetch_optional(conn).await)?;
        let read = |(chain, address): (i64, Vec<u8>)| {
            let cell = Cell { table: "registry", column: "address", row: &chain };
            let chain = ChainId(cell.unsigned(chain)?);
            Ok(RegistryRef { chain, address: cell.address(&address)? })
        };
        row.map(read).transpose()
    }

    /// Binds a new database, or checks that it is bound to just this.
    ///
    /// # Errors
    /// [`StorageError::OtherChain`] where it is bound to something else.
    pub async fn bind(&mut self, binding: &Binding) -> Result<(), StorageError> {
        if let Some(stored) = self.binding().await? {
            let mut configured = binding.clone();
            configured.registries.sort_by_key(|r| r.kind.as_str());
            if stored == configured {
                return Ok(());
            }
            return Err(StorageError::OtherChain {
                stored: stored.describe(),
                configured: configured.describe(),
            });
        }
        let chain_id = signed("chain id", binding.chain.0)?;
        on_engine!(self, conn => sqlx::query(CHAIN_INSERT).bind(chain_id).execute(conn).await.map(drop))?;
        for registry in &binding.registries {
            let start_block = signed("start block", registry.start_block)?;
            on_engine!(self, conn => sqlx::query(REGISTRY_INSERT)
                .bind(registry.kind.as_str())
                .bind(registry.at.address.as_slice())
                .bind(start_block)
                .execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Empties a database that is bound to just this, or to nothing.
    ///
    /// # Errors
    /// [`StorageError::OtherChain`] where it is bound to something else; nothing is forgotten then.
    pub async fn forget_everything_of(&mut self, binding: &Binding) -> Result<(), StorageError> {
        self.bind(binding).await?;
        for statement in EVERYTHING {
            on_engine!(self, conn => sqlx::query(statement).execute(conn).await.map(drop))?;
        }
        self.note_rewrite().await
    }

    /// Why the writer stopped for good, if it did.
    pub async fn halt(&mut self) -> Result<Option<Halt>, StorageError> {
        Ok(self.chain_row().await?.and_then(|row| row.halted).map(Halt))
    }

    /// Says why the writer stopped, or that it goes on again.
    pub async fn set_halt(&mut self, halt: Option<&Halt>) -> Result<(), StorageError> {
        // A node's words may be in it, and PostgreSQL takes no NUL in a text.
        let reason = halt.map(|halt| halt.0.replace('\0', "\u{fffd}"));
        on_engine!(self, conn => sqlx::query(CHAIN_HALT).bind(reason).execute(conn).await.map(drop))?;
        Ok(())
    }

    async fn chain_row(&mut self) -> Result<Option<ChainRow>, StorageError> {
        Ok(on_engine!(self, conn => sqlx::query_as(CHAIN).fetch_optional(conn).await)?)
    }

    /// The node's tags as last heard, and the cursor.
    pub async fn tags(&mut self) -> Result<Tags, StorageError> {
        let rows: Vec<TagRow> =
            on_engine!(self, conn => sqlx::query_as(TAGS).fetch_all(conn).await)?;
        let mut tags = Tags::default();
        for row in rows {
            let cell = |column| Cell { table: "chain_tag", column, row: &row.tag };
            let stamp = BlockStamp {
                block: BlockRef {
                    number: cell("number").unsigned(row.number)?,
                    hash: cell("hash").hash(&row.hash)?,
                },
                time: cell("time").time(row.time)?,
            };
            match row.tag.as_str() {
                "indexed" => tags.indexed = Some(stamp),
                "head" => tags.head = Some(stamp),
                "safe" => tags.safe = Some(stamp),
                "finalized" => tags.finalized = Some(stamp),
                _ => return Err(cell("tag").wrong()),
            }
        }
        Ok(tags)
    }

    /// Moves the tags that are given; one that is absent stays as it was.
    pub async fn set_tags(&mut self, tags: &Tags) -> Result<(), StorageError> {
        for (tag, stamp) in tags.named() {
            let Some(stamp) = stamp else { continue };
            let number = signed("block number", stamp.block.number)?;
            let time = signed("block time", stamp.time.get())?;
            on_engine!(self, conn => sqlx::query(TAG_SET)
                .bind(tag)
                .bind(number)
                .bind(stamp.block.hash.as_slice())
                .bind(time)
                .execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Remembers a reorganisation.
    pub(super) async fn insert_reorg(
        &mut self,
        ancestor: BlockRef,
        orphaned: BlockRef,
    ) -> Result<(), StorageError> {
        let ancestor_number = signed("block number", ancestor.number)?;
        let orphaned_number = signed("block number", orphaned.number)?;
        on_engine!(self, conn => sqlx::query(REORG_INSERT)
            .bind(ancestor_number)
            .bind(ancestor.hash.as_slice())
            .bind(orphaned_number)
            .bind(orphaned.hash.as_slice())
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The newest reorganisations, newest first.
    pub async fn reorgs(&mut self, limit: u32) -> Result<Vec<Reorg>, StorageError> {
        let rows: Vec<ReorgRow> = on_engine!(self, conn => sqlx::query_as(REORGS_NEWEST)
            .bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter()
            .map(|row| {
                let cell = |column| Cell { table: "reorg", column, row: &row.seq };
                Ok(Reorg {
                    seq: cell("seq").unsigned(row.seq)?,
                    ancestor: BlockRef {
                        number: cell("ancestor_number").unsigned(row.ancestor_number)?,
                        hash: cell("ancestor_hash").hash(&row.ancestor_hash)?,
                    },
                    orphaned: BlockRef {
                        number: cell("orphaned_number").unsigned(row.orphaned_number)?,
                        hash: cell("orphaned_hash").hash(&row.orphaned_hash)?,
                    },
                })
            })
            .collect()
    }
}
