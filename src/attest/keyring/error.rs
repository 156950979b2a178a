//! Why a ring does not change, and why a key is not believed.

use super::{KEYS_MAX, REASON_LEN_MAX};
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// Why a key could not have signed something at a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// It was never a key of this ring.
    #[error("the key was never one of this service")]
    Unknown,
    /// It did not sign yet.
    #[error("the key signs since {since}, and this was signed before")]
    NotYet {
        /// Since when it signs.
        since: UnixSeconds,
    },
    /// It has never signed.
    #[error("the key waits to be activated, and has signed nothing")]
    NeverActive,
    /// It signed no more.
    #[error("the key was retired at {at}, and this was signed after")]
    Retired {
        /// When.
        at: UnixSeconds,
    },
    /// It was not to be trusted any more.
    #[error("the key is revoked since {since} ({reason}), and this was signed then or after")]
    Revoked {
        /// Since when.
        since: UnixSeconds,
        /// Why.
        reason: String,
    },
}

/// Why a ring cannot be changed, or is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no such key.
    #[error("there is no key {0} in the ring")]
    NoSuchKey(String),
    /// The key was in the ring already.
    #[error("the key {0} has been in the ring since {1}; a key that has ended does not come back")]
    KnownKey(Box<PublicKey>, UnixSeconds),
    /// The key is revoked already.
    #[error("the key {0} is revoked already, since {1}")]
    AlreadyRevoked(Box<PublicKey>, UnixSeconds),
    /// A key waits, and another was brought.
    #[error("the key {0} waits to be activated: rotate to it, or revoke it")]
    AnotherWaits(Box<PublicKey>),
    /// The revocation would begin in the future.
    #[error("a key is revoked since now or before; {0} is yet to come")]
    SinceToCome(UnixSeconds),
    /// No reason, or not one to be shown.
    #[error("a reason has 1 to {REASON_LEN_MAX} bytes and no control characters")]
    BadReason,
    /// The clock cannot be right.
    #[error("the last change of the ring is of {last}, and the clock says {now}: set the clock")]
    ClockBehind {
        /// When the last change was.
        last: UnixSeconds,
        /// What the clock says.
        now: UnixSeconds,
    },
    /// There are enough.
    #[error("the ring holds {KEYS_MAX} keys, and takes no more")]
    Full,
    /// The times of a key contradict each other, or those of another.
    #[error("the times of the key {key} cannot be: {why}")]
    Contradiction {
        /// Which.
        key: Box<PublicKey>,
        /// Why.
        why: &'static str,
    },
}
