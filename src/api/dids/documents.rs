//! The documents of this host's did:web identifiers, at the paths that the method asks for.
//!
//! Always `application/did+json`, whatever is asked for: clients of did:web send all sorts of `Accept`, and a refusal would hide the
//! document from them. They hold as of the last block applied; `/1.0/identifiers/` answers for other moments. Agents' are made from the
//! read model where it can tell, and otherwise from the database.

use alloy::primitives::keccak256;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::service;
use super::state::document;
use crate::api::at::At;
use crate::api::error::{ApiError, ProblemBody, Problems};
use crate::api::files::{Entries, claims_at};
use crate::api::memory::from_model;
use crate::api::reading::{Reading, Standpoint};
use crate::api::router::Shared;
use crate::api::state::{ApiState, Documents};
use crate::api::wire::tag;
use crate::did::Document;
use crate::did::claims::Claims;
use crate::did::version::DID_KEY;
use crate::did::web::Local;
use crate::identity::{Roster, TimelineRef};
use crate::storage::StorageError;
use crate::vocab::{AgentId, AgentRef, ChainId, Position, canonical_u64};

const DID_JSON: HeaderValue = HeaderValue::from_static("application/did+json");

/// The service's own DID document.
#[utoipa::path(
    get, path = "/.well-known/did.json", tag = "identifiers",
    responses((status = 200, description = "The document", body = Object, content_type = "application/did+json"))
)]
pub(in crate::api) async fn get_service_document(
    State(state): State<ApiState>,
) -> Result<Response, ApiError> {
    answer(&service::document(&state, &Local::Service.did(&state.documents.host)))
}

/// The DID document of an agent, as of the last block applied.
#[utoipa::path(
    get, path = "/agents/{chain_id}/{agent_id}/did.json", tag = "identifiers",
    params(
        ("chain_id" = String, Path, description = "The chain's EIP-155 number", example = "8453"),
        ("agent_id" = String, Path, description = "The agent's number, without leading zeros", example = "22"),
    ),
    responses(
        (status = 200, description = "The document", body = Object, content_type = "application/did+json"),
        (status = 410, description = "The agent is burnt: its DID is deactivated", body = ProblemBody, content_type = "application/problem+json"),
        Problems
    )
)]
pub(in crate::api) async fn get_agent_document(
    State(state): State<Shared>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, ApiError> {
    let Ok(Path((chain, agent))) = path else { return Err(ApiError::NoSuchPath) };
    let named = canonical_u64(&chain).map(ChainId).zip(AgentId::parse(&agent));
    let (chain, agent) = named.ok_or(ApiError::NoSuchPath)?;
    let settings = &state.documents;
    let now = state.clock.now();
    let told = from_model(&state, At::Latest, |model, standpoint| {
        let named = AgentRef { registry: standpoint.registry(), id: agent };
        let end = Position::end_of(standpoint.block_number());
        let is_owned = |other| model.roster.at(other, end).is_some_and(|at| at.owner.is_some());
        let claims = model.shelf.claims(named, &settings.host, now, is_owned)?;
        Some(of_agent(standpoint, &model.roster, &claims, chain, agent, settings))
    });
    if let Some(told) = told.flatten() {
        return told;
    }
    // Boxed: it is rarely taken, and makes the future of every request large.
    let read = async {
        let mut reading = Reading::open(&state, At::Latest).await?;
        let roster = roster_of(&mut reading, agent).await?;
        let claims = claims_now(&mut reading, &state, agent).await?;
        of_agent(&reading, &roster, &claims, chain, agent, settings)
    };
    Box::pin(read).await
}

/// The document of an agent that stands in a roster, as of a block.
fn of_agent(
    standpoint: &Standpoint,
    roster: &Roster,
    claims: &Claims,
    chain: ChainId,
    id: AgentId,
    settings: &Documents,
) -> Result<Response, ApiError> {
    let registry = standpoint.registry();
    if chain != registry.chain {
        return Err(ApiError::OtherChain { asked: chain, followed: registry.chain });
    }
    let agent = AgentRef { registry, id };
    let as_of = || Box::new(standpoint.as_of());
    let Some(holders) = roster.at(id, Position::end_of(standpoint.block_number())) else {
        return Err(ApiError::NoSuchAgent { agent, as_of: as_of() });
    };
    let did = Local::Agent(chain, id).did(&settings.host);
    match document(agent, &holders, claims, &did, settings) {
        Some(document) => answer(&document),
        None => Err(ApiError::Deactivated { agent, as_of: as_of() }),
    }
}

/// A roster in which one agent stands as it was at the end of the block of a reading.
async fn roster_of(reading: &mut Reading, agent: AgentId) -> Result<Roster, StorageError> {
    let mut roster = Roster::default();
    let block = reading.block_number();
    for timeline in [TimelineRef::Owner(agent), TimelineRef::Wallet(agent)] {
        if let Some(span) = reading.tx.last_span(timeline, block).await? {
            roster.put(&span.record);
        }
    }
    Ok(roster)
}

/// What an agent claims as of the block of a reading, by all that is known now.
async fn claims_now(
    reading: &mut Reading,
    state: &ApiState,
    id: AgentId,
) -> Result<Claims, StorageError> {
    let (block, agent) = (reading.block_number(), AgentRef { registry: reading.registry(), id });
    let uri = reading.tx.span_at(TimelineRef::Uri(id), block).await?;
    let entry = TimelineRef::Metadata(id, keccak256(DID_KEY));
    let entry = reading.tx.span_at(entry, block).await?;
    let entries = Entries::of(uri.as_ref(), entry.as_ref());
    claims_at(reading, state, agent, entries, state.clock.now()).await
}

pub(super) fn answer(document: &Document) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(document);
    let body = body.map_err(|error| ApiError::internal(format!("a document: {error}")))?;
    Ok(([(header::CONTENT_TYPE, DID_JSON), (header::ETAG, tag(&body))], body).into_response())
}
