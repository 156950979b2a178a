//! Why a character is not created, changed or proven: each with what to do about it.

use crate::app::contract_wallets::AskError;
use crate::app::secret::NoRandomness;
use crate::attest::siwe::StatedError;
use crate::attest::wallet::SignatureTextError;
use crate::storage::StorageError;
use crate::vocab::{AccountId, Handle, HandleError, UnixSeconds};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum CharacterError {
    /// The handle breaks a rule.
    #[error("{0}")]
    Handle(#[from] HandleError),
    /// The handle could pass for the service or its staff.
    #[error("the handle `{0}` is reserved; choose another")]
    Reserved(Handle),
    /// Another character has it, perhaps in another letter case, or had it.
    #[error(
        "the handle `{0}` is taken, and letter case does not tell handles apart; choose another"
    )]
    Taken(Handle),
    /// No token came with the request.
    #[error("{0}")]
    NoToken(&'static str),
    /// The token that came is not the right one.
    #[error("{0}")]
    WrongToken(&'static str),
    /// The invitation is not of use.
    #[error("{0}; ask the operator for another")]
    Invitation(&'static str),
    /// Nobody has this handle.
    #[error("there is no character `{0}`")]
    NoSuchCharacter(Handle),
    /// The character was removed.
    #[error("the character `{0}` was removed; its DID is deactivated for ever")]
    Removed(Handle),
    /// The account is its wallet already.
    #[error("{account} is linked to the character `{handle}` already")]
    Linked {
        /// The account.
        account: AccountId,
        /// The character.
        handle: Handle,
    },
    /// The account is none of its wallets.
    #[error("{account} is not linked to the character `{handle}`")]
    NotLinked {
        /// The account.
        account: AccountId,
        /// The character.
        handle: Handle,
    },
    /// A bound of one character is reached.
    #[error("the character `{handle}` has {max} {what}, which is the most it may have")]
    TooMany {
        /// The character.
        handle: Handle,
        /// Of what.
        what: &'static str,
        /// How many it may have.
        max: u64,
    },
    /// No chain has such a number.
    #[error("no chain has the number {0}")]
    NoSuchChain(u64),
    /// Nobody holds this account, so that nobody can sign for it.
    #[error("{0} is nobody's account: it is the address that stands for none")]
    NobodysAccount(AccountId),
    /// The message is not one that counts.
    #[error("{0}")]
    Challenge(#[from] ChallengeError),
    /// The signature's text is malformed.
    #[error("{0}")]
    SignatureText(#[from] SignatureTextError),
    /// The account did not sign the message.
    #[error("{0}")]
    NotSigned(String),
    /// Nobody knows whether it did.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No secret can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Why a message does not count, whoever signed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// It is no message of EIP-4361.
    #[error("{0}")]
    Malformed(#[from] StatedError),
    /// It was made for another service.
    #[error(
        "the message is for `{domain}`, and this is {ours}: sign only what this service gives you"
    )]
    Foreign {
        /// Whom it names.
        domain: String,
        /// Who this is.
        ours: String,
    },
    /// Its five minutes are over.
    #[error("the challenge expired at {0}; ask for another")]
    Expired(UnixSeconds),
    /// It was used before.
    #[error("the challenge was used already; ask for another")]
    Used,
    /// Nobody gave it out, or long ago, or it was withdrawn.
    #[error(
        "no challenge with this nonce waits: none was given out, newer ones took its place, or the character's token or wallets changed since; ask for one at /v1/links/challenge"
    )]
    Unknown,
    /// A byte of it is another than in what was given out.
    #[error(
        "the message is not the one that was given out with this nonce: sign and send it byte for byte"
    )]
    Altered,
    /// Too many wrong signatures came for it.
    #[error("too many signatures came for this challenge; ask for another")]
    Worn,
}
