//! Whether the agents that are minted in a step follow on those before: ids start at 0 and have no gap, so a gap is a log left out.
//!
//! A step with a gap is asked for again, in another way and of other nodes, once; what is still missing then is reported and followed
//! over, since a registry that is not known may count as it likes. Where it lies in what was applied before, it is looked for there, and
//! the record is made anew from that block. Only mints are looked at, and of them only their numbers.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, U256};

use super::decoded::DecodedLog;
use crate::chain::{ChainError, ChainSource, ChainStep, LogFilter, Stretch};
use crate::registry::RegistryEvent;
use crate::vocab::{AgentId, Finding, FindingKind, RawLog, RegistryKind};

/// After so many gaps in a row that stayed, steps are no longer asked for again: this registry does not count one by one.
const VAIN_MAX: u32 = 3;
/// After so many dense steps it is believed to count again.
const DENSE_MIN: u32 = 16;

/// So many ranges below a step are looked at for agents that are missing before it, each of so many blocks at least.
const LOOKS_BACK: u32 = 16;
const LOOK_BACK_MIN: u64 = 64;

/// What came of looking at a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// What is to be said about it.
    pub(super) findings: Vec<Finding>,
    /// A block that was applied before, without an agent that it mints.
    pub(super) earlier: Option<u64>,
}

/// Numbers of agents that ought to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    /// The first one.
    first: U256,
    /// The last one of the first gap.
    last: U256,
    /// How many are missing in all.
    count: U256,
}

/// How the agents were numbered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Density {
    /// The registry that numbers them.
    identity: Address,
    /// The next agent's number; `None` where that is not known.
    next: Option<U256>,
    /// The block of the last one before it; `None` where that is not known.
    last_mint: Option<u64>,
    vain: u32,
    dense: u32,
}

impl Density {
    /// After agents up to a highest one, if there is any, and the block in which that was minted.
    pub(super) fn after(identity: Address, highest: Option<(AgentId, u64)>) -> Self {
        let next = highest.map_or(Some(U256::ZERO), |(id, _)| id.0.checked_add(U256::from(1)));
        let last_mint = highest.map(|(_, block)| block);
        Self { identity, next, last_mint, ..Self::default() }
    }

    /// Looks at a step before it is applied; one in which agents are missing, or that is suspected by others, is asked for again, and
    /// gets the logs that come. Returns what is to be said about it.
    pub(super) async fn complete<S: ChainSource>(
        &mut self,
        source: &S,
        filter: &LogFilter,
        step: &mut ChainStep,
        is_suspect: bool,
    ) -> Looked {
        if step.revert_to.is_some() {
            // Which number is next above the block that was gone back to, only the database knows.
            (self.next, self.last_mint) = (None, None);
        }
        let Some(stretch) = &mut step.extend else { return Looked::default() };
        let mut mints = minted(&stretch.logs, self.identity);
        let (from, through) = (stretch.from, stretch.through.block);
        let mut findings = Vec::new();
        let is_asked = self.is_worth_asking() && self.gap(&mints).is_some();
        if is_asked || is_suspect {
            match ask_again(source, filter, stretch).await {
                Ok(0) => {}
                Ok(count) => {
                    mints = minted(&stretch.logs, self.identity);
                    let detail = format!(
                        "{count} logs were missing, and came when they were asked for again"
                    );
                    findings.push(Finding::new(FindingKind::LogsLeftOut, &detail));
                }
                Err(error) => {
                    tracing::warn!(%error, "logs may be missing, and their blocks cannot be asked for again");
                }
            }
        }
        let gap = self.gap(&mints);
        let mut earlier = None;
        if let Some(gap) = gap.filter(|gap| is_asked && Some(gap.first) == self.next) {
            earlier = self.look_back(source, filter, gap, (from, through.number)).await;
        }
        self.advance(&mints, gap);
        findings.extend(gap.map(|gap| {
            let detail = format!(
                "{} agents are missing, first {} to {}: a node left logs out of these blocks or of earlier ones; `hallmark audit` shows the gaps",
                gap.count, gap.first, gap.last
            );
            Finding::new(FindingKind::AgentsMissing, &detail)
        }));
        let of_blocks = |finding: Finding| finding.of_blocks(from, through.number);
        Looked { findings: findings.into_iter().map(of_blocks).collect(), earlier }
    }

    /// Looks for missing agents between the last one and a step, in what was applied before. Returns the block of the first one.
    async fn look_back<S: ChainSource>(
        &self,
        source: &S,
        filter: &LogFilter,
        gap: Gap,
        (from, through): (u64, u64),
    ) -> Option<u64> {
        let length = (through - from).saturating_add(1).max(LOOK_BACK_MIN);
        let mut next = self.last_mint?;
        for _ in 0..LOOKS_BACK {
            if next >= from {
                return None;
            }
            let last = next.saturating_add(length - 1).min(from - 1);
            let answer = source.logs_again(filter, next..=last).await.ok()?;
            let found = minted(&answer.logs, self.identity);
            let first = found.iter().find(|(_, id)| (gap.first..=gap.last).contains(id));
            if let Some((block, _)) = first {
                return Some(*block);
            }
            next = last.saturating_add(1);
        }
        None
    }

    /// What is missing before and between the agents of a step, given in order.
    fn gap(&self, minted: &[(u64, U256)]) -> Option<Gap> {
        let mut next = self.next.or_else(|| minted.first().map(|(_, id)| *id))?;
        let mut gap: Option<Gap> = None;
        for (_, id) in minted {
            if let Some(count) = id.checked_sub(next).filter(|count| !count.is_zero()) {
                let last = *id - U256::from(1);
                let gap = gap.get_or_insert(Gap { first: next, last, count: U256::ZERO });
                gap.count = gap.count.saturating_add(count);
            }
            next = next.max(id.saturating_add(U256::from(1)));
        }
        gap
    }

    /// Whether asking again may help.
    const fn is_worth_asking(&self) -> bool {
        self.vain < VAIN_MAX
    }

    /// Takes in the agents of a step that is applied, with the gap that stayed.
    fn advance(&mut self, minted: &[(u64, U256)], stayed: Option<Gap>) {
        let Some((block, highest)) = minted.iter().max_by_key(|(_, id)| *id) else { return };
        let next = highest.checked_add(U256::from(1));
        if next > self.next {
            (self.next, self.last_mint) = (next, Some(*block));
        }
        if stayed.is_some() {
            self.vain = self.vain.saturating_add(1);
            self.dense = 0;
        } else {
            self.dense = self.dense.saturating_add(1);
            if self.dense >= DENSE_MIN {
                self.vain = 0;
            }
        }
    }
}

/// Replaces the logs of a stretch by those of another answer, where that is of the same blocks and holds more. Returns how many more.
async fn ask_again<S: ChainSource>(
    source: &S,
    filter: &LogFilter,
    stretch: &mut Stretch,
) -> Result<usize, ChainError> {
    let through = stretch.through.block;
    let answer = source.logs_again(filter, stretch.from..=through.number).await?;
    let more = answer.logs.len().saturating_sub(stretch.logs.len());
    if answer.end.block != through || more == 0 {
        return Ok(0);
    }
    let is_held = |number: u64| stretch.headers.iter().any(|h| h.block.number == number);
    let timeless = answer.logs.iter().filter(|log| log.block_time.is_none());
    let numbers: BTreeSet<u64> =
        timeless.map(|log| log.block.number).filter(|number| !is_held(*number)).collect();
    let numbers: Vec<u64> = numbers.into_iter().collect();
    if !numbers.is_empty() {
        stretch.headers.extend(source.headers(&numbers).await?);
        stretch.headers.sort_by_key(|header| header.block.number);
    }
    stretch.logs = answer.logs;
    Ok(more)
}

/// The agents that are minted in some logs, in their order: block and number of each.
fn minted(logs: &[RawLog], identity: Address) -> Vec<(u64, U256)> {
    let may_be = |log: &&RawLog| {
        log.address == identity
            && log.topics.len() == 4
            && log.topics.get(1).is_some_and(|from| *from == B256::ZERO)
    };
    let mints = logs.iter().filter(may_be);
    mints
        .filter_map(|log| match DecodedLog::of(log, RegistryKind::Identity).event {
            Ok(RegistryEvent::Transfer { from, agent, .. }) if from.is_zero() => {
                Some((log.block.number, agent.0))
            }
            Ok(_) | Err(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u64]) -> Vec<(u64, U256)> {
        numbers.iter().map(|number| (number + 500, U256::from(*number))).collect()
    }

    fn after(highest: Option<AgentId>) -> Density {
        Density::after(Address::ZERO, highest.map(|id| (id, 5)))
    }

    fn gap(first: u64, last: u64, count: u64) -> Gap {
        Gap { first: U256::from(first), last: U256::from(last), count: U256::from(count) }
    }

    #[test]
    fn gaps_are_found_before_and_between() {
        let fresh = after(None);
        assert_eq!(fresh.gap(&[]), None);
        assert_eq!(fresh.gap(&ids(&[0, 1, 2])), None);
        assert_eq!(fresh.gap(&ids(&[3, 4])), Some(gap(0, 2, 3)));
        let later = after(Some(41.into()));
        assert_eq!(later.gap(&ids(&[42, 43])), None);
        assert_eq!(later.gap(&ids(&[42, 45, 46, 49])), Some(gap(43, 44, 4)));
        assert_eq!(later.gap(&ids(&[7])), None, "a lower number is no gap");
        let last = after(Some(AgentId(U256::MAX)));
        assert_eq!(last.gap(&[(9, U256::MAX)]), None);
    }

    #[test]
    fn after_blocks_were_undone_only_what_lies_between_counts() {
        let mut density = after(Some(41.into()));
        density.next = None;
        assert_eq!(density.gap(&ids(&[30, 31])), None);
        assert_eq!(density.gap(&ids(&[30, 32])), Some(gap(31, 31, 1)));
        density.advance(&ids(&[30, 31]), None);
        assert_eq!(density.gap(&ids(&[33])), Some(gap(32, 32, 1)));
    }

    #[test]
    fn a_registry_that_does_not_count_is_not_asked_about_for_ever() {
        let mut density = after(None);
        for n in 1..=3_u64 {
            assert!(density.is_worth_asking());
            let minted = ids(&[n * 1_000]);
            let stayed = density.gap(&minted);
            assert!(stayed.is_some());
            density.advance(&minted, stayed);
        }
        assert!(!density.is_worth_asking());
        for n in 3_001..3_017 {
            density.advance(&ids(&[n]), None);
        }
        assert!(density.is_worth_asking());
    }
}
