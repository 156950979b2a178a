//! Why an envelope does not hold: one reason for each check, with what it was about.

use super::attestation::AttestationError;
use super::canonical::JsonError;
use super::credential::CredentialError;
use super::data_integrity::ASSERTION;
use super::field::FieldError;
use super::jose::JoseError;
use super::key::SignatureError;
use super::method::MethodError;
use super::typed_record::TypedRecordError;
use super::verdict::Right;
use crate::vocab::{AccountId, UnixSeconds};

/// Why an envelope does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key could not be had from its document.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// The key of the document is an account.
    #[error("`{0}` is an account: it signs as a wallet (EIP-712 or EIP-191), and not documents")]
    AccountKey(String),
    /// The proof's suite is not the one of its key.
    #[error("the proof says `{suite}`, but its key is of another kind")]
    OtherSuite {
        /// As in the proof.
        suite: &'static str,
    },
    /// The signature of a document or payload does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The JWT does not hold.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// What was signed is not JSON that means one thing.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A claim of the JWT is not what it must be.
    #[error(transparent)]
    Claim(#[from] FieldError),
    /// What was signed is no credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// What was signed is no record.
    #[error(transparent)]
    Record(#[from] AttestationError),
    /// What was signed is no record with a schema.
    #[error(transparent)]
    TypedRecord(#[from] TypedRecordError),
    /// The signature says another time than the record.
    #[error("it was signed at {signed}, and the record says {said}")]
    OtherTime {
        /// When it was signed.
        signed: UnixSeconds,
        /// When the record says that it was issued.
        said: UnixSeconds,
    },
    /// The account did not sign.
    #[error("{0}")]
    Unsigned(String),
    /// The contract of EAS is not one that counts.
    #[error("attestations of the EAS contract {0} are not taken in here")]
    OtherEas(AccountId),
    /// Signed for something else.
    #[error("it was signed for the purpose `{0}`, and a statement is signed for `{ASSERTION}`")]
    OtherPurpose(String),
    /// Meant for somebody else.
    #[error("it is meant for {found:?}, and not for `{expected}`")]
    OtherDomain {
        /// Whom it is meant for.
        found: Vec<String>,
        /// Whom it must be meant for.
        expected: String,
    },
    /// Signed along with another challenge, or none.
    #[error("it does not carry the challenge that was given out")]
    OtherChallenge,
    /// Said in the future.
    #[error("it was signed at {said}, which is yet to come; it was received at {received}")]
    FromTheFuture {
        /// When it says that it was signed.
        said: UnixSeconds,
        /// When it was received.
        received: UnixSeconds,
    },
    /// Not valid yet.
    #[error("it counts from {from} on, and was received at {received}")]
    NotYet {
        /// From when on.
        from: UnixSeconds,
        /// When it was received.
        received: UnixSeconds,
    },
    /// No longer valid.
    #[error("it counted until {until}, and was received at {received}")]
    Expired {
        /// Until when.
        until: UnixSeconds,
        /// When it was received.
        received: UnixSeconds,
    },
    /// Whose key it is, is not whose word it is said to be.
    #[error("the key is {controller}'s, and the issuer is {issuer}")]
    OtherController {
        /// Whose key it is.
        controller: String,
        /// Whose word it is said to be.
        issuer: String,
    },
    /// The key's document says that it had ended.
    #[error("the key `{method}` ended at {ended}, and this was said at {said}")]
    MethodEnded {
        /// The key.
        method: String,
        /// When it ended.
        ended: UnixSeconds,
        /// When it was said.
        said: UnixSeconds,
    },
    /// The key or account did not speak for the issuer at that time.
    #[error("{signer} did not speak for {issuer} at {said}{when}", when = when(.rights))]
    NotThen {
        /// The key or account.
        signer: String,
        /// The issuer.
        issuer: String,
        /// When it was said.
        said: UnixSeconds,
        /// When it did.
        rights: Vec<Right>,
    },
}

/// When rights held, in words; at most three of them.
fn when(rights: &[Right]) -> String {
    let spans: Vec<_> = rights
        .iter()
        .take(3)
        .map(|right| match right.to {
            Some(to) => format!("from {} to {to}", right.from),
            None => format!("since {}", right.from),
        })
        .collect();
    match spans.as_slice() {
        [] => ", nor at any other time that is known".to_owned(),
        spans => format!("; it did {}", spans.join(", and ")),
    }
}
