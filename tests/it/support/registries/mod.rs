//! The three registries on a test chain, and the calls one can make of them.
//!
//! A call is a value: `chain.send(registries.register(..))` makes it a transaction, [`Registrant`] makes it part of another. Texts are
//! taken as bytes, for a Solidity string may hold any. What the contracts answer is read at a block, so a test can compare the
//! whole past. The contracts are described in `tests/contracts/README.md`.

mod feedback;
mod identity;
mod read;
mod registrant;

use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolCall, SolValue};

use super::abi::IUpgradeable;
use super::anvil::{Call, Chain, account};
pub(crate) use registrant::Registrant;

/// The creation code of a contract, followed by its constructor's arguments.
macro_rules! creation_code {
    ($name:literal, $arguments:expr) => {
        creation_code(
            include_str!(concat!("../../../contracts/artifacts/", $name, ".json")),
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

    /// The block from which on the identity registry answers questions about agents: version 2.0.0 is in place.
    pub(crate) fn first_answer(&self) -> u64 {
        self.births[1].block_number.expect("it was mined")
    }

    /// Makes the code that nobody knows, version "3.0.0-test", without putting it in place.
    pub(crate) async fn unknown_identity_code(&self) -> Address {
        create(&self.chain, creation_code!("IdentityRegistryNext", [])).await
    }

    /// Puts other code in the place of the identity registry's, without an initialiser.
    pub(crate) fn upgrade_identity(&self, implementation: Address) -> Call {
        upgrade(self.owner, self.identity, implementation, Vec::new())
    }

    /// Replaces the identity registry's code by one nobody knows, version "3.0.0-test".
    pub(crate) async fn upgrade_identity_to_unknown(&self) -> TransactionReceipt {
        let next = self.unknown_identity_code().await;
        let initializer = IUpgradeable::initialize_0Call {}.abi_encode();
        self.chain.send(upgrade(self.owner, self.identity, next, initializer)).await
    }

    /// Puts version 2.0.0 back in its place.
    pub(crate) fn downgrade_identity(&self) -> Call {
        upgrade(self.owner, self.identity, self.implementations[0], Vec::new())
    }

    /// A contract that owns agents.
    pub(crate) async fn registrant(&self) -> Registrant {
        Registrant { address: create(&self.chain, creation_code!("Registrant", [])).await }
    }

    /// A wallet that has signed what its keeper has signed.
    pub(crate) async fn contract_wallet(&self, keeper: Address) -> Address {
        contract_wallet_of(&self.chain, keeper).await
    }
}

/// A wallet that has signed what its keeper has signed, on a chain that may have no registries.
pub(crate) async fn contract_wallet_of(chain: &Chain, keeper: Address) -> Address {
    create(chain, creation_code!("ContractWallet", keeper.abi_encode())).await
}

/// A contract that makes such wallets, at addresses that are known before.
pub(crate) async fn wallet_factory(chain: &Chain) -> Address {
    create(chain, creation_code!("WalletFactory", [])).await
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
