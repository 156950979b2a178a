//! The node's tags over time: they only go up. Pure.
//!
//! A safe or finalized block that is lower than one seen before is a lagging backend, and the higher one is kept. A finalized block of
//! the same number and another hash is a violation.

use super::step::ChainTags;
use super::window::Window;
use crate::vocab::{BlockRef, Header};

/// The tags as they are reported downstream.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagKeeper {
    pub(crate) head: Option<Header>,
    pub(crate) safe: Option<Header>,
    pub(crate) finalized: Option<Header>,
}

/// A finalized block that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FinalizedChanged {
    pub(crate) ours: BlockRef,
    pub(crate) theirs: BlockRef,
}

impl TagKeeper {
    /// Takes in what a node says, as far as it does not go back.
    ///
    /// A finalized block that is not the one in the window belongs to a branch that was not followed yet: it is taken in after that.
    pub(crate) fn observe(
        &mut self,
        node: &ChainTags,
        window: &Window,
    ) -> Result<(), FinalizedChanged> {
        if let (Some(ours), Some(theirs)) = (&self.finalized, &node.finalized)
            && ours.block.number == theirs.block.number
            && ours.block != theirs.block
        {
            return Err(FinalizedChanged { ours: ours.block, theirs: theirs.block });
        }
        if self.head.as_ref().is_none_or(|old| node.head.block.number >= old.block.number) {
            self.head = Some(node.head.clone());
        }
        rise(&mut self.safe, node.safe.as_ref(), window);
        rise(&mut self.finalized, node.finalized.as_ref(), window);
        Ok(())
    }

    /// Takes in what a node says when the chain above `to` was replaced: head and safe block may then be lower.
    pub(crate) fn revert(&mut self, node: &ChainTags, to: BlockRef) {
        self.head = Some(node.head.clone());
        if self.safe.as_ref().is_some_and(|safe| safe.block.number > to.number) {
            self.safe.clone_from(&node.safe);
        }
    }

    /// The tags to report; `None` before the first answer.
    pub(crate) fn tags(&self) -> Option<ChainTags> {
        let head = self.head.clone()?;
        Some(ChainTags { head, safe: self.safe.clone(), finalized: self.finalized.clone() })
    }
}

fn rise(held: &mut Option<Header>, seen: Option<&Header>, window: &Window) {
    let Some(seen) = seen else { return };
    let higher = held.as_ref().is_none_or(|old| {
        seen.block.number > old.block.number
            // A safe block may be replaced by one of its number; a finalized one was compared before.
            || (seen.block.number == old.block.number && seen.block != old.block)
    });
    let ours = window.hash_at(seen.block.number).is_none_or(|hash| hash == seen.block.hash);
    if higher && ours {
        *held = Some(seen.clone());
    }
}
