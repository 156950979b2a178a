//! All routes, what stands before them, and their OpenAPI description.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRef, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Router, middleware};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::state::ApiState;
use super::wire::{JSON, tag};
use super::{
    agent, agents, attestations, cards, characters, delegations, dids, disputes, events, feedback,
    file_versions, guard, health, lookup, operators, population, status, streams, timelines,
    validations, wallets,
};

/// What the description says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hallmark",
        description = "Who an ERC-8004 agent is, and which wallet spoke for it, at any block. Every answer about chain state says in \
                       `as_of` as of which block it holds, and how settled that block was."
    ),
    modifiers(&Tokens),
    tags(
        (name = "agents", description = "Agents as of a block"),
        (name = "timelines", description = "What held for one agent, and when"),
        (name = "records", description = "What was said of an agent"),
        (name = "wallets", description = "From an account to its agents"),
        (name = "attestations", description = "What was said of whom, signed, and whom its names meant"),
        (name = "delegations", description = "Who set whom to work, signed by both, and who carries how much where it failed"),
        (name = "cards", description = "Trust cards: what an agent's record shows, by projectors that anyone can write"),
        (name = "identifiers", description = "DIDs, their documents, and what they are known as besides"),
        (name = "characters", description = "Human participants and their wallets"),
        (name = "service", description = "The service itself")
    )
)]
struct Description;

/// The scheme of the token that manages a character, and that of the operator's.
pub(super) const CHARACTER_TOKEN: &str = "characterToken";
pub(super) const OPERATOR_TOKEN: &str = "operatorToken";

/// Which tokens there are.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let schemes = [
            (CHARACTER_TOKEN, "Manages one character: in the answer to its creation, shown once"),
            (OPERATOR_TOKEN, "Of who runs the service (`operator_token`): manages every character"),
        ];
        let components = description.components.get_or_insert_default();
        for (name, what) in schemes {
            let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what));
            components.add_security_scheme(name, SecurityScheme::Http(http.build()));
        }
    }
}

/// What handlers hold: one thing to share, however much it grows.
#[derive(Clone)]
pub(super) struct Shared(Arc<Held>);

struct Held {
    state: ApiState,
    document: Document,
}

/// The OpenAPI description, written once.
struct Document {
    description: Bytes,
    tag: HeaderValue,
}

impl Deref for Shared {
    type Target = ApiState;

    fn deref(&self) -> &ApiState {
        &self.0.state
    }
}

impl FromRef<Shared> for ApiState {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(shared)
    }
}

/// The service: every route, with all that stands before it.
pub fn router(state: ApiState) -> Router {
    let (routes, description) = OpenApiRouter::<Shared>::with_openapi(Description::openapi())
        .routes(routes!(status::get_status))
        .routes(routes!(agents::list_agents))
        .routes(routes!(agent::get_agent))
        .routes(routes!(timelines::list_wallets))
        .routes(routes!(timelines::list_owners))
        .routes(routes!(timelines::list_uris))
        .routes(routes!(timelines::list_metadata))
        .routes(routes!(file_versions::list_files))
        .routes(routes!(operators::list_operators))
        .routes(routes!(events::list_events))
        .routes(routes!(events::list_undecoded))
        .routes(routes!(feedback::list_feedback))
        .routes(routes!(validations::list_validations))
        .routes(routes!(wallets::list_wallet_agents))
        .routes(routes!(lookup::lookup))
        .routes(routes!(attestations::list_attestations, attestations::take_attestation))
        .routes(routes!(attestations::verify_attestation))
        .routes(routes!(attestations::list_refused))
        .routes(routes!(attestations::get_attestation))
        .routes(routes!(attestations::get_envelope))
        .routes(routes!(attestations::get_context))
        .routes(routes!(attestations::get_record_context))
        .routes(routes!(delegations::take_delegation))
        .routes(routes!(delegations::verify_delegation))
        .routes(routes!(delegations::get_delegation))
        .routes(routes!(delegations::get_trace))
        .routes(routes!(disputes::get_attribution))
        .routes(routes!(population::get_population))
        .routes(routes!(streams::stream))
        .routes(routes!(cards::get_cards))
        .routes(routes!(cards::list_cards))
        .routes(routes!(cards::make_payload))
        .routes(routes!(cards::list_projectors))
        .routes(routes!(dids::get_service_document))
        .routes(routes!(dids::get_did_configuration))
        .routes(routes!(dids::get_agent_document))
        .routes(routes!(dids::get_character_document))
        .routes(routes!(dids::resolve, dids::resolve_posted))
        .routes(routes!(dids::list_links))
        .routes(routes!(characters::create_character))
        .routes(routes!(characters::remove_character))
        .routes(routes!(characters::unlink_wallet))
        .routes(routes!(characters::create_invitations))
        .routes(routes!(characters::create_challenge))
        .routes(routes!(characters::create_link))
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(health::get_metrics))
        .routes(routes!(get_openapi))
        .split_for_parts();
    let description = serde_json::to_vec(&description).map(Bytes::from).unwrap_or_default();
    let document = Document { tag: tag(&description), description };
    let guard = Arc::new(guard::Guard::new(&state));
    // A DID URL that stands in the path as it is may have a path of its own, and what is no DID is told so.
    let binding = get(dids::resolve).post(dids::resolve_posted);
    routes
        .route(dids::PATH, binding.clone())
        .route(&format!("{}{{did}}/{{*path}}", dids::PATH), binding)
        .fallback(async || ApiError::NoSuchPath)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(guard, guard::attend))
        .with_state(Shared(Arc::new(Held { state, document })))
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "The OpenAPI description of this service", body = Object))
)]
async fn get_openapi(State(shared): State<Shared>) -> impl IntoResponse {
    let Document { description, tag } = &shared.0.document;
    ([(header::CONTENT_TYPE, JSON), (header::ETAG, tag.clone())], description.clone())
}
