//! Which answers are compared with another node's: a sample, and those that look wrong. Pure.
//!
//! Nodes that leave logs out do it in ways that can be told by looking: an empty list where the blocks beside are full of logs, or a
//! count that is just the limit at which answers are cut off. Looking suspicious is no verdict: it only decides who is asked.

use std::collections::BTreeMap;

use crate::chain::retry::Jitter;

/// One range in so many is compared, whatever it looks like.
const SAMPLE: u64 = 16;
/// Answers that are cut off end at a multiple of this.
const ROUND: usize = 500;
/// An empty range beside others is suspicious when, at their pace, it would hold so many logs.
const EXPECTED_MIN: u64 = 16;
/// So many ranges are remembered.
const REMEMBERED: usize = 256;

/// Why an answer is not believed unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is one of the sample, or of a node that was wrong before.
    Sample,
    /// Its count is one at which answers are cut off.
    Round,
    /// It is empty where the blocks beside it are busy.
    Empty,
    /// The bloom of its first or last block claims a log that is not in it.
    Bloom,
}

/// Whether a range belongs to the sample: always the same choice for one seed.
pub(super) const fn is_sampled(seed: u64, from: u64) -> bool {
    Jitter::new(seed ^ from.wrapping_mul(0x9e37_79b9_7f4a_7c15)).draw().is_multiple_of(SAMPLE)
}

/// Whether a list of so many logs may have been cut off.
pub(super) const fn is_round(count: usize) -> bool {
    count > 0 && count.is_multiple_of(ROUND)
}

/// How many logs the ranges hold that were answered last.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours(BTreeMap<u64, (u64, u64)>);

impl Neighbours {
    /// Remembers a range and how many logs it holds.
    pub(super) fn learn(&mut self, (from, to): (u64, u64), logs: u64) {
        self.0.insert(from, (to, logs));
        // Following goes upwards: what lies lowest is not needed any more.
        while self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
    }

    /// Whether a range that came empty ought to hold logs, at the pace of the nearest ranges known on either side.
    pub(super) fn expect_logs_in(&self, (from, to): (u64, u64)) -> bool {
        let length = to.saturating_sub(from).saturating_add(1);
        let before = self.0.range(..from).next_back();
        let after = self.0.range(to.saturating_add(1)..).next();
        [before, after].into_iter().flatten().any(|(first, (last, logs))| {
            let other = u128::from(last.saturating_sub(*first).saturating_add(1));
            u128::from(*logs) * u128::from(length) >= u128::from(EXPECTED_MIN) * other
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_range_in_sixteen_is_sampled_and_always_the_same() {
        let count = |seed| (0..16_000_u64).filter(|n| is_sampled(seed, n * 10_000)).count();
        for seed in [0, 1, 1_770_000_000] {
            assert!((800..1_200).contains(&count(seed)), "{}", count(seed));
        }
        let chosen: Vec<bool> = (0..64).map(|n| is_sampled(7, n)).collect();
        assert_eq!(chosen, (0..64).map(|n| is_sampled(7, n)).collect::<Vec<_>>());
        assert_ne!(chosen, (0..64).map(|n| is_sampled(8, n)).collect::<Vec<_>>());
    }

    #[test]
    fn counts_at_which_answers_are_cut_off_are_round() {
        for count in [500, 1_000, 5_000, 10_000, 20_000] {
            assert!(is_round(count), "{count}");
        }
        for count in [0, 1, 499, 1_001, 9_999] {
            assert!(!is_round(count), "{count}");
        }
    }

    #[test]
    fn empty_is_suspicious_only_beside_busy_ranges() {
        let mut known = Neighbours::default();
        assert!(!known.expect_logs_in((100, 199)), "nothing is known yet");
        known.learn((0, 99), 15);
        assert!(!known.expect_logs_in((100, 199)), "a handful may well be followed by none");
        known.learn((200, 299), 16);
        assert!(known.expect_logs_in((100, 199)), "the range after is busy");
        assert!(!known.expect_logs_in((100, 120)), "but these are only a few blocks");
        known.learn((0, 99), 1_000);
        assert!(known.expect_logs_in((100, 120)), "unless the range before is very busy");
        known.learn((300, 399), 0);
        assert!(!known.expect_logs_in((400, 499)), "only the nearest ones count");
        known.learn((u64::MAX - 1, u64::MAX), u64::MAX);
        assert!(known.expect_logs_in((400, 499)));
    }

    #[test]
    fn only_the_newest_ranges_are_remembered() {
        let mut known = Neighbours::default();
        for n in 0..10_000 {
            known.learn((n * 10, n * 10 + 9), 1);
        }
        assert_eq!(known.0.len(), REMEMBERED);
        assert!(known.0.contains_key(&99_990));
    }
}
