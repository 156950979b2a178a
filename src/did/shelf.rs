//! What every agent claims now, in memory: where its URI leads, which DID its metadata names, and what is known of sources.
//!
//! Whether it holds every agent or only one that a request names is its owner's affair: `app::read_model` keeps a whole one in step with
//! the database. It never guesses: an agent that it does not hold, and one whose sources seem not to have been seen for long, is one that the
//! database has to be asked about.

use std::collections::BTreeMap;

use alloy::primitives::B256;

use super::claims::{
    Claims, Leads, LeadsTo, Library, Said, Seen, claims, did_source, named_by_file,
};
use super::neighbours::{Neighbours, names_of, neighbours_of};
use super::web::WebHost;
use crate::registry::file::Source;
use crate::vocab::{AgentId, AgentRef, UnixSeconds};

/// Where an agent's entries lead, and in which block each was set.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entries {
    uri: (u64, Leads),
    did: Option<(u64, Vec<u8>)>,
}

/// What every agent claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    entries: BTreeMap<AgentId, Entries>,
    library: Library,
}

impl Shelf {
    /// An agent's URI, as it was set in a block.
    pub fn put_uri(&mut self, agent: AgentId, uri: &[u8], from_block: u64) {
        let uri = (from_block, Leads::of(uri));
        match self.entries.get_mut(&agent) {
            Some(entries) => entries.uri = uri,
            None => drop(self.entries.insert(agent, Entries { uri, did: None })),
        }
    }

    /// An agent's metadata entry for a DID, as it was set in a block; `None` where it has none. An agent has a URI before it has entries.
    pub fn put_did(&mut self, agent: AgentId, did: Option<(u64, &[u8])>) {
        if let Some(entries) = self.entries.get_mut(&agent) {
            entries.did = did.map(|(from_block, did)| (from_block, did.to_vec()));
        }
    }

    /// Forgets an agent, which was not minted after all.
    pub fn remove(&mut self, agent: AgentId) {
        self.entries.remove(&agent);
    }

    /// What a source was last seen to say.
    pub fn put_seen(&mut self, source: B256, seen: Seen) {
        self.library.put(source, seen);
    }

    /// The agents whose URI was set after the end of a block, and those whose metadata entry was: where the chain went back to that block,
    /// they have to be looked at again.
    #[must_use]
    pub fn set_after(&self, block_number: u64) -> (Vec<AgentId>, Vec<AgentId>) {
        let of = |is_after: fn(&Entries, u64) -> bool| {
            let after = self.entries.iter().filter(|(_, entries)| is_after(entries, block_number));
            after.map(|(agent, _)| *agent).collect()
        };
        let uris = of(|entries, block| entries.uri.0 > block);
        let dids = of(|entries, block| entries.did.as_ref().is_some_and(|(from, _)| *from > block));
        (uris, dids)
    }

    /// What an agent claims now; `None` where that cannot be told here. `is_owned` says of another agent whether anybody owns it: one that
    /// is burnt has no document, and so names nobody, whatever its entries still are.
    #[must_use]
    pub fn claims(
        &self,
        agent: AgentRef,
        host: &WebHost,
        now: UnixSeconds,
        is_owned: impl Fn(AgentId) -> bool,
    ) -> Option<Claims> {
        let entries = self.entries.get(&agent.id)?;
        let (_, leads) = &entries.uri;
        let did = entries.did.as_ref().map(|(_, did)| did.as_slice());
        let is_old = |source: &Source| self.library.is_old(source, now);
        if did_named(did, host).iter().any(is_old) || self.is_old(leads, host, &is_old) {
            return None;
        }
        let mut neighbours = Neighbours::default();
        for (named, other) in neighbours_of(agent, host, leads, did, &self.library, now) {
            let is_asked = is_owned(other.id);
            let names = if is_asked { self.names(other.id, &is_old, now)? } else { Vec::new() };
            neighbours.put(named, names);
        }
        Some(claims(agent, host, leads, did, (&self.library, &neighbours), now))
    }

    /// The DIDs that another agent names now; `None` where that cannot be told here. One that does not exist names nobody.
    fn names(
        &self,
        agent: AgentId,
        is_old: &impl Fn(&Source) -> bool,
        now: UnixSeconds,
    ) -> Option<Vec<String>> {
        let Some(entries) = self.entries.get(&agent) else { return Some(Vec::new()) };
        let (_, leads) = &entries.uri;
        if matches!(&leads.to, LeadsTo::Source(source) if is_old(source)) {
            return None;
        }
        let did = entries.did.as_ref().map(|(_, did)| did.as_slice());
        Some(names_of(leads, did, &self.library, now))
    }

    /// Whether a file, or what it names, seems not to have been seen for long.
    fn is_old(&self, leads: &Leads, host: &WebHost, is_old: &impl Fn(&Source) -> bool) -> bool {
        let said = match &leads.to {
            LeadsTo::Nothing => return false,
            LeadsTo::Inline(said) => Some(said),
            LeadsTo::Source(source) if is_old(source) => return true,
            LeadsTo::Source(source) => self.library.newest(source).map(|seen| &seen.said),
        };
        match said.map(AsRef::as_ref) {
            Some(Said::File(Ok(file))) => named_by_file(file, host).iter().any(is_old),
            _ => false,
        }
    }
}

fn did_named(did: Option<&[u8]>, host: &WebHost) -> Option<Source> {
    did.and_then(|did| std::str::from_utf8(did).ok()).and_then(|did| did_source(did, host))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::did::claims::KEPT_S;
    use crate::registry::file::SourceKind;

    const REGISTRY: &str = "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";

    fn agent(id: u64) -> AgentRef {
        let registry = crate::vocab::AccountId::parse(REGISTRY, crate::vocab::ChainId(0)).unwrap();
        let registry =
            crate::vocab::RegistryRef { chain: registry.chain, address: registry.address };
        AgentRef { registry, id: AgentId::from(id) }
    }

    fn time(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn seen(body: &str, at: u64) -> Seen {
        let said = Arc::new(Said::read(SourceKind::Web, body.as_bytes()));
        Seen { said, hash: None, since: time(at), checked_at: time(at), is_proven: false }
    }

    #[test]
    fn what_cannot_be_told_is_left_to_the_database() {
        let host = WebHost::parse("here.example").unwrap();
        let mut shelf = Shelf::default();
        let names = |shelf: &Shelf, id: u64, now: u64| {
            let claims = shelf.claims(agent(id), &host, time(now), |_| true)?;
            Some(claims.file.and_then(|file| file.name.clone()))
        };
        assert_eq!(names(&shelf, 1, 50), None, "not known");
        shelf.put_uri(AgentId::from(1), b"", 5);
        assert_eq!(names(&shelf, 1, 50), Some(None));
        shelf.put_uri(AgentId::from(1), b"data:,{\"name\":\"a\"}", 7);
        assert_eq!(names(&shelf, 1, 50), Some(Some("a".to_owned())));
        shelf.put_uri(AgentId::from(1), b"https://a.example/", 9);
        assert_eq!(names(&shelf, 1, 50), Some(None), "not fetched yet");
        let source = Source { kind: SourceKind::Web, target: "https://a.example/".to_owned() };
        shelf.put_seen(source.id(), seen("{\"name\":\"b\"}", 40));
        assert_eq!(names(&shelf, 1, 50), Some(Some("b".to_owned())));
        assert_eq!(names(&shelf, 1, 40 + KEPT_S), Some(Some("b".to_owned())));
        // It may have been seen since, which is not told of here.
        assert_eq!(names(&shelf, 1, 41 + KEPT_S), None);

        shelf.put_did(AgentId::from(1), Some((8, b"did:web:b.example")));
        shelf.put_did(AgentId::from(2), Some((8, b"did:web:b.example")));
        let dids = |shelf: &Shelf, id| {
            shelf.claims(agent(id), &host, time(50), |_| true).map(|claims| claims.dids.len())
        };
        assert_eq!((dids(&shelf, 1), dids(&shelf, 2)), (Some(1), None));
        let one = vec![AgentId::from(1)];
        assert_eq!(shelf.set_after(7), (one.clone(), one.clone()));
        assert_eq!(shelf.set_after(8), (one, vec![]));
        assert_eq!(shelf.set_after(9), (vec![], vec![]));
        shelf.put_did(AgentId::from(1), None);
        assert_eq!(dids(&shelf, 1), Some(0));
        shelf.remove(AgentId::from(1));
        assert_eq!(dids(&shelf, 1), None);
    }

    #[test]
    fn who_is_burnt_names_nobody_back() {
        let host = WebHost::parse("here.example").unwrap();
        let mut shelf = Shelf::default();
        for (id, other) in [(1, 2), (2, 1)] {
            let did = format!("did:web:here.example:agents:8453:{other}");
            shelf.put_uri(AgentId::from(id), b"", 5);
            shelf.put_did(AgentId::from(id), Some((5, did.as_bytes())));
        }
        for is_owned in [true, false] {
            let claims = shelf.claims(agent(1), &host, time(50), |_| is_owned).unwrap();
            assert_eq!(claims.dids[0].agrees, Some(is_owned));
        }
    }
}
