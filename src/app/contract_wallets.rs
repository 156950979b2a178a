//! Asking contracts whether they signed: what a judgement without the chain leaves open, settled by a node.
//!
//! One read-only call at the node's head, whose number and hash go with the answer: a contract may say otherwise later. How many are
//! asked at a time is bounded, since what is run is a stranger's code, and of these one client has a share.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::shares::Shares;
use crate::attest::wallet::{Judgement, Question, SignedBy, Verdict};
use crate::chain::{BlockTag, ChainError, ChainSource, Providers, RpcSource};
use crate::registry::contract_wallet::{ContractSays, says, signature_check};
use crate::vocab::ChainId;

/// So many contracts are asked at a time; who comes later waits.
const TURNS: usize = 8;
/// So many for one client, which waits for them while others are asked.
const TURNS_OF_CLIENT: usize = 2;

/// Why nobody knows whether an account signed.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// A contract would have to be asked, and no node of its chain can be.
    #[error("{0}")]
    NoNode(String),
    /// The node did not answer.
    #[error(
        "{so_far}; if the account is a contract, the node cannot be asked about it now: try again"
    )]
    Node {
        /// What is known without it.
        so_far: String,
        /// Why it did not.
        source: Box<ChainError>,
    },
}

/// Asks the contracts of one chain. Copies share their turns.
#[derive(Clone, Debug)]
pub struct ContractWallets {
    nodes: Arc<Providers<RpcSource>>,
    chain: ChainId,
    turns: Arc<Semaphore>,
    shares: Shares,
    /// For whom they are asked, where that is told.
    client: Option<IpAddr>,
}

impl ContractWallets {
    /// By these nodes of a chain; nothing is asked yet.
    #[must_use]
    pub fn new(nodes: Arc<Providers<RpcSource>>, chain: ChainId) -> Self {
        let (turns, shares) = (Arc::new(Semaphore::new(TURNS)), Shares::of(TURNS_OF_CLIENT));
        Self { nodes, chain, turns, shares, client: None }
    }

    /// The same for one client, by its address, which has only so many asked at a time and waits for the others.
    #[must_use]
    pub fn of_client(&self, client: IpAddr) -> Self {
        Self { client: Some(client), ..self.clone() }
    }

    async fn ask(&self, question: &Question) -> Result<Verdict, ChainError> {
        let _share = self.shares.take(self.client).await;
        // Closed never: nobody closes it.
        let _turn = self.turns.acquire().await;
        let head = self.nodes.header(BlockTag::Latest).await?.ok_or_else(no_head)?.block;
        let Question { account, digest, signature, is_wrapped, .. } = question;
        let code = match signature_check(account.address, *digest, signature, *is_wrapped) {
            Ok(code) => code,
            Err(error) => return Ok(Verdict::Unsigned(error.to_string())),
        };
        let answer = match self.nodes.run(code, head).await {
            Ok(answer) => answer,
            // The node is well, and says that this code runs to no end.
            Err(ChainError::Fatal { .. }) => {
                return Ok(question.refused("the node cannot run the contract", head));
            }
            Err(error) => return Err(error),
        };
        let refused = |words: &str| question.refused(words, head);
        Ok(match says(&answer) {
            Some(ContractSays::Agrees) => Verdict::Signed(SignedBy::Contract(head)),
            Some(ContractSays::AgreesOnceDeployed) => Verdict::Signed(SignedBy::Undeployed(head)),
            Some(ContractSays::NoCode) => refused("no contract is at the account"),
            Some(ContractSays::Disagrees) => {
                refused("the contract at the account does not take it for its own (ERC-1271)")
            }
            Some(ContractSays::NotDeployed) => {
                refused("the factory that the signature names makes no contract at the account")
            }
            Some(ContractSays::DisagreesOnceDeployed) => {
                refused("the contract that the factory makes does not take it for its own")
            }
            None => refused("what the node answers is no answer to it"),
        })
    }
}

fn no_head() -> ChainError {
    ChainError::Transient {
        endpoint: "the list of nodes".to_owned(),
        asked: "its head".to_owned(),
        reason: "there is none".to_owned(),
        retry_after: None,
    }
}

/// Whether an account signed, with the chain's word where that is needed.
///
/// # Errors
/// When a contract would have to be asked and cannot be.
pub async fn settle(
    judgement: Judgement,
    contracts: Option<&ContractWallets>,
) -> Result<Verdict, AskError> {
    let question = match judgement {
        Judgement::Signed => return Ok(Verdict::Signed(SignedBy::Key)),
        Judgement::Ask(question) => question,
    };
    match contracts {
        Some(contracts) if contracts.chain == question.account.chain => {
            let failed = |error| AskError::Node {
                so_far: question.not_by_its_key(),
                source: Box::new(error),
            };
            contracts.ask(&question).await.map_err(failed)
        }
        other => Err(AskError::NoNode(question.unasked(other.map(|contracts| contracts.chain)))),
    }
}
