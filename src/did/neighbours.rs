//! Agents of this host that an agent names: whether they name it back is in the record, and nothing is fetched for it.
//!
//! An agent names others by its file and its metadata entry; a pair that names each other stands in each other's documents.

use std::collections::BTreeMap;

use super::claims::{Leads, LeadsTo, Library, Said};
use super::syntax::Did;
use super::web::{Local, WebDid, WebHost};
use crate::vocab::{AgentRef, UnixSeconds};

/// The most agents of this host that are asked whether they name an agent back, since one names them.
pub const NEIGHBOURS_MAX: usize = 8;

/// What documents of this host name that an agent names: nothing need be fetched for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours(BTreeMap<String, Vec<String>>);

impl Neighbours {
    /// Takes in what the agent behind a DID of this host names by its file and its metadata.
    pub fn put(&mut self, did: String, names: Vec<String>) {
        self.0.insert(did, names);
    }

    pub(super) fn names(&self, did: &str) -> Option<&[String]> {
        self.0.get(did).map(Vec::as_slice)
    }
}

/// The DIDs of agents of this host's registry that an agent names, itself left out: each as it is written, with the agent.
#[must_use]
pub fn neighbours_of(
    agent: AgentRef,
    host: &WebHost,
    leads: &Leads,
    did: Option<&[u8]>,
    library: &Library,
    time: UnixSeconds,
) -> Vec<(String, AgentRef)> {
    let mut found: Vec<(String, AgentRef)> = Vec::new();
    for text in names_of(leads, did, library, time) {
        let web = Did::parse(&text).ok().and_then(|did| WebDid::parse(&did).ok());
        let here = web.filter(|web| web.host == *host).and_then(|web| Local::of(&web));
        let Some(Local::Agent(chain, id)) = here else { continue };
        let other = AgentRef { id, ..agent };
        let is_new = found.iter().all(|(known, _)| *known != text);
        if chain == agent.registry.chain && other != agent && is_new {
            found.push((text, other));
        }
        if found.len() >= NEIGHBOURS_MAX {
            break;
        }
    }
    found
}

/// The DIDs that an agent names as of a time, by its metadata and by its file.
#[must_use]
pub fn names_of(
    leads: &Leads,
    did: Option<&[u8]>,
    library: &Library,
    time: UnixSeconds,
) -> Vec<String> {
    let said = match &leads.to {
        LeadsTo::Nothing => None,
        LeadsTo::Inline(said) => Some(said),
        LeadsTo::Source(source) => library.at(source, time).map(|seen| &seen.said),
    };
    let file = match said.map(AsRef::as_ref) {
        Some(Said::File(Ok(file))) => Some(file),
        _ => None,
    };
    let from_metadata = did.and_then(|did| std::str::from_utf8(did).ok());
    let from_file = file.into_iter().flat_map(|file| file.dids());
    from_metadata.into_iter().chain(from_file).map(str::to_owned).collect()
}
