//! `GET /1.0/identifiers/{did}`: DID Resolution over HTTP.
//!
//! This host's did:web answers from the timeline, at any moment; another host's is what that host serves now; did:pkh and did:key are made from the identifier alone and are the same at
//! every moment. The checks come in the order of the standard's algorithm, so that each request has one answer.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde_json::{Map, Value};

use super::accept::{Form, WHOLE};
use super::character::resolve_character;
use super::documents;
use super::options::{Moment, Options};
use super::result::{Code, Failure, Refusal, Resolution};
use super::state::AgentState;
use crate::api::at::At;
use crate::api::error::ApiError;
use crate::api::reading::Reading;
use crate::api::state::ApiState;
use crate::did::version::VersionId;
use crate::did::web::{Local, WebDid};
use crate::did::{Did, DidError, Document, key, pkh};
use crate::vocab::{AgentId, AgentRef, ChainId};

const PATH: &str = "/1.0/identifiers/";

/// A DID's document, and what there is to know of it.
///
/// The DID may stand in the path as it is or percent-encoded. `Accept` chooses the whole result (`application/did-resolution`, the default)
/// or the bare document (`application/did`); the media types of DID Core 1.0 are answered too. A refusal is a whole result whose
/// `didResolutionMetadata.error` says why.
#[utoipa::path(
    get, path = "/1.0/identifiers/{did}", tag = "identifiers",
    params(
        ("did" = String, Path, description = "A did:web, a did:pkh of `eip155`, or a did:key", example = "did:web:example.org:agents:8453:22"),
        ("versionTime" = Option<String>, Query, description = "The version in force at that time: UTC, whole seconds; not after the last block applied", example = "2026-02-03T11:08:33Z"),
        ("versionId" = Option<String>, Query, description = "The version of that id: `versionId` or `nextVersionId` of an earlier answer"),
        ("at" = Option<String>, Query, description = "`latest`, `safe`, `finalized`, `block:N` or `time:T`; only one of the three"),
        ("expandRelativeUrls" = Option<bool>, Query, description = "Documents of this service have no relative URLs"),
        ("noCache" = Option<bool>, Query, description = "Whether a document that is kept may not be given"),
    ),
    responses(
        (status = 200, description = "The result, or the bare document", body = Resolution, content_type = "application/did-resolution"),
        (status = 400, description = "INVALID_DID or INVALID_OPTIONS", body = Resolution, content_type = "application/did-resolution"),
        (status = 404, description = "NOT_FOUND: no such DID, or no such version of it", body = Resolution, content_type = "application/did-resolution"),
        (status = 406, description = "REPRESENTATION_NOT_SUPPORTED", body = Resolution, content_type = "application/did-resolution"),
        (status = 410, description = "The DID is deactivated", body = Resolution, content_type = "application/did-resolution"),
        (status = 500, description = "INVALID_DID_DOCUMENT of another host, or INTERNAL_ERROR", body = Resolution, content_type = "application/did-resolution"),
        (status = 501, description = "METHOD_NOT_SUPPORTED or FEATURE_NOT_SUPPORTED", body = Resolution, content_type = "application/did-resolution"),
    )
)]
pub(in crate::api) async fn resolve(
    State(state): State<ApiState>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = uri.path().strip_prefix(PATH).unwrap_or_default();
    match resolve_text(&state, asked, query.as_deref(), &headers).await {
        Ok((resolution, form)) => resolution.respond(form),
        Err(failure) => failure.respond(),
    }
}

async fn resolve_text(
    state: &ApiState,
    asked: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(Resolution, Form), Failure> {
    let did = Did::parse(&unescape(asked)?)?;
    if !["web", "pkh", "key"].contains(&did.method()) {
        let detail = "did:web, did:pkh and did:key are resolved here";
        return Err(Refusal::new(Code::MethodNotSupported, detail).into());
    }
    let options = Options::read(query)?;
    let Some(form) = Form::of(headers) else {
        let detail = "ask for application/did-resolution or application/did";
        return Err(Refusal::new(Code::RepresentationNotSupported, detail).into());
    };
    let resolution = match did.method() {
        "web" => of_web(state, &did, options).await?,
        _ => generated(&did, options.moment)?,
    };
    Ok((resolution, form))
}

/// The DID in a path, which may stand there as it is or percent-encoded.
///
/// A DID holds `%` itself (`localhost%3A8004`). One that stands as it is begins with `did:` and is not encoded twice.
pub(super) fn unescape(asked: &str) -> Result<String, Refusal> {
    if asked.starts_with("did:") && !asked.contains("%25") {
        return Ok(asked.to_owned());
    }
    // A decoder of forms would take `+` for a space; there is none in a DID.
    let encoded = format!("={}", asked.replace('+', "%2B").replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(encoded.as_bytes()).next();
    let text = decoded.map(|(_, text)| text.into_owned()).unwrap_or_default();
    if text.contains('\u{fffd}') {
        return Err(Refusal::new(Code::InvalidDid, "the DID does not decode to UTF-8"));
    }
    Ok(text)
}

/// The answer for a DID whose document is made from the identifier alone; `None` for any other.
pub(in crate::api) fn resolve_generated(text: &str) -> Option<Response> {
    let did = Did::parse(text).ok().filter(|did| ["pkh", "key"].contains(&did.method()))?;
    Some(match generated(&did, Moment::Latest) {
        Ok(resolution) => resolution.respond(WHOLE),
        Err(failure) => failure.respond(),
    })
}

/// What is made from the identifier alone. It was never otherwise, so any time is as good as another; versions it has none.
fn generated(did: &Did, moment: Moment) -> Result<Resolution, Failure> {
    let (document, canonical) = made(did)?;
    if let Moment::Version(_) = moment {
        let detail = format!("a did:{} has no versions: it never changes", did.method());
        return Err(Refusal::new(Code::NotFound, detail).into());
    }
    Ok(Resolution::of(&document, same_as(did, &canonical), Map::new())?)
}

/// The document of a did:pkh or did:key, and the DID in its canonical form.
fn made(did: &Did) -> Result<(Document, String), DidError> {
    if did.method() == "pkh" {
        Ok((pkh::document(did)?, pkh::did(pkh::parse(did)?)))
    } else {
        Ok((key::document(did)?, did.to_string()))
    }
}

/// The metadata that names the canonical form of a DID that was asked for in another.
pub(super) fn same_as(did: &Did, canonical: &str) -> Map<String, Value> {
    let mut metadata = Map::new();
    if did.as_str() != canonical {
        metadata.insert("canonicalId".to_owned(), canonical.into());
        metadata.insert("equivalentId".to_owned(), vec![canonical].into());
    }
    metadata
}

async fn of_web(state: &ApiState, did: &Did, options: Options) -> Result<Resolution, Failure> {
    let web = WebDid::parse(did)?;
    if web.host != state.documents.host {
        return of_other_host(state, did, &web, options).await;
    }
    match Local::of(&web) {
        Some(Local::Service) => of_service(state, did, options.moment),
        Some(Local::Agent(chain, id)) => of_agent(state, did, chain, id, options.moment).await,
        Some(Local::Character(handle)) => {
            resolve_character(state, did, &handle, options.moment).await
        }
        None => Err(not_found(did)),
    }
}

/// A did:web of another host: what that host serves now.
async fn of_other_host(
    state: &ApiState,
    did: &Did,
    web: &WebDid,
    options: Options,
) -> Result<Resolution, Failure> {
    let refuse = |detail: &str| Err(Refusal::new(Code::FeatureNotSupported, detail).into());
    let Some(foreign) = &state.foreign else {
        return refuse("documents of other hosts are not fetched here");
    };
    if options.moment != Moment::Latest {
        return refuse("a document of another host is resolved only as it is now");
    }
    if options.no_cache {
        return refuse("what was fetched is kept for a while: leave out noCache");
    }
    if options.expand {
        return refuse(
            "documents of other hosts are given as they are: leave out expandRelativeUrls",
        );
    }
    let found = foreign.document(did, web).await.map_err(Refusal::from)?;
    let retrieved = ("retrieved".to_owned(), found.retrieved.to_string().into());
    Ok(Resolution::of(&found.document, Map::new(), Map::from_iter([retrieved]))?)
}

fn of_service(state: &ApiState, did: &Did, moment: Moment) -> Result<Resolution, Failure> {
    if moment != Moment::Latest {
        let detail = "the service's own document is resolved only as it is now";
        return Err(Refusal::new(Code::FeatureNotSupported, detail).into());
    }
    let canonical = Local::Service.did(&state.documents.host);
    let document = documents::service(state, did.as_str());
    Ok(Resolution::of(&document, same_as(did, &canonical), Map::new())?)
}

async fn of_agent(
    state: &ApiState,
    did: &Did,
    chain: ChainId,
    id: AgentId,
    moment: Moment,
) -> Result<Resolution, Failure> {
    let mut reading = open(state, did, moment).await?;
    let registry = reading.registry();
    let agent = AgentRef { registry, id };
    if chain != registry.chain {
        return Err(not_found(did));
    }
    let found = AgentState::read(&mut reading, agent).await?;
    let as_of = reading.as_of();
    let Some(found) = found else {
        let detail = format!("agent {agent} does not exist as of block {}", as_of.block.number);
        return Err(Refusal::new(Code::NotFound, detail).with("as_of", &as_of).into());
    };
    if let Moment::Version(Some(version)) = moment {
        let is_held = reading.tx.block_at(version.number).await?;
        let is_version = found.version.changed == version.number
            && is_held.is_some_and(|held| VersionId::from(held.stamp.block) == version);
        if !is_version {
            return Err(no_version(did, Some(version)));
        }
    }
    let codes = reading.codes(&state.known).await?;
    let mut metadata = found.metadata(&mut reading, &codes).await?;
    metadata.extend(same_as(did, &Local::Agent(chain, id).did(&state.documents.host)));
    let as_of = serde_json::to_value(as_of).map_err(|e| ApiError::internal(e.to_string()))?;
    let hallmark = Map::from_iter([("as_of".to_owned(), as_of)]);
    match found.document(did.as_str(), &state.documents) {
        Some(document) => Ok(Resolution::of(&document, metadata, hallmark)?),
        None => Ok(Resolution::deactivated(metadata, hallmark)),
    }
}

/// Begins to read as of a moment.
async fn open(state: &ApiState, did: &Did, moment: Moment) -> Result<Reading, Failure> {
    let at = match moment {
        Moment::Latest => At::Latest,
        Moment::At(at) => at,
        Moment::Version(Some(version)) => At::Block(version.number),
        Moment::Version(None) => return Err(no_version(did, None)),
    };
    let error = match Reading::open(state, at).await {
        Ok(reading) => return Ok(reading),
        Err(error) => error,
    };
    let detail = error.to_string();
    match (error, moment) {
        (ApiError::NotIndexedYet { .. }, Moment::Version(version)) => Err(no_version(did, version)),
        // Neither "not found" nor the latest version would be true: nobody knows yet.
        (ApiError::NotIndexedYet { indexed, head, .. }, _) => {
            let refusal = Refusal::new(Code::InvalidOptions, detail);
            Err(refusal.with("indexed", &indexed).with("head", &head).into())
        }
        (ApiError::NoSuchTag { .. }, _) => Err(Refusal::new(Code::InvalidOptions, detail).into()),
        (error, _) => Err(error.into()),
    }
}

pub(super) fn not_found(did: &Did) -> Failure {
    Refusal::new(Code::NotFound, format!("{did} does not exist here")).into()
}

pub(super) fn no_version(did: &Did, version: Option<VersionId>) -> Failure {
    let detail = match version {
        Some(version) => format!("{did} has no version {version} on the chain as it is followed"),
        None => {
            format!("{did} has no such version: an id is a number and a hash, `41663790-0x…`")
        }
    };
    Refusal::new(Code::NotFound, detail).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_stands_in_a_path_as_it_is_or_encoded() {
        for (path, expected) in [
            ("did:web:localhost%3A8004:agents:1:2", "did:web:localhost%3A8004:agents:1:2"),
            ("did%3Aweb%3Alocalhost%253A8004%3Aagents", "did:web:localhost%3A8004:agents"),
            ("did:web:localhost%253A8004:agents", "did:web:localhost%3A8004:agents"),
            ("did%3akey%3Az6Mk", "did:key:z6Mk"),
            ("did:web:a%2e%2e", "did:web:a%2e%2e"),
            ("did%3Aweb%3Aa%00", "did:web:a\0"),
            ("did%3Aweb%3Aa+b%26c", "did:web:a+b&c"),
            ("did%3Aexample%3A1%3Fx%3D2", "did:example:1?x=2"),
            ("", ""),
        ] {
            assert_eq!(unescape(path).unwrap(), expected, "{path}");
        }
        assert!(unescape("did%3Aweb%3A%ff").is_err());
    }
}
