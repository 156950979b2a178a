//! What is said of whom, and who signed it.
//!
//! An [`attestation`] is a record in which an issuer says something of a subject, together with the context it was said in; [`canonical`]
//! is how it becomes bytes that mean one thing, and a digest. [`class`] says what kind of actor its issuer is, which is earned by who sent
//! the record and never by what the record says. [`key`] signs and checks bytes, [`keyring`] says which of the service's keys could when,
//! [`seal`] closes a private key under a passphrase; [`jose`] is the compact form of JSON Web Signatures, and [`domain`] says with it
//! whose this origin is. [`wallet`] judges signatures of accounts; [`siwe`] is the text that they sign to prove themselves.
//!
//! Nothing here asks the network, a clock or a database: facts about keys, wallets and times come from whoever calls, and so does
//! randomness; what a chain has to be asked is given back as a question.

pub mod attestation;
pub mod canonical;
pub mod class;
mod decimal;
pub mod domain;
mod field;
pub mod jose;
pub mod key;
pub mod keyring;
pub mod seal;
pub mod siwe;
pub mod wallet;

pub use attestation::Attestation;
pub use field::FieldError;
