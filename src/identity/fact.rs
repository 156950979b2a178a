//! What timelines are folded from, and the words for why a span began and ended.
//!
//! A fact says: from this position on, this timeline has this value. Events and observations both become facts; nothing else does.

use alloy::primitives::{Address, B256, Bytes};

use crate::vocab::{AgentId, Position, RegistryKind};

/// Which timeline is meant. There is one for each thing that can change on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimelineRef {
    /// The holder of an agent's token; from its mint on there always is one.
    Owner(AgentId),
    /// The account the registry names for an agent, or nobody.
    Wallet(AgentId),
    /// An agent's URI; empty from its mint until one is set.
    Uri(AgentId),
    /// One metadata entry of an agent, by the keccak256 of its key.
    Metadata(AgentId, B256),
    /// The one account approved for an agent (ERC-721 `approve`).
    Approved(AgentId),
    /// Whether an operator may act for all agents of an owner (ERC-721 `setApprovalForAll`).
    Operator(Address, Address),
    /// The code behind a registry's proxy.
    Implementation(RegistryKind),
}

impl TimelineRef {
    /// Whether "nobody" is worth a span of its own: an agent without a wallet is a thing to say, one without an approval is not.
    #[must_use]
    pub const fn keeps_absence(self) -> bool {
        matches!(self, Self::Wallet(_))
    }
}

/// What a timeline holds during a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nobody, nothing.
    Absent,
    /// An owner, wallet, approved account, operator or implementation.
    Account(Address),
    /// A URI, as its bytes.
    Uri(Bytes),
    /// A metadata entry: its key and value, as their bytes.
    Entry {
        /// The key; two keys are one only if every byte is the same.
        key: Bytes,
        /// The value; empty is a value.
        value: Bytes,
    },
}

impl Value {
    /// The account, where it is one.
    #[must_use]
    pub const fn account(&self) -> Option<Address> {
        match self {
            Self::Account(account) => Some(*account),
            Self::Absent | Self::Uri(_) | Self::Entry { .. } => None,
        }
    }
}

/// Why a span began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanCause {
    /// The agent was minted; its wallet is then whoever received it, unproven.
    Registered,
    /// The wallet signed for it (`setAgentWallet`).
    Proven,
    /// The contract was asked and answered so.
    Observed,
    /// The token moved here.
    Transfer,
    /// A plain call set it: a URI, metadata, an approval, an implementation.
    Set,
}

impl SpanCause {
    const ALL: [Self; 5] =
        [Self::Registered, Self::Proven, Self::Observed, Self::Transfer, Self::Set];

    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Proven => "proven",
            Self::Observed => "observed",
            Self::Transfer => "transfer",
            Self::Set => "set",
        }
    }

    /// The cause that [`as_str`](Self::as_str) names so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

/// Why a span ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanEnd {
    /// Another wallet took its place.
    Rotated,
    /// The same wallet goes on, now proven by its signature.
    Proven,
    /// The agent changed hands.
    Transfer,
    /// Its owner or an operator took it away.
    Unset,
    /// The contract was asked and answered otherwise.
    Observed,
    /// A plain call set another value.
    Set,
}

impl SpanEnd {
    const ALL: [Self; 6] =
        [Self::Rotated, Self::Proven, Self::Transfer, Self::Unset, Self::Observed, Self::Set];

    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Proven => "proven",
            Self::Transfer => "transfer",
            Self::Unset => "unset",
            Self::Observed => "observed",
            Self::Set => "set",
        }
    }

    /// The end that [`as_str`](Self::as_str) names so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == word)
    }
}

/// From `at` on, `timeline` has `value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Where it was said.
    pub at: Position,
    /// Of what.
    pub timeline: TimelineRef,
    /// What holds from there on.
    pub value: Value,
    /// Why the new span begins; absent where nobody holds the place, which is the end of the one before.
    pub cause: Option<SpanCause>,
    /// Why the span before it ends.
    pub ends: SpanEnd,
}
