//! The platforms whose records are taken: by their token, by their keys, or from their relay.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::TokenHash;
use crate::attest::limits::Limits;
use crate::vocab::{ChainId, OriginName};

/// A platform whose records are taken.
#[derive(Debug)]
pub struct Origin {
    /// Its name, which stands in its records.
    pub name: OriginName,
    /// With what it posts records; `None` where it posts none.
    pub token: Option<TokenHash>,
    /// Whose signature is its own word: DID URLs of methods, and accounts in their canonical text.
    pub signers: Vec<String>,
    /// The ids of the plugins that are registered with it.
    pub plugins: Vec<String>,
    /// The chain of bare addresses in its records.
    pub chain: Option<ChainId>,
    /// What agents may say there.
    pub limits: Limits,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Origins {
    by_name: BTreeMap<OriginName, Arc<Origin>>,
    by_signer: BTreeMap<String, Arc<Origin>>,
}

impl Origins {
    /// From what is configured. Names and signers are each of one origin.
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Self {
        let mut all = Self::default();
        for origin in origins {
            let origin = Arc::new(origin);
            for signer in &origin.signers {
                all.by_signer.insert(signer.clone(), Arc::clone(&origin));
            }
            all.by_name.insert(origin.name.clone(), origin);
        }
        all
    }

    /// The origin of a name.
    #[must_use]
    pub fn get(&self, name: &OriginName) -> Option<&Arc<Origin>> {
        self.by_name.get(name)
    }

    /// The origin whose word a signature is: by the DID URL of its method, or the text of its account.
    #[must_use]
    pub fn of_signer(&self, signer: &str) -> Option<&Arc<Origin>> {
        self.by_signer.get(signer)
    }

    /// The origin that a token is of. Every token is compared, so that the time says nothing of which.
    #[must_use]
    pub fn of_token(&self, token: &str) -> Option<&Arc<Origin>> {
        let given = TokenHash::of(token);
        self.by_name.values().fold(None, |found, origin| {
            if origin.token.as_ref().is_some_and(|token| token.is_same(&given)) {
                Some(origin)
            } else {
                found
            }
        })
    }

    /// What agents may say in the records of an origin; without one, what the field asks for.
    #[must_use]
    pub fn limits(&self, origin: Option<&OriginName>) -> Limits {
        origin.and_then(|name| self.get(name)).map_or_else(Limits::default, |origin| origin.limits)
    }
}
