//! `/.well-known/did-configuration.json`: that whoever has this origin has the service's DID (DIF Well Known DID Configuration).

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::api::error::{ApiError, ProblemBody};
use crate::api::state::ApiState;
use crate::api::wire::{JSON, tag};
use crate::attest::domain::{Validity, did_configuration};
use crate::did::key::PublicKey;
use crate::did::web::Local;

/// What was answered last: the same key and validity give the same bytes.
#[derive(Clone, Default)]
pub(in crate::api) struct LinkageCache(Arc<Mutex<Option<Linkage>>>);

#[derive(Clone)]
struct Linkage {
    key: PublicKey,
    validity: Validity,
    body: Bytes,
    tag: HeaderValue,
}

/// The Domain Linkage Credential of this service.
///
/// Signed by the key that signs now, as a JWT; made anew every day, and valid for 30 days.
#[utoipa::path(
    get, path = "/.well-known/did-configuration.json", tag = "identifiers",
    responses(
        (status = 200, description = "The resource: `@context` and `linked_dids`, which holds one JWT", body = Object),
        (status = 404, description = "No key signs for this service", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(in crate::api) async fn get_did_configuration(
    State(state): State<ApiState>,
) -> Result<Response, ApiError> {
    let (held, now) = (state.keys.held(), state.clock.now());
    let record = held.ring().signer(now).zip(held.signer(now));
    let (record, private) = record.ok_or(ApiError::NoKey)?;
    let since = record.activated.unwrap_or(now);
    let (key, validity) = (record.key, Validity::at(now, since));
    let mut kept = state.linkage.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_fresh = |kept: &&Linkage| kept.key == key && kept.validity == validity;
    if let Some(Linkage { body, tag, .. }) = kept.as_ref().filter(is_fresh) {
        return Ok(answer(body.clone(), tag.clone()));
    }
    let host = &state.documents.host;
    let origin = format!("https://{}", host.authority());
    let resource = did_configuration(&Local::Service.did(host), &origin, private, validity);
    let body = serde_json::to_vec(&resource).map(Bytes::from);
    let body = body.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))?;
    let tag = tag(&body);
    *kept = Some(Linkage { key, validity, body: body.clone(), tag: tag.clone() });
    Ok(answer(body, tag))
}

fn answer(body: Bytes, tag: HeaderValue) -> Response {
    ([(header::CONTENT_TYPE, JSON), (header::ETAG, tag)], body).into_response()
}
