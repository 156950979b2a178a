//! DID Resolution: from a DID to its document, at a moment.
//!
//! This host's did:web answers from the timeline, at any moment; another host's is what that host serves now; did:pkh and did:key are
//! made from the identifier alone and are the same at every moment.

use serde_json::{Map, Value};

use super::character::resolve_character;
use super::options::{Moment, Options};
use super::refusal::{Code, Refusal};
use super::result::{Failure, Resolution};
use super::service;
use super::state::AgentState;
use crate::api::at::At;
use crate::api::error::ApiError;
use crate::api::files::heard_by;
use crate::api::reading::Reading;
use crate::api::state::ApiState;
use crate::did::version::VersionId;
use crate::did::web::{Local, WebDid};
use crate::did::{Did, DidError, Document, dereference, key, pkh};
use crate::vocab::{AgentId, AgentRef, ChainId};

/// Resolves a DID of a method that is understood.
pub(super) async fn resolution(
    state: &ApiState,
    did: &Did,
    options: &Options,
) -> Result<Resolution, Failure> {
    match did.method() {
        "web" => of_web(state, did, options).await,
        _ => generated(did, options.moment),
    }
}

/// Whether the document of a DID is made from the identifier alone.
pub(super) fn is_generated(did: &Did) -> bool {
    ["pkh", "key"].contains(&did.method())
}

/// What is made from the identifier alone. It was never otherwise and never will be, so any time is as good as another, one to come
/// included; versions it has none.
pub(super) fn generated(did: &Did, moment: Moment) -> Result<Resolution, Failure> {
    let (document, canonical) = made(did)?;
    if let Moment::Version(_) = moment {
        let detail = format!("a did:{} has no versions: it never changes", did.method());
        return Err(Refusal::new(Code::NotFound, detail).into());
    }
    Ok(Resolution::of(&document, same_as(did, &canonical), Map::new())?)
}

/// Refuses a time that is not over, for what changes with the clock and not with blocks: an answer as of a second never changes.
pub(super) fn check_over(state: &ApiState, moment: Moment) -> Result<(), Failure> {
    let now = state.clock.now();
    match moment {
        Moment::At(At::Time(asked)) if now <= asked => {
            Err(ApiError::NotKnownYet { asked, now }.into())
        }
        _ => Ok(()),
    }
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

async fn of_web(state: &ApiState, did: &Did, options: &Options) -> Result<Resolution, Failure> {
    let web = WebDid::parse(did)?;
    if web.host != state.documents.host {
        return of_other_host(state, did, &web, options).await;
    }
    match Local::of(&web) {
        Some(Local::Service) => service::resolve(state, did, options.moment),
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
    options: &Options,
) -> Result<Resolution, Failure> {
    let refuse = |detail: &str| Err(Refusal::new(Code::FeatureNotSupported, detail).into());
    let Some(foreign) = &state.foreign else {
        return refuse("documents of other hosts are not fetched here");
    };
    if !options.moment.is_now() {
        return refuse("a document of another host is resolved only as it is now");
    }
    if options.no_cache {
        return refuse("what was fetched is kept for a while: leave out noCache");
    }
    let found = foreign.document(did, web).await?;
    let retrieved = ("retrieved".to_owned(), found.retrieved.to_string().into());
    let hallmark = Map::from_iter([retrieved]);
    if options.expand {
        let mut document = found.document.clone();
        dereference::expand(&mut document);
        return Ok(Resolution::of(&document, Map::new(), hallmark)?);
    }
    Ok(Resolution::of(&found.document, Map::new(), hallmark)?)
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
        let error = ApiError::OtherChain { asked: chain, followed: registry.chain };
        return Err(
            Refusal::new(Code::NotFound, format!("{did} does not exist here: {error}")).into()
        );
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
    let time = match moment {
        Moment::Latest => state.clock.now(),
        Moment::At(at) => heard_by(state, &mut reading, at).await?,
        // All that became known while the version was in force.
        Moment::Version(_) => match found.version.next {
            Some(next) => {
                let next = reading.tx.block_at(next).await?;
                next.map_or_else(|| state.clock.now(), |held| held.stamp.time)
            }
            None => state.clock.now(),
        },
    };
    let mut metadata = found.metadata(&mut reading, &codes).await?;
    metadata.extend(same_as(did, &Local::Agent(chain, id).did(&state.documents.host)));
    let as_of = serde_json::to_value(as_of).map_err(|e| ApiError::internal(e.to_string()))?;
    let hallmark = Map::from_iter([("as_of".to_owned(), as_of)]);
    match found.document(&mut reading, state, did.as_str(), time).await? {
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
    match (Reading::open(state, at).await, moment) {
        (Ok(reading), _) => Ok(reading),
        (Err(ApiError::NotIndexedYet { .. }), Moment::Version(version)) => {
            Err(no_version(did, version))
        }
        // Of a time that is still to come nobody knows: neither "not found" nor the latest version would be true.
        (Err(error), _) => Err(error.into()),
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
