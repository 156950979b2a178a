//! `GET /v1/agents/{agent}/validations`: requests to validators, and their answers.
//!
//! A validator may answer one request several times, and the last answer counts.

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
use crate::registry::RegistryEvent;
use crate::storage::StoredEvent;
use crate::vocab::AccountId;

/// How many answers to one request are shown.
const RESPONSES_MAX: u32 = 20;

/// One request to a validator.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Validation {
    /// The request's hash, which names it.
    request_hash: String,
    /// Who was asked, CAIP-10.
    validator: String,
    /// The agents whose wallet the validator was when it was asked.
    validator_agent: AgentThen,
    /// `request_uri`, and `request_uri_hex` where it is not UTF-8.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    texts: Map<String, Value>,
    /// Where it was asked.
    at: Placed,
    /// The newest 20 answers, oldest first: the last one counts. Empty while there is none.
    responses: Vec<ValidationAnswer>,
    /// Whether there are older answers than are shown.
    responses_truncated: bool,
}

/// An answer of a validator.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ValidationResponse)]
struct ValidationAnswer {
    /// 0 to 100 under the known implementations.
    response: u8,
    /// `tag` and `response_uri`; those that are not UTF-8 have a companion in `…_hex`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    texts: Map<String, Value>,
    /// keccak256 of the response's file, or zero.
    response_hash: String,
    /// Where it was given.
    at: Placed,
}

/// Validations of an agent, by when they were asked for.
#[utoipa::path(
    get, path = "/v1/agents/{agent}/validations", tag = "records",
    params(("agent" = String, Path, description = "The agent"), RecordsQuery),
    responses((status = 200, description = "A page of validations, oldest first", body = Listing<Validation>), Problems)
)]
pub(super) async fn list_validations(
    State(state): State<ApiState>,
    PathText(agent): PathText,
    Params(query): Params<RecordsQuery>,
) -> Result<Answer<Listing<Validation>>, ApiError> {
    let EventPage { mut reading, events, next } =
        EventPage::read(&state, "validations", &agent, &query, Some("ValidationRequest")).await?;
    let said = events.iter().map(decoded).collect::<Result<Vec<_>, _>>()?;
    let validator = |(said, event): (&RegistryEvent, &StoredEvent)| match said {
        RegistryEvent::ValidationRequest { validator, .. } => {
            Ok((*validator, event.log.position()))
        }
        other => Err(ApiError::internal(format!("{} is stored as a request", other.name()))),
    };
    let validators = said.iter().zip(&events).map(validator).collect::<Result<Vec<_>, _>>()?;
    let agents = agents_then(&state.model, &mut reading, &validators).await?;
    let mut items = Vec::with_capacity(events.len());
    for ((said, event), validator_agent) in said.into_iter().zip(&events).zip(agents) {
        items.push(validation(&mut reading, event, said, validator_agent).await?);
    }
    Ok(Answer(Listing { items, next, as_of: reading.as_of() }))
}

async fn validation(
    reading: &mut Reading,
    event: &StoredEvent,
    said: RegistryEvent,
    validator_agent: AgentThen,
) -> Result<Validation, ApiError> {
    let RegistryEvent::ValidationRequest { validator, uri, request_hash, .. } = said else {
        unreachable!("the list lets nothing else through")
    };
    let block = reading.block_number();
    let mut answers = reading
        .tx
        .newest_of_thread(request_hash.as_slice(), "ValidationResponse", block, RESPONSES_MAX + 1)
        .await?;
    let responses_truncated = answers.len() > RESPONSES_MAX as usize;
    answers.truncate(RESPONSES_MAX as usize);
    answers.reverse();
    let mut texts = Map::new();
    insert_text(&mut texts, "request_uri", &uri);
    Ok(Validation {
        request_hash: request_hash.to_string(),
        validator: AccountId { chain: reading.chain(), address: validator }.to_string(),
        validator_agent,
        texts,
        at: Placed::of(event, reading),
        responses: answers.iter().map(|e| answer(e, reading)).collect::<Result<_, _>>()?,
        responses_truncated,
    })
}

fn answer(event: &StoredEvent, reading: &Reading) -> Result<ValidationAnswer, ApiError> {
    let said = decoded(event)?;
    let RegistryEvent::ValidationResponse { response, uri, response_hash, tag, .. } = said else {
        return Err(ApiError::internal(format!("{} is stored as an answer", said.name())));
    };
    let mut texts = Map::new();
    insert_text(&mut texts, "tag", &tag);
    insert_text(&mut texts, "response_uri", &uri);
    Ok(ValidationAnswer {
        response,
        texts,
        response_hash: response_hash.to_string(),
        at: Placed::of(event, reading),
    })
}
