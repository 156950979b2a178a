//! All routes, what stands before them, and their OpenAPI description.

use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::state::ApiState;
use super::wire::Cacheable;
use super::{
    agent, agents, events, feedback, guard, health, lookup, operators, status, timelines,
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
    tags(
        (name = "agents", description = "Agents as of a block"),
        (name = "timelines", description = "What held for one agent, and when"),
        (name = "records", description = "What was said of an agent"),
        (name = "wallets", description = "From an account to its agents"),
        (name = "service", description = "The service itself")
    )
)]
struct Description;

/// The service: every route, with all that stands before it.
pub fn router(state: ApiState) -> Router {
    let (routes, description) = OpenApiRouter::<ApiState>::with_openapi(Description::openapi())
        .routes(routes!(status::get_status))
        .routes(routes!(agents::list_agents))
        .routes(routes!(agent::get_agent))
        .routes(routes!(timelines::list_wallets))
        .routes(routes!(timelines::list_owners))
        .routes(routes!(timelines::list_uris))
        .routes(routes!(timelines::list_metadata))
        .routes(routes!(operators::list_operators))
        .routes(routes!(events::list_events))
        .routes(routes!(events::list_undecoded))
        .routes(routes!(feedback::list_feedback))
        .routes(routes!(validations::list_validations))
        .routes(routes!(wallets::list_wallet_agents))
        .routes(routes!(lookup::lookup))
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(health::get_metrics))
        .routes(routes!(get_openapi))
        .split_for_parts();
    let description = serde_json::to_vec(&description).map(Bytes::from).unwrap_or_default();
    routes
        .fallback(async || ApiError::NoSuchPath)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(axum::Extension(Document(description)))
        // A layer stands before those above it: the last one here is the first to see a request.
        .layer(DefaultBodyLimit::max(state.limits.request_body_max))
        .layer(middleware::from_fn_with_state(state.clone(), guard::time_limit))
        .layer(middleware::from_fn_with_state(state.clone(), guard::rate_limit))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(middleware::from_fn(guard::conditional))
        .layer(middleware::from_fn(guard::problems))
        .layer(guard::cors())
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn_with_state(
            guard::RequestIds::new(state.clock.now()),
            guard::observe,
        ))
        .with_state(state)
}

/// The OpenAPI description, written once.
#[derive(Clone)]
struct Document(Bytes);

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "The OpenAPI description of this service", body = Object))
)]
async fn get_openapi(
    axum::Extension(Document(document)): axum::Extension<Document>,
) -> impl IntoResponse {
    let json = HeaderValue::from_static("application/json");
    let mut response = ([(header::CONTENT_TYPE, json)], document).into_response();
    response.extensions_mut().insert(Cacheable);
    response
}
