//! The feedback of each client on an agent is counted from 1: what the numbers in a step say about those before them.
//!
//! What was followed since the program began is remembered, one small entry for each client of an agent; what was recorded earlier the
//! database is asked for. Feedback without a number, as it was before January 2026, leaves its client unknown until the next that has
//! one. An omission of a client's newest feedback leaves no trace here.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use alloy::primitives::Address;

use super::{Gap, Missing, Patience};
use crate::registry::feedback_number;
use crate::vocab::{AgentId, RawLog};

/// An agent and one that judges it.
pub(in crate::app) type Pair = (AgentId, Address);

/// So many clients are remembered: some tens of megabytes.
const PAIRS_MAX: usize = 1 << 20;
/// Of so many clients in one step the database is asked.
const ASKED_MAX: usize = 64;
/// So many of an agent's newest feedbacks are looked at to find a client's last one.
pub(in crate::app) const LOOKED_AT: u32 = 128;

/// A client's last feedback: its number, 0 where there is none, and its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) struct Given {
    pub(in crate::app) index: u64,
    pub(in crate::app) block: u64,
}

/// What is remembered of clients, by a hash of the pair: two that share one would only be asked about in vain.
type Known = HashMap<u64, Entry>;

/// A client's last feedback in eight bytes; `None` where its number is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry(Option<u32>, u32);

impl Entry {
    fn of(given: Given) -> Self {
        let block = u32::try_from(given.block).unwrap_or(u32::MAX);
        Self(u32::try_from(given.index).ok(), block)
    }
}

/// How feedback was numbered so far.
#[derive(Clone, Debug)]
pub(super) struct FeedbackDensity {
    reputation: Option<Address>,
    known: Known,
    /// Whether a client that is not among them has given nothing.
    knows_all: bool,
    pub(super) patience: Patience,
}

/// The feedback of a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) gap: Option<Gap>,
    clients: Known,
}

impl FeedbackDensity {
    /// Of a registry, if there is one; into a record that may be empty.
    pub(super) fn new(reputation: Option<Address>, is_empty: bool) -> Self {
        let patience = Patience::default();
        Self { reputation, known: Known::new(), knows_all: is_empty, patience }
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.knows_all = false;
    }

    pub(super) fn learn(&mut self, pair: Pair, given: Given) {
        if self.known.len() < PAIRS_MAX {
            self.known.insert(key(pair), Entry::of(given));
        }
    }

    /// The clients of whose feedback in a step the number tells that there was some before, and of whom nothing is known.
    pub(super) fn unknown_in(&self, logs: &[RawLog], is_reverted: bool) -> BTreeSet<Pair> {
        if self.knows_all && !is_reverted {
            return BTreeSet::new();
        }
        let mut first: BTreeSet<u64> = BTreeSet::new();
        let unknown = self.numbers(logs).filter_map(|(_, pair, index)| {
            let is_unknown = is_reverted || !self.known.contains_key(&key(pair));
            let is_first = first.insert(key(pair));
            (is_unknown && is_first && index.is_some_and(|index| index > 1)).then_some(pair)
        });
        unknown.take(ASKED_MAX).collect()
    }

    /// Looks at the feedback of a step; `is_whole` where the record has all there ever was.
    pub(super) fn look(&self, logs: &[RawLog], is_whole: bool) -> Seen {
        let mut seen = Seen::default();
        let absent = (self.knows_all && is_whole).then_some(Entry(Some(0), 0));
        for (block, pair, index) in self.numbers(logs) {
            let key = key(pair);
            let before = seen.clients.get(&key).or_else(|| self.known.get(&key)).copied();
            let Some(index) = index else {
                seen.clients.insert(key, Entry(None, 0));
                continue;
            };
            let Entry(last, after) = before.or(absent).unwrap_or(Entry(None, 0));
            if let Some(last) = last.map(u64::from)
                && index > last + 1
            {
                let missing = Missing::Feedback { pair, first: last + 1, last: index - 1 };
                let gap = seen.gap.get_or_insert(Gap {
                    missing,
                    after: Some(after.into()),
                    until: block,
                });
                gap.until = block;
            }
            let last = last.map_or(index, |last| index.max(last.into()));
            seen.clients.insert(key, Entry::of(Given { index: last, block }));
        }
        seen
    }

    /// Takes in the feedback of a step that is applied.
    pub(super) fn advance(&mut self, seen: Seen) {
        if seen.clients.is_empty() {
            return;
        }
        self.patience.take(seen.gap.is_some());
        if self.known.len().saturating_add(seen.clients.len()) > PAIRS_MAX {
            self.forget();
        }
        self.known.extend(seen.clients);
    }

    /// Block, client and number of each feedback in some logs.
    fn numbers<'a>(
        &self,
        logs: &'a [RawLog],
    ) -> impl Iterator<Item = (u64, Pair, Option<u64>)> + use<'a> {
        let reputation = self.reputation;
        let of_registry = logs.iter().filter(move |log| Some(log.address) == reputation);
        of_registry.filter_map(|log| {
            let number = feedback_number(log)?;
            Some((log.block.number, (number.agent, number.client), number.index))
        })
    }
}

fn key(pair: Pair) -> u64 {
    let mut hasher = DefaultHasher::new();
    pair.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, U256};

    use super::*;
    use crate::registry::topics::{EventForm, KNOWN_EVENTS};
    use crate::vocab::BlockRef;

    const REGISTRY: Address = Address::repeat_byte(0x4e);

    fn of(form: EventForm, (block, agent, client, index): (u64, u64, u8, u64)) -> RawLog {
        let topic0 = KNOWN_EVENTS.iter().find(|known| known.form == form).unwrap().topic0;
        RawLog {
            address: REGISTRY,
            topics: vec![
                topic0,
                U256::from(agent).into(),
                Address::repeat_byte(client).into_word(),
                B256::ZERO,
            ],
            data: U256::from(index).to_be_bytes_vec().into(),
            block: BlockRef { number: block, hash: B256::ZERO },
            block_time: None,
            tx_hash: B256::ZERO,
            log_index: 0,
        }
    }

    fn logs(given: &[(u64, u64, u8, u64)]) -> Vec<RawLog> {
        given.iter().map(|given| of(EventForm::NewFeedback, *given)).collect()
    }

    fn pair(agent: u64, client: u8) -> Pair {
        (agent.into(), Address::repeat_byte(client))
    }

    fn gap(pair: Pair, numbers: (u64, u64), (after, until): (u64, u64)) -> Gap {
        let missing = Missing::Feedback { pair, first: numbers.0, last: numbers.1 };
        Gap { missing, after: Some(after), until }
    }

    fn empty() -> FeedbackDensity {
        FeedbackDensity::new(Some(REGISTRY), true)
    }

    #[test]
    fn gaps_are_found_within_and_across_steps() {
        let mut density = empty();
        let step = logs(&[(5, 1, 1, 1), (5, 1, 2, 1), (6, 1, 1, 2), (9, 2, 1, 1)]);
        let seen = density.look(&step, true);
        assert_eq!(seen.gap, None);
        density.advance(seen);
        assert_eq!(density.look(&logs(&[(20, 1, 1, 3), (21, 1, 2, 2)]), true).gap, None);
        let across = density.look(&logs(&[(20, 1, 1, 5)]), true).gap;
        assert_eq!(across, Some(gap(pair(1, 1), (3, 4), (6, 20))));
        let within = density.look(&logs(&[(20, 1, 2, 2), (22, 1, 2, 4), (30, 2, 1, 9)]), true).gap;
        assert_eq!(within, Some(gap(pair(1, 2), (3, 3), (20, 30))), "the first, up to the last");
        assert_eq!(density.look(&logs(&[(20, 1, 1, 1)]), true).gap, None, "again is no gap");
    }

    #[test]
    fn what_was_never_followed_is_missing_only_where_the_record_is_whole() {
        let density = empty();
        let step = logs(&[(20, 1, 1, 3)]);
        assert_eq!(density.look(&step, true).gap, Some(gap(pair(1, 1), (1, 2), (0, 20))));
        assert_eq!(density.look(&step, false).gap, None, "following began later");
        let resumed = FeedbackDensity::new(Some(REGISTRY), false);
        assert_eq!(resumed.look(&step, true).gap, None, "the database may know it");
    }

    #[test]
    fn the_database_is_asked_about_clients_that_gave_before() {
        let mut density = FeedbackDensity::new(Some(REGISTRY), false);
        let step = logs(&[(20, 1, 1, 3), (20, 1, 2, 1), (21, 1, 1, 4), (21, 1, 2, 2)]);
        assert_eq!(density.unknown_in(&step, false), [pair(1, 1)].into());
        density.learn(pair(1, 1), Given { index: 1, block: 4 });
        assert_eq!(density.unknown_in(&step, false), BTreeSet::new());
        assert_eq!(density.look(&step, false).gap, Some(gap(pair(1, 1), (2, 2), (4, 20))));
        assert_eq!(density.unknown_in(&step, true), [pair(1, 1)].into(), "it may be undone");
        density.forget();
        assert_eq!(density.look(&step, true).gap, None);
        assert_eq!(empty().unknown_in(&step, false), BTreeSet::new());
    }

    #[test]
    fn of_a_client_without_numbers_nothing_is_said_until_the_next_that_has_one() {
        let mut density = empty();
        density.advance(density.look(&[of(EventForm::NewFeedbackV1, (4, 1, 1, 88))], true));
        let seen = density.look(&logs(&[(20, 1, 1, 7)]), true);
        assert_eq!(seen.gap, None);
        density.advance(seen);
        let next = density.look(&logs(&[(21, 1, 1, 9)]), true).gap;
        assert_eq!(next, Some(gap(pair(1, 1), (8, 8), (20, 21))));
    }

    #[test]
    fn other_registries_do_not_count() {
        let mut log = of(EventForm::NewFeedback, (4, 1, 1, 7));
        log.address = Address::ZERO;
        assert_eq!(empty().look(&[log], true).gap, None);
        let none = FeedbackDensity::new(None, true);
        assert_eq!(none.look(&logs(&[(4, 1, 1, 7)]), true).gap, None);
    }
}
