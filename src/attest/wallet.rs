//! What a wallet says by a signature over 32 bytes: the part that needs no chain.
//!
//! A wallet is a key or a contract, and by EIP-7702 both. [`judge`] tries the key: only an account's own key recovers to its address, so
//! a signature that does is the account's, whatever code it has. Any other may still be a contract's, and then the chain decides:
//! the answer is a [`Question`] to put to it (ERC-1271, and ERC-6492 for a contract that is not deployed yet). How it is asked is known by
//! `registry`, asking is `app`'s, and what came of it is a [`Verdict`] again. Nothing here knows what was signed; [`text_digest`] and
//! [`typed_digest`] are the two ways in which wallets hash it.
//!
//! Of the two signatures that every secp256k1 signature can be turned into, only the one with the low `s` counts (EIP-2).

use alloy::primitives::{Address, B256, Bytes, hex, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};

use crate::vocab::{AccountId, BlockRef, ChainId};

/// The longest signature that is looked at, in bytes. A counterfactual wallet's carries its own creation.
pub const SIGNATURE_LEN_MAX: usize = 16 * 1024;
/// What the signature of a contract that is not deployed yet ends in (ERC-6492).
const WRAPPED: [u8; 32] = [
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
];
const PLAIN_LEN: usize = 65;
const COMPACT_LEN: usize = 64;

/// What can be said of a signature without the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The account's own key made it.
    Signed,
    /// Its key did not. If the account is a contract it may have signed all the same: only the chain can tell.
    Ask(Question),
}

/// What the chain is to be asked: whether a contract takes a signature for its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose signature it is said to be. The contract is asked on this chain and no other.
    pub account: AccountId,
    /// What was signed.
    pub digest: B256,
    /// The signature, with what ERC-6492 wraps around it.
    pub signature: Bytes,
    /// Whether it says how the contract comes to be (ERC-6492).
    pub is_wrapped: bool,
    /// Why it is not by the account's key.
    pub not_by_key: NotByKey,
}

/// Why a signature is not by an account's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotByKey {
    /// Neither 65 bytes nor 64 (EIP-2098).
    #[error("a key's signature has 65 bytes, or 64 in the form of EIP-2098, and this has {0}")]
    Length(usize),
    /// The last byte says neither of the two points.
    #[error("the last byte of a key's signature is 27 or 28, or 0 or 1, and here it is {0}")]
    RecoveryByte(u8),
    /// The other form of a signature, which anybody can make of it.
    #[error("its `s` is in the upper half of the curve's order, which no wallet makes")]
    HighS,
    /// `r` or `s` is out of range, or no point has this `r`.
    #[error("no key makes such a signature")]
    NoKey,
    /// It is by another key, or over something else.
    #[error("the key that signed these very bytes is that of {0}")]
    OtherKey(Address),
}

/// What came of a signature in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The account signed.
    Signed(SignedBy),
    /// It did not, and why not.
    Unsigned(String),
}

/// By what an account signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// Its key: true for ever.
    Key,
    /// Its code, in the state at the end of a block (ERC-1271): a contract may change its mind.
    Contract(BlockRef),
    /// The code that it will have, in the state at the end of a block at which it was not deployed (ERC-6492).
    Undeployed(BlockRef),
}

impl SignedBy {
    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Contract(_) => "erc1271",
            Self::Undeployed(_) => "erc6492",
        }
    }

    /// The block at whose end the chain was asked; `None` where it was not.
    #[must_use]
    pub const fn block(self) -> Option<BlockRef> {
        match self {
            Self::Key => None,
            Self::Contract(block) | Self::Undeployed(block) => Some(block),
        }
    }

    /// The inverse of [`as_str`](Self::as_str) and [`block`](Self::block); `None` where they do not fit.
    #[must_use]
    pub fn from_word(word: &str, block: Option<BlockRef>) -> Option<Self> {
        match (word, block) {
            ("key", None) => Some(Self::Key),
            ("erc1271", Some(block)) => Some(Self::Contract(block)),
            ("erc6492", Some(block)) => Some(Self::Undeployed(block)),
            _ => None,
        }
    }
}

/// Why a text is not a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureTextError {
    /// It is not bytes in hex.
    #[error("a signature is `0x` and an even number of hex digits")]
    NotHex,
    /// Nothing stands after `0x`.
    #[error("the signature is empty")]
    Empty,
    /// It is longer than any wallet's.
    #[error("the signature is longer than {SIGNATURE_LEN_MAX} bytes")]
    TooLong,
}

/// Reads a signature from its text, `0x` and hex digits.
///
/// # Errors
/// When it is no hex, empty, or longer than [`SIGNATURE_LEN_MAX`].
pub fn parse_signature(text: &str) -> Result<Bytes, SignatureTextError> {
    let digits = text.strip_prefix("0x").ok_or(SignatureTextError::NotHex)?;
    if digits.len() > 2 * SIGNATURE_LEN_MAX {
        return Err(SignatureTextError::TooLong);
    }
    // The decoder would skip another `0x`.
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes = hex::decode(digits).ok().filter(|_| is_hex).ok_or(SignatureTextError::NotHex)?;
    if bytes.is_empty() { Err(SignatureTextError::Empty) } else { Ok(bytes.into()) }
}

/// What a wallet hashes when it signs a text (EIP-191, `personal_sign`): the text with a prefix and its length.
#[must_use]
pub fn text_digest(text: &[u8]) -> B256 {
    let prefix = format!("\x19Ethereum Signed Message:\n{}", text.len());
    keccak256([prefix.as_bytes(), text].concat())
}

/// What a wallet hashes when it signs typed data (EIP-712), from the separator of its domain and the hash of its message.
#[must_use]
pub fn typed_digest(domain: B256, message: B256) -> B256 {
    keccak256([b"\x19\x01", domain.as_slice(), message.as_slice()].concat())
}

/// The hash of an EIP-712 value: of its type's hash and its members, each one word.
#[must_use]
pub fn typed_hash(of_type: B256, members: &[B256]) -> B256 {
    let words: Vec<B256> = std::iter::once(of_type).chain(members.iter().copied()).collect();
    keccak256(words.concat())
}

/// Whether an account signed these 32 bytes, as far as can be said without the chain.
#[must_use]
pub fn judge(account: AccountId, digest: B256, signature: &Bytes) -> Judgement {
    let is_wrapped = signature.ends_with(&WRAPPED);
    let not_by_key = match recover(digest, signature) {
        // What says how its contract comes to be is a contract's, whatever its bytes recover to.
        Ok(signer) if signer == account.address && !is_wrapped => return Judgement::Signed,
        Ok(signer) => NotByKey::OtherKey(signer),
        Err(reason) => reason,
    };
    let signature = signature.clone();
    Judgement::Ask(Question { account, digest, signature, is_wrapped, not_by_key })
}

impl Question {
    /// The verdict where the chain says no, and in which words.
    #[must_use]
    pub fn refused(&self, by_chain: &str, block: BlockRef) -> Verdict {
        let Self { account, not_by_key, .. } = self;
        Verdict::Unsigned(format!(
            "this is no signature of {account}: {not_by_key}; and at the end of block {block}, {by_chain}"
        ))
    }

    /// What is known without the chain: that the account's key did not sign, and why.
    #[must_use]
    pub fn not_by_its_key(&self) -> String {
        format!("this is no signature by the key of {}: {}", self.account, self.not_by_key)
    }

    /// What can be said where no node can be asked, since there is one of `chain` alone, or none.
    #[must_use]
    pub fn unasked(&self, chain: Option<ChainId>) -> String {
        let nodes = match chain {
            Some(chain) => format!("this service has a node of {chain} alone"),
            None => "this service has no node".to_owned(),
        };
        format!(
            "{}; if the account is a contract, a node of {} has to be asked, and {nodes}",
            self.not_by_its_key(),
            self.account.chain
        )
    }
}

/// The address whose key made a signature of 65 or 64 bytes.
///
/// # Errors
/// Says why there is none.
pub fn recover(digest: B256, signature: &[u8]) -> Result<Address, NotByKey> {
    let (rs, is_odd) = match *signature {
        [ref rs @ .., last] if signature.len() == PLAIN_LEN => match last {
            0 | 27 => (rs.to_vec(), false),
            1 | 28 => (rs.to_vec(), true),
            other => return Err(NotByKey::RecoveryByte(other)),
        },
        _ if signature.len() == COMPACT_LEN => {
            // EIP-2098: a low `s` leaves its highest bit free.
            let mut rs = signature.to_vec();
            let high = rs.get_mut(32).map_or(0, |byte| {
                let high = *byte & 0x80;
                *byte &= 0x7f;
                high
            });
            (rs, high != 0)
        }
        _ => return Err(NotByKey::Length(signature.len())),
    };
    let id = if is_odd { RecoveryId::One } else { RecoveryId::Zero };
    let parsed = RecoverableSignature::from_compact(&rs, id).map_err(|_| NotByKey::NoKey)?;
    let given = parsed.to_standard();
    let mut low = given;
    low.normalize_s();
    if low != given {
        return Err(NotByKey::HighS);
    }
    // The one key by which the signature holds, of the two that its `r` leaves (SEC 1, section 4.1.6).
    let message = Message::from_digest(digest.0);
    let key = SECP256K1.recover_ecdsa(message, &parsed).map_err(|_| NotByKey::NoKey)?;
    Ok(address_of_point(&key.serialize_uncompressed()))
}

/// The address of a key: the end of the hash of its point's coordinates, before which one byte says that both follow.
fn address_of_point([_, coordinates @ ..]: &[u8; 65]) -> Address {
    Address::from_word(keccak256(coordinates))
}

/// The address of a key that signs in tests.
#[cfg(test)]
pub(super) fn address_of(key: &k256::ecdsa::VerifyingKey) -> Address {
    address_of_point(key.to_encoded_point(false).as_bytes().try_into().unwrap())
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{U256, address, b256};
    use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
    use proptest::prelude::*;

    use super::*;

    const BASE: ChainId = ChainId(8453);

    fn on_base(address: Address) -> AccountId {
        AccountId { chain: BASE, address }
    }

    /// A key of equal bytes; 0 and 255 give none, since the number must be below the curve's order.
    fn key(byte: u8) -> SigningKey {
        SigningKey::from_slice(&[byte; 32]).unwrap()
    }

    /// A number of 32 bytes: any, or one at an edge of the order of the curve, of its half, of its field, or of the bytes.
    fn number() -> impl Strategy<Value = [u8; 32]> {
        let edge = |number: U256, by: u8, is_less: bool| {
            let by = U256::from(by);
            if is_less { number.wrapping_sub(by) } else { number.wrapping_add(by) }
        };
        let edges = prop_oneof![
            Just(U256::ZERO),
            Just(U256::from_be_bytes(secp256k1::constants::CURVE_ORDER)),
            Just(U256::from_be_bytes(secp256k1::constants::CURVE_ORDER) >> 1),
            Just(U256::from_be_bytes(secp256k1::constants::FIELD_SIZE)),
        ];
        let edges = (edges, 0..4_u8, any::<bool>());
        prop_oneof![
            any::<[u8; 32]>(),
            edges.prop_map(move |(of, by, is)| edge(of, by, is).to_be_bytes())
        ]
    }

    /// 65 bytes, the last 27 or 28.
    fn sign(key: &SigningKey, digest: B256) -> Vec<u8> {
        let (signature, id) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
        [&signature.to_bytes()[..], &[27 + id.to_byte()]].concat()
    }

    /// The same with the other `s`, and the other point.
    fn turned(signature: &[u8]) -> Vec<u8> {
        let parsed = Signature::from_slice(&signature[..64]).unwrap();
        let (r, s) = parsed.split_scalars();
        let high = Signature::from_scalars(*r, -*s).unwrap();
        [&high.to_bytes()[..], &[27 + 28 - signature[64]]].concat()
    }

    /// From EIP-2098 and from the documentation of web3.js.
    #[test]
    fn published_signatures_recover() {
        let key = SigningKey::from_slice(&hex!(
            "1234567890123456789012345678901234567890123456789012345678901234"
        ));
        let signer = address_of(key.unwrap().verifying_key());
        for (text, signature, account) in [
            (
                "Hello World",
                &hex!(
                    "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90"
                    "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064"
                )[..],
                signer,
            ),
            (
                "It's a small(er) world",
                &hex!(
                    "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76"
                    "939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793"
                ),
                signer,
            ),
            (
                "Some data",
                &hex!(
                    "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
                    "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029"
                    "1c"
                ),
                address!("2c7536E3605D9C16a7a3D7b1898e529396a65c23"),
            ),
        ] {
            assert_eq!(recover(text_digest(text.as_bytes()), signature), Ok(account), "{text}");
        }
        let some_data = b256!("1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655");
        assert_eq!(text_digest(b"Some data"), some_data);
    }

    /// The example of EIP-712 itself.
    #[test]
    fn typed_data_hashes_as_its_standard_has_it() {
        let domain = b256!("f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
        let message = b256!("c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
        let digest = b256!("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
        assert_eq!(typed_digest(domain, message), digest);
        let domain_type = keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        );
        let contract = address!("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC");
        let members = [
            keccak256("Ether Mail"),
            keccak256("1"),
            B256::with_last_byte(1),
            contract.into_word(),
        ];
        assert_eq!(typed_hash(domain_type, &members), domain);
    }

    #[test]
    fn every_form_of_a_signature_counts_and_no_other() {
        for byte in 1..40 {
            let (key, digest) = (key(byte), keccak256([byte]));
            let account = on_base(address_of(key.verifying_key()));
            let plain = sign(&key, digest);
            let odd = plain[64] - 27;
            let by_parity = [&plain[..64], &[odd]].concat();
            let mut compact = plain[..64].to_vec();
            compact[32] |= odd << 7;
            for form in [&plain, &by_parity, &compact] {
                assert_eq!(judge(account, digest, &form.clone().into()), Judgement::Signed);
            }
            assert_eq!(recover(digest, &turned(&plain)), Err(NotByKey::HighS));
            for last in [2, 26, 29, 35, 255] {
                let other = [&plain[..64], &[last]].concat();
                assert_eq!(recover(digest, &other), Err(NotByKey::RecoveryByte(last)));
            }
            for length in [0, 1, 32, 63, 66, 96] {
                let mut other = plain.clone();
                other.resize(length, 0);
                assert_eq!(recover(digest, &other), Err(NotByKey::Length(length)));
            }
        }
        for nothing in [[0; 64], [0xff; 64]] {
            assert_eq!(recover(B256::ZERO, &nothing), Err(NotByKey::NoKey));
        }
    }

    #[test]
    fn what_is_not_by_the_key_is_a_question_with_its_reason() {
        let (digest, signer) = (keccak256("x"), key(7));
        let account = on_base(Address::repeat_byte(0xaa));
        let signature: Bytes = sign(&signer, digest).into();
        let Judgement::Ask(question) = judge(account, digest, &signature) else { panic!() };
        assert_eq!(question.not_by_key, NotByKey::OtherKey(address_of(signer.verifying_key())));
        assert!(!question.is_wrapped && question.signature == signature);
        let told = question.unasked(Some(BASE));
        assert!(told.contains("eip155:8453 alone") && told.contains("0xaAaA"), "{told}");
        let wrapped: Bytes = [&signature[..], &WRAPPED].concat().into();
        let Judgement::Ask(question) = judge(account, digest, &wrapped) else { panic!() };
        assert!(question.is_wrapped);
        assert_eq!(question.not_by_key, NotByKey::Length(97));
    }

    #[test]
    fn how_an_account_signed_has_one_text() {
        let block = BlockRef { number: 7, hash: B256::repeat_byte(7) };
        for by in [SignedBy::Key, SignedBy::Contract(block), SignedBy::Undeployed(block)] {
            assert_eq!(SignedBy::from_word(by.as_str(), by.block()), Some(by));
        }
        assert_eq!(SignedBy::from_word("key", Some(block)), None);
        assert_eq!(SignedBy::from_word("erc1271", None), None);
    }

    #[test]
    fn texts_of_signatures_are_bounded() {
        let longest = format!("0x{}", "ab".repeat(SIGNATURE_LEN_MAX));
        assert_eq!(parse_signature(&longest).unwrap().len(), SIGNATURE_LEN_MAX);
        for (text, expected) in [
            ("", SignatureTextError::NotHex),
            ("0x", SignatureTextError::Empty),
            ("ab", SignatureTextError::NotHex),
            ("0xabc", SignatureTextError::NotHex),
            ("0xzz", SignatureTextError::NotHex),
            ("0x0xab", SignatureTextError::NotHex),
            (&format!("{longest}ab"), SignatureTextError::TooLong),
        ] {
            assert_eq!(parse_signature(text), Err(expected), "{text:.20}");
        }
    }

    proptest! {
        /// The key that is recovered is the one that k256 recovers and then checks the signature by; and where it finds none, none is found.
        /// Numbers at the edges of the curve's order are drawn as often as others.
        #[test]
        fn the_key_that_is_recovered_is_one_by_which_the_signature_holds(
            digest in number(), r in number(), s in number(), last in 27..=28_u8, seed in 1..255_u8, is_made: bool,
        ) {
            let made = key(seed).sign_prehash_recoverable(&digest).unwrap().0.to_bytes();
            let rs = if is_made { made.to_vec() } else { [r, s].concat() };
            let signature = Signature::from_slice(&rs).ok();
            let expected = signature.filter(|found| found.normalize_s().is_none()).and_then(|found| {
                let id = RecoveryId::new(last == 28, false);
                VerifyingKey::recover_from_prehash(&digest, &found, id).ok()
            });
            let found = recover(digest.into(), &[rs, vec![last]].concat()).ok();
            prop_assert_eq!(found, expected.as_ref().map(address_of));
        }

        /// Whatever byte of the digest or of the signature is changed, the key has not signed; and no bytes stop the program.
        #[test]
        fn a_changed_byte_is_another_signature(
            seed in 1..255_u8, at in 0..97_usize, change in 1..=255_u8, form in 0..3_usize,
        ) {
            let (key, mut digest) = (key(seed), keccak256([seed]));
            let account = on_base(address_of(key.verifying_key()));
            let mut signature = sign(&key, digest);
            let odd = signature[64] - 27;
            match form {
                0 => {}
                1 => signature[64] = odd,
                _ => {
                    signature.truncate(64);
                    signature[32] |= odd << 7;
                }
            }
            let before = signature.clone();
            match at.checked_sub(32) {
                None => digest.0[at] ^= change,
                Some(at) => {
                    let at = at % signature.len();
                    signature[at] ^= change;
                }
            }
            // 27 and 0 say the same, and so do 28 and 1.
            let parity = |signature: &[u8]| match signature.get(64) {
                Some(0 | 27) => Some(false),
                Some(1 | 28) => Some(true),
                _ => None,
            };
            let says_the_same = at >= 32
                && signature[..64] == before[..64]
                && parity(&signature).is_some_and(|odd| parity(&before) == Some(odd));
            let judgement = judge(account, digest, &signature.into());
            prop_assert_eq!(judgement == Judgement::Signed, says_the_same);
        }

        #[test]
        fn any_bytes_are_judged(digest: [u8; 32], bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let account = on_base(Address::ZERO);
            let is_signed = judge(account, digest.into(), &bytes.into()) == Judgement::Signed;
            prop_assert!(!is_signed);
        }
    }
}
