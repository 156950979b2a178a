//! Where in the chain a fact stands, and the half-open intervals between such places.
//!
//! Positions order all facts of a chain. Spans are what timelines are made of. Block numbers above [`Position::BLOCK_MAX`] never
//! enter the program: `chain::rpc` refuses them, so that storage can hold every position in a signed 64-bit column.

use std::fmt;

use alloy::primitives::B256;

/// A block, by number and hash together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Its number.
    pub number: u64,
    /// Its hash; two blocks of one number differ in it.
    pub hash: B256,
}

impl fmt::Display for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number, self.hash)
    }
}

/// Block number and log index: the order of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The block's number.
    pub block_number: u64,
    /// The log's index within the block, or [`Position::END_OF_BLOCK`].
    pub log_index: u32,
}

impl Position {
    /// The log index of a fact that was read from the state at a block's end, after every log of it.
    pub const END_OF_BLOCK: u32 = u32::MAX;
    /// The highest block number that is accepted from a node.
    pub const BLOCK_MAX: u64 = i64::MAX as u64;

    /// The place of a log.
    #[must_use]
    pub const fn new(block_number: u64, log_index: u32) -> Self {
        Self { block_number, log_index }
    }

    /// After every log of a block: what "as of block N" means.
    #[must_use]
    pub const fn end_of(block_number: u64) -> Self {
        Self { block_number, log_index: Self::END_OF_BLOCK }
    }
}

/// A half-open interval of positions, `[from, to)`; open while `to` is absent.
///
/// ```
/// use hallmark::vocab::{Position, Span};
///
/// let span = Span { from: Position::new(10, 3), to: Some(Position::new(12, 0)) };
/// assert!(span.contains(Position::new(10, 3)));
/// assert!(span.contains(Position::end_of(11)));
/// assert!(!span.contains(Position::new(12, 0)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first position inside.
    pub from: Position,
    /// The first position after it.
    pub to: Option<Position>,
}

impl Span {
    /// Whether the span covers `at`.
    #[must_use]
    pub fn contains(&self, at: Position) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// The part that two spans share, if any.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        (to.is_none_or(|to| from < to)).then_some(Self { from, to })
    }
}

/// How settled a block is, by the node's own tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finality {
    /// Applied, and may still be replaced.
    Latest,
    /// At or below the node's `safe` block.
    Safe,
    /// At or below the node's `finalized` block; never undone here.
    Finalized,
}

impl Finality {
    /// The word for it in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Safe => "safe",
            Self::Finalized => "finalized",
        }
    }

    /// How settled block `number` is where the node's tags stand at `safe` and `finalized`.
    #[must_use]
    pub fn of(number: u64, safe: Option<u64>, finalized: Option<u64>) -> Self {
        if finalized.is_some_and(|tag| number <= tag) {
            Self::Finalized
        } else if safe.is_some_and(|tag| number <= tag) {
            Self::Safe
        } else {
            Self::Latest
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, to: Option<u64>) -> Span {
        Span { from: Position::new(from, 0), to: to.map(|to| Position::new(to, 0)) }
    }

    #[test]
    fn intersections_are_half_open() {
        let cases = [
            (span(1, Some(5)), span(5, None), None),
            (span(1, Some(5)), span(4, None), Some(span(4, Some(5)))),
            (span(1, None), span(4, None), Some(span(4, None))),
            (span(2, Some(3)), span(1, Some(9)), Some(span(2, Some(3)))),
        ];
        for (a, b, expected) in cases {
            assert_eq!(a.intersect(&b), expected);
            assert_eq!(b.intersect(&a), expected);
        }
    }

    #[test]
    fn the_end_of_a_block_is_after_all_its_logs() {
        assert!(Position::new(7, 9_999_999) < Position::end_of(7));
        assert!(Position::end_of(7) < Position::new(8, 0));
    }

    #[test]
    fn finality_follows_the_tags() {
        assert_eq!(Finality::of(5, Some(7), Some(5)), Finality::Finalized);
        assert_eq!(Finality::of(6, Some(7), Some(5)), Finality::Safe);
        assert_eq!(Finality::of(8, Some(7), Some(5)), Finality::Latest);
        assert_eq!(Finality::of(0, None, None), Finality::Latest);
    }
}
