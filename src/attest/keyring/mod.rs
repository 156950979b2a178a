//! Which of the service's keys signs now, and which of them could have signed what was signed then.
//!
//! A key is made, activated, and in the end retired or revoked; none of these times ever changes once it has passed, and a key that has
//! ended stays in the ring for ever. One key at most signs at a time. A change is dated [`LEAD_S`] seconds ahead, so that whoever holds the ring
//! has read it by then: what the service's document was at any second that has passed never becomes something else.
//!
//! Two questions, two times. When a revocation was *said* decides from when on the document no longer shows the key; *since* when the
//! key is not to be trusted, which may be earlier, decides which signatures no longer count.
//!
//! Nothing here holds a private key or reads a clock.

mod error;
mod record;
#[cfg(test)]
mod tests;

use alloy::primitives::B256;
use sha2::{Digest as _, Sha256};

pub use error::{KeyRefusal, KeyringError};
pub use record::{KeyRecord, KeyState, REASON_LEN_MAX, Revocation};

use crate::did::key::PublicKey;
use crate::did::version::VersionId;
use crate::vocab::UnixSeconds;
use record::check_reason;

/// How far ahead a change is dated, in seconds. Who keeps a ring looks for changes more often than that.
pub const LEAD_S: u64 = 3;
/// How far the clock may lie behind the last change, in seconds.
const BEHIND_S_MAX: u64 = 60;
/// The most keys that a ring holds: a rotation a week for twenty years.
pub const KEYS_MAX: usize = 1_000;

/// A version of the service's document: the keys that it shows from a second on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingVersion {
    /// From when on.
    pub from: UnixSeconds,
    /// Newest first.
    pub keys: Vec<PublicKey>,
}

impl RingVersion {
    /// Its id: the second it begins with, and the SHA-256 digest of the keys' names. It depends on nothing else, so it never changes.
    #[must_use]
    pub fn id(&self) -> VersionId {
        let mut digest = Sha256::new();
        for key in &self.keys {
            digest.update(key.multibase());
            digest.update("\n");
        }
        VersionId { number: self.from.get(), hash: B256::from_slice(&digest.finalize()) }
    }
}

/// The keys of a service, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    records: Vec<KeyRecord>,
}

impl Keyring {
    /// The ring of records that were kept.
    ///
    /// # Errors
    /// When they could not have come about.
    pub fn from_records(records: Vec<KeyRecord>) -> Result<Self, KeyringError> {
        if records.len() > KEYS_MAX {
            return Err(KeyringError::Full);
        }
        for (at, record) in records.iter().enumerate() {
            let earlier = records.get(..at).unwrap_or_default();
            let contradiction = |why| KeyringError::Contradiction { key: record.key.into(), why };
            record.check().map_err(contradiction)?;
            if earlier.iter().any(|other| other.key == record.key) {
                return Err(contradiction("it stands there twice"));
            }
            if earlier.last().is_some_and(|other| record.created < other.created) {
                return Err(contradiction("it stands behind a key that was made later"));
            }
        }
        let on_duty: Vec<_> = records.iter().filter(|record| record.is_on_duty()).collect();
        if let [_, second, ..] = on_duty.as_slice() {
            return Err(KeyringError::Contradiction {
                key: second.key.into(),
                why: "two keys are active",
            });
        }
        Ok(Self { records })
    }

    /// A ring of one key that signs, and of which nobody remembers since when.
    #[must_use]
    pub fn of_one(key: PublicKey) -> Self {
        let ever = UnixSeconds::EPOCH;
        let record =
            KeyRecord { key, created: ever, activated: Some(ever), retired: None, revoked: None };
        Self { records: vec![record] }
    }

    /// All records, oldest first.
    #[must_use]
    pub fn records(&self) -> &[KeyRecord] {
        &self.records
    }

    /// The record of a key, by its id.
    #[must_use]
    pub fn record(&self, id: &str) -> Option<&KeyRecord> {
        self.records.iter().find(|record| record.key.multibase() == id)
    }

    /// The key that signs at a moment.
    #[must_use]
    pub fn signer(&self, now: UnixSeconds) -> Option<&KeyRecord> {
        self.records.iter().rev().find(|record| record.state_at(now) == KeyState::Active)
    }

    /// The key that the next rotation activates; `None` where a rotation makes one.
    #[must_use]
    pub fn waiting(&self) -> Option<&KeyRecord> {
        let is_waiting = |record: &&KeyRecord| record.activated.is_none() && !record.has_ended();
        self.records.iter().find(is_waiting)
    }

    /// Whether a key signed things at a time, and may be believed about it.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, key: &PublicKey, signed_at: UnixSeconds) -> Result<(), KeyRefusal> {
        let record = self.records.iter().find(|record| record.key == *key);
        let record = record.ok_or(KeyRefusal::Unknown)?;
        if let Some(Revocation { since, reason, .. }) = &record.revoked
            && *since <= signed_at
        {
            return Err(KeyRefusal::Revoked { since: *since, reason: reason.clone() });
        }
        let since = record.activated.ok_or(KeyRefusal::NeverActive)?;
        if signed_at < since {
            return Err(KeyRefusal::NotYet { since });
        }
        match record.retired {
            // In the second of the change both may have signed.
            Some(at) if at < signed_at => Err(KeyRefusal::Retired { at }),
            _ => Ok(()),
        }
    }

    /// Adds a key: it signs at once where none does, and waits otherwise. Says from when on it is shown.
    ///
    /// # Errors
    /// When the key was in the ring already, another one waits, or the clock is wrong.
    pub fn add(&mut self, key: PublicKey, now: UnixSeconds) -> Result<UnixSeconds, KeyringError> {
        if let Some(waiting) = self.waiting() {
            return Err(KeyringError::AnotherWaits(waiting.key.into()));
        }
        let at = self.next_change(now)?;
        let is_needed = !self.records.iter().any(KeyRecord::is_on_duty);
        self.push(key, at, is_needed.then_some(at))?;
        Ok(at)
    }

    /// Lets `key` sign in the place of the one that does: the key that waits, or else a new one. Says from when on.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn rotate(
        &mut self,
        key: PublicKey,
        now: UnixSeconds,
    ) -> Result<UnixSeconds, KeyringError> {
        let at = self.next_change(now)?;
        match self.waiting().map(|waiting| waiting.key) {
            Some(waiting) if waiting != key => {
                return Err(KeyringError::AnotherWaits(waiting.into()));
            }
            Some(_) => {}
            None => self.push(key, at, None)?,
        }
        for record in &mut self.records {
            if record.key == key {
                record.activated = Some(at);
            } else if record.is_on_duty() {
                record.retired = Some(at);
            }
        }
        Ok(at)
    }

    /// Says that a key is not to be trusted since a time, now or before.
    ///
    /// # Errors
    /// When there is no such key, it is revoked already, or the time or the reason will not do.
    pub fn revoke(
        &mut self,
        id: &str,
        since: UnixSeconds,
        reason: &str,
        now: UnixSeconds,
    ) -> Result<&KeyRecord, KeyringError> {
        check_reason(reason)?;
        if now < since {
            return Err(KeyringError::SinceToCome(since));
        }
        let at = self.next_change(now)?;
        let record = self.records.iter_mut().find(|record| record.key.multibase() == id);
        let record = record.ok_or_else(|| KeyringError::NoSuchKey(crate::vocab::shorten(id)))?;
        if let Some(revocation) = &record.revoked {
            return Err(KeyringError::AlreadyRevoked(record.key.into(), revocation.since));
        }
        record.revoked = Some(Revocation { at, since, reason: reason.to_owned() });
        Ok(record)
    }

    fn push(
        &mut self,
        key: PublicKey,
        created: UnixSeconds,
        activated: Option<UnixSeconds>,
    ) -> Result<(), KeyringError> {
        if let Some(known) = self.records.iter().find(|record| record.key == key) {
            return Err(KeyringError::KnownKey(key.into(), known.created));
        }
        if self.records.len() >= KEYS_MAX {
            return Err(KeyringError::Full);
        }
        self.records.push(KeyRecord { key, created, activated, retired: None, revoked: None });
        Ok(())
    }

    /// The date of a change that is made now: not before that of any earlier one, and not a second that somebody may have seen. The
    /// first key of a ring is there at once, since before it there was nothing to see.
    fn next_change(&self, now: UnixSeconds) -> Result<UnixSeconds, KeyringError> {
        let Some(last) = self.records.iter().flat_map(KeyRecord::times).max() else {
            return Ok(now);
        };
        if now.get().saturating_add(BEHIND_S_MAX) < last.get() {
            return Err(KeyringError::ClockBehind { last, now });
        }
        let ahead = UnixSeconds::new(now.get().saturating_add(LEAD_S)).unwrap_or(UnixSeconds::MAX);
        Ok(ahead.max(last))
    }

    /// Every version of the document so far, oldest first.
    #[must_use]
    pub fn versions(&self, now: UnixSeconds) -> Vec<RingVersion> {
        let ends = self.records.iter().filter_map(KeyRecord::hidden);
        let mut moments: Vec<_> =
            self.records.iter().map(|record| record.created).chain(ends).collect();
        moments.retain(|moment| *moment <= now);
        moments.sort_unstable();
        moments.dedup();
        moments.into_iter().map(|from| RingVersion { from, keys: self.shown_at(from) }).collect()
    }

    /// The keys that the document shows at a moment, newest first.
    #[must_use]
    pub fn shown_at(&self, at: UnixSeconds) -> Vec<PublicKey> {
        let shown = self.records.iter().rev().filter(|record| record.is_shown_at(at));
        shown.map(|record| record.key).collect()
    }
}
