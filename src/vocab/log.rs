//! Blocks' headers and logs, as the chain hands them over and before anyone has read meaning into them.

use alloy::primitives::{Address, B256, Bloom, Bytes};

use super::position::{BlockRef, Position};
use super::time::UnixSeconds;

/// The part of a block's header that following needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number and hash.
    pub block: BlockRef,
    /// Hash of the block before it.
    pub parent_hash: B256,
    /// When it was made.
    pub time: UnixSeconds,
    /// Which addresses and topics its logs may hold.
    pub logs_bloom: Bloom,
}

impl Header {
    /// Which block it is of, and when that was made.
    #[must_use]
    pub const fn stamp(&self) -> BlockStamp {
        BlockStamp { block: self.block, time: self.time }
    }
}

/// A block and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockStamp {
    /// Number and hash.
    pub block: BlockRef,
    /// When it was made.
    pub time: UnixSeconds,
}

/// One log, undecoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLog {
    /// The contract that emitted it.
    pub address: Address,
    /// Its topics, at most four.
    pub topics: Vec<B256>,
    /// Its data, as it stands.
    pub data: Bytes,
    /// The block it is in.
    pub block: BlockRef,
    /// The block's time, where the node gives it with the log.
    pub block_time: Option<UnixSeconds>,
    /// The transaction it is of.
    pub tx_hash: B256,
    /// Its index within the block.
    pub log_index: u32,
}

impl RawLog {
    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position::new(self.block.number, self.log_index)
    }
}
