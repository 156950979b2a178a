//! At the end of every block, what is recorded equals what the contract answers.
//!
//! The strongest test of the fold: hundreds of transactions drawn from a seed, every kind of operation, re-entrant registrations and
//! blocks of several transactions among them. Every agent's wallet, owner and URI are compared at every block since the deployment.

use crate::support::anvil::Anvil;
use crate::support::databases::on_both_engines;
use crate::support::indexer::Indexer;
use crate::support::life::Life;
use crate::support::registries::Registries;

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
    }
}
