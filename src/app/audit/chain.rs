//! The record beside the chain: is it the same chain, are there as many agents, does the contract say the same of them, are all logs held?
//!
//! All is asked as of one block: the last one applied that is final, where what was true stays true while this runs. Where a node cannot
//! say, the check says so, which is no "right". Agents and ranges of logs are sampled by a seed, or all of them are looked at.

use std::ops::RangeInclusive;

use alloy::primitives::Address;
use futures_util::{StreamExt, stream};

use super::contract::Contract;
use super::{Audited, Checked, Suspects, Told, Verdict};
use crate::app::AppError;
use crate::app::error::During;
use crate::chain::retry::Jitter;
use crate::chain::{
    BlockTag, ChainError, ChainSource, FollowerOptions, LogFilter, Reread, TopicWords,
};
use crate::registry::KnownImplementations;
use crate::storage::{Binding, Database, StorageError, StoredEvent, Tx};
use crate::vocab::{BlockRef, ChainId, RawLog, RegistryKind};

/// Of how many agents, and of how many ranges of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// So many, drawn by a seed.
    Drawn {
        /// How many.
        count: u64,
        /// The same seed draws the same.
        seed: u64,
    },
    /// All of them.
    All,
}

/// One in so many of the agents drawn is a range of logs drawn.
const AGENTS_PER_RANGE: u64 = 10;
/// So many ranges are on their way at once.
const RANGES_AT_ONCE: usize = 4;

impl Sample {
    /// The places out of `total` that are drawn, ascending.
    pub(super) fn places(self, total: u64, count: u64) -> Vec<u64> {
        match self {
            Self::Drawn { seed, .. } if count < total => {
                let mut draw = Jitter::new(seed);
                let mut places = std::collections::BTreeSet::new();
                // Floyd's way: as many draws as places, however many there are to choose from.
                for last in total - count..total {
                    let place = draw.draw() % (last + 1);
                    if !places.insert(place) {
                        places.insert(last);
                    }
                }
                places.into_iter().collect()
            }
            Self::Drawn { .. } | Self::All => (0..total).collect(),
        }
    }
}

/// What is asked, of whom, and how much.
#[derive(Debug)]
pub struct AgainstChain<'a, S> {
    /// The record.
    pub database: &'a Database,
    /// The node.
    pub source: &'a S,
    /// The logs that were asked for when following.
    pub filter: &'a LogFilter,
    /// How ranges are asked for, and what may pass is waited out.
    pub options: &'a FollowerOptions,
    /// Whose storage can be read.
    pub known: &'a KnownImplementations,
    /// How much.
    pub sample: Sample,
    /// At most so many calls in one batch.
    pub calls_per_batch: usize,
}

/// Checks the record against a node.
///
/// # Errors
/// When the database fails, or nothing was recorded; a difference is a value, and so is a node that cannot say.
pub async fn audit_against_chain<S: ChainSource>(
    asked: &AgainstChain<'_, S>,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Audited, AppError> {
    let during = || "cannot audit the record against the chain".to_owned();
    let mut tx = asked.database.begin_read().await.during(during)?;
    let (binding, identity, block) =
        audited_block(&mut tx).await.during(during)?.ok_or(AppError::NothingIndexed)?;
    drop(tx);
    let mut audited = Audited::default();
    let same = same_chain(asked, binding.chain, block).await;
    let go_on = same.verdict() == Verdict::Sound;
    audited.checks.push(same);
    if !go_on {
        return Ok(audited);
    }
    let contract = Contract { asked, identity, block };
    let highest = contract.highest(&mut audited.suspects).await?;
    audited.checks.push(highest);
    let answers = contract.answers(&mut audited.suspects, told).await?;
    audited.checks.push(answers);
    let start = binding.registries.iter().map(|registry| registry.start_block).min();
    let logs =
        logs(asked, (start.unwrap_or_default(), block.number), &mut audited.suspects, told).await?;
    audited.checks.push(logs);
    Ok(audited)
}

/// What is followed, the identity registry, and the block at which all is asked.
async fn audited_block(tx: &mut Tx) -> Result<Option<(Binding, Address, BlockRef)>, StorageError> {
    let Some(binding) = tx.binding().await? else { return Ok(None) };
    let tags = tx.tags().await?;
    let Some(indexed) = tags.indexed else { return Ok(None) };
    let finalized = tags.finalized.filter(|last| last.block.number < indexed.block.number);
    let block = finalized.unwrap_or(indexed).block;
    let identity = binding.registry(RegistryKind::Identity).map(|registry| registry.at.address);
    Ok(identity.map(|identity| (binding, identity, block)))
}

/// The node follows the chain that was recorded, up to the block at which it is asked.
async fn same_chain<S: ChainSource>(
    asked: &AgainstChain<'_, S>,
    chain: ChainId,
    block: BlockRef,
) -> Checked {
    let mut check = Checked::new("same-chain", format!("the node has block {block} of {chain}"));
    let mut reread = Reread::new(asked.source, asked.options);
    let found = async {
        let id = reread.patiently(async |source| source.chain_id().await).await?;
        let tag = BlockTag::Number(block.number);
        let header = reread.patiently(async |source| source.header(tag).await).await?;
        Ok::<_, ChainError>((id, header))
    };
    match found.await {
        Err(error) => check.unsaid = Some(error.to_string()),
        Ok((id, _)) if id != chain => check.offend(format!("the node follows {id}")),
        Ok((_, None)) => check.unsaid = Some("the node does not have that block".to_owned()),
        Ok((_, Some(header))) if header.block != block => {
            check.offend(format!("the node has block {} there", header.block));
        }
        Ok((_, Some(_))) => {}
    }
    check
}

/// The logs of the blocks from `start` to `end`, all or some ranges of them, are those that are held.
async fn logs<S: ChainSource>(
    asked: &AgainstChain<'_, S>,
    (start, end): (u64, u64),
    suspects: &mut Suspects,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<Checked, AppError> {
    let mut check = Checked::new("logs-held", "the node's logs are held, and no others");
    let size = asked.options.range_max.max(1);
    let ranges = (end.saturating_add(1).saturating_sub(start)).div_ceil(size);
    let count = match asked.sample {
        Sample::Drawn { count, .. } => count.div_ceil(AGENTS_PER_RANGE),
        Sample::All => ranges,
    };
    let places = asked.sample.places(ranges, count);
    let of = u64::try_from(places.len()).unwrap_or(u64::MAX);
    let blocks = |place: u64| {
        let from = start.saturating_add(place.saturating_mul(size));
        from..=from.saturating_add(size - 1).min(end)
    };
    let mut places = places.into_iter();
    let mut reread = Reread::new(asked.source, asked.options);
    let mut found = match places.next() {
        // The first teaches the size that the node bears.
        Some(first) => vec![range(asked, &mut reread, blocks(first)).await?],
        None => Vec::new(),
    };
    let rest: Vec<_> = places
        .map(|place| {
            let mut reread = reread.another();
            async move { range(asked, &mut reread, blocks(place)).await }
        })
        .collect();
    let mut rest = stream::iter(rest).buffered(RANGES_AT_ONCE);
    let mut done = 0;
    loop {
        for range in found.drain(..) {
            done += 1;
            check.look(range.looked_at);
            for (block, what) in range.differences {
                check.offend(what);
                suspects.block(block);
            }
            if let Some(error) = range.unsaid {
                check.unsaid = Some(error.to_string());
                return Ok(check);
            }
            told(Told { doing: "reading logs again, ranges", done, of });
        }
        let Some(next) = rest.next().await else { break };
        found.push(next?);
    }
    if ranges > of {
        check.note = Some(format!("{of} of {ranges} ranges of {size} blocks"));
    }
    Ok(check)
}

/// What came of reading a range of logs again.
#[derive(Default)]
struct RangeAgain {
    looked_at: usize,
    /// The block of each, and what differs.
    differences: Vec<(u64, String)>,
    /// Why the node could not say.
    unsaid: Option<ChainError>,
}

async fn range<S: ChainSource>(
    asked: &AgainstChain<'_, S>,
    reread: &mut Reread<'_, S>,
    blocks: RangeInclusive<u64>,
) -> Result<RangeAgain, AppError> {
    let mut found = RangeAgain::default();
    let (mut from, last) = (*blocks.start(), *blocks.end());
    while from <= last {
        let words = TopicWords::default();
        let theirs = match reread.logs_from(asked.filter, &words, from, last).await {
            Ok(answer) => answer,
            Err(error) => return Ok(RangeAgain { unsaid: Some(error), ..found }),
        };
        let through = theirs.end.block.number;
        let ours = {
            let during = || format!("cannot read the logs of blocks {from} to {through}");
            let mut tx = asked.database.begin_read().await.during(during)?;
            tx.events_in(from, through).await.during(during)?
        };
        found.looked_at += theirs.logs.len();
        differences(asked.filter, &ours, &theirs.logs, |block, what| {
            found.differences.push((block, what));
        });
        from = through.saturating_add(1);
    }
    Ok(found)
}

/// Tells of each log that only one side has, and of each that is another one on either.
pub(in crate::app) fn differences(
    filter: &LogFilter,
    ours: &[StoredEvent],
    theirs: &[RawLog],
    mut tell: impl FnMut(u64, String),
) {
    let asked_for = |log: &RawLog| {
        filter.topics.is_empty() || log.topics.first().is_some_and(|t| filter.topics.contains(t))
    };
    let mut ours = ours.iter().map(|event| &event.log).filter(|log| asked_for(log)).peekable();
    let mut theirs = theirs.iter().peekable();
    let place = |log: &RawLog| format!("log {} of block {}", log.log_index, log.block.number);
    loop {
        match (ours.peek(), theirs.peek()) {
            (None, None) => return,
            (Some(our), Some(their)) if our.position() == their.position() => {
                if !is_same(our, their) {
                    tell(our.block.number, format!("{} is another one at the node", place(our)));
                }
                ours.next();
                theirs.next();
            }
            (Some(our), their) if their.is_none_or(|t| our.position() < t.position()) => {
                tell(our.block.number, format!("{} is not at the node", place(our)));
                ours.next();
            }
            (_, Some(their)) => {
                tell(their.block.number, format!("{} is missing here", place(their)));
                theirs.next();
            }
            (Some(_), None) => unreachable!("without theirs, ours comes first"),
        }
    }
}

/// Whether two logs are one, in all but the time, which not every node gives.
pub(in crate::app) fn is_same(ours: &RawLog, theirs: &RawLog) -> bool {
    ours.block == theirs.block
        && ours.address == theirs.address
        && ours.tx_hash == theirs.tx_hash
        && ours.topics == theirs.topics
        && ours.data == theirs.data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_so_many_places_and_always_the_same() {
        let drawn = |count, seed| Sample::Drawn { count, seed }.places(1_000, count);
        let first = drawn(50, 7);
        assert_eq!(first.len(), 50);
        assert!(first.is_sorted() && first.iter().all(|place| *place < 1_000));
        assert_eq!(first, drawn(50, 7));
        assert_ne!(first, drawn(50, 8));
        assert_eq!(drawn(1_000, 7).len(), 1_000);
        assert_eq!(drawn(2_000, 7).len(), 1_000);
        assert_eq!(Sample::All.places(3, 0), [0, 1, 2]);
    }
}
