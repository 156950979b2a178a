//! The read-only calls that are made to a registry, and what its answers hold.
//!
//! Events can disagree with storage, so a contract is sometimes asked. Only the words of a call and of its answer are here; asking is
//! `chain`'s.

use alloy::primitives::{Address, B256, Bytes, b256};
use alloy::sol_types::{SolCall, SolValue};

use crate::vocab::AgentId;

/// Where a proxy keeps the address of its code (ERC-1967).
pub const IMPLEMENTATION_SLOT: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

/// Where the identity registry of version 2.0.0 keeps the next agent's id, which is also how many there are.
pub const NEXT_ID_SLOT: B256 =
    b256!("a040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00");

mod abi {
    alloy::sol! {
        function getAgentWallet(uint256 agentId) external view returns (address);
        function ownerOf(uint256 tokenId) external view returns (address);
        function tokenURI(uint256 tokenId) external view returns (string);
    }
}

/// The call `getAgentWallet(agentId)`; answers with [`address_in`], zero for nobody and for an agent that does not exist.
#[must_use]
pub fn get_agent_wallet(agent: AgentId) -> Bytes {
    abi::getAgentWalletCall { agentId: agent.0 }.abi_encode().into()
}

/// The call `ownerOf(agentId)`; answers with [`address_in`], reverts for an agent that does not exist.
#[must_use]
pub fn owner_of(agent: AgentId) -> Bytes {
    abi::ownerOfCall { tokenId: agent.0 }.abi_encode().into()
}

/// The call `tokenURI(agentId)`; answers with [`bytes_in`], reverts for an agent that does not exist.
#[must_use]
pub fn token_uri(agent: AgentId) -> Bytes {
    abi::tokenURICall { tokenId: agent.0 }.abi_encode().into()
}

/// The address that an answer consists of; `None` where it is something else.
#[must_use]
pub fn address_in(answer: &[u8]) -> Option<Address> {
    let word = B256::try_from(answer).ok()?;
    address_in_word(word)
}

/// The address in a storage word; `None` where the word holds something else.
#[must_use]
pub fn address_in_word(word: B256) -> Option<Address> {
    let (high, low) = word.split_at(12);
    high.iter().all(|byte| *byte == 0).then(|| Address::from_slice(low))
}

/// The bytes of the string that an answer consists of, whether or not they are UTF-8; `None` where it is something else.
#[must_use]
pub fn bytes_in(answer: &[u8]) -> Option<Bytes> {
    Bytes::abi_decode(answer).ok()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::hex;

    use super::*;

    #[test]
    fn calls_begin_with_the_selectors_of_the_contract() {
        for (call, selector) in [
            (get_agent_wallet(22.into()), "00339509"),
            (owner_of(22.into()), "6352211e"),
            (token_uri(22.into()), "c87b56dd"),
        ] {
            assert_eq!(hex::encode(&call), format!("{selector}{:064x}", 22));
        }
    }

    #[test]
    fn only_an_address_is_an_address() {
        let mut word = [0_u8; 32];
        assert_eq!(address_in(&word), Some(Address::ZERO));
        word[31] = 7;
        assert_eq!(address_in(&word), Some(Address::with_last_byte(7)));
        word[0] = 1;
        assert_eq!(address_in(&word), None);
        assert_eq!(address_in(&[]), None);
        assert_eq!(address_in(&[0; 64]), None);
    }

    #[test]
    fn strings_that_are_not_utf8_lose_nothing() {
        let answer = Bytes::from_static(b"a\0\xff").abi_encode();
        assert_eq!(bytes_in(&answer), Some(Bytes::from_static(b"a\0\xff")));
        assert_eq!(bytes_in(&answer[..40]), None);
    }
}
