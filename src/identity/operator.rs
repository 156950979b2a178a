//! Who may act for an agent besides its owner, and when.
//!
//! ERC-721 knows two kinds. The single approval is the agent's own and ends silently when the agent moves. The operator for all is
//! the owner's: it counts for an agent while that owner holds it, stops silently when the agent moves, and comes back to life if the
//! owner gets the agent again. Both are therefore derived from spans, never stored per agent.

use alloy::primitives::Address;

use super::timeline::SpanRecord;
use crate::vocab::Span;

/// By which of the two ways an account may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperatorKind {
    /// ERC-721 `approve`: for this agent.
    Approved,
    /// ERC-721 `setApprovalForAll`: for all agents of its owner.
    ApprovedForAll,
}

impl OperatorKind {
    /// The word for it in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ApprovedForAll => "approved_for_all",
        }
    }
}

/// A span in which an account could act for an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorSpan {
    /// Who could act.
    pub account: Address,
    /// By which way.
    pub kind: OperatorKind,
    /// When.
    pub span: Span,
}

/// All spans in which others than the owner could act for an agent, by their beginning, then account.
///
/// `owners` and `approved` are the agent's timelines; `for_all` the operator spans of every one of those owners, as pairs of owner and
/// span.
#[must_use]
pub fn operators(
    owners: &[SpanRecord],
    approved: &[SpanRecord],
    for_all: &[(Address, SpanRecord)],
) -> Vec<OperatorSpan> {
    let single = approved.iter().filter_map(|record| {
        let account = record.value.account()?;
        Some(OperatorSpan { account, kind: OperatorKind::Approved, span: record.span })
    });
    let all = owners.iter().flat_map(|owned| {
        for_all.iter().filter_map(move |(owner, record)| {
            let account = record.value.account()?;
            let span = owned.span.intersect(&record.span)?;
            (owned.value.account() == Some(*owner)).then_some(OperatorSpan {
                account,
                kind: OperatorKind::ApprovedForAll,
                span,
            })
        })
    });
    let mut spans: Vec<_> = single.chain(all).collect();
    spans.sort_by_key(|s| (s.span.from, s.kind, s.account));
    spans
}

#[cfg(test)]
mod tests {
    use super::super::{SpanCause, TimelineRef, Value};
    use super::*;
    use crate::vocab::{AgentId, Position};

    fn record(timeline: TimelineRef, account: Address, from: u64, to: Option<u64>) -> SpanRecord {
        SpanRecord {
            timeline,
            value: Value::Account(account),
            span: Span { from: Position::new(from, 0), to: to.map(|to| Position::new(to, 0)) },
            cause: Some(SpanCause::Set),
            ended_by: None,
        }
    }

    #[test]
    fn an_operator_for_all_comes_back_with_its_owner() {
        let [alice, bob, operator] = [1, 2, 3].map(Address::repeat_byte);
        let agent = AgentId::from(7);
        let owners = [
            record(TimelineRef::Owner(agent), alice, 1, Some(10)),
            record(TimelineRef::Owner(agent), bob, 10, Some(20)),
            record(TimelineRef::Owner(agent), alice, 20, None),
        ];
        let for_all =
            [(alice, record(TimelineRef::Operator(alice, operator), operator, 5, Some(30)))];
        let single = [record(TimelineRef::Approved(agent), bob, 8, Some(10))];
        let found: Vec<_> = operators(&owners, &single, &for_all)
            .into_iter()
            .map(|s| {
                (s.account, s.kind, s.span.from.block_number, s.span.to.map(|t| t.block_number))
            })
            .collect();
        assert_eq!(
            found,
            [
                (operator, OperatorKind::ApprovedForAll, 5, Some(10)),
                (bob, OperatorKind::Approved, 8, Some(10)),
                (operator, OperatorKind::ApprovedForAll, 20, Some(30)),
            ]
        );
    }
}
