//! Traces as documents: put together from what is kept, and checked when somebody brings one.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::get::{held, parse};
use super::refusal::{no_report, not_held};
use super::view::hop_of;
use crate::api::error::{ApiError, DelegationProblems, SealedProblems, TraceProblems};
use crate::api::extract::{DocumentBody, Params, PathText, Turn};
use crate::api::reading::Standpoint;
use crate::api::router::Shared;
use crate::api::state::ApiState;
use crate::api::wire::{Answer, AsOf, json};
use crate::app::TracePart;
use crate::delegation::{TraceDocument, TraceError};

/// How much of a trace is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct TraceQuery {
    /// `whole` (default): all hops below the first grant; `path`: from this hop up to the buyer.
    part: Option<String>,
}

/// The signed trace that a record belongs to, with who spoke for whom when it was signed: what `hallmark verify` checks offline.
#[utoipa::path(
    get, path = "/v1/delegations/{digest}/trace", tag = "delegations",
    params(("digest" = String, Path, description = "The digest of any record of the trace but a capability"), TraceQuery),
    responses((status = 200, description = "The trace document of docs/delegation.md", body = Object), TraceProblems)
)]
pub(in crate::api) async fn get_trace(
    State(state): State<ApiState>,
    PathText(digest): PathText,
    Params(query): Params<TraceQuery>,
) -> Result<Answer<TraceDocument>, ApiError> {
    let digest = parse("digest", &digest)?;
    let part = match query.part.as_deref() {
        None | Some("whole") => TracePart::Whole,
        Some("path") => TracePart::Path,
        Some(_) => return Err(ApiError::parameter("part", "`part` is `whole` or `path`")),
    };
    let mut tx = state.database.begin_read().await?;
    let hop = match held(&mut tx, digest).await? {
        Some(stored) => hop_of(&stored).ok_or_else(|| {
            not_held(format!("{digest} is a capability, which belongs to no one trace: ask for a grant that names it"))
        })?,
        // A grant of which only its child speaks.
        None if tx.edge(digest).await?.is_some() => digest,
        None => {
            return Err(not_held(format!(
                "no record of a delegation with the digest {digest} is held here"
            )));
        }
    };
    Ok(Answer(state.records().trace(&mut tx, hop, part).await?))
}

/// The verdict on a trace document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceVerdict)]
struct VerdictAnswer {
    /// `standing`, `reason` (the first thing that fails: hop, record, kind, why), `faults`, `unanswered`, `hops`, `notes`, `rests_on`,
    /// `checked_at`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    verdict: Value,
    /// Whether the document holds by its own word, without what is known here: `valid`, `invalid` or `needs_chain`.
    by_its_word: &'static str,
    /// As of which block the wallets of agents were looked up; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// Checks a trace document: every signature at the time it was made, by the wallets as they are known here, and every hop.
#[utoipa::path(
    post, path = "/v1/delegations/verify", tag = "delegations",
    request_body(content = Object, description = "A trace document, at most 4 MiB whatever other bodies may have."),
    responses((status = 200, description = "The verdict, whatever the document says", body = VerdictAnswer), DelegationProblems, SealedProblems)
)]
pub(in crate::api) async fn verify_delegation(
    State(state): State<Shared>,
    turn: Turn,
    DocumentBody(body): DocumentBody,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let document = TraceDocument::read(&body).map_err(|error| match error {
        TraceError::Field(error) => ApiError::field(error.field.clone(), error.to_string()),
        TraceError::Json(error) => ApiError::field("body", error.to_string()),
    })?;
    let judged = state.records().judge(document).await.map_err(no_report)?;
    let as_of = judged.as_of.and_then(Standpoint::of_state).map(|at| at.as_of());
    let (verdict, by_its_word) = (judged.verdict.to_value(), judged.by_its_word.as_str());
    Ok(json(&VerdictAnswer { verdict, by_its_word, as_of }))
}
