//! What following yields: one step of the chain, applied downstream in one transaction or not at all.

use crate::vocab::{BlockRef, Header, RawLog};

/// The node's tags as they stood when a step was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainTags {
    /// The newest block.
    pub head: Header,
    /// The node's safe block, never lower than one reported before; absent where the node knows none.
    pub safe: Option<Header>,
    /// The node's finalized block, never lower than one reported before; absent where the node knows none.
    pub finalized: Option<Header>,
}

/// A stretch of chain to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first block's number: one past the last block applied.
    pub from: u64,
    /// Its last block.
    pub through: Header,
    /// The headers that are held: above the finalized block all of them, linked; below it at least the last one and that of each
    /// block whose logs came without a time. Ascending.
    pub headers: Vec<Header>,
    /// All logs of the registries in it, ascending by position.
    pub logs: Vec<RawLog>,
}

/// One step of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStep {
    /// The common ancestor to go back to first, where the chain above it was replaced.
    pub revert_to: Option<BlockRef>,
    /// What to append then; absent where only the tags moved.
    pub extend: Option<Stretch>,
    /// The node's tags.
    pub tags: ChainTags,
}
