//! Chain logs to meaning: which event of which ERC-8004 registry a log is.
//!
//! `topics` lists every event form there is, `decode` turns a log into a [`RegistryEvent`], and [`feedback_number`] reads no more than
//! one number; `implementation` and `deployments` are data about the contracts themselves. [`mod@file`] reads the registration files that
//! agents' URIs lead to. Nothing here knows what an event does to an agent: that is `identity`.

pub mod calls;
pub mod contract_wallet;
mod decode;
pub mod deployments;
mod event;
mod fields;
pub mod file;
mod implementation;
mod numbering;
pub mod topics;

pub use decode::decode;
pub use deployments::Deployment;
pub use event::{RegistryEvent, Tag};
pub use fields::DecodeError;
pub use implementation::KnownImplementations;
pub use numbering::{FeedbackNumber, feedback_number};
