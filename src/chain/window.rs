//! The recent blocks that were applied, and what a node's chain means beside them. Pure.
//!
//! The window holds headers from the finalized block up to the last one applied, each the parent of the next, so that a
//! reorganisation of any depth above the finalized block finds its common ancestor here. A node that is behind on our own chain is
//! waited for, never followed back. What contradicts the finalized block is a violation: it is reported and nothing is undone.

use std::collections::VecDeque;

use alloy::primitives::B256;

use crate::vocab::{BlockRef, Header};

/// What a node's chain means for ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It continues ours.
    Extend,
    /// It is ours, or an earlier state of ours.
    Wait,
    /// It left ours after this block.
    Revert {
        /// The last block that both share.
        to: BlockRef,
    },
    /// The headers given do not reach down far enough: give them from this number, too.
    AskFrom(u64),
    /// It contradicts a block that was final.
    Violation {
        /// The block that was applied.
        ours: BlockRef,
        /// The hash the node has at that number.
        theirs: B256,
    },
    /// It left ours below the lowest block that is held, on a chain without a finalized block.
    TooDeep {
        /// The lowest block held.
        lowest: BlockRef,
    },
}

/// The recent blocks that were applied.
#[derive(Clone, Debug)]
pub struct Window {
    /// The block before the first one held; absent at the chain's own beginning, and while nothing was applied.
    anchor: Option<BlockRef>,
    /// Ascending, each the parent of the next.
    held: VecDeque<Header>,
    /// The last block that counts as final.
    finalized: Option<BlockRef>,
    /// So many headers are held while no block is final.
    held_max: usize,
}

impl Window {
    /// An empty window.
    #[must_use]
    pub const fn new(held_max: usize) -> Self {
        Self { anchor: None, held: VecDeque::new(), finalized: None, held_max }
    }

    /// The window as it stood: the last block applied, what is held of the headers up to it, and the last final block.
    ///
    /// Headers that do not lead up to the cursor without a gap are left out, and so is a final block above it: whether the cursor is
    /// below that block or on another branch is not known yet.
    #[must_use]
    pub fn resume(
        held_max: usize,
        cursor: BlockRef,
        held: &[Header],
        finalized: Option<BlockRef>,
    ) -> Self {
        let finalized = finalized.filter(|last| last.number <= cursor.number);
        let mut window = Self { anchor: Some(cursor), finalized, ..Self::new(held_max) };
        let up_to: Vec<Header> =
            held.iter().take_while(|h| h.block.number <= cursor.number).cloned().collect();
        if up_to.last().is_some_and(|last| last.block == cursor) {
            window.anchor = None;
            window.append(&up_to);
        }
        window
    }

    /// The last block applied.
    #[must_use]
    pub fn tip(&self) -> Option<BlockRef> {
        self.held.back().map(|header| header.block).or(self.anchor)
    }

    /// The last final block.
    #[must_use]
    pub const fn finalized(&self) -> Option<BlockRef> {
        self.finalized
    }

    /// The lowest block whose hash is known here.
    #[must_use]
    pub fn lowest(&self) -> Option<BlockRef> {
        self.anchor.or_else(|| self.held.front().map(|header| header.block))
    }

    /// The hash applied at a number, if it is known here.
    #[must_use]
    pub fn hash_at(&self, number: u64) -> Option<B256> {
        if let Some(anchor) = self.anchor
            && anchor.number == number
        {
            return Some(anchor.hash);
        }
        let first = self.held.front()?.block.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        self.held.get(index).map(|header| header.block.hash)
    }

    /// Judges a part of the node's chain: ascending, each header the parent of the next, the last one as high as is known.
    #[must_use]
    pub fn judge(&self, node: &[Header]) -> Judgement {
        let (Some(tip), Some(low), Some(top)) = (self.tip(), node.first(), node.last()) else {
            return Judgement::Extend;
        };
        let top = top.block.number;
        // The first header names its parent, so one number below it is known as well.
        let known_from = low.block.number.saturating_sub(1);
        let mut number = top.min(tip.number);
        if number < known_from {
            return Judgement::AskFrom(number + 1);
        }
        let lowest = self.lowest().unwrap_or(tip);
        if number < lowest.number {
            return Judgement::Wait;
        }
        loop {
            let Some(theirs) = hash_in(node, number) else {
                return Judgement::AskFrom(number);
            };
            let Some(ours) = self.hash_at(number) else {
                return Judgement::TooDeep { lowest };
            };
            if ours == theirs {
                return self.relation(BlockRef { number, hash: ours }, top);
            }
            if self.finalized.is_some_and(|last| number <= last.number) {
                return Judgement::Violation { ours: BlockRef { number, hash: ours }, theirs };
            }
            match number.checked_sub(1) {
                Some(below) if number > lowest.number => number = below,
                _ => return Judgement::TooDeep { lowest },
            }
        }
    }

    fn relation(&self, shared: BlockRef, top: u64) -> Judgement {
        if shared.number == top {
            Judgement::Wait
        } else if self.tip() == Some(shared) {
            Judgement::Extend
        } else {
            Judgement::Revert { to: shared }
        }
    }

    /// Appends what was applied: headers that end in the new last block. Only those that lead up to it without a gap are held.
    pub fn append(&mut self, headers: &[Header]) {
        let mut linked = headers.len().min(1);
        for (parent, child) in headers.iter().rev().skip(1).zip(headers.iter().rev()) {
            if !follows(parent.block, child) {
                break;
            }
            linked += 1;
        }
        let run = headers.iter().skip(headers.len() - linked);
        let Some(first) = run.clone().next() else { return };
        if !self.tip().is_some_and(|tip| follows(tip, first)) {
            self.held.clear();
            self.anchor = first
                .block
                .number
                .checked_sub(1)
                .map(|number| BlockRef { number, hash: first.parent_hash });
        }
        self.held.extend(run.cloned());
        self.prune();
    }

    /// Takes back every block above this one, which must be known here.
    pub fn revert_to(&mut self, block: BlockRef) {
        while self.held.back().is_some_and(|header| header.block.number > block.number) {
            self.held.pop_back();
        }
    }

    /// Moves the final block up, and lets go of what lies below it.
    pub fn finalize(&mut self, block: BlockRef) {
        if self.finalized.is_none_or(|last| last.number < block.number) {
            self.finalized = Some(block);
        }
        self.prune();
    }

    fn prune(&mut self) {
        let last_final = self.finalized.map(|last| last.number);
        while let Some(front) = self.held.front() {
            let goes = match last_final {
                Some(last_final) => front.block.number <= last_final,
                None => self.held.len() > self.held_max,
            };
            if !goes {
                break;
            }
            self.anchor = Some(front.block);
            self.held.pop_front();
        }
    }
}

/// Whether `child` names `parent` as its parent.
#[must_use]
pub fn follows(parent: BlockRef, child: &Header) -> bool {
    parent.number.checked_add(1) == Some(child.block.number) && parent.hash == child.parent_hash
}

/// The hash that a run of linked headers has at a number; the parent of its first one included.
fn hash_in(node: &[Header], number: u64) -> Option<B256> {
    let first = node.first()?;
    if number.checked_add(1) == Some(first.block.number) {
        return Some(first.parent_hash);
    }
    let index = usize::try_from(number.checked_sub(first.block.number)?).ok()?;
    node.get(index).map(|header| header.block.hash)
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
