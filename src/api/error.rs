//! Everything that can be answered instead of what was asked for, as `application/problem+json` (RFC 9457).
//!
//! The one place that knows status codes. A problem names the parameter, the field or the block that it is about. What failed inside
//! is logged where the answer is made and never sent. `instance` is filled in by `guard::problems`, which knows the request.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::characters::Kind;
pub(super) use super::problems::{
    BodyProblems, CharacterProblems, DelegationProblems, Problems, RecordProblems, SealedProblems,
    TraceProblems,
};
use super::wire::{AsOf, Block};
use crate::storage::StorageError;
use crate::vocab::{AgentRef, ChainId, UnixSeconds};

/// How long a client should wait before it asks again for what is not there yet.
const RETRY_SOON_S: u64 = 2;

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// A part of the path or the query cannot be understood.
    #[error("{detail}")]
    Parameter { name: String, detail: String },
    /// The body cannot be understood.
    #[error("{detail}")]
    Body { status: StatusCode, field: Option<String>, detail: String },
    /// No agent of that number exists as of the block.
    #[error("agent {agent} does not exist as of block {}", as_of.block.number)]
    NoSuchAgent { agent: AgentRef, as_of: Box<AsOf> },
    /// Agents of another chain are asked for.
    #[error("this service follows {followed}, and serves nothing of agents on {asked}")]
    OtherChain { asked: ChainId, followed: ChainId },
    /// The agent is burnt.
    #[error("agent {agent} is burnt: its DID is deactivated")]
    Deactivated { agent: AgentRef, as_of: Box<AsOf> },
    /// What was asked about a character is refused, for a reason that `characters::refusal` names.
    #[error("{detail}")]
    Refused { kind: Kind, detail: String, retry_after_s: Option<u64> },
    /// No such record is held.
    #[error("{0}")]
    NoSuchRecord(String),
    /// No key signs for this service.
    #[error("no key signs for this service now; its operator makes one with `hallmark keys new`")]
    NoKey,
    /// Nothing is served at that path.
    #[error("nothing is served at this path; /openapi.json lists what is")]
    NoSuchPath,
    /// The path is served, but not for that method.
    #[error("this path does not answer that method; /openapi.json lists what it answers")]
    MethodNotAllowed,
    /// The block or time lies after the last block applied.
    #[error("{asked} is not indexed yet; the last block applied is {}", indexed.number)]
    NotIndexedYet { asked: String, indexed: Box<Block>, head: Option<Box<Block>> },
    /// The moment is not over, and what is no chain's may still change in it.
    #[error(
        "what holds at {asked} is not known yet: it is {now}, and a second must be over before it is answered for"
    )]
    NotKnownYet { asked: UnixSeconds, now: UnixSeconds },
    /// The node has not named such a block.
    #[error("the node has not named a {tag} block yet; ask for `latest` or for a block")]
    NoSuchTag { tag: &'static str },
    /// No block was applied yet.
    #[error("no block has been indexed yet; /v1/status shows how far following is")]
    NothingIndexedYet,
    /// One client asks for too much.
    #[error("too many requests from this address; wait {retry_after_s} s")]
    TooManyRequests { retry_after_s: u64 },
    /// The answer took too long.
    #[error("the answer took longer than {limit_s} s; {}", asked.advice())]
    Timeout { limit_s: u64, asked: Asked },
    /// The database is busy or out of reach.
    #[error("the database cannot answer now; try again")]
    Unavailable(#[source] StorageError),
    /// The database failed.
    #[error("something failed inside; it was logged under the request id of this answer")]
    Storage(#[source] StorageError),
    /// Something else that must not happen, in words for the log.
    #[error("something failed inside; it was logged under the request id of this answer")]
    Internal { logged: String },
}

/// What a request is for, as far as that matters to whoever got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To know something.
    Question,
    /// To have a record kept, which is kept once however often it comes.
    Record,
    /// To have something else changed.
    Change,
}

impl Asked {
    /// By method and path.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let is_question = method.is_safe()
            || path.starts_with("/1.0/")
            || ["/lookup", "/verify", "/payload"].iter().any(|end| path.ends_with(end));
        match path {
            _ if is_question => Self::Question,
            "/v1/attestations" | "/v1/delegations" => Self::Record,
            _ => Self::Change,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Question => "ask for a smaller page",
            Self::Record => {
                "whether it was kept is not known: send the same again, which is kept once"
            }
            Self::Change => "whether it was done is not known: look before you ask for it again",
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(source: StorageError) -> Self {
        if source.is_transient() { Self::Unavailable(source) } else { Self::Storage(source) }
    }
}

impl ApiError {
    pub(super) fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Parameter { name: name.into(), detail: detail.into() }
    }

    /// A body that can be read as JSON but does not say what it must.
    pub(super) fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let (status, field) = (StatusCode::UNPROCESSABLE_ENTITY, Some(field.into()));
        Self::Body { status, field, detail: detail.into() }
    }

    /// The same where what is a parameter elsewhere is a field of the body here.
    pub(super) fn in_body(self) -> Self {
        match self {
            Self::Parameter { name, detail } => Self::field(name, detail),
            other => other,
        }
    }

    /// Something that takes a token, and none came.
    pub(super) fn no_token(detail: impl Into<String>) -> Self {
        let kind = ("no-token", "Token missing", StatusCode::UNAUTHORIZED);
        Self::Refused { kind, detail: detail.into(), retry_after_s: None }
    }

    pub(super) fn internal(logged: impl Into<String>) -> Self {
        Self::Internal { logged: logged.into() }
    }

    /// The last part of the problem's type, its title, and the status.
    fn kind(&self) -> (&'static str, &'static str, StatusCode) {
        use StatusCode as S;
        match self {
            Self::Parameter { .. } => ("bad-parameter", "Bad parameter", S::BAD_REQUEST),
            Self::Body { status, .. } => match *status {
                S::PAYLOAD_TOO_LARGE => ("body-too-large", "Body too large", *status),
                S::UNSUPPORTED_MEDIA_TYPE => {
                    ("unsupported-media-type", "Unsupported media type", *status)
                }
                _ => ("bad-body", "Bad body", *status),
            },
            Self::NoSuchAgent { .. } | Self::OtherChain { .. } => {
                ("no-such-agent", "No such agent", S::NOT_FOUND)
            }
            Self::Deactivated { .. } => ("deactivated", "Deactivated", S::GONE),
            Self::Refused { kind, .. } => *kind,
            Self::NoSuchRecord(_) => ("no-such-attestation", "No such attestation", S::NOT_FOUND),
            Self::NoKey => ("no-key", "No key", S::NOT_FOUND),
            Self::NoSuchPath => ("no-such-path", "No such path", S::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("method-not-allowed", "Method not allowed", S::METHOD_NOT_ALLOWED)
            }
            // One name for both: whoever asks of a moment to come need not know what kind of identifier it is about.
            Self::NotIndexedYet { .. } | Self::NotKnownYet { .. } => {
                ("not-indexed-yet", "Not indexed yet", S::CONFLICT)
            }
            Self::NoSuchTag { .. } => ("no-such-tag", "No such tag", S::CONFLICT),
            Self::NothingIndexedYet => {
                ("nothing-indexed-yet", "Nothing indexed yet", S::SERVICE_UNAVAILABLE)
            }
            Self::TooManyRequests { .. } => {
                ("too-many-requests", "Too many requests", S::TOO_MANY_REQUESTS)
            }
            Self::Timeout { .. } => ("timeout", "Timeout", S::GATEWAY_TIMEOUT),
            Self::Unavailable(_) => ("unavailable", "Unavailable", S::SERVICE_UNAVAILABLE),
            Self::Storage(_) | Self::Internal { .. } => {
                ("internal", "Internal error", S::INTERNAL_SERVER_ERROR)
            }
        }
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests { retry_after_s } => Some(*retry_after_s),
            Self::Refused { retry_after_s, .. } => *retry_after_s,
            Self::NothingIndexedYet | Self::Unavailable(_) => Some(RETRY_SOON_S),
            _ => None,
        }
    }

    /// The members beyond those that every problem has.
    fn more(&self) -> Result<Map<String, Value>, serde_json::Error> {
        let mut more = Map::new();
        let mut put = |name: &str, value| more.insert(name.to_owned(), value);
        match self {
            Self::Parameter { name, .. } => drop(put("parameter", Value::from(name.as_str()))),
            Self::Body { field: Some(field), .. } => drop(put("field", field.as_str().into())),
            Self::NoSuchAgent { as_of, .. } | Self::Deactivated { as_of, .. } => {
                drop(put("as_of", serde_json::to_value(as_of)?));
            }
            Self::NotIndexedYet { indexed, head, .. } => {
                put("head", serde_json::to_value(head)?);
                put("indexed", serde_json::to_value(indexed)?);
            }
            Self::NotKnownYet { now, .. } => drop(put("now", serde_json::to_value(now)?)),
            _ => {}
        }
        Ok(more)
    }
}

/// An error as it is answered, and what of it belongs in the log only.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) body: ProblemBody,
    /// What failed inside, with its causes.
    pub(super) logged: Option<String>,
}

/// A problem as RFC 9457 has it. More members stand beside these: `parameter`, `field`, `as_of`, `head`, `indexed`, `now`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// What kind of problem it is; a relative reference that ends in the problem's name.
    #[schema(example = "/problems/not-indexed-yet")]
    r#type: String,
    /// The kind in words.
    title: &'static str,
    /// The status code.
    status: u16,
    /// What is wrong with this request, and what to do.
    detail: String,
    /// The path that was asked for.
    pub(super) instance: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    more: Map<String, Value>,
}

impl ProblemBody {
    /// The status code.
    pub(super) const fn status(&self) -> u16 {
        self.status
    }
}

impl From<&ApiError> for Problem {
    fn from(error: &ApiError) -> Self {
        let (kind, title, status) = error.kind();
        let logged = match error {
            ApiError::Unavailable(source) | ApiError::Storage(source) => Some(chain(source)),
            ApiError::Internal { logged } => Some(logged.clone()),
            _ => None,
        };
        let body = ProblemBody {
            r#type: format!("/problems/{kind}"),
            title,
            status: status.as_u16(),
            detail: error.to_string(),
            instance: None,
            more: error.more().unwrap_or_default(),
        };
        Self { body, logged }
    }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}

impl IntoResponse for ApiError {
    /// The status and what `guard::problems` makes the body of.
    fn into_response(self) -> Response {
        let mut response = self.kind().2.into_response();
        if let Some(seconds) = self.retry_after_s() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3: how to be let in.
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response.extensions_mut().insert(Problem::from(&self));
        response
    }
}
