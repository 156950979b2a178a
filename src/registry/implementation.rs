//! Which code behind a registry's proxy is known.
//!
//! Known code buys two things: its events mean what `decode` takes them to mean, and the log-order rules of `identity::interpret`
//! (what a mint does to the wallet, when `Registered` sets the URI) hold for it, checked against the contract itself. Under any other
//! code both are guesses: facts are marked unverified, and a wallet in doubt is settled by asking the contract.
//! The addresses come from fixed salts and code through one factory, so they name the same code on every EVM chain.

use std::collections::BTreeSet;

use alloy::primitives::{Address, address};

use crate::vocab::RegistryKind;

/// The placeholders that every proxy starts with, on mainnets and on testnets. They emit nothing but the proxy's own events.
const PLACEHOLDERS: [Address; 2] = [
    address!("cB7Af40C0be4Fb92E183942b6DbB6b14A888F067"),
    address!("d53dE688e0b0ad436FBdbDa00036832FF6499234"),
];

/// The code of version 2.0.0 of each registry, on all chains.
const fn version_2(kind: RegistryKind) -> Address {
    match kind {
        RegistryKind::Identity => address!("7274e874CA62410a93Bd8bf61c69d8045E399c02"),
        RegistryKind::Reputation => address!("16e0FA7f7C56B9a767E34B192B51f921BE31dA34"),
        RegistryKind::Validation => address!("DB31f5d9167f8ebc8B30FbBF814c4d297c2D7F99"),
    }
}

/// The implementations whose behaviour is known: those of version 2.0.0, their placeholders, and what the configuration adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownImplementations {
    added: BTreeSet<(RegistryKind, Address)>,
}

impl KnownImplementations {
    /// Vouches for one more implementation of a registry: that it emits the events of version 2.0.0 in the same order and under the
    /// same rules. Nothing checks this.
    pub fn add(&mut self, kind: RegistryKind, implementation: Address) {
        self.added.insert((kind, implementation));
    }

    /// Whether this code is known as code of this kind of registry.
    #[must_use]
    pub fn knows(&self, kind: RegistryKind, implementation: Address) -> bool {
        version_2(kind) == implementation
            || PLACEHOLDERS.contains(&implementation)
            || self.added.contains(&(kind, implementation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_known_for_its_own_kind_of_registry_only() {
        let mut known = KnownImplementations::default();
        let own = Address::repeat_byte(7);
        for kind in RegistryKind::ALL {
            for other in RegistryKind::ALL {
                assert_eq!(known.knows(kind, version_2(other)), kind == other);
            }
            assert!(PLACEHOLDERS.iter().all(|placeholder| known.knows(kind, *placeholder)));
            assert!(!known.knows(kind, Address::ZERO) && !known.knows(kind, own));
        }
        known.add(RegistryKind::Identity, own);
        assert!(known.knows(RegistryKind::Identity, own));
        assert!(!known.knows(RegistryKind::Reputation, own));
    }
}
