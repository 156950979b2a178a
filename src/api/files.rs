//! What registration files say, as answers show it, and as of which time they are heard.
//!
//! Now, everything counts that is known. As of a block, a file speaks if it had been seen by the block's time; one whose URI holds it, or
//! whose content was checked against the CID that names it, always was what it is.

use alloy::primitives::keccak256;
use serde::Serialize;
use utoipa::ToSchema;

use super::at::At;
use super::reading::Reading;
use super::state::ApiState;
use crate::app::{library_of, names_at};
use crate::did::claims::{Claims, Leads, NamedDid, NamedDomain, Origin, claims};
use crate::did::link::Proof;
use crate::did::neighbours::{Neighbours, neighbours_of};
use crate::did::version::DID_KEY;
use crate::identity::{EvidencedSpan, TimelineRef, Value};
use crate::registry::file::{FileService, Flaw, FlawKind, Source};
use crate::storage::{NEVER, SourceState, StorageError};
use crate::vocab::{AgentRef, UnixSeconds};

/// As of which time files are heard that a reading asks for: now, or the time of its block.
pub(super) async fn heard_by(
    state: &ApiState,
    reading: &mut Reading,
    at: At,
) -> Result<UnixSeconds, StorageError> {
    if at == At::Latest {
        return Ok(state.clock.now());
    }
    if let Some(time) = reading.block_time() {
        return Ok(time);
    }
    // Blocks that are not held hold nothing: the one before has the same state.
    let before = reading.tx.block_before(reading.block_number()).await?;
    Ok(before.map_or_else(UnixSeconds::default, |held| held.stamp.time))
}

/// What an agent's URI and metadata entry `did` are, as bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entries<'a> {
    uri: &'a [u8],
    did: Option<&'a [u8]>,
}

impl<'a> Entries<'a> {
    /// From the spans in force, where there are any.
    pub(super) fn of(uri: Option<&'a EvidencedSpan>, did: Option<&'a EvidencedSpan>) -> Self {
        let uri = match uri.map(|span| &span.record.value) {
            Some(Value::Uri(uri)) => uri.as_ref(),
            _ => &[],
        };
        let did = match did.map(|span| &span.record.value) {
            Some(Value::Entry { value, .. }) => Some(value.as_ref()),
            _ => None,
        };
        Self { uri, did }
    }
}

/// What an agent claims as of a time.
pub(super) async fn claims_at(
    reading: &mut Reading,
    state: &ApiState,
    agent: AgentRef,
    entries: Entries<'_>,
    time: UnixSeconds,
) -> Result<Claims, StorageError> {
    let (host, leads) = (&state.documents.host, Leads::of(entries.uri));
    let library = library_of(&mut reading.tx, &leads, entries.did, host, time).await?;
    let mut neighbours = Neighbours::default();
    for (named, other) in neighbours_of(agent, host, &leads, entries.did, &library, time) {
        let block = block_heard(state, reading, time).await?;
        let owner = reading.tx.span_at(TimelineRef::Owner(other.id), block).await?;
        // One that is burnt has no document, and so names nobody, whatever its entries still are.
        if owner.and_then(|span| span.record.value.account()).is_none() {
            neighbours.put(named, Vec::new());
            continue;
        }
        let uri = reading.tx.span_at(TimelineRef::Uri(other.id), block).await?;
        let did = TimelineRef::Metadata(other.id, keccak256(DID_KEY));
        let did = reading.tx.span_at(did, block).await?;
        let entries = Entries::of(uri.as_ref(), did.as_ref());
        let leads = Leads::of(entries.uri);
        neighbours.put(named, names_at(&mut reading.tx, &leads, entries.did, time).await?);
    }
    Ok(claims(agent, host, &leads, entries.did, (&library, &neighbours), time))
}

/// At the end of which block other agents of this host are heard by a time: that of the reading, or the last one by then, where another
/// time than the block's is meant.
async fn block_heard(
    state: &ApiState,
    reading: &mut Reading,
    time: UnixSeconds,
) -> Result<u64, StorageError> {
    let (own, made) = (reading.block_number(), reading.block_time());
    if made == Some(time) {
        return Ok(own);
    }
    let last = reading.tx.block_not_after(time).await?;
    let last = last.map_or(0, |held| held.stamp.block.number);
    let is_past = made.is_some_and(|made| time < made) && time < state.clock.now();
    Ok(if is_past { last } else { last.max(own) })
}

/// The registration file that an agent's URI leads to. Nobody proved what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegistrationFile)]
pub(super) struct FileAnswer {
    /// Where it is from: `inline` (the URI holds it), `web` or `ipfs`.
    origin: &'static str,
    /// The URL, or the path under a CID; null where the URI holds the file.
    location: Option<String>,
    /// `read`; `unreadable`: what was fetched is no such file; `absent`: the host says that there is none; `pending`: it was not
    /// fetched yet, or not by that time; `failing`: it could not be fetched.
    state: &'static str,
    /// SHA-256 of its bytes; null where the URI holds it, and where there are none.
    sha256: Option<String>,
    /// When this content was first seen.
    #[schema(value_type = Option<String>)]
    first_seen: Option<UnixSeconds>,
    /// When this content was last seen.
    #[schema(value_type = Option<String>)]
    last_seen: Option<UnixSeconds>,
    /// Whether its content is what its name says: the URI holds it, or its blocks were checked against the CID.
    proven: bool,
    /// When it was last tried, when it is tried next, and why it last failed: as it is now.
    fetching: Option<FetchingAnswer>,
    /// Whether its `registrations` name this agent.
    names_agent: bool,
    /// Its `name`.
    name: Option<String>,
    /// Its `description`, at most 4,000 characters.
    description: Option<String>,
    /// Its `active`.
    active: Option<bool>,
    /// Its `x402Support`.
    x402_support: Option<bool>,
    /// Its `supportedTrust`.
    supported_trust: Vec<String>,
    /// Its services, at most 32.
    services: Vec<ServiceAnswer>,
    /// The domains of its endpoints, at most 8, and whether `/.well-known/agent-registration.json` there names this agent.
    domains: Vec<NamedAnswer>,
    /// The DIDs that it or the metadata entry `did` names, and whether their documents name this agent.
    dids: Vec<NamedAnswer>,
}

/// How fetching is going.
#[derive(Debug, Serialize, ToSchema)]
struct FetchingAnswer {
    /// When it was last tried.
    #[schema(value_type = Option<String>)]
    tried: Option<UnixSeconds>,
    /// When it is tried next; null where it need not be.
    #[schema(value_type = Option<String>)]
    next: Option<UnixSeconds>,
    /// How often it failed since it last succeeded.
    failures: u64,
    /// Why it last failed.
    failure: Option<String>,
}

/// A service of a file.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceAnswer {
    /// Its name there, such as `A2A`.
    name: String,
    /// Its endpoint there.
    endpoint: String,
    /// Its version there.
    version: Option<String>,
    /// Whether the agent's DID document shows it.
    in_document: bool,
}

/// Somebody whom a file names.
#[derive(Debug, Serialize, ToSchema)]
struct NamedAnswer {
    /// A domain, or a DID.
    name: String,
    /// Where it is named: `file` or `metadata`.
    named_by: &'static str,
    /// Whether it names this agent; null where that is not known.
    names_agent: Option<bool>,
    /// When that was last seen.
    #[schema(value_type = Option<String>)]
    checked: Option<UnixSeconds>,
}

impl From<&NamedDid> for NamedAnswer {
    fn from(named: &NamedDid) -> Self {
        Self {
            name: named.did.clone(),
            named_by: named.by.as_str(),
            names_agent: named.agrees,
            checked: named.checked_at,
        }
    }
}

impl From<&NamedDomain> for NamedAnswer {
    fn from(named: &NamedDomain) -> Self {
        Self {
            name: named.domain.clone(),
            named_by: Proof::File.as_str(),
            names_agent: named.agrees,
            checked: named.checked_at,
        }
    }
}

impl From<&FileService> for ServiceAnswer {
    fn from(service: &FileService) -> Self {
        Self {
            name: service.name.clone(),
            endpoint: service.endpoint.clone(),
            version: service.version.clone(),
            in_document: service.uri.is_some(),
        }
    }
}

impl FileAnswer {
    /// The file of an agent; `None` where its URI leads to none.
    pub(super) fn of(
        claims: &Claims,
        agent: AgentRef,
        fetching: Option<&SourceState>,
    ) -> Option<Self> {
        let (source, seen) = match &claims.origin {
            Origin::Nowhere => return None,
            Origin::Inline => (None, None),
            Origin::Unseen(source) => (Some(source), None),
            Origin::Fetched(source, seen) => (Some(source), Some(seen)),
        };
        let has_failed = fetching.is_some_and(|state| state.failure.is_some());
        let state = match &claims.origin {
            _ if claims.file.is_some() => "read",
            Origin::Unseen(_) if has_failed => "failing",
            Origin::Unseen(_) => "pending",
            Origin::Fetched(_, seen) if seen.hash.is_none() => "absent",
            Origin::Nowhere | Origin::Inline | Origin::Fetched(..) => "unreadable",
        };
        let file = claims.file.as_deref().cloned().unwrap_or_default();
        Some(Self {
            origin: source.map_or("inline", |source| source.kind.as_str()),
            location: source.map(|source| source.target.clone()),
            state,
            sha256: seen.and_then(|seen| seen.hash).map(|hash| hash.to_string()),
            first_seen: seen.map(|seen| seen.since),
            last_seen: seen.map(|seen| seen.checked_at),
            proven: seen.map_or(source.is_none(), |seen| seen.is_proven),
            fetching: fetching.map(FetchingAnswer::from),
            names_agent: file.names(agent),
            name: file.name,
            description: file.description,
            active: file.active,
            x402_support: file.x402_support,
            supported_trust: file.supported_trust,
            services: file.services.iter().map(ServiceAnswer::from).collect(),
            domains: claims.domains.iter().map(NamedAnswer::from).collect(),
            dids: claims.dids.iter().map(NamedAnswer::from).collect(),
        })
    }
}

impl From<&SourceState> for FetchingAnswer {
    fn from(state: &SourceState) -> Self {
        Self {
            tried: state.tried_at,
            next: state.next_try.filter(|next| *next != NEVER),
            failures: state.failures,
            failure: state.failure.clone(),
        }
    }
}

/// The source of a file that has to be fetched.
pub(super) const fn source_of(claims: &Claims) -> Option<&Source> {
    match &claims.origin {
        Origin::Nowhere | Origin::Inline => None,
        Origin::Unseen(source) | Origin::Fetched(source, _) => Some(source),
    }
}

/// What is wrong with fetching a source, where something is.
pub(super) fn failing(state: &SourceState) -> Option<Flaw> {
    let why = state.failure.as_deref()?;
    let tried = state.tried_at.map_or_else(String::new, |at| format!(" at {at}"));
    let next = match state.next_try.filter(|next| *next != NEVER) {
        Some(next) => format!("it is tried again at {next}"),
        None => "it is not tried again".to_owned(),
    };
    let times = match state.failures {
        1 => "once".to_owned(),
        times => format!("{times} times in a row"),
    };
    let detail = format!("the file could not be fetched, {times}, last{tried}: {why}; {next}");
    Some(Flaw::new(FlawKind::NotFetched, &detail))
}
