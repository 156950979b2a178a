//! DID URL dereferencing: from the document of a resolution to what the DID URL names in it or by it (DID Resolution, section 5).
//!
//! Three things are named: a document, perhaps with some of its services only; a part of it, by its fragment; and a place at the endpoint of
//! one of its services, to which the answer sends. The last is what `text/uri-list` asks for, and what a `relativeRef` is for: a
//! document cannot say what it names, so that it is sent to wherever a whole result is asked for.

use axum::response::Response;
use serde_json::Value;

use super::accept::URI_LIST;
use super::refusal::{Code, Refusal};
use super::request::Request;
use super::result::{Dereferencing, Failure, Resolution, see_other};
use crate::api::error::ApiError;
use crate::did::dereference::{
    endpoints, is_listed, is_verification_method, part, select_services,
};

/// Answers what a DID URL names, from the resolution of its DID.
pub(super) fn dereferenced(request: &Request, found: Resolution) -> Result<Response, Failure> {
    let Some(raw) = found.document() else {
        return Ok(Dereferencing::of(found, None).respond(request.form));
    };
    let (selection, fragment) = (&request.selection, request.url.fragment.as_deref());
    if !request.url.path.is_empty() {
        return Err(nothing("no path is understood behind a DID here"));
    }
    let is_list = request.form.body == URI_LIST;
    if !selection.is_some() {
        if selection.reference.is_some() {
            return Err(nothing("a relativeRef names nothing without `service` or `serviceType`"));
        }
        if is_list {
            let detail = "only places of services are given as text/uri-list: name a `service`";
            return Err(Refusal::new(Code::RepresentationNotSupported, detail).into());
        }
        if fragment.is_none() && request.options.relationship.is_none() {
            // The bytes of the document stay as they are.
            let content = Some(raw.to_owned());
            return Ok(Dereferencing::of(found, content).respond(request.form));
        }
    }
    let mut document: Value = serde_json::from_str(raw.get())
        .map_err(|error| ApiError::internal(format!("a document: {error}")))?;
    if selection.is_some() {
        select_services(&mut document, selection.service.as_deref(), selection.kind.as_deref());
        if is_list || (selection.reference.is_some() && request.form.is_whole) {
            return place(request, &document);
        }
    }
    let content = named(request, document, fragment)?;
    let content = serde_json::value::to_raw_value(&content);
    let content = content.map_err(|error| ApiError::internal(format!("a part: {error}")))?;
    Ok(Dereferencing::of(found, Some(content)).respond(request.form))
}

/// Sends to the first place at the endpoints of the services that are left in a document.
fn place(request: &Request, document: &Value) -> Result<Response, Failure> {
    if request.options.relationship.is_some() {
        return Err(no_method());
    }
    let reference = request.selection.reference.as_deref();
    let places = endpoints(document, reference, request.url.fragment.as_deref());
    match places.map_err(Refusal::from)?.first() {
        Some(place) => see_other(place),
        None => Err(nothing("the document has no such service with an endpoint to be sent to")),
    }
}

/// The document, or the part of it that a fragment names, which must be a method of a relationship where one is asked for.
fn named(request: &Request, document: Value, fragment: Option<&str>) -> Result<Value, Failure> {
    let relationship = request.options.relationship.as_deref();
    let Some(fragment) = fragment else {
        return if relationship.is_some() { Err(no_method()) } else { Ok(document) };
    };
    let Some(part) = part(&document, fragment) else {
        return Err(nothing("nothing in the document has that fragment"));
    };
    let Some(relationship) = relationship else { return Ok(part) };
    if !is_verification_method(&part) {
        return Err(no_method());
    }
    if !is_listed(&document, fragment, relationship) {
        let shown = crate::api::shorten(relationship);
        let detail = format!("the document does not list the method under `{shown}`");
        return Err(Refusal::new(Code::InvalidRelationship, detail).into());
    }
    Ok(part)
}

fn nothing(detail: &str) -> Failure {
    Refusal::new(Code::NotFound, detail).into()
}

fn no_method() -> Failure {
    let detail =
        "a verificationRelationship is asked for, and the DID URL names no verification method";
    Refusal::new(Code::InvalidVerificationMethod, detail).into()
}
