//! The conformance suite of storage: every public function, on both engines, one file for each of `src/storage`.
//!
//! `coverage` fails where a function is not called here; `schema` and `plans` look at the engines themselves.

mod accounts;
mod appending;
mod attestations;
mod audit;
mod blocks;
mod bulk;
mod chain;
mod challenges;
mod changes;
mod character_wallets;
pub(crate) mod characters;
mod coverage;
mod delegation_edges;
mod delegations;
mod disputes;
mod engine;
mod error;
mod events;
mod file_agents;
mod file_kept;
mod files;
mod findings;
mod meanings;
mod mend;
mod migrate;
mod names;
mod observations;
mod participants;
mod parties;
mod plans;
mod plugins;
mod postings;
mod read_model;
mod record_notes;
mod rekeyings;
pub(crate) mod samples;
mod schema;
mod spans;
mod subjects;
mod timelines;
