//! Agents are counted from 0 in the order of their mints: what the mints in a step say about those before them.

use alloy::primitives::{Address, B256, U256};

use super::{Gap, Missing, Patience};
use crate::app::decoded::DecodedLog;
use crate::registry::RegistryEvent;
use crate::vocab::{AgentId, RawLog, RegistryKind};

/// How the agents were numbered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Density {
    /// The registry that numbers them.
    identity: Address,
    /// Whether the very first agent is held, or there was none yet.
    holds_first: bool,
    /// The next agent's number; `None` where that is not known.
    next: Option<U256>,
    /// The block of the last one before it; `None` where that is not known.
    last_mint: Option<u64>,
    pub(super) patience: Patience,
}

impl Density {
    /// After agents up to a highest one, if there is any, and the block in which that was minted.
    pub(super) fn after(
        identity: Address,
        highest: Option<(AgentId, u64)>,
        has_first: bool,
    ) -> Self {
        let next = highest.map_or(Some(U256::ZERO), |(id, _)| id.0.checked_add(U256::from(1)));
        let last_mint = highest.map(|(_, block)| block);
        let holds_first = has_first || highest.is_none();
        Self { identity, holds_first, next, last_mint, patience: Patience::default() }
    }

    pub(super) const fn identity(&self) -> Address {
        self.identity
    }

    /// Forgets which number is next.
    pub(super) const fn forget(&mut self) {
        (self.next, self.last_mint) = (None, None);
    }

    /// Whether the record has all agents there ever were, with those minted in a step.
    pub(super) fn holds_first(&self, minted: &[(u64, U256)]) -> bool {
        let began = self.next != Some(U256::ZERO);
        self.holds_first && (began || minted.first().is_none_or(|(_, id)| id.is_zero()))
    }

    /// What is missing before and between the agents of a step, given in order.
    pub(super) fn gap(&self, minted: &[(u64, U256)]) -> Option<Gap> {
        let mut next = self.next.or_else(|| minted.first().map(|(_, id)| *id))?;
        let mut before = self.last_mint;
        let mut gap: Option<Gap> = None;
        for (block, id) in minted {
            if let Some(more) = id.checked_sub(next).filter(|more| !more.is_zero()) {
                let (identity, last) = (self.identity, *id - U256::from(1));
                let missing = Missing::Agents { identity, first: next, last, count: U256::ZERO };
                let gap = gap.get_or_insert(Gap { missing, after: before, until: *block });
                gap.until = *block;
                if let Missing::Agents { count, .. } = &mut gap.missing {
                    *count = count.saturating_add(more);
                }
            }
            next = next.max(id.saturating_add(U256::from(1)));
            before = Some(*block);
        }
        gap
    }

    /// Takes in the agents of a step that is applied, with the gap that stayed.
    pub(super) fn advance(&mut self, minted: &[(u64, U256)], stayed: Option<Gap>) {
        self.holds_first = self.holds_first(minted);
        let Some((block, highest)) = minted.iter().max_by_key(|(_, id)| *id) else { return };
        let next = highest.checked_add(U256::from(1));
        if next > self.next {
            (self.next, self.last_mint) = (next, Some(*block));
        }
        self.patience.take(stayed.is_some());
    }
}

/// The agents that are minted in some logs, in their order: block and number of each.
pub(super) fn minted(logs: &[RawLog], identity: Address) -> Vec<(u64, U256)> {
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
        Density::after(Address::ZERO, highest.map(|id| (id, 5)), true)
    }

    /// The numbers of the first gap and how many are missing, and between which blocks.
    fn gap(numbers: (u64, u64), count: u64, (after, until): (Option<u64>, u64)) -> Gap {
        let (first, last) = (U256::from(numbers.0), U256::from(numbers.1));
        let count = U256::from(count);
        let missing = Missing::Agents { identity: Address::ZERO, first, last, count };
        Gap { missing, after, until }
    }

    #[test]
    fn gaps_are_found_before_and_between() {
        let fresh = after(None);
        assert_eq!(fresh.gap(&[]), None);
        assert_eq!(fresh.gap(&ids(&[0, 1, 2])), None);
        assert_eq!(fresh.gap(&ids(&[3, 4])), Some(gap((0, 2), 3, (None, 503))));
        let later = after(Some(41.into()));
        assert_eq!(later.gap(&ids(&[42, 43])), None);
        assert_eq!(later.gap(&ids(&[42, 45, 46, 49])), Some(gap((43, 44), 4, (Some(542), 549))));
        assert_eq!(later.gap(&ids(&[45])), Some(gap((42, 44), 3, (Some(5), 545))));
        assert_eq!(later.gap(&ids(&[7])), None, "a lower number is no gap");
        let last = after(Some(AgentId(U256::MAX)));
        assert_eq!(last.gap(&[(9, U256::MAX)]), None);
    }

    #[test]
    fn after_blocks_were_undone_only_what_lies_between_counts() {
        let mut density = after(Some(41.into()));
        density.forget();
        assert_eq!(density.gap(&ids(&[30, 31])), None);
        assert_eq!(density.gap(&ids(&[30, 32])), Some(gap((31, 31), 1, (Some(530), 532))));
        density.advance(&ids(&[30, 31]), None);
        assert_eq!(density.gap(&ids(&[33])), Some(gap((32, 32), 1, (Some(531), 533))));
    }

    #[test]
    fn a_record_is_whole_where_it_begins_with_the_first_agent() {
        let mut fresh = after(None);
        assert!(fresh.holds_first(&[]) && fresh.holds_first(&ids(&[0, 1])));
        assert!(!fresh.holds_first(&ids(&[7])), "following began later");
        fresh.advance(&ids(&[7]), None);
        assert!(!fresh.holds_first(&ids(&[8])));
        assert!(after(Some(41.into())).holds_first(&ids(&[42])));
    }
}
