//! Identifiers: the documents that this service gives, the resolution of any that it understands, and links with their evidence.
//!
//! `documents` serves `did.json` at the paths that did:web asks for. `binding` is the HTTP binding of DID Resolution: `request`
//! reads what is asked, with `accept`, `options` and `posted`; `resolve` and `dereference` are the two functions; `result` and `refusal` are
//! what they say. `state` reads what an agent's document is made of; `links` and `account_links` list who
//! says that two identifiers name the same.

mod accept;
mod account_links;
mod binding;
mod dereference;
mod documents;
mod links;
mod options;
mod posted;
mod refusal;
mod request;
mod resolve;
mod result;
mod state;

pub(super) use binding::*;
pub(super) use documents::*;
pub(super) use links::*;
