//! At the end of every block, what is recorded equals what the contract answers.
//!
//! The strongest test of the fold: hundreds of transactions drawn from a seed, every kind of operation, re-entrant registrations and
//! blocks of several transactions among them. Every agent's wallet, owner and URI are compared at every block since the deployment.

use std::sync::Arc;

use alloy::primitives::Address;
use hallmark::vocab::UnixSeconds;

use crate::support::anvil::{Anvil, CHAIN_ID};
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;
use crate::support::service::{self, Service};

const TRANSACTIONS: u64 = 320;
const AGENTS_MAX: u64 = 15;
const SEED: u64 = 8_004;

on_both_engines! {
    /// One part is backfilled in ranges, the other followed block by block.
    async fn every_block_equals_the_contract(db: Database) {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let mut life = Life::new(&registries, SEED, AGENTS_MAX).await;
        life.go_on(TRANSACTIONS).await;
        let mut indexer = Indexer::new(&registries, db);
        indexer.options.range_max = 16;
        indexer.options.step_blocks = 7;
        indexer.catch_up().await;
        let head = anvil.head().await;
        assert!(life.sent() >= TRANSACTIONS);
        let count: u64 = registries.agent_count_at(head).await.to();
        assert!(count >= AGENTS_MAX - 1, "only {count} agents");
        indexer.equals_contract(&registries, registries.first_answer()..=head).await;
        answers_equal_the_contract(&registries, &indexer, head).await;
    }
}

/// The same through the service: what it answers as of every block.
async fn answers_equal_the_contract(registries: &Registries, indexer: &Indexer, head: u64) {
    let mut state = service::state(&indexer.database, UnixSeconds::MAX);
    state.known = Arc::new(indexer.known.clone());
    let service = Service::new(state);
    let account = |address: Address| format!("eip155:{CHAIN_ID}:{address}");
    for block in registries.first_answer()..=head {
        let count: u64 = registries.agent_count_at(block).await.to();
        let theirs = registries.answers_at(count, block).await;
        for (agent, (wallet, owner, uri)) in (0..count).zip(theirs) {
            let said = service.ok(&format!("/v1/agents/{agent}?at=block:{block}")).await;
            let place = format!("agent {agent} at block {block}");
            let owner = owner.map(account);
            assert_eq!(said["owner"].as_str(), owner.as_deref(), "owner of {place}");
            let wallet = (!wallet.is_zero()).then(|| account(wallet));
            assert_eq!(said["wallet"]["account"].as_str(), wallet.as_deref(), "wallet of {place}");
            let uri = uri.unwrap();
            let uri = String::from_utf8_lossy(&uri);
            assert_eq!(said["uri"].as_str(), Some(uri.as_ref()), "URI of {place}");
            assert_eq!(said["as_of"]["block"]["number"], block, "{place}");
        }
        let beyond = service.get(&format!("/v1/agents/{count}?at=block:{block}")).await;
        assert_eq!(beyond.status, 404, "agent {count} at block {block}");
    }
}
