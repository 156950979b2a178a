//! Where the registries are deployed, as far as the first block of each deployment is known: the presets of the configuration.
//!
//! Data only. The addresses are those of `scripts/addresses.ts` in `erc-8004/erc-8004-contracts`: one set for every mainnet, one for
//! every testnet. A deployment whose start block is not known is left out rather than scanned from genesis. Presence of the Validation
//! registry is certain on Base alone, so an address without code there is no fault of a configuration.

use alloy::primitives::{Address, address};

use crate::vocab::{AccountId, ChainId, RegistryKind, RegistryRef};

/// Where chains of the OP Stack have the Ethereum Attestation Service from their first block on.
const EAS_OF_OP_STACK: Address = address!("4200000000000000000000000000000000000021");

/// The three registries on one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The preset's name in the configuration.
    pub name: &'static str,
    /// The chain.
    pub chain: ChainId,
    /// The identity registry's proxy.
    pub identity: Address,
    /// The reputation registry's proxy.
    pub reputation: Address,
    /// The validation registry's proxy.
    pub validation: Address,
    /// The first block that can hold a log of any of them.
    pub start_block: u64,
    /// Whether the start block is the proxies' deployment, which holds their first logs for certain.
    pub starts_with_logs: bool,
    /// A public endpoint without a key, where the chain's own people run one that answers `eth_getLogs`.
    pub rpc_url: Option<&'static str>,
}

impl Deployment {
    /// The preset of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        DEPLOYMENTS.iter().find(|deployment| deployment.name == name)
    }

    /// The contract of the Ethereum Attestation Service, on chains that come with it.
    #[must_use]
    pub const fn eas(&self) -> Option<AccountId> {
        match self.chain.0 {
            10 | 8_453 | 84_532 => Some(AccountId { chain: self.chain, address: EAS_OF_OP_STACK }),
            _ => None,
        }
    }

    /// One of the three registries.
    #[must_use]
    pub const fn registry(&self, kind: RegistryKind) -> RegistryRef {
        let address = match kind {
            RegistryKind::Identity => self.identity,
            RegistryKind::Reputation => self.reputation,
            RegistryKind::Validation => self.validation,
        };
        RegistryRef { chain: self.chain, address }
    }
}

/// The canonical registries of a mainnet.
const fn mainnet(
    name: &'static str,
    chain: u64,
    start_block: u64,
    rpc_url: Option<&'static str>,
) -> Deployment {
    Deployment {
        name,
        chain: ChainId(chain),
        identity: address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432"),
        reputation: address!("8004BAa17C55a88189AE136b182e5fdA19dE9b63"),
        validation: address!("8004Cc8439f36fd5F9F049D9fF86523Df6dAAB58"),
        start_block,
        starts_with_logs: true,
        rpc_url,
    }
}

/// Every preset; the first is the default.
pub static DEPLOYMENTS: [Deployment; 10] = [
    mainnet("base", 8453, 41_663_783, Some("https://mainnet.base.org")),
    // The start block is where a public subgraph starts. The proxy's first events may lie before it, so the implementation in force
    // there is not known from logs alone.
    Deployment {
        name: "base-sepolia",
        chain: ChainId(84532),
        identity: address!("8004A818BFB912233c491871b3d84c89A494BD9e"),
        reputation: address!("8004B663056A597Dffe9eCcC1965A193B7388713"),
        validation: address!("8004Cb1BF31DAf7788923b405b754f57acEB4272"),
        start_block: 37_174_254,
        starts_with_logs: false,
        rpc_url: Some("https://sepolia.base.org"),
    },
    // Version 1.0.0, replaced in January 2026: legacy event forms, no agent wallet, no known implementation.
    Deployment {
        name: "base-sepolia-v1",
        chain: ChainId(84532),
        identity: address!("8004AA63c570c570eBF15376c0dB199918BFe9Fb"),
        reputation: address!("8004bd8daB57f14Ed299135749a5CB5c42d341BF"),
        validation: address!("8004C269D0A5647E51E121FeB226200ECE932d55"),
        start_block: 32_481_444,
        starts_with_logs: false,
        rpc_url: Some("https://sepolia.base.org"),
    },
    mainnet("ethereum", 1, 24_339_871, None),
    mainnet("arbitrum", 42161, 428_895_443, Some("https://arb1.arbitrum.io/rpc")),
    mainnet("bnb", 56, 79_027_268, None),
    mainnet("celo", 42220, 58_396_724, Some("https://forno.celo.org")),
    mainnet("gnosis", 100, 44_505_010, Some("https://rpc.gnosischain.com")),
    mainnet("optimism", 10, 147_514_947, Some("https://mainnet.optimism.io")),
    mainnet("polygon", 137, 82_458_484, None),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn presets_are_distinct_and_found_by_name() {
        let mut registries = BTreeSet::new();
        for deployment in &DEPLOYMENTS {
            assert_eq!(Deployment::by_name(deployment.name), Some(deployment), "names are unique");
            for kind in RegistryKind::ALL {
                let registry = deployment.registry(kind);
                assert!(registries.insert(registry), "{registry} stands in two presets");
                // Every registry was deployed to an address that begins with the number of the EIP.
                assert!(registry.address.starts_with(&[0x80, 0x04]), "{registry}");
            }
            assert!(deployment.rpc_url.is_none_or(|url| url.starts_with("https://")));
        }
        assert_eq!(Deployment::by_name("Base"), None);
        let eas = DEPLOYMENTS[0].eas().map(|contract| contract.to_string());
        assert_eq!(eas.as_deref(), Some("eip155:8453:0x4200000000000000000000000000000000000021"));
        assert_eq!(Deployment::by_name("ethereum").and_then(Deployment::eas), None);
        assert_eq!(
            DEPLOYMENTS[0].registry(RegistryKind::Identity).to_string(),
            "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432"
        );
    }
}
