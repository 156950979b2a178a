//! The whole indexer on a real chain: registries on anvil, the program's own following, both engines.
//!
//! Each file is one subject. What is compared with is never the program itself but the contract's own answers, a database that was
//! made from scratch, or facts written down by hand. The harness is `support::indexer`.

mod every_block;
mod registration;
mod upgrade;

use alloy::primitives::Address;

use crate::support::anvil::account;

/// The address of a person of a test.
fn who(name: &str) -> Address {
    account(name).address()
}
