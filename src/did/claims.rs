//! What an agent says of itself by a registration file and by metadata, and which of it others say too.
//!
//! What is fetched comes in as plain facts: [`Said`] is what one source was seen to say, a [`Library`] what is known of many. All else is a
//! function of these, of the agent's URI and metadata entry, and of a time: a file that was fetched later does not speak for an earlier
//! time, unless its own name proves its content. What was not seen for [`KEPT_S`] seconds does not speak any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::primitives::B256;
use serde_json::Value;

use super::ClaimedService;
use super::link::Proof;
use super::neighbours::Neighbours;
use super::syntax::Did;
use super::web::{Local, WebDid, WebHost};
use crate::registry::file::{
    Flaw, FlawKind, Located, Place, RegistrationFile, Source, SourceKind, locate, read,
};
use crate::vocab::{AgentRef, UnixSeconds};

/// So long a source speaks after it was last seen, in seconds: thirty days.
pub const KEPT_S: u64 = 30 * 86_400;
/// The most names that are read of another's document.
const NAMES_MAX: usize = 256;

/// What a source was seen to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A registration file, or why it cannot be read.
    File(Result<Arc<RegistrationFile>, Flaw>),
    /// The agents that a domain speaks for.
    Domain(Vec<AgentRef>),
    /// The `alsoKnownAs` of a DID's document.
    Did(Vec<String>),
    /// That there is nothing.
    Nothing,
}

impl Said {
    /// What the content of a source says.
    #[must_use]
    pub fn read(kind: SourceKind, body: &[u8]) -> Self {
        match kind {
            SourceKind::Web | SourceKind::Ipfs => Self::File(read(body).map(Arc::new)),
            SourceKind::Domain => {
                Self::Domain(read(body).map_or_else(|_| Vec::new(), |f| f.registrations))
            }
            SourceKind::Did => {
                let document: Value = serde_json::from_slice(body).unwrap_or_default();
                let names = document.get("alsoKnownAs").and_then(Value::as_array);
                let names = names.into_iter().flatten().filter_map(Value::as_str);
                Self::Did(names.take(NAMES_MAX).map(str::to_owned).collect())
            }
        }
    }
}

/// What a source was seen to say, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What.
    pub said: Arc<Said>,
    /// SHA-256 of its content, where it had any.
    pub hash: Option<B256>,
    /// When that was first seen.
    pub since: UnixSeconds,
    /// When it was last seen.
    pub checked_at: UnixSeconds,
    /// Whether the content was checked against the name of the source.
    pub is_proven: bool,
}

/// What is known of sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library(BTreeMap<B256, Seen>);

impl Library {
    /// Takes in what a source was seen to say, in the place of what it said before.
    pub fn put(&mut self, source: B256, seen: Seen) {
        self.0.insert(source, seen);
    }

    /// What a source was last seen to say, however long ago.
    #[must_use]
    pub fn newest(&self, source: &Source) -> Option<&Seen> {
        self.0.get(&source.id())
    }

    /// Whether a source is known and seems not to have been seen for long.
    #[must_use]
    pub fn is_old(&self, source: &Source, now: UnixSeconds) -> bool {
        self.newest(source).is_some() && self.at(source, now).is_none()
    }

    /// What a source says as of a time.
    #[must_use]
    pub fn at(&self, source: &Source, time: UnixSeconds) -> Option<&Seen> {
        let seen = self.0.get(&source.id())?;
        let until = seen.checked_at.get().saturating_add(KEPT_S);
        (seen.is_proven || (seen.since <= time && time.get() <= until)).then_some(seen)
    }
}

/// Where an agent's URI leads, as far as it can be told without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leads {
    /// What is wrong with the URI.
    pub flaws: Vec<Flaw>,
    /// To what.
    pub to: LeadsTo,
}

/// To what a URI leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadsTo {
    /// To nothing.
    Nothing,
    /// To the file that it holds.
    Inline(Arc<Said>),
    /// To what must be fetched.
    Source(Source),
}

impl Leads {
    /// Where a URI leads.
    #[must_use]
    pub fn of(uri: &[u8]) -> Self {
        let Located { place, flaws } = match locate(uri) {
            Ok(located) => located,
            Err(flaw) => return Self { flaws: vec![flaw], to: LeadsTo::Nothing },
        };
        let to = match (Source::of(&place), place) {
            (Some(source), _) => LeadsTo::Source(source),
            (None, Place::Inline(file)) => {
                LeadsTo::Inline(Arc::new(Said::read(SourceKind::Web, &file)))
            }
            (None, _) => LeadsTo::Nothing,
        };
        Self { flaws, to }
    }
}

/// The sources that a file names: the domains of its endpoints, and documents of DIDs on other hosts.
#[must_use]
pub fn named_by_file(file: &RegistrationFile, host: &WebHost) -> Vec<Source> {
    let domains = file.domains().into_iter();
    let domains = domains.map(|target| Source { kind: SourceKind::Domain, target });
    domains.chain(file.dids().filter_map(|did| did_source(did, host))).collect()
}

/// The source of a DID's document; `None` where it is not fetched: it is of this service, or of another method.
#[must_use]
pub fn did_source(did: &str, host: &WebHost) -> Option<Source> {
    let did = Did::parse(did).ok()?;
    let is_elsewhere = WebDid::parse(&did).is_ok_and(|web| web.host != *host);
    is_elsewhere.then(|| Source { kind: SourceKind::Did, target: did.to_string() })
}

/// Whether a name that a document has under `alsoKnownAs` is an agent's: its did:web here, or its registration in CAIP-19.
#[must_use]
pub fn is_name_of(name: &str, agent: AgentRef, host: &WebHost) -> bool {
    if name.starts_with("did:") {
        let web = Did::parse(name).ok().and_then(|did| WebDid::parse(&did).ok());
        let here = web.filter(|web| web.host == *host).and_then(|web| Local::of(&web));
        return here == Some(Local::Agent(agent.registry.chain, agent.id));
    }
    let is_full = name.starts_with("eip155:") && name.contains("/erc721:");
    is_full && AgentRef::parse(name, agent.registry).ok() == Some(agent)
}

/// A DID that an agent names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDid {
    /// The DID.
    pub did: String,
    /// Where it is named: [`Proof::File`] or [`Proof::Metadata`].
    pub by: Proof,
    /// Whether its document names the agent back; `None` where the document is not known.
    pub agrees: Option<bool>,
    /// When its document was last seen.
    pub checked_at: Option<UnixSeconds>,
    /// Since when its document has been as it is.
    pub since: Option<UnixSeconds>,
}

/// A domain that an agent's file names by an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedDomain {
    /// Host and perhaps port.
    pub domain: String,
    /// Whether what it says of agents names this one; `None` where that is not known.
    pub agrees: Option<bool>,
    /// When it was last asked.
    pub checked_at: Option<UnixSeconds>,
    /// Since when it has said so.
    pub since: Option<UnixSeconds>,
}

/// What an agent says of itself, and who agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// What its file is.
    pub origin: Origin,
    /// The file, where one can be read.
    pub file: Option<Arc<RegistrationFile>>,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
    /// Whether the file names the agent's document here.
    pub names_document: bool,
    /// The DIDs that it names.
    pub dids: Vec<NamedDid>,
    /// The domains that it names.
    pub domains: Vec<NamedDomain>,
}

/// Where an agent's file is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// There is none.
    #[default]
    Nowhere,
    /// The URI holds it.
    Inline,
    /// It is to be fetched, and was not seen by that time, or not for long.
    Unseen(Source),
    /// It was fetched.
    Fetched(Source, Seen),
}

impl Claims {
    /// The services that a document shows.
    #[must_use]
    pub fn services(&self) -> Vec<ClaimedService> {
        let services = self.file.iter().flat_map(|file| file.services.iter());
        let shown = services.filter_map(|service| {
            Some(ClaimedService { name: service.name.clone(), endpoint: service.uri.clone()? })
        });
        shown.collect()
    }

    /// The DIDs that name the agent back.
    #[must_use]
    pub fn linked(&self) -> Vec<String> {
        let agreeing = self.dids.iter().filter(|named| named.agrees == Some(true));
        agreeing.map(|named| named.did.clone()).collect()
    }
}

/// What an agent says of itself as of a time: `leads` is where its URI leads, `did` its metadata entry.
#[must_use]
pub fn claims(
    agent: AgentRef,
    host: &WebHost,
    leads: &Leads,
    did: Option<&[u8]>,
    (library, neighbours): (&Library, &Neighbours),
    time: UnixSeconds,
) -> Claims {
    let mut claims = Claims { flaws: leads.flaws.clone(), ..Claims::default() };
    let said = match &leads.to {
        LeadsTo::Nothing => None,
        LeadsTo::Inline(said) => {
            claims.origin = Origin::Inline;
            Some(Arc::clone(said))
        }
        LeadsTo::Source(source) => {
            let seen = library.at(source, time);
            claims.origin = seen.map_or_else(
                || Origin::Unseen(source.clone()),
                |seen| Origin::Fetched(source.clone(), seen.clone()),
            );
            if source.kind == SourceKind::Ipfs && seen.is_some_and(|seen| !seen.is_proven) {
                let detail = "the content was not checked against its CID: no gateway gave blocks that prove it";
                claims.flaws.push(Flaw::new(FlawKind::NotVerified, detail));
            }
            seen.map(|seen| Arc::clone(&seen.said))
        }
    };
    match said.as_deref() {
        Some(Said::File(Ok(file))) => claims.file = Some(Arc::clone(file)),
        Some(Said::File(Err(flaw))) => claims.flaws.push(flaw.clone()),
        Some(Said::Nothing) => {
            let detail = "the host says that there is no such file";
            claims.flaws.push(Flaw::new(FlawKind::NotFetched, detail));
        }
        Some(Said::Domain(_) | Said::Did(_)) | None => {}
    }
    let known = (library, neighbours);
    claims.dids = named_dids(agent, host, claims.file.as_deref(), did, known, time);
    if let Some(file) = &claims.file {
        let is_own = |did: &str| did.starts_with("did:web:") && is_name_of(did, agent, host);
        claims.names_document = file.dids().any(is_own);
        claims.domains = named_domains(agent, file, library, time);
    }
    claims.flaws.extend(silent(&claims));
    claims
}

fn named_dids(
    agent: AgentRef,
    host: &WebHost,
    file: Option<&RegistrationFile>,
    did: Option<&[u8]>,
    (library, neighbours): (&Library, &Neighbours),
    time: UnixSeconds,
) -> Vec<NamedDid> {
    let from_metadata = did.and_then(|did| std::str::from_utf8(did).ok());
    let from_file = file.into_iter().flat_map(RegistrationFile::dids);
    let all = from_metadata.map(|did| (did, Proof::Metadata)).into_iter();
    let all = all.chain(from_file.map(|did| (did, Proof::File)));
    let mut dids: Vec<NamedDid> = Vec::new();
    for (text, by) in all {
        let Ok(did) = Did::parse(text) else { continue };
        if is_name_of(did.as_str(), agent, host)
            || dids.iter().any(|named| named.did == did.as_str())
        {
            continue;
        }
        let source = did_source(text, host);
        let seen = source.as_ref().and_then(|source| library.at(source, time));
        let agrees = match seen.map(|seen| seen.said.as_ref()) {
            Some(Said::Did(others)) => {
                Some(others.iter().any(|name| is_name_of(name, agent, host)))
            }
            Some(_) => Some(false),
            None if neighbours.names(text).is_some() => neighbours
                .names(text)
                .map(|names| names.iter().any(|name| is_name_of(name, agent, host))),
            None if is_silent_here(&did, host) => Some(false),
            // Made from their identifier alone, these documents name nobody.
            None => matches!(did.method(), "pkh" | "key").then_some(false),
        };
        let (checked_at, since) = (seen.map(|seen| seen.checked_at), seen.map(|seen| seen.since));
        dids.push(NamedDid { did: did.to_string(), by, agrees, checked_at, since });
    }
    dids
}

/// Whether a DID of this host is one whose document names nobody: the service's, and what no document is served of. Agents are asked, and
/// of characters their wallets say whose agents they have.
fn is_silent_here(did: &Did, host: &WebHost) -> bool {
    let web = WebDid::parse(did).ok().filter(|web| web.host == *host);
    web.is_some_and(|web| matches!(Local::of(&web), Some(Local::Service) | None))
}

fn named_domains(
    agent: AgentRef,
    file: &RegistrationFile,
    library: &Library,
    time: UnixSeconds,
) -> Vec<NamedDomain> {
    let named = file.domains().into_iter().map(|domain| {
        let source = Source { kind: SourceKind::Domain, target: domain.clone() };
        let seen = library.at(&source, time);
        let agrees = seen.map(|seen| match seen.said.as_ref() {
            Said::Domain(agents) => agents.contains(&agent),
            Said::File(_) | Said::Did(_) | Said::Nothing => false,
        });
        let (checked_at, since) = (seen.map(|seen| seen.checked_at), seen.map(|seen| seen.since));
        NamedDomain { domain, agrees, checked_at, since }
    });
    named.collect()
}

/// What is named and does not name back. A domain that says nothing of any agent is no contradiction; most say nothing.
fn silent(claims: &Claims) -> Vec<Flaw> {
    let dids = claims.dids.iter().filter(|named| named.agrees == Some(false));
    let dids = dids.map(|named| {
        let detail = format!("{} is named, and its document does not name the agent", named.did);
        Flaw::new(FlawKind::NotNamedBack, &detail)
    });
    dids.collect()
}
