//! Hallmark: who an ERC-8004 agent is, and which wallet spoke for it, at any block.

pub mod api;
pub mod app;
pub mod attest;
pub mod chain;
pub mod cli;
pub mod config;
pub mod delegation;
pub mod demo;
pub mod did;
pub mod identity;
pub mod intake;
pub mod plugin;
pub mod project;
pub mod registry;
pub mod rekey;
pub mod storage;
pub mod tfd;
pub mod vocab;
