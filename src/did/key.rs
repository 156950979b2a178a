//! did:key: public keys as identifiers, for Ed25519, P-256 and secp256k1. Their documents are made from the identifier alone.
//!
//! The document has the key once, as a Multikey, under every relation but key agreement: nothing here encrypts, and a key of another
//! curve that nobody named is not made up. Bytes that are no point of their curve are refused.

use std::fmt;

use super::DidError;
use super::document::{Context, DID_V1, Document, MULTIKEY_V1, MethodKey, VerificationMethod};
use super::syntax::Did;

/// The longest key text that is decoded, in bytes; the longest valid one has 49.
const TEXT_LEN_MAX: usize = 64;

/// A public key of a kind that is understood: a point of its curve. Text form: that of its Multikey.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PublicKey {
    /// Of Ed25519, and not of small order.
    Ed25519(ed25519_dalek::VerifyingKey),
    /// Of P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// Of secp256k1.
    Secp256k1(k256::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads the multibase text of a Multikey, which begins with `z`.
    ///
    /// # Errors
    /// When it is not base58btc, of another kind, or no point of its curve.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let digits = text.strip_prefix('z').filter(|digits| digits.len() <= TEXT_LEN_MAX);
        let bytes = digits.and_then(|digits| bs58::decode(digits).into_vec().ok());
        let bytes = bytes.ok_or(DidError::BadMultibase)?;
        match bytes.as_slice() {
            [0xed, 0x01, key @ ..] => Self::of_ed25519(key),
            [0x80, 0x24, key @ ..] => compressed(key, "P-256").and_then(Self::of_p256),
            [0xe7, 0x01, key @ ..] => compressed(key, "secp256k1").and_then(Self::of_secp256k1),
            _ => Err(DidError::OtherKey),
        }
    }

    /// The multibase text of its Multikey.
    pub fn multibase(&self) -> String {
        let bytes = match self {
            Self::Ed25519(key) => [&[0xed, 0x01], key.as_bytes().as_slice()].concat(),
            Self::P256(key) => [&[0x80, 0x24], key.to_encoded_point(true).as_bytes()].concat(),
            Self::Secp256k1(key) => [&[0xe7, 0x01], key.to_encoded_point(true).as_bytes()].concat(),
        };
        format!("z{}", bs58::encode(bytes).into_string())
    }

    /// The key of 32 bytes.
    pub(super) fn of_ed25519(bytes: &[u8]) -> Result<Self, DidError> {
        let key = ed25519_dalek::VerifyingKey::try_from(bytes);
        // A point of small order would verify signatures that nobody made.
        let key = key.ok().filter(|key| !key.is_weak());
        key.map(Self::Ed25519).ok_or(DidError::BadKey("Ed25519"))
    }

    /// The key of a point in its SEC 1 form.
    pub(super) fn of_p256(point: &[u8]) -> Result<Self, DidError> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
        key.map(Self::P256).map_err(|_| DidError::BadKey("P-256"))
    }

    /// The key of a point in its SEC 1 form.
    pub(super) fn of_secp256k1(point: &[u8]) -> Result<Self, DidError> {
        let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(point);
        key.map(Self::Secp256k1).map_err(|_| DidError::BadKey("secp256k1"))
    }
}

/// A point that is written as the sign of its second coordinate and its first: the one form that a Multikey has.
fn compressed<'a>(point: &'a [u8], curve: &'static str) -> Result<&'a [u8], DidError> {
    match point {
        [2 | 3, rest @ ..] if rest.len() == 32 => Ok(point),
        _ => Err(DidError::BadKey(curve)),
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.multibase())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key that a did:key is.
///
/// # Errors
/// As [`PublicKey::parse`], and when it is of another method.
pub fn parse(did: &Did) -> Result<PublicKey, DidError> {
    if did.method() != "key" {
        return Err(DidError::OtherMethod { expected: "key" });
    }
    PublicKey::parse(did.id())
}

/// The document of a did:key.
///
/// # Errors
/// As [`parse`].
pub fn document(did: &Did) -> Result<Document, DidError> {
    parse(did)?;
    let method = format!("{did}#{}", did.id());
    Ok(Document {
        context: vec![Context::Url(DID_V1), Context::Url(MULTIKEY_V1)],
        verification_method: vec![VerificationMethod {
            id: method.clone(),
            controller: did.to_string(),
            key: MethodKey::Multibase(did.id().to_owned()),
        }],
        authentication: vec![method.clone()],
        assertion_method: vec![method.clone()],
        capability_delegation: vec![method.clone()],
        capability_invocation: vec![method],
        ..Document::new(did.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the method's own test vectors.
    const ED25519: &str = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    const P256: &str = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv";
    const SECP256K1: &str = "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme";

    fn with(prefix: [u8; 2], key: &[u8]) -> String {
        format!("z{}", bs58::encode([&prefix, key].concat()).into_string())
    }

    #[test]
    fn keys_of_three_kinds_are_read_and_written() {
        for text in [ED25519, P256, SECP256K1] {
            assert_eq!(PublicKey::parse(text).unwrap().multibase(), text);
        }
        assert!(matches!(PublicKey::parse(ED25519), Ok(PublicKey::Ed25519(_))));
        assert!(matches!(PublicKey::parse(P256), Ok(PublicKey::P256(_))));
        assert!(matches!(PublicKey::parse(SECP256K1), Ok(PublicKey::Secp256k1(_))));
    }

    #[test]
    fn what_is_no_key_is_refused_by_name() {
        let long = format!("z{}", "1".repeat(5_000));
        for text in ["", "z", "6Mk", "uABC", "z0OIl", "zé", &long] {
            let error = PublicKey::parse(text).unwrap_err();
            assert!(
                matches!(error, DidError::BadMultibase | DidError::OtherKey),
                "{text:.20}: {error}"
            );
        }
        // X25519, BLS12-381, and an Ed25519 private key are kinds that sign nothing here.
        for prefix in [[0xec, 0x01], [0xeb, 0x01], [0x80, 0x26]] {
            assert_eq!(PublicKey::parse(&with(prefix, &[7; 32])), Err(DidError::OtherKey));
        }
        for (prefix, key, kind) in [
            ([0xed, 0x01], vec![7; 31], "Ed25519"),
            ([0xed, 0x01], vec![7; 33], "Ed25519"),
            // 2 is no y of the curve; 1 is a point of small order.
            ([0xed, 0x01], [vec![2], vec![0; 31]].concat(), "Ed25519"),
            ([0xed, 0x01], [vec![1], vec![0; 31]].concat(), "Ed25519"),
            ([0x80, 0x24], vec![2; 32], "P-256"),
            ([0x80, 0x24], vec![4; 65], "P-256"),
            ([0x80, 0x24], [vec![5], vec![1; 32]].concat(), "P-256"),
            ([0xe7, 0x01], [vec![2], vec![0xff; 32]].concat(), "secp256k1"),
            ([0xe7, 0x01], [vec![2], vec![0; 31], vec![5]].concat(), "secp256k1"),
        ] {
            let text = with(prefix, &key);
            assert!(
                matches!(PublicKey::parse(&text), Err(DidError::BadKey(k)) if k == kind)
                    || key.len() > 33,
                "{kind} {key:?}: {:?}",
                PublicKey::parse(&text)
            );
            assert!(PublicKey::parse(&text).is_err());
        }
    }
}
