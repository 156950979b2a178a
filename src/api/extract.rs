//! Taking requests apart, so that every mistake in one becomes a problem that names it.
//!
//! Query parameters arrive as texts and are read by the handlers: a name that is not known is refused, since a misspelt `at` would
//! otherwise be answered as of another block than the one meant.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{
    ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request,
};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::ApiError;
use super::guard::Client;
use super::router::Shared;
use super::state::ApiState;
use crate::delegation::DOCUMENT_BYTES_MAX;

/// The most bytes of many records in one request: a thousand of four kilobytes each.
const LINES_BYTES_MAX: usize = 4 << 20;

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

/// The token of `Authorization: Bearer …` (RFC 6750), if one came.
pub(super) struct Bearer(pub(super) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        Ok(Self(token.filter(|token| !token.is_empty())))
    }
}

/// One request of a client that changes something; [`take`](Self::take) counts it.
pub(super) struct Turn(Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Turn {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map(|peer| peer.0.ip())))
    }
}

impl Turn {
    /// Refuses a client that has had its share.
    pub(super) fn take(&self, state: &ApiState) -> Result<(), ApiError> {
        state.changes.as_ref().map_or(Ok(()), |limiter| limiter.check(self.0))
    }

    /// The address by which the client is counted, if it is known.
    pub(super) fn client(&self) -> Option<IpAddr> {
        Client::of(self.0).address()
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
                (None, too_large(state.limits.request_body_max, state))
            }
            _ => (None, super::shorten(&text)),
        };
        Err(ApiError::Body { status, field, detail })
    }
}

/// What stands in braces. A list of a struct's values by their order would be read too otherwise, and nobody promises that order.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InBraces(PhantomData))
    }
}

struct InBraces<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InBraces<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// Reads a body. Whoever keeps track of where in the JSON it stands reads three times as long, so only what cannot be read is read so.
async fn read<T: DeserializeOwned>(request: Request, state: &Shared) -> Result<T, JsonRejection> {
    if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        return Json::from_request(request, state).await.map(|Json(Object(body))| body);
    }
    let bytes = Bytes::from_request(request, state).await?;
    match serde_json::from_slice(&bytes) {
        Ok(Object(body)) => Ok(body),
        Err(_) => Json::from_bytes(&bytes).map(|Json(Object(body))| body),
    }
}

/// A body as it comes, empty where there is none.
pub(super) struct RawBody(pub(super) Bytes);

impl FromRequest<Shared> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        whole(request, state, state.limits.request_body_max).await.map(Self)
    }
}

/// All of a body, which may have so many bytes.
async fn whole(mut request: Request, state: &Shared, limit: usize) -> Result<Bytes, ApiError> {
    DefaultBodyLimit::max(limit).apply(&mut request);
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let status = rejection.status();
        let detail = match status {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(limit, state),
            _ => "the body did not come whole".to_owned(),
        };
        ApiError::Body { status, field: None, detail }
    })
}

fn too_large(limit: usize, state: &ApiState) -> String {
    let key = if limit == state.limits.request_body_max { " (`request_body_max`)" } else { "" };
    format!("the body is larger than {limit} bytes, the most that this service takes here{key}")
}

/// A body that is a record or an envelope, under a media type that such a thing may have.
pub(super) struct RecordBody(pub(super) Bytes);

impl FromRequest<Shared> for RecordBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        if MediaType::of(&request) != MediaType::Record {
            return Err(not_a_record(&request, ""));
        }
        whole(request, state, state.limits.request_body_max).await.map(Self)
    }
}

/// A body that is one record or envelope, or many of them as lines, which together may be larger.
pub(super) struct RecordsBody {
    pub(super) bytes: Bytes,
    pub(super) is_lines: bool,
}

impl FromRequest<Shared> for RecordsBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let one = state.limits.request_body_max;
        let (limit, is_lines) = match MediaType::of(&request) {
            MediaType::Record => (one, false),
            MediaType::Lines => (one.max(LINES_BYTES_MAX), true),
            MediaType::Other => {
                return Err(not_a_record(&request, ", or many as `application/x-ndjson`"));
            }
        };
        Ok(Self { bytes: whole(request, state, limit).await?, is_lines })
    }
}

/// What a body is said to be, where records are brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    /// A record or an envelope in one of its forms. Who says nothing means that.
    Record,
    /// Many of them.
    Lines,
    Other,
}

impl MediaType {
    fn of(request: &Request) -> Self {
        let Some(kind) = request.headers().get(CONTENT_TYPE) else { return Self::Record };
        let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/x-ndjson" => Self::Lines,
            "application/json" | "application/jwt" | "application/vc" => Self::Record,
            kind if kind.starts_with("application/") => match kind.rsplit_once('+') {
                Some((_, "json" | "jwt")) => Self::Record,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

fn not_a_record(request: &Request, more: &str) -> ApiError {
    let found = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let found = super::shorten(found.unwrap_or_default());
    let detail = format!(
        "the body is said to be `{found}`: send an envelope with `content-type: application/json`, or `application/vc+jwt` if it is one{more}"
    );
    ApiError::Body { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, field: None, detail }
}

/// A body that is a trace document, which may be larger than others.
pub(super) struct DocumentBody(pub(super) Bytes);

impl FromRequest<Shared> for DocumentBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, ApiError> {
        let limit = state.limits.request_body_max.max(DOCUMENT_BYTES_MAX);
        whole(request, state, limit).await.map(Self)
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
