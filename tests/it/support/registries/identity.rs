//! Calls of the identity registry.
//!
//! Each is named for what it does and documented by the function it calls. Only the proof of a wallet is more than encoding.

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, Bytes, U256};
use alloy::providers::Provider;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolCall, SolStruct, SolValue, eip712_domain};

use super::{Registries, raw_call, text};
use crate::support::abi::{AgentWalletSet, IIdentity};
use crate::support::anvil::Call;

/// How long a wallet's proof holds; the contract allows five minutes.
const PROOF_VALID_S: u64 = 240;

impl Registries {
    /// `register()`.
    pub(crate) fn register(&self, from: Address) -> Call {
        self.identity_call(from, IIdentity::register_0Call {}.abi_encode())
    }

    /// `register(string)`.
    pub(crate) fn register_with_uri(&self, from: Address, uri: impl AsRef<[u8]>) -> Call {
        let arguments = (text(uri),).abi_encode_params();
        self.identity_call(from, raw_call(IIdentity::register_1Call::SELECTOR, &arguments))
    }

    /// `register(string, (string, bytes)[])`.
    pub(crate) fn register_with_metadata(
        &self,
        from: Address,
        uri: impl AsRef<[u8]>,
        metadata: &[(&[u8], &[u8])],
    ) -> Call {
        let entries: Vec<_> =
            metadata.iter().map(|(key, value)| (text(key), text(value))).collect();
        let arguments = (text(uri), entries).abi_encode_params();
        self.identity_call(from, raw_call(IIdentity::register_2Call::SELECTOR, &arguments))
    }

    /// `setAgentURI`.
    pub(crate) fn set_uri(&self, from: Address, agent: U256, uri: impl AsRef<[u8]>) -> Call {
        let arguments = (agent, text(uri)).abi_encode_params();
        self.identity_call(from, raw_call(IIdentity::setAgentURICall::SELECTOR, &arguments))
    }

    /// `setMetadata`.
    pub(crate) fn set_metadata(
        &self,
        from: Address,
        agent: U256,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Call {
        let arguments = (agent, text(key), text(value)).abi_encode_params();
        self.identity_call(from, raw_call(IIdentity::setMetadataCall::SELECTOR, &arguments))
    }

    /// `setAgentWallet`, with the wallet's own signature for the agent's present owner.
    pub(crate) async fn set_wallet(
        &self,
        from: Address,
        agent: U256,
        wallet: &PrivateKeySigner,
    ) -> Call {
        self.set_wallet_signed_by(from, agent, wallet.address(), wallet).await
    }

    /// `setAgentWallet` of any address, with the signature of any key: for a [`Registries::contract_wallet`], its keeper's.
    pub(crate) async fn set_wallet_signed_by(
        &self,
        from: Address,
        agent: U256,
        wallet: Address,
        signer: &PrivateKeySigner,
    ) -> Call {
        let latest = self.chain.block(BlockNumberOrTag::Latest).await.header;
        let owner = self.owner_at(agent, latest.number).await.expect("the agent exists");
        let deadline = U256::from(latest.timestamp + PROOF_VALID_S);
        let signature = self.prove(agent, wallet, owner, deadline, signer).await;
        self.set_wallet_raw(from, agent, wallet, deadline, signature)
    }

    /// `setAgentWallet`, with whatever stands as deadline and signature.
    pub(crate) fn set_wallet_raw(
        &self,
        from: Address,
        agent: U256,
        wallet: Address,
        deadline: U256,
        signature: impl Into<Bytes>,
    ) -> Call {
        let signature = signature.into();
        let call = IIdentity::setAgentWalletCall {
            agentId: agent,
            newWallet: wallet,
            deadline,
            signature,
        };
        self.identity_call(from, call.abi_encode())
    }

    /// The signature that proves a wallet, over the typed data of the identity registry.
    pub(crate) async fn prove(
        &self,
        agent: U256,
        wallet: Address,
        owner: Address,
        deadline: U256,
        signer: &PrivateKeySigner,
    ) -> Vec<u8> {
        let domain = eip712_domain! {
            name: "ERC8004IdentityRegistry",
            version: "1",
            chain_id: self.chain.provider.get_chain_id().await.unwrap(),
            verifying_contract: self.identity,
        };
        let statement = AgentWalletSet { agentId: agent, newWallet: wallet, owner, deadline };
        let digest = statement.eip712_signing_hash(&domain);
        signer.sign_hash_sync(&digest).expect("a local key signs").as_bytes().to_vec()
    }

    /// `unsetAgentWallet`.
    pub(crate) fn unset_wallet(&self, from: Address, agent: U256) -> Call {
        self.identity_call(from, IIdentity::unsetAgentWalletCall { agentId: agent }.abi_encode())
    }

    /// Only in the unknown implementation: another wallet, without the usual event.
    pub(crate) fn settle_wallet(&self, from: Address, agent: U256, wallet: Address) -> Call {
        let call = IIdentity::settleWalletCall { agentId: agent, wallet };
        self.identity_call(from, call.abi_encode())
    }

    /// `transferFrom`, sent by `from` itself.
    pub(crate) fn transfer(&self, from: Address, to: Address, agent: U256) -> Call {
        self.transfer_by(from, from, to, agent)
    }

    /// `transferFrom`, sent by an approved account.
    pub(crate) fn transfer_by(
        &self,
        sender: Address,
        from: Address,
        to: Address,
        agent: U256,
    ) -> Call {
        let call = IIdentity::transferFromCall { from, to, tokenId: agent };
        self.identity_call(sender, call.abi_encode())
    }

    /// `safeTransferFrom`, sent by `from` itself.
    pub(crate) fn safe_transfer(&self, from: Address, to: Address, agent: U256) -> Call {
        let call = IIdentity::safeTransferFromCall { from, to, tokenId: agent };
        self.identity_call(from, call.abi_encode())
    }

    /// `approve`.
    pub(crate) fn approve(&self, from: Address, to: Address, agent: U256) -> Call {
        self.identity_call(from, IIdentity::approveCall { to, tokenId: agent }.abi_encode())
    }

    /// `setApprovalForAll`.
    pub(crate) fn set_operator(&self, from: Address, operator: Address, approved: bool) -> Call {
        self.identity_call(
            from,
            IIdentity::setApprovalForAllCall { operator, approved }.abi_encode(),
        )
    }

    fn identity_call(&self, from: Address, data: impl Into<Bytes>) -> Call {
        Call::new(from, self.identity, data)
    }
}
