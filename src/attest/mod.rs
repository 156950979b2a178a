//! What is said of whom, and who signed it.
//!
//! An [`attestation`] is a record in which an issuer says something of a subject, together with the context it was said in; [`canonical`]
//! is how it becomes bytes that mean one thing, and a digest. [`class`] says what kind of actor its issuer is, which is earned by who sent
//! the record and never by what the record says. [`wallet`] judges signatures of accounts; [`siwe`] is the text that they sign to prove
//! themselves.
//!
//! Nothing here asks the network, a clock or a database: facts about keys, wallets and times come from whoever calls, and what a chain has
//! to be asked is given back as a question.

pub mod attestation;
pub mod canonical;
pub mod class;
mod decimal;
mod field;
pub mod siwe;
pub mod wallet;

pub use attestation::Attestation;
pub use field::FieldError;
