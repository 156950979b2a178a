//! A human participant's document: the wallets that proved themselves.
//!
//! A wallet is linked only by its own signature over a challenge, so each may log in as the character and sign for it. What is linked,
//! when, and by which signature is kept elsewhere; here are only the facts of one moment. An agent is somebody else than the human who
//! has it: it is among the character's links, and not among its names.

use super::agent::{account_contexts, account_method, each_once};
use super::document::Document;
use super::pkh;
use crate::vocab::AccountId;

/// What a character's document is made of: what held at one moment.
#[derive(Clone, Copy, Debug)]
pub struct CharacterFacts<'a> {
    /// The linked wallets, oldest link first.
    pub wallets: &'a [AccountId],
}

/// The document of a character. `id` is the identifier that was asked for.
#[must_use]
pub fn character_document(id: &str, facts: &CharacterFacts<'_>) -> Document {
    let methods: Vec<_> = facts.wallets.iter().map(|wallet| account_method(id, *wallet)).collect();
    let names: Vec<_> = methods.iter().map(|method| method.id.clone()).collect();
    let accounts = facts.wallets.iter().copied().map(pkh::did);
    Document {
        context: account_contexts(!methods.is_empty()),
        also_known_as: each_once(accounts.collect()),
        verification_method: methods,
        authentication: names.clone(),
        assertion_method: names,
        ..Document::new(id.to_owned())
    }
}
