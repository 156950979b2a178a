//! Where the keys are, and how they are opened and changed.
//!
//! The key that signs is in the file, or it is brought along (`signing_key`) and the file holds its record only. Without a file, a key
//! that is brought along is all there is: it signs, and there is no history.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeysError;
use super::file::{self, Kept, KeptSecret, Stamp};
use crate::attest::key::{KeyKind, PrivateKey, SECRET_LEN};
use crate::attest::keyring::{KeyRecord, KeyState, Keyring};
use crate::attest::seal::{SEAL_RANDOM_LEN, seal};
use crate::did::key::PublicKey;
use crate::vocab::UnixSeconds;

/// Where the keys are.
pub struct KeyStore {
    path: PathBuf,
    passphrase: Option<Zeroizing<String>>,
    own: Option<PrivateKey>,
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

/// Keys that are open: the ring, and the private parts of those that may sign.
#[derive(Debug, Default)]
pub struct HeldKeys {
    ring: Keyring,
    has_history: bool,
    private: Vec<PrivateKey>,
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
        Self { path, passphrase, own }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn stamp(&self) -> Result<Option<Stamp>, KeysError> {
        file::stamp(&self.path)
    }

    /// Opens the keys, with the private parts of those that may sign.
    ///
    /// # Errors
    /// When the file cannot be read or understood, others can read it, or the key that signs does not open.
    pub fn open(&self, now: UnixSeconds) -> Result<HeldKeys, KeysError> {
        let Kept { ring, secrets } = match file::read(&self.path)? {
            Some(kept) if !kept.ring.records().is_empty() => kept,
            _ => {
                let Some(own) = self.own.clone() else { return Ok(HeldKeys::default()) };
                let ring = Keyring::of_one(own.public());
                return Ok(HeldKeys { ring, has_history: false, private: vec![own] });
            }
        };
        self.check_own(&ring, now)?;
        let mut private = Vec::new();
        for (record, secret) in ring.records().iter().zip(&secrets) {
            match self.open_secret(record, secret.as_ref())? {
                Some(key) => private.push(key),
                None if record.state_at(now) == KeyState::Active => {
                    return Err(KeysError::NoSecret(record.key.into()));
                }
                None => {}
            }
        }
        Ok(HeldKeys { ring, has_history: true, private })
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
                private: Vec::new(),
            }),
        }
    }

    /// Every record of the file, and where its private part is.
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
    fn open_secret(
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
    /// When the file cannot be read or written, or the ring does not take the key.
    pub fn add(&self, kind: KeyKind, now: UnixSeconds) -> Result<KeyChange, KeysError> {
        self.change(now, |kept| {
            let (key, secret) = self.next_key(&kept.ring, kind)?;
            let at = kept.ring.add(key, now)?;
            kept.secrets.push(secret);
            Ok(KeyChange { key, at })
        })
    }

    /// Lets another key sign: the one that waits, else the one that was brought along if the file does not know it, else a new one, by
    /// default of the kind of the one before.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the waiting key does not open.
    pub fn rotate(&self, kind: Option<KeyKind>, now: UnixSeconds) -> Result<KeyChange, KeysError> {
        self.change(now, |kept| {
            if let Some(waiting) = kept.ring.waiting().cloned() {
                let at = kept.ring.records().iter().position(|record| *record == waiting);
                let secret = at.and_then(|at| kept.secrets.get(at)).and_then(Option::as_ref);
                let key = waiting.key;
                // A key that cannot sign must not take the place of one that can.
                self.open_secret(&waiting, secret)?
                    .ok_or_else(|| KeysError::NoSecret(key.into()))?;
                return Ok(KeyChange { key, at: kept.ring.rotate(key, now)? });
            }
            let kind =
                kind.unwrap_or_else(|| match kept.ring.records().last().map(|record| record.key) {
                    Some(PublicKey::P256(_)) => KeyKind::P256,
                    _ => KeyKind::Ed25519,
                });
            let (key, secret) = self.next_key(&kept.ring, kind)?;
            let at = kept.ring.rotate(key, now)?;
            kept.secrets.push(secret);
            Ok(KeyChange { key, at })
        })
    }

    /// Says that a key is not to be trusted since a time. Its private part is destroyed.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the ring refuses.
    pub fn revoke(
        &self,
        id: &str,
        since: UnixSeconds,
        reason: &str,
        now: UnixSeconds,
    ) -> Result<KeyRecord, KeysError> {
        self.change(now, |kept| Ok(kept.ring.revoke(id, since, reason, now)?.clone()))
    }

    /// Destroys the private parts of keys that sign no more.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn forget_ended(&self, now: UnixSeconds) -> Result<(), KeysError> {
        self.change(now, |_| Ok(()))
    }

    /// Changes the file, while nobody else does.
    fn change<T>(
        &self,
        now: UnixSeconds,
        change: impl FnOnce(&mut Kept) -> Result<T, KeysError>,
    ) -> Result<T, KeysError> {
        let _lock = file::lock(&self.path)?;
        let mut kept = file::read(&self.path)?.unwrap_or_default();
        let changed = change(&mut kept)?;
        for (record, secret) in kept.ring.records().iter().zip(&mut kept.secrets) {
            if matches!(record.state_at(now), KeyState::Retired | KeyState::Revoked) {
                *secret = None;
            }
        }
        file::write(&self.path, &kept)?;
        Ok(changed)
    }

    /// A key for the ring, and its private part as the file keeps it; nothing of one that was brought along.
    fn next_key(
        &self,
        ring: &Keyring,
        kind: KeyKind,
    ) -> Result<(PublicKey, Option<KeptSecret>), KeysError> {
        let own = self.own.as_ref().map(PrivateKey::public);
        if let Some(own) = own.filter(|own| ring.records().iter().all(|record| record.key != *own))
        {
            return Ok((own, None));
        }
        let private = draw(kind)?;
        let (key, text) = (private.public(), private.expose());
        let Some(passphrase) = &self.passphrase else {
            return Ok((key, Some(KeptSecret::Plain(text))));
        };
        let random: [u8; SEAL_RANDOM_LEN] = *random()?;
        let sealed = seal(&text, &key.multibase(), passphrase, &random);
        let sealed = sealed.map_err(|source| KeysError::Seal { key: key.into(), source })?;
        Ok((key, Some(KeptSecret::Sealed(sealed))))
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

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeysError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(KeysError::NoRandom)?;
    Ok(bytes)
}
