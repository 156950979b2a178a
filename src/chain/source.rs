//! What following asks of a chain.
//!
//! A node answers over JSON-RPC ([`rpc`](super::rpc)), several nodes answer as one ([`providers`](super::providers)), and in the tests a
//! scripted chain does. Nothing here says `pending`: a block
//! that may still change its hash is never asked for.

use std::future::Future;
use std::ops::RangeInclusive;

use alloy::primitives::{Address, B256, Bytes};

use super::parts::in_parts;
use super::{ChainError, ChainTags};
use crate::vocab::{BlockRef, ChainId, Finding, Header, RawLog};

/// What is asked for again is asked for in at most so many parts.
pub(super) const PARTS_MAX: u64 = 512;

/// Which block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTag {
    /// The node's head.
    Latest,
    /// The node's safe block.
    Safe,
    /// The node's finalized block.
    Finalized,
    /// The canonical block of a number.
    Number(u64),
    /// The block of a hash, canonical or not.
    Hash(B256),
}

/// Which logs are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// Emitted by any of these contracts.
    pub addresses: Vec<Address>,
    /// With any of these as first topic; empty for all.
    pub topics: Vec<B256>,
}

/// Words that logs must carry beside what a [`LogFilter`] says: of each topic after the first, any of these; none for whatever it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicWords(pub [Vec<B256>; 3]);

impl TopicWords {
    /// Whether a log carries them.
    #[must_use]
    pub fn are_in(&self, log: &RawLog) -> bool {
        let topics = log.topics.iter().skip(1).map(Some).chain(std::iter::repeat(None));
        self.0.iter().zip(topics).all(|(words, topic)| {
            words.is_empty() || topic.is_some_and(|topic| words.contains(topic))
        })
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }
}

/// What came of a read-only call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The contract's answer; empty where there is no code.
    Answered(Bytes),
    /// The contract refused: it has no such function, or nothing to say of what was asked.
    Reverted,
}

/// The logs of a range of blocks, and the headers that say how much they are worth, as the same backend knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeLogs {
    /// Ascending by position; each within the range, of the filter, and of one hash per block.
    pub logs: Vec<RawLog>,
    /// The first block of the range, whose parent must be the block before the range.
    pub start: Header,
    /// The last block of the range.
    pub end: Header,
    /// What the backend itself calls final: above it, it may still be on a branch that nobody else is on. Absent where it knows none.
    pub finalized: Option<Header>,
}

/// A chain that can be followed.
///
/// Every answer is checked for its form before it is returned: hashes that do not fit, logs out of range or order, and removed logs
/// are errors, never values.
pub trait ChainSource: Send + Sync {
    /// The chain's number.
    fn chain_id(&self) -> impl Future<Output = Result<ChainId, ChainError>> + Send;

    /// Head, safe and finalized block, as one backend knows them at one time. Safe and finalized are absent where it knows none.
    fn tags(&self) -> impl Future<Output = Result<ChainTags, ChainError>> + Send;

    /// The header of one block; `None` where the node has no such block.
    fn header(
        &self,
        tag: BlockTag,
    ) -> impl Future<Output = Result<Option<Header>, ChainError>> + Send;

    /// The canonical headers of these numbers, in their order; an error where one is missing.
    fn headers(
        &self,
        numbers: &[u64],
    ) -> impl Future<Output = Result<Vec<Header>, ChainError>> + Send;

    /// The logs of a range, for blocks at or below the finalized one.
    fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> impl Future<Output = Result<RangeLogs, ChainError>> + Send;

    /// The logs of a range that were answered before and are not believed, asked for in another way: in halves, and of others where
    /// there are any.
    fn logs_again(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> impl Future<Output = Result<RangeLogs, ChainError>> + Send {
        in_halves(self, filter, range)
    }

    /// The logs of a range that carry some words, for blocks at or below the finalized one.
    ///
    /// Left as it is, all logs of the range are asked for, and the others dropped.
    fn logs_with(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: RangeInclusive<u64>,
    ) -> impl Future<Output = Result<RangeLogs, ChainError>> + Send {
        async move {
            let mut answer = self.logs_in(filter, range).await?;
            answer.logs.retain(|log| words.are_in(log));
            Ok(answer)
        }
    }

    /// The logs of one block, asked by its hash, so that a block which is no longer canonical is an error and not an empty answer.
    fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> impl Future<Output = Result<Vec<RawLog>, ChainError>> + Send;

    /// The answer of a contract to a read-only call, in the state at a block's end (EIP-1898, by hash).
    fn call(
        &self,
        to: Address,
        input: Bytes,
        at: BlockRef,
    ) -> impl Future<Output = Result<Bytes, ChainError>> + Send;

    /// What comes of several calls at one block's end, in their order.
    ///
    /// Left as it is, they are made one after the other.
    fn calls(
        &self,
        calls: &[(Address, Bytes)],
        at: BlockRef,
    ) -> impl Future<Output = Result<Vec<CallOutcome>, ChainError>> + Send {
        async move {
            let mut outcomes = Vec::with_capacity(calls.len());
            for (to, input) in calls {
                outcomes.push(match self.call(*to, input.clone(), at).await {
                    Ok(answer) => CallOutcome::Answered(answer),
                    Err(ChainError::Fatal { reason, .. }) if is_revert(&reason) => {
                        CallOutcome::Reverted
                    }
                    Err(error) => return Err(error),
                });
            }
            Ok(outcomes)
        }
    }

    /// What code returns that is run as a contract's creation and never deployed, in the state at a block's end.
    ///
    /// Left as it is, no code is run.
    fn run(
        &self,
        code: Bytes,
        at: BlockRef,
    ) -> impl Future<Output = Result<Bytes, ChainError>> + Send {
        let asked = format!("what {} bytes of code return at block {at}", code.len());
        async move {
            let (endpoint, reason) = ("this source".to_owned(), "it runs no code".to_owned());
            Err(ChainError::Fatal { endpoint, asked, reason })
        }
    }

    /// A contract's code at the head; empty where there is none.
    fn code(&self, of: Address) -> impl Future<Output = Result<Bytes, ChainError>> + Send;

    /// One storage word of a contract, in the state at the end of a block.
    fn storage(
        &self,
        of: Address,
        slot: B256,
        at: BlockTag,
    ) -> impl Future<Output = Result<B256, ChainError>> + Send;

    /// Whether a range can be believed: whether it comes whole from one backend, together with what says that this backend has all of
    /// it. Where it does not, history is read block by block.
    fn bears_ranges(&self) -> bool {
        true
    }

    /// Returns when a new head is announced or it is time to look again.
    fn wait_for_head(&self) -> impl Future<Output = ()> + Send;

    /// What was found out about nodes since this was last asked.
    fn take_findings(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// The logs of a range, asked for in two parts, or in more where a node bears no more blocks at once; a range of one block in one.
async fn in_halves<S: ChainSource + ?Sized>(
    source: &S,
    filter: &LogFilter,
    range: RangeInclusive<u64>,
) -> Result<RangeLogs, ChainError> {
    let length = range.end().saturating_sub(*range.start()).saturating_add(1);
    in_parts(range, length.div_ceil(2), PARTS_MAX, |part| source.logs_in(filter, part)).await
}

/// Whether a node's words say that the contract refused, and not the node.
pub(crate) fn is_revert(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    reason.contains("revert") || reason.contains("invalid opcode")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_for_at_their_own_place() {
        let word = B256::repeat_byte;
        let log = RawLog {
            address: Address::ZERO,
            topics: vec![word(1), word(2), word(3)],
            data: Bytes::new(),
            block: BlockRef { number: 1, hash: B256::ZERO },
            block_time: None,
            tx_hash: B256::ZERO,
            log_index: 0,
        };
        let words = |place: usize, wanted: &[u8]| {
            let mut words = TopicWords::default();
            words.0[place] = wanted.iter().map(|byte| word(*byte)).collect();
            words
        };
        assert!(TopicWords::default().is_empty() && TopicWords::default().are_in(&log));
        assert!(words(0, &[9, 2]).are_in(&log) && words(1, &[3]).are_in(&log));
        assert!(!words(0, &[3]).are_in(&log) && !words(2, &[3]).are_in(&log));
        assert!(!words(2, &[3]).is_empty());
    }
}
