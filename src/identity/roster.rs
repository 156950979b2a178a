//! Every agent, with who owns it and which wallet speaks for it: what agents' documents are made of.
//!
//! Timelines are held as their turns: where a value begins. A span's end is the beginning of what follows, or of nothing, so that no end
//! is kept, and going back is to forget the turns that came later. Whether it holds every agent or only one that a request names is its
//! owner's affair: `app::read_model` keeps a whole one in step with the database. What spans rest on (transactions, times, why they
//! ended) is left out.

use std::collections::BTreeMap;

use alloy::primitives::Address;

use super::fact::{SpanCause, TimelineRef};
use super::timeline::SpanRecord;
use crate::vocab::{AgentId, Position};

/// Who speaks for an agent at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holders {
    /// The holder of its token; `None` where it is burnt.
    pub owner: Option<Address>,
    /// The account that the registry names for it, and why the span that names it began.
    pub wallet: Option<(Address, Option<SpanCause>)>,
}

/// Owners and wallets by agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    agents: BTreeMap<AgentId, Courses>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Courses {
    owner: Course,
    wallet: Course,
}

/// A timeline as its turns, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Course(Vec<Turn>);

/// From here on the value is this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    from: Position,
    account: Option<Address>,
    cause: Option<SpanCause>,
}

impl Roster {
    /// Takes in a span that is new, or that has changed since it was taken in; spans of other timelines are none of its concern.
    pub fn put(&mut self, span: &SpanRecord) {
        match span.timeline {
            TimelineRef::Owner(agent) => self.agents.entry(agent).or_default().owner.put(span),
            TimelineRef::Wallet(agent) => self.agents.entry(agent).or_default().wallet.put(span),
            _ => {}
        }
    }

    /// Goes back to the end of a block: forgets what began after it and reopens what ended after it.
    pub fn revert_to(&mut self, block_number: u64) {
        self.agents.retain(|_, courses| {
            courses.owner.revert_to(block_number);
            courses.wallet.revert_to(block_number);
            !(courses.owner.0.is_empty() && courses.wallet.0.is_empty())
        });
    }

    /// Who speaks for an agent at a position; `None` where it has not been minted by then.
    #[must_use]
    pub fn at(&self, agent: AgentId, at: Position) -> Option<Holders> {
        let courses = self.agents.get(&agent)?;
        let owner = courses.owner.at(at)?.account;
        let wallet = courses.wallet.at(at);
        let wallet = wallet.and_then(|turn| Some((turn.account?, turn.cause)));
        Some(Holders { owner, wallet })
    }

    /// How many agents it holds.
    #[must_use]
    pub fn agent_count(&self) -> usize {
        self.agents.len()
    }
}

impl Course {
    fn put(&mut self, span: &SpanRecord) {
        let (account, cause) = (span.value.account(), span.cause);
        self.turn(Turn { from: span.span.from, account, cause }, true);
        if let Some(to) = span.span.to {
            // What begins there, if anything does, is another span's to say.
            self.turn(Turn { from: to, account: None, cause: None }, false);
        }
    }

    fn turn(&mut self, turn: Turn, is_beginning: bool) {
        match self.0.binary_search_by_key(&turn.from, |held| held.from) {
            Ok(index) => {
                if let Some(held) = self.0.get_mut(index).filter(|_| is_beginning) {
                    *held = turn;
                }
            }
            Err(index) => {
                // Most agents have one owner and a wallet or two: doubling would leave most of the memory empty.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(1 + self.0.len() / 4);
                }
                self.0.insert(index, turn);
            }
        }
    }

    fn revert_to(&mut self, block_number: u64) {
        let kept = self.0.partition_point(|turn| turn.from.block_number <= block_number);
        self.0.truncate(kept);
    }

    fn at(&self, at: Position) -> Option<&Turn> {
        let count = self.0.partition_point(|turn| turn.from <= at);
        self.0.get(..count)?.last()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::{Fact, Fold, SpanEnd, Timeline, Value};

    const LAST: u64 = 30;
    const AGENTS: u64 = 3;

    /// What a fold of some facts leaves.
    fn records(facts: &[Fact]) -> Vec<SpanRecord> {
        let mut fold = Fold::new(Vec::new());
        for fact in facts {
            fold.apply(fact);
        }
        fold.finish().begun
    }

    fn roster(records: &[SpanRecord]) -> Roster {
        let mut roster = Roster::default();
        for record in records {
            roster.put(record);
        }
        roster
    }

    /// Owners and wallets come and go; an owner that goes burns the agent.
    fn facts() -> impl Strategy<Value = Vec<Fact>> {
        let fact = (0..LAST, 0..AGENTS, any::<bool>(), proptest::option::of(0_u8..3));
        proptest::collection::vec(fact, 0..60).prop_map(|mut drawn| {
            drawn.sort_by_key(|(block, ..)| *block);
            let places = (0_u32..).zip(drawn);
            let facts = places.map(|(log, (block, agent, is_owner, account))| {
                let agent = AgentId::from(agent);
                let cause = if log % 2 == 0 { SpanCause::Proven } else { SpanCause::Observed };
                Fact {
                    at: Position::new(block, log),
                    timeline: if is_owner {
                        TimelineRef::Owner(agent)
                    } else {
                        TimelineRef::Wallet(agent)
                    },
                    value: account
                        .map_or(Value::Absent, |a| Value::Account(Address::repeat_byte(a))),
                    cause: account.map(|_| cause),
                    ends: SpanEnd::Transfer,
                }
            });
            facts.collect()
        })
    }

    /// Who speaks for an agent, by its whole timelines.
    fn by_timelines(facts: &[Fact], agent: AgentId, at: Position) -> Option<Holders> {
        let timeline = |wanted: TimelineRef| {
            let mut timeline = Timeline::default();
            facts.iter().filter(|fact| fact.timeline == wanted).for_each(|f| timeline.apply(f));
            timeline
        };
        let owners = timeline(TimelineRef::Owner(agent));
        owners.spans().first().filter(|span| span.span.from <= at)?;
        let owner = owners.at(at).and_then(|span| span.value.account());
        let wallets = timeline(TimelineRef::Wallet(agent));
        let wallet = wallets.at(at).and_then(|span| Some((span.value.account()?, span.cause)));
        Some(Holders { owner, wallet })
    }

    fn until(facts: &[Fact], block: u64) -> Vec<Fact> {
        facts.iter().filter(|fact| fact.at.block_number <= block).cloned().collect()
    }

    proptest! {
        /// At every position an agent is held by those whom its timelines name.
        #[test]
        fn holders_are_those_of_the_timelines(facts in facts()) {
            let roster = roster(&records(&facts));
            let positions = facts.iter().map(|f| f.at).chain((0..=LAST).map(Position::end_of));
            for at in positions {
                for agent in (0..=AGENTS).map(AgentId::from) {
                    prop_assert_eq!(roster.at(agent, at), by_timelines(&facts, agent, at));
                }
            }
        }

        /// Spans come in no order, and may be taken in again.
        #[test]
        fn the_order_of_spans_does_not_matter(facts in facts(), turn in 0_usize..60) {
            let mut records = records(&facts);
            let expected = roster(&records);
            let middle = turn.min(records.len());
            records.rotate_left(middle);
            records.extend_from_within(..middle);
            prop_assert_eq!(roster(&records), expected);
        }

        /// Going back to a block is the same as never having seen what came after it; going on again leads to the same as before.
        #[test]
        fn going_back_is_as_if_it_never_was(facts in facts(), block in 0..LAST) {
            let whole = records(&facts);
            let mut now = roster(&whole);
            now.revert_to(block);
            prop_assert_eq!(&now, &roster(&records(&until(&facts, block))));
            let has_changed = |record: &&SpanRecord| {
                let ends = [Some(record.span.from), record.span.to];
                ends.into_iter().flatten().any(|at| at.block_number > block)
            };
            for record in whole.iter().filter(has_changed) {
                now.put(record);
            }
            prop_assert_eq!(now, roster(&whole));
        }
    }
}
