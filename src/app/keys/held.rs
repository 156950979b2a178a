//! Keys that a process has open: what it signs with, and for how long.

use crate::attest::key::PrivateKey;
use crate::attest::keyring::{KeyRecord, KeyState, Keyring};
use crate::vocab::UnixSeconds;

/// Keys that are open: the ring, and the private parts of those that may sign.
#[derive(Debug, Default)]
pub struct HeldKeys {
    pub(super) ring: Keyring,
    pub(super) has_history: bool,
    pub(super) private: Vec<PrivateKey>,
    /// From when on the file holds a private part that has no use.
    pub(super) spent_at: Option<UnixSeconds>,
}

impl HeldKeys {
    /// All keys there ever were.
    #[must_use]
    pub const fn ring(&self) -> &Keyring {
        &self.ring
    }

    /// Whether it is known when its keys were made; without a file it is not.
    #[must_use]
    pub const fn has_history(&self) -> bool {
        self.has_history
    }

    /// The key that signs at a moment.
    #[must_use]
    pub fn signer(&self, now: UnixSeconds) -> Option<&PrivateKey> {
        let active = self.ring.signer(now)?.key;
        self.private.iter().find(|key| key.public() == active)
    }

    pub(super) const fn spent_at(&self) -> Option<UnixSeconds> {
        self.spent_at
    }

    /// Takes over private parts that were open before and do not open now, of keys that have not ended: a process goes on signing
    /// while the file it was opened from is under another passphrase.
    pub(super) fn take_over(&mut self, before: &Self, now: UnixSeconds) {
        for record in self.ring.records() {
            let is_key = |private: &&PrivateKey| private.public() == record.key;
            if has_ended(record, now) || self.private.iter().any(|private| is_key(&private)) {
                continue;
            }
            self.private.extend(before.private.iter().find(is_key).cloned());
        }
    }
}

/// Whether a key signs no more, and its private part has no use.
pub(super) fn has_ended(record: &KeyRecord, now: UnixSeconds) -> bool {
    matches!(record.state_at(now), KeyState::Retired | KeyState::Revoked)
}
