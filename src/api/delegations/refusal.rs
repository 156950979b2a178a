//! Refused records of delegations, and traces and reports that cannot be had, as problems.

use axum::http::StatusCode as S;

use crate::api::error::ApiError;
use crate::app::{AttributionError, GatherError, Refused, RefusedBecause};

/// A record that is not taken.
pub(super) fn not_taken(refused: Refused) -> ApiError {
    let kind = match refused.because {
        RefusedBecause::Malformed => {
            ("malformed-record", "Malformed record", S::UNPROCESSABLE_ENTITY)
        }
        RefusedBecause::Forbidden => ("not-a-party", "Not a party", S::FORBIDDEN),
        RefusedBecause::Limit("too_many_of_grant") => {
            ("too-many-of-grant", "Too many of one grant", S::UNPROCESSABLE_ENTITY)
        }
        RefusedBecause::TooLarge
        | RefusedBecause::Unverified
        | RefusedBecause::NoNode
        | RefusedBecause::Limit(_)
        | RefusedBecause::Unavailable => return refused.into(),
    };
    ApiError::Refused { kind, detail: refused.detail, retry_after_s: None }
}

/// A record that is not held.
pub(super) fn not_held(detail: String) -> ApiError {
    let kind = ("no-such-delegation", "No such delegation", S::NOT_FOUND);
    ApiError::Refused { kind, detail, retry_after_s: None }
}

impl From<GatherError> for ApiError {
    fn from(error: GatherError) -> Self {
        match error {
            GatherError::Storage(error) => error.into(),
            GatherError::TooLarge(detail) => {
                let kind = ("trace-too-large", "Trace too large", S::UNPROCESSABLE_ENTITY);
                Self::Refused { kind, detail, retry_after_s: None }
            }
        }
    }
}

/// A report that cannot be had.
pub(in crate::api) fn no_report(error: AttributionError) -> ApiError {
    let detail = error.to_string();
    let kind = match error {
        AttributionError::Gather(error) => return error.into(),
        AttributionError::Ended(why) => return ApiError::internal(why),
        AttributionError::NotHeld(_) => ("no-such-dispute", "No such dispute", S::NOT_FOUND),
        AttributionError::NoDispute(..) => ("no-dispute", "No dispute", S::UNPROCESSABLE_ENTITY),
        AttributionError::Case(_) => ("no-case", "No case", S::UNPROCESSABLE_ENTITY),
    };
    ApiError::Refused { kind, detail, retry_after_s: None }
}
