//! A synthetic history of the registries on Base, and a node that serves it.
//!
//! One seed decides everything, so that each process that needs the history makes it anew: the node renders it, the checks count it, and
//! the load generator takes its accounts from it.

mod base;
mod chain;
mod logs;
pub(crate) mod node;
mod plan;
mod random;

pub(crate) use base::{Size, deployment};
pub(crate) use chain::finalized_below;
pub(crate) use plan::{Expected, Plan};
pub(crate) use random::Random;
