//! What Hallmark remembers, on SQLite or PostgreSQL.
//!
//! One [`Database`], whose transactions answer questions named for what is asked. All SQL of the program stands in this folder, as
//! constants at the top of the file whose functions run it, each one text for both engines. Nothing here decides anything: what is
//! written was worked out by the pure modules, and what is read is handed over as their types.
//!
//! Every public function is called by a test on both engines: SQLite takes an unbound parameter for NULL, PostgreSQL refuses it.

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
mod characters;
mod columns;
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
mod plugins;
mod postings;
mod read_model;
mod record_notes;
mod rekeyings;
mod spans;
mod subjects;
mod timelines;

pub use accounts::{AccountRole, AgentOfAccount};
pub use appending::{NewRecord, claimed_key};
pub use attestations::{RecordSource, RecordsBy, StoredRecord};
pub use audit::{EventLabels, RecordRule, RuleBreak, SpanPlace};
pub use blocks::HeldBlock;
pub use chain::{Binding, Halt, Registry, Reorg, Tags};
pub use challenges::{GivenChallenge, Invitation};
pub use character_wallets::{LinkEvidence, ProvenLink, UnlinkedBy};
pub use characters::Character;
pub use delegation_edges::{EdgeTotals, StoredEdge, StoredHopFinding};
pub use delegations::{NewDelegation, StoredDelegation};
pub use disputes::Dispute;
pub use engine::{Database, Tx, WriterLock};
pub use error::StorageError;
pub use events::{EventsAfter, StoredEvent, StoredLog};
pub use file_agents::{EntryNow, FileProgress, NamedBy, SourceCounts};
pub use file_kept::FileMoment;
pub use files::{DueSource, Fetch, FileVersion, NEVER, SourceState};
pub use findings::NotedFinding;
pub use meanings::{LinkBasis, NameLink};
pub use observations::{Observation, ObservedSubject};
pub use participants::{ParticipantChange, ParticipantEvent};
pub use parties::{Party, PartyPlace, PartyState};
pub use plugins::Plugin;
pub use postings::CHUNK;
pub use read_model::Revision;
pub use record_notes::{RecordFinding, RefusedRecord};
pub use rekeyings::{PartyChange, Replaced};
