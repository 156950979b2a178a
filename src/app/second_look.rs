//! What was recorded near the head is held against the chain once more when it is final.
//!
//! Near the head nodes leave logs out that they have a minute later. So each block that was applied before it was final is asked for
//! again after that, in another way and of other nodes, and a log that the record lacks makes it anew from there, once for each block.
//! What was read as final is not asked for twice: a backfill would take twice as long.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use alloy::primitives::B256;
use tokio::time::timeout;

use crate::chain::{ChainSource, ChainStep, LogFilter};
use crate::vocab::RawLog;

/// So many final blocks wait at least, before they are looked at together; and no more at once.
const LOOK_MIN: u64 = 32;
const LOOK_MAX: u64 = 256;
/// A look takes so long at most: following waits for it.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// So often blocks are asked for before they are left as they are.
const TRIES: u32 = 3;
/// So many blocks are remembered; more of them wait only where nothing becomes final for long.
const WAITING_MAX: usize = 16_384;

/// What was recorded and not looked at again.
#[derive(Clone, Debug, Default)]
pub(super) struct SecondLook {
    /// The first block that waits.
    from: Option<u64>,
    /// The hash of each block that waits: what became final may be on another branch.
    hashes: BTreeMap<u64, B256>,
    /// Whether blocks that were read as final came after those that wait.
    is_closed: bool,
    /// Index and transaction of each log, by block; blocks without logs are left out.
    recorded: BTreeMap<u64, Vec<(u32, B256)>>,
    /// Blocks from which the record was made anew.
    anew: BTreeSet<u64>,
    tries: u32,
}

impl SecondLook {
    /// Takes in a step that was applied.
    pub(super) fn applied(&mut self, step: &ChainStep) {
        if let Some(to) = step.revert_to {
            self.forget_from(to.number.saturating_add(1));
        }
        let Some(stretch) = &step.extend else { return };
        let last_final = step.tags.finalized.as_ref().map(|last| last.block.number);
        if last_final.is_none_or(|last| stretch.through.block.number <= last) {
            self.is_closed = self.from.is_some();
            return;
        }
        if self.is_closed {
            // The ranges looked at have no holes, so what still waits below is left as it is.
            self.forget_from(0);
        }
        self.from.get_or_insert(stretch.from);
        self.hashes.extend(stretch.headers.iter().map(|h| (h.block.number, h.block.hash)));
        for log in &stretch.logs {
            self.recorded.entry(log.block.number).or_default().push((log.log_index, log.tx_hash));
        }
        while self.hashes.len() > WAITING_MAX {
            let Some((first, _)) = self.hashes.pop_first() else { break };
            self.looked_through(first);
        }
    }

    /// Whether the blocks of a range hold one from which the record was made anew: they are not believed at once.
    pub(super) fn is_suspect(&self, range: RangeInclusive<u64>) -> bool {
        self.anew.range(range).next().is_some()
    }

    /// Asks for the blocks that became final and wait. Returns the first one of which the record lacks a log.
    pub(super) async fn look<S: ChainSource>(
        &mut self,
        source: &S,
        filter: &LogFilter,
        step: &ChainStep,
    ) -> Option<u64> {
        let last_final = step.tags.finalized.as_ref()?.block.number;
        let range = self.due(last_final)?;
        let asked = timeout(LOOK_LIMIT, source.logs_again(filter, range.clone())).await;
        let lacking = match asked {
            Ok(Ok(answer)) if self.hashes.get(range.end()) != Some(&answer.end.block.hash) => {
                // Of another branch than ours, which is about to be undone.
                return None;
            }
            Ok(Ok(answer)) => self.lacking(&answer.logs),
            Ok(Err(_)) | Err(_) if self.tries + 1 < TRIES => {
                self.tries += 1;
                return None;
            }
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(blocks = ?range, "final blocks could not be looked at again");
                None
            }
        };
        self.tries = 0;
        self.looked_through(*range.end());
        lacking
    }

    /// Lets go of the blocks up to this one.
    fn looked_through(&mut self, number: u64) {
        let next = number.saturating_add(1);
        self.recorded = self.recorded.split_off(&next);
        self.hashes = self.hashes.split_off(&next);
        self.from = self.hashes.first_key_value().map(|_| next);
        self.is_closed &= self.from.is_some();
    }

    /// Notes that the record is made anew from a block on; whether that was not done before.
    pub(super) fn make_anew(&mut self, number: u64) -> bool {
        self.forget_from(number);
        self.anew.insert(number)
    }

    fn forget_from(&mut self, number: u64) {
        self.recorded.split_off(&number);
        self.hashes.split_off(&number);
        self.from = self.from.filter(|from| *from < number);
        self.is_closed &= self.from.is_some();
    }

    fn due(&self, last_final: u64) -> Option<RangeInclusive<u64>> {
        let from = self.from?;
        let last = *self.hashes.last_key_value()?.0;
        let count = last_final.min(last).checked_sub(from)?.saturating_add(1);
        (count >= LOOK_MIN || self.is_closed).then(|| from..=from + count.min(LOOK_MAX) - 1)
    }

    /// The first block of which some logs are not recorded.
    fn lacking(&self, logs: &[RawLog]) -> Option<u64> {
        let is_recorded = |log: &&RawLog| {
            self.recorded
                .get(&log.block.number)
                .is_some_and(|held| held.contains(&(log.log_index, log.tx_hash)))
        };
        logs.iter().find(|log| !is_recorded(log)).map(|log| log.block.number)
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, Bloom, Bytes};

    use super::*;
    use crate::chain::{ChainTags, Stretch};
    use crate::vocab::{BlockRef, Header, UnixSeconds};

    fn header(number: u64) -> Header {
        let block = BlockRef { number, hash: B256::left_padding_from(&number.to_be_bytes()) };
        let time = UnixSeconds::new(number).unwrap();
        Header { block, parent_hash: B256::ZERO, time, logs_bloom: Bloom::ZERO }
    }

    fn log(number: u64, log_index: u32) -> RawLog {
        RawLog {
            address: Address::ZERO,
            topics: Vec::new(),
            data: Bytes::new(),
            block: header(number).block,
            block_time: None,
            tx_hash: B256::ZERO,
            log_index,
        }
    }

    fn step(blocks: RangeInclusive<u64>, logs: &[RawLog], last_final: u64) -> ChainStep {
        let through = header(*blocks.end());
        let headers = blocks.clone().map(header).collect();
        let stretch = Stretch { from: *blocks.start(), through, headers, logs: logs.to_vec() };
        let finalized = Some(header(last_final));
        let tags = ChainTags { head: header(1_000), safe: None, finalized };
        ChainStep { revert_to: None, extend: Some(stretch), tags }
    }

    #[test]
    fn blocks_wait_from_their_application_until_enough_are_final() {
        let mut look = SecondLook::default();
        look.applied(&step(1..=50, &[log(7, 0)], 50));
        assert_eq!(look.due(1_000), None, "they were final when they were read");
        look.applied(&step(51..=90, &[log(60, 0), log(60, 1)], 50));
        look.applied(&step(91..=500, &[], 50));
        assert_eq!(look.due(50), None);
        assert_eq!(look.due(81), None);
        assert_eq!(look.due(82), Some(51..=82));
        assert_eq!(look.due(450), Some(51..=306), "a look is not longer than it may be");
        assert_eq!(look.lacking(&[log(60, 0), log(60, 1)]), None);
        assert_eq!(look.lacking(&[log(60, 1), log(60, 2)]), Some(60));
        assert_eq!(look.lacking(&[log(55, 0), log(60, 2)]), Some(55));
        assert_eq!(look.lacking(&[]), None, "an answer that holds less is not believed");
    }

    /// Following was behind for a while: what it read as final then was not recorded here, and is not missed.
    #[test]
    fn what_was_read_as_final_above_what_waits_is_not_looked_at() {
        let mut look = SecondLook::default();
        look.applied(&step(51..=60, &[log(60, 0)], 50));
        assert_eq!(look.due(500), None, "too few, and nothing above them was applied");
        look.applied(&step(61..=400, &[log(70, 0)], 500));
        assert_eq!(look.due(500), Some(51..=60));
        look.applied(&step(401..=600, &[log(599, 0)], 500));
        assert_eq!(look.due(500), Some(401..=500));
        assert_eq!(look.due(1_000), Some(401..=600), "no further than what was applied");
    }

    #[test]
    fn what_is_undone_waits_no_more_and_each_block_is_made_anew_once() {
        let mut look = SecondLook::default();
        look.applied(&step(51..=90, &[log(60, 0), log(70, 0)], 50));
        let mut other = step(66..=100, &[log(66, 0)], 50);
        other.revert_to = Some(header(65).block);
        look.applied(&other);
        assert_eq!(look.lacking(&[log(60, 0), log(66, 0)]), None);
        assert_eq!(look.lacking(&[log(70, 0)]), Some(70));
        assert!(look.make_anew(66) && !look.make_anew(66));
        assert!(look.is_suspect(60..=66) && !look.is_suspect(67..=100));
        assert_eq!(look.lacking(&[log(66, 0)]), Some(66), "it is not recorded any more");
        assert_eq!(look.due(90), None, "nor is it applied");
        look.applied(&step(66..=100, &[log(66, 0)], 50));
        assert_eq!(look.due(90), Some(51..=90));
        assert!(look.make_anew(51));
        assert_eq!(look.due(90), None);
    }
}
