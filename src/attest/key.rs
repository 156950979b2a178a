//! Keys that sign, and the checking of what they signed: Ed25519, P-256, and secp256k1 for checking only.
//!
//! Public keys are those of [`did::key`](crate::did::key), with their text forms; here they learn to verify. A private key is made of
//! 32 random bytes that the caller brings, is overwritten when it is dropped, and shows itself to nobody: its text form is asked for by
//! name. Both kinds of signature are made without randomness (RFC 8032, RFC 6979): the same key and bytes give the same signature.
//!
//! Which key may sign when is [`keyring`](super::keyring)'s to say.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Verifier as _;
use zeroize::Zeroizing;

use crate::did::key::PublicKey;

/// The bytes of a signature, of every kind.
pub const SIGNATURE_LEN: usize = 64;
/// The bytes that a private key is made of.
pub const SECRET_LEN: usize = 32;
/// The longest text of a private key that is decoded, in bytes; a valid one has 48.
const TEXT_LEN_MAX: usize = 64;

/// How a signature is made, by its JOSE name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518).
    Es256,
    /// ECDSA on secp256k1 with SHA-256 (RFC 8812); only checked.
    Es256k,
}

impl Algorithm {
    /// Its name as JOSE's `alg` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es256k => "ES256K",
        }
    }
}

/// A signature that is not the key's over the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not that of the key over these bytes")]
pub struct SignatureError;

/// Keys learn to verify here, above the module that reads them.
impl PublicKey {
    /// How this key signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Secp256k1(_) => Algorithm::Es256k,
        }
    }

    /// Checks a signature of [`SIGNATURE_LEN`] bytes over a message: for the curves of NIST and SECG two whole numbers of 32 bytes each.
    ///
    /// Ed25519 is checked strictly: one signature, one form. On secp256k1 the second number must be the lower of the two that would do,
    /// as wallets have it. On P-256 both do, since most signers do not choose; so such a signature is no name for what it signs.
    ///
    /// # Errors
    /// When it is not this key's signature over these bytes.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .and_then(|signature| key.verify_strict(message, &signature))
                .map_err(|_| SignatureError),
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| SignatureError),
            Self::Secp256k1(key) => k256::ecdsa::Signature::from_slice(signature)
                .and_then(|signature| key.verify(message, &signature))
                .map_err(|_| SignatureError),
        }
    }
}

/// A kind of private key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyKind {
    /// The default: fast, and one signature has one form.
    #[default]
    Ed25519,
    /// For verifiers and hardware that know nothing else.
    P256,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Ed25519, Self::P256];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
        }
    }

    /// What stands before the bytes of a private key of this kind in its text form (multicodec's `ed25519-priv` and `p256-priv`).
    const fn prefix(self) -> [u8; 2] {
        match self {
            Self::Ed25519 => [0x80, 0x26],
            Self::P256 => [0x86, 0x26],
        }
    }
}

impl FromStr for KeyKind {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(KeyError::OtherKind)
    }
}

/// Why there is no private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is none of a private key. It is not repeated.
    #[error(
        "a private key is the text of a secret Multikey, as `z3u2…` for Ed25519 or `z42t…` for P-256 (what was found is not shown)"
    )]
    BadText,
    /// A kind that nothing is signed with here.
    #[error("keys are of the kind `ed25519` or `p256`")]
    OtherKind,
    /// Zero, or not below the order of the curve: one draw in four billion.
    #[error("these bytes make no private key of the curve; draw others")]
    NoScalar,
}

/// A private key. Overwritten when it is dropped.
#[derive(Clone)]
pub struct PrivateKey(Secret);

#[derive(Clone)]
enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
}

impl PrivateKey {
    /// The key that 32 random bytes make.
    ///
    /// # Errors
    /// Where the bytes make none; draw others.
    pub fn from_bytes(kind: KeyKind, bytes: &[u8; SECRET_LEN]) -> Result<Self, KeyError> {
        let secret = match kind {
            KeyKind::Ed25519 => Secret::Ed25519(Box::new(bytes.into())),
            KeyKind::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(bytes);
                Secret::P256(Box::new(key.map_err(|_| KeyError::NoScalar)?))
            }
        };
        Ok(Self(secret))
    }

    /// Reads its text form, that of a secret Multikey.
    ///
    /// # Errors
    /// When it is none, or of a kind that nothing is signed with.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let digits = text.strip_prefix('z').filter(|digits| digits.len() <= TEXT_LEN_MAX);
        let bytes = digits.and_then(|digits| bs58::decode(digits).into_vec().ok());
        let bytes = Zeroizing::new(bytes.ok_or(KeyError::BadText)?);
        let (prefix, bytes) = bytes.split_first_chunk().ok_or(KeyError::BadText)?;
        let kind = KeyKind::ALL.into_iter().find(|kind| kind.prefix() == *prefix);
        let bytes = bytes.try_into().map_err(|_| KeyError::BadText)?;
        Self::from_bytes(kind.ok_or(KeyError::BadText)?, bytes)
    }

    /// Its text form, for whoever keeps it: never for a log, an answer or a database.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; 2 + SECRET_LEN]);
        let (prefix, rest) = bytes.split_at_mut(2);
        prefix.copy_from_slice(&self.kind().prefix());
        match &self.0 {
            Secret::Ed25519(key) => rest.copy_from_slice(key.as_bytes()),
            Secret::P256(key) => rest.copy_from_slice(&Zeroizing::new(key.to_bytes())),
        }
        let digits = Zeroizing::new(bs58::encode(bytes.as_slice()).into_string());
        // Large enough at once: a text that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(1 + digits.len()));
        text.push('z');
        text.push_str(&digits);
        text
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match &self.0 {
            Secret::Ed25519(_) => KeyKind::Ed25519,
            Secret::P256(_) => KeyKind::P256,
        }
    }

    /// Its public part.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Secret::Ed25519(key) => PublicKey::Ed25519(key.verifying_key()),
            Secret::P256(key) => PublicKey::P256(*key.verifying_key()),
        }
    }

    /// Its signature over a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        match &self.0 {
            Secret::Ed25519(key) => key.sign(message).to_bytes(),
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().into()
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::hex;

    use super::*;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode_to_array(text).unwrap()
    }

    /// RFC 8032, section 7.1, tests 1 to 3 and SHA(abc): secret, public, message, signature.
    const RFC_8032: [[&str; 4]; 4] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ],
    ];

    #[test]
    fn ed25519_signs_as_the_rfc_has_it() {
        for [secret, public, message, signature] in RFC_8032 {
            let key = PrivateKey::from_bytes(KeyKind::Ed25519, &bytes(secret)).unwrap();
            let PublicKey::Ed25519(found) = key.public() else { panic!("another kind") };
            assert_eq!(found.to_bytes(), bytes::<32>(public));
            let message = hex::decode(message).unwrap();
            assert_eq!(key.sign(&message), bytes::<64>(signature));
            key.public().verify(&message, &bytes::<64>(signature)).unwrap();
        }
    }

    /// RFC 6979, A.2.5: the key of P-256, and its signatures with SHA-256 over two messages.
    #[test]
    fn p256_signs_as_the_rfc_has_it() {
        let secret = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let key = PrivateKey::from_bytes(KeyKind::P256, &secret).unwrap();
        for (message, signature) in [
            (
                "sample",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                "test",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ),
        ] {
            assert_eq!(key.sign(message.as_bytes()), bytes::<64>(signature));
            key.public().verify(message.as_bytes(), &bytes::<64>(signature)).unwrap();
        }
    }

    #[test]
    fn a_private_key_has_one_text_and_shows_none_by_accident() {
        for kind in KeyKind::ALL {
            let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
            let text = key.expose();
            let again = PrivateKey::parse(&text).unwrap();
            assert_eq!((again.public(), again.kind()), (key.public(), kind));
            assert_eq!(*again.expose(), *text);
            let start = if kind == KeyKind::P256 { "z42t" } else { "z3u2" };
            assert!(text.starts_with(start), "{kind:?}");
            assert_eq!(format!("{key:?} {key:#?}"), "PrivateKey(hidden) PrivateKey(hidden)");
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("P256".parse::<KeyKind>(), Err(KeyError::OtherKind));
    }

    #[test]
    fn what_is_no_private_key_is_refused_and_not_repeated() {
        let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
        let (text, public) = (key.expose(), key.public().multibase());
        let long = format!("z{}", "1".repeat(5_000));
        for wrong in [
            "",
            "z",
            &text[1..],
            &text[..40],
            &public,
            &[&**text, "1"].concat(),
            &long,
            "z0OIl",
            "zé",
        ] {
            let error = PrivateKey::parse(wrong).unwrap_err();
            assert_eq!(error, KeyError::BadText, "{wrong:.20}");
        }
        // A secp256k1 private key signs nothing here.
        let other = format!(
            "z{}",
            bs58::encode([&[0x81, 0x26], [7; 32].as_slice()].concat()).into_string()
        );
        assert_eq!(PrivateKey::parse(&other).unwrap_err(), KeyError::BadText);
        for bytes in [[0; 32], [0xff; 32]] {
            assert_eq!(
                PrivateKey::from_bytes(KeyKind::P256, &bytes).unwrap_err(),
                KeyError::NoScalar
            );
        }
    }

    #[test]
    fn a_signature_holds_for_its_key_and_its_bytes_only() {
        let other = PrivateKey::from_bytes(KeyKind::Ed25519, &[8; 32]).unwrap();
        for kind in KeyKind::ALL {
            let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
            let (public, message) = (key.public(), b"what is said");
            let signature = key.sign(message);
            public.verify(message, &signature).unwrap();
            assert_eq!(public.verify(b"what is sai", &signature), Err(SignatureError));
            assert_eq!(other.public().verify(message, &signature), Err(SignatureError));
            for at in 0..SIGNATURE_LEN {
                for flip in [1, 0x80] {
                    let mut wrong = signature;
                    wrong[at] ^= flip;
                    assert_eq!(
                        public.verify(message, &wrong),
                        Err(SignatureError),
                        "{kind:?} {at}"
                    );
                }
            }
            for wrong in
                [&signature[..63], &[&signature[..], &[0]].concat(), &[], &[0; 64], &[0xff; 64]]
            {
                assert_eq!(public.verify(message, wrong), Err(SignatureError));
            }
        }
    }

    /// A second form of a signature by secp256k1 is no signature.
    #[test]
    fn secp256k1_is_checked_and_low() {
        let key = k256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let public = PublicKey::Secp256k1(*key.verifying_key());
        let low: k256::ecdsa::Signature = key.sign(b"what is said");
        public.verify(b"what is said", &low.to_bytes()).unwrap();
        let high = k256::ecdsa::Signature::from_scalars(low.r().to_bytes(), (-*low.s()).to_bytes())
            .unwrap();
        assert_eq!(public.verify(b"what is said", &high.to_bytes()), Err(SignatureError));
        assert_eq!(public.algorithm().as_str(), "ES256K");
    }
}
