//! One log to one [`RegistryEvent`].
//!
//! A log is read only as an event of its own kind of registry, in the current form or a legacy one. What comes out is what the log
//! says, checked against the types of the ABI and no further: ranges that only the contract's code guarantees (a response of at most
//! 100) are not enforced, since an upgrade may change them without changing the topic. Each function below reads the fields in the
//! order in which the contract declares them; a change of order is a change of meaning.

use alloy::primitives::{Bytes, I256};

use super::event::{RegistryEvent, Tag};
use super::fields::{DecodeError, Fields, Word};
use super::topics::{self, EventForm};
use crate::vocab::{RawLog, RegistryKind};

type Decoded = Result<RegistryEvent, DecodeError>;

/// The event that a log of a registry of this kind is.
///
/// The log's address is not looked at: the caller knows which registry stands there.
///
/// # Errors
/// When the log is no event of such a registry, or its topics and data do not fit the event's types; the error names the field.
/// Such a log is to be kept raw and counted.
pub fn decode(kind: RegistryKind, log: &RawLog) -> Decoded {
    let topic0 = *log.topics.first().ok_or(DecodeError::NoTopics)?;
    let Some(known) = topics::find(kind, topic0) else {
        return Err(DecodeError::UnknownTopic { kind, topic0 });
    };
    let log = &mut Fields::open(known, log)?;
    match known.form {
        EventForm::Registered => registered(log),
        // A string and a byte string are encoded alike.
        EventForm::MetadataSet | EventForm::MetadataSetString => metadata_set(log),
        EventForm::UriUpdated | EventForm::UriUpdatedV1 => uri_updated(log),
        EventForm::Transfer => transfer(log),
        EventForm::Approval => approval(log),
        EventForm::ApprovalForAll => approval_for_all(log),
        EventForm::MetadataUpdate => {
            Ok(RegistryEvent::MetadataUpdate { agent: log.word("_tokenId")?.agent() })
        }
        EventForm::BatchMetadataUpdate => batch_metadata_update(log),
        EventForm::Eip712DomainChanged => Ok(RegistryEvent::Eip712DomainChanged),
        EventForm::NewFeedback => feedback(log, |log| log.word("value")?.int128()),
        EventForm::NewFeedbackInt256 => feedback(log, |log| Ok(log.word("value")?.int256())),
        EventForm::NewFeedbackUint256 => feedback(log, |log| log.word("value")?.uint255()),
        EventForm::NewFeedbackScore => feedback_score(log),
        EventForm::NewFeedbackHashedTagIndex => feedback_hashed_tag(log, true, true),
        EventForm::NewFeedbackHashedTagEndpoint => feedback_hashed_tag(log, false, true),
        EventForm::NewFeedbackHashedTag => feedback_hashed_tag(log, false, false),
        EventForm::NewFeedbackV1 => feedback_v1(log),
        EventForm::FeedbackRevoked => feedback_revoked(log),
        EventForm::ResponseAppended => response_appended(log),
        EventForm::ValidationRequest => validation_request(log),
        EventForm::ValidationResponse => validation_response(log, |log| log.bytes("tag")),
        EventForm::ValidationResponseV1 => {
            validation_response(log, |log| Ok(log.word("tag")?.hash().into()))
        }
        EventForm::Upgraded => {
            Ok(RegistryEvent::Upgraded { implementation: log.topic("implementation")?.address()? })
        }
        EventForm::OwnershipTransferred => ownership_transferred(log),
        EventForm::Initialized => {
            Ok(RegistryEvent::Initialized { version: log.word("version")?.uint64()? })
        }
    }
}

fn registered(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::Registered {
        agent: log.topic("agentId")?.agent(),
        uri: log.bytes("agentURI")?,
        owner: log.topic("owner")?.address()?,
    })
}

fn metadata_set(log: &mut Fields<'_>) -> Decoded {
    let agent = log.topic("agentId")?.agent();
    let key = log.bytes("metadataKey")?;
    log.topic("indexedMetadataKey")?.must_be_hash_of(&key)?;
    Ok(RegistryEvent::MetadataSet { agent, key, value: log.bytes("metadataValue")? })
}

fn uri_updated(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::UriUpdated {
        agent: log.topic("agentId")?.agent(),
        uri: log.bytes("newURI")?,
        updated_by: log.topic("updatedBy")?.address()?,
    })
}

fn transfer(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::Transfer {
        from: log.topic("from")?.address()?,
        to: log.topic("to")?.address()?,
        agent: log.topic("tokenId")?.agent(),
    })
}

fn approval(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::Approval {
        owner: log.topic("owner")?.address()?,
        approved: log.topic("approved")?.address()?,
        agent: log.topic("tokenId")?.agent(),
    })
}

fn approval_for_all(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::ApprovalForAll {
        owner: log.topic("owner")?.address()?,
        operator: log.topic("operator")?.address()?,
        approved: log.word("approved")?.bool()?,
    })
}

fn batch_metadata_update(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::BatchMetadataUpdate {
        from: log.word("_fromTokenId")?.agent(),
        to: log.word("_toTokenId")?.agent(),
    })
}

/// The current form, and the drafts of version 2.0.0 that differ from it in the type of the value.
fn feedback(
    log: &mut Fields<'_>,
    value: impl FnOnce(&mut Fields<'_>) -> Result<I256, DecodeError>,
) -> Decoded {
    Ok(RegistryEvent::NewFeedback {
        agent: log.topic("agentId")?.agent(),
        client: log.topic("clientAddress")?.address()?,
        index: Some(log.word("feedbackIndex")?.uint64()?),
        value: value(log)?,
        decimals: log.word("valueDecimals")?.uint8()?,
        tag1: tag_beside_its_hash(log)?,
        tag2: log.bytes("tag2")?,
        endpoint: log.bytes("endpoint")?,
        uri: log.bytes("feedbackURI")?,
        hash: log.word("feedbackHash")?.hash(),
    })
}

fn feedback_score(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::NewFeedback {
        agent: log.topic("agentId")?.agent(),
        client: log.topic("clientAddress")?.address()?,
        index: Some(log.word("feedbackIndex")?.uint64()?),
        value: score(log.word("score")?)?,
        decimals: 0,
        tag1: tag_beside_its_hash(log)?,
        tag2: log.bytes("tag2")?,
        endpoint: log.bytes("endpoint")?,
        uri: log.bytes("feedbackURI")?,
        hash: log.word("feedbackHash")?.hash(),
    })
}

fn feedback_hashed_tag(log: &mut Fields<'_>, has_index: bool, has_endpoint: bool) -> Decoded {
    Ok(RegistryEvent::NewFeedback {
        agent: log.topic("agentId")?.agent(),
        client: log.topic("clientAddress")?.address()?,
        index: if has_index { Some(log.word("feedbackIndex")?.uint64()?) } else { None },
        value: score(log.word("score")?)?,
        decimals: 0,
        tag1: Tag::Hash(log.topic("tag1")?.hash()),
        tag2: log.bytes("tag2")?,
        endpoint: if has_endpoint { log.bytes("endpoint")? } else { Bytes::new() },
        uri: log.bytes("feedbackURI")?,
        hash: log.word("feedbackHash")?.hash(),
    })
}

fn feedback_v1(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::NewFeedback {
        agent: log.topic("agentId")?.agent(),
        client: log.topic("clientAddress")?.address()?,
        index: None,
        value: score(log.word("score")?)?,
        decimals: 0,
        tag1: Tag::Text(log.topic("tag1")?.hash().into()),
        tag2: log.word("tag2")?.hash().into(),
        endpoint: Bytes::new(),
        uri: log.bytes("feedbackUri")?,
        hash: log.word("feedbackHash")?.hash(),
    })
}

fn score(word: Word) -> Result<I256, DecodeError> {
    // Every uint8 is below 2^255, so the wider reading cannot fail where the narrower one did not.
    word.uint8().and_then(|_| word.uint255())
}

fn tag_beside_its_hash(log: &mut Fields<'_>) -> Result<Tag, DecodeError> {
    let tag = log.bytes("tag1")?;
    log.topic("indexedTag1")?.must_be_hash_of(&tag)?;
    Ok(Tag::Text(tag))
}

fn feedback_revoked(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::FeedbackRevoked {
        agent: log.topic("agentId")?.agent(),
        client: log.topic("clientAddress")?.address()?,
        index: log.topic("feedbackIndex")?.uint64()?,
    })
}

fn response_appended(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::ResponseAppended {
        agent: log.topic("agentId")?.agent(),
        client: log.topic("clientAddress")?.address()?,
        index: log.word("feedbackIndex")?.uint64()?,
        responder: log.topic("responder")?.address()?,
        uri: log.bytes("responseURI")?,
        hash: log.word("responseHash")?.hash(),
    })
}

fn validation_request(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::ValidationRequest {
        validator: log.topic("validatorAddress")?.address()?,
        agent: log.topic("agentId")?.agent(),
        uri: log.bytes("requestURI")?,
        request_hash: log.topic("requestHash")?.hash(),
    })
}

fn validation_response(
    log: &mut Fields<'_>,
    tag: impl FnOnce(&mut Fields<'_>) -> Result<Bytes, DecodeError>,
) -> Decoded {
    Ok(RegistryEvent::ValidationResponse {
        validator: log.topic("validatorAddress")?.address()?,
        agent: log.topic("agentId")?.agent(),
        request_hash: log.topic("requestHash")?.hash(),
        response: log.word("response")?.uint8()?,
        uri: log.bytes("responseURI")?,
        response_hash: log.word("responseHash")?.hash(),
        tag: tag(log)?,
    })
}

fn ownership_transferred(log: &mut Fields<'_>) -> Decoded {
    Ok(RegistryEvent::OwnershipTransferred {
        previous_owner: log.topic("previousOwner")?.address()?,
        new_owner: log.topic("newOwner")?.address()?,
    })
}
