//! The true chain: what is canonical, safe and final, and all branches that ever were.
//!
//! Nothing final is ever replaced, and a safe block falls only with its branch, then no lower than the common ancestor.

use std::collections::HashMap;
use std::sync::Arc;

use alloy::primitives::{B256, Bloom, BloomInput, keccak256};
use hallmark::chain::ChainTags;
use hallmark::vocab::{BlockRef, Header, RawLog, UnixSeconds};

use super::content::{Scribe, Shape, State};
use super::draw::Draw;

/// A block of any branch.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) logs: Vec<RawLog>,
    pub(crate) state: State,
}

/// A chain as somebody knows it: every block from the first on, and which of them are safe and final.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) safe: u64,
    pub(crate) finalized: u64,
}

impl Chain {
    pub(crate) fn head(&self) -> &Arc<Block> {
        self.blocks.last().unwrap()
    }

    pub(crate) fn height(&self) -> u64 {
        self.head().header.block.number
    }

    pub(crate) fn at(&self, number: u64) -> Option<&Arc<Block>> {
        self.blocks.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn has(&self, block: BlockRef) -> bool {
        self.at(block.number).is_some_and(|found| found.header.block == block)
    }

    fn header(&self, number: u64) -> Header {
        self.at(number).unwrap().header.clone()
    }

    /// Becomes another chain, as that was when it was shorter by so many blocks.
    pub(crate) fn become_behind(&mut self, other: &Self, blocks: u64) {
        let height = other.height().saturating_sub(blocks).max(other.finalized);
        // A block's hash tells all that is below it: mostly there is nothing to copy.
        if !(self.height() == height && other.has(self.head().header.block)) {
            let kept = usize::try_from(height + 1).unwrap();
            other.blocks[..kept].clone_into(&mut self.blocks);
        }
        (self.safe, self.finalized) = (other.safe.min(height), other.finalized);
    }
}

/// The truth.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) chain: Chain,
    /// Whether nodes of this chain know safe and finalized blocks.
    pub(crate) has_finality: bool,
    /// No reorganisation goes below this block.
    pub(crate) floor: u64,
    /// Where nothing is final: no reorganisation is deeper below the highest head than this.
    depth_max: u64,
    known: HashMap<B256, Arc<Block>>,
    seed: u64,
    shape: Shape,
    salt: u64,
}

impl Model {
    /// A chain of its first block alone.
    ///
    /// Nothing up to `floor` is ever replaced, and with `depth_max` nothing deeper than that below the highest head, finality being
    /// unknown then.
    pub(crate) fn new(
        seed: u64,
        shape: Shape,
        state: State,
        floor: u64,
        depth_max: Option<u64>,
    ) -> Self {
        let hash = keccak256(seed.to_be_bytes());
        let header = Header {
            block: BlockRef { number: 0, hash },
            parent_hash: B256::ZERO,
            time: UnixSeconds::new(1_700_000_000).unwrap(),
            logs_bloom: Bloom::ZERO,
        };
        let first = Arc::new(Block { header, logs: Vec::new(), state });
        Self {
            known: HashMap::from([(hash, Arc::clone(&first))]),
            chain: Chain { blocks: vec![first], safe: 0, finalized: 0 },
            has_finality: depth_max.is_none(),
            depth_max: depth_max.unwrap_or(u64::MAX),
            floor,
            seed,
            shape,
            salt: 0,
        }
    }

    pub(crate) fn known(&self, hash: B256) -> Option<&Arc<Block>> {
        self.known.get(&hash)
    }

    pub(crate) fn tags(&self) -> ChainTags {
        let tag = |number| self.has_finality.then(|| self.chain.header(number));
        ChainTags {
            head: self.chain.head().header.clone(),
            safe: tag(self.chain.safe),
            finalized: tag(self.chain.finalized),
        }
    }

    pub(crate) fn grow(&mut self, blocks: u64) {
        for _ in 0..blocks {
            let block = Arc::new(self.next_block());
            self.known.insert(block.header.block.hash, Arc::clone(&block));
            self.chain.blocks.push(block);
        }
        let lowest = self.chain.height().saturating_sub(self.depth_max);
        self.floor = self.floor.max(lowest);
    }

    fn next_block(&self) -> Block {
        let parent = self.chain.head();
        let number = parent.header.block.number + 1;
        let named = [self.seed, number, self.salt].map(u64::to_be_bytes).concat();
        let hash = keccak256([parent.header.block.hash.as_slice(), &named].concat());
        let word = u64::from_be_bytes(hash.0[..8].try_into().unwrap());
        let mut draw = Draw::of(&[word]);
        let block = BlockRef { number, hash };
        let time = UnixSeconds::new(parent.header.time.get() + draw.below(4)).unwrap();
        let mut state = parent.state.clone();
        let logs = Scribe::write(&mut draw, &mut state, block, time, &self.shape);
        let mut logs_bloom = Bloom::ZERO;
        for log in &logs {
            logs_bloom.accrue(BloomInput::Raw(log.address.as_slice()));
            for topic in &log.topics {
                logs_bloom.accrue(BloomInput::Raw(topic.as_slice()));
            }
        }
        let header = Header { block, parent_hash: parent.header.block.hash, time, logs_bloom };
        Block { header, logs, state }
    }

    /// Replaces all above a block by so many others, at least one.
    pub(crate) fn reorg(&mut self, ancestor: u64, length: u64) {
        assert!(ancestor >= self.floor && ancestor < self.chain.height());
        self.salt += 1;
        self.chain.blocks.truncate(usize::try_from(ancestor + 1).unwrap());
        self.chain.safe = self.chain.safe.min(ancestor);
        self.grow(length.max(1));
    }

    /// Moves what is final and safe up, as far as they lie below the head.
    pub(crate) fn settle(&mut self, finalized: u64, safe: u64) {
        if !self.has_finality {
            return;
        }
        let height = self.chain.height();
        self.chain.finalized = self.chain.finalized.max(finalized.min(height));
        self.chain.safe = self.chain.safe.max(safe.min(height)).max(self.chain.finalized);
        self.floor = self.floor.max(self.chain.finalized);
    }
}
