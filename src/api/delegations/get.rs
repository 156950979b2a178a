//! One record of a delegation.

use axum::extract::State;

use super::refusal::not_held;
use super::view::{DelegationAnswer, answer};
use crate::api::attestations::standing;
use crate::api::error::{ApiError, TraceProblems};
use crate::api::extract::PathText;
use crate::api::state::ApiState;
use crate::api::wire::Answer;
use crate::storage::{StoredDelegation, Tx};
use crate::vocab::{Digest, DigestParseError};

/// A record of a delegation by its digest, with its hop.
#[utoipa::path(
    get, path = "/v1/delegations/{digest}", tag = "delegations",
    params(("digest" = String, Path, description = "The digest of the record")),
    responses((status = 200, description = "The record", body = DelegationAnswer), TraceProblems)
)]
pub(in crate::api) async fn get_delegation(
    State(state): State<ApiState>,
    PathText(digest): PathText,
) -> Result<Answer<DelegationAnswer>, ApiError> {
    let digest = parse("digest", &digest)?;
    let mut tx = state.database.begin_read().await?;
    let missing =
        || not_held(format!("no record of a delegation with the digest {digest} is held here"));
    let stored = held(&mut tx, digest).await?.ok_or_else(missing)?;
    let standing = standing(&mut tx).await?;
    Ok(Answer(answer(&mut tx, stored, &standing).await?))
}

/// The record of a digest.
pub(super) async fn held(
    tx: &mut Tx,
    digest: Digest,
) -> Result<Option<StoredDelegation>, ApiError> {
    Ok(tx.delegations_by_digest(&[digest]).await?.remove(&digest))
}

/// Reads a digest in a path.
pub(in crate::api) fn parse(name: &str, text: &str) -> Result<Digest, ApiError> {
    let wrong = |error: DigestParseError| ApiError::parameter(name, error.to_string());
    text.parse().map_err(wrong)
}
