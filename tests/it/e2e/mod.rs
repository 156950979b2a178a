//! The whole indexer on a real chain: registries on anvil, the program's own following, both engines.
//!
//! Each file is one subject. What is compared with is never the program itself but the contract's own answers, a database that was
//! made from scratch, or facts written down by hand. The harness is `support::indexer`.

mod audit;
mod busy;
mod documents;
mod every_block;
mod feedback;
mod files;
mod finality;
mod judgement;
mod kill;
mod operators;
mod providers;
mod rebuild;
mod reentrancy;
mod refusals;
mod registration;
mod reorg;
mod repair;
mod texts;
mod tls;
mod undecodable;
mod upgrade;
mod wallets;
mod websocket;

use alloy::primitives::Address;
use hallmark::identity::{SpanCause, SpanEnd, SpanRecord};

use crate::support::anvil::{Anvil, account};
use crate::support::indexer::Indexer;
use crate::support::registries::Registries;

/// The address of a person of a test.
fn who(name: &str) -> Address {
    account(name).address()
}

/// A span as a test writes it down: whose, since when, until when, why it began and why it ended. Blocks are counted from one given.
type Row = (Address, u64, Option<u64>, Option<SpanCause>, Option<SpanEnd>);

fn rows(spans: &[SpanRecord], block_0: u64) -> Vec<Row> {
    let row = |span: &SpanRecord| {
        let account = span.value.account().unwrap_or_default();
        let to = span.span.to.map(|to| to.block_number - block_0);
        (account, span.span.from.block_number - block_0, to, span.cause, span.ended_by)
    };
    spans.iter().map(row).collect()
}

/// A chain with the registries on it, and what follows it.
struct Stage {
    anvil: Anvil,
    registries: Registries,
    indexer: Indexer,
}

impl Stage {
    async fn new(database: hallmark::storage::Database) -> Self {
        let anvil = Anvil::spawn().await;
        let registries = Registries::deploy(&anvil).await;
        let indexer = Indexer::new(&registries, database);
        Self { anvil, registries, indexer }
    }

    /// Follows to the head, and holds every agent at every block against the contract.
    async fn follow(&self) -> u64 {
        self.indexer.catch_up().await;
        let head = self.anvil.head().await;
        let blocks = self.registries.first_answer()..=head;
        self.indexer.equals_contract(&self.registries, blocks).await;
        head
    }
}
