//! Two answers about one range, held against each other, and what is true where they differ. Pure.
//!
//! A bloom filter never denies a log that its block holds, so a log that it denies was invented. It may claim too much, so it proves no
//! log by itself; but where it claims what one node has and another has not, the one that has more is right: nodes leave logs out, and
//! a log that they made up would have to fit the bloom by chance.

use std::collections::BTreeMap;

use alloy::primitives::{Bloom, BloomInput};

use crate::vocab::{BlockRef, RawLog};

/// What two nodes have of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) ours: Vec<RawLog>,
    pub(super) theirs: Vec<RawLog>,
}

impl Sides {
    /// The block; `None` where the two do not even agree on its hash.
    pub(super) fn block(&self) -> Option<BlockRef> {
        let mut blocks = self.ours.iter().chain(&self.theirs).map(|log| log.block);
        let first = blocks.next()?;
        blocks.all(|other| other == first).then_some(first)
    }
}

/// The blocks in which two answers differ, by number. Both are ascending.
pub(super) fn differing(ours: &[RawLog], theirs: &[RawLog]) -> BTreeMap<u64, Sides> {
    if are_same(ours, theirs) {
        return BTreeMap::new();
    }
    let mut blocks: BTreeMap<u64, Sides> = BTreeMap::new();
    for log in ours {
        blocks.entry(log.block.number).or_default().ours.push(log.clone());
    }
    for log in theirs {
        blocks.entry(log.block.number).or_default().theirs.push(log.clone());
    }
    blocks.retain(|_, sides| !are_same(&sides.ours, &sides.theirs));
    blocks
}

/// Whether two lists hold the same logs. Not every node gives times with them.
pub(super) fn are_same(ours: &[RawLog], theirs: &[RawLog]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| is_same(a, b))
}

fn is_same(a: &RawLog, b: &RawLog) -> bool {
    a.block == b.block
        && a.log_index == b.log_index
        && a.tx_hash == b.tx_hash
        && a.address == b.address
        && a.topics == b.topics
        && a.data == b.data
}

/// What one block holds, by what several nodes answer when they are asked for it by its hash, and by its bloom where they agree on one.
/// `None` where nothing decides.
pub(super) fn truth(bloom: Option<&Bloom>, answers: &[Vec<RawLog>]) -> Option<Vec<RawLog>> {
    let may_be = |logs: &&Vec<RawLog>| bloom.is_none_or(|bloom| claims_all(bloom, logs));
    let believed: Vec<&Vec<RawLog>> = answers.iter().filter(may_be).collect();
    let first = *believed.first()?;
    if believed.iter().all(|other| are_same(first, other)) {
        return Some(first.clone());
    }
    let votes = |logs: &Vec<RawLog>| believed.iter().filter(|o| are_same(logs, o)).count();
    if believed.len() > 2
        && let Some(most) = believed.iter().find(|logs| votes(logs) * 2 > believed.len())
    {
        return Some((*most).clone());
    }
    let fullest = *believed.iter().max_by_key(|logs| logs.len())?;
    let has = |log: &RawLog| fullest.iter().any(|own| is_same(own, log));
    let holds_all = believed.iter().all(|other| other.iter().all(has));
    (bloom.is_some() && holds_all).then(|| fullest.clone())
}

/// Whether a bloom claims all of some logs.
fn claims_all(bloom: &Bloom, logs: &[RawLog]) -> bool {
    let has = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
    logs.iter().all(|log| {
        has(log.address.as_slice()) && log.topics.iter().all(|topic| has(topic.as_slice()))
    })
}

/// At most `count` of some blocks, spread evenly, the first and the last among them.
pub(super) fn spread<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    if all.len() <= count {
        return all.to_vec();
    }
    let last = all.len() - 1;
    let steps = count.saturating_sub(1).max(1);
    (0..count).filter_map(|n| all.get(n * last / steps).copied()).collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256, Bytes};

    use super::*;

    fn log(block: u64, log_index: u32) -> RawLog {
        RawLog {
            address: Address::repeat_byte(1),
            topics: vec![B256::repeat_byte(2)],
            data: Bytes::new(),
            block: BlockRef { number: block, hash: B256::left_padding_from(&block.to_be_bytes()) },
            block_time: None,
            tx_hash: B256::ZERO,
            log_index,
        }
    }

    fn bloom_of(logs: &[RawLog]) -> Bloom {
        let mut bloom = Bloom::ZERO;
        for log in logs {
            bloom.accrue(BloomInput::Raw(log.address.as_slice()));
            for topic in &log.topics {
                bloom.accrue(BloomInput::Raw(topic.as_slice()));
            }
        }
        bloom
    }

    #[test]
    fn only_the_blocks_that_differ_are_found() {
        let whole = [log(1, 0), log(1, 1), log(2, 0), log(4, 0)];
        assert!(differing(&whole, &whole).is_empty());
        let timed: Vec<_> = whole
            .iter()
            .map(|log| RawLog { block_time: crate::vocab::UnixSeconds::new(1), ..log.clone() })
            .collect();
        assert!(differing(&whole, &timed).is_empty(), "times are not compared");
        let found = differing(&whole, &[log(1, 0), log(2, 0), log(5, 0)]);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 4, 5]);
        assert_eq!((found[&1].ours.len(), found[&1].theirs.len()), (2, 1));
        assert_eq!(found[&4].block(), Some(log(4, 0).block));
        assert!(found[&5].ours.is_empty());
    }

    #[test]
    fn a_block_with_two_hashes_is_no_one_block() {
        let mut other = log(1, 0);
        other.block.hash = B256::ZERO;
        let found = differing(&[log(1, 0)], &[other]);
        assert_eq!(found[&1].block(), None);
    }

    #[test]
    fn what_is_true_is_told_by_agreement_bloom_and_majority() {
        let (none, one, two) = (vec![], vec![log(1, 0)], vec![log(1, 0), log(1, 1)]);
        let bloom = bloom_of(&one);
        let check = |bloom: Option<&Bloom>, answers: &[&Vec<RawLog>], expected| {
            let answers: Vec<_> = answers.iter().map(|logs| (*logs).clone()).collect();
            assert_eq!(truth(bloom, &answers), expected, "{answers:?}");
        };
        check(None, &[&one, &one], Some(one.clone()));
        check(None, &[], None);
        check(Some(&bloom), &[&none, &one], Some(one.clone()));
        check(Some(&bloom), &[&two, &one], Some(two.clone()));
        check(None, &[&none, &one], None);
        check(None, &[&none, &one, &one], Some(one.clone()));
        check(None, &[&one, &none, &none], Some(none.clone()));
        // The bloom knows nothing of such a log: it was made up.
        check(Some(&Bloom::ZERO), &[&none, &one], Some(none.clone()));
        check(Some(&Bloom::ZERO), &[&none, &one, &one], Some(none.clone()));
        check(Some(&Bloom::ZERO), &[&one, &one], None);
        // Neither holds all of the other's.
        check(Some(&bloom), &[&vec![log(1, 0)], &vec![log(1, 1)]], None);
    }

    #[test]
    fn a_sample_has_both_ends() {
        let all: Vec<u64> = (0..1_000).collect();
        assert_eq!(spread(&all, 4), [0, 333, 666, 999]);
        assert_eq!(spread(&all, 1), [0]);
        assert_eq!(spread(&[1, 2], 4), [1, 2]);
    }
}
