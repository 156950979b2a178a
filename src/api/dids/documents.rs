//! The documents of this host's did:web identifiers, at the paths that the method asks for.
//!
//! Always `application/did+json`, whatever is asked for: clients of did:web send all sorts of `Accept`, and a refusal would hide the
//! document from them. They hold as of the last block applied; `/1.0/identifiers/` answers for other moments.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::state::document;
use crate::api::at::At;
use crate::api::error::{ApiError, ProblemBody, Problems};
use crate::api::reading::Reading;
use crate::api::state::ApiState;
use crate::api::wire::tag;
use crate::did::web::Local;
use crate::did::{Document, service_document};
use crate::identity::TimelineRef;
use crate::vocab::{AgentId, AgentRef, ChainId, canonical_u64};

const DID_JSON: HeaderValue = HeaderValue::from_static("application/did+json");

/// The service's own DID document.
#[utoipa::path(
    get, path = "/.well-known/did.json", tag = "identifiers",
    responses((status = 200, description = "The document", body = Object, content_type = "application/did+json"))
)]
pub(in crate::api) async fn get_service_document(
    State(state): State<ApiState>,
) -> Result<Response, ApiError> {
    answer(&service(&state, &Local::Service.did(&state.documents.host)))
}

/// The service's document under an identifier.
pub(super) fn service(state: &ApiState, id: &str) -> Document {
    let origin = format!("https://{}", state.documents.host.authority());
    service_document(id, &origin, &[])
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
    State(state): State<ApiState>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, ApiError> {
    let Ok(Path((chain, agent))) = path else { return Err(ApiError::NoSuchPath) };
    let named = canonical_u64(&chain).map(ChainId).zip(AgentId::parse(&agent));
    let (chain, id) = named.ok_or(ApiError::NoSuchPath)?;
    let mut reading = Reading::open(&state, At::Latest).await?;
    let registry = reading.registry();
    if chain != registry.chain {
        return Err(ApiError::NoSuchPath);
    }
    let (agent, block) = (AgentRef { registry, id }, reading.block_number());
    let Some(owner) = reading.tx.span_at(TimelineRef::Owner(id), block).await? else {
        let was_minted = reading.tx.last_span(TimelineRef::Owner(id), block).await?.is_some();
        let as_of = Box::new(reading.as_of());
        return Err(if was_minted {
            ApiError::Deactivated { agent, as_of }
        } else {
            ApiError::NoSuchAgent { agent, as_of }
        });
    };
    let wallet = reading.tx.span_at(TimelineRef::Wallet(id), block).await?;
    let did = Local::Agent(chain, id).did(&state.documents.host);
    answer(&document(agent, &owner, wallet.as_ref(), &did, &state.documents))
}

pub(super) fn answer(document: &Document) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(document);
    let body = body.map_err(|error| ApiError::internal(format!("a document: {error}")))?;
    Ok(([(header::CONTENT_TYPE, DID_JSON), (header::ETAG, tag(&body))], body).into_response())
}
