//! What is worth knowing of a trace and does not make it invalid: what parties signed against each other, and what was left out.

use serde::Serialize;

use crate::vocab::Digest;

/// Something worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// At which hop.
    pub hop: Option<u32>,
    /// Which record.
    pub record: Option<Digest>,
    /// What.
    pub note: Note,
}

/// What is worth knowing. The words are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Somebody accepted what was granted to somebody else; it counts for nothing.
    AcceptedByStranger,
    /// The child accepted once more; the earliest counts.
    AcceptedAgain,
    /// The child accepted once more, and says that somebody else granted it; it counts for nothing.
    Contradiction,
    /// Neither parent nor child said what came of it; it counts for nothing.
    OutcomeByStranger,
    /// Another outcome than the one that counts says otherwise.
    OutcomesDiffer,
    /// The child signed interactions after the end that its own outcome gives.
    ActiveAfterEnd,
    /// The outcome names a last interaction that is not in the document, or not in the run.
    LastMissing,
    /// Interactions were left out.
    InteractionsLeftOut,
    /// A snapshot of the grant is not in the document.
    SnapshotMissing,
    /// A capability is stated by whose it is.
    SnapshotSelfStated,
    /// The verdict is by somebody who stands on the way up to the buyer; it confirms nothing.
    JudgedByParty,
    /// The verdict is neither the buyer's nor a judge's whom a grant on the way up to it names; it confirms nothing.
    JudgedByStranger,
    /// The verdict is of a time before the grant on whose run it is; it confirms nothing.
    JudgedEarly,
    /// Another verdict than the one that counts says otherwise, by somebody who may judge.
    VerdictsDiffer,
    /// The child stands further up as well: a circle of agents, not of grants.
    Returns,
    /// The record belongs to no hop of the document.
    Stray,
}

impl Note {
    /// In words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::AcceptedByStranger => {
                "accepted by somebody else than the child, which counts for nothing"
            }
            Self::AcceptedAgain => {
                "accepted once more by the child; the earliest acceptance counts"
            }
            Self::Contradiction => {
                "accepted once more by the child, as if somebody else had granted it, which counts for nothing"
            }
            Self::OutcomeByStranger => {
                "an outcome by neither parent nor child, which counts for nothing"
            }
            Self::OutcomesDiffer => "another outcome says otherwise than the one that counts",
            Self::ActiveAfterEnd => {
                "the child signed interactions after the end that its own outcome gives"
            }
            Self::LastMissing => {
                "the outcome's last interaction is not in the document, or not in the run"
            }
            Self::InteractionsLeftOut => "interactions were left out",
            Self::SnapshotMissing => "a capability snapshot of the grant is not in the document",
            Self::SnapshotSelfStated => "a capability is stated by whose it is",
            Self::JudgedByParty => {
                "judged by somebody who stands in the trace, which confirms nothing"
            }
            Self::JudgedByStranger => {
                "judged by neither the buyer nor a judge whom a grant names, which confirms nothing"
            }
            Self::JudgedEarly => {
                "judged before the grant on whose run it is, which confirms nothing"
            }
            Self::VerdictsDiffer => "another verdict says otherwise than the one that counts",
            Self::Returns => "the child stands further up in the trace as well",
            Self::Stray => "a record that belongs to no hop of the document",
        }
    }
}
