//! Which records of agents are not taken: those of an agent about itself, with too long a note, or one too many of a round.
//!
//! The limits are those that the field asks for, and each origin may set its own. They hold for agents, and for whoever is not known to be
//! anybody, since nobody may gain by staying unknown; an origin's own word and its plugins' are free of them. What the chain says of
//! agents is no matter of limits: the contracts had theirs, and what they let pass is part of the record.
//!
//! Who is whose own, and who is only close, is told in [`kinship`](super::kinship).

use super::class::IssuerClass;
use crate::vocab::{AccountId, AgentRef, Subject};

/// What one agent may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most characters in a note.
    pub note_max: usize,
    /// The most records of one subject in one round.
    pub per_round_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { note_max: 200, per_round_max: 3 }
    }
}

/// Why a record is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// It is about its own issuer.
    #[error("nobody attests to themselves: {0}")]
    Own(Same),
    /// Its note is too long.
    #[error(
        "the note has {length} characters; the limit `note_max` for notes by agents is {max}: shorten it"
    )]
    Note {
        /// How many it has.
        length: usize,
        /// The most that it may have.
        max: usize,
    },
    /// There are as many already as one issuer may have of one subject in one round.
    #[error(
        "this issuer has {held} records of this subject in {}; the limit `per_round_max` is {max}",
        in_round(*.round)
    )]
    Round {
        /// The round; `None` for records that name none, which share one.
        round: Option<u64>,
        /// How many there are.
        held: u32,
        /// The most that there may be.
        max: u32,
    },
}

/// By what the issuer of a record is its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Same {
    /// Both are this name or this agent.
    Both(Subject),
    /// The issuer acts by the subject's wallet, which other agents may share.
    Wallet {
        /// The wallet.
        account: AccountId,
        /// The subject.
        agent: AgentRef,
    },
}

impl std::fmt::Display for Same {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Both(name) => write!(f, "issuer and subject are both {name}"),
            Self::Wallet { account, agent } => write!(
                f,
                "the issuer acts by {account}, which is also the wallet of {agent}, the subject"
            ),
        }
    }
}

impl Limit {
    /// The word for it, in answers and counts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Own(_) => "self_attestation",
            Self::Note { .. } => "note_max",
            Self::Round { .. } => "per_round_max",
        }
    }
}

fn in_round(round: Option<u64>) -> String {
    round.map_or_else(|| "those without a round".to_owned(), |round| format!("round {round}"))
}

/// Whether the limits hold for issuers of a class.
const fn is_limited(class: Option<IssuerClass>) -> bool {
    !matches!(class, Some(IssuerClass::System | IssuerClass::Plugin))
}

impl Limits {
    /// Whether a note may be so long. Characters are counted as Unicode's scalar values.
    ///
    /// # Errors
    /// [`Limit::Note`].
    pub fn check_note(&self, class: Option<IssuerClass>, note: Option<&str>) -> Result<(), Limit> {
        let length = note.map_or(0, |note| note.chars().count());
        if is_limited(class) && length > self.note_max {
            return Err(Limit::Note { length, max: self.note_max });
        }
        Ok(())
    }

    /// Whether one more record may come from an issuer of whom `held` are held, of the same game, round and subject.
    ///
    /// The issuer is its agent, whatever wallet it had; where it has none, its name. Leaving out the round is no way around: records
    /// without one count together.
    ///
    /// # Errors
    /// [`Limit::Round`].
    pub const fn check_round(
        &self,
        class: Option<IssuerClass>,
        round: Option<u64>,
        held: u32,
    ) -> Result<(), Limit> {
        if is_limited(class) && held >= self.per_round_max {
            return Err(Limit::Round { round, held, max: self.per_round_max });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_agents_have_two_hundred_characters() {
        let limits = Limits::default();
        let (fits, long) = ("é".repeat(200), "é".repeat(201));
        for class in [Some(IssuerClass::Agent), None] {
            assert_eq!(limits.check_note(class, Some(&fits)), Ok(()));
            assert_eq!(limits.check_note(class, None), Ok(()));
            let refused = limits.check_note(class, Some(&long)).unwrap_err();
            assert_eq!(
                refused.to_string(),
                "the note has 201 characters; the limit `note_max` for notes by agents is 200: shorten it"
            );
        }
        for class in [IssuerClass::System, IssuerClass::Plugin] {
            assert_eq!(limits.check_note(Some(class), Some(&long)), Ok(()));
        }
    }

    /// Ten in one round lose seven.
    #[test]
    fn three_records_of_one_subject_fit_in_a_round() {
        let limits = Limits::default();
        let class = Some(IssuerClass::Agent);
        let taken = (0..10).filter(|held| limits.check_round(class, Some(4), *held).is_ok());
        assert_eq!(taken.count(), 3);
        for (round, told) in [
            (
                Some(4),
                "this issuer has 3 records of this subject in round 4; the limit `per_round_max` is 3",
            ),
            (
                None,
                "this issuer has 3 records of this subject in those without a round; the limit `per_round_max` is 3",
            ),
        ] {
            assert_eq!(limits.check_round(class, round, 3).unwrap_err().to_string(), told);
            assert!(limits.check_round(None, round, 3).is_err());
            assert!(limits.check_round(Some(IssuerClass::System), round, 3).is_ok());
        }
        let none = Limits { per_round_max: 0, ..limits };
        assert!(none.check_round(class, None, 0).is_err());
    }
}
