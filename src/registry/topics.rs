//! Every event form of the three registries: its signature, its topic 0 and who emits it.
//!
//! Current forms are those of version 2.0.0; legacy forms come from the history of `erc-8004/erc-8004-contracts` since the first
//! public deployment (October 2025). Forms that were only ever in the repository before that are left out: their logs stay raw.
//! Topic 0 does not tell which parameters are indexed, so the number of topics belongs to a form. One topic 0,
//! `0x425311b4…`, was used for two layouts; the deployed one, with an endpoint, is meant here.

use alloy::primitives::{B256, b256};

use crate::vocab::RegistryKind;

/// A form of an event: one layout of topics and data. Two forms of one event differ in topic 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as the event; the table has the signature of each")]
pub enum EventForm {
    Registered,
    MetadataSet,
    /// Version 1.1.0: the value is a string.
    MetadataSetString,
    UriUpdated,
    /// Before January 2026: `UriUpdated` in place of `URIUpdated`.
    UriUpdatedV1,
    Transfer,
    Approval,
    ApprovalForAll,
    MetadataUpdate,
    BatchMetadataUpdate,
    Eip712DomainChanged,
    NewFeedback,
    /// Version 1.0.0: a score, both tags 32 bytes, the first of them indexed.
    NewFeedbackV1,
    /// Version 1.1.0: a score, the first tag only as a hash.
    NewFeedbackHashedTag,
    /// The same, with an endpoint.
    NewFeedbackHashedTagEndpoint,
    /// The same, with an endpoint and the feedback's index.
    NewFeedbackHashedTagIndex,
    /// Version 1.1.0: a score, and the first tag in full beside its hash.
    NewFeedbackScore,
    /// Draft of version 2.0.0.
    NewFeedbackUint256,
    /// Draft of version 2.0.0.
    NewFeedbackInt256,
    FeedbackRevoked,
    ResponseAppended,
    ValidationRequest,
    ValidationResponse,
    /// Version 1.0.0: the tag is 32 bytes.
    ValidationResponseV1,
    Upgraded,
    OwnershipTransferred,
    Initialized,
}

/// What is known of an event form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownEvent {
    /// Which form it is.
    pub form: EventForm,
    /// The registry that emits it; none where all three do.
    pub registry: Option<RegistryKind>,
    /// How many topics its logs have, topic 0 included.
    pub topic_count: usize,
    /// Name and types, as hashed.
    pub signature: &'static str,
    /// keccak256 of the signature.
    pub topic0: B256,
}

impl KnownEvent {
    /// Whether a registry of this kind emits it.
    #[must_use]
    pub fn is_of(&self, kind: RegistryKind) -> bool {
        self.registry.is_none_or(|registry| registry == kind)
    }

    /// The event's name: the signature up to its types.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.signature.split_once('(').map_or(self.signature, |(name, _)| name)
    }
}

/// The form that a registry of this kind emits under a topic 0.
#[must_use]
pub fn find(kind: RegistryKind, topic0: B256) -> Option<&'static KnownEvent> {
    KNOWN_EVENTS.iter().find(|known| known.topic0 == topic0 && known.is_of(kind))
}

const IDENTITY: Option<RegistryKind> = Some(RegistryKind::Identity);
const REPUTATION: Option<RegistryKind> = Some(RegistryKind::Reputation);
const VALIDATION: Option<RegistryKind> = Some(RegistryKind::Validation);
const ANY: Option<RegistryKind> = None;

const fn event(
    form: EventForm,
    registry: Option<RegistryKind>,
    topic_count: usize,
    signature: &'static str,
    topic0: B256,
) -> KnownEvent {
    KnownEvent { form, registry, topic_count, signature, topic0 }
}

/// Every form there is; no two of one registry share a topic 0.
#[rustfmt::skip] // One event per two lines reads as the table it is.
pub static KNOWN_EVENTS: [KnownEvent; 27] = [
    event(EventForm::Registered, IDENTITY, 3, "Registered(uint256,string,address)",
        b256!("ca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a")),
    event(EventForm::MetadataSet, IDENTITY, 3, "MetadataSet(uint256,string,string,bytes)",
        b256!("2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b")),
    event(EventForm::MetadataSetString, IDENTITY, 3, "MetadataSet(uint256,string,string,string)",
        b256!("2dbec70f51f7b79cc6a9d4ea913abc7d680b523e0763e3ad622612950757609c")),
    event(EventForm::UriUpdated, IDENTITY, 3, "URIUpdated(uint256,string,address)",
        b256!("3a2c7fffc2cba7582c690e3b82c453ea02a308326a98a3ad7576c606336409fb")),
    event(EventForm::UriUpdatedV1, IDENTITY, 3, "UriUpdated(uint256,string,address)",
        b256!("b41beef75d9f8d55b985319b459e96f82453580af381391f1ad531eb8f8b5a3a")),
    event(EventForm::Transfer, IDENTITY, 4, "Transfer(address,address,uint256)",
        b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")),
    event(EventForm::Approval, IDENTITY, 4, "Approval(address,address,uint256)",
        b256!("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925")),
    event(EventForm::ApprovalForAll, IDENTITY, 3, "ApprovalForAll(address,address,bool)",
        b256!("17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31")),
    event(EventForm::MetadataUpdate, IDENTITY, 1, "MetadataUpdate(uint256)",
        b256!("f8e1a15aba9398e019f0b49df1a4fde98ee17ae345cb5f6b5e2c27f5033e8ce7")),
    event(EventForm::BatchMetadataUpdate, IDENTITY, 1, "BatchMetadataUpdate(uint256,uint256)",
        b256!("6bd5c950a8d8df17f772f5af37cb3655737899cbf903264b9795592da439661c")),
    event(EventForm::Eip712DomainChanged, IDENTITY, 1, "EIP712DomainChanged()",
        b256!("0a6387c9ea3628b88a633bb4f3b151770f70085117a15f9bf3787cda53f13d31")),
    event(EventForm::NewFeedback, REPUTATION, 4, "NewFeedback(uint256,address,uint64,int128,uint8,string,string,string,string,string,bytes32)",
        b256!("6a4a61743519c9d648a14e6493f47dbe3ff1aa29e7785c96c8326a205e58febc")),
    event(EventForm::NewFeedbackV1, REPUTATION, 4, "NewFeedback(uint256,address,uint8,bytes32,bytes32,string,bytes32)",
        b256!("54b3254e4cc01969e70376d20390cc2f6af90539d9adaa78a53ebcda17f78154")),
    event(EventForm::NewFeedbackHashedTag, REPUTATION, 4, "NewFeedback(uint256,address,uint8,string,string,string,bytes32)",
        b256!("744ec89483257dd170f417f1c3aef90840a2d763449395ba4f09e37f78a0c98b")),
    event(EventForm::NewFeedbackHashedTagEndpoint, REPUTATION, 4, "NewFeedback(uint256,address,uint8,string,string,string,string,bytes32)",
        b256!("425311b4692766f8739eaeea31a86b5756c7c315d17abc22bc9e67628405d6a7")),
    event(EventForm::NewFeedbackHashedTagIndex, REPUTATION, 4, "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,bytes32)",
        b256!("801d7d4264128f6f43835850f1fabb91902c3543c3738f1f62fbf7e9fd80531d")),
    event(EventForm::NewFeedbackScore, REPUTATION, 4, "NewFeedback(uint256,address,uint64,uint8,string,string,string,string,string,bytes32)",
        b256!("31f01d2aa5cdbe0619011211e9ffc39d678bc82e46d60c35953396ae61e896d8")),
    event(EventForm::NewFeedbackUint256, REPUTATION, 4, "NewFeedback(uint256,address,uint64,uint256,uint8,string,string,string,string,string,bytes32)",
        b256!("a96589249279e205e9aa2d2299594d8c5c745cf90e49514145db5dbdea256240")),
    event(EventForm::NewFeedbackInt256, REPUTATION, 4, "NewFeedback(uint256,address,uint64,int256,uint8,string,string,string,string,string,bytes32)",
        b256!("413f2d30fdbc0b49e55537333a7c6287556f671f40c7e2dc00fc7ca1ced350da")),
    event(EventForm::FeedbackRevoked, REPUTATION, 4, "FeedbackRevoked(uint256,address,uint64)",
        b256!("25156fd3288212246d8b008d5921fde376c71ed14ac2e072a506eb06fde6d09d")),
    event(EventForm::ResponseAppended, REPUTATION, 4, "ResponseAppended(uint256,address,uint64,address,string,bytes32)",
        b256!("b1c6be0b5b8aef6539e2fac0fd131a2faa7b49edf8e505b5eb0ad487d56051d4")),
    event(EventForm::ValidationRequest, VALIDATION, 4, "ValidationRequest(address,uint256,string,bytes32)",
        b256!("530436c3634a98e1e626b0898be2f1e9980cc1bd2a78c07a0aba52d0a48a5059")),
    event(EventForm::ValidationResponse, VALIDATION, 4, "ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,string)",
        b256!("afddf629e874ccc3963b6a888c477bd464a6c8525024fc88759ea3b2326349ae")),
    event(EventForm::ValidationResponseV1, VALIDATION, 4, "ValidationResponse(address,uint256,bytes32,uint8,string,bytes32,bytes32)",
        b256!("f224d3d5ad74301be48e4d51ca5f1b24c7946875887327585becc59165297dcf")),
    event(EventForm::Upgraded, ANY, 2, "Upgraded(address)",
        b256!("bc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b")),
    event(EventForm::OwnershipTransferred, ANY, 3, "OwnershipTransferred(address,address)",
        b256!("8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0")),
    event(EventForm::Initialized, ANY, 1, "Initialized(uint64)",
        b256!("c7f505b2f371ae2175ee4913f4499e1f2633a7b5936321eed1cdaeb6115181d2")),
];

#[cfg(test)]
mod tests {
    use alloy::primitives::keccak256;

    use super::*;

    #[test]
    fn every_topic_is_the_hash_of_its_signature() {
        for known in &KNOWN_EVENTS {
            assert_eq!(keccak256(known.signature), known.topic0, "{}", known.signature);
        }
    }

    #[test]
    fn every_form_is_found_by_its_own_registry_only() {
        for (i, known) in KNOWN_EVENTS.iter().enumerate() {
            assert!((1..=4).contains(&known.topic_count), "{}", known.signature);
            for kind in RegistryKind::ALL {
                let expected = known.is_of(kind).then_some(known);
                assert_eq!(find(kind, known.topic0), expected, "{} of {kind:?}", known.signature);
            }
            for other in KNOWN_EVENTS.iter().skip(i + 1) {
                assert_ne!(known.topic0, other.topic0);
                assert_ne!(known.form, other.form);
            }
        }
    }
}
