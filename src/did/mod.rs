//! DIDs and their documents, as functions of what the timelines say.
//!
//! [`Did`] and [`DidUrl`] are the syntax, and [`dereference`] finds what the latter names in a document; [`web`], [`pkh`] and [`key`] are the methods that are understood. A [`Document`] is made of plain facts
//! ([`agent_document`], [`character_document`], [`service_document`]) and never stored: the same facts give the same bytes on any
//! machine. [`version`] says which versions of an agent's document there are, [`CharacterHistory`] which of a character's, [`link`] who
//! says that two identifiers name the same and whether the other side agrees, [`claims`] what an agent's registration file adds to that, [`neighbours`] which agents of this host are asked.
//!
//! Nothing here asks the network or a database; `api` brings the facts and `intake` the documents of others.

mod agent;
mod character;
pub mod claims;
pub mod dereference;
mod did_url;
mod document;
mod error;
mod history;
mod jwk;
pub mod key;
pub mod link;
pub mod neighbours;
pub mod pkh;
mod service;
pub mod shelf;
mod syntax;
pub mod version;
pub mod web;

pub use agent::{AgentFacts, ClaimedService, WalletFact, agent_document};
pub use character::{CharacterFacts, character_document};
pub use did_url::{DidUrl, parameters};
pub use document::{Context, Document, MethodKey, Service, VerificationMethod};
pub use error::DidError;
pub use history::{Change, CharacterHistory, CharacterVersion, WalletLink};
pub use service::{jwk_method, multikey_method, service_document};
pub use syntax::{Did, decode};
