//! What the tests stand on: a real chain, and the registries on it.

pub(crate) mod abi;
pub(crate) mod anvil;
pub(crate) mod registries;
