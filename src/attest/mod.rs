//! What is said and signed: who signed what, and whether it may count.
//!
//! [`wallet`] judges signatures of accounts; [`siwe`] is the text that they sign to prove themselves. Nothing here asks the network, a
//! clock or a database: what a chain has to be asked is given back as a question.

pub mod siwe;
pub mod wallet;
