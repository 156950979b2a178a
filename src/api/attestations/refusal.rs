//! Refused records as problems.

use axum::http::StatusCode as S;

use crate::api::error::ApiError;
use crate::app::{QueueClosed, Refused, RefusedBecause};

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let kind = match refused.because {
            RefusedBecause::Malformed => {
                ("malformed-attestation", "Malformed attestation", S::UNPROCESSABLE_ENTITY)
            }
            RefusedBecause::TooLarge => ("body-too-large", "Body too large", S::PAYLOAD_TOO_LARGE),
            RefusedBecause::Unverified | RefusedBecause::NoNode => {
                ("not-verified", "Not verified", S::UNPROCESSABLE_ENTITY)
            }
            RefusedBecause::Forbidden => ("not-its-origin", "Not its origin", S::FORBIDDEN),
            RefusedBecause::Limit("self_attestation") => {
                ("self-attestation", "Self-attestation", S::UNPROCESSABLE_ENTITY)
            }
            RefusedBecause::Limit("note_max") => {
                ("note-too-long", "Note too long", S::UNPROCESSABLE_ENTITY)
            }
            RefusedBecause::Limit(_) => {
                ("too-many-in-round", "Too many in one round", S::UNPROCESSABLE_ENTITY)
            }
            RefusedBecause::Unavailable => {
                ("cannot-be-checked-now", "Cannot be checked now", S::SERVICE_UNAVAILABLE)
            }
        };
        let retry_after_s = (refused.because == RefusedBecause::Unavailable).then_some(2);
        Self::Refused { kind, detail: refused.detail, retry_after_s }
    }
}

impl From<QueueClosed> for ApiError {
    fn from(closed: QueueClosed) -> Self {
        let kind = ("unavailable", "Unavailable", S::SERVICE_UNAVAILABLE);
        Self::Refused { kind, detail: closed.to_string(), retry_after_s: Some(2) }
    }
}
