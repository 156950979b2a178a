//! One committed state of the record in memory, as far as look-ups by wallet and agents' documents need it.
//!
//! It is read in one transaction and changed all at once, so that an answer from it never mixes two states and never shows what was not
//! committed. [`ModelKeeper`] holds it and keeps it in step with the database, whoever writes there.

mod blocks;
mod keeper;

pub use blocks::{Known, NewestBlocks};
pub use keeper::ModelKeeper;

use std::sync::Arc;

use alloy::primitives::B256;

use super::files::seen;
use crate::did::claims::Seen;
use crate::did::shelf::Shelf;
use crate::did::version::DID_KEY;
use crate::identity::{Directory, EvidencedSpan, Roster, TimelineRef, WalletEntry};
use crate::registry::file::Source;
use crate::storage::{EntryNow, NamedBy, Revision, StorageError, Tags, Tx};
use crate::vocab::{AccountText, AgentId, BlockStamp, RegistryKind, RegistryRef};
use blocks::BLOCKS_MAX;

/// How many upgrades of one registry are looked at; a registry with more counts as unverified behind them.
const UPGRADES_MAX: u32 = 1000;
/// So much of what was shown of final wallets is kept, some 500 bytes each.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// A committed state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadModel {
    /// The identity registry.
    pub registry: RegistryRef,
    /// Its text form.
    pub registry_text: AccountText,
    /// The first block that any registry is read from.
    pub start_block: u64,
    /// The node's tags, and the cursor.
    pub tags: Tags,
    /// The last block applied.
    pub indexed: BlockStamp,
    /// Which code stood behind the identity registry, oldest first.
    pub implementations: Arc<[EvidencedSpan]>,
    /// Whose wallet every account is or was.
    pub directory: Directory,
    /// Who owns every agent, and which wallet speaks for it.
    pub roster: Roster,
    /// What every agent claims of itself.
    pub shelf: Shelf,
    /// The blocks that are held.
    pub blocks: NewestBlocks,
    /// How many records the log has.
    pub log_size: u64,
    revision: Revision,
    /// The newest version of any file that it knows.
    last_version: u64,
}

/// What has to happen to a model so that it is of the database's state.
#[derive(Debug)]
enum Change {
    /// Nothing: it is.
    None,
    /// The node has said something new of its blocks, or records were appended to the log; nothing was applied.
    Tags(Box<Tags>, u64),
    /// It goes back to a block, where that is lower than its cursor, and on from there.
    Onward(Box<Onward>),
    /// It has to be read anew.
    Anew,
}

/// What was committed after a block.
#[derive(Debug)]
struct Onward {
    after: u64,
    tags: Tags,
    indexed: BlockStamp,
    implementations: Arc<[EvidencedSpan]>,
    spans: Vec<EvidencedSpan>,
    /// Entries that were set above the block that it went back to, as they are now.
    again: Vec<(AgentId, NamedBy, Option<EntryNow>)>,
    entries: Vec<(NamedBy, EntryNow)>,
    seen: Vec<(B256, Seen)>,
    blocks: Vec<BlockStamp>,
    log_size: u64,
    revision: Revision,
    last_version: u64,
}

/// Which code stood behind the identity registry.
async fn implementations(tx: &mut Tx) -> Result<Arc<[EvidencedSpan]>, StorageError> {
    let timeline = TimelineRef::Implementation(RegistryKind::Identity);
    Ok(tx.timeline(timeline, None, UPGRADES_MAX).await?.into())
}

impl Onward {
    async fn read(
        tx: &mut Tx,
        after: u64,
        (undone_uris, undone_dids): (Vec<AgentId>, Vec<AgentId>),
        standing: &Standing,
        now: &Standing,
    ) -> Result<Self, StorageError> {
        let Standing { tags, indexed, log_size, revision, last_version } = *now;
        let implementations = implementations(tx).await?;
        let mut spans = Vec::new();
        let tell = |span: &EvidencedSpan| spans.push(span.clone());
        tx.holder_spans_changed(Some(after), indexed.block.number, tell).await?;
        let mut again = Vec::new();
        for (agents, by) in [(undone_uris, NamedBy::Uri), (undone_dids, NamedBy::Did)] {
            for agent in agents {
                again.push((agent, by, tx.entry_now(agent, by, DID_KEY).await?));
            }
        }
        let mut entries = Vec::new();
        let through = indexed.block.number;
        let tell = |by, entry| entries.push((by, entry));
        tx.entries_begun(DID_KEY, Some(after), through, tell).await?;
        let mut files = Vec::new();
        if last_version != standing.last_version {
            let tell = |source: &Source, version| files.push((source.id(), seen(source, version)));
            tx.newest_versions_since(standing.last_version, tell).await?;
        }
        let blocks = tx.newest_blocks(Some(after), BLOCKS_MAX).await?;
        Ok(Self {
            after,
            tags,
            indexed,
            implementations,
            spans,
            again,
            entries,
            seen: files,
            blocks,
            log_size,
            revision,
            last_version,
        })
    }
}

impl ReadModel {
    /// Reads the whole state; `None` before the first block.
    async fn read(tx: &mut Tx) -> Result<Option<Self>, StorageError> {
        let Some(binding) = tx.binding().await? else { return Ok(None) };
        let Some(identity) = binding.registry(RegistryKind::Identity) else { return Ok(None) };
        let tags = tx.tags().await?;
        let Some(indexed) = tags.indexed else { return Ok(None) };
        let revision = tx.revision().await?;
        let mut model = Self {
            registry: identity.at,
            registry_text: identity.at.to_text(),
            start_block: binding.start_block(),
            tags,
            indexed,
            implementations: implementations(tx).await?,
            directory: Directory::keeping(KEPT_BYTES_MAX),
            roster: Roster::default(),
            shelf: Shelf::default(),
            blocks: NewestBlocks::default(),
            log_size: tx.log_size().await?,
            revision,
            last_version: tx.last_version().await?,
        };
        // As they come: so many spans are not held twice.
        let tell = |span: &EvidencedSpan| model.put(span);
        tx.holder_spans_changed(None, indexed.block.number, tell).await?;
        let tell = |by, entry: EntryNow| model.put_entry(by, &entry);
        tx.entries_begun(DID_KEY, None, indexed.block.number, tell).await?;
        let tell = |source: &Source, version| {
            model.shelf.put_seen(source.id(), seen(source, version));
        };
        tx.newest_versions_since(0, tell).await?;
        model.blocks.extend(tx.newest_blocks(None, BLOCKS_MAX).await?);
        Ok(Some(model))
    }

    /// What happened since this state, as it stands in one transaction.
    ///
    /// `set_after` names the agents of the model whose URI, and those whose metadata entry, was set after the end of a block.
    async fn since(
        standing: &Standing,
        tx: &mut Tx,
        set_after: impl Fn(u64) -> (Vec<AgentId>, Vec<AgentId>),
    ) -> Result<Change, StorageError> {
        let (revision, tags) = (tx.revision().await?, tx.tags().await?);
        let Some(indexed) = tags.indexed else { return Ok(Change::Anew) };
        let is_going_back = revision.reorgs < standing.revision.reorgs;
        if revision.rewrites != standing.revision.rewrites || is_going_back {
            return Ok(Change::Anew);
        }
        let last_version = tx.last_version().await?;
        let is_read = last_version == standing.last_version;
        let log_size = tx.log_size().await?;
        if revision == standing.revision && indexed == standing.indexed && is_read {
            let is_same = tags == standing.tags && log_size == standing.log_size;
            return Ok(if is_same { Change::None } else { Change::Tags(Box::new(tags), log_size) });
        }
        let mine = standing.indexed.block.number;
        let base = match tx.lowest_ancestor_since(standing.revision.reorgs).await? {
            Some(ancestor) => ancestor.min(mine),
            // Nothing was undone, so this state is one that the database went through; or else it is another database.
            None if tx.block_at(mine).await?.map(|held| held.stamp) == Some(standing.indexed) => {
                mine
            }
            None => return Ok(Change::Anew),
        };
        let undone = if base < mine { set_after(base) } else { Default::default() };
        let now = Standing { tags, indexed, log_size, revision, last_version };
        Ok(Change::Onward(Box::new(Onward::read(tx, base, undone, standing, &now).await?)))
    }

    /// Goes back to the block that a change begins after, and on to where it ends.
    fn go_on(&mut self, onward: Onward) {
        if onward.after < self.indexed.block.number {
            self.directory.revert_to(onward.after);
            self.roster.revert_to(onward.after);
            self.blocks.revert_to(onward.after);
        }
        for span in &onward.spans {
            self.put(span);
        }
        for (agent, by, now) in &onward.again {
            match (by, now) {
                (_, Some(entry)) => self.put_entry(*by, entry),
                (NamedBy::Uri, None) => self.shelf.remove(*agent),
                (NamedBy::Did, None) => self.shelf.put_did(*agent, None),
            }
        }
        for (by, entry) in &onward.entries {
            self.put_entry(*by, entry);
        }
        for (source, seen) in onward.seen {
            self.shelf.put_seen(source, seen);
        }
        self.last_version = onward.last_version;
        self.log_size = onward.log_size;
        self.blocks.extend(onward.blocks);
        if self.implementations != onward.implementations {
            // What is shown of a span says whether it rests on known code.
            self.directory.forget_kept();
            self.implementations = onward.implementations;
        }
        (self.tags, self.indexed, self.revision) = (onward.tags, onward.indexed, onward.revision);
    }

    /// Takes in a span of an owner's or a wallet's timeline.
    fn put(&mut self, span: &EvidencedSpan) {
        self.roster.put(&span.record);
        if let Some((account, entry)) = WalletEntry::of(span) {
            self.directory.put(account, entry);
        }
    }

    /// Takes in an agent's URI or metadata entry.
    fn put_entry(&mut self, by: NamedBy, entry: &EntryNow) {
        match by {
            NamedBy::Uri => self.shelf.put_uri(entry.agent, &entry.value, entry.from_block),
            NamedBy::Did => {
                self.shelf.put_did(entry.agent, Some((entry.from_block, &entry.value)));
            }
        }
    }

    const fn standing(&self) -> Standing {
        let Self { tags, indexed, log_size, revision, last_version, .. } = *self;
        Standing { tags, indexed, log_size, revision, last_version }
    }
}

/// Where a model stands: enough to ask the database what happened since.
#[derive(Clone, Copy, Debug)]
struct Standing {
    tags: Tags,
    indexed: BlockStamp,
    log_size: u64,
    revision: Revision,
    last_version: u64,
}
