//! Results of resolutions: documents with their metadata, refusals with their codes, and both as responses.
//!
//! The codes and their status are those of DID Resolution, section 10 and the HTTP binding. A refusal's body is always a whole result,
//! since its metadata is where the reason stands.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::accept::{Form, WHOLE};
use crate::api::error::ApiError;
use crate::api::wire::tag;
use crate::app::ForeignError;
use crate::did::DidError;
use crate::intake::FetchError;

/// Where the codes are defined.
const NAMESPACE: &str = "https://www.w3.org/ns/did#";
/// The context of a whole result in its older form.
const RESULT_CONTEXT: &str = "https://w3id.org/did-resolution/v1";

/// Why there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InvalidDid,
    MethodNotSupported,
    FeatureNotSupported,
    InvalidOptions,
    NotFound,
    RepresentationNotSupported,
    InvalidDidDocument,
    Internal,
}

impl Code {
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidDid => "INVALID_DID",
            Self::MethodNotSupported => "METHOD_NOT_SUPPORTED",
            Self::FeatureNotSupported => "FEATURE_NOT_SUPPORTED",
            Self::InvalidOptions => "INVALID_OPTIONS",
            Self::NotFound => "NOT_FOUND",
            Self::RepresentationNotSupported => "REPRESENTATION_NOT_SUPPORTED",
            Self::InvalidDidDocument => "INVALID_DID_DOCUMENT",
            Self::Internal => "INTERNAL_ERROR",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::InvalidDid => "Invalid DID",
            Self::MethodNotSupported => "Method not supported",
            Self::FeatureNotSupported => "Feature not supported",
            Self::InvalidOptions => "Invalid options",
            Self::NotFound => "Not found",
            Self::RepresentationNotSupported => "Representation not supported",
            Self::InvalidDidDocument => "Invalid DID document",
            Self::Internal => "Internal error",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidDid | Self::InvalidOptions => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RepresentationNotSupported => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotSupported | Self::FeatureNotSupported => StatusCode::NOT_IMPLEMENTED,
            Self::InvalidDidDocument | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
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

impl From<DidError> for Refusal {
    fn from(error: DidError) -> Self {
        let code = match error {
            DidError::OtherNamespace => Code::FeatureNotSupported,
            _ => Code::InvalidDid,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ForeignError> for Refusal {
    fn from(error: ForeignError) -> Self {
        let code = match &error {
            ForeignError::NotADocument | ForeignError::OtherId => Code::InvalidDidDocument,
            ForeignError::Fetch(fetch) => match fetch {
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
        Self::new(code, error.to_string())
    }
}

/// What can stand between a request and its resolution.
#[derive(Debug)]
pub(super) enum Failure {
    /// A code of the standard.
    Refused(Refusal),
    /// What any request may meet: no block yet, a busy database.
    Api(ApiError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DidError> for Failure {
    fn from(error: DidError) -> Self {
        Self::Refused(error.into())
    }
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

/// A document and what there is to know of it. A deactivated DID has no document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DidResolutionResult)]
pub(in crate::api) struct Resolution {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    /// The document; null where there is none.
    #[schema(value_type = Option<Object>)]
    did_document: Option<Box<RawValue>>,
    did_resolution_metadata: ResolutionMetadata,
    /// `created`, `updated`, `versionId`, `nextUpdate`, `nextVersionId`, `deactivated`, `canonicalId`, and `hallmark`, this method's own.
    did_document_metadata: Map<String, Value>,
}

/// What there is to know of one resolution.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DidResolutionMetadata)]
pub(in crate::api) struct ResolutionMetadata {
    /// The media type of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'static str>,
    /// Why there is no document, as RFC 9457 has it; `type` is one of `https://www.w3.org/ns/did#…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    error: Option<Map<String, Value>>,
    /// This service's own: `as_of` as in every other answer about chain state, `retrieved` for a document of another host.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    hallmark: Map<String, Value>,
}

impl Resolution {
    /// A document with its metadata, and how it was resolved.
    pub(super) fn of(
        document: &impl Serialize,
        document_metadata: Map<String, Value>,
        hallmark: Map<String, Value>,
    ) -> Result<Self, ApiError> {
        let raw = serde_json::value::to_raw_value(document);
        let raw = raw.map_err(|error| ApiError::internal(format!("a document: {error}")))?;
        Ok(Self::with(Some(raw), document_metadata, hallmark))
    }

    /// That a DID is deactivated.
    pub(super) fn deactivated(
        document_metadata: Map<String, Value>,
        hallmark: Map<String, Value>,
    ) -> Self {
        Self::with(None, document_metadata, hallmark)
    }

    fn with(
        did_document: Option<Box<RawValue>>,
        did_document_metadata: Map<String, Value>,
        hallmark: Map<String, Value>,
    ) -> Self {
        let did_resolution_metadata = ResolutionMetadata { hallmark, ..Default::default() };
        Self { context: None, did_document, did_resolution_metadata, did_document_metadata }
    }

    /// The response in a form; without a document it is the whole result that says so.
    pub(super) fn respond(mut self, form: Form) -> Response {
        let Some(document) = &self.did_document else {
            return self.whole(StatusCode::GONE, WHOLE);
        };
        if !form.is_whole {
            return respond(StatusCode::OK, form, document.get().to_owned().into_bytes());
        }
        self.did_resolution_metadata.content_type = Some(form.document);
        self.whole(StatusCode::OK, form)
    }

    fn whole(mut self, status: StatusCode, form: Form) -> Response {
        let is_older = form.document == "application/did+ld+json";
        self.context = is_older.then_some(RESULT_CONTEXT);
        match serde_json::to_vec(&self) {
            Ok(body) => respond(status, form, body),
            Err(error) => ApiError::internal(format!("cannot write JSON: {error}")).into_response(),
        }
    }
}

impl Failure {
    /// The response that says why.
    pub(super) fn respond(self) -> Response {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            // What failed inside has a code of its own; what a client can wait for stays what it is everywhere else.
            Self::Api(ApiError::Storage(source)) => internal(&source),
            Self::Api(ApiError::Internal { logged }) => internal(&logged),
            Self::Api(error) => return error.into_response(),
        };
        let mut error = Map::new();
        let mut put = |name: &str, value: Value| drop(error.insert(name.to_owned(), value));
        put("type", format!("{NAMESPACE}{}", refusal.code.name()).into());
        put("title", refusal.code.title().into());
        put("detail", refusal.detail.into());
        error.extend(refusal.more);
        let did_resolution_metadata =
            ResolutionMetadata { error: Some(error), ..Default::default() };
        let result = Resolution {
            context: None,
            did_document: None,
            did_resolution_metadata,
            did_document_metadata: Map::new(),
        };
        result.whole(refusal.code.status(), WHOLE)
    }
}

fn internal(logged: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(error = %logged, "a resolution failed inside");
    Refusal::new(Code::Internal, "something failed inside, and was logged")
}

fn respond(status: StatusCode, form: Form, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, form.content_type()),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    let tag = status.is_success().then(|| [(header::ETAG, tag(&body))]);
    match tag {
        Some(tag) => (status, headers, tag, body).into_response(),
        None => (status, headers, body).into_response(),
    }
}
