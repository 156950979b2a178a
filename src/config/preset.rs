//! The chains that need no description: where the canonical registries stand, and a public endpoint.
//!
//! A preset is the second layer, below the file. It knows addresses and block numbers, not whether a node can be reached.

use alloy::primitives::{Address, address};

use crate::vocab::ChainId;

/// The word that asks for no preset.
pub(super) const CUSTOM: &str = "custom";

/// The canonical registries of one chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) chain: ChainId,
    pub(super) identity: Address,
    pub(super) reputation: Option<Address>,
    pub(super) validation: Option<Address>,
    pub(super) start_block: u64,
    pub(super) rpc_url: Option<&'static str>,
}

/// All presets, the default first.
pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "base",
        chain: ChainId(8453),
        identity: address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432"),
        reputation: Some(address!("8004BAa17C55a88189AE136b182e5fdA19dE9b63")),
        validation: Some(address!("8004Cc8439f36fd5F9F049D9fF86523Df6dAAB58")),
        start_block: 41_663_783,
        rpc_url: Some("https://mainnet.base.org"),
    },
    Preset {
        name: "base-sepolia",
        chain: ChainId(84532),
        identity: address!("8004A818BFB912233c491871b3d84c89A494BD9e"),
        reputation: Some(address!("8004B663056A597Dffe9eCcC1965A193B7388713")),
        validation: Some(address!("8004Cb1BF31DAf7788923b405b754f57acEB4272")),
        start_block: 37_174_254,
        rpc_url: Some("https://sepolia.base.org"),
    },
];

/// The preset of a name.
pub(super) fn by_name(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset of a chain.
pub(super) fn by_chain(chain: ChainId) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.chain == chain)
}

/// The names of all presets, and the word for none.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name).chain([CUSTOM])
}
