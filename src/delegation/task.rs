//! The records that follow on a grant: that it was accepted, what happened, what came of it, what either could do, and what failed.

use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::grant::Child;
use super::record::{
    Kind, check_about, check_digests, check_name, check_ppm, check_text, check_word, wrong,
};
use crate::attest::FieldError;
use crate::tfd::LossSource;
use crate::vocab::{Digest, Subject, UnixSeconds};

/// Most records that a snapshot rests on.
const EVIDENCE_MAX: usize = 256;
/// Most losses of a verdict.
const LOSSES_MAX: usize = 16;
/// The longest text of what failed, in bytes.
const WHAT_LEN_MAX: usize = 4_000;

/// The child takes a grant. The issuer is the child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// [`Kind::Acceptance`].
    pub schema: Kind,
    /// The child.
    pub issuer: Subject,
    /// When: the run begins.
    pub issued_at: UnixSeconds,
    /// The grant, by its digest: all of it.
    pub grant: Digest,
    /// Who is said to have made it.
    pub parent: Subject,
}

impl Acceptance {
    pub(super) fn check(&self) -> Result<(), FieldError> {
        check_name("parent", &self.parent)
    }
}

/// One event of a run that parent or child put down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    /// [`Kind::Interaction`].
    pub schema: Kind,
    /// Parent or child.
    pub issuer: Subject,
    /// When.
    pub issued_at: UnixSeconds,
    /// Under which grant.
    pub grant: Digest,
    /// The interaction before it in the run; of the first one the acceptance, or the grant where a skill accepts nothing.
    pub previous: Digest,
    /// What it is.
    pub kind: InteractionKind,
    /// The child's event that it is about.
    pub event: Digest,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl Interaction {
    pub(super) fn check(&self) -> Result<(), FieldError> {
        check_about(self.about.as_deref())
    }
}

/// What an interaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    /// The parent looked.
    Monitoring,
    /// A tool was used.
    Tool,
    /// Of a skill: its inputs met its contract. Signed by the parent; no interaction that counts.
    InputsMet,
    /// Of a skill: its output was validated. Signed by the parent; no interaction that counts.
    OutputValidated,
    /// The parent reviewed a specification that the child wrote; no interaction that counts.
    SpecificationReview,
}

impl InteractionKind {
    /// Whether it counts as watching.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Monitoring | Self::Tool)
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// [`Kind::Outcome`].
    pub schema: Kind,
    /// Child or parent.
    pub issuer: Subject,
    /// When it was said.
    pub issued_at: UnixSeconds,
    /// Under which grant.
    pub grant: Digest,
    /// What came of it.
    pub result: TaskResult,
    /// The last second of the run.
    pub ended_at: UnixSeconds,
    /// The last interaction of the run, as the issuer knows it; what interactions begin from where there is none.
    pub last: Digest,
    /// What was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Digest>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl Outcome {
    pub(super) fn check(&self) -> Result<(), FieldError> {
        if self.ended_at > self.issued_at {
            return Err(wrong("ended_at", "it is after `issued_at`"));
        }
        check_about(self.about.as_deref())
    }
}

/// What came of a run, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskResult {
    /// It was done.
    Done,
    /// It was not done as it should have been.
    Failed,
    /// It was given up.
    Abandoned,
}

/// What an agent, or a skill, could do at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// [`Kind::Capability`].
    pub schema: Kind,
    /// Who says so.
    pub issuer: Subject,
    /// When.
    pub issued_at: UnixSeconds,
    /// Of whom, or of what.
    pub of: Child,
    /// For which class of tasks.
    pub task_class: String,
    /// In parts per million.
    pub capability_ppm: u32,
    /// What that rests on, in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Digest>,
}

impl Capability {
    pub(super) fn check(&self) -> Result<(), FieldError> {
        self.of.check("of")?;
        check_word("task_class", &self.task_class)?;
        check_ppm("capability_ppm", self.capability_ppm)?;
        check_digests("evidence", &self.evidence, EVIDENCE_MAX)
    }
}

/// What failed, by whose judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// [`Kind::Verdict`].
    pub schema: Kind,
    /// Who judged.
    pub issuer: Subject,
    /// When.
    pub issued_at: UnixSeconds,
    /// Where: the grant under which it failed, or did not.
    pub grant: Digest,
    /// Whether it failed.
    pub ruling: Ruling,
    /// What failed, for people.
    pub what: String,
    /// When the failure was noticed.
    pub detected_at: UnixSeconds,
    /// What each buyer lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
}

impl Verdict {
    pub(super) fn check(&self) -> Result<(), FieldError> {
        check_text("what", &self.what, WHAT_LEN_MAX)?;
        if self.detected_at > self.issued_at {
            return Err(wrong("detected_at", "it is after `issued_at`"));
        }
        if self.losses.len() > LOSSES_MAX {
            return Err(wrong("losses", &format!("it has more than {LOSSES_MAX} entries")));
        }
        for (index, loss) in self.losses.iter().enumerate() {
            check_name(&format!("losses[{index}].buyer"), &loss.buyer)?;
            check_word(&format!("losses[{index}].unit"), &loss.unit)?;
        }
        Ok(())
    }
}

/// Whether something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It failed.
    Failed,
    /// It did not.
    Dismissed,
}

/// What a buyer lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Who bought.
    pub buyer: Subject,
    /// Minor units.
    pub amount: Amount,
    /// Of what, `eip155:8453/erc20:0x…` or any other name.
    pub unit: String,
    /// Who says so.
    pub source: LossSource,
}
