//! An envelope that somebody brings, judged and not kept.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::list::standing;
use crate::api::error::{ApiError, RecordProblems, SealedProblems};
use crate::api::extract::{RecordBody, Turn};
use crate::api::router::Shared;
use crate::api::wire::{AsOf, json};
use crate::app::EnvelopeHeld;

/// The verdict on an envelope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvelopeVerdict)]
struct VerdictAnswer {
    /// `valid`, `invalid`, or `unknown` where only a chain can say and this service has no node of it.
    standing: &'static str,
    /// Why it is not valid.
    reason: Option<String>,
    /// The form of the envelope.
    form: &'static str,
    /// What was signed: the type of an attestation's claim, the schema of a record, `credential`, or the type of a payload.
    kind: Option<String>,
    /// The digest of the attestation or the record.
    record: Option<String>,
    /// By what the signature counts: issuer, signer, the right by which it spoke for the issuer then, and whose word the time is.
    #[schema(value_type = Option<Object>)]
    verdict: Option<Value>,
    /// As of which block wallets were looked up; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// Checks any signed envelope by what is known here of its signer, and keeps nothing of it.
#[utoipa::path(
    post, path = "/v1/attestations/verify", tag = "attestations",
    request_body(content(
        (Object = "application/json"), (String = "application/vc+jwt"), (Object = "application/vc")
    ), description = "An envelope as it was signed, in one of the forms of docs/attestation.md, whatever it carries; at most 128 KiB."),
    responses((status = 200, description = "The verdict", body = VerdictAnswer), RecordProblems, SealedProblems)
)]
pub(in crate::api) async fn verify_attestation(
    State(state): State<Shared>,
    turn: Turn,
    RecordBody(body): RecordBody,
) -> Result<Response, ApiError> {
    turn.take(&state)?;
    let judged = state.records().judge_envelope(body.to_vec()).await?;
    let mut tx = state.database.begin_read().await?;
    let known = standing(&mut tx).await?;
    let log_size = tx.log_size().await?;
    drop(tx);
    let mut answer = VerdictAnswer {
        standing: "valid",
        reason: None,
        form: judged.form.as_str(),
        kind: None,
        record: None,
        verdict: None,
        as_of: known.as_of(log_size),
    };
    match judged.held {
        EnvelopeHeld::Holds(valid) => {
            answer.kind = Some(valid.secured.kind().to_owned());
            answer.record = valid.secured.digest().map(|digest| digest.to_string());
            answer.verdict = Some(valid.proof());
        }
        EnvelopeHeld::Fails(why) => (answer.standing, answer.reason) = ("invalid", Some(why)),
        EnvelopeHeld::Unsaid(why) => (answer.standing, answer.reason) = ("unknown", Some(why)),
    }
    Ok(json(&answer))
}
