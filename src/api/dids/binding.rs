//! `/1.0/identifiers/…`: the HTTP binding of DID Resolution. A DID is resolved, and a DID URL dereferenced.
//!
//! What any request may meet is answered as everywhere else, by a problem: a moment after the last block applied (409), no block applied
//! yet (503). The standard has no code for these, since its function was not called: nobody can tell yet what it would have said.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use utoipa::IntoResponses;

use super::accept::Function;
use super::dereference::dereferenced;
use super::options::Pairs;
use super::posted;
use super::request::{Rejected, Request};
use super::resolve::{generated, is_generated, resolution};
use super::result::{Dereferencing, Failure, Resolution};
use crate::api::error::{BodyProblems, ProblemBody};
use crate::api::extract::{RawBody, Turn};
use crate::api::router::Shared;
use crate::api::state::ApiState;
use crate::did::DidUrl;

/// Where the binding is.
pub(in crate::api) const PATH: &str = "/1.0/identifiers/";

/// What is answered instead of a document. The refusals of DID Resolution are whole results, of dereferencing too where a DID URL was asked for.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers in the OpenAPI document and is never made")]
pub(in crate::api) enum Refusals {
    /// `INVALID_DID`, `INVALID_DID_URL` or `INVALID_OPTIONS`.
    #[response(status = 400, content_type = "application/did-resolution")]
    Invalid(Resolution),
    /// `NOT_FOUND`: no such DID, no such version of it, or nothing of that name in it.
    #[response(status = 404, content_type = "application/did-resolution")]
    NotFound(Resolution),
    /// `REPRESENTATION_NOT_SUPPORTED`.
    #[response(status = 406, content_type = "application/did-resolution")]
    NotAcceptable(Resolution),
    /// `not-indexed-yet`: the moment lies after the last block applied (`head`, `indexed`), or is not over (`now`).
    #[response(status = 409, content_type = "application/problem+json")]
    NotIndexedYet(ProblemBody),
    /// The DID is deactivated.
    #[response(status = 410, content_type = "application/did-resolution")]
    Deactivated(Resolution),
    /// `too-many-requests`, or `too-many-fetches` of documents of other hosts at a time.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemBody),
    /// `INVALID_DID_DOCUMENT` of another host, a method that is not what was asked for, or `INTERNAL_ERROR`.
    #[response(status = 500, content_type = "application/did-resolution")]
    Internal(Resolution),
    /// `METHOD_NOT_SUPPORTED` or `FEATURE_NOT_SUPPORTED`.
    #[response(status = 501, content_type = "application/did-resolution")]
    NotSupported(Resolution),
    /// No block has been indexed yet, the database cannot answer now, or too much is being fetched (`too-many-fetches`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// A DID's document, or what a DID URL names.
///
/// Both may stand in the path as they are or percent-encoded; a `#` only encoded. `Accept` chooses the whole result
/// (`application/did-resolution`, `application/did-url-dereferencing`; the default) or only what it is about (`application/did`); the media
/// types of DID Core 1.0 are answered too. A refusal is a whole result whose metadata says why in `error`.
///
/// A fragment names a method or a service of the document. `service` and `serviceType` leave only those services in it; with `relativeRef`, or
/// where `text/uri-list` is asked for, the answer is 303 and sends to the place at the first of them that has an endpoint.
#[utoipa::path(
    get, path = "/1.0/identifiers/{did}", tag = "identifiers",
    params(
        ("did" = String, Path, description = "A did:web, a did:pkh of `eip155`, or a did:key; or a DID URL of one", example = "did:web:example.org:agents:8453:22"),
        ("versionTime" = Option<String>, Query, description = "The version in force at that time: UTC, whole seconds; of an agent not after the last block applied, of the service and its characters before the current second", example = "2026-02-03T11:08:33Z"),
        ("versionId" = Option<String>, Query, description = "The version of that id: `versionId` or `nextVersionId` of an earlier answer"),
        ("at" = Option<String>, Query, description = "`latest`, `safe`, `finalized`, `block:N` or `time:T`; only one of the three"),
        ("expandRelativeUrls" = Option<bool>, Query, description = "Whether relative DID URLs in another host's document are made absolute; documents of this service have none"),
        ("noCache" = Option<bool>, Query, description = "Whether a document that is kept may not be given"),
        ("verificationRelationship" = Option<String>, Query, description = "Under which relationship the method must stand that the DID URL names", example = "assertionMethod"),
        ("service" = Option<String>, Query, description = "Of the DID URL: the services of that id, or of that fragment"),
        ("serviceType" = Option<String>, Query, description = "Of the DID URL: the services of that type"),
        ("relativeRef" = Option<String>, Query, description = "Of the DID URL: what this names from their endpoints; never another host, nor above the endpoint's folder"),
    ),
    responses(
        (status = 200, description = "The result, or only what it is about", content((Resolution = "application/did-resolution"), (Dereferencing = "application/did-url-dereferencing"))),
        (status = 303, description = "`Location` is the place at the endpoint of the selected service", headers(("location" = String))),
        Refusals
    )
)]
pub(in crate::api) async fn resolve(
    State(state): State<Shared>,
    turn: Turn,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let state = state.asked_by(&turn);
    answer(&state, &uri, query.as_deref(), Vec::new(), &headers).await
}

/// The same with the options in the body.
///
/// The body is a JSON object of them, or empty; the query is the DID URL's own.
#[utoipa::path(
    post, path = "/1.0/identifiers/{did}", tag = "identifiers",
    params(("did" = String, Path, description = "As in GET", example = "did:web:example.org:agents:8453:22")),
    request_body(content = Object, content_type = "application/json", description = "The options of GET by their names", example = json!({ "versionTime": "2026-02-03T11:08:33Z" })),
    responses(
        (status = 200, description = "As in GET", content((Resolution = "application/did-resolution"), (Dereferencing = "application/did-url-dereferencing"))),
        (status = 303, description = "As in GET", headers(("location" = String))),
        Refusals,
        BodyProblems
    )
)]
pub(in crate::api) async fn resolve_posted(
    State(state): State<Shared>,
    turn: Turn,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Response {
    let state = state.asked_by(&turn);
    match posted::options(&headers, &body) {
        Ok(options) => answer(&state, &uri, query.as_deref(), options, &headers).await,
        Err(failure) => failure.respond(Function::of(&headers)),
    }
}

async fn answer(
    state: &ApiState,
    uri: &Uri,
    query: Option<&str>,
    posted: Pairs,
    headers: &HeaderMap,
) -> Response {
    let asked = uri.path().strip_prefix(PATH).unwrap_or_default();
    let request = match Request::read(asked, query, posted, headers) {
        Ok(request) => request,
        Err(rejected) => {
            let Rejected { function, refusal } = *rejected;
            return Failure::from(refusal).respond(function);
        }
    };
    finish(&request, resolution(state, &request.url.did, &request.options).await)
}

/// The answer to a DID or DID URL whose document is made from the identifier alone; `None` for any other.
pub(in crate::api) fn resolve_generated(text: &str) -> Option<Response> {
    let url = DidUrl::parse(text).ok().filter(|url| is_generated(&url.did))?;
    let encoded = text.replace('%', "%25");
    let request = Request::read(&encoded, None, Vec::new(), &HeaderMap::new()).ok()?;
    Some(finish(&request, generated(&url.did, request.options.moment)))
}

fn finish(request: &Request, resolved: Result<Resolution, Failure>) -> Response {
    let answered = match request.form.function {
        Function::Resolve => resolved.map(|resolution| resolution.respond(request.form)),
        Function::Dereference => resolved.and_then(|resolution| dereferenced(request, resolution)),
    };
    answered.unwrap_or_else(|failure| failure.respond(request.form.function))
}
