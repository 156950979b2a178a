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
    /// A safe or finalized block that is not at or below the head of the same answer comes from a backend that the head does not come
    /// from, or is wrong: it is left out, since what was once final never goes back.
    /// A finalized block that is not the one in the window belongs to a branch that was not followed yet: it is taken in after that.
    pub(crate) fn observe(
        &mut self,
        node: &ChainTags,
        window: &Window,
    ) -> Result<(), FinalizedChanged> {
        let below_head = |tag: &Header| {
            tag.block.number < node.head.block.number || tag.block == node.head.block
        };
        if let (Some(ours), Some(theirs)) = (&self.finalized, &node.finalized)
            && ours.block.number == theirs.block.number
            && ours.block != theirs.block
        {
            return Err(FinalizedChanged { ours: ours.block, theirs: theirs.block });
        }
        if self.head.as_ref().is_none_or(|old| node.head.block.number >= old.block.number) {
            self.head = Some(node.head.clone());
        }
        rise(&mut self.safe, node.safe.as_ref().filter(|tag| below_head(tag)), window);
        rise(&mut self.finalized, node.finalized.as_ref().filter(|tag| below_head(tag)), window);
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

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, Bloom};

    use super::*;
    use crate::vocab::UnixSeconds;

    fn header(number: u64) -> Header {
        let hash = B256::repeat_byte(u8::try_from(number).unwrap());
        let time = UnixSeconds::new(number).unwrap();
        let block = BlockRef { number, hash };
        Header { block, parent_hash: B256::ZERO, time, logs_bloom: Bloom::ZERO }
    }

    #[test]
    fn what_is_final_above_the_head_is_left_out() {
        let mut tags = TagKeeper::default();
        let window = Window::new(10);
        let mut node =
            ChainTags { head: header(10), safe: Some(header(12)), finalized: Some(header(200)) };
        tags.observe(&node, &window).unwrap();
        assert_eq!((tags.safe.clone(), tags.finalized.clone()), (None, None));
        let twin = BlockRef { hash: B256::ZERO, ..header(10).block };
        node.finalized = Some(Header { block: twin, ..header(10) });
        tags.observe(&node, &window).unwrap();
        assert_eq!(tags.finalized, None, "another block of the head's number");
        node.finalized = Some(header(10));
        tags.observe(&node, &window).unwrap();
        assert_eq!(tags.finalized, Some(header(10)), "the head itself may be final");
    }
}
