//! Pieces of chain, put together from several answers that must agree with each other.
//!
//! A node behind one URL is often many backends that lag by different amounts, so each answer is held against the others: headers must
//! link, logs must carry the hash of their block's header. A contradiction is transient: asked again, the backends may agree.
//!
//! Nodes do leave logs out, mostly at the head. A block whose bloom claims a log of ours but that came without any is asked for again
//! a few times, at last in another way; then the empty answer is taken, because a bloom may claim too much.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Bloom, BloomInput};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::ChainError;
use super::source::{ChainSource, LogFilter};
use super::step::Stretch;
use super::window::follows;
use crate::vocab::{BlockRef, Header, RawLog};

/// How doubtful empty answers are treated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recheck {
    /// So often an empty answer is asked for again where the bloom claims otherwise.
    pub(crate) attempts: u32,
    /// The pause before each.
    pub(crate) delay: Duration,
}

/// A piece of chain that can be appended to the block `parent`.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) parent: Parent,
    /// How many ranges it was asked for in.
    pub(crate) ranges: u32,
    pub(crate) stretch: Stretch,
}

/// What a piece of chain names as the block before it.
pub(crate) type Parent = alloy::primitives::B256;

/// Fetches a range by block number: for blocks that do not change any more.
///
/// From `recent_from` on, all headers are fetched; below, only those of blocks whose logs have no time. If the range must be final, it
/// is so for the backend that answers, too: one that is behind may still be on a branch that was abandoned.
pub(crate) async fn range<S: ChainSource>(
    source: &S,
    filter: &LogFilter,
    (from, to): (u64, u64),
    recent_from: u64,
    must_be_final: bool,
    recheck: Recheck,
) -> Result<Fetched, ChainError> {
    let mut answer = source.logs_in(filter, from..=to).await?;
    let asked = || format!("blocks {from} to {to}");
    if must_be_final && !calls_final(answer.finalized.as_ref(), answer.end.block) {
        return Err(ChainError::contradiction(asked(), "they are not final for this backend"));
    }
    let mut numbers: BTreeSet<u64> = (from.max(recent_from)..=to).collect();
    numbers.extend(
        answer.logs.iter().filter(|log| log.block_time.is_none()).map(|log| log.block.number),
    );
    // The ends came with the logs.
    numbers.remove(&from);
    numbers.remove(&to);
    let numbers: Vec<u64> = numbers.into_iter().collect();
    let fetched = if numbers.is_empty() { Vec::new() } else { source.headers(&numbers).await? };

    let start_is_held = from >= recent_from
        || answer.logs.iter().any(|log| log.block.number == from && log.block_time.is_none());
    let mut headers: BTreeMap<u64, Header> =
        fetched.into_iter().map(|header| (header.block.number, header)).collect();
    if start_is_held {
        headers.insert(from, answer.start.clone());
    }
    headers.insert(to, answer.end.clone());
    check_links(headers.values()).map_err(|reason| ChainError::contradiction(asked(), reason))?;
    check_logs(&headers, &answer.logs)
        .map_err(|reason| ChainError::contradiction(asked(), reason))?;
    let with_logs: BTreeSet<u64> = answer.logs.iter().map(|log| log.block.number).collect();
    let mut left_out = Vec::new();
    for header in headers.values().filter(|h| h.block.number >= recent_from) {
        if !with_logs.contains(&header.block.number) && claims(&header.logs_bloom, filter) {
            left_out.extend(logs_of(source, filter, header, recheck).await?);
        }
    }
    if !left_out.is_empty() {
        // Asking again would meet the same answer for ever where the node's index of logs has a hole.
        tracing::warn!(
            logs = left_out.len(),
            "{}: logs were left out, and found by block",
            asked()
        );
        answer.logs.extend(left_out);
        answer.logs.sort_by_key(RawLog::position);
    }
    Ok(Fetched {
        parent: answer.start.parent_hash,
        ranges: 1,
        stretch: Stretch {
            from,
            through: answer.end,
            headers: headers.into_values().collect(),
            logs: answer.logs,
        },
    })
}

/// Fetches the logs of linked blocks, each by its hash: for blocks that may still be replaced.
pub(crate) async fn blocks<S: ChainSource>(
    source: &Arc<S>,
    filter: &Arc<LogFilter>,
    headers: Vec<Header>,
    concurrency: usize,
    recheck: Recheck,
) -> Result<Option<Fetched>, ChainError> {
    let (Some(first), Some(last)) = (headers.first().cloned(), headers.last().cloned()) else {
        return Ok(None);
    };
    let requests: Vec<_> = headers
        .iter()
        .map(|header| {
            let (source, filter, header) = (Arc::clone(source), Arc::clone(filter), header.clone());
            async move { logs_of(source.as_ref(), &filter, &header, recheck).await }
        })
        .collect();
    let logs: Vec<Vec<RawLog>> =
        stream::iter(requests).buffered(concurrency.max(1)).try_collect().await?;
    let logs: Vec<RawLog> = logs.into_iter().flatten().collect();
    let by_number: BTreeMap<u64, Header> =
        headers.iter().map(|header| (header.block.number, header.clone())).collect();
    check_logs(&by_number, &logs).map_err(|reason| {
        let asked = format!("blocks {} to {}", first.block.number, last.block.number);
        ChainError::contradiction(asked, reason)
    })?;
    let stretch = Stretch { from: first.block.number, through: last, headers, logs };
    Ok(Some(Fetched { parent: first.parent_hash, ranges: 1, stretch }))
}

/// The canonical headers of a run of blocks, each the parent of the next.
pub(crate) async fn linked<S: ChainSource>(
    source: &S,
    from: u64,
    to: u64,
) -> Result<Vec<Header>, ChainError> {
    let numbers: Vec<u64> = (from..=to).collect();
    let headers = source.headers(&numbers).await?;
    let complete = headers.iter().map(|header| header.block.number).eq(from..=to);
    let asked = || format!("headers {from} to {to}");
    if !complete {
        return Err(ChainError::contradiction(asked(), "other headers came than were asked for"));
    }
    check_links(headers.iter()).map_err(|reason| ChainError::contradiction(asked(), reason))?;
    Ok(headers)
}

/// The logs of one block, asked for again where its bloom claims some and none came.
pub(crate) async fn logs_of<S: ChainSource>(
    source: &S,
    filter: &LogFilter,
    header: &Header,
    recheck: Recheck,
) -> Result<Vec<RawLog>, ChainError> {
    for attempt in 0..=recheck.attempts {
        if attempt > 0 {
            tokio::time::sleep(recheck.delay).await;
        }
        let logs = source.logs_of(filter, header.block).await?;
        if !logs.is_empty() || !claims(&header.logs_bloom, filter) {
            return Ok(logs);
        }
    }
    // Once more in another way, which may be another node.
    let number = header.block.number;
    let answer = source.logs_again(filter, number..=number).await?;
    if answer.end.block != header.block {
        let asked = format!("block {number}");
        return Err(ChainError::contradiction(asked, "it was replaced while it was read"));
    }
    let logs = answer.logs;
    if logs.is_empty() {
        tracing::warn!(
            block.number = header.block.number,
            "the block's bloom claims a registry log, but the node has none; taken as a false claim"
        );
    }
    Ok(logs)
}

/// Whether a backend whose finalized block is `last` calls a block of its own final.
pub(crate) fn calls_final(last: Option<&Header>, block: BlockRef) -> bool {
    last.is_some_and(|last| last.block == block || last.block.number > block.number)
}

/// Headers of neighbouring numbers must be parent and child; gaps are allowed.
fn check_links<'a>(headers: impl Iterator<Item = &'a Header>) -> Result<(), String> {
    let mut last: Option<&Header> = None;
    for header in headers {
        if let Some(parent) = last
            && parent.block.number.checked_add(1) == Some(header.block.number)
            && !follows(parent.block, header)
        {
            return Err(format!("block {} does not extend {}", header.block, parent.block));
        }
        last = Some(header);
    }
    Ok(())
}

/// Logs of a block whose header is known carry its hash and, if any, its time.
pub(crate) fn check_logs(headers: &BTreeMap<u64, Header>, logs: &[RawLog]) -> Result<(), String> {
    for log in logs {
        let Some(header) = headers.get(&log.block.number) else { continue };
        if header.block.hash != log.block.hash {
            return Err(format!(
                "a log of block {} stands beside header {}",
                log.block, header.block
            ));
        }
        if log.block_time.is_some_and(|time| time != header.time) {
            return Err(format!("a log of block {} has another time than its header", log.block));
        }
    }
    Ok(())
}

/// Whether a bloom claims a log of the filter, and so sparsely that the claim means something.
///
/// On busy chains most bits of every bloom are set. A claim of an address and a topic is then right only by chance, and asking again
/// for every empty block would cost more than it finds.
pub(super) fn claims(bloom: &Bloom, filter: &LogFilter) -> bool {
    const HALF: u32 = 1_024;
    let set: u32 = bloom.0.iter().map(|byte| byte.count_ones()).sum();
    if set > HALF {
        return false;
    }
    let has = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
    filter.addresses.iter().any(|address| has(address.as_slice()))
        && (filter.topics.is_empty() || filter.topics.iter().any(|topic| has(topic.as_slice())))
}

/// Whether a block follows another one, where there is one.
pub(crate) fn extends(tip: Option<BlockRef>, from: u64, parent: Parent) -> bool {
    tip.is_none_or(|tip| tip.number.checked_add(1) == Some(from) && tip.hash == parent)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};

    use super::*;

    #[test]
    fn a_bloom_claims_only_what_went_into_it() {
        let filter = LogFilter {
            addresses: vec![Address::repeat_byte(1)],
            topics: vec![B256::repeat_byte(2), B256::repeat_byte(3)],
        };
        let mut bloom = Bloom::ZERO;
        assert!(!claims(&bloom, &filter));
        bloom.accrue(BloomInput::Raw(Address::repeat_byte(1).as_slice()));
        assert!(!claims(&bloom, &filter), "the address without a topic");
        bloom.accrue(BloomInput::Raw(B256::repeat_byte(3).as_slice()));
        assert!(claims(&bloom, &filter));
        assert!(!claims(&Bloom::repeat_byte(0xff), &filter), "a full bloom says nothing");
    }
}
