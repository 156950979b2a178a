//! Why a request about a character is refused, as problems.
//!
//! The words are those of `app`; what belongs to this layer are the problem's name and its status.

use axum::http::StatusCode as S;

use crate::api::error::ApiError;
use crate::app::{AskError, ChallengeError, CharacterError};

/// A problem's name, its title, and the status.
pub(in crate::api) type Kind = (&'static str, &'static str, S);

impl From<CharacterError> for ApiError {
    fn from(error: CharacterError) -> Self {
        let detail = error.to_string();
        let refuse = |kind| Self::Refused { kind, detail: detail.clone(), retry_after_s: None };
        match error {
            CharacterError::Handle(_) => Self::field("handle", detail),
            CharacterError::NoSuchChain(_) | CharacterError::NobodysAccount(_) => {
                Self::field("account", detail)
            }
            CharacterError::SignatureText(_) => Self::field("signature", detail),
            CharacterError::Storage(source) => source.into(),
            CharacterError::NoRandomness(_) => Self::internal(detail),
            CharacterError::Ask(AskError::Node { source, .. }) => {
                tracing::warn!(error = %source, "a contract was not asked for its signature");
                let kind = ("node-unavailable", "Node unavailable", S::SERVICE_UNAVAILABLE);
                Self::Refused { kind, detail, retry_after_s: Some(2) }
            }
            CharacterError::Challenge(challenge) => refuse(of_challenge(&challenge)),
            CharacterError::Ask(AskError::NoNode(_)) => {
                refuse(("no-node", "No node to ask", S::NOT_IMPLEMENTED))
            }
            CharacterError::Reserved(_) => {
                refuse(("handle-reserved", "Handle reserved", S::UNPROCESSABLE_ENTITY))
            }
            CharacterError::Taken(_) => refuse(("handle-taken", "Handle taken", S::CONFLICT)),
            CharacterError::NoToken(_) => refuse(("no-token", "Token missing", S::UNAUTHORIZED)),
            CharacterError::WrongToken(_) => refuse(("wrong-token", "Wrong token", S::FORBIDDEN)),
            CharacterError::Invitation(_) => {
                refuse(("invitation-refused", "Invitation refused", S::FORBIDDEN))
            }
            CharacterError::NoSuchCharacter(_) => {
                refuse(("no-such-character", "No such character", S::NOT_FOUND))
            }
            CharacterError::Removed(_) => refuse(("deactivated", "Deactivated", S::GONE)),
            CharacterError::Linked { .. } => {
                refuse(("already-linked", "Already linked", S::CONFLICT))
            }
            CharacterError::NotLinked { .. } => refuse(("not-linked", "Not linked", S::CONFLICT)),
            CharacterError::TooMany { .. } => refuse(("too-many", "Too many", S::CONFLICT)),
            CharacterError::NotSigned(_) => {
                refuse(("not-signed", "Not signed by the account", S::UNPROCESSABLE_ENTITY))
            }
        }
    }
}

const fn of_challenge(error: &ChallengeError) -> Kind {
    const TITLE: &str = "Challenge refused";
    match error {
        ChallengeError::Malformed(_) => ("challenge-malformed", TITLE, S::UNPROCESSABLE_ENTITY),
        ChallengeError::Foreign { .. } => ("challenge-foreign", TITLE, S::UNPROCESSABLE_ENTITY),
        ChallengeError::Expired(_) => ("challenge-expired", TITLE, S::UNPROCESSABLE_ENTITY),
        ChallengeError::Used => ("challenge-used", TITLE, S::CONFLICT),
        ChallengeError::Unknown => ("challenge-unknown", TITLE, S::UNPROCESSABLE_ENTITY),
        ChallengeError::Altered => ("challenge-altered", TITLE, S::UNPROCESSABLE_ENTITY),
        ChallengeError::Worn => ("challenge-worn", TITLE, S::CONFLICT),
    }
}
