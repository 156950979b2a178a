//! What can be fetched, and by which name it is remembered.
//!
//! A source is a place that a URI, a file or a metadata entry names. Many agents may name one; it is fetched once for all of them.

use alloy::primitives::B256;
use sha2::{Digest, Sha256};

use super::Place;

/// What kind of place a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A registration file at an https URL.
    Web,
    /// A registration file that its content names.
    Ipfs,
    /// What a domain says of agents: `/.well-known/agent-registration.json`.
    Domain,
    /// The document of a DID.
    Did,
}

impl SourceKind {
    const ALL: [Self; 4] = [Self::Web, Self::Ipfs, Self::Domain, Self::Did];

    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Ipfs => "ipfs",
            Self::Domain => "domain",
            Self::Did => "did",
        }
    }

    /// The kind that [`as_str`](Self::as_str) names so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// What kind of place it is.
    pub kind: SourceKind,
    /// A URL, a path under a CID, host and port, or a DID.
    pub target: String,
}

impl Source {
    /// The source of a registration file; `None` where a URI leads to no host.
    #[must_use]
    pub fn of(place: &Place) -> Option<Self> {
        match place {
            Place::Nowhere | Place::Inline(_) => None,
            Place::Web(url) => Some(Self { kind: SourceKind::Web, target: url.to_string() }),
            Place::Ipfs(path) => Some(Self { kind: SourceKind::Ipfs, target: path.to_string() }),
        }
    }

    /// The name by which it is remembered.
    #[must_use]
    pub fn id(&self) -> B256 {
        hash(self.kind.as_str(), self.target.as_bytes())
    }
}

/// The name by which a URI that holds its file is remembered: what it names is fetched, and it itself is not.
#[must_use]
pub fn inline_id(uri: &[u8]) -> B256 {
    hash("inline", uri)
}

fn hash(kind: &str, target: &[u8]) -> B256 {
    let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(target).finalize();
    B256::from_slice(&hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::file::locate;

    #[test]
    fn each_place_has_a_name_of_its_own() {
        let source = |uri: &str| Source::of(&locate(uri.as_bytes()).unwrap().place);
        let web = source("https://example.org/a").unwrap();
        assert_eq!((web.kind, web.target.as_str()), (SourceKind::Web, "https://example.org/a"));
        assert_eq!(web.id(), source("HTTPS://EXAMPLE.org/a").unwrap().id());
        assert_ne!(web.id(), source("https://example.org/A").unwrap().id());
        let did = Source { kind: SourceKind::Did, target: web.target.clone() };
        assert_ne!(web.id(), did.id());
        assert_eq!(source("data:,{}"), None);
        assert_eq!(source(""), None);
        for kind in SourceKind::ALL {
            assert_eq!(SourceKind::from_word(kind.as_str()), Some(kind));
        }
    }
}
