//! From a verdict on a trace to a case of Trust Flow Decomposition: every input from a record that was signed.
//!
//! Invocations are grants: what a child did under one. Those of a parent who works for a buyer have a name of their own, one for each
//! parent and buyer. A hop that is only claimed is kept, and carries nothing. Of several verdicts the earliest counts that says `failed`, is
//! by somebody who may judge (`judges`), and was not taken back; without one the case has no verdict, and its report is hypothetical.

use std::collections::BTreeMap;

use super::grant::{Child, Grant, Under};
use super::judges::{Kin, confirming};
use super::task::Verdict;
use super::verdict::{Hop, HopState, TraceVerdict};
use crate::tfd::{
    self, Acceptance, Capability, Case, CaseError, Edge, Failure, Invocation, Loss, Operator,
    Policy, Profile, Skill, Specification,
};
use crate::vocab::{Digest, Subject};

/// What is not in a trace.
#[derive(Clone, Debug, Default)]
pub struct CaseOptions {
    /// A name for the case.
    pub id: String,
    /// The grant under which it failed; `None` for what the verdict says, or else the last hop.
    pub failed: Option<Digest>,
    /// The verdict that the report is of. Where it is not the one that counts of its hop, the case has none.
    pub verdict: Option<Digest>,
    /// Who judges and is a party by another name.
    pub kin: Kin,
    /// Whom the names of a hop meant, by its grant and the end of it; a name that is not here stands for itself.
    pub meant: BTreeMap<(Digest, End), Subject>,
    /// Agents under one proven control.
    pub operators: Vec<Operator>,
    /// Agents that are only suspected to be.
    pub suspected_operators: Vec<Operator>,
    /// What the definitions leave to choose.
    pub policy: Policy,
}

/// The two ends of a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Who delegated.
    Parent,
    /// Who was delegated to, or published the skill that stands there.
    Child,
}

/// Makes a case of a trace.
///
/// # Errors
/// When there is no such hop, or the trace is larger than a case may be: names the field.
pub fn case(verdict: &TraceVerdict, options: CaseOptions) -> Result<Case, CaseError> {
    let refused = |why: &str| CaseError { field: "trace".to_owned(), why: why.to_owned() };
    let judged = judged(verdict, &options);
    let failed = options.failed.or(judged.as_ref().map(|(hop, ..)| hop.digest));
    let failed = match failed {
        Some(grant) => verdict.hop(grant),
        None => verdict.hops.iter().rfind(|hop| hop.grant.is_some()),
    };
    let failed = failed.ok_or_else(|| {
        refused("it has no hop of this grant, under which something could have failed")
    })?;
    let mut invocations = BTreeMap::new();
    for hop in &verdict.hops {
        let meant =
            |end, name: &Subject| options.meant.get(&(hop.digest, end)).unwrap_or(name).clone();
        let (id, invocation) = (parent_id(hop), agent(&meant(End::Parent, &hop.parent)));
        if hop.above.is_none() {
            invocations.insert((0, id.clone()), Invocation { id, ..invocation });
        }
        let id = hop.digest.to_string();
        invocations.insert(
            (hop.number, id.clone()),
            Invocation { id, ..child(&hop.child, |name| meant(End::Child, name)) },
        );
    }
    let case = Case {
        profile: Profile::Tfd1,
        id: options.id,
        about: judged.as_ref().map(|(_, _, verdict)| verdict.what.clone()),
        verdict: judged.as_ref().map(|(_, digest, _)| tfd::Verdict { digest: *digest }),
        detected_at: judged.as_ref().map(|(_, _, verdict)| verdict.detected_at.get()),
        invocations: invocations.into_values().collect(),
        edges: verdict.hops.iter().map(edge).collect(),
        failures: failures(verdict, failed, judged.map(|(_, _, verdict)| verdict)),
        operators: options.operators,
        suspected_operators: options.suspected_operators,
        policy: options.policy,
    };
    let bytes = serde_json::to_vec(&case).map_err(|error| refused(&error.to_string()))?;
    // What a case file must be, this must be.
    tfd::read(&bytes)
}

/// The verdict that counts, with its hop.
fn judged<'a>(
    verdict: &'a TraceVerdict,
    options: &CaseOptions,
) -> Option<(&'a Hop, Digest, &'a Verdict)> {
    let failed = options.failed;
    let hops = verdict.hops.iter().filter(|hop| failed.is_none_or(|grant| hop.digest == grant));
    let counts = hops.filter_map(|hop| {
        let (digest, told) = confirming(verdict, hop, &options.kin)?;
        Some((hop, *digest, told))
    });
    let wanted = |digest| options.verdict.is_none_or(|wanted| wanted == digest);
    let counts = counts.filter(|(_, digest, _)| wanted(*digest));
    counts.min_by_key(|(_, digest, told)| (told.issued_at, *digest))
}

fn agent(name: &Subject) -> Invocation {
    Invocation { id: String::new(), agent: Some(name.to_string()), skill: None }
}

fn child(child: &Child, meant: impl Fn(&Subject) -> Subject) -> Invocation {
    match child {
        Child::Agent(name) => agent(&meant(name)),
        Child::Skill(skill) => {
            let publisher = skill.publisher.as_ref().map(|name| meant(name).to_string());
            let skill = Skill { digest: skill.digest, publisher };
            Invocation { id: String::new(), agent: None, skill: Some(skill) }
        }
    }
}

/// The name of the invocation that delegated: the grant above, or that of a parent and its buyer.
fn parent_id(hop: &Hop) -> String {
    let of = |kind: &str, of: String| {
        let digest = Digest::of(format!("{}\n{of}", hop.parent).as_bytes());
        format!("{kind}:{digest}")
    };
    match hop.grant.as_ref().map(|grant| &grant.under) {
        Some(Under::Grant(above)) if hop.above.is_some() => above.to_string(),
        Some(Under::Grant(above)) => of("missing", above.to_string()),
        Some(Under::Buyer(buyer)) => of("root", buyer.to_string()),
        None => of("claimed", hop.digest.to_string()),
    }
}

pub(super) fn edge(hop: &Hop) -> Edge {
    let grant = hop.grant.as_ref();
    let is_skill = hop.child.agent().is_none();
    let accepted = hop.acceptance.as_ref().filter(|_| !hop.is_loose);
    // A skill accepts nothing: its grant alone would carry, so it must hold.
    let is_granted = match hop.state {
        HopState::Accepted => true,
        HopState::ClaimedByParent => !is_skill,
        HopState::ClaimedByChild => false,
    };
    Edge {
        parent: parent_id(hop),
        child: hop.digest.to_string(),
        grant: is_granted.then_some(hop.digest),
        acceptance: accepted
            .map(|(digest, acceptance)| Acceptance { digest: *digest, grant: acceptance.grant }),
        specification: grant.map(|grant| specification(grant, hop.review)).unwrap_or_default(),
        capability: Capability {
            parent_ppm: hop.parent_capability.map(|(_, ppm)| ppm),
            child_ppm: hop.child_capability.map(|(_, ppm)| ppm),
            required_ppm: grant.and_then(|grant| grant.required_ppm),
            source: tfd::GapSource::Snapshots,
            parent_digest: hop.parent_capability.map(|(digest, _)| digest),
            child_digest: hop.child_capability.map(|(digest, _)| digest),
        },
        interactions: tfd::Interactions {
            run: hop.run,
            records: if hop.run.is_some() { hop.interactions.chain.clone() } else { Vec::new() },
            ..tfd::Interactions::default()
        },
        inputs_met: hop.inputs_met.filter(|_| is_skill),
        output_validated: hop.output_validated.filter(|_| is_skill),
    }
}

fn specification(grant: &Grant, review: Option<Digest>) -> Specification {
    let told = &grant.specification;
    Specification {
        chars: None,
        conditions: told.canonical_conditions(),
        scope_grammar: told.scope_grammar.clone(),
        digest: Some(told.digest),
        author: Some(told.author),
        review,
    }
}

/// For each buyer that lost something what failed; without a word of losses, for the buyer of the trace.
fn failures(verdict: &TraceVerdict, failed: &Hop, judged: Option<&Verdict>) -> Vec<Failure> {
    let id = failed.digest.to_string();
    let losses = judged.map(|judged| judged.losses.as_slice()).unwrap_or_default();
    if losses.is_empty() {
        return vec![Failure { buyer: buyer(verdict, failed), failed: id, loss: None }];
    }
    let failures = losses.iter().map(|loss| {
        let amount = loss.amount.to_string();
        let of = Loss { amount, unit: loss.unit.clone(), source: loss.source };
        Failure { buyer: loss.buyer.to_string(), failed: id.clone(), loss: Some(of) }
    });
    failures.collect()
}

/// The buyer for whom a hop was made.
fn buyer(verdict: &TraceVerdict, hop: &Hop) -> String {
    let mut at = hop;
    while let Some(above) = at.above.and_then(|above| verdict.numbered(above)) {
        at = above;
    }
    match at.grant.as_ref().map(|grant| &grant.under) {
        Some(Under::Buyer(buyer)) => buyer.to_string(),
        Some(Under::Grant(_)) | None => "unknown".to_owned(),
    }
}
