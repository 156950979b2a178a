//! Which agent a name meant at a time.
//!
//! A record names its issuer and its subject by a wallet, a DID or a platform's id, and is kept as it was signed. What those names meant
//! is written beside it: its [`Rekeying`]. [`question`] says what has to be known of a name, [`Meanings`] turns what is known into the
//! agent at any time. Several agents are never made one by guessing, and a time that was not reached yet has no meaning yet.
//!
//! Nothing here looks anything up, and nothing decides whether a signature counts: `attest` does that.

mod meaning;
mod rekeying;

pub use meaning::{Claim, Meanings, Question, question};
pub use rekeying::{Outcome, Rekeying, Role, Rule};
