//! The three registries on a test chain, and the calls one can make of them.
//!
//! A call is a value: `chain.send(registries.register(..))` makes it a transaction, [`Registrant`] makes it part of another. Texts are
//! taken as bytes, for a Solidity string may hold any. What the contracts answer is read at a block, so a test can compare the
//! whole past. The contracts are described in `tests/contracts/README.md`.

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256, Bytes, U256, b256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolCall, SolStruct, SolValue, eip712_domain};

use super::abi::{AgentWalletSet, IIdentity, IRegistrant, IReputation, IUpgradeable, IValidation};
use super::anvil::{Call, Chain, account};

/// Where the identity registry keeps the next agent's id.
const LAST_ID_SLOT: B256 =
    b256!("a040f782729de4970518741823ec1276cbcd41a0c7493f62d173341566a04e00");
/// How long a wallet's proof holds; the contract allows five minutes.
const PROOF_VALID_S: u64 = 240;

/// The creation code of a contract, followed by its constructor's arguments.
macro_rules! creation_code {
    ($name:literal, $arguments:expr) => {
        creation_code(
            include_str!(concat!("../../contracts/artifacts/", $name, ".json")),
            &$arguments,
        )
    };
}

fn creation_code(artifact: &str, arguments: &[u8]) -> Bytes {
    #[derive(serde::Deserialize)]
    struct Artifact {
        bytecode: Bytes,
    }
    let artifact: Artifact =
        serde_json::from_str(artifact).expect("the artifact is committed whole");
    [&artifact.bytecode, arguments].concat().into()
}

/// A call of the selector's function with arguments encoded elsewhere: how a string that is not UTF-8 is passed.
fn raw_call(selector: [u8; 4], arguments: &[u8]) -> Bytes {
    [&selector, arguments].concat().into()
}

fn text(bytes: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(bytes.as_ref())
}

/// The proxies of the three registries. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Registries {
    pub(crate) chain: Chain,
    pub(crate) identity: Address,
    pub(crate) reputation: Address,
    pub(crate) validation: Address,
    /// Who may upgrade them.
    pub(crate) owner: Address,
    /// The implementation of version 2.0.0 of each, in the same order.
    pub(crate) implementations: [Address; 3],
    /// The transactions that concern the proxies: identity deployed, upgraded; reputation; validation.
    pub(crate) births: Vec<TransactionReceipt>,
}

impl Registries {
    /// Deploys all three as on Base: a proxy on a placeholder first, then the upgrade to version 2.0.0.
    pub(crate) async fn deploy(chain: &Chain) -> Self {
        let owner = account("registry owner").address();
        let placeholder = create(chain, creation_code!("Placeholder", [])).await;
        let codes = [
            creation_code!("IdentityRegistry", []),
            creation_code!("ReputationRegistry", []),
            creation_code!("ValidationRegistry", []),
        ];
        let (mut proxies, mut implementations, mut births) = (Vec::new(), Vec::new(), Vec::new());
        for code in codes {
            let first = IUpgradeable::initialize_1Call { account: owner }.abi_encode();
            let arguments = (placeholder, Bytes::from(first)).abi_encode_params();
            let birth = creation(chain, creation_code!("Proxy", arguments)).await;
            let proxy = birth.contract_address.expect("a creation");
            let implementation = create(chain, code).await;
            let initializer = match proxies.first() {
                None => IUpgradeable::initialize_0Call {}.abi_encode(),
                Some(&identity) => {
                    IUpgradeable::initialize_1Call { account: identity }.abi_encode()
                }
            };
            let upgrade = upgrade(owner, proxy, implementation, initializer);
            births.extend([birth, chain.send(upgrade).await]);
            proxies.push(proxy);
            implementations.push(implementation);
        }
        let implementations = [implementations[0], implementations[1], implementations[2]];
        let [identity, reputation, validation] = [proxies[0], proxies[1], proxies[2]];
        let chain = chain.clone();
        Self { chain, identity, reputation, validation, owner, implementations, births }
    }

    /// The block in which the identity registry began.
    pub(crate) fn first_block(&self) -> u64 {
        self.births[0].block_number.expect("it was mined")
    }

    /// Replaces the identity registry's code by one nobody knows, version "3.0.0-test".
    pub(crate) async fn upgrade_identity_to_unknown(&self) -> TransactionReceipt {
        let next = create(&self.chain, creation_code!("IdentityRegistryNext", [])).await;
        let initializer = IUpgradeable::initialize_0Call {}.abi_encode();
        self.chain.send(upgrade(self.owner, self.identity, next, initializer)).await
    }

    /// Puts version 2.0.0 back in its place.
    pub(crate) fn downgrade_identity(&self) -> Call {
        upgrade(self.owner, self.identity, self.implementations[0], Vec::new())
    }

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

    /// `giveFeedback`, with no more than a value of no decimals and a tag.
    pub(crate) fn give_feedback(
        &self,
        from: Address,
        agent: U256,
        value: i128,
        tag1: impl AsRef<[u8]>,
    ) -> Call {
        let none = Bytes::new;
        self.give_feedback_in_full(
            from,
            (agent, value, 0, text(tag1), none(), none(), none(), B256::ZERO),
        )
    }

    /// `giveFeedback`: agent, value, decimals, tag1, tag2, endpoint, URI, hash.
    pub(crate) fn give_feedback_in_full(
        &self,
        from: Address,
        (agent, value, decimals, tag1, tag2, endpoint, uri, hash): Feedback,
    ) -> Call {
        let decimals = U256::from(decimals);
        let arguments =
            (agent, value, decimals, tag1, tag2, endpoint, uri, hash).abi_encode_params();
        let data = raw_call(IReputation::giveFeedbackCall::SELECTOR, &arguments);
        Call::new(from, self.reputation, data)
    }

    /// `revokeFeedback`.
    pub(crate) fn revoke_feedback(&self, from: Address, agent: U256, index: u64) -> Call {
        let call = IReputation::revokeFeedbackCall { agentId: agent, feedbackIndex: index };
        Call::new(from, self.reputation, call.abi_encode())
    }

    /// `appendResponse`.
    pub(crate) fn append_response(
        &self,
        from: Address,
        agent: U256,
        client: Address,
        index: u64,
        uri: impl AsRef<[u8]>,
    ) -> Call {
        let arguments =
            (agent, client, U256::from(index), text(uri), B256::ZERO).abi_encode_params();
        let data = raw_call(IReputation::appendResponseCall::SELECTOR, &arguments);
        Call::new(from, self.reputation, data)
    }

    /// `validationRequest`.
    pub(crate) fn request_validation(
        &self,
        from: Address,
        validator: Address,
        agent: U256,
        uri: impl AsRef<[u8]>,
        request_hash: B256,
    ) -> Call {
        let arguments = (validator, agent, text(uri), request_hash).abi_encode_params();
        let data = raw_call(IValidation::validationRequestCall::SELECTOR, &arguments);
        Call::new(from, self.validation, data)
    }

    /// `validationResponse`.
    pub(crate) fn respond_validation(
        &self,
        from: Address,
        request_hash: B256,
        response: u8,
        uri: impl AsRef<[u8]>,
        tag: impl AsRef<[u8]>,
    ) -> Call {
        let arguments = (request_hash, U256::from(response), text(uri), B256::ZERO, text(tag))
            .abi_encode_params();
        let data = raw_call(IValidation::validationResponseCall::SELECTOR, &arguments);
        Call::new(from, self.validation, data)
    }

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

    /// A contract that owns agents.
    pub(crate) async fn registrant(&self) -> Registrant {
        Registrant { address: create(&self.chain, creation_code!("Registrant", [])).await }
    }

    /// A wallet that has signed what its keeper has signed.
    pub(crate) async fn contract_wallet(&self, keeper: Address) -> Address {
        create(&self.chain, creation_code!("ContractWallet", keeper.abi_encode())).await
    }

    fn identity_call(&self, from: Address, data: impl Into<Bytes>) -> Call {
        Call::new(from, self.identity, data)
    }
}

/// Agent, value, decimals, tag1, tag2, endpoint, URI, hash.
pub(crate) type Feedback = (U256, i128, u8, Bytes, Bytes, Bytes, Bytes, B256);

/// A contract that makes calls in its own name, also in the middle of a registration. Its signature, where it is named as a wallet, is
/// the text "yes".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registrant {
    pub(crate) address: Address,
}

impl Registrant {
    /// In a call made inside a registration: the agent that is just being registered.
    pub(crate) const THIS_AGENT: U256 = U256::MAX;
    /// What it takes to prove it as a wallet.
    pub(crate) const SIGNATURE: &'static [u8] = b"yes";

    /// Makes `registration`, and the calls of `inside` while the registry waits for its receiver's answer.
    pub(crate) fn register(self, from: Address, registration: &Call, inside: &[Call]) -> Call {
        let call = IRegistrant::registerWithCall {
            registry: registration.to.expect("a call of the registry"),
            registration: registration.data.clone(),
            callbacks: inside.iter().map(|call| call.data.clone()).collect(),
        };
        Call::new(from, self.address, call.abi_encode())
    }

    /// Makes several calls of one contract in one transaction.
    pub(crate) fn execute(self, from: Address, calls: &[Call]) -> Call {
        let call = IRegistrant::executeCall {
            target: calls[0].to.expect("a call of a contract"),
            calls: calls.iter().map(|call| call.data.clone()).collect(),
        };
        Call::new(from, self.address, call.abi_encode())
    }
}

fn upgrade(owner: Address, proxy: Address, implementation: Address, initializer: Vec<u8>) -> Call {
    let data = initializer.into();
    let call = IUpgradeable::upgradeToAndCallCall { newImplementation: implementation, data };
    Call::new(owner, proxy, call.abi_encode())
}

async fn creation(chain: &Chain, code: Bytes) -> TransactionReceipt {
    chain.send(Call { from: account("deployer").address(), to: None, data: code }).await
}

async fn create(chain: &Chain, code: Bytes) -> Address {
    creation(chain, code).await.contract_address.expect("a creation")
}
