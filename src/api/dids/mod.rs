//! Identifiers: the documents that this service gives, the resolution of any that it understands, and links with their evidence.
//!
//! `documents` serves `did.json` at the paths that did:web asks for, `domain` the link between this origin and the service's DID. `binding` is the HTTP binding of DID Resolution: `request`
//! reads what is asked, with `accept`, `options` and `posted`; `resolve` and `dereference` are the two functions; `result` and `refusal` are
//! what they say. `state` reads what an agent's document is made of, `character` a character's, `service` the service's own; `links`, `account_links` and
//! `character_links` list who says that two identifiers name the same.

mod accept;
mod account_links;
mod binding;
mod character;
mod character_links;
mod dereference;
mod documents;
mod domain;
mod links;
mod options;
mod posted;
mod refusal;
mod request;
mod resolve;
mod result;
mod service;
mod state;

pub(super) use binding::*;
pub(super) use character::*;
pub(super) use documents::*;
pub(super) use domain::*;
pub(super) use links::*;
