//! Results of resolutions and dereferencings, and both as responses.
//!
//! A refusal's body is always a whole result, since its metadata is where the reason stands.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::accept::{Form, Function};
use super::refusal::{Code, Refusal};
use crate::api::error::ApiError;
use crate::api::wire::tag_of;
use crate::did::DidError;

/// The context of a whole result in its older form.
const RESULT_CONTEXT: &str = "https://w3id.org/did-resolution/v1";

const VARY_ACCEPT: HeaderValue = HeaderValue::from_static("accept");

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

    /// The document as it stands in an answer; `None` where the DID is deactivated.
    pub(super) fn document(&self) -> Option<&RawValue> {
        self.did_document.as_deref()
    }

    /// The response in a form; without a document it is the whole result that says so.
    pub(super) fn respond(mut self, form: Form) -> Response {
        let Some(document) = &self.did_document else {
            return self.whole(StatusCode::GONE, Function::Resolve.whole());
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
        respond_with(status, form, &self)
    }
}

/// What a DID URL names, and what there is to know of it. Of a deactivated DID nothing is named.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DidUrlDereferencingResult)]
pub(in crate::api) struct Dereferencing {
    /// A document, or a part of one; null where there is none.
    #[schema(value_type = Option<Object>)]
    content: Option<Box<RawValue>>,
    /// The same: the standard's function and its tests call it so, and its result does not.
    #[schema(value_type = Option<Object>)]
    content_stream: Option<Box<RawValue>>,
    #[serde(rename = "dereferencingMetadata")]
    metadata: ResolutionMetadata,
    /// Of a document and of its parts, as in a resolution.
    content_metadata: Map<String, Value>,
}

impl Dereferencing {
    /// What was found in or by the document of a resolution.
    pub(super) fn of(resolution: Resolution, content: Option<Box<RawValue>>) -> Self {
        Self {
            content: content.clone(),
            content_stream: content,
            metadata: resolution.did_resolution_metadata,
            content_metadata: resolution.did_document_metadata,
        }
    }

    /// The response in a form; without content it is the whole result that says that the DID is deactivated.
    pub(super) fn respond(mut self, form: Form) -> Response {
        let Some(content) = &self.content else {
            return respond_with(StatusCode::GONE, Function::Dereference.whole(), &self);
        };
        if !form.is_whole {
            return respond(StatusCode::OK, form, content.get().to_owned().into_bytes());
        }
        self.metadata.content_type = Some(form.document);
        respond_with(StatusCode::OK, form, &self)
    }
}

/// The response that sends to the place of a service. Its body is empty.
pub(super) fn see_other(place: &str) -> Result<Response, Failure> {
    let location = HeaderValue::from_str(place)
        .map_err(|_| ApiError::internal(format!("an endpoint is no header: {place:?}")))?;
    let headers = [(header::LOCATION, location), (header::VARY, VARY_ACCEPT)];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

impl Failure {
    /// The response that says why, as the result of a function.
    pub(super) fn respond(self, function: Function) -> Response {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            // What failed inside has a code of its own; what a client can wait for stays what it is everywhere else.
            Self::Api(ApiError::Storage(source)) => internal(&source),
            Self::Api(ApiError::Internal { logged }) => internal(&logged),
            Self::Api(error) => return error.into_response(),
        };
        let status = refusal.code.status();
        let error = Some(refusal.into_error());
        let metadata = ResolutionMetadata { error, ..Default::default() };
        let result = Resolution {
            context: None,
            did_document: None,
            did_resolution_metadata: metadata,
            did_document_metadata: Map::new(),
        };
        match function {
            Function::Resolve => respond_with(status, function.whole(), &result),
            Function::Dereference => {
                respond_with(status, function.whole(), &Dereferencing::of(result, None))
            }
        }
    }
}

fn internal(logged: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(error = %logged, "a resolution failed inside");
    Refusal::new(Code::Internal, "something failed inside, and was logged")
}

fn respond_with(status: StatusCode, form: Form, result: &impl Serialize) -> Response {
    match serde_json::to_vec(result) {
        Ok(body) => respond(status, form, body),
        Err(error) => ApiError::internal(format!("cannot write JSON: {error}")).into_response(),
    }
}

fn respond(status: StatusCode, form: Form, body: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::VARY, VARY_ACCEPT)];
    // The same document in two media types is two representations (RFC 9110, 8.8.1).
    let tag = status.is_success().then(|| [(header::ETAG, tag_of(form.body, &body))]);
    match tag {
        Some(tag) => (status, headers, tag, body).into_response(),
        None => (status, headers, body).into_response(),
    }
}
