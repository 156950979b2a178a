//! Looks through the record for URIs and DIDs that were set, and notes what they lead to.
//!
//! It goes on from where it left off. Where the chain was replaced it goes back to the common ancestor, and looks again at the agents
//! whose entries stood above it; where the record was rewritten it begins anew. Doing so twice is harmless.

use alloy::primitives::B256;

use crate::did::claims::{Leads, LeadsTo, Said, did_source, named_by_file};
use crate::did::version::DID_KEY;
use crate::did::web::WebHost;
use crate::registry::file::{Source, inline_id};
use crate::storage::{Database, EntryNow, NamedBy, StorageError, Tx};
use crate::vocab::{AgentId, UnixSeconds};

/// So many entries are written at once: whoever follows waits meanwhile.
const WRITTEN_AT_ONCE: usize = 200;
/// A cursor this many blocks behind the head is a backfill's: most of what it sets is replaced before it ends.
const BACKFILL_LAG: u64 = 256;
/// A source that was tried so recently is not fetched again because one more agent names it, in seconds.
const RECENT_S: u64 = 600;

/// Where an agent's entry leads.
struct Entry {
    agent: AgentId,
    by: NamedBy,
    /// The source, or the URI that holds its file; `None` where it leads to nothing that is fetched.
    leads: Option<(B256, u64)>,
    /// What is to be fetched.
    wanted: Vec<Source>,
    /// Whether what is wanted is named by the file in the URI rather than by the URI.
    is_inline: bool,
}

impl Entry {
    fn of(by: NamedBy, entry: &EntryNow, host: &WebHost) -> Self {
        let mut wanted = Vec::new();
        let mut inline = None;
        match by {
            NamedBy::Did => {
                let text = std::str::from_utf8(&entry.value).ok();
                wanted.extend(text.and_then(|did| did_source(did, host)));
            }
            NamedBy::Uri => match Leads::of(&entry.value).to {
                LeadsTo::Source(source) => wanted.push(source),
                LeadsTo::Inline(said) => {
                    wanted = named_by(&said, host);
                    inline = (!wanted.is_empty()).then(|| inline_id(&entry.value));
                }
                LeadsTo::Nothing => {}
            },
        }
        let source = inline.or_else(|| wanted.first().map(Source::id));
        let leads = source.map(|source| (source, entry.from_block));
        Self { agent: entry.agent, by, leads, wanted, is_inline: inline.is_some() }
    }

    async fn write(&self, tx: &mut Tx, now: UnixSeconds) -> Result<(), StorageError> {
        tx.set_agent_source(self.agent, self.by, self.leads).await?;
        want(tx, &self.wanted, now).await?;
        if let Some((source, _)) = self.leads.filter(|_| self.is_inline) {
            let named: Vec<_> = self.wanted.iter().map(Source::id).collect();
            tx.set_mentions(source, &named).await?;
        }
        Ok(())
    }
}

/// The sources that what was said names.
pub(super) fn named_by(said: &Said, host: &WebHost) -> Vec<Source> {
    match said {
        Said::File(Ok(file)) => named_by_file(file, host),
        Said::File(Err(_)) | Said::Domain(_) | Said::Did(_) | Said::Nothing => Vec::new(),
    }
}

/// Has sources fetched soon.
pub(super) async fn want(
    tx: &mut Tx,
    sources: &[Source],
    now: UnixSeconds,
) -> Result<(), StorageError> {
    let recently = UnixSeconds::new(now.get().saturating_sub(RECENT_S)).unwrap_or(now);
    for source in sources {
        tx.want_source(source, now, recently).await?;
    }
    Ok(())
}

/// Looks through what was recorded since the last time. Says how many entries it found; `None` while a backfill is under way.
pub(super) async fn scan(
    database: &Database,
    host: &WebHost,
    now: UnixSeconds,
) -> Result<Option<usize>, StorageError> {
    let mut tx = database.begin_read().await?;
    let (tags, progress) = (tx.tags().await?, tx.file_progress().await?);
    let Some(indexed) = tags.indexed.map(|stamp| stamp.block.number) else { return Ok(None) };
    let head = tags.head.map_or(indexed, |stamp| stamp.block.number);
    if head.saturating_sub(indexed) > BACKFILL_LAG {
        return Ok(None);
    }
    let revision = tx.revision().await?;
    let mut after = progress.through.filter(|_| revision.rewrites == progress.revision.rewrites);
    let mut entries = Vec::new();
    if let Some(through) = after {
        if revision.reorgs != progress.revision.reorgs
            && let Some(ancestor) = tx.lowest_ancestor_since(progress.revision.reorgs).await?
            && ancestor < through
        {
            after = Some(ancestor);
            for (agent, by) in tx.agent_sources_above(ancestor).await? {
                entries.push(match tx.entry_now(agent, by, DID_KEY).await? {
                    Some(entry) => Entry::of(by, &entry, host),
                    None => Entry { agent, by, leads: None, wanted: Vec::new(), is_inline: false },
                });
            }
        }
        if after.is_some_and(|after| after >= indexed) && revision == progress.revision {
            return Ok(Some(0));
        }
    }
    let tell = |by, entry: EntryNow| entries.push(Entry::of(by, &entry, host));
    tx.entries_begun(DID_KEY, after, indexed, tell).await?;
    drop(tx);
    for part in entries.chunks(WRITTEN_AT_ONCE) {
        let mut tx = database.begin_write().await?;
        for entry in part {
            entry.write(&mut tx, now).await?;
        }
        tx.commit().await?;
    }
    let mut tx = database.begin_write().await?;
    tx.set_file_progress(Some(indexed), revision).await?;
    tx.commit().await?;
    Ok(Some(entries.len()))
}
