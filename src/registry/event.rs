//! What the registries say, one variant per kind of event.
//!
//! Texts are kept as the bytes that stood in the log: Solidity strings are bytes, and two that look alike once made printable may
//! differ. Which events follow from a call, and in which order, is not known here; `identity::interpret` holds those rules.
//! Source: `erc-8004/erc-8004-contracts`, version 2.0.0, and its earlier forms.

use alloy::primitives::{Address, B256, Bytes, I256};

use crate::vocab::AgentId;

/// The first tag of a feedback.
///
/// In three forms between November 2025 and January 2026 the tag was an indexed string with no copy in the data, so that nothing but
/// its hash ever reached the chain's logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The tag as it stood in the log; 32 raw bytes, zero-padded on the right, in version 1.0.0.
    Text(Bytes),
    /// keccak256 of the tag, where the log holds no more.
    Hash(B256),
}

/// One event of a registry. Field names follow the contracts' own.
#[expect(missing_docs, reason = "the fields are named as in the contracts' ABI")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryEvent {
    /// Identity: `Registered(agentId, agentURI, owner)`. The owner is the registrant, who may no longer own the agent.
    Registered { agent: AgentId, uri: Bytes, owner: Address },
    /// Identity: `MetadataSet(agentId, indexedMetadataKey, metadataKey, metadataValue)`; also every change of wallet.
    MetadataSet { agent: AgentId, key: Bytes, value: Bytes },
    /// Identity: `URIUpdated(agentId, newURI, updatedBy)`, and `UriUpdated` of version 1.0.0.
    UriUpdated { agent: AgentId, uri: Bytes, updated_by: Address },
    /// Identity (ERC-721): the token moved; from zero it was minted.
    Transfer { from: Address, to: Address, agent: AgentId },
    /// Identity (ERC-721): one account approved for one agent, zero for none.
    Approval { owner: Address, approved: Address, agent: AgentId },
    /// Identity (ERC-721): an operator for all agents of an owner.
    ApprovalForAll { owner: Address, operator: Address, approved: bool },
    /// Identity (ERC-4906): the URI of an agent was set.
    MetadataUpdate { agent: AgentId },
    /// Identity (ERC-4906): in the ABI, never emitted by version 2.0.0.
    BatchMetadataUpdate { from: AgentId, to: AgentId },
    /// Identity (ERC-5267): in the ABI, never emitted by version 2.0.0.
    Eip712DomainChanged,

    /// Reputation: `NewFeedback`, in its current form and all earlier ones.
    NewFeedback {
        /// Of whom.
        agent: AgentId,
        /// By whom.
        client: Address,
        /// Its number among this client's feedback on this agent, from 1; absent in forms before January 2026.
        index: Option<u64>,
        /// The value, to be divided by ten to the `decimals`; a `score` of 0 to 100 in earlier forms.
        value: I256,
        /// 0 to 18 under the known implementations; 0 with a `score`.
        decimals: u8,
        /// What was judged.
        tag1: Tag,
        /// What was judged, closer; 32 raw bytes in version 1.0.0.
        tag2: Bytes,
        /// The endpoint that was used; empty also in forms that have none.
        endpoint: Bytes,
        /// Where the feedback file is.
        uri: Bytes,
        /// keccak256 of the feedback file, or zero.
        hash: B256,
    },
    /// Reputation: the client took its feedback back.
    FeedbackRevoked { agent: AgentId, client: Address, index: u64 },
    /// Reputation: somebody answered a feedback.
    ResponseAppended {
        /// Of whom the feedback is.
        agent: AgentId,
        /// By whom the feedback is.
        client: Address,
        /// The feedback's number.
        index: u64,
        /// Who answers.
        responder: Address,
        /// Where the answer's file is.
        uri: Bytes,
        /// keccak256 of that file, or zero.
        hash: B256,
    },

    /// Validation: a validator was asked.
    ValidationRequest { validator: Address, agent: AgentId, uri: Bytes, request_hash: B256 },
    /// Validation: the validator answered; the last answer counts.
    ValidationResponse {
        /// Who answers.
        validator: Address,
        /// Of whom.
        agent: AgentId,
        /// The request that is answered.
        request_hash: B256,
        /// 0 to 100 under the known implementations.
        response: u8,
        /// Where the answer's file is.
        uri: Bytes,
        /// keccak256 of that file, or zero.
        response_hash: B256,
        /// The kind of answer; 32 raw bytes in version 1.0.0.
        tag: Bytes,
    },

    /// Any registry (ERC-1967): the proxy's code was replaced.
    Upgraded { implementation: Address },
    /// Any registry: who may upgrade it.
    OwnershipTransferred { previous_owner: Address, new_owner: Address },
    /// Any registry: an initialiser ran.
    Initialized { version: u64 },
}

impl RegistryEvent {
    /// The event's name in the ABI.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "Registered",
            Self::MetadataSet { .. } => "MetadataSet",
            Self::UriUpdated { .. } => "URIUpdated",
            Self::Transfer { .. } => "Transfer",
            Self::Approval { .. } => "Approval",
            Self::ApprovalForAll { .. } => "ApprovalForAll",
            Self::MetadataUpdate { .. } => "MetadataUpdate",
            Self::BatchMetadataUpdate { .. } => "BatchMetadataUpdate",
            Self::Eip712DomainChanged => "EIP712DomainChanged",
            Self::NewFeedback { .. } => "NewFeedback",
            Self::FeedbackRevoked { .. } => "FeedbackRevoked",
            Self::ResponseAppended { .. } => "ResponseAppended",
            Self::ValidationRequest { .. } => "ValidationRequest",
            Self::ValidationResponse { .. } => "ValidationResponse",
            Self::Upgraded { .. } => "Upgraded",
            Self::OwnershipTransferred { .. } => "OwnershipTransferred",
            Self::Initialized { .. } => "Initialized",
        }
    }

    /// The agent it is about, where it is about one.
    #[must_use]
    pub const fn agent(&self) -> Option<AgentId> {
        match self {
            Self::Registered { agent, .. }
            | Self::MetadataSet { agent, .. }
            | Self::UriUpdated { agent, .. }
            | Self::Transfer { agent, .. }
            | Self::Approval { agent, .. }
            | Self::MetadataUpdate { agent }
            | Self::NewFeedback { agent, .. }
            | Self::FeedbackRevoked { agent, .. }
            | Self::ResponseAppended { agent, .. }
            | Self::ValidationRequest { agent, .. }
            | Self::ValidationResponse { agent, .. } => Some(*agent),
            Self::ApprovalForAll { .. }
            | Self::BatchMetadataUpdate { .. }
            | Self::Eip712DomainChanged
            | Self::Upgraded { .. }
            | Self::OwnershipTransferred { .. }
            | Self::Initialized { .. } => None,
        }
    }
}
