//! Agents and the registries that name them.
//!
//! An agent is a registration in an ERC-8004 identity registry: the registry and an `agentId`. Its canonical text is
//! `eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22`; shorter forms are read only where the service follows one registry.

use std::fmt;

use alloy::primitives::{Address, U256};

use serde::{Serialize, Serializer};

use super::account::{AccountText, ChainId, canonical_u64, parse_address, shorten};
use super::text::ShortText;

/// Which of the three ERC-8004 registries a contract is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegistryKind {
    /// Agents, their owners, wallets, URIs and metadata.
    Identity,
    /// Feedback by clients.
    Reputation,
    /// Requests to validators and their answers.
    Validation,
}

impl RegistryKind {
    /// All kinds, in the order they are listed everywhere.
    pub const ALL: [Self; 3] = [Self::Identity, Self::Reputation, Self::Validation];

    /// The word for it in storage, answers and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Reputation => "reputation",
            Self::Validation => "validation",
        }
    }

    /// The kind that [`as_str`](Self::as_str) names so.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A registry contract. Text form: ERC-8004's `agentRegistry`, `eip155:8453:0x8004…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryRef {
    /// The chain it is deployed on.
    pub chain: ChainId,
    /// Its address: the proxy, never the implementation.
    pub address: Address,
}

impl RegistryRef {
    /// Its text form, held in place.
    #[must_use]
    pub fn to_text(&self) -> AccountText {
        self.chain.account_text(self.address.to_checksum_buffer(None).as_str())
    }
}

impl fmt::Display for RegistryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_text().as_str())
    }
}

/// The number of an agent within its registry, a `uint256` that starts at 0. Text form: decimal, no leading zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(pub U256);

impl AgentId {
    /// Reads canonical decimal digits of at most 256 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = (1..=78).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text.len() == 1 || !text.starts_with('0'));
        if canonical { U256::from_str_radix(text, 10).ok().map(Self) } else { None }
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_text().as_str())
    }
}

impl AgentId {
    /// Its text form, held in place.
    #[must_use]
    pub fn to_text(self) -> ShortText<78> {
        // Ids are given out from 0 on: dividing 256 bits is for those that are not.
        match u64::try_from(self.0) {
            Ok(small) => ShortText::joined(&[itoa::Buffer::new().format(small)]),
            Err(_) => ShortText::of(self.0),
        }
    }
}

impl Serialize for AgentId {
    /// Its text form: as a number it could pass 2^53.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_text().as_str())
    }
}

impl From<u64> for AgentId {
    fn from(number: u64) -> Self {
        Self(U256::from(number))
    }
}

/// One ERC-8004 registration: who an agent is, whatever its wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentRef {
    /// The identity registry.
    pub registry: RegistryRef,
    /// The `agentId` in it.
    pub id: AgentId,
}

/// The text form of an agent, held in place: its registry's, `:`, and at most 78 digits.
pub type AgentText = ShortText<149>;

impl AgentId {
    /// The text form of this agent of the registry with a text form.
    #[must_use]
    pub fn in_registry(self, registry: &AccountText) -> AgentText {
        AgentText::joined(&[registry.as_str(), ":", self.to_text().as_str()])
    }
}

impl AgentRef {
    /// Its CAIP-19 name, which the registry's being an ERC-721 gives it: `eip155:8453/erc721:0x…/22`.
    #[must_use]
    pub fn caip19(&self) -> String {
        format!("{}/erc721:{}/{}", self.registry.chain, self.registry.address, self.id)
    }
}

impl fmt::Display for AgentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id.in_registry(&self.registry.to_text()).as_str())
    }
}

/// Why a text does not name an agent of the registry that is followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentParseError {
    /// The text has none of the accepted forms.
    #[error(
        "`{0}` is not an agent; write it as `22`, `8453:22`, `eip155:8453:0x…:22` or `eip155:8453/erc721:0x…/22`"
    )]
    Malformed(String),
    /// The text names a registry or chain that this service does not follow.
    #[error(
        "`{agent}` names a registry that is not followed here; this service follows {followed}"
    )]
    OtherRegistry {
        /// The text, shortened.
        agent: String,
        /// The registry followed.
        followed: RegistryRef,
    },
}

impl AgentRef {
    /// Reads a form that names its registry: the canonical text or CAIP-19.
    #[must_use]
    pub fn parse_full(text: &str) -> Option<Self> {
        let (registry, id) = split_full(text).or_else(|| split_caip19(text))?;
        Some(Self { registry, id })
    }

    /// Reads any accepted form of an agent of the registry `followed`.
    ///
    /// The forms are the canonical text, CAIP-19 (`eip155:8453/erc721:0x…/22`), `8453:22` and `22`.
    ///
    /// # Errors
    /// When the text has another form, or names another registry.
    pub fn parse(text: &str, followed: RegistryRef) -> Result<Self, AgentParseError> {
        let malformed = || AgentParseError::Malformed(shorten(text));
        let (registry, id) = if let Some(id) = AgentId::parse(text) {
            (followed, id)
        } else if let Some(agent) = Self::parse_full(text) {
            (agent.registry, agent.id)
        } else {
            let (chain, id) = text.split_once(':').ok_or_else(malformed)?;
            let chain = ChainId(canonical_u64(chain).ok_or_else(malformed)?);
            let id = AgentId::parse(id).ok_or_else(malformed)?;
            (RegistryRef { chain, address: followed.address }, id)
        };
        if registry == followed {
            Ok(Self { registry, id })
        } else {
            Err(AgentParseError::OtherRegistry { agent: shorten(text), followed })
        }
    }
}

fn split_full(text: &str) -> Option<(RegistryRef, AgentId)> {
    let (chain, rest) = text.strip_prefix("eip155:")?.split_once(':')?;
    let (address, id) = rest.split_once(':')?;
    registry_and_id(chain, address, id)
}

fn split_caip19(text: &str) -> Option<(RegistryRef, AgentId)> {
    let (chain, rest) = text.strip_prefix("eip155:")?.split_once("/erc721:")?;
    let (address, id) = rest.split_once('/')?;
    registry_and_id(chain, address, id)
}

fn registry_and_id(chain: &str, address: &str, id: &str) -> Option<(RegistryRef, AgentId)> {
    let chain = ChainId(canonical_u64(chain)?);
    let address = parse_address(address)?;
    Some((RegistryRef { chain, address }, AgentId::parse(id)?))
}

#[cfg(test)]
mod tests {
    use alloy::primitives::address;

    use super::*;

    const REGISTRY: RegistryRef = RegistryRef {
        chain: ChainId(8453),
        address: address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432"),
    };

    #[test]
    fn every_form_of_an_agent_reads_the_same() {
        for text in [
            "22",
            "8453:22",
            "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22",
            "eip155:8453:0x8004a169fb4a3325136eb29fa0ceb6d2e539a432:22",
            "eip155:8453/erc721:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432/22",
        ] {
            let agent = AgentRef::parse(text, REGISTRY).unwrap();
            assert_eq!(
                agent.to_string(),
                "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22"
            );
        }
    }

    #[test]
    fn the_longest_texts_are_held_whole() {
        let registry = RegistryRef { chain: ChainId(u64::MAX), ..REGISTRY };
        let whole = format!("eip155:{}:{}", u64::MAX, REGISTRY.address);
        assert_eq!(registry.to_string(), whole);
        let agent = AgentRef { registry, id: AgentId(U256::MAX) };
        assert_eq!(agent.to_string(), format!("{whole}:{}", U256::MAX));
        assert_eq!(serde_json::to_value(agent.id).unwrap(), U256::MAX.to_string());
        assert_eq!(AgentId::from(u64::MAX).to_string(), u64::MAX.to_string());
    }

    #[test]
    fn the_largest_agent_id_is_a_uint256() {
        let max = U256::MAX.to_string();
        assert_eq!(AgentRef::parse(&max, REGISTRY).unwrap().id, AgentId(U256::MAX));
        let above = format!("{}9", &max[..77]);
        assert!(AgentId::parse(&above).is_none(), "2^256 and more must not wrap");
    }

    #[test]
    fn malformed_agents_and_other_registries_are_told_apart() {
        for text in ["", "-1", "022", "0x16", "8453:", ":22", "eip155:8453:22", "22/../23", "２２"]
        {
            let error = AgentRef::parse(text, REGISTRY).unwrap_err();
            assert!(matches!(error, AgentParseError::Malformed(_)), "{text}: {error}");
        }
        for text in ["1:22", "eip155:8453:0x08591b838Bd745AFBafE27c254676A3C6Fafb159:22"] {
            let error = AgentRef::parse(text, REGISTRY).unwrap_err();
            assert!(matches!(error, AgentParseError::OtherRegistry { .. }), "{text}: {error}");
        }
    }
}
