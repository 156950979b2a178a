//! What the ERC-8004 registries' logs say of agents, as records: feedback, its revocation, responses to it, and validations.
//!
//! | event | claim | issuer |
//! |---|---|---|
//! | `NewFeedback` | `erc8004.feedback.v1` | the client's account |
//! | `FeedbackRevoked` | `erc8004.feedback_revoked.v1` | the client's account |
//! | `ResponseAppended` | `erc8004.response.v1` | the responder's account |
//! | `ValidationRequest` | `erc8004.validation_request.v1` | the agent: the log does not say which of its owner and operators asked |
//! | `ValidationResponse` | `erc8004.validation_response.v1` | the validator's account |
//!
//! The subject is always the agent, the id is the log's place (`eip155:8453:BLOCK:LOGINDEX`), the time is the block's, and a record has no
//! note. The claim's data are the event's fields by their names in the ABI. Numbers wider than 53 bits are decimal strings, accounts are
//! CAIP-10, hashes are hex. What belongs together has one name in `feedback` or `validation`, which is also the record's evidence: so a
//! revocation points to its feedback.
//!
//! Texts are whatever bytes somebody paid for. Of each at most 1,000 characters are kept; a longer one is named in `shortened`, with its
//! whole length in bytes and its SHA-256. One that is not UTF-8 stands as hex and is named in `hex`. The log has the rest.
//!
//! A log at another place after a reorganisation makes another record. When a log is settled enough to be one is not decided here.

use alloy::primitives::{Address, B256, Bytes, hex};
use serde_json::{Map, Value, json};

use super::attestation::{AttestationError, Context, SCHEMA};
use super::incoming::{Incoming, SentBy};
use super::{Attestation, IssuerClass};
use crate::registry::{RegistryEvent, Tag};
use crate::vocab::{
    AccountId, AgentId, AgentRef, Digest, Position, RawLog, RegistryRef, Subject, UnixSeconds,
};

/// The most characters of a text that a record keeps.
pub const TEXT_CHARS_MAX: usize = 1_000;

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPlace {
    /// The identity registry, which the agents are of.
    pub identity: RegistryRef,
    /// The contract that emitted it: the reputation or the validation registry, on the same chain.
    pub emitter: Address,
    /// Block and index.
    pub at: Position,
    /// Its transaction.
    pub tx_hash: B256,
    /// When its block was made.
    pub time: UnixSeconds,
}

impl EventPlace {
    /// The place of a log whose block was made at a time.
    #[must_use]
    pub const fn of(log: &RawLog, time: UnixSeconds, identity: RegistryRef) -> Self {
        let (emitter, at, tx_hash) = (log.address, log.position(), log.tx_hash);
        Self { identity, emitter, at, tx_hash, time }
    }

    fn account(&self, address: Address) -> AccountId {
        AccountId { chain: self.identity.chain, address }
    }

    fn agent(&self, id: AgentId) -> AgentRef {
        AgentRef { registry: self.identity, id }
    }
}

/// The record that an event is; `None` for an event that says nothing of an agent to others.
///
/// # Errors
/// When the record cannot be made; no log is known that leads there.
pub fn incoming(
    event: &RegistryEvent,
    place: &EventPlace,
) -> Result<Option<Incoming>, AttestationError> {
    let Some(said) = said(event, place) else { return Ok(None) };
    let Position { block_number, log_index } = place.at;
    let chain = place.identity.chain;
    let log = format!("{chain}:{}:{log_index}", place.tx_hash);
    let mut evidence = vec![json!({ "kind": "evm.log", "id": log, "visibility": "public" })];
    if let Some((kind, id)) = &said.answers {
        evidence.push(json!({ "kind": kind, "id": id, "visibility": "public" }));
    }
    let body = json!({
        "schemaVersion": SCHEMA,
        "id": format!("{chain}:{block_number}:{log_index}"),
        "issuer": said.issuer.to_string(),
        "issuerKind": IssuerClass::Agent.as_str(),
        "subject": place.agent(said.agent).to_string(),
        "claim": { "type": said.kind, "data": said.data.finish() },
        "issuedAt": place.time.to_text().as_str(),
        "evidenceRefs": evidence,
    });
    let context = Context { chain: Some(chain), ..Context::default() };
    Ok(Some(Incoming {
        attestation: Attestation::new(body, context)?,
        sent_by: SentBy::Name(said.issuer),
        place: Some(format!("log:{block_number}:{log_index}")),
        said_at: Some(place.time),
    }))
}

/// What an event says, before it is a record.
struct SaidOnChain {
    kind: &'static str,
    issuer: Subject,
    agent: AgentId,
    /// What it follows on: the kind and the name of that.
    answers: Option<(&'static str, String)>,
    data: Data,
}

fn said(event: &RegistryEvent, place: &EventPlace) -> Option<SaidOnChain> {
    use RegistryEvent as E;
    match event {
        E::NewFeedback { agent, client, .. } => Some(SaidOnChain {
            kind: "erc8004.feedback.v1",
            issuer: Subject::Account(place.account(*client)),
            agent: *agent,
            answers: None,
            data: feedback(event, place),
        }),
        E::FeedbackRevoked { agent, client, index } => {
            let thread = feedback_name(place, *agent, *client, *index);
            Some(SaidOnChain {
                kind: "erc8004.feedback_revoked.v1",
                issuer: Subject::Account(place.account(*client)),
                agent: *agent,
                data: Data::of_feedback(place, *agent, *client, Some(*index)),
                answers: Some(("erc8004.feedback", thread)),
            })
        }
        E::ResponseAppended { agent, client, index, responder, uri, hash } => {
            let thread = feedback_name(place, *agent, *client, *index);
            let data = Data::of_feedback(place, *agent, *client, Some(*index))
                .plain("responder", place.account(*responder).to_string())
                .text("responseURI", uri)
                .plain("responseHash", hash.to_string());
            Some(SaidOnChain {
                kind: "erc8004.response.v1",
                issuer: Subject::Account(place.account(*responder)),
                agent: *agent,
                answers: Some(("erc8004.feedback", thread)),
                data,
            })
        }
        E::ValidationRequest { .. } | E::ValidationResponse { .. } => {
            Some(validation(event, place))
        }
        E::Registered { .. }
        | E::MetadataSet { .. }
        | E::UriUpdated { .. }
        | E::Transfer { .. }
        | E::Approval { .. }
        | E::ApprovalForAll { .. }
        | E::MetadataUpdate { .. }
        | E::BatchMetadataUpdate { .. }
        | E::Eip712DomainChanged
        | E::Upgraded { .. }
        | E::OwnershipTransferred { .. }
        | E::Initialized { .. } => None,
    }
}

fn feedback(event: &RegistryEvent, place: &EventPlace) -> Data {
    let RegistryEvent::NewFeedback {
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
    } = event
    else {
        unreachable!("`said` sends only feedback here, not {}", event.name())
    };
    let data = Data::of_feedback(place, *agent, *client, *index)
        .plain("value", value.to_string())
        .plain("valueDecimals", *decimals);
    let data = match tag1 {
        Tag::Text(text) => data.text("tag1", text),
        Tag::Hash(hash) => data.plain("tag1Hash", hash.to_string()),
    };
    data.text("tag2", tag2)
        .text("endpoint", endpoint)
        .text("feedbackURI", uri)
        .plain("feedbackHash", hash.to_string())
}

fn validation(event: &RegistryEvent, place: &EventPlace) -> SaidOnChain {
    use RegistryEvent as E;
    match event {
        E::ValidationRequest { validator, agent, uri, request_hash } => SaidOnChain {
            kind: "erc8004.validation_request.v1",
            issuer: Subject::Agent(place.agent(*agent)),
            agent: *agent,
            answers: None,
            data: Data::of_validation(place, *agent, *validator, *request_hash)
                .text("requestURI", uri),
        },
        E::ValidationResponse {
            validator,
            agent,
            request_hash,
            response,
            uri,
            response_hash,
            tag,
        } => SaidOnChain {
            kind: "erc8004.validation_response.v1",
            issuer: Subject::Account(place.account(*validator)),
            agent: *agent,
            answers: Some(("erc8004.validation", validation_name(place, *request_hash))),
            data: Data::of_validation(place, *agent, *validator, *request_hash)
                .plain("response", *response)
                .text("responseURI", uri)
                .plain("responseHash", response_hash.to_string())
                .text("tag", tag),
        },
        other => unreachable!("`said` sends only validations here, not {}", other.name()),
    }
}

/// What a feedback and all that follows on it share: registry, agent, client and number.
fn feedback_name(place: &EventPlace, agent: AgentId, client: Address, index: u64) -> String {
    format!("{}/{agent}/{client}/{index}", place.account(place.emitter))
}

/// What a request for validation and the answers to it share.
fn validation_name(place: &EventPlace, request_hash: B256) -> String {
    format!("{}/{request_hash}", place.account(place.emitter))
}

/// The data of a claim, being put together.
#[derive(Default)]
struct Data {
    fields: Map<String, Value>,
    /// Names of fields that stand as hex.
    hex: Vec<Value>,
    /// What is known of texts that are not kept whole.
    shortened: Map<String, Value>,
}

impl Data {
    fn of_feedback(
        place: &EventPlace,
        agent: AgentId,
        client: Address,
        index: Option<u64>,
    ) -> Self {
        let data = Self::default()
            .plain("agentId", agent.to_text().as_str())
            .plain("clientAddress", place.account(client).to_string());
        match index {
            Some(index) => data
                .plain("feedback", feedback_name(place, agent, client, index))
                .plain("feedbackIndex", index.to_string()),
            // Forms before January 2026 do not number their feedback.
            None => data,
        }
    }

    fn of_validation(
        place: &EventPlace,
        agent: AgentId,
        validator: Address,
        request_hash: B256,
    ) -> Self {
        Self::default()
            .plain("agentId", agent.to_text().as_str())
            .plain("validatorAddress", place.account(validator).to_string())
            .plain("validation", validation_name(place, request_hash))
            .plain("requestHash", request_hash.to_string())
    }

    fn plain(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    fn text(mut self, name: &str, bytes: &Bytes) -> Self {
        let (kept, is_whole) = if let Ok(text) = std::str::from_utf8(bytes) {
            kept(text)
        } else {
            self.hex.push(name.into());
            let most = (TEXT_CHARS_MAX - "0x".len()) / 2;
            let shown = bytes.get(..most).unwrap_or(bytes);
            (hex::encode_prefixed(shown), shown.len() == bytes.len())
        };
        if !is_whole {
            let whole = json!({ "length": bytes.len(), "sha256": Digest::of(bytes).to_string() });
            self.shortened.insert(name.to_owned(), whole);
        }
        self.plain(name, kept)
    }

    fn finish(mut self) -> Map<String, Value> {
        if !self.hex.is_empty() {
            self.fields.insert("hex".to_owned(), self.hex.into());
        }
        if !self.shortened.is_empty() {
            self.fields.insert("shortened".to_owned(), self.shortened.into());
        }
        self.fields
    }
}

/// As much of a text as is kept, and whether that is all of it.
fn kept(text: &str) -> (String, bool) {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => (text.get(..end).unwrap_or_default().to_owned(), false),
        None => (text.to_owned(), true),
    }
}
