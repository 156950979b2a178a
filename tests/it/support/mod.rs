//! What the tests stand on: a real chain, the registries on it, and fresh databases on both engines.

pub(crate) mod abi;
pub(crate) mod anvil;
pub(crate) mod databases;
pub(crate) mod registries;
