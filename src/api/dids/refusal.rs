//! Why a DID is not resolved, or a DID URL not dereferenced: the codes and their status.
//!
//! Both are those of DID Resolution, sections "Errors" and "HTTP(S) Binding", and for the verification methods that a DID URL names those of
//! Controlled Identifiers.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::result::Failure;
use crate::api::error::ApiError;
use crate::app::ForeignError;
use crate::did::DidError;
use crate::did::dereference::ReferenceError;
use crate::intake::FetchError;

/// Where the codes are defined.
const NAMESPACE: &str = "https://www.w3.org/ns/did#";
/// Where those of Controlled Identifiers are.
const CID_NAMESPACE: &str = "https://w3id.org/security#";
/// When to try again where too much is being fetched, in seconds: as long as one fetch may take.
const BUSY_S: u64 = 5;

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InvalidDid,
    InvalidDidUrl,
    MethodNotSupported,
    FeatureNotSupported,
    InvalidOptions,
    NotFound,
    RepresentationNotSupported,
    InvalidDidDocument,
    InvalidVerificationMethod,
    InvalidRelationship,
    Internal,
}

impl Code {
    /// The URL that names it.
    fn uri(self) -> String {
        let is_of_cid = matches!(self, Self::InvalidVerificationMethod | Self::InvalidRelationship);
        let namespace = if is_of_cid { CID_NAMESPACE } else { NAMESPACE };
        format!("{namespace}{}", self.name())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::InvalidDid => "INVALID_DID",
            Self::InvalidDidUrl => "INVALID_DID_URL",
            Self::MethodNotSupported => "METHOD_NOT_SUPPORTED",
            Self::FeatureNotSupported => "FEATURE_NOT_SUPPORTED",
            Self::InvalidOptions => "INVALID_OPTIONS",
            Self::NotFound => "NOT_FOUND",
            Self::RepresentationNotSupported => "REPRESENTATION_NOT_SUPPORTED",
            Self::InvalidDidDocument => "INVALID_DID_DOCUMENT",
            Self::InvalidVerificationMethod => "INVALID_VERIFICATION_METHOD",
            Self::InvalidRelationship => "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
            Self::Internal => "INTERNAL_ERROR",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::InvalidDid => "Invalid DID",
            Self::InvalidDidUrl => "Invalid DID URL",
            Self::MethodNotSupported => "Method not supported",
            Self::FeatureNotSupported => "Feature not supported",
            Self::InvalidOptions => "Invalid options",
            Self::NotFound => "Not found",
            Self::RepresentationNotSupported => "Representation not supported",
            Self::InvalidDidDocument => "Invalid DID document",
            Self::InvalidVerificationMethod => "Invalid verification method",
            Self::InvalidRelationship => "Invalid relationship for verification method",
            Self::Internal => "Internal error",
        }
    }

    /// The status of a response that has it.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::InvalidDid | Self::InvalidDidUrl | Self::InvalidOptions => {
                StatusCode::BAD_REQUEST
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RepresentationNotSupported => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotSupported | Self::FeatureNotSupported => StatusCode::NOT_IMPLEMENTED,
            // What is not in the standard's own table is 500.
            Self::InvalidDidDocument
            | Self::InvalidVerificationMethod
            | Self::InvalidRelationship
            | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why a DID is not resolved, and what more there is to say.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) detail: String,
    more: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), more: Map::new() }
    }

    /// The same with one more member in its error object.
    pub(super) fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.more.insert(name.to_owned(), value);
        }
        self
    }
}

impl Refusal {
    /// The error object, as RFC 9457 has it.
    pub(super) fn into_error(self) -> Map<String, Value> {
        let mut error = Map::new();
        let mut put = |name: &str, value: Value| drop(error.insert(name.to_owned(), value));
        put("type", self.code.uri().into());
        put("title", self.code.title().into());
        put("detail", self.detail.into());
        error.extend(self.more);
        error
    }
}

impl From<ReferenceError> for Refusal {
    fn from(error: ReferenceError) -> Self {
        Self::new(Code::InvalidDidUrl, error.to_string())
    }
}

impl From<DidError> for Refusal {
    fn from(error: DidError) -> Self {
        let code = match error {
            DidError::OtherNamespace => Code::FeatureNotSupported,
            _ => Code::InvalidDid,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ForeignError> for Failure {
    fn from(error: ForeignError) -> Self {
        let code = match &error {
            // The function was not called: nobody can tell yet what it would have said.
            ForeignError::Busy => return busy(&error),
            ForeignError::NotADocument | ForeignError::OtherId => Code::InvalidDidDocument,
            ForeignError::Fetch(fetch) => match fetch {
                FetchError::Busy => return busy(&error),
                FetchError::Oversize(_) => Code::InvalidDidDocument,
                FetchError::Status(500..)
                | FetchError::TimedOut(_)
                | FetchError::Unreachable(_) => Code::Internal,
                // Nothing stands at that place that may be taken for the document.
                FetchError::NotFetched
                | FetchError::NoPublicHost
                | FetchError::Redirect(_)
                | FetchError::Status(_) => Code::NotFound,
            },
        };
        Refusal::new(code, error.to_string()).into()
    }
}

fn busy(error: &ForeignError) -> Failure {
    let status = match error {
        ForeignError::Busy => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let (kind, detail) = (("too-many-fetches", "Too many fetches", status), error.to_string());
    ApiError::Refused { kind, detail, retry_after_s: Some(BUSY_S) }.into()
}
