//! What is said of whom, and who signed it.
//!
//! An [`attestation`] is a record in which an issuer says something of a subject, together with the context it was said in; [`canonical`]
//! is how it becomes bytes that mean one thing, and a digest. [`class`] says what kind of actor its issuer is, which is earned by who sent
//! the record and never by what the record says.
//!
//! A [`typed_record`] is a record of this project's own, which others here know how to read.
//!
//! An [`envelope`] is what is signed, in six forms: as a [`credential`] in a JWT ([`jose`]) or with a proof inside ([`data_integrity`]), as
//! [`dsse`], as a [`statement`] of a [`wallet`] ([`record_statement`] where it is a typed record), or from [`eas`].
//! [`verify`](mod@verify) gives the [`verdict`] on it, from facts that the caller brings: the [`method`] of a DID document, and the rights
//! of keys and wallets at the time it was said.
//!
//! What has no envelope is [`incoming`], with who sent it; [`onchain`] makes records of what the registries' logs say, and [`limits`] says
//! which records are not taken, also by their [`kinship`].
//!
//! [`key`] signs and checks bytes, [`keyring`] says which of the service's keys could when, [`seal`] closes a private key under a
//! passphrase; [`domain`] says with a JWS whose this origin is, and [`siwe`] is the text that wallets sign to prove themselves.
//!
//! Nothing here asks the network, a clock or a database: facts about keys, wallets and times come from whoever calls, and so does
//! randomness; what a chain has to be asked is given back as a question.

pub mod attestation;
pub mod canonical;
pub mod class;
pub mod credential;
pub mod data_integrity;
mod decimal;
pub mod domain;
pub mod dsse;
pub mod eas;
pub mod envelope;
pub(crate) mod field;
pub mod incoming;
pub mod jose;
pub mod key;
pub mod keyring;
pub mod kinship;
pub mod limits;
pub mod method;
pub mod onchain;
pub mod record_statement;
mod refusal;
pub mod seal;
pub mod siwe;
pub mod statement;
pub mod typed_record;
pub mod verdict;
pub mod verify;
pub mod wallet;

pub use attestation::Attestation;
pub use class::IssuerClass;
pub use envelope::Envelope;
pub use field::FieldError;
pub use incoming::{Incoming, SentBy};
pub use refusal::Refusal;
pub use typed_record::TypedRecord;
pub use verify::verify;
