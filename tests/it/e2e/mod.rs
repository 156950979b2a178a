//! The whole indexer on a real chain: registries on anvil, the program's own following, both engines.
//!
//! Each file is one subject. What is compared with is never the program itself but the contract's own answers, a database that was
//! made from scratch, or facts written down by hand. The harness is `support::indexer`.

mod audit;
mod every_block;
mod finality;
mod rebuild;
mod refusals;
mod registration;
mod reorg;
mod upgrade;
mod websocket;

use alloy::primitives::Address;

use crate::support::anvil::account;

/// The address of a person of a test.
fn who(name: &str) -> Address {
    account(name).address()
}
