//! Delegation traces: what is signed, what holds, what is wrong where, and what comes of it.

mod attacks;
mod attacks_judged;
pub(crate) mod build;
mod chains;
mod commands;
mod nonsense;
mod page;
pub(crate) mod schema;
mod vectors;
