//! Hallmark: who an ERC-8004 agent is, and which wallet spoke for it, at any block.

pub mod chain;
pub mod registry;
pub mod vocab;
