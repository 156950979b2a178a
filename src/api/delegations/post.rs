//! Records of delegations taken in, one at a time, in any order.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::refusal::not_taken;
use super::view::{DelegationAnswer, answer};
use crate::api::attestations::standing;
use crate::api::error::{ApiError, DelegationProblems, SealedProblems};
use crate::api::extract::{RecordBody, Turn};
use crate::api::router::Shared;
use crate::app::{QueueClosed, Refused};

/// A record that was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenDelegation)]
pub(in crate::api) struct TakenAnswer {
    /// Whether it was not held before.
    is_new: bool,
    #[serde(flatten)]
    delegation: DelegationAnswer,
}

/// Takes in a signed grant, acceptance, interaction, outcome, capability or verdict.
#[utoipa::path(
    post, path = "/v1/delegations", tag = "delegations",
    request_body(content(
        (Object = "application/json"), (String = "application/vc+jwt"), (Object = "application/vc")
    ), description = "An envelope as it was signed, in one of the five forms of docs/delegation.md; at most 128 KiB."),
    responses(
        (status = 201, description = "It was taken in", body = TakenAnswer),
        (status = 200, description = "It was held already", body = TakenAnswer),
        DelegationProblems,
        SealedProblems
    )
)]
pub(in crate::api) async fn take_delegation(
    State(state): State<Shared>,
    turn: Turn,
    RecordBody(body): RecordBody,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let records = state.asked_by(&turn).records();
    let checked = match records.check_delegation(body.to_vec()).await {
        Ok(checked) => checked,
        Err(refused) => return Err(refuse(&state, refused).await),
    };
    let kept = records.keep_delegation(&checked).await.map_err(|error| {
        tracing::error!(%error, "a record of a delegation could not be kept");
        ApiError::from(QueueClosed)
    })?;
    let taken = match kept {
        Ok(taken) => taken,
        Err(refused) => return Err(refuse(&state, refused).await),
    };
    let mut tx = state.database.begin_read().await?;
    let standing = standing(&mut tx).await?;
    let status = if taken.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let delegation = answer(&mut tx, taken.stored, &standing).await?;
    let answer = TakenAnswer { is_new: taken.is_new, delegation };
    Ok((status, axum::Json(answer)).into_response())
}

/// Notes a refusal, and tells of it.
async fn refuse(state: &Shared, refused: Refused) -> ApiError {
    if let Err(error) = state.records().note_refusals(&[&refused]).await {
        tracing::warn!(%error, "what was refused is not noted");
    }
    not_taken(refused)
}
