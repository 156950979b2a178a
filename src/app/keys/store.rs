//! Where the keys are, and how they are opened and changed.
//!
//! The key that signs is in the file, or it is brought along (`signing_key`) and the file holds its record only. Without a file, a key
//! that is brought along is all there is: it signs, and there is no history.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{self, Kept, KeptSecret, Stamp};
use super::held::{HeldKeys, has_ended};
use super::{Clock, KeysError};
use crate::attest::key::{KeyKind, PrivateKey, SECRET_LEN};
use crate::attest::keyring::{KeyRecord, KeyState, Keyring};
use crate::attest::seal::SealCosts;
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// Where the keys are.
pub struct KeyStore {
    path: PathBuf,
    passphrase: Option<Zeroizing<String>>,
    own: Option<PrivateKey>,
    costs: SealCosts,
}

/// Where the private part of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file, as it is.
    Plain,
    /// In the file, under a passphrase.
    Sealed,
    /// It was brought along.
    Configuration,
    /// Nowhere: it signs nothing any more, or was not brought along.
    Nowhere,
}

impl Place {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sealed => "sealed",
            Self::Configuration => "configuration",
            Self::Nowhere => "none",
        }
    }
}

/// A change that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Of which key.
    pub key: PublicKey,
    /// From when on it holds.
    pub at: UnixSeconds,
}

impl KeyStore {
    /// Keys in a file, under a passphrase where there is one, with a key that is brought along where there is one.
    #[must_use]
    pub const fn new(
        path: PathBuf,
        passphrase: Option<Zeroizing<String>>,
        own: Option<PrivateKey>,
    ) -> Self {
        Self { path, passphrase, own, costs: SealCosts::RECOMMENDED }
    }

    /// The same, with other costs of what it seals from now on; seals that are there name their own.
    #[must_use]
    pub fn with_seal_costs(self, costs: SealCosts) -> Self {
        Self { costs, ..self }
    }

    pub(super) const fn costs(&self) -> SealCosts {
        self.costs
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn stamp(&self) -> Result<Option<Stamp>, KeysError> {
        file::stamp(&self.path)
    }

    /// Opens the keys, with the private parts of those that may sign. One that only waits and does not open is left out, with a warning;
    /// those that have ended are not opened.
    ///
    /// # Errors
    /// When the file cannot be read or understood, others can read it, or the key that signs does not open.
    pub fn open(&self, now: UnixSeconds) -> Result<HeldKeys, KeysError> {
        let (held, failed) = self.open_what_opens(now)?;
        failed.map_or(Ok(held), Err)
    }

    /// As [`open`](Self::open), but what is public is there even where the key that signs does not open; then, why it does not.
    pub(super) fn open_what_opens(
        &self,
        now: UnixSeconds,
    ) -> Result<(HeldKeys, Option<KeysError>), KeysError> {
        let Kept { ring, secrets } = match file::read(&self.path)? {
            Some(kept) if !kept.ring.records().is_empty() => kept,
            _ => {
                let Some(own) = self.own.clone() else { return Ok((HeldKeys::default(), None)) };
                let ring = Keyring::of_one(own.public());
                let held = HeldKeys { ring, private: vec![own], ..HeldKeys::default() };
                return Ok((held, None));
            }
        };
        self.check_own(&ring, now)?;
        let (mut private, mut failed) = (Vec::new(), None);
        for (record, secret) in ring.records().iter().zip(&secrets) {
            if has_ended(record, now) {
                continue;
            }
            // One that is about to sign is as needed as the one that does.
            let is_needed = record.activated.is_some();
            match self.open_secret(record, secret.as_ref()) {
                Ok(Some(key)) => private.push(key),
                Ok(None) if is_needed => {
                    failed.get_or_insert(KeysError::NoSecret(record.key.into()));
                }
                Ok(None) => {}
                Err(error) if is_needed => {
                    failed.get_or_insert(error);
                }
                Err(error) => {
                    tracing::warn!(error = %error.told(), "a key that waits does not open; it cannot sign when its turn comes");
                }
            }
        }
        let kept = ring.records().iter().zip(&secrets);
        let spent = kept.filter(|(_, secret)| secret.is_some()).filter_map(|(r, _)| r.ended());
        let spent_at = spent.min();
        Ok((HeldKeys { ring, has_history: true, private, spent_at }, failed))
    }

    /// The keys without their private parts.
    ///
    /// # Errors
    /// When the file cannot be read or understood, or others can read it.
    pub fn look(&self) -> Result<HeldKeys, KeysError> {
        let kept = file::read(&self.path)?.unwrap_or_default();
        match &self.own {
            Some(own) if kept.ring.records().is_empty() => {
                Ok(HeldKeys { ring: Keyring::of_one(own.public()), ..HeldKeys::default() })
            }
            _ => Ok(HeldKeys {
                has_history: !kept.ring.records().is_empty(),
                ring: kept.ring,
                ..HeldKeys::default()
            }),
        }
    }

    /// Every record of the file, and where its private part is; where there is no file, the key that was brought along.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn list(&self) -> Result<Vec<(KeyRecord, Place)>, KeysError> {
        let kept = file::read(&self.path)?.unwrap_or_default();
        let own = self.own.as_ref().map(PrivateKey::public);
        let place = |record: &KeyRecord, secret: &Option<KeptSecret>| match secret {
            Some(KeptSecret::Plain(_)) => Place::Plain,
            Some(KeptSecret::Sealed(_)) => Place::Sealed,
            None if own == Some(record.key) => Place::Configuration,
            None => Place::Nowhere,
        };
        if let (true, Some(own)) = (kept.ring.records().is_empty(), own) {
            let alone = Keyring::of_one(own);
            let records = alone.records().iter().cloned();
            return Ok(records.map(|record| (record, Place::Configuration)).collect());
        }
        let records = kept.ring.records().iter().zip(&kept.secrets);
        Ok(records.map(|(record, secret)| (record.clone(), place(record, secret))).collect())
    }

    /// A key that was brought along must be known to the ring; one that has ended signs nothing.
    fn check_own(&self, ring: &Keyring, now: UnixSeconds) -> Result<(), KeysError> {
        let Some(own) = self.own.as_ref().map(PrivateKey::public) else { return Ok(()) };
        let record = ring.records().iter().find(|record| record.key == own);
        let record = record.ok_or_else(|| KeysError::UnknownSigningKey(own.into()))?;
        if let state @ (KeyState::Retired | KeyState::Revoked) = record.state_at(now) {
            tracing::warn!(key = %own, state = state.as_str(), "`signing_key` signs nothing any more: leave it out, or set it to another");
        }
        Ok(())
    }

    /// The private part of a record, from the file or brought along; `None` where it is nowhere, or has no use any more.
    pub(super) fn open_secret(
        &self,
        record: &KeyRecord,
        secret: Option<&KeptSecret>,
    ) -> Result<Option<PrivateKey>, KeysError> {
        let key = record.key;
        let text = match secret {
            None => return Ok(self.own.clone().filter(|own| own.public() == key)),
            Some(KeptSecret::Plain(text)) => text.clone(),
            Some(KeptSecret::Sealed(sealed)) => {
                let passphrase =
                    self.passphrase.as_ref().ok_or_else(|| KeysError::NoPassphrase(key.into()))?;
                let opened = sealed.open(&key.multibase(), passphrase);
                opened.map_err(|source| KeysError::Seal { key: key.into(), source })?
            }
        };
        let private = PrivateKey::parse(&text).ok().filter(|private| private.public() == key);
        private.map(Some).ok_or_else(|| KeysError::OtherSecret(key.into()))
    }

    /// Adds a key: the one that was brought along if the file does not know it, else a new one. It signs at once where none does, and
    /// waits for a rotation otherwise.
    ///
    /// # Errors
    /// When the file cannot be read or written, the ring does not take the key, or a new one would be under another passphrase than
    /// those that are there.
    pub fn add(&self, kind: KeyKind, clock: &dyn Clock) -> Result<KeyChange, KeysError> {
        self.change(clock, |kept| {
            let (key, secret) = self.next_key(kept, kind, clock)?;
            let at = kept.ring.add(key, clock.now())?;
            kept.secrets.push(secret);
            Ok(KeyChange { key, at })
        })
    }

    /// Lets another key sign: the one that waits, else the one that was brought along if the file does not know it, else a new one, by
    /// default of the kind of the one before.
    ///
    /// # Errors
    /// As [`add`](Self::add), and when the waiting key does not open.
    pub fn rotate(&self, kind: Option<KeyKind>, clock: &dyn Clock) -> Result<KeyChange, KeysError> {
        self.change(clock, |kept| {
            if let Some(waiting) = kept.ring.waiting().cloned() {
                let at = kept.ring.records().iter().position(|record| *record == waiting);
                let secret = at.and_then(|at| kept.secrets.get(at)).and_then(Option::as_ref);
                let key = waiting.key;
                // A key that cannot sign must not take the place of one that can.
                self.open_secret(&waiting, secret)?
                    .ok_or_else(|| KeysError::NoSecret(key.into()))?;
                return Ok(KeyChange { key, at: kept.ring.rotate(key, clock.now())? });
            }
            let kind =
                kind.unwrap_or_else(|| match kept.ring.records().last().map(|record| record.key) {
                    Some(PublicKey::P256(_)) => KeyKind::P256,
                    _ => KeyKind::Ed25519,
                });
            let (key, secret) = self.next_key(kept, kind, clock)?;
            let at = kept.ring.rotate(key, clock.now())?;
            kept.secrets.push(secret);
            Ok(KeyChange { key, at })
        })
    }

    /// Says that a key is not to be trusted since a time, by default since now. Its private part is destroyed.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the ring refuses.
    pub fn revoke(
        &self,
        id: &str,
        since: Option<UnixSeconds>,
        reason: &str,
        clock: &dyn Clock,
    ) -> Result<KeyRecord, KeysError> {
        self.change(clock, |kept| {
            let now = clock.now();
            Ok(kept.ring.revoke(id, since.unwrap_or(now), reason, now)?.clone())
        })
    }

    /// Destroys the private parts of keys that sign no more. Where there are none, the file is only read.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn forget_ended(&self, clock: &dyn Clock) -> Result<(), KeysError> {
        let (kept, now) = (file::read(&self.path)?.unwrap_or_default(), clock.now());
        let mut records = kept.ring.records().iter().zip(&kept.secrets);
        if records.any(|(record, secret)| secret.is_some() && has_ended(record, now)) {
            return self.change(clock, |_| Ok(()));
        }
        Ok(())
    }

    /// Changes the file, while nobody else does. A change is dated by a clock that is read when all that takes long is done, waiting for
    /// others and Argon2: what was dated before would be in force before anybody could have read it.
    pub(super) fn change<T>(
        &self,
        clock: &dyn Clock,
        change: impl FnOnce(&mut Kept) -> Result<T, KeysError>,
    ) -> Result<T, KeysError> {
        let _lock = file::lock(&self.path)?;
        let mut kept = file::read(&self.path)?.unwrap_or_default();
        let changed = change(&mut kept)?;
        let now = clock.now();
        for (record, secret) in kept.ring.records().iter().zip(&mut kept.secrets) {
            if has_ended(record, now) {
                *secret = None;
            }
        }
        file::write(&self.path, &kept)?;
        Ok(changed)
    }

    /// A key for the ring, and its private part as the file keeps it; nothing of one that was brought along.
    fn next_key(
        &self,
        kept: &Kept,
        kind: KeyKind,
        clock: &dyn Clock,
    ) -> Result<(PublicKey, Option<KeptSecret>), KeysError> {
        let own = self.own.as_ref().map(PrivateKey::public);
        let is_new = |own: &PublicKey| kept.ring.records().iter().all(|record| record.key != *own);
        if let Some(own) = own.filter(is_new) {
            return Ok((own, None));
        }
        let private = draw(kind)?;
        let (key, text) = (private.public(), private.expose());
        let secret = self.kept(key, text, self.passphrase.as_ref().map(|text| text.as_str()))?;
        self.check_passphrase(kept, clock.now())?;
        Ok((key, Some(secret)))
    }

    /// Where keys that have not ended are sealed, the passphrase must open one of them: whoever serves has that one, and could not open a
    /// key that was made under a mistyped one. Nor is a key left unsealed because nobody gave any.
    fn check_passphrase(&self, kept: &Kept, now: UnixSeconds) -> Result<(), KeysError> {
        let mut failed = None;
        for (record, secret) in kept.ring.records().iter().zip(&kept.secrets) {
            if has_ended(record, now) || !matches!(secret, Some(KeptSecret::Sealed(_))) {
                continue;
            }
            match self.open_secret(record, secret.as_ref()) {
                Ok(_) => return Ok(()),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// A new private key.
fn draw(kind: KeyKind) -> Result<PrivateKey, KeysError> {
    loop {
        // Of P-256 one draw in four billion is no key.
        if let Ok(key) = PrivateKey::from_bytes(kind, &*random::<SECRET_LEN>()?) {
            return Ok(key);
        }
    }
}

pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeysError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(KeysError::NoRandom)?;
    Ok(bytes)
}
