//! The newest held blocks, in memory: which hash and time a number has, and which block was the last at a time.
//!
//! A chain that is followed for years holds more blocks than memory should: beyond a bound the oldest are let go of, and what is asked
//! of them has to be asked of the database.

use crate::vocab::{BlockStamp, UnixSeconds};

/// The most blocks that are kept: 48 bytes each, so 48 MiB.
pub(super) const BLOCKS_MAX: u32 = 1 << 20;
/// So many more may gather before the oldest are let go of.
const SLACK: usize = 1 << 16;

/// What is known here of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The block.
    Held(BlockStamp),
    /// There is no such block in the database either.
    NotHeld,
    /// Only the database can tell.
    LetGo,
}

/// Held blocks, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewestBlocks {
    stamps: Vec<BlockStamp>,
    /// Whether there are older ones in the database.
    has_let_go: bool,
}

impl NewestBlocks {
    /// The block of a number.
    #[must_use]
    pub fn at(&self, number: u64) -> Known {
        match self.stamps.binary_search_by_key(&number, |stamp| stamp.block.number) {
            Ok(index) => self.stamps.get(index).copied().map_or(Known::NotHeld, Known::Held),
            Err(0) => self.before_all(),
            Err(_) => Known::NotHeld,
        }
    }

    /// The last held block whose time is not later than `time`. Times rise with numbers.
    #[must_use]
    pub fn not_after(&self, time: UnixSeconds) -> Known {
        let count = self.stamps.partition_point(|stamp| stamp.time <= time);
        let last = count.checked_sub(1).and_then(|index| self.stamps.get(index));
        last.copied().map_or_else(|| self.before_all(), Known::Held)
    }

    const fn before_all(&self) -> Known {
        if self.has_let_go { Known::LetGo } else { Known::NotHeld }
    }

    /// Takes in the newest blocks after those that are kept, ascending; at least [`BLOCKS_MAX`] of them where there are as many.
    pub(super) fn extend(&mut self, newer: Vec<BlockStamp>) {
        let kept = BLOCKS_MAX as usize;
        if newer.len() >= kept {
            self.has_let_go = true;
            self.stamps = newer;
            return;
        }
        let count = self.stamps.len() + newer.len();
        if count > self.stamps.capacity() {
            // A little ahead: doubling would leave half of so much memory empty.
            self.stamps.reserve_exact(newer.len() + count / 16);
        }
        self.stamps.extend(newer);
        if count > kept + SLACK {
            self.stamps.drain(..count - kept);
            self.has_let_go = true;
        }
    }

    /// Goes back to the end of a block.
    pub(super) fn revert_to(&mut self, number: u64) {
        let count = self.stamps.partition_point(|stamp| stamp.block.number <= number);
        self.stamps.truncate(count);
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::B256;

    use super::*;
    use crate::vocab::BlockRef;

    /// Block `number`, made at its third of a second: three blocks share each.
    fn stamp(number: u64) -> BlockStamp {
        let block = BlockRef { number, hash: B256::with_last_byte(1) };
        BlockStamp { block, time: UnixSeconds::new(number / 3).unwrap() }
    }

    fn stamps(numbers: impl IntoIterator<Item = u64>) -> Vec<BlockStamp> {
        numbers.into_iter().map(stamp).collect()
    }

    fn time(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn blocks_are_found_by_number_and_by_time() {
        let mut blocks = NewestBlocks::default();
        assert_eq!(blocks.at(0), Known::NotHeld);
        assert_eq!(blocks.not_after(time(9)), Known::NotHeld);
        blocks.extend(stamps([6, 7, 8]));
        blocks.extend(stamps([20]));
        for (number, held) in [(0, false), (6, true), (8, true), (9, false), (20, true)] {
            let expected = if held { Known::Held(stamp(number)) } else { Known::NotHeld };
            assert_eq!(blocks.at(number), expected, "{number}");
        }
        assert_eq!(blocks.not_after(time(1)), Known::NotHeld);
        assert_eq!(blocks.not_after(time(2)), Known::Held(stamp(8)));
        assert_eq!(blocks.not_after(time(5)), Known::Held(stamp(8)));
        assert_eq!(blocks.not_after(time(6)), Known::Held(stamp(20)));
        blocks.revert_to(7);
        assert_eq!(blocks.at(8), Known::NotHeld);
        assert_eq!(blocks.not_after(time(9)), Known::Held(stamp(7)));
    }

    #[test]
    fn the_oldest_are_let_go_of_and_that_is_said() {
        let max = u64::from(BLOCKS_MAX);
        let mut blocks = NewestBlocks::default();
        blocks.extend(stamps(10..max));
        assert_eq!(blocks.at(9), Known::NotHeld);
        // Up to the slack all are kept; then only the bound.
        let slack = SLACK as u64;
        blocks.extend(stamps(max..max + slack));
        assert_eq!(blocks.at(10), Known::Held(stamp(10)));
        blocks.extend(stamps(max + slack..max + slack + 20));
        assert_eq!(blocks.stamps.len(), BLOCKS_MAX as usize);
        assert_eq!(blocks.at(10), Known::LetGo);
        assert_eq!(blocks.not_after(time(1)), Known::LetGo);
        assert_eq!(blocks.at(max + slack + 20), Known::NotHeld);
        // More at once than are kept.
        let mut blocks = NewestBlocks::default();
        blocks.extend(stamps(0..max));
        assert_eq!(
            blocks.at(0),
            Known::Held(stamp(0)),
            "all are kept; whether there are more is not known"
        );
        assert!(blocks.has_let_go);
    }
}
