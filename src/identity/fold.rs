//! Folds a batch of facts into the changes that storage must make.
//!
//! Only the spans that are open when the batch begins are needed, not whole timelines. A span that begins and ends within the batch
//! comes out once, closed. The caller loads the open spans of every timeline that [`Fold::touches`] names, feeds the facts in the
//! order of their positions, and writes the [`Changes`].

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Fact, SpanEnd, TimelineRef};
use super::timeline::{SpanRecord, Succession, succeed};
use crate::vocab::Position;

/// A stored span that ends in this batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Of what.
    pub timeline: TimelineRef,
    /// Where the stored span began, which names it.
    pub from: Position,
    /// Where it ends.
    pub to: Position,
    /// Why.
    pub ended_by: SpanEnd,
}

/// What storage must do: first the closings, then the new spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Stored spans that end, one for each timeline at most.
    pub closings: Vec<Closing>,
    /// New spans, closed or open.
    pub begun: Vec<SpanRecord>,
}

/// The running fold of one batch.
#[derive(Debug, Default)]
pub struct Fold {
    /// The open span of each timeline, and whether it is stored already.
    open: BTreeMap<TimelineRef, (SpanRecord, bool)>,
    changes: Changes,
}

impl Fold {
    /// The timelines that some facts touch.
    #[must_use]
    pub fn touches(facts: &[Fact]) -> BTreeSet<TimelineRef> {
        facts.iter().map(|fact| fact.timeline).collect()
    }

    /// Begins from the stored open spans; a timeline that is not among them has none.
    #[must_use]
    pub fn new(open: impl IntoIterator<Item = SpanRecord>) -> Self {
        let open = open.into_iter().map(|span| (span.timeline, (span, true))).collect();
        Self { open, changes: Changes::default() }
    }

    /// Takes in one fact.
    pub fn apply(&mut self, fact: &Fact) {
        let open = self.open.get(&fact.timeline).map(|(span, _)| span);
        let Succession::Next { ends, begins } = succeed(open, fact) else { return };
        if let Some((mut span, stored)) = self.open.remove(&fact.timeline) {
            if stored {
                self.changes.closings.push(Closing {
                    timeline: fact.timeline,
                    from: span.span.from,
                    to: fact.at,
                    ended_by: ends,
                });
            } else {
                span.span.to = Some(fact.at);
                span.ended_by = Some(ends);
                self.changes.begun.push(span);
            }
        }
        if let Some(span) = begins {
            self.open.insert(fact.timeline, (span, false));
        }
    }

    /// What is to be written.
    #[must_use]
    pub fn finish(mut self) -> Changes {
        let new = self.open.into_values().filter(|(_, stored)| !stored).map(|(span, _)| span);
        self.changes.begun.extend(new);
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;
    use proptest::prelude::*;

    use super::super::{SpanCause, Timeline, Value};
    use super::*;
    use crate::vocab::AgentId;

    fn owner(block: u64, log_index: u32, agent: u64, account: u8) -> Fact {
        Fact {
            at: Position::new(block, log_index),
            timeline: TimelineRef::Owner(AgentId::from(agent)),
            value: Value::Account(Address::repeat_byte(account)),
            cause: Some(SpanCause::Transfer),
            ends: SpanEnd::Transfer,
        }
    }

    /// Keeps what a store would keep, by the changes alone.
    fn store(stored: &mut Vec<SpanRecord>, changes: Changes) {
        for closing in changes.closings {
            let span = stored
                .iter_mut()
                .find(|s| s.timeline == closing.timeline && s.span.from == closing.from)
                .expect("a closing names a stored span");
            span.span.to = Some(closing.to);
            span.ended_by = Some(closing.ended_by);
        }
        stored.extend(changes.begun);
    }

    proptest! {
        /// However facts are cut into batches, the stored spans are those of the whole timelines.
        #[test]
        fn batches_do_not_matter(
            drawn in proptest::collection::vec((0_u64..3, 0_u8..4), 1..40),
            cuts in proptest::collection::vec(1_usize..7, 1..20),
        ) {
            let facts: Vec<_> = drawn
                .iter()
                .zip(0_u32..)
                .map(|(&(agent, account), i)| owner(u64::from(i / 3), i, agent, account))
                .collect();
            let mut stored = Vec::new();
            let mut rest = facts.as_slice();
            for size in cuts.into_iter().cycle() {
                if rest.is_empty() { break }
                let (batch, tail) = rest.split_at(size.min(rest.len()));
                rest = tail;
                let open: Vec<SpanRecord> =
                    stored.iter().filter(|s: &&SpanRecord| s.span.to.is_none()).cloned().collect();
                let mut fold = Fold::new(open);
                for fact in batch {
                    fold.apply(fact);
                }
                store(&mut stored, fold.finish());
            }
            for agent in 0..3 {
                let timeline = TimelineRef::Owner(AgentId::from(agent));
                let mut whole = Timeline::default();
                facts.iter().filter(|f| f.timeline == timeline).for_each(|f| whole.apply(f));
                let mut found: Vec<_> =
                    stored.iter().filter(|s| s.timeline == timeline).cloned().collect();
                found.sort_by_key(|s| s.span.from);
                prop_assert_eq!(whole.spans(), found.as_slice());
            }
        }
    }
}
