//! The HTTP service: who an agent is, and which wallet spoke for it, at any block.
//!
//! One file for each resource, which holds its routes, requests and answers; `wire` has the parts they share, `reading` the one
//! transaction that most requests read in, `memory` the state that look-ups by wallet and agents' documents are answered from, `error`
//! every answer that is not what was asked for, `guard` what stands before all handlers. Handlers ask `storage` directly; what changes
//! something goes through `app`, and no SQL stands here. The OpenAPI description is made from the handlers.
#![expect(unused_qualifications, reason = "utoipa's macros write out the paths of types in scope")]

mod agent;
mod agents;
mod at;
mod attestations;
mod cards;
mod characters;
mod client_agent;
mod delegations;
mod dids;
mod disputes;
mod error;
mod events;
mod extract;
mod feedback;
mod file_versions;
mod files;
mod guard;
mod health;
pub mod local;
mod lookup;
mod memory;
mod operators;
mod page;
mod patience;
mod population;
mod problems;
mod reading;
mod router;
mod serve;
mod state;
mod status;
mod streams;
mod timelines;
mod validations;
mod wallets;
mod whose;
mod wire;

pub use health::recorder;
pub use router::router;
pub use serve::serve;
pub use state::{ApiState, Documents, Limits, ProviderStatus, ProviderStatuses, RateLimit};

/// The part of a hostile text that is fit for a message: printable, at most 300 characters.
fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(CHARS_MAX).map(printable).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}
