//! What the tests stand on: databases, a scripted chain, and a real one with the registries on it.

pub(crate) mod abi;
pub(crate) mod anvil;
pub(crate) mod databases;
pub(crate) mod dump;
pub(crate) mod elsewhere;
pub(crate) mod indexer;
pub(crate) mod liar;
pub(crate) mod life;
pub(crate) mod registries;
pub(crate) mod scripted;
pub(crate) mod service;
pub(crate) mod tale;
pub(crate) mod tls;
