//! All spans of one thing, in order.
//!
//! A timeline is the fold of its facts into half-open spans. It knows nothing of storage or of attestations: `app::ingest` feeds the
//! same rule ([`succeed`]) through [`Fold`](super::Fold) and writes what comes out; a whole `Timeline` is what readers of a history
//! hold in hand.
//!
//! At most one span is open, spans never overlap, and a fact that changes nothing leaves no trace. Where a block sets a value and
//! takes it away again, the span in between is real for its positions, and no block's end lies in it.

use super::fact::{Fact, SpanCause, SpanEnd, TimelineRef, Value};
use crate::vocab::{Position, Span};

/// One span of a timeline, with why it began and why it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanRecord {
    /// Of what.
    pub timeline: TimelineRef,
    /// What held.
    pub value: Value,
    /// When.
    pub span: Span,
    /// Why it began.
    pub cause: Option<SpanCause>,
    /// Why it ended; absent while it is open.
    pub ended_by: Option<SpanEnd>,
}

/// What a fact does to the span that is open when it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Succession {
    /// Nothing changes.
    Same,
    /// The open span, if any, ends so, and this one, if any, begins.
    Next { ends: SpanEnd, begins: Option<SpanRecord> },
}

/// The one rule by which spans follow each other.
///
/// A wallet that is set again to the account it already names goes on in the same span, unless this time its signature proved it and
/// before it had not: then a proven span takes over, since the two differ in what they are worth as evidence.
pub(super) fn succeed(open: Option<&SpanRecord>, fact: &Fact) -> Succession {
    let value_now = open.map_or(&Value::Absent, |span| &span.value);
    let is_first = open.is_none() && fact.timeline.keeps_absence();
    if *value_now == fact.value && !is_first {
        let proves = fact.cause == Some(SpanCause::Proven)
            && open.is_some_and(|span| span.cause != Some(SpanCause::Proven));
        if !proves {
            return Succession::Same;
        }
        return Succession::Next { ends: SpanEnd::Proven, begins: Some(begin(fact)) };
    }
    let begins =
        (fact.value != Value::Absent || fact.timeline.keeps_absence()).then(|| begin(fact));
    Succession::Next { ends: fact.ends, begins }
}

fn begin(fact: &Fact) -> SpanRecord {
    SpanRecord {
        timeline: fact.timeline,
        value: fact.value.clone(),
        span: Span { from: fact.at, to: None },
        cause: fact.cause,
        ended_by: None,
    }
}

/// All spans of one timeline, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    spans: Vec<SpanRecord>,
}

impl Timeline {
    /// A timeline of spans that are known already, oldest first.
    #[must_use]
    pub const fn new(spans: Vec<SpanRecord>) -> Self {
        Self { spans }
    }

    /// Takes in one fact; facts come in the order of their positions.
    pub fn apply(&mut self, fact: &Fact) {
        let open = self.spans.last().filter(|span| span.span.to.is_none());
        if let Succession::Next { ends, begins } = succeed(open, fact) {
            if let Some(open) = self.spans.last_mut().filter(|span| span.span.to.is_none()) {
                open.span.to = Some(fact.at);
                open.ended_by = Some(ends);
            }
            self.spans.extend(begins);
        }
    }

    /// The span that holds at a position, if any.
    #[must_use]
    pub fn at(&self, at: Position) -> Option<&SpanRecord> {
        let next = self.spans.partition_point(|span| span.span.from <= at);
        self.spans.get(..next)?.last().filter(|span| span.span.contains(at))
    }

    /// Goes back to the end of a block: forgets what began after it and reopens what ended after it.
    pub fn revert_to(&mut self, block_number: u64) {
        self.spans.retain(|span| span.span.from.block_number <= block_number);
        for span in &mut self.spans {
            if span.span.to.is_some_and(|to| to.block_number > block_number) {
                span.span.to = None;
                span.ended_by = None;
            }
        }
    }

    /// The spans, oldest first.
    #[must_use]
    pub fn spans(&self) -> &[SpanRecord] {
        &self.spans
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::Address;
    use proptest::prelude::*;

    use super::*;
    use crate::vocab::AgentId;

    fn wallet(at: (u64, u32), account: Option<u8>, cause: Option<SpanCause>) -> Fact {
        Fact {
            at: Position::new(at.0, at.1),
            timeline: TimelineRef::Wallet(AgentId::from(1)),
            value: account.map_or(Value::Absent, |a| Value::Account(Address::repeat_byte(a))),
            cause,
            ends: if account.is_some() { SpanEnd::Rotated } else { SpanEnd::Unset },
        }
    }

    fn fold(facts: &[Fact]) -> Timeline {
        let mut timeline = Timeline::default();
        for fact in facts {
            timeline.apply(fact);
        }
        timeline
    }

    #[test]
    fn a_wallet_that_rotates_away_and_comes_back_has_three_spans() {
        let proven = Some(SpanCause::Proven);
        let timeline = fold(&[
            wallet((1, 0), Some(1), Some(SpanCause::Registered)),
            wallet((5, 2), Some(2), proven),
            wallet((5, 2), Some(2), proven),
            wallet((9, 0), Some(1), proven),
        ]);
        let accounts: Vec<_> =
            timeline.spans().iter().map(|s| (s.value.account(), s.span.to)).collect();
        assert_eq!(
            accounts,
            [
                (Some(Address::repeat_byte(1)), Some(Position::new(5, 2))),
                (Some(Address::repeat_byte(2)), Some(Position::new(9, 0))),
                (Some(Address::repeat_byte(1)), None),
            ]
        );
        assert_eq!(
            timeline.at(Position::end_of(4)).unwrap().value.account(),
            Some(Address::repeat_byte(1))
        );
        assert!(timeline.at(Position::new(0, 9)).is_none());
    }

    #[test]
    fn proof_of_the_wallet_that_is_set_already_starts_a_proven_span() {
        let timeline = fold(&[
            wallet((1, 0), Some(1), Some(SpanCause::Registered)),
            wallet((2, 0), Some(1), Some(SpanCause::Proven)),
            wallet((3, 0), Some(1), Some(SpanCause::Observed)),
        ]);
        assert_eq!(timeline.spans().len(), 2);
        assert_eq!(timeline.spans()[0].ended_by, Some(SpanEnd::Proven));
        assert_eq!(timeline.spans()[1].cause, Some(SpanCause::Proven));
    }

    #[test]
    fn a_wallet_cleared_twice_is_absent_once() {
        let timeline = fold(&[
            wallet((1, 0), Some(1), Some(SpanCause::Registered)),
            wallet((2, 0), None, None),
            wallet((3, 0), None, None),
        ]);
        assert_eq!(timeline.spans().len(), 2);
        assert_eq!(timeline.spans()[1].value, Value::Absent);
        assert_eq!(timeline.spans()[1].span.from, Position::new(2, 0));
    }

    fn facts() -> impl Strategy<Value = Vec<Fact>> {
        let cause = prop_oneof![
            Just(Some(SpanCause::Proven)),
            Just(Some(SpanCause::Registered)),
            Just(Some(SpanCause::Observed))
        ];
        proptest::collection::vec((0_u64..40, proptest::option::of(0_u8..3), cause), 0..40)
            .prop_map(|mut drawn| {
                drawn.sort_by_key(|(block, ..)| *block);
                let log = |index: usize| u32::try_from(index).unwrap();
                drawn
                    .into_iter()
                    .enumerate()
                    .map(|(i, (block, account, cause))| {
                        wallet((block, log(i)), account, account.and(cause))
                    })
                    .collect()
            })
    }

    proptest! {
        /// Spans are disjoint, ordered, and at most the last is open.
        #[test]
        fn spans_never_overlap(facts in facts()) {
            let timeline = fold(&facts);
            for pair in timeline.spans().windows(2) {
                prop_assert_eq!(pair[0].span.to, Some(pair[1].span.from));
                prop_assert!(pair[0].span.from < pair[1].span.from);
            }
        }

        /// Applying what came after a block and going back to it is the same as never having seen it.
        #[test]
        fn apply_then_revert_is_identity(facts in facts(), block in 0_u64..40) {
            let before: Vec<_> =
                facts.iter().filter(|f| f.at.block_number <= block).cloned().collect();
            let mut timeline = fold(&facts);
            timeline.revert_to(block);
            prop_assert_eq!(timeline, fold(&before));
        }

        /// The span at a position is the last fact's word.
        #[test]
        fn the_answer_at_a_position_is_the_last_word(facts in facts(), block in 0_u64..40) {
            let last = facts.iter().rfind(|f| f.at.block_number <= block);
            let timeline = fold(&facts);
            let found = timeline.at(Position::end_of(block)).map(|s| s.value.clone());
            prop_assert_eq!(found, last.map(|f| f.value.clone()));
        }
    }
}
