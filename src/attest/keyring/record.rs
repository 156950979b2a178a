//! One key of the ring, and what became of it.

use super::KeyringError;
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// The longest reason of a revocation, in bytes.
pub const REASON_LEN_MAX: usize = 200;

/// One key, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key; its text is its id, for ever.
    pub key: PublicKey,
    /// From when on the document shows it.
    pub created: UnixSeconds,
    /// From when on it signs; `None` while it waits for a rotation.
    pub activated: Option<UnixSeconds>,
    /// From when on it signs no more, because another does.
    pub retired: Option<UnixSeconds>,
    /// That it is not to be trusted.
    pub revoked: Option<Revocation>,
}

/// That a key is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// From when on the document no longer shows it.
    pub at: UnixSeconds,
    /// What it signed from then on does not count.
    pub since: UnixSeconds,
    /// Why, in the operator's words.
    pub reason: String,
}

/// What a key is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Made, and not shown before its time, which is a few seconds ahead: whoever serves is to have read of it by then.
    Coming,
    /// Shown, and waiting for a rotation to activate it.
    Waiting,
    /// The one that signs.
    Active,
    /// Another signs in its place.
    Retired,
    /// Not to be trusted.
    Revoked,
}

impl KeyState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coming => "coming",
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyRecord {
    /// What it is at a moment. A revocation that was said counts at once, whatever its date: nothing is signed with such a key.
    #[must_use]
    pub fn state_at(&self, now: UnixSeconds) -> KeyState {
        if self.revoked.is_some() {
            KeyState::Revoked
        } else if self.retired.is_some_and(|at| at <= now) {
            KeyState::Retired
        } else if self.activated.is_some_and(|at| at <= now) {
            KeyState::Active
        } else if self.created <= now {
            KeyState::Waiting
        } else {
            KeyState::Coming
        }
    }

    /// Whether nobody remembers when it was made: it was brought along, and there is no file.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.created == UnixSeconds::EPOCH
    }

    /// From when on it signs nothing more, and its private part has no use.
    #[must_use]
    pub fn ended(&self) -> Option<UnixSeconds> {
        if self.revoked.is_some() { Some(UnixSeconds::EPOCH) } else { self.retired }
    }

    /// From when on the document no longer shows it.
    pub(super) fn hidden(&self) -> Option<UnixSeconds> {
        let revoked = self.revoked.as_ref().map(|revocation| revocation.at);
        [self.retired, revoked].into_iter().flatten().min()
    }

    pub(super) fn is_shown_at(&self, at: UnixSeconds) -> bool {
        self.created <= at && self.hidden().is_none_or(|hidden| at < hidden)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.retired.is_some() || self.revoked.is_some()
    }

    /// Whether it signs, or is about to.
    pub(super) fn is_on_duty(&self) -> bool {
        self.activated.is_some() && !self.has_ended()
    }

    pub(super) fn times(&self) -> impl Iterator<Item = UnixSeconds> {
        let revoked = self.revoked.as_ref().map(|revocation| revocation.at);
        [Some(self.created), self.activated, self.retired, revoked].into_iter().flatten()
    }

    /// Says what is wrong with its times.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.activated.is_some_and(|at| at < self.created) {
            return Err("it signs before it is made");
        }
        match (self.activated, self.retired) {
            (None, Some(_)) => return Err("it is retired and was never active"),
            (Some(activated), Some(retired)) if retired < activated => {
                return Err("it is retired before it is active");
            }
            _ => {}
        }
        let Some(revocation) = &self.revoked else { return Ok(()) };
        if revocation.at < revocation.since {
            return Err("its revocation begins after it is said");
        }
        if check_reason(&revocation.reason).is_err() { Err("its reason is none") } else { Ok(()) }
    }
}

/// Checks that a reason is there and can be shown.
pub(super) fn check_reason(reason: &str) -> Result<(), KeyringError> {
    let is_fit = (1..=REASON_LEN_MAX).contains(&reason.len()) && !reason.contains(char::is_control);
    if is_fit { Ok(()) } else { Err(KeyringError::BadReason) }
}
