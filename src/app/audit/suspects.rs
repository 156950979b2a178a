//! What looked wrong in an audit, as places to look into.
//!
//! A suspicion is no verdict: it says where the chain should be asked again. Each kind is bounded; where there are more, mending what
//! is noted and auditing again finds the rest.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, U256};

use crate::identity::TimelineRef;
use crate::vocab::{AgentId, Position};

/// At most so many of each kind are noted.
const NOTED_MAX: usize = 10_000;

/// Agents whose mint is missing: from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) struct IdGap {
    pub(in crate::app) first: U256,
    pub(in crate::app) last: U256,
}

/// Feedback of one client on one agent that is missing, between two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) struct FeedbackGap {
    pub(in crate::app) agent: AgentId,
    pub(in crate::app) client: Address,
    /// The block of the one before it; none where it is the first.
    pub(in crate::app) from: Option<u64>,
    /// The block of what shows that it is missing.
    pub(in crate::app) to: u64,
}

/// What looked wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects {
    pub(in crate::app) ids: BTreeSet<IdGap>,
    pub(in crate::app) feedback: BTreeSet<FeedbackGap>,
    pub(in crate::app) requests: BTreeSet<B256>,
    pub(in crate::app) agents: BTreeSet<AgentId>,
    pub(in crate::app) owners: BTreeSet<Address>,
    pub(in crate::app) blocks: BTreeSet<u64>,
    pub(in crate::app) labels: BTreeSet<Position>,
    /// By block: agents whose wallet was not asked for.
    pub(in crate::app) questions: BTreeSet<(u64, AgentId)>,
    /// The timelines of registries' code.
    pub(in crate::app) codes: bool,
    pub(in crate::app) spans: bool,
    pub(in crate::app) tags: bool,
}

fn note<T: Ord>(noted: &mut BTreeSet<T>, item: T) {
    if noted.len() < NOTED_MAX {
        noted.insert(item);
    }
}

impl Suspects {
    /// Whether nothing looked wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn extend(&mut self, other: Self) {
        other.ids.into_iter().for_each(|gap| note(&mut self.ids, gap));
        other.feedback.into_iter().for_each(|gap| note(&mut self.feedback, gap));
        other.requests.into_iter().for_each(|hash| note(&mut self.requests, hash));
        other.agents.into_iter().for_each(|agent| note(&mut self.agents, agent));
        other.owners.into_iter().for_each(|owner| note(&mut self.owners, owner));
        other.blocks.into_iter().for_each(|block| note(&mut self.blocks, block));
        other.labels.into_iter().for_each(|at| note(&mut self.labels, at));
        other.questions.into_iter().for_each(|asked| note(&mut self.questions, asked));
        self.codes |= other.codes;
        self.spans |= other.spans;
        self.tags |= other.tags;
    }

    pub(super) fn block(&mut self, number: u64) {
        note(&mut self.blocks, number);
    }

    pub(super) fn agent(&mut self, agent: AgentId) {
        note(&mut self.agents, agent);
    }

    pub(super) fn id_gap(&mut self, first: U256, last: U256) {
        note(&mut self.ids, IdGap { first, last });
    }

    pub(super) fn feedback_gap(&mut self, gap: FeedbackGap) {
        note(&mut self.feedback, gap);
    }

    pub(super) fn request(&mut self, hash: B256) {
        note(&mut self.requests, hash);
    }

    pub(super) fn question(&mut self, block: u64, agent: AgentId) {
        note(&mut self.questions, (block, agent));
    }

    pub(super) fn label(&mut self, at: Position) {
        note(&mut self.labels, at);
    }

    /// A timeline that is not what the events fold to.
    pub(super) fn timeline(&mut self, timeline: TimelineRef) {
        self.spans = true;
        match timeline {
            TimelineRef::Owner(agent)
            | TimelineRef::Wallet(agent)
            | TimelineRef::Uri(agent)
            | TimelineRef::Metadata(agent, _)
            | TimelineRef::Approved(agent) => self.agent(agent),
            TimelineRef::Operator(owner, _) => note(&mut self.owners, owner),
            TimelineRef::Implementation(_) => self.codes = true,
        }
    }
}
