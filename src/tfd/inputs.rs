//! From a delegation of a case to the inputs of the formula, and what is worth saying of them.
//!
//! Nothing is filled in silently: where something is unknown, discounted, or taken from elsewhere than a signed snapshot, a flag says so.

use serde::Serialize;

use super::case::{Author, Capability, Edge, GapSource, Interactions, Policy, Specification};
use super::edge::{EdgeInputs, PPM};
use super::measure::{Counted, count, specification_chars};

/// Something to know when reading a report. The words are part of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Only one side signed: the edge is kept, and carries no weight (definition 21).
    Claimed,
    /// The child accepted another grant than the parent's, so that the edge is one-sided.
    OtherGrant,
    /// No record of either side is there, and the policy takes them for signed.
    AssumedSigned,
    /// Beta came out above one (definition 5).
    BetaClamped,
    /// The specification has as many characters as count, or more (definition 2).
    SpecSaturated,
    /// There is no specification.
    SpecAbsent,
    /// The child wrote its own specification (definition 14).
    SelfWrittenSpec,
    /// The policy counts a specification by less than its characters (definition 14).
    ForeseeabilityDiscount,
    /// A capability is unknown, and the gap was taken for zero (definition 3).
    GapUnknown,
    /// The gap rests on the child's compliance, not on snapshots of both (definition 3).
    GapFromCompliance,
    /// Both receipts of a skill are there, and its contract controls nothing (definition 15).
    SkillValidated,
    /// Records were left out of the count of interactions (definition 4).
    InteractionsLeftOut,
    /// Neither specification nor gap tells why there is this hop (definition 17).
    PassThroughShell,
    /// The policy lets the shell attenuate nothing (definition 17).
    ShellContracted,
    /// Somebody else was hired for what the parent could have done itself.
    Laundering,
    /// Parent and child are one operator: the edge vanishes (definition 16).
    CoOwned,
    /// Parent and child are suspected to be one operator.
    SuspectedCoOwned,
    /// Some player stands at several places of what led to the failure (definition 11).
    RepeatedPlayer,
    /// What led to the failure is no path: weights are probabilities of the live-edge model (definition 10).
    SeveralPaths,
    /// Figures were drawn by lot, and are right within the bound that is given.
    Sampled,
    /// A part falls on a skill whose publisher is not known (definition 15).
    Unattributed,
    /// No amount was stated, and a unit is divided (definition 19).
    UnitLoss,
    /// Nobody has judged that it failed, or its edges are assumed (definition 20).
    Hypothetical,
}

/// Who signed for a delegation (definition 21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeState {
    /// Both sides signed the same grant.
    Accepted,
    /// Taken for signed, by the policy.
    Assumed,
    /// One side at most.
    Claimed,
}

impl EdgeState {
    /// Whether the edge carries weight.
    #[must_use]
    pub const fn carries(self) -> bool {
        matches!(self, Self::Accepted | Self::Assumed)
    }
}

/// A delegation, read.
pub(super) struct EdgeFacts {
    pub(super) state: EdgeState,
    pub(super) inputs: EdgeInputs,
    pub(super) counted: Option<Counted>,
    pub(super) flags: Vec<Flag>,
}

/// The inputs of a delegation where nothing is left to a policy; `to_skill` where a skill stands for the child.
#[must_use]
pub fn edge_inputs(edge: &Edge, to_skill: bool) -> EdgeInputs {
    facts(edge, to_skill, &Policy::default()).inputs
}

/// Reads a delegation; `to_skill` where a skill stands for the child.
pub(super) fn facts(edge: &Edge, to_skill: bool, policy: &Policy) -> EdgeFacts {
    let mut flags = Vec::new();
    let state = state(edge, to_skill, policy, &mut flags);
    let validated = to_skill && edge.inputs_met.is_some() && edge.output_validated.is_some();
    if validated {
        flags.push(Flag::SkillValidated);
    }
    let chars = if validated { 0 } else { chars(&edge.specification) };
    if chars == 0 && !validated {
        flags.push(Flag::SpecAbsent);
    }
    let foreseeability_ppm = foreseeability(&edge.specification, policy, &mut flags);
    let capability_ppm = capability(&edge.capability, &mut flags);
    let (interactions, counted) = interactions(&edge.interactions, &mut flags);
    let inputs = EdgeInputs { chars, foreseeability_ppm, capability_ppm, interactions };
    if inputs.is_saturated() {
        flags.push(Flag::SpecSaturated);
    }
    if inputs.is_pass_through() {
        flags.push(Flag::PassThroughShell);
    }
    if is_laundering(&edge.capability) {
        flags.push(Flag::Laundering);
    }
    EdgeFacts { state, inputs, counted, flags }
}

/// An edge exists when the parent signed a grant and the child accepted that very one. A skill signs nothing, so that the grant is enough.
fn state(edge: &Edge, to_skill: bool, policy: &Policy, flags: &mut Vec<Flag>) -> EdgeState {
    let (state, flag) = match (&edge.grant, &edge.acceptance) {
        (Some(grant), Some(acceptance)) if acceptance.grant == *grant => {
            (EdgeState::Accepted, None)
        }
        (Some(_), None) if to_skill => (EdgeState::Accepted, None),
        (None, None) if policy.assume_signed => (EdgeState::Assumed, Some(Flag::AssumedSigned)),
        (Some(_), Some(_)) => (EdgeState::Claimed, Some(Flag::OtherGrant)),
        (Some(_), None) | (None, Some(_) | None) => (EdgeState::Claimed, None),
    };
    if state == EdgeState::Claimed {
        flags.push(Flag::Claimed);
    }
    flags.extend(flag);
    state
}

fn chars(specification: &Specification) -> u32 {
    let texts = (specification.conditions.as_deref(), specification.scope_grammar.as_deref());
    specification.chars.unwrap_or_else(|| specification_chars(texts.0, texts.1))
}

/// φ: one for every author, unless a policy says less for what the child wrote and the parent signed that it reviewed.
fn foreseeability(specification: &Specification, policy: &Policy, flags: &mut Vec<Flag>) -> u32 {
    if specification.author != Some(Author::Child) {
        return PPM;
    }
    flags.push(Flag::SelfWrittenSpec);
    let reviewed = specification.review.and(policy.reviewed_foreseeability_ppm);
    if reviewed.is_some_and(|foreseeability| foreseeability < PPM) {
        flags.push(Flag::ForeseeabilityDiscount);
    }
    reviewed.unwrap_or(PPM)
}

fn capability(capability: &Capability, flags: &mut Vec<Flag>) -> Option<(u32, u32)> {
    let is_proxy = capability.source == GapSource::DelegateCompliance;
    let parent = capability.parent_ppm.or(is_proxy.then_some(0));
    let both = parent.zip(capability.child_ppm);
    // Where the child is unknown nothing is taken from its compliance, whatever the source says.
    match both {
        None => flags.push(Flag::GapUnknown),
        Some(_) if is_proxy => flags.push(Flag::GapFromCompliance),
        Some(_) => {}
    }
    both
}

fn interactions(interactions: &Interactions, flags: &mut Vec<Flag>) -> (u32, Option<Counted>) {
    let Some(run) = interactions.run.filter(|_| interactions.count.is_none()) else {
        return (interactions.count.unwrap_or(0), None);
    };
    let counted = count(run, &interactions.records);
    if (Counted { counted: 0, ..counted }) != Counted::default() {
        flags.push(Flag::InteractionsLeftOut);
    }
    (counted.counted, Some(counted))
}

/// Whether the parent's own capability covers the task: what was asked for where that was stated, else what the child can do. The proxy
/// says nothing of the parent.
fn is_laundering(capability: &Capability) -> bool {
    let needed = capability.required_ppm.or(capability.child_ppm);
    let known =
        capability.parent_ppm.zip(needed).filter(|_| capability.source == GapSource::Snapshots);
    known.is_some_and(|(parent, needed)| parent >= needed && parent > 0)
}
