//! Taking requests apart, so that every mistake in one becomes a problem that names it.
//!
//! Query parameters arrive as texts and are read by the handlers: a name that is not known is refused, since a misspelt `at` would
//! otherwise be answered as of another block than the one meant.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use super::router::Shared;

/// The query's parameters.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let Query(params) = Query::try_from_uri(&parts.uri).map_err(|rejection| {
            let text = rejection.body_text();
            // serde quotes the name: "unknown field `x`", "duplicate field `x`".
            let name = text.split('`').nth(1).unwrap_or("query");
            let detail = text.rsplit_once(": ").map_or(text.as_str(), |(_, detail)| detail);
            ApiError::parameter(
                super::shorten(name),
                super::shorten(detail).replace("field", "parameter"),
            )
        })?;
        Ok(Self(params))
    }
}

/// The one variable part of the path, decoded.
pub(super) struct PathText(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(ApiError::parameter("path", "the path is not UTF-8 when it is decoded")),
        }
    }
}

/// A body in JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &Shared) -> Result<Self, ApiError> {
        DefaultBodyLimit::max(state.limits.request_body_max).apply(&mut request);
        let rejection = match read(request, state).await {
            Ok(body) => return Ok(Self(body)),
            Err(rejection) => rejection,
        };
        let status = rejection.status();
        let text = rejection.body_text();
        let (field, detail) = match &rejection {
            // axum puts the path of the field before serde's words.
            JsonRejection::JsonDataError(_) => named_field(&text),
            JsonRejection::MissingJsonContentType(_) => {
                (None, "send the body with `content-type: application/json`".to_owned())
            }
            _ if status == StatusCode::PAYLOAD_TOO_LARGE => {
                (None, "the body is larger than this service takes".to_owned())
            }
            _ => (None, super::shorten(&text)),
        };
        Err(ApiError::Body { status, field, detail })
    }
}

/// Reads a body. Whoever keeps track of where in the JSON it stands reads three times as long, so only what cannot be read is read so.
async fn read<T: DeserializeOwned>(request: Request, state: &Shared) -> Result<T, JsonRejection> {
    if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        return Json::from_request(request, state).await.map(|Json(body)| body);
    }
    let bytes = Bytes::from_request(request, state).await?;
    match serde_json::from_slice(&bytes) {
        Ok(body) => Ok(body),
        Err(_) => Json::from_bytes(&bytes).map(|Json(body)| body),
    }
}

/// A body as it comes, empty where there is none.
pub(super) struct RawBody(pub(super) Bytes);

impl FromRequest<Shared> for RawBody {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, state: &Shared) -> Result<Self, ApiError> {
        DefaultBodyLimit::max(state.limits.request_body_max).apply(&mut request);
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| {
            let status = rejection.status();
            let detail = "the body is larger than this service takes, or did not come whole";
            ApiError::Body { status, field: None, detail: detail.to_owned() }
        })
    }
}

/// The field and the fault in `Failed to deserialize …: accounts[1]: invalid type: …`.
fn named_field(text: &str) -> (Option<String>, String) {
    let said = text.split_once(": ").map_or(text, |(_, said)| said);
    let quoted = || said.split('`').nth(1).map(str::to_owned);
    match said.split_once(": ") {
        Some((path, fault)) if !path.contains(' ') => {
            (Some(super::shorten(path)), super::shorten(fault))
        }
        _ => (quoted().map(|name| super::shorten(&name)), super::shorten(said)),
    }
}
