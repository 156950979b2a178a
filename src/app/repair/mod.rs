//! Mends what an audit suspected, by asking the chain again.
//!
//! Where a suspicion points, the chain's finalized logs are read again and held against the record; each block in which they differ is
//! fetched whole. Then everything is written in one transaction: blocks and logs that were missing, logs taken out that the chain does
//! not have, the timelines folded anew, the node's tags. A crash leaves the record as it was, or mended. Two logs that differ at one
//! place stop everything: one of the two is a lie, and nobody here can tell which.
//!
//! What lies above the finalized block is left alone: it may still be replaced, and following will see to it. Nobody may follow into
//! the database meanwhile; the caller holds the follower's lock.

mod search;
mod write;

use super::audit::{Suspects, Told};
use super::error::During;
use super::{AppError, ingest};
use crate::chain::{BlockTag, ChainSource, ChainTags, FollowerOptions, LogFilter, Reread};
use crate::identity::TimelineRef;
use crate::registry::KnownImplementations;
use crate::storage::{Binding, Database, Observation, ObservedSubject, StorageError, Tags, Tx};
use crate::vocab::{AgentId, BlockRef, Header, RawLog, RegistryKind};

/// At most so many logs are fetched at once; the rest is left for another time.
const LOGS_MAX: usize = 100_000;

/// What is mended, and by whose word.
#[derive(Debug)]
pub struct Repair<'a, S> {
    /// The record.
    pub database: &'a Database,
    /// The node.
    pub source: &'a S,
    /// The logs that were asked for when following.
    pub filter: &'a LogFilter,
    /// How ranges are asked for, and what may pass is waited out.
    pub options: &'a FollowerOptions,
    /// Whose events need no asking.
    pub known: &'a KnownImplementations,
}

/// What was mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// What was done, one thing each; nothing where nothing was changed.
    pub done: Vec<String>,
    /// What could not be done, and why.
    pub left: Vec<String>,
}

/// A block as the chain has it.
#[derive(Debug)]
struct Fetched {
    header: Header,
    logs: Vec<RawLog>,
    observations: Vec<Observation>,
}

/// Where the record and the node stand.
#[derive(Debug)]
struct Ground {
    binding: Binding,
    /// As recorded.
    tags: Tags,
    /// As the node has them now.
    node: ChainTags,
    /// The last block that may be mended.
    limit: u64,
}

/// Looks into all suspects, and mends what the chain has otherwise.
///
/// # Errors
/// When the node or the database fails, or the record contradicts the chain in a way that cannot be mended. Nothing has changed then.
pub async fn repair<S: ChainSource>(
    of: &Repair<'_, S>,
    suspects: &Suspects,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Repaired, AppError> {
    let mut repaired = Repaired::default();
    let ground = of.ground().await?;
    let blocks = search::blocks(of, &ground, suspects, &mut repaired, told).await?;
    let total = u64::try_from(blocks.len()).unwrap_or(u64::MAX);
    let mut reread = Reread::new(of.source, of.options);
    let mut fetched = Vec::new();
    let mut log_count = 0;
    for (number, done) in blocks.into_iter().zip(1..) {
        if log_count > LOGS_MAX {
            repaired.left.push(format!("blocks from {number} on: run it again for the rest"));
            break;
        }
        let during = || format!("cannot fetch block {number}");
        let Some((header, logs)) = reread.block(of.filter, number).await.during(during)? else {
            repaired.left.push(format!("block {number}: the node does not have it"));
            continue;
        };
        log_count += logs.len();
        // Where the code's own timeline is in doubt, so is what had to be asked: that shows in the next audit.
        let observations = if suspects.codes {
            Vec::new()
        } else {
            of.observe(&ground.binding, header.block, &logs).await?
        };
        fetched.push(Fetched { header, logs, observations });
        told(Told { doing: "fetching blocks", done, of: total });
    }
    let answers = of.answers(&ground, suspects, &fetched, &mut repaired).await?;
    let found = write::Found { blocks: fetched, answers };
    write::all(of.database, &ground, suspects, &found, &mut repaired, told).await?;
    Ok(repaired)
}

impl<S: ChainSource> Repair<'_, S> {
    /// Where record and node stand; they must be of one chain.
    async fn ground(&self) -> Result<Ground, AppError> {
        let during = || "cannot read where the record stands".to_owned();
        let mut tx = self.database.begin_read().await.during(during)?;
        let binding = tx.binding().await.during(during)?.ok_or(AppError::NothingIndexed)?;
        let tags = tx.tags().await.during(during)?;
        let highest =
            tx.block_before(u64::MAX).await.during(during)?.ok_or(AppError::NothingIndexed)?;
        let held = match tags.finalized {
            Some(last) => tx.block_at(last.block.number).await.during(during)?,
            None => None,
        };
        let held = held.map(|held| held.stamp.block);
        drop(tx);
        let during = || "cannot reach the node".to_owned();
        let mut reread = Reread::new(self.source, self.options);
        let found = reread.patiently(async |s| s.chain_id().await).await.during(during)?;
        if found != binding.chain {
            return Err(AppError::WrongChain { expected: binding.chain, found });
        }
        let node = reread.patiently(async |s| s.tags().await).await.during(during)?;
        let Some(last) = &node.finalized else {
            return Err(AppError::NothingFinal);
        };
        let cursor = tags.indexed.unwrap_or(highest.stamp).block.number;
        let limit = last.block.number.min(cursor);
        if let Some(ours) = tags.finalized.map(|stamp| stamp.block) {
            let tag = BlockTag::Number(ours.number);
            let header = reread.patiently(async |s| s.header(tag).await).await.during(during)?;
            let theirs = header.map(|header| header.block);
            // Where the block that is held is the node's, it is only the tag that is wrong.
            if theirs != Some(ours) && (theirs.is_none() || theirs != held) {
                let show = |block: BlockRef| format!("block {block}");
                return Err(AppError::Contradiction {
                    place: format!("finalized block {}", ours.number),
                    ours: show(ours),
                    theirs: theirs.map_or("not there".to_owned(), show),
                });
            }
        }
        Ok(Ground { binding, tags, node, limit })
    }

    /// Under code that is not known, asks for the wallets of the agents that some logs of a block speak of, where none was asked for.
    async fn observe(
        &self,
        binding: &Binding,
        block: BlockRef,
        logs: &[RawLog],
    ) -> Result<Vec<Observation>, AppError> {
        let Some(identity) = binding.registry(RegistryKind::Identity) else {
            return Ok(Vec::new());
        };
        let agents: std::collections::BTreeSet<AgentId> = logs
            .iter()
            .filter_map(|log| super::decoded::DecodedLog::read(log, binding)?.mention()?.agent)
            .collect();
        let during = || format!("cannot read what was asked at block {block}");
        let missing = self.unasked(agents, block.number).await.during(during)?;
        let mut observations = Vec::new();
        for agent in missing {
            let address = identity.at.address;
            let answer = ingest::ask_for_wallet(self.source, address, agent, block).await?;
            let subject = ObservedSubject::Wallet(agent);
            observations.push(Observation { block, subject, answer });
        }
        Ok(observations)
    }

    /// Asks what was not asked, of blocks that are final and held; what is asked with a block that is fetched is left to that.
    async fn answers(
        &self,
        ground: &Ground,
        suspects: &Suspects,
        fetched: &[Fetched],
        repaired: &mut Repaired,
    ) -> Result<Vec<Observation>, AppError> {
        let Some(identity) = ground.binding.registry(RegistryKind::Identity) else {
            return Ok(Vec::new());
        };
        let mut answers = Vec::new();
        if suspects.codes {
            return Ok(answers);
        }
        for (number, agent) in &suspects.questions {
            let during = || format!("cannot read block {number}");
            let mut tx = self.database.begin_read().await.during(during)?;
            let held = tx.block_at(*number).await.during(during)?;
            drop(tx);
            let subject = ObservedSubject::Wallet(*agent);
            let is_asked = |o: &Observation| o.block.number == *number && o.subject == subject;
            if fetched.iter().any(|block| block.observations.iter().any(is_asked)) {
                continue;
            }
            let Some(held) = held.filter(|_| *number <= ground.limit) else {
                let left = format!("the wallet of agent {agent} at block {number}: not final yet");
                repaired.left.push(left);
                continue;
            };
            let (address, block) = (identity.at.address, held.stamp.block);
            let answer = ingest::ask_for_wallet(self.source, address, *agent, block).await?;
            answers.push(Observation { block, subject, answer });
        }
        Ok(answers)
    }

    async fn unasked(
        &self,
        agents: impl IntoIterator<Item = AgentId>,
        number: u64,
    ) -> Result<Vec<AgentId>, StorageError> {
        let mut tx: Tx = self.database.begin_read().await?;
        let code = TimelineRef::Implementation(RegistryKind::Identity);
        let code = tx.span_at(code, number).await?.and_then(|span| span.record.value.account());
        if code.is_some_and(|code| self.known.knows(RegistryKind::Identity, code)) {
            return Ok(Vec::new());
        }
        let mut missing = Vec::new();
        for agent in agents {
            let asked = tx.wallet_observed(agent, number).await?;
            if asked.is_none_or(|observation| observation.block.number != number) {
                missing.push(agent);
            }
        }
        Ok(missing)
    }
}
