//! The node's tags over time. Pure.
//!
//! A safe or finalized block that is lower than one seen before is a lagging backend, and the higher one is kept. A finalized block of
//! the same number and another hash is a violation. A safe block may yet be replaced, so it counts only once it is one of the blocks
//! that were applied; until then, what is final is what is safe. The head may fall: the branch it stood on may have been abandoned.

use super::step::ChainTags;
use super::window::Window;
use crate::vocab::{BlockRef, Header};

/// The tags as they are reported downstream.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagKeeper {
    pub(crate) head: Option<Header>,
    pub(crate) safe: Option<Header>,
    pub(crate) finalized: Option<Header>,
    /// The safe block that the node named last, on whichever branch it is.
    named_safe: Option<Header>,
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
        let finalized = node.finalized.as_ref().filter(|tag| below_head(tag));
        rise(&mut self.finalized, finalized, window);
        // Lower than what was applied or is final is a backend that lags. Any other head stands, also below the last one.
        let known = [window.tip(), self.finalized.as_ref().map(|last| last.block)];
        let highest = known.into_iter().flatten().map(|block| block.number).max();
        if self.head.is_none() || Some(node.head.block.number) >= highest {
            self.head = Some(node.head.clone());
        }
        if let Some(safe) = node.safe.as_ref().filter(|tag| below_head(tag)) {
            self.named_safe = Some(safe.clone());
        }
        self.settle_safe(window);
        Ok(())
    }

    /// Takes the safe block that the node named, once it is among the blocks applied. What is final is safe in any case.
    pub(crate) fn settle_safe(&mut self, window: &Window) {
        let applied = |safe: &&Header| window.hash_at(safe.block.number) == Some(safe.block.hash);
        for safe in [self.named_safe.as_ref().filter(applied), self.finalized.as_ref()] {
            let number = |header: Option<&Header>| header.map(|header| header.block.number);
            if number(safe) > number(self.safe.as_ref()) {
                self.safe = safe.cloned();
            }
        }
    }

    /// Takes in what a node says when the chain above `to` was replaced: head and safe block may then be lower.
    pub(crate) fn revert(&mut self, node: &ChainTags, to: BlockRef) {
        self.head = Some(node.head.clone());
        if self.safe.as_ref().is_some_and(|safe| safe.block.number > to.number) {
            self.safe = None;
        }
    }

    /// The tags to report beside a head.
    pub(crate) fn below(&self, head: Header) -> ChainTags {
        ChainTags { head, safe: self.safe.clone(), finalized: self.finalized.clone() }
    }
}

fn rise(held: &mut Option<Header>, seen: Option<&Header>, window: &Window) {
    let Some(seen) = seen else { return };
    let higher = held.as_ref().is_none_or(|old| seen.block.number > old.block.number);
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
        let hash = |number: u64| B256::repeat_byte(u8::try_from(number).unwrap());
        let time = UnixSeconds::new(number).unwrap();
        let block = BlockRef { number, hash: hash(number) };
        Header { block, parent_hash: hash(number - 1), time, logs_bloom: Bloom::ZERO }
    }

    /// A header of another branch.
    fn twin(number: u64) -> Header {
        let header = header(number);
        let hash = header.block.hash ^ B256::repeat_byte(0xf0);
        Header { block: BlockRef { hash, ..header.block }, ..header }
    }

    #[test]
    fn the_head_falls_with_its_branch_and_not_with_a_backend_that_lags() {
        let mut tags = TagKeeper::default();
        let mut window = Window::new(10);
        let node = |head| ChainTags { head, safe: None, finalized: Some(header(3)) };
        window.append(&[header(5)]);
        for (seen, expected) in [
            (header(9), header(9)),
            (header(4), header(9)),
            (twin(7), twin(7)),
            (header(2), twin(7)),
            (header(5), header(5)),
        ] {
            tags.observe(&node(seen), &window).unwrap();
            assert_eq!(tags.head, Some(expected));
        }
    }

    #[test]
    fn a_safe_block_counts_once_it_was_applied() {
        let mut tags = TagKeeper::default();
        let mut window = Window::new(10);
        let node =
            |safe| ChainTags { head: header(9), safe: Some(safe), finalized: Some(header(3)) };
        window.append(&[header(5)]);
        tags.observe(&node(twin(7)), &window).unwrap();
        assert_eq!(tags.safe, Some(header(3)), "what is final is safe");
        window.append(&[header(6), header(7), header(8)]);
        tags.settle_safe(&window);
        assert_eq!(tags.safe, Some(header(3)), "another branch was followed");
        tags.observe(&node(header(7)), &window).unwrap();
        tags.observe(&node(header(5)), &window).unwrap();
        assert_eq!(tags.safe, Some(header(7)), "a lower one is of a backend that lags");
        let branch = ChainTags { safe: Some(header(5)), ..node(header(5)) };
        tags.observe(&branch, &window).unwrap();
        tags.revert(&branch, header(6).block);
        window.revert_to(header(6).block);
        tags.settle_safe(&window);
        assert_eq!(tags.safe, Some(header(5)), "it was undone");
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
