//! The committed vectors under `tests/vectors`: each file is one case, made outside of this program (see the README there).
//!
//! A vector states the whole outcome: every field of the event, or the exact message of the error.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, B256, Bytes};
use hallmark::registry::topics::KNOWN_EVENTS;
use hallmark::registry::{RegistryEvent, Tag, decode};
use hallmark::vocab::{BlockRef, RawLog, RegistryKind};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogVector {
    about: String,
    registry: String,
    topics: Vec<B256>,
    data: Bytes,
    /// The signature of a valid log's event.
    signature: Option<String>,
    /// What a valid log says.
    event: Option<Value>,
    /// Why an invalid log says nothing.
    error: Option<String>,
}

impl LogVector {
    fn decode(&self) -> Result<Value, String> {
        let kind = RegistryKind::from_word(&self.registry).expect("a kind of registry");
        let log = RawLog {
            address: Address::ZERO,
            topics: self.topics.clone(),
            data: self.data.clone(),
            block: BlockRef { number: 1, hash: B256::ZERO },
            block_time: None,
            tx_hash: B256::ZERO,
            log_index: 0,
        };
        decode(kind, &log).map(|event| to_json(&event)).map_err(|error| error.to_string())
    }
}

#[test]
fn valid_logs_decode_to_exactly_what_they_say() {
    let mut forms: BTreeSet<_> =
        KNOWN_EVENTS.iter().map(|known| known.signature.to_owned()).collect();
    for (path, vector) in log_vectors("valid") {
        let decoded = vector.decode();
        assert_eq!(decoded.as_ref().ok(), vector.event.as_ref(), "{}: {decoded:?}", path.display());
        forms.remove(&vector.signature.unwrap());
    }
    assert_eq!(forms, BTreeSet::new(), "these event forms have no vector");
}

#[test]
fn invalid_logs_are_refused_with_the_reason() {
    for (path, vector) in log_vectors("invalid") {
        let decoded = vector.decode();
        assert_eq!(
            decoded.as_ref().err(),
            vector.error.as_ref(),
            "{}, {}: {decoded:?}",
            path.display(),
            vector.about
        );
    }
}

fn log_vectors(outcome: &str) -> Vec<(PathBuf, LogVector)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/logs").join(outcome);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    assert!(paths.len() > 50, "{} vectors in {}", paths.len(), folder.display());
    let read = |path: PathBuf| {
        let vector: LogVector = serde_json::from_slice(&fs::read(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_ne!(
            vector.event.is_some(),
            vector.error.is_some(),
            "{}: one outcome",
            path.display()
        );
        (path, vector)
    };
    paths.into_iter().map(read).collect()
}

/// An event as the vectors write it: bytes in hex, numbers wider than 53 bits as decimal strings, fields named as in the code.
fn to_json(event: &RegistryEvent) -> Value {
    let mut fields = match event {
        RegistryEvent::Registered { .. }
        | RegistryEvent::MetadataSet { .. }
        | RegistryEvent::UriUpdated { .. }
        | RegistryEvent::Transfer { .. }
        | RegistryEvent::Approval { .. }
        | RegistryEvent::ApprovalForAll { .. }
        | RegistryEvent::MetadataUpdate { .. }
        | RegistryEvent::BatchMetadataUpdate { .. }
        | RegistryEvent::Eip712DomainChanged => identity_fields(event),
        RegistryEvent::NewFeedback { .. }
        | RegistryEvent::FeedbackRevoked { .. }
        | RegistryEvent::ResponseAppended { .. } => reputation_fields(event),
        RegistryEvent::ValidationRequest { .. } | RegistryEvent::ValidationResponse { .. } => {
            validation_fields(event)
        }
        RegistryEvent::Upgraded { implementation } => {
            json!({ "implementation": hex(implementation) })
        }
        RegistryEvent::OwnershipTransferred { previous_owner, new_owner } => {
            json!({ "previous_owner": hex(previous_owner), "new_owner": hex(new_owner) })
        }
        RegistryEvent::Initialized { version } => json!({ "version": version.to_string() }),
    };
    fields["name"] = event.name().into();
    fields
}

fn identity_fields(event: &RegistryEvent) -> Value {
    match event {
        RegistryEvent::Registered { agent, uri, owner } => {
            json!({ "agent": agent.to_string(), "uri": hex(uri), "owner": hex(owner) })
        }
        RegistryEvent::MetadataSet { agent, key, value } => {
            json!({ "agent": agent.to_string(), "key": hex(key), "value": hex(value) })
        }
        RegistryEvent::UriUpdated { agent, uri, updated_by } => {
            json!({ "agent": agent.to_string(), "uri": hex(uri), "updated_by": hex(updated_by) })
        }
        RegistryEvent::Transfer { from, to, agent } => {
            json!({ "from": hex(from), "to": hex(to), "agent": agent.to_string() })
        }
        RegistryEvent::Approval { owner, approved, agent } => {
            json!({ "owner": hex(owner), "approved": hex(approved), "agent": agent.to_string() })
        }
        RegistryEvent::ApprovalForAll { owner, operator, approved } => {
            json!({ "owner": hex(owner), "operator": hex(operator), "approved": approved })
        }
        RegistryEvent::MetadataUpdate { agent } => json!({ "agent": agent.to_string() }),
        RegistryEvent::BatchMetadataUpdate { from, to } => {
            json!({ "from": from.to_string(), "to": to.to_string() })
        }
        RegistryEvent::Eip712DomainChanged => json!({}),
        other => unreachable!("{other:?} is not the identity registry's"),
    }
}

fn reputation_fields(event: &RegistryEvent) -> Value {
    match event {
        RegistryEvent::NewFeedback {
            agent,
            client,
            index,
            value,
            decimals,
            tag1,
            tag2,
            endpoint,
            uri,
            hash,
        } => json!({
            "agent": agent.to_string(),
            "client": hex(client),
            "index": index.map(|index| index.to_string()),
            "value": value.to_string(),
            "decimals": decimals,
            "tag1": match tag1 {
                Tag::Text(text) => json!({ "text": hex(text) }),
                Tag::Hash(hash) => json!({ "hash": hex(hash) }),
            },
            "tag2": hex(tag2),
            "endpoint": hex(endpoint),
            "uri": hex(uri),
            "hash": hex(hash),
        }),
        RegistryEvent::FeedbackRevoked { agent, client, index } => {
            json!({ "agent": agent.to_string(), "client": hex(client), "index": index.to_string() })
        }
        RegistryEvent::ResponseAppended { agent, client, index, responder, uri, hash } => json!({
            "agent": agent.to_string(),
            "client": hex(client),
            "index": index.to_string(),
            "responder": hex(responder),
            "uri": hex(uri),
            "hash": hex(hash),
        }),
        other => unreachable!("{other:?} is not the reputation registry's"),
    }
}

fn validation_fields(event: &RegistryEvent) -> Value {
    match event {
        RegistryEvent::ValidationRequest { validator, agent, uri, request_hash } => json!({
            "validator": hex(validator),
            "agent": agent.to_string(),
            "uri": hex(uri),
            "request_hash": hex(request_hash),
        }),
        RegistryEvent::ValidationResponse {
            validator,
            agent,
            request_hash,
            response,
            uri,
            response_hash,
            tag,
        } => json!({
            "validator": hex(validator),
            "agent": agent.to_string(),
            "request_hash": hex(request_hash),
            "response": response,
            "uri": hex(uri),
            "response_hash": hex(response_hash),
            "tag": hex(tag),
        }),
        other => unreachable!("{other:?} is not the validation registry's"),
    }
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    alloy::hex::encode_prefixed(bytes)
}
