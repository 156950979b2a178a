//! Tokens: secrets that are shown once, to whoever they are for, and kept as their hash.
//!
//! They are random and long, so that a plain hash is enough: there is nothing to guess. Two hashes are compared in a time that does not
//! tell how much of them is the same.

use std::fmt;

use alloy::primitives::{B256, hex};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How many random bytes a token has.
const TOKEN_BYTES: usize = 32;
/// How many random bytes a nonce has.
const NONCE_BYTES: usize = 16;

/// A secret as it is shown once. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What is kept of a token.
#[derive(Clone, Copy, Debug)]
pub struct TokenHash(B256);

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

impl Token {
    /// A new one; `kind` stands before it, so that a token that is found somewhere tells what it opens.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn random(kind: &str) -> Result<Self, NoRandomness> {
        Ok(Self(format!("{kind}_{}", hex::encode(random::<TOKEN_BYTES>()?))))
    }

    /// The secret itself: for whoever it is for, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TokenHash {
    /// The hash of what somebody says is a token.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(B256::new(Sha256::digest(text.as_bytes()).into()))
    }

    /// A hash that was kept.
    #[must_use]
    pub const fn kept(hash: B256) -> Self {
        Self(hash)
    }

    /// To keep it.
    #[must_use]
    pub const fn to_keep(self) -> B256 {
        self.0
    }

    /// Whether both are of one token.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

/// A text of letters and digits that nobody can guess and that never comes again.
///
/// # Errors
/// When the system gives no random bytes.
pub(super) fn nonce() -> Result<String, NoRandomness> {
    random::<NONCE_BYTES>().map(hex::encode)
}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_new_and_show_nothing() {
        let (one, other) = (Token::random("hmc").unwrap(), Token::random("hmc").unwrap());
        assert!(one != other && one.expose().starts_with("hmc_") && one.expose().len() == 68);
        assert_eq!(format!("{one:?}"), "Token(…)");
        assert!(one.hash().is_same(&TokenHash::of(one.expose())));
        assert!(!one.hash().is_same(&other.hash()));
        assert!(TokenHash::kept(one.hash().to_keep()).is_same(&one.hash()));
        assert_ne!(nonce().unwrap(), nonce().unwrap());
    }

    /// Of the empty text, by FIPS 180-4's own examples.
    #[test]
    fn hashes_are_sha_256() {
        let hash = TokenHash::of("").to_keep().to_string();
        assert_eq!(hash, "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
