//! One record: its bytes, its envelope as it came, whom it meant and used to mean.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::list::standing;
use super::view::{FoundAnswer, RecordAnswer, answers};
use crate::api::error::{ApiError, Problems};
use crate::api::extract::{Params, PathText};
use crate::api::state::ApiState;
use crate::api::wire::{Answer, tag};
use crate::attest::class::IssuerClass;
use crate::attest::credential::CONTEXT_PATH;
use crate::attest::envelope::Form;
use crate::rekey::Role;
use crate::storage::{Replaced, StoredRecord, Tx};
use crate::vocab::{Digest, RegistryRef, UnixSeconds};

/// So many who sent the same words are shown.
const SENDERS_MAX: u32 = 100;
/// So much of the history of a re-keying is shown.
const HISTORY_MAX: u32 = 500;
const FINDINGS_MAX: u32 = 100;
/// The media type of contexts of JSON-LD.
const LD_JSON: HeaderValue = HeaderValue::from_static("application/ld+json");
/// The context of our credentials, as it is bundled.
const CONTEXT: &str = include_str!("../../attest/context/attestation-v1.json");

/// Which of several that sent the same words.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RecordQuery {
    /// The place in the log, where several sent the same record; otherwise the one of the highest class, and of these the first.
    #[param(value_type = Option<u64>)]
    seq: Option<String>,
}

/// A record with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttestationInFull)]
pub(in crate::api) struct FullAnswer {
    #[serde(flatten)]
    record: RecordAnswer,
    /// What was signed, byte for byte; null where nothing was. `/envelope` behind this path gives the bytes alone.
    envelope: Option<String>,
    /// The media type of the envelope.
    envelope_type: Option<&'static str>,
    /// What the names were found to mean before; oldest first.
    history: HistoryAnswer,
    /// What was seen of it that ought not to be.
    findings: Vec<FindingAnswer>,
    /// The digest of the record by which the same issuer replaced it.
    superseded_by: Option<String>,
    /// Who else sent the same words.
    others: Vec<OtherAnswer>,
}

/// What names were found to mean before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RekeyingHistory)]
struct HistoryAnswer {
    issuer: Vec<ReplacedAnswer>,
    subject: Vec<ReplacedAnswer>,
}

/// What was found, and when it was found to be otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplacedRekeying)]
struct ReplacedAnswer {
    #[serde(flatten)]
    #[schema(inline)]
    found: FoundAnswer,
    #[schema(value_type = String)]
    replaced_at: UnixSeconds,
}

/// What was seen of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AttestationFinding)]
pub(in crate::api) struct FindingAnswer {
    /// `issuer_kind`, `issuer`, `claimed_id`, `kinship`.
    kind: String,
    detail: String,
}

impl From<crate::storage::RecordFinding> for FindingAnswer {
    fn from(finding: crate::storage::RecordFinding) -> Self {
        Self { kind: finding.kind, detail: finding.detail }
    }
}

/// Another place of the log at which the same words stand.
#[derive(Debug, Serialize, ToSchema)]
struct OtherAnswer {
    seq: u64,
    /// Who sent them.
    issuer: String,
}

/// A record by its digest.
#[utoipa::path(
    get, path = "/v1/attestations/{digest}", tag = "attestations",
    params(("digest" = String, Path, description = "The digest of the record"), RecordQuery),
    responses((status = 200, description = "The record", body = FullAnswer), Problems)
)]
pub(in crate::api) async fn get_attestation(
    State(state): State<ApiState>,
    PathText(digest): PathText,
    Params(query): Params<RecordQuery>,
) -> Result<Answer<FullAnswer>, ApiError> {
    let mut tx = state.database.begin_read().await?;
    let standing = standing(&mut tx).await?;
    let (record, others) = find(&mut tx, &digest, &query).await?;
    let envelope = tx.envelope_of(record.seq).await?;
    let text = envelope.map(String::from_utf8).transpose();
    let text = text.map_err(|_| ApiError::internal("an envelope is no UTF-8"))?;
    let history = HistoryAnswer {
        issuer: history(&mut tx, record.seq, Role::Issuer, standing.registry).await?,
        subject: history(&mut tx, record.seq, Role::Subject, standing.registry).await?,
    };
    let findings = tx.record_findings(record.seq, FINDINGS_MAX).await?;
    let superseding = tx.superseding(record.digest, record.issuer).await?;
    let names = tx.names(others.iter().map(|other| other.issuer)).await?;
    let other = |other: &StoredRecord| OtherAnswer {
        seq: other.seq,
        issuer: names.get(&other.issuer).map(ToString::to_string).unwrap_or_default(),
    };
    let others = others.iter().map(other).collect();
    let envelope_type = record.form.map(Form::media_type);
    let answer = answers(&mut tx, &[record], &standing).await?.pop();
    Ok(Answer(FullAnswer {
        record: answer.ok_or_else(|| ApiError::internal("a record is gone"))?,
        envelope: text,
        envelope_type,
        history,
        findings: findings.into_iter().map(FindingAnswer::from).collect(),
        superseded_by: superseding.map(|record| record.digest.to_string()),
        others,
    }))
}

/// What was signed, byte for byte.
#[utoipa::path(
    get, path = "/v1/attestations/{digest}/envelope", tag = "attestations",
    params(("digest" = String, Path, description = "The digest of the record"), RecordQuery),
    responses((status = 200, description = "The envelope, under its own media type", body = String), Problems)
)]
pub(in crate::api) async fn get_envelope(
    State(state): State<ApiState>,
    PathText(digest): PathText,
    Params(query): Params<RecordQuery>,
) -> Result<Response, ApiError> {
    let mut tx = state.database.begin_read().await?;
    let (record, _) = find(&mut tx, &digest, &query).await?;
    let (Some(envelope), Some(form)) = (tx.envelope_of(record.seq).await?, record.form) else {
        return Err(ApiError::NoSuchRecord(format!("record {} was not signed", record.seq)));
    };
    let media_type = HeaderValue::from_static(form.media_type());
    Ok(([(header::CONTENT_TYPE, media_type), (header::ETAG, tag(&envelope))], envelope)
        .into_response())
}

/// The JSON-LD context of the credentials that this service signs.
#[utoipa::path(
    get, path = "/contexts/attestation-v1.json", tag = "attestations",
    responses((status = 200, description = "The context", content_type = "application/ld+json", body = Object))
)]
pub(in crate::api) async fn get_context() -> impl IntoResponse {
    debug_assert_eq!(CONTEXT_PATH, "/contexts/attestation-v1.json");
    ([(header::CONTENT_TYPE, LD_JSON), (header::ETAG, tag(CONTEXT.as_bytes()))], CONTEXT)
}

/// The record that is asked for, and the others that say the same.
async fn find(
    tx: &mut Tx,
    digest: &str,
    query: &RecordQuery,
) -> Result<(StoredRecord, Vec<StoredRecord>), ApiError> {
    let digest: Digest = digest.parse().map_err(|error: crate::vocab::DigestParseError| {
        ApiError::parameter("digest", error.to_string())
    })?;
    let seq = query.seq.as_deref().map(super::list::parse_seq).transpose()?;
    let mut found = tx.records_of_digest(digest, 0, SENDERS_MAX).await?;
    let rank = |record: &StoredRecord| match record.issuer_class {
        Some(IssuerClass::System) => 0,
        Some(IssuerClass::Plugin) => 1,
        Some(IssuerClass::Agent) | None => 2,
    };
    found.sort_by_key(|record| (rank(record), record.seq));
    let index = match seq {
        None => 0,
        Some(seq) => found.iter().position(|record| record.seq == seq).unwrap_or(found.len()),
    };
    if index >= found.len() {
        return Err(ApiError::NoSuchRecord(format!(
            "no record with the digest {digest} is held here"
        )));
    }
    let record = found.remove(index);
    Ok((record, found))
}

async fn history(
    tx: &mut Tx,
    seq: u64,
    role: Role,
    registry: Option<RegistryRef>,
) -> Result<Vec<ReplacedAnswer>, ApiError> {
    let replaced = tx.rekeying_history(seq, role, HISTORY_MAX).await?;
    let answer = |Replaced { rekeying, replaced_at }| ReplacedAnswer {
        found: FoundAnswer::of(rekeying, registry),
        replaced_at,
    };
    Ok(replaced.into_iter().map(answer).collect())
}
