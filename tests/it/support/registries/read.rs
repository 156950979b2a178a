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
/// Where a proxy keeps the address of its code.
const IMPLEMENTATION_SLOT: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

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

    /// The code behind the identity registry's proxy, now.
    pub(crate) async fn identity_code(&self) -> Address {
        let slot = IMPLEMENTATION_SLOT.into();
        let word = self.chain.provider.get_storage_at(self.identity, slot).await.unwrap();
        Address::from_word(word.into())
    }

    /// How many agents there are at the end of a block, from the contract's raw storage: also the next one's id.
    pub(crate) async fn agent_count_at(&self, block: u64) -> U256 {
        let slot = LAST_ID_SLOT.into();
        self.chain.provider.get_storage_at(self.identity, slot).number(block).await.unwrap()
    }

    /// Wallet, owner and URI of the agents from 0 to `count` at the end of a block, many asked at once.
    pub(crate) async fn answers_at(
        &self,
        count: u64,
        block: u64,
    ) -> Vec<(Address, Option<Address>, Option<Bytes>)> {
        let answers = (0..count).map(|agent| async move {
            let agent = U256::from(agent);
            tokio::join!(
                self.wallet_at(agent, block),
                self.owner_at(agent, block),
                self.uri_at(agent, block)
            )
        });
        futures_util::future::join_all(answers).await
    }
}
