//! What a name was found to mean, and by which rule.

use crate::vocab::{AgentId, Position};

/// What a name is in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Who says it: whoever signed or sent it, not whom the record calls its issuer.
    Issuer,
    /// Of whom it is said.
    Subject,
    /// Who says it, of a record of a delegation.
    Author,
    /// Whom a record of a delegation names: the child of a grant, or of whom a capability is.
    Named,
}

impl Role {
    /// Those of an attestation.
    pub const OF_ATTESTATION: [Self; 2] = [Self::Issuer, Self::Subject];

    /// The word for it in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Subject => "subject",
            Self::Author => "author",
            Self::Named => "named",
        }
    }
}

/// Which agent a name meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The chain is not followed as far as the time that was meant.
    #[default]
    NotYet,
    /// This one.
    Agent(AgentId),
    /// None.
    None,
    /// More than one, and nothing says which: how many.
    Several(u32),
}

impl Outcome {
    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet",
            Self::Agent(_) => "agent",
            Self::None => "none",
            Self::Several(_) => "several",
        }
    }

    /// The agent, where it is one.
    #[must_use]
    pub const fn agent(self) -> Option<AgentId> {
        match self {
            Self::Agent(agent) => Some(agent),
            Self::NotYet | Self::None | Self::Several(_) => None,
        }
    }
}

/// By which rule a name has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// It names the agent itself, which had been registered by then.
    Named,
    /// It is the DID that this service gives to the agent.
    Document,
    /// It was the agent's wallet.
    Wallet,
    /// It was linked to the agent, or to the agent's wallet, by evidence.
    Link,
    /// It names an agent of another registry, of which nothing is known here.
    OtherRegistry,
    /// It is an account on another chain.
    OtherChain,
    /// It names an agent, and the account that signed for it was not the agent's wallet then.
    NotItsWallet,
    /// Nothing that is known made it an agent's name at that time.
    Nothing,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 8] = [
        Self::Named,
        Self::Document,
        Self::Wallet,
        Self::Link,
        Self::OtherRegistry,
        Self::OtherChain,
        Self::NotItsWallet,
        Self::Nothing,
    ];

    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Document => "document",
            Self::Wallet => "wallet",
            Self::Link => "link",
            Self::OtherRegistry => "other_registry",
            Self::OtherChain => "other_chain",
            Self::NotItsWallet => "not_its_wallet",
            Self::Nothing => "nothing_known",
        }
    }

    /// The rule of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }
}

/// What a name was found to mean at a time, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeying {
    /// Which agent.
    pub outcome: Outcome,
    /// By which rule; `None` while it is not known yet.
    pub rule: Option<Rule>,
    /// Where the span of the agent's wallet began that says so; `None` where no wallet does.
    pub span: Option<Position>,
    /// The number of the link that says so; `None` where none does.
    pub link: Option<u64>,
}
