//! Records taken in: one, or many at once.
//!
//! Many come as lines (`application/x-ndjson`), each an envelope or a record of its own; what is wrong with one harms no other.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::get::FindingAnswer;
use super::list::standing;
use super::view::{Parties, Standing};
use crate::api::error::{ApiError, Problem, ProblemBody, RecordProblems, SealedProblems};
use crate::api::extract::{Bearer, RecordsBody, Turn};
use crate::api::router::Shared;
use crate::api::wire::AsOf;
use crate::app::{Accepted, CheckedRecord, Origin, QueueClosed, Refused, Submission};
use crate::attest::class::IssuerClass;
use crate::vocab::UnixSeconds;

/// The most lines of one request.
const LINES_MAX: usize = 1_000;

/// A record that was taken in alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenAttestation)]
pub(in crate::api) struct TakenAlone {
    #[serde(flatten)]
    #[schema(inline)]
    taken: TakenAnswer,
    /// As of which block its names are read; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// A record that was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenLine)]
struct TakenAnswer {
    /// The SHA-256 of the record's RFC 8785 bytes, context included.
    digest: String,
    /// Its place in the log.
    seq: u64,
    /// Whether it was not held before.
    is_new: bool,
    /// `system`, `plugin` or `agent`, by who sent it; null for nobody that is known.
    issuer_class: Option<&'static str>,
    /// As of when its names are read.
    #[schema(value_type = String)]
    said_at: UnixSeconds,
    /// By what the signature counts; null for a record that nobody signed.
    #[schema(value_type = Option<Object>)]
    verdict: Option<Box<RawValue>>,
    /// Whom its names meant.
    rekeying: Parties,
    /// What was seen of it that ought not to be.
    findings: Vec<FindingAnswer>,
}

/// What came of many records, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TakenAttestations)]
pub(in crate::api) struct ManyAnswer {
    items: Vec<OneOfMany>,
    /// As of which block names are read; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// What came of one line: the status that it would have had alone, and what would have been answered.
#[derive(Debug, Serialize, ToSchema)]
struct OneOfMany {
    status: u16,
    #[serde(flatten)]
    outcome: OneOutcome,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OneOutcome {
    Attestation(Box<TakenAnswer>),
    Problem(Box<ProblemBody>),
}

/// Takes in a signed envelope; or, with an origin's token, a record of that origin, which this service then signs.
#[utoipa::path(
    post, path = "/v1/attestations", tag = "attestations", security((), ("token" = [])),
    request_body(content(
        (Object = "application/json"), (String = "application/vc+jwt"), (Object = "application/vc"),
        (String = "application/x-ndjson")
    ), description = "An envelope as it was signed: `vc+jwt`, a credential with a proof, DSSE, EAS, or a record with `type`, `account` and `signature`. With an origin's token a record `{\"attestation\": {…}, \"context\": {…}}`. Many as lines, at most 1,000 and 4 MiB; otherwise at most `request_body_max` bytes, and 128 KiB a record."),
    responses(
        (status = 201, description = "It was taken in", body = TakenAlone),
        (status = 200, description = "It was held already; or, of many lines, what came of each", content((TakenAlone = "application/json"), (ManyAnswer = "application/json; lines"))),
        RecordProblems,
        SealedProblems
    )
)]
pub(in crate::api) async fn take_attestation(
    State(state): State<Shared>,
    Bearer(token): Bearer,
    turn: Turn,
    RecordsBody { bytes: body, is_lines }: RecordsBody,
) -> Result<Response, ApiError> {
    let origin = match &token {
        None => {
            turn.take(&state)?;
            None
        }
        Some(token) => Some(origin_of(&state, token, &turn)?),
    };
    if !is_lines {
        let done = take(&state, &turn, vec![body.to_vec()], origin).await?;
        let (accepted, standing) = (done.results.into_iter().next(), done.standing);
        let accepted = accepted.ok_or_else(|| ApiError::internal("a record came to nothing"))??;
        let status = if accepted.is_new { StatusCode::CREATED } else { StatusCode::OK };
        let as_of = standing.as_of(done.log_size);
        let alone = TakenAlone { taken: answer(accepted, &standing)?, as_of };
        return Ok((status, axum::Json(alone)).into_response());
    }
    let lines: Vec<_> = body
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() || lines.len() > LINES_MAX {
        let detail = format!("send 1 to {LINES_MAX} lines, and not {}", lines.len());
        return Err(ApiError::field("body", detail));
    }
    let done = take(&state, &turn, lines, origin).await?;
    let mut items = Vec::with_capacity(done.results.len());
    for result in done.results {
        items.push(match result {
            Ok(accepted) => OneOfMany {
                status: if accepted.is_new { 201 } else { 200 },
                outcome: OneOutcome::Attestation(Box::new(answer(accepted, &done.standing)?)),
            },
            Err(refused) => {
                let problem = Problem::from(&ApiError::from(refused));
                let (status, body) = (problem.body.status(), problem.body);
                OneOfMany { status, outcome: OneOutcome::Problem(Box::new(body)) }
            }
        });
    }
    let as_of = done.standing.as_of(done.log_size);
    Ok(axum::Json(ManyAnswer { items, as_of }).into_response())
}

fn origin_of(state: &Shared, token: &str, turn: &Turn) -> Result<Arc<Origin>, ApiError> {
    if let Some(origin) = state.origins.of_token(token) {
        return Ok(Arc::clone(origin));
    }
    // Guessing is counted.
    turn.take(state)?;
    let kind = ("wrong-token", "Wrong token", StatusCode::FORBIDDEN);
    let detail = "the token is of no origin that is configured here".to_owned();
    Err(ApiError::Refused { kind, detail, retry_after_s: None })
}

/// What came of records.
struct Taken {
    results: Vec<Result<Accepted, Refused>>,
    standing: Standing,
    log_size: u64,
}

async fn take(
    state: &Shared,
    turn: &Turn,
    bodies: Vec<Vec<u8>>,
    origin: Option<Arc<Origin>>,
) -> Result<Taken, ApiError> {
    let records = state.asked_by(turn).records();
    let mut results: Vec<Option<Result<Accepted, Refused>>> = Vec::with_capacity(bodies.len());
    let mut checked = Vec::with_capacity(bodies.len());
    for body in bodies {
        let submission = match &origin {
            None => Submission::Envelope(body),
            Some(origin) => Submission::OfOrigin(body, Arc::clone(origin)),
        };
        let one = records.check(submission).await;
        let one = if origin.is_some() { one.map(|one| records.issue(one)) } else { one };
        match one {
            Ok(one) => {
                checked.push(one);
                results.push(None);
            }
            Err(refused) => results.push(Some(Err(refused))),
        }
    }
    let refused: Vec<_> =
        results.iter().flatten().filter_map(|result| result.as_ref().err()).collect();
    if !refused.is_empty()
        && let Err(error) = records.note_refusals(&refused).await
    {
        tracing::warn!(%error, "what was refused is not noted");
    }
    let mut kept = append(state, &records, checked).await?.into_iter();
    let mut filled = Vec::with_capacity(results.len());
    for result in results {
        let result = result.or_else(|| kept.next());
        filled.push(result.ok_or(QueueClosed)?);
    }
    let mut tx = state.database.begin_read().await?;
    let (standing, log_size) = (standing(&mut tx).await?, tx.log_size().await?);
    Ok(Taken { results: filled, standing, log_size })
}

async fn append(
    state: &Shared,
    records: &crate::app::Records,
    checked: Vec<CheckedRecord>,
) -> Result<Vec<Result<Accepted, Refused>>, ApiError> {
    if checked.is_empty() {
        return Ok(Vec::new());
    }
    match &state.queue {
        Some(queue) => Ok(queue.append_all(checked).await?),
        None => records.commit(checked).await.map_err(|error| {
            tracing::error!(%error, "records could not be kept");
            QueueClosed.into()
        }),
    }
}

fn answer(accepted: Accepted, standing: &Standing) -> Result<TakenAnswer, ApiError> {
    let rekeying = standing.parties(&accepted);
    let verdict = accepted.proof.map(RawValue::from_string).transpose();
    let verdict = verdict.map_err(|_| ApiError::internal("a proof is no JSON"))?;
    Ok(TakenAnswer {
        digest: accepted.digest.to_string(),
        seq: accepted.seq,
        is_new: accepted.is_new,
        issuer_class: accepted.issuer_class.map(IssuerClass::as_str),
        said_at: accepted.said_at,
        verdict,
        rekeying,
        findings: accepted.findings.into_iter().map(FindingAnswer::from).collect(),
    })
}
