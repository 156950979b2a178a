//! What the identity registry answers at the end of a block: the truth that tests compare with.
//!
//! Any block since the deployment may be asked; before it there is no code, and the answers cannot be read.

use alloy::primitives::{Address, B256, Bytes, U256, b256};
use alloy::providers::Provider;
use alloy::sol_types::{SolCall, SolValue};

use super::{Registries, raw_call, text};
use crate::support::abi::IIdentity;

/// Where the identity registry keeps the next agent's id.
const LAST_ID_SLOT: B256 =
    b256!("a040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00");

impl Registries {
    /// `getAgentWallet` at the end of a block; zero is no wallet, or no agent.
    pub(crate) async fn wallet_at(&self, agent: U256, block: u64) -> Address {
        let call = IIdentity::getAgentWalletCall { agentId: agent }.abi_encode();
        let answer = self.chain.read(self.identity, call.into(), block).await;
        Address::abi_decode(&answer.expect("it never reverts")).unwrap()
    }

    /// `ownerOf` at the end of a block, if the agent existed.
    pub(crate) async fn owner_at(&self, agent: U256, block: u64) -> Option<Address> {
        let call = IIdentity::ownerOfCall { tokenId: agent }.abi_encode();
        let answer = self.chain.read(self.identity, call.into(), block).await?;
        Some(Address::abi_decode(&answer).unwrap())
    }

    /// `tokenURI` at the end of a block, as bytes, if the agent existed.
    pub(crate) async fn uri_at(&self, agent: U256, block: u64) -> Option<Bytes> {
        let call = IIdentity::tokenURICall { tokenId: agent }.abi_encode();
        let answer = self.chain.read(self.identity, call.into(), block).await?;
        Some(Bytes::abi_decode(&answer).unwrap())
    }

    /// `getMetadata` at the end of a block; empty where never set.
    pub(crate) async fn metadata_at(
        &self,
        agent: U256,
        key: impl AsRef<[u8]>,
        block: u64,
    ) -> Bytes {
        let arguments = (agent, text(key)).abi_encode_params();
        let call = raw_call(IIdentity::getMetadataCall::SELECTOR, &arguments);
        let answer = self.chain.read(self.identity, call, block).await;
        Bytes::abi_decode(&answer.expect("it never reverts")).unwrap()
    }

    /// How many agents there are at the end of a block, from the contract's raw storage: also the next one's id.
    pub(crate) async fn agent_count_at(&self, block: u64) -> U256 {
        let slot = LAST_ID_SLOT.into();
        self.chain.provider.get_storage_at(self.identity, slot).number(block).await.unwrap()
    }
}
