//! Private parts under another passphrase, or under none: the keys stay what they are.

use zeroize::Zeroizing;

use super::file::KeptSecret;
use super::held::has_ended;
use super::store::{KeyStore, random};
use super::{Clock, KeysError};
use crate::attest::seal::{SEAL_RANDOM_LEN, seal};
use crate::did::key::PublicKey;

impl KeyStore {
    /// A private part as the file is to keep it: under a passphrase where there is one.
    pub(super) fn kept(
        &self,
        key: PublicKey,
        secret: Zeroizing<String>,
        passphrase: Option<&str>,
    ) -> Result<KeptSecret, KeysError> {
        let Some(passphrase) = passphrase else { return Ok(KeptSecret::Plain(secret)) };
        let random = random::<SEAL_RANDOM_LEN>()?;
        let sealed = seal(&secret, &key.multibase(), passphrase, &random, self.costs());
        let sealed = sealed.map_err(|source| KeysError::Seal { key: key.into(), source })?;
        Ok(KeptSecret::Sealed(sealed))
    }

    /// Puts every private part in the file under another passphrase, or under none, and says how many there are. All of them or none:
    /// one that the passphrase of now does not open stops it.
    ///
    /// # Errors
    /// When the file cannot be read or written, it holds no private part, one does not open, or the new passphrase is too short.
    pub fn reseal(&self, passphrase: Option<&str>, clock: &dyn Clock) -> Result<usize, KeysError> {
        self.change(clock, |kept| {
            let now = clock.now();
            let mut count = 0;
            for (record, secret) in kept.ring.records().iter().zip(&mut kept.secrets) {
                if secret.is_none() || has_ended(record, now) {
                    continue;
                }
                let Some(private) = self.open_secret(record, secret.as_ref())? else { continue };
                *secret = Some(self.kept(record.key, private.expose(), passphrase)?);
                count += 1;
            }
            if count == 0 { Err(KeysError::NothingToSeal) } else { Ok(count) }
        })
    }
}
