//! Identifiers: the documents that this service gives, the resolution of any that it understands, and links with their evidence.
//!
//! `documents` serves `did.json` at the paths that did:web asks for; `resolve` is the HTTP binding of DID Resolution, with `accept`,
//! `options` and `result` for its three outer sides; `state` reads what an agent's document is made of, `character` a character's; `links` lists who says that two
//! identifiers name the same.

mod accept;
mod character;
mod character_links;
mod documents;
mod links;
mod options;
mod resolve;
mod result;
mod state;

pub(super) use character::*;
pub(super) use documents::*;
pub(super) use links::*;
pub(super) use resolve::*;
