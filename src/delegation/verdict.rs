//! What came of checking a trace: whether it holds, the first hop that is wrong and why, and what the answer rests on.

use alloy::primitives::B256;
use serde::Serialize;
use serde_json::{Value, json};

use super::grant::{Child, Grant};
use super::note::Noted;
use super::run::Interactions;
use super::task::{Acceptance, Outcome, Verdict};
use crate::attest::verdict::{Basis, Valid};
use crate::attest::wallet::Question;
use crate::tfd;
use crate::vocab::{Digest, Subject, UnixSeconds};

/// The verdict on a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceVerdict {
    /// Whether it holds.
    pub standing: Standing,
    /// All that is wrong, hop by hop from the first one down, each hop's in the order of the checks; the first is the reason.
    pub faults: Vec<Fault>,
    /// What a chain would have to be asked.
    pub unanswered: Vec<Unanswered>,
    /// The hops: a parent always before its children.
    pub hops: Vec<Hop>,
    /// What is worth knowing and wrong of nobody, or of nobody in the trace.
    pub notes: Vec<Noted>,
    /// By what each record counts that holds.
    pub rests: Vec<Rest>,
    /// When it was checked.
    pub checked_at: UnixSeconds,
}

/// Whether a trace holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every signature holds, and every hop is in order.
    Valid,
    /// Something is wrong.
    Invalid,
    /// Nothing is wrong so far, and a signature may be a contract's: the chain has to be asked.
    NeedsChain,
}

impl Standing {
    /// Its word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NeedsChain => "needs_chain",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// At which hop, by its number; `None` where an envelope belongs to none that could be found.
    pub hop: Option<u32>,
    /// Which record.
    pub record: Option<Digest>,
    /// Which envelope of the document, from 0 on.
    pub envelope: Option<usize>,
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// In words, with the hop: who to whom.
    pub why: String,
}

/// What kind of thing is wrong. The words are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// An envelope is none, or carries no record that can be read.
    Form,
    /// A signature does not hold, or not for that issuer at that time.
    Signature,
    /// The grant above is not in the document, or no delegation is.
    Missing,
    /// The grant above was to somebody else.
    Stranger,
    /// A grant allows more than the one above.
    Widens,
    /// Something was said after what it rests on had expired.
    Expired,
    /// Something was said before, or after, what it must follow on.
    Order,
    /// A record says something of another that the other does not say.
    Contradiction,
    /// More hops than are followed; no signature was checked then.
    TooLong,
}

/// A signature that only a chain can judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unanswered {
    /// At which hop.
    pub hop: Option<u32>,
    /// Which record.
    pub record: Digest,
    /// Which envelope of the document, from 0 on.
    pub envelope: usize,
    /// In words.
    pub why: String,
    /// What to ask.
    #[serde(skip)]
    pub question: Box<Question>,
}

/// One delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its number in the trace, from 1 on.
    pub number: u32,
    /// How many hops from the buyer, from 1 on.
    pub depth: u32,
    /// The number of the hop above.
    pub above: Option<u32>,
    /// The grant, by its digest.
    pub digest: Digest,
    /// The grant, where its signature holds or its contract has to be asked; `None` where only others speak of it.
    pub grant: Option<Grant>,
    /// Who delegated.
    pub parent: Subject,
    /// Who or what was delegated to.
    pub child: Child,
    /// Who signed for it.
    pub state: HopState,
    /// Whether it hangs nowhere, since the grant above was to somebody else or is too far below the buyer: then it carries nothing, and its
    /// grant names no judges.
    pub is_loose: bool,
    /// The acceptance that counts.
    pub acceptance: Option<(Digest, Acceptance)>,
    /// When the run was: from its acceptance to the end that its outcome gives, or to its expiry.
    pub run: Option<tfd::Run>,
    /// The outcome that says when the run ended.
    pub outcome: Option<(Digest, Outcome)>,
    /// How it was watched.
    pub interactions: Interactions,
    /// The parent's receipt that the inputs of a skill met its contract.
    pub inputs_met: Option<Digest>,
    /// The parent's receipt that the output of a skill was validated.
    pub output_validated: Option<Digest>,
    /// The parent's review of what the child specified.
    pub review: Option<Digest>,
    /// What the parent could do.
    pub parent_capability: Option<(Digest, u32)>,
    /// What the child could do.
    pub child_capability: Option<(Digest, u32)>,
    /// What was judged of it, earliest first.
    pub verdicts: Vec<(Digest, Verdict)>,
}

/// Who signed for a delegation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HopState {
    /// Both sides, the same grant; or the parent, where a skill stands for the child.
    Accepted,
    /// The parent alone: it carries no weight.
    ClaimedByParent,
    /// The child alone: it carries no weight.
    ClaimedByChild,
}

impl HopState {
    /// Its word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::ClaimedByParent => "claimed_by_parent",
            Self::ClaimedByChild => "claimed_by_child",
        }
    }

    /// Whether both sides signed.
    #[must_use]
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted)
    }
}

/// By what a record counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The record.
    pub record: Digest,
    /// Which envelope of the document, from 0 on.
    pub envelope: usize,
    /// Whose word, by which key or account, when, and by what right.
    pub valid: Box<Valid>,
    /// Of a wallet, the hashes of the blocks in which its span began and ended, as the document has them.
    pub hashes: [Option<B256>; 2],
}

impl Rest {
    fn to_value(&self) -> Value {
        let valid = &self.valid;
        let place = |position: crate::vocab::Position, hash: Option<B256>| {
            json!({
                "block": position.block_number, "hash": hash.map(|hash| hash.to_string()),
                "log_index": position.log_index,
            })
        };
        let [began, ended] = self.hashes;
        let basis = match &valid.right.basis {
            Basis::Itself => json!({ "kind": "itself" }),
            Basis::ServiceKey => json!({ "kind": "service_key" }),
            Basis::Document => {
                json!({ "kind": "document", "from": valid.right.from, "to": valid.right.to })
            }
            Basis::Link => {
                json!({ "kind": "link", "from": valid.right.from, "to": valid.right.to })
            }
            Basis::Wallet { agent, span, is_proven } => json!({
                "kind": "wallet", "agent": agent.to_string(), "is_proven": is_proven,
                "from": place(span.from, began), "to": span.to.map(|to| place(to, ended)),
            }),
        };
        let answered = valid.signed_by.and_then(|by| Some((by.as_str(), by.block()?)));
        let answered = answered.map(|(by, block)| {
            json!({ "signed_by": by, "block": block.number, "hash": block.hash.to_string() })
        });
        json!({
            "record": self.record, "envelope": self.envelope, "form": valid.form.as_str(),
            "issuer": valid.issuer, "signer": valid.signer, "said_at": valid.said.time(),
            "basis": basis, "answer": answered,
        })
    }
}

impl Hop {
    fn to_value(&self) -> Value {
        let digest = |of: Option<&Digest>| of.map(ToString::to_string);
        let capability = |of: &Option<(Digest, u32)>| of.map(|(_, ppm)| ppm);
        json!({
            "hop": self.number, "depth": self.depth, "above": self.above,
            "grant": self.digest, "parent": self.parent, "child": self.child,
            "task_class": self.grant.as_ref().map(|grant| &grant.task_class),
            "state": self.state.as_str(),
            "acceptance": digest(self.acceptance.as_ref().map(|(digest, _)| digest)),
            "run": self.run,
            "outcome": self.outcome.as_ref().map(|(digest, outcome)| json!({
                "record": digest, "issuer": outcome.issuer, "result": outcome.result,
            })),
            "interactions": {
                "counted": self.interactions.counted, "left_out": self.interactions.left_out,
            },
            "parent_ppm": capability(&self.parent_capability),
            "child_ppm": capability(&self.child_capability),
            "verdicts": self.verdicts.iter().map(|(digest, verdict)| json!({
                "record": digest, "issuer": verdict.issuer, "ruling": verdict.ruling,
            })).collect::<Vec<_>>(),
        })
    }
}

/// The hop of a number: they are numbered from 1 on, in their order.
pub(super) fn by_number(hops: &[Hop], number: u32) -> Option<&Hop> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    hops.get(index).filter(|hop| hop.number == number)
}

impl TraceVerdict {
    /// The verdict on a document of which nothing was checked, since it is wrong as a whole.
    pub(super) fn unchecked(fault: Fault, checked_at: UnixSeconds) -> Self {
        Self {
            standing: Standing::Invalid,
            faults: vec![fault],
            unanswered: Vec::new(),
            hops: Vec::new(),
            notes: Vec::new(),
            rests: Vec::new(),
            checked_at,
        }
    }

    /// The reason why it does not hold: the first fault.
    #[must_use]
    pub fn reason(&self) -> Option<&Fault> {
        self.faults.first()
    }

    /// Makes it invalid, since the document cannot be true together with what its checker knows: that is the first reason then.
    pub fn contradict(&mut self, why: &str) {
        let (kind, why) = (FaultKind::Contradiction, why.to_owned());
        self.faults.insert(0, Fault { hop: None, record: None, envelope: None, kind, why });
        self.standing = Standing::Invalid;
    }

    /// The hop of a grant.
    #[must_use]
    pub fn hop(&self, grant: Digest) -> Option<&Hop> {
        self.hops.iter().find(|hop| hop.digest == grant)
    }

    /// The hop of a number.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Option<&Hop> {
        by_number(&self.hops, number)
    }

    /// As JSON: `standing`, `reason`, and everything by which somebody can see why.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "standing": self.standing,
            "reason": self.reason(),
            "faults": self.faults,
            "unanswered": self.unanswered,
            "hops": self.hops.iter().map(Hop::to_value).collect::<Vec<_>>(),
            "notes": self.notes,
            "rests_on": self.rests.iter().map(Rest::to_value).collect::<Vec<_>>(),
            "checked_at": self.checked_at,
        })
    }
}
