//! The whole indexer on a real chain: registries on anvil, the program's own following, both engines.
//!
//! Each file is one subject. What is compared with is never the program itself but the contract's own answers, a database that was
//! made from scratch, or facts written down by hand. The harness is `support::indexer`.

mod every_block;
mod registration;
