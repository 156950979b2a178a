//! A private key under a passphrase: Argon2id (RFC 9106) makes a key of the passphrase, XChaCha20-Poly1305 closes the secret with it.
//!
//! What is sealed names its costs, so that they can grow without anything being sealed anew. The caller brings the randomness, and says
//! what the secret belongs to: a seal opens only where it was made for.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The random bytes of one seal: a salt, and after it a nonce.
pub const SEAL_RANDOM_LEN: usize = SALT_LEN + NONCE_LEN;
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 24;
/// The shortest passphrase that is taken, in bytes. Short ones are guessed whatever guessing costs.
pub const PASSPHRASE_LEN_MIN: usize = 8;
/// The most that a seal may ask for: a file must not be able to take all of a machine's memory.
const COSTS_MAX: SealCosts = SealCosts { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };
/// The longest sealed text that is opened, in bytes of base64url.
const TEXT_LEN_MAX: usize = 512;

/// What opening a seal costs, and so what guessing at its passphrase does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealCosts {
    /// Memory, in KiB; at least eight for each lane.
    pub memory_kib: u32,
    /// How often it is gone through.
    pub passes: u32,
    /// In how many parts, which are worked through one after the other here.
    pub lanes: u32,
}

impl SealCosts {
    /// What RFC 9106 recommends where memory is short: 64 MiB, three passes.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// Whether a seal may ask for them.
    const fn is_bounded(self) -> bool {
        self.memory_kib <= COSTS_MAX.memory_kib
            && self.passes <= COSTS_MAX.passes
            && self.lanes <= COSTS_MAX.lanes
    }
}

impl Default for SealCosts {
    fn default() -> Self {
        Self::RECOMMENDED
    }
}

/// A secret under a passphrase, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Which functions: [`FUNCTIONS`].
    functions: String,
    costs: SealCosts,
    salt: String,
    nonce: String,
    /// Ciphertext and tag.
    text: String,
}

/// The functions of every seal.
const FUNCTIONS: &str = "argon2id-xchacha20poly1305";

/// Why a secret is not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The passphrase opens nothing, or what is sealed was tampered with: nobody can tell which.
    #[error("the passphrase does not open this key")]
    WrongPassphrase,
    /// The passphrase is too short.
    #[error("the passphrase is shorter than {PASSPHRASE_LEN_MIN} bytes")]
    ShortPassphrase,
    /// What is kept is no seal of ours.
    #[error("the key is not sealed in a form that is understood")]
    NoSeal,
}

/// Seals a secret that belongs to `owner`.
///
/// # Errors
/// When the passphrase is too short, or the costs are none that a seal can have.
pub fn seal(
    secret: &str,
    owner: &str,
    passphrase: &str,
    random: &[u8; SEAL_RANDOM_LEN],
    costs: SealCosts,
) -> Result<Sealed, SealError> {
    if passphrase.len() < PASSPHRASE_LEN_MIN {
        return Err(SealError::ShortPassphrase);
    }
    if !costs.is_bounded() {
        return Err(SealError::NoSeal);
    }
    let (salt, nonce) = random.split_at(SALT_LEN);
    let cipher = cipher(passphrase, salt, costs)?;
    let nonce = XNonce::try_from(nonce).map_err(|_| SealError::NoSeal)?;
    let payload = Payload { msg: secret.as_bytes(), aad: owner.as_bytes() };
    let text = cipher.encrypt(&nonce, payload).map_err(|_| SealError::NoSeal)?;
    let text_of = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Ok(Sealed {
        functions: FUNCTIONS.to_owned(),
        costs,
        salt: text_of(salt),
        nonce: text_of(&nonce),
        text: text_of(&text),
    })
}

impl Sealed {
    /// Opens it for `owner`.
    ///
    /// # Errors
    /// When the passphrase is another, it was made for another owner, or is no seal.
    pub fn open(&self, owner: &str, passphrase: &str) -> Result<Zeroizing<String>, SealError> {
        if self.functions != FUNCTIONS || !self.costs.is_bounded() || self.text.len() > TEXT_LEN_MAX
        {
            return Err(SealError::NoSeal);
        }
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::NoSeal);
        let (salt, nonce, text) = (bytes(&self.salt)?, bytes(&self.nonce)?, bytes(&self.text)?);
        if salt.len() != SALT_LEN {
            return Err(SealError::NoSeal);
        }
        let nonce = XNonce::try_from(nonce.as_slice()).map_err(|_| SealError::NoSeal)?;
        let cipher = cipher(passphrase, &salt, self.costs)?;
        let payload = Payload { msg: &text, aad: owner.as_bytes() };
        let secret = cipher.decrypt(&nonce, payload).map_err(|_| SealError::WrongPassphrase)?;
        match String::from_utf8(secret) {
            Ok(secret) => Ok(Zeroizing::new(secret)),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(SealError::NoSeal)
            }
        }
    }
}

fn cipher(passphrase: &str, salt: &[u8], costs: SealCosts) -> Result<XChaCha20Poly1305, SealError> {
    let params = Params::new(costs.memory_kib, costs.passes, costs.lanes, Some(32));
    let params = params.map_err(|_| SealError::NoSeal)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| SealError::NoSeal)?;
    Ok(XChaCha20Poly1305::new(&Key::from(*key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u8; SEAL_RANDOM_LEN] = [9; SEAL_RANDOM_LEN];

    /// What costs next to nothing; the functions are the same.
    const CHEAP: SealCosts = SealCosts { memory_kib: 64, passes: 1, lanes: 4 };

    fn sealed() -> Sealed {
        seal("z3u2secret", "z6Mk", "correct horse", &RANDOM, CHEAP).unwrap()
    }

    #[test]
    fn what_is_kept_costs_what_the_standard_recommends_unless_told_otherwise() {
        let costs = SealCosts::default();
        assert_eq!((costs.memory_kib, costs.passes, costs.lanes), (65_536, 3, 4));
        let sealed = seal("z3u2secret", "z6Mk", "correct horse", &RANDOM, costs).unwrap();
        assert_eq!(sealed.costs, costs);
        assert_eq!(*sealed.open("z6Mk", "correct horse").unwrap(), "z3u2secret");
        let dear = SealCosts { memory_kib: u32::MAX, ..costs };
        assert_eq!(seal("s", "z6Mk", "correct horse", &RANDOM, dear), Err(SealError::NoSeal));
    }

    #[test]
    fn what_is_sealed_opens_with_its_passphrase_for_its_owner_only() {
        let kept = serde_json::to_string(&sealed()).unwrap();
        assert!(!kept.contains("secret") && !kept.contains("horse"), "{kept}");
        let sealed: Sealed = serde_json::from_str(&kept).unwrap();
        assert_eq!(*sealed.open("z6Mk", "correct horse").unwrap(), "z3u2secret");
        assert_eq!(sealed.open("z6Mk", "correct house"), Err(SealError::WrongPassphrase));
        assert_eq!(sealed.open("z6Mk", ""), Err(SealError::WrongPassphrase));
        assert_eq!(sealed.open("z6Ml", "correct horse"), Err(SealError::WrongPassphrase));
        assert_eq!(seal("s", "z6Mk", "1234567", &RANDOM, CHEAP), Err(SealError::ShortPassphrase));
    }

    #[test]
    fn a_changed_seal_does_not_open_and_takes_no_more_than_its_share() {
        type Change = fn(&mut Sealed);
        let flip = |text: &mut String| {
            let other = if text.starts_with('A') { "B" } else { "A" };
            text.replace_range(..1, other);
        };
        let changed = |change: &dyn Fn(&mut Sealed)| {
            let mut sealed = sealed();
            change(&mut sealed);
            sealed.open("z6Mk", "correct horse").unwrap_err()
        };
        for wrong in [
            changed(&|s| flip(&mut s.text)),
            changed(&|s| flip(&mut s.nonce)),
            changed(&|s| flip(&mut s.salt)),
        ] {
            assert_eq!(wrong, SealError::WrongPassphrase);
        }
        let refused: [Change; 9] = [
            |s| s.costs.memory_kib = u32::MAX,
            |s| s.costs.memory_kib = 0,
            |s| s.costs.passes = 1_000_000,
            |s| s.costs.lanes = 0,
            |s| s.functions = "rot13".to_owned(),
            |s| s.text = "A".repeat(1_000),
            |s| s.text.push('='),
            |s| s.nonce.truncate(8),
            |s| s.salt.clear(),
        ];
        for change in refused {
            assert_eq!(changed(&change), SealError::NoSeal);
        }
    }
}
