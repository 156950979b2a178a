//! Everything that can be wrong with a DID, by name.

/// Why a text is not a DID that can be understood here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// Longer than any DID has reason to be.
    #[error("the DID has {length} bytes; at most {max} are read")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that are read.
        max: usize,
    },
    /// What stands behind the DID of a DID URL makes it longer than any has reason to be.
    #[error("the DID URL has {length} bytes; at most {max} are read")]
    UrlTooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that are read.
        max: usize,
    },
    /// The text does not begin with `did:`.
    #[error("a DID begins with `did:`")]
    NoScheme,
    /// What stands between the first two colons is no method's name.
    #[error("the method of a DID is lower-case letters and digits between two colons")]
    BadMethod,
    /// Nothing stands after the method, or the text ends in a colon.
    #[error("a DID names something after its method, and does not end in a colon")]
    NoIdentifier,
    /// A path, query or fragment stands behind the DID.
    #[error("this is a DID URL: leave out what begins with `{0}`")]
    Url(char),
    /// A sign that a DID cannot hold.
    #[error("the sign {shown} at byte {at} cannot stand in a DID")]
    BadCharacter {
        /// The sign, printable.
        shown: String,
        /// Where it stands.
        at: usize,
    },
    /// `%` without two hex digits.
    #[error("`%` at byte {at} is not followed by two hex digits")]
    BadPercent {
        /// Where it stands.
        at: usize,
    },
    /// Another method than was expected.
    #[error("this is not a did:{expected}")]
    OtherMethod {
        /// The method that was expected.
        expected: &'static str,
    },
    /// The host of a did:web is an IP address.
    #[error("the host of a did:web is a DNS name, never an IP address")]
    IpHost,
    /// The host of a did:web is no DNS name.
    #[error("the host of a did:web is a DNS name, with its port after `%3A`: {0}")]
    BadHost(&'static str),
    /// The port of a did:web is none.
    #[error("the port of a did:web is a number from 1 to 65535 without leading zeros")]
    BadPort,
    /// A part of the path of a did:web means something else once it is decoded.
    #[error("the part {part} of the path of this did:web {why}")]
    BadPath {
        /// Which part, counted from 1.
        part: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The account of a did:pkh is none.
    #[error("this did:pkh names no account: write `did:pkh:eip155:8453:0x…` with 40 hex digits")]
    BadAccount,
    /// The account of a did:pkh lives where no account is understood here.
    #[error("accounts of other namespaces than `eip155` are not understood here")]
    OtherNamespace,
    /// A key is not multibase base58btc.
    #[error("the text of a key begins with `z` and is written in base58")]
    BadMultibase,
    /// A key is of a kind that is not understood.
    #[error("only Ed25519, P-256 and secp256k1 keys are understood")]
    OtherKey,
    /// A key has the wrong length, or is no point of its curve.
    #[error("the bytes of this key are no {0} key")]
    BadKey(&'static str),
    /// A JWK holds a private part.
    #[error("this JWK holds a private part, which is private no longer: the key must be replaced")]
    PrivateJwk,
}
