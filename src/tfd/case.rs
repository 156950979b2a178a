//! A failure as data: who invoked whom, how each delegation was made, which buyers lost what.
//!
//! These types are the wire form too: the case file of `docs/tfd.md`, and part of every report, so that a report can be computed again
//! from itself. What has its default is left out when written, so that a case has one form in bytes. `check` says which of them make sense.

use serde::{Deserialize, Serialize};

use crate::vocab::Digest;

/// Largest case file, in bytes.
pub const CASE_BYTES_MAX: usize = 4 << 20;

/// One failure, and all that is known of how it came about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// By which rules to compute.
    pub profile: Profile,
    /// A name for it.
    pub id: String,
    /// What happened, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Who says that it failed; without one the report is hypothetical (definition 20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// When the failure was noticed, in unix seconds: from then on the attribution counts (definition 13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<u64>,
    /// Every time that an agent, or a skill, was set to work.
    pub invocations: Vec<Invocation>,
    /// The delegations between them.
    pub edges: Vec<Edge>,
    /// For each buyer what failed, and the loss (definition 18).
    pub failures: Vec<Failure>,
    /// Agents that are proven to be under one control: one player (definition 16).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Operator>,
    /// Agents that are only suspected to be: flagged, and nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspected_operators: Vec<Operator>,
    /// What is left to choose.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: Policy,
}

/// By which rules a case is computed. There is one way; another one would have another name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Profile {
    /// Profile `tfd/1`, of `docs/tfd.md`.
    #[default]
    #[serde(rename = "tfd/1")]
    Tfd1,
}

/// A record that says that something failed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The record.
    pub digest: Digest,
}

/// One piece of work. Either `agent` or `skill` is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Invocation {
    /// Its name in this case.
    pub id: String,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Or with what it was done (definition 15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<Skill>,
}

impl Invocation {
    /// The agent that answers for it, if one is known: who did it, or who published what did.
    #[must_use]
    pub fn answerable(&self) -> Option<&str> {
        let publisher = || self.skill.as_ref().and_then(|skill| skill.publisher.as_deref());
        self.agent.as_deref().or_else(publisher)
    }
}

/// A version of a published skill, standing where a child agent stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// The version.
    pub digest: Digest,
    /// The agent that published it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
}

/// A delegation: the parent's invocation set the child's to work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The id of the invocation that delegated.
    pub parent: String,
    /// The id of the one that was delegated to.
    pub child: String,
    /// The grant that the parent signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Digest>,
    /// The acceptance that the child signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
    /// What the child was told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub specification: Specification,
    /// What either could do.
    #[serde(default, skip_serializing_if = "is_default")]
    pub capability: Capability,
    /// How the child was watched.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interactions: Interactions,
    /// Of an edge to a skill: the receipt that its inputs met the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs_met: Option<Digest>,
    /// Of an edge to a skill: the receipt that its output was validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_validated: Option<Digest>,
}

/// The child's word that it takes a grant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The record.
    pub digest: Digest,
    /// The grant that it names.
    pub grant: Digest,
}

/// The accepted specification. Either `chars`, or the texts to count, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// Unicode scalar values, counted by whoever made this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chars: Option<u32>,
    /// The conditions, as RFC 8785 canonical JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<String>,
    /// The scope's grammar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_grammar: Option<String>,
    /// The specification that both signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// The parent's signed review of a specification that the child wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Digest>,
}

/// Who wrote a specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// Who delegated.
    Parent,
    /// Who was delegated to.
    Child,
    /// Somebody else.
    Other,
}

/// Capabilities for the class of task, as they were at the time of the grant, in parts per million.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Who delegated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ppm: Option<u32>,
    /// Who was delegated to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_ppm: Option<u32>,
    /// What the task asks for, if that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_ppm: Option<u32>,
    /// What the two are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: GapSource,
    /// The snapshot of the parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_digest: Option<Digest>,
    /// The snapshot of the child's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_digest: Option<Digest>,
}

/// What stands for capabilities (definition 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapSource {
    /// Signed snapshots of both.
    #[default]
    Snapshots,
    /// The paper's proxy: the child's rate of compliance; a parent of whom nothing is known counts as unable.
    DelegateCompliance,
}

/// Either a count, or the records to count, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interactions {
    /// Counted by whoever made this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// What stands for them all, where they were counted elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// When the run was; records are counted within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Interaction>,
}

/// When a run began and ended, both within it, in unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The first second.
    pub start: u64,
    /// The last second.
    pub end: u64,
}

/// One signed record of watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    /// The record.
    pub digest: Digest,
    /// When, in unix seconds.
    pub at: u64,
    /// Who signed it.
    pub signer: Signer,
    /// The child's event that it is about.
    pub event: Digest,
}

/// Whose signature a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// Who delegated.
    Parent,
    /// Who was delegated to.
    Child,
    /// Somebody else: does not count.
    Other,
}

/// What one buyer lost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Who bought.
    pub buyer: String,
    /// The id of the invocation that failed.
    pub failed: String,
    /// How much; a unit where it is not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
}

/// An amount (definition 19).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Minor units: a decimal text below 2^128.
    pub amount: String,
    /// Of what, `eip155:8453/erc20:0x…` or any other name.
    pub unit: String,
    /// Who says so.
    pub source: LossSource,
}

impl Loss {
    /// The amount as a number; `None` where the text is not a canonical one below 2^128.
    pub(super) fn parsed(&self) -> Option<u128> {
        self.amount.parse().ok().filter(|number: &u128| number.to_string() == self.amount)
    }
}

/// Where the amount of a loss comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LossSource {
    /// It was held in escrow.
    Escrow,
    /// Somebody declared it.
    Declared,
}

/// Agents under one control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// A name for it.
    pub id: String,
    /// Who belongs to it.
    pub agents: Vec<String>,
    /// By which records that is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Digest>,
}

/// What the definitions leave to choose; by default nothing is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Whether a pass-through shell attenuates nothing (definition 17).
    #[serde(skip_serializing_if = "is_default")]
    pub contract_shells: bool,
    /// φ in parts per million, for specifications that the child wrote and the parent reviewed (definition 14).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_foreseeability_ppm: Option<u32>,
    /// By which output losses are split.
    #[serde(skip_serializing_if = "is_default")]
    pub split: SplitBy,
    /// Whether edges without any record count as signed, for cases that are thought up; then the report is hypothetical.
    #[serde(skip_serializing_if = "is_default")]
    pub assume_signed: bool,
}

/// By which output an amount is split (definition 9). Weights are penalties, sum to more than one, and split nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// Every cause set divides the failure equally.
    #[default]
    Shapley,
    /// Where the buck stops.
    PassUp,
    /// Weights over their sum, for comparison only.
    Normalised,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
