//! Delegations: records taken in and shown, traces as documents that anybody can check, and documents that somebody brings, checked.
//!
//! `view` is how a record and its hop are shown, here and in the answer to whoever brought it.

mod get;
mod post;
mod refusal;
mod trace;
mod view;

pub(super) use get::*;
pub(super) use post::*;
pub(super) use refusal::no_report;
pub(super) use trace::*;
