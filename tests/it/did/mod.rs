//! DID documents and their resolution: the golden files, the rules of the standards, and other people's clients.
//!
//! `rules` holds the demands of the standards, one row each; `golden` the promised files, `foreign` what other hosts may answer, `judges` what
//! other people's resolvers make of us.

mod foreign;
mod golden;
mod judges;
mod rules;
