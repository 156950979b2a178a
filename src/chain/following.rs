//! What goes into following a chain, and what can come out besides steps: options, where it stood, how far it is, why it stopped.

use std::time::Duration;

use alloy::primitives::B256;

use super::ChainError;
use super::retry::BackoffOptions;
use crate::vocab::{BlockRef, ChainId, Header};

/// What is followed, and how eagerly.
#[derive(Clone, Debug)]
pub struct FollowerOptions {
    /// The chain the node must be of.
    pub chain: ChainId,
    /// The first block to look at, where nothing was applied yet.
    pub start_block: u64,
    /// At most so many blocks per range.
    pub range_max: u64,
    /// Ranges that hold more logs than this make the following ones smaller.
    pub range_logs: u64,
    /// So many requests at once.
    pub concurrency: usize,
    /// Fetched pieces that wait for their turn may take about so many bytes.
    pub bytes_max: usize,
    /// Ranges that are fetched already go into one step together, up to so many logs.
    pub step_logs: usize,
    /// So many blocks below the finalized one are held header by header.
    pub recent: u64,
    /// At most so many blocks per step above the finalized one.
    pub step_blocks: u64,
    /// Where the node knows no finalized block: so far below the head blocks are fetched by range. They do not count as final.
    pub depth_without_finality: u64,
    /// Where the node knows no finalized block: so many headers are held, and so deep a reorganisation can go.
    pub held_max: usize,
    /// Waiting between attempts, and how many are made before an error is handed on.
    pub backoff: BackoffOptions,
    /// So often a block without logs is asked for again whose bloom claims one.
    pub rechecks: u32,
    /// The pause before each.
    pub recheck_delay: Duration,
    /// Spreads delays; any number.
    pub seed: u64,
}

impl FollowerOptions {
    /// The defaults for a chain.
    #[must_use]
    pub fn new(chain: ChainId, start_block: u64) -> Self {
        Self {
            chain,
            start_block,
            range_max: 10_000,
            range_logs: 20_000,
            concurrency: 8,
            bytes_max: 32 << 20,
            step_logs: 32_000,
            recent: 5_000,
            step_blocks: 64,
            depth_without_finality: 256,
            held_max: 8_192,
            backoff: BackoffOptions::default(),
            rechecks: 3,
            recheck_delay: Duration::from_millis(400),
            seed: 0,
        }
    }
}

/// Where following stood, from storage.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// The last block applied.
    pub cursor: Option<BlockRef>,
    /// Headers held up to the cursor, ascending; those without a gap below the cursor are used.
    pub held: Vec<Header>,
    /// The safe block last reported.
    pub safe: Option<BlockRef>,
    /// The finalized block last reported.
    pub finalized: Option<BlockRef>,
}

/// Why following stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The node is of another chain.
    #[error(
        "the node follows {found}, but {expected} is configured; change the rpc url or the chain"
    )]
    WrongChain {
        /// Configured.
        expected: ChainId,
        /// The node's.
        found: ChainId,
    },
    /// The node's chain contradicts a block that was final. Nothing was undone; a person has to look.
    #[error(
        "block {ours} was final, but the node now has {theirs} at that number; check the node, then start again"
    )]
    FinalityViolated {
        /// The block that was applied.
        ours: BlockRef,
        /// The hash the node has there.
        theirs: B256,
    },
    /// The chain left ours below everything that is held, on a chain without a finalized block.
    #[error(
        "the chain was replaced below block {lowest}, the lowest one held; rebuild from the start block"
    )]
    ReorgTooDeep {
        /// The lowest block held.
        lowest: BlockRef,
    },
    /// The source did not answer, after all attempts. `next` may be called again.
    #[error("following stopped at the source")]
    Source(#[from] ChainError),
}

impl FollowError {
    /// Whether `next` may be called again in the hope that it goes on.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Source(error) if error.is_transient())
    }
}

/// How far following is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last block of the last step yielded.
    pub applied: Option<u64>,
    /// The first block that is looked at.
    pub start: u64,
    /// The node's head, when last asked.
    pub head: Option<u64>,
    /// The finalized block, when last asked.
    pub finalized: Option<u64>,
    /// Logs yielded by this follower.
    pub logs: u64,
}
