//! Events of the registries as answers show them.
//!
//! Field names are those of the contracts' ABI in snake case. Whoever acts is an account in CAIP-10.

use alloy::primitives::{Address, Bytes, hex};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{BytesAnswer, PositionAnswer, text_and_hex};
use crate::api::error::ApiError;
use crate::api::reading::Reading;
use crate::identity::Evidence;
use crate::registry::{RegistryEvent, Tag, decode};
use crate::storage::StoredEvent;
use crate::vocab::{AccountId, ChainId};

/// Where an event stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EventPosition)]
pub(in crate::api) struct Placed {
    #[serde(flatten)]
    at: PositionAnswer,
    /// How settled its block is: `latest`, `safe` or `finalized`.
    finality: &'static str,
}

impl Placed {
    pub(in crate::api) fn of(event: &StoredEvent, reading: &Reading) -> Self {
        let evidence = Evidence {
            at: event.log.position(),
            tx_hash: Some(event.log.tx_hash),
            time: Some(event.time),
        };
        let finality = reading.finality(event.log.block.number).as_str();
        Self { at: (&evidence).into(), finality }
    }
}

/// A decoded event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(in crate::api) struct EventAnswer {
    /// Its name in the contract's ABI.
    name: &'static str,
    /// Whose it is: `identity`, `reputation` or `validation`.
    registry: &'static str,
    #[serde(flatten)]
    at: Placed,
    /// What it says, by the names of the contract's ABI in snake case; texts that are not UTF-8 have a companion in `…_hex`.
    #[schema(value_type = Object)]
    fields: Map<String, Value>,
}

impl EventAnswer {
    pub(in crate::api) fn of(event: &StoredEvent, reading: &Reading) -> Result<Self, ApiError> {
        let decoded = decoded(event)?;
        Ok(Self {
            name: decoded.name(),
            registry: event.registry.as_str(),
            at: Placed::of(event, reading),
            fields: fields(&decoded, reading.chain()),
        })
    }
}

/// What a stored log says. It was decoded once, so that failing now is a fault of ours.
pub(in crate::api) fn decoded(event: &StoredEvent) -> Result<RegistryEvent, ApiError> {
    decode(event.registry, &event.log).map_err(|error| {
        let at = event.log.position();
        let place = format!("block {} log {}", at.block_number, at.log_index);
        ApiError::internal(format!("the log at {place} decodes no more: {error}"))
    })
}

/// Puts bytes that claim to be text under a name, and their hex beside it where they are not UTF-8.
pub(in crate::api) fn insert_text(fields: &mut Map<String, Value>, name: &str, bytes: &Bytes) {
    let (text, hex) = text_and_hex(bytes);
    fields.insert(name.to_owned(), text.into());
    if let Some(hex) = hex {
        fields.insert(format!("{name}_hex"), hex.into());
    }
}

/// Fields being put together.
struct Fields {
    chain: ChainId,
    map: Map<String, Value>,
}

impl Fields {
    fn plain(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.map.insert(name.to_owned(), value.into());
        self
    }

    fn number(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.plain(name, value.to_string())
    }

    fn account(self, name: &str, address: Address) -> Self {
        let account = AccountId { chain: self.chain, address };
        self.plain(name, account.to_string())
    }

    fn text(mut self, name: &str, bytes: &Bytes) -> Self {
        insert_text(&mut self.map, name, bytes);
        self
    }
}

fn fields(event: &RegistryEvent, chain: ChainId) -> Map<String, Value> {
    use RegistryEvent as E;
    let none = Fields { chain, map: Map::new() };
    let filled = match event {
        E::Registered { agent, uri, owner } => {
            none.number("agent_id", agent).text("agent_uri", uri).account("owner", *owner)
        }
        E::MetadataSet { agent, key, value } => {
            metadata(none.number("agent_id", agent), key, value)
        }
        E::UriUpdated { agent, uri, updated_by } => {
            none.number("agent_id", agent).text("new_uri", uri).account("updated_by", *updated_by)
        }
        E::Transfer { from, to, agent } => {
            none.account("from", *from).account("to", *to).number("token_id", agent)
        }
        E::Approval { owner, approved, agent } => {
            none.account("owner", *owner).account("approved", *approved).number("token_id", agent)
        }
        E::ApprovalForAll { owner, operator, approved } => none
            .account("owner", *owner)
            .account("operator", *operator)
            .plain("approved", *approved),
        E::MetadataUpdate { agent } => none.number("token_id", agent),
        E::BatchMetadataUpdate { from, to } => {
            none.number("from_token_id", from).number("to_token_id", to)
        }
        E::Eip712DomainChanged => none,
        E::NewFeedback { .. } | E::FeedbackRevoked { .. } | E::ResponseAppended { .. } => {
            reputation(event, none)
        }
        E::ValidationRequest { .. } | E::ValidationResponse { .. } => validation(event, none),
        E::Upgraded { implementation } => none.account("implementation", *implementation),
        E::OwnershipTransferred { previous_owner, new_owner } => {
            none.account("previous_owner", *previous_owner).account("new_owner", *new_owner)
        }
        E::Initialized { version } => none.number("version", version),
    };
    filled.map
}

fn metadata(fields: Fields, key: &Bytes, value: &Bytes) -> Fields {
    let BytesAnswer { hex, text } = value.into();
    let mut shown = Map::new();
    shown.insert("hex".to_owned(), hex.into());
    shown.insert("text".to_owned(), text.into());
    fields.text("metadata_key", key).plain("metadata_value", shown)
}

fn reputation(event: &RegistryEvent, none: Fields) -> Fields {
    use RegistryEvent as E;
    match event {
        E::NewFeedback {
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
        } => {
            let fields = none
                .number("agent_id", agent)
                .account("client_address", *client)
                .plain("feedback_index", index.map(|index| index.to_string()))
                .number("value", value)
                .plain("value_decimals", *decimals);
            let fields = match tag1 {
                Tag::Text(text) => fields.text("tag1", text),
                Tag::Hash(hash) => {
                    fields.plain("tag1", Value::Null).plain("tag1_hash", hash.to_string())
                }
            };
            fields
                .text("tag2", tag2)
                .text("endpoint", endpoint)
                .text("feedback_uri", uri)
                .plain("feedback_hash", hash.to_string())
        }
        E::FeedbackRevoked { agent, client, index } => none
            .number("agent_id", agent)
            .account("client_address", *client)
            .number("feedback_index", index),
        E::ResponseAppended { agent, client, index, responder, uri, hash } => none
            .number("agent_id", agent)
            .account("client_address", *client)
            .number("feedback_index", index)
            .account("responder", *responder)
            .text("response_uri", uri)
            .plain("response_hash", hash.to_string()),
        other => unreachable!("`fields` sends only reputation events here, not {}", other.name()),
    }
}

fn validation(event: &RegistryEvent, none: Fields) -> Fields {
    use RegistryEvent as E;
    match event {
        E::ValidationRequest { validator, agent, uri, request_hash } => none
            .account("validator_address", *validator)
            .number("agent_id", agent)
            .text("request_uri", uri)
            .plain("request_hash", request_hash.to_string()),
        E::ValidationResponse {
            validator,
            agent,
            request_hash,
            response,
            uri,
            response_hash,
            tag,
        } => none
            .account("validator_address", *validator)
            .number("agent_id", agent)
            .plain("request_hash", request_hash.to_string())
            .plain("response", *response)
            .text("response_uri", uri)
            .plain("response_hash", response_hash.to_string())
            .text("tag", tag),
        other => unreachable!("`fields` sends only validation events here, not {}", other.name()),
    }
}

/// A log that cannot be decoded, as it came.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct UndecodedLog {
    /// Whose it is: `identity`, `reputation` or `validation`.
    registry: &'static str,
    #[serde(flatten)]
    at: Placed,
    /// Its topics.
    topics: Vec<String>,
    /// Its data.
    data: String,
    /// Why it cannot be decoded; null where this version could.
    error: Option<String>,
}

impl UndecodedLog {
    pub(in crate::api) fn of(event: &StoredEvent, reading: &Reading) -> Self {
        Self {
            registry: event.registry.as_str(),
            at: Placed::of(event, reading),
            topics: event.log.topics.iter().map(ToString::to_string).collect(),
            data: hex::encode_prefixed(&event.log.data),
            error: decode(event.registry, &event.log).err().map(|error| error.to_string()),
        }
    }
}
