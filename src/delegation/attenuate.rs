//! The rule of delegation on: a grant may only narrow the one above it.
//!
//! What is compared is what the two grants say, and nothing else: who signed them, and when, is `verify`'s concern.

use super::amount::Amount;
use super::grant::{Grant, Inheritance};
use crate::vocab::UnixSeconds;

/// The first thing by which a grant widens the one above it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Widening {
    /// Its child may set nobody to work.
    #[error("the grant above does not allow to delegate on")]
    MayNotDelegate,
    /// It lasts longer.
    #[error("it expires at {below}, and the grant above at {above}")]
    Expiry {
        /// When the grant above expires.
        above: UnixSeconds,
        /// When it expires.
        below: UnixSeconds,
    },
    /// It takes off conditions that bind everybody below.
    #[error(
        "the conditions above bind everybody below (`inheritance` is `full`), and it ends that"
    )]
    Inheritance,
    /// It allows something that is not allowed.
    #[error("the action `{0}` is not within the scope above")]
    Action(String),
    /// It allows it on all resources.
    #[error("it does not say on which resources, and the scope above does")]
    AllResources,
    /// It allows it on something else.
    #[error("the resource `{0}` is not within the scope above")]
    Resource(String),
    /// It has no limit where there is one.
    #[error("it has no limit of `{name}`, and the scope above has {above}")]
    NoLimit {
        /// Of what.
        name: String,
        /// The limit above.
        above: Amount,
    },
    /// It has a higher limit.
    #[error("its limit of `{name}` is {below}, and that of the scope above {above}")]
    Limit {
        /// Of what.
        name: String,
        /// The limit above.
        above: Amount,
        /// Its own.
        below: Amount,
    },
}

/// Whether a grant is within the one above it.
///
/// # Errors
/// The first thing that it widens, in this order: delegation on, expiry, inheritance, actions, resources, limits.
pub fn attenuate(above: &Grant, below: &Grant) -> Result<(), Widening> {
    if !above.may_delegate {
        return Err(Widening::MayNotDelegate);
    }
    if below.expires_at > above.expires_at {
        return Err(Widening::Expiry { above: above.expires_at, below: below.expires_at });
    }
    if above.inheritance == Inheritance::Full && below.inheritance == Inheritance::None {
        return Err(Widening::Inheritance);
    }
    above.scope.widened_by(&below.scope).map_or(Ok(()), Err)
}
