//! The test double emits what version 2.0.0 of the registries emits, in the same order, and stores what it stores.
//!
//! Each test is a row of the table of measured transactions. Logs are compared as texts that name the event and what matters of it,
//! in which people go by their names. What the chain itself does (tags, reorganisations) is in `chain`.

mod chain;
mod feedback;
mod reentrancy;
mod registration;
mod wallet;

use alloy::primitives::{Address, B256, U256, b256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolEventInterface;

use crate::support::abi::IIdentity::IIdentityEvents;
use crate::support::abi::IReputation::IReputationEvents;
use crate::support::abi::IUpgradeable::IUpgradeableEvents;
use crate::support::abi::IValidation::IValidationEvents;
use crate::support::anvil::{Anvil, Call, account};
use crate::support::registries::{Registrant, Registries};

/// Topic 2 of every change of wallet.
const WALLET_TOPIC: B256 =
    b256!("2ac6109326e720d1435c0db66f7e35eda7839f52b6f1f5520a60788e132b4e39");
const NAMES: [&str; 4] = ["alice", "bob", "carol", "dora"];

/// A chain with the registries on it.
struct Stage {
    anvil: Anvil,
    registries: Registries,
    /// Contracts that a test wants to see by name.
    named: Vec<(Address, &'static str)>,
}

impl Stage {
    async fn new() -> Self {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        Self { anvil, registries, named: Vec::new() }
    }

    /// Sends, and returns the labels of the logs.
    async fn logs_of(&self, call: Call) -> Vec<String> {
        let receipt = self.anvil.send(call).await;
        self.labels(&receipt)
    }

    fn labels(&self, receipt: &TransactionReceipt) -> Vec<String> {
        receipt.logs().iter().map(|log| self.label(&log.inner)).collect()
    }

    fn label(&self, log: &alloy::primitives::Log) -> String {
        let (topics, data) = (log.topics(), &log.data.data);
        if let Ok(event) = IIdentityEvents::decode_raw_log(topics, data) {
            return self.identity_label(event, topics);
        }
        if let Ok(event) = IReputationEvents::decode_raw_log(topics, data) {
            return reputation_label(event);
        }
        if let Ok(event) = IValidationEvents::decode_raw_log(topics, data) {
            return validation_label(event);
        }
        match IUpgradeableEvents::decode_raw_log(topics, data).expect("an event of a registry") {
            IUpgradeableEvents::Upgraded(e) => format!("Upgraded {}", self.name(e.implementation)),
            IUpgradeableEvents::OwnershipTransferred(e) => {
                format!(
                    "OwnershipTransferred {} {}",
                    self.name(e.previousOwner),
                    self.name(e.newOwner)
                )
            }
            IUpgradeableEvents::Initialized(e) => format!("Initialized {}", e.version),
        }
    }

    fn identity_label(&self, event: IIdentityEvents, topics: &[B256]) -> String {
        match event {
            IIdentityEvents::Registered(e) => {
                format!("Registered {} {:?} {}", e.agentId, e.agentURI, self.name(e.owner))
            }
            IIdentityEvents::MetadataSet(e) if e.metadataKey == "agentWallet" => {
                assert_eq!(topics[2], WALLET_TOPIC);
                let wallet = match e.metadataValue.len() {
                    0 => "empty",
                    _ => self.name(Address::from_slice(&e.metadataValue)),
                };
                format!("wallet {} {wallet}", e.agentId)
            }
            IIdentityEvents::MetadataSet(e) => {
                format!("MetadataSet {} {:?} {}", e.agentId, e.metadataKey, e.metadataValue)
            }
            IIdentityEvents::URIUpdated(e) => {
                format!("URIUpdated {} {:?} {}", e.agentId, e.newURI, self.name(e.updatedBy))
            }
            IIdentityEvents::Transfer(e) => {
                format!("Transfer {} {} {}", self.name(e.from), self.name(e.to), e.tokenId)
            }
            IIdentityEvents::Approval(e) => {
                format!("Approval {} {} {}", self.name(e.owner), self.name(e.approved), e.tokenId)
            }
            IIdentityEvents::ApprovalForAll(e) => {
                format!(
                    "ApprovalForAll {} {} {}",
                    self.name(e.owner),
                    self.name(e.operator),
                    e.approved
                )
            }
            IIdentityEvents::MetadataUpdate(e) => format!("MetadataUpdate {}", e._tokenId),
        }
    }

    fn name(&self, address: Address) -> &'static str {
        if address.is_zero() {
            return "zero";
        }
        if address == self.registries.owner {
            return "owner";
        }
        if let Some((_, name)) = self.named.iter().find(|(named, _)| *named == address) {
            return name;
        }
        NAMES.into_iter().find(|name| account(name).address() == address).unwrap_or("somebody")
    }

    /// Owner and wallet of an agent, now.
    async fn state(&self, agent: U256) -> (&'static str, &'static str) {
        let head = self.anvil.head().await;
        let owner = self.registries.owner_at(agent, head).await.expect("the agent exists");
        (self.name(owner), self.name(self.registries.wallet_at(agent, head).await))
    }

    /// A contract that calls back, known as "contract".
    async fn registrant(&mut self) -> Registrant {
        let registrant = self.registries.registrant().await;
        self.named.push((registrant.address, "contract"));
        registrant
    }
}

fn reputation_label(event: IReputationEvents) -> String {
    match event {
        IReputationEvents::NewFeedback(e) => {
            format!("NewFeedback {} {} {} {}", e.agentId, e.feedbackIndex, e.value, e.tag1)
        }
        IReputationEvents::FeedbackRevoked(e) => {
            format!("FeedbackRevoked {} {}", e.agentId, e.feedbackIndex)
        }
        IReputationEvents::ResponseAppended(e) => {
            format!("ResponseAppended {} {} {}", e.agentId, e.feedbackIndex, e.responseURI)
        }
    }
}

fn validation_label(event: IValidationEvents) -> String {
    match event {
        IValidationEvents::ValidationRequest(e) => {
            format!("ValidationRequest {} {}", e.agentId, e.requestURI)
        }
        IValidationEvents::ValidationResponse(e) => {
            format!("ValidationResponse {} {} {}", e.agentId, e.response, e.tag)
        }
    }
}

fn who(name: &str) -> Address {
    account(name).address()
}
