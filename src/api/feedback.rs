//! `GET /v1/agents/{agent}/feedback`: what clients said of an agent, with revocations and responses.
//!
//! Values are shown as they were given: no range is common to all tags, so nothing here adds them up.

use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::client_agent::{AgentThen, agents_then};
use super::error::{ApiError, Problems};
use super::events::{EventPage, RecordsQuery};
use super::extract::{Params, PathText};
use super::reading::Reading;
use super::state::ApiState;
use super::wire::{Answer, Listing, Placed, decoded, insert_text};
use crate::registry::{RegistryEvent, Tag};
use crate::storage::StoredEvent;
use crate::vocab::AccountId;

/// How many responses to one feedback are shown.
const RESPONSES_MAX: u32 = 20;

/// One feedback on an agent.
#[expect(clippy::struct_field_names, reason = "the names of the contracts' ABI")]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Feedback {
    /// Who gave it, CAIP-10.
    client: String,
    /// The agents whose wallet the client was when it gave it.
    client_agent: AgentThen,
    /// Its number among this client's feedback on this agent, from 1; null in forms before January 2026.
    feedback_index: Option<String>,
    /// The value, to be divided by ten to the `value_decimals`.
    value: String,
    /// Decimal places of the value.
    value_decimals: u8,
    /// `tag1`, `tag2`, `endpoint` and `feedback_uri`; those that are not UTF-8 have a companion in `…_hex`. `tag1` is null beside
    /// `tag1_hash` in forms that logged nothing but its hash.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    texts: Map<String, Value>,
    /// keccak256 of the feedback file, or zero.
    feedback_hash: String,
    /// Where it was given.
    at: Placed,
    /// Where it was revoked; null while it stands.
    revoked: Option<Placed>,
    /// The first 20 responses, oldest first.
    responses: Vec<FeedbackResponse>,
    /// Whether there are more responses than are shown.
    responses_truncated: bool,
}

/// An answer to a feedback. Anyone may give one.
#[derive(Debug, Serialize, ToSchema)]
struct FeedbackResponse {
    /// Who answered, CAIP-10.
    responder: String,
    /// `response_uri`, and `response_uri_hex` where it is not UTF-8.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    texts: Map<String, Value>,
    /// keccak256 of the response's file, or zero.
    response_hash: String,
    /// Where it was given.
    at: Placed,
}

/// Feedback on an agent, oldest first.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/feedback", tag = "records",
    params(("agent" = String, Path, description = "The agent"), RecordsQuery),
    responses((status = 200, description = "A page of feedback, oldest first", body = Listing<Feedback>), Problems)
)]
pub(super) async fn list_feedback(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<RecordsQuery>,
) -> Result<Answer<Listing<Feedback>>, ApiError> {
    let EventPage { mut reading, events, next } =
        EventPage::read(&state, "feedback", &agent, &query, Some("NewFeedback")).await?;
    let said = events.iter().map(decoded).collect::<Result<Vec<_>, _>>()?;
    let client = |(said, event): (&RegistryEvent, &StoredEvent)| match said {
        RegistryEvent::NewFeedback { client, .. } => Ok((*client, event.log.position())),
        other => Err(ApiError::internal(format!("{} is stored as feedback", other.name()))),
    };
    let clients = said.iter().zip(&events).map(client).collect::<Result<Vec<_>, _>>()?;
    let agents = agents_then(&state.model, &mut reading, &clients).await?;
    let mut items = Vec::with_capacity(events.len());
    for ((said, event), client_agent) in said.into_iter().zip(&events).zip(agents) {
        items.push(feedback(&mut reading, event, said, client_agent).await?);
    }
    Ok(Answer(Listing { items, next, as_of: reading.as_of() }))
}

async fn feedback(
    reading: &mut Reading,
    event: &StoredEvent,
    said: RegistryEvent,
    client_agent: AgentThen,
) -> Result<Feedback, ApiError> {
    let thread = said.thread();
    let RegistryEvent::NewFeedback {
        client,
        index,
        value,
        decimals,
        tag1,
        tag2,
        endpoint,
        uri,
        hash,
        ..
    } = said
    else {
        unreachable!("the list lets nothing else through")
    };
    let (revoked, responses) = match thread {
        Some(thread) => thread_of(reading, &thread).await?,
        None => (None, Vec::new()),
    };
    let shown = responses.iter().take(RESPONSES_MAX as usize);
    Ok(Feedback {
        client: AccountId { chain: reading.chain(), address: client }.to_string(),
        client_agent,
        feedback_index: index.map(|index| index.to_string()),
        value: value.to_string(),
        value_decimals: decimals,
        texts: texts(&tag1, [("tag2", &tag2), ("endpoint", &endpoint), ("feedback_uri", &uri)]),
        feedback_hash: hash.to_string(),
        at: Placed::of(event, reading),
        revoked: revoked.map(|revoked| Placed::of(&revoked, reading)),
        responses: shown.map(|event| response(event, reading)).collect::<Result<_, _>>()?,
        responses_truncated: responses.len() > RESPONSES_MAX as usize,
    })
}

/// The revocation of a feedback, and its first responses with one more than are shown.
async fn thread_of(
    reading: &mut Reading,
    thread: &[u8],
) -> Result<(Option<StoredEvent>, Vec<StoredEvent>), ApiError> {
    let block = reading.block_number();
    let tx = &mut reading.tx;
    // Asked for by name: anyone may append responses, and no number of them may hide a revocation.
    let revoked = tx.first_of_thread(thread, "FeedbackRevoked", block, 1).await?.pop();
    let responses =
        tx.first_of_thread(thread, "ResponseAppended", block, RESPONSES_MAX + 1).await?;
    Ok((revoked, responses))
}

fn texts(tag1: &Tag, others: [(&str, &alloy::primitives::Bytes); 3]) -> Map<String, Value> {
    let mut texts = Map::new();
    match tag1 {
        Tag::Text(text) => insert_text(&mut texts, "tag1", text),
        Tag::Hash(hash) => {
            texts.insert("tag1".to_owned(), Value::Null);
            texts.insert("tag1_hash".to_owned(), hash.to_string().into());
        }
    }
    for (name, text) in others {
        insert_text(&mut texts, name, text);
    }
    texts
}

fn response(event: &StoredEvent, reading: &Reading) -> Result<FeedbackResponse, ApiError> {
    let said = decoded(event)?;
    let RegistryEvent::ResponseAppended { responder, uri, hash, .. } = said else {
        return Err(ApiError::internal(format!("{} is stored as a response", said.name())));
    };
    let mut texts = Map::new();
    insert_text(&mut texts, "response_uri", &uri);
    Ok(FeedbackResponse {
        responder: AccountId { chain: reading.chain(), address: responder }.to_string(),
        texts,
        response_hash: hash.to_string(),
        at: Placed::of(event, reading),
    })
}
