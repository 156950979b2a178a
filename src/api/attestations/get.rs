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
use crate::api::wire::{Answer, AsOf, tag};
use crate::app::ORIGIN_SENDER;
use crate::attest::Attestation;
use crate::attest::credential::{CONTEXT_PATH, RECORD_CONTEXT, RECORD_CONTEXT_PATH};
use crate::attest::envelope::Form;
use crate::did::web::{Local, WebHost};
use crate::did::{jwk_method, multikey_method};
use crate::rekey::Role;
use crate::storage::{RecordFinding, RecordSource, Replaced, StoredRecord, Tx, claimed_key};
use crate::vocab::{Digest, Naming, RegistryRef, Subject, UnixSeconds};

/// So many who sent the same words are shown.
const SENDERS_MAX: u32 = 100;
/// So much of the history of a re-keying is shown.
const HISTORY_MAX: u32 = 500;
const FINDINGS_MAX: u32 = 100;
/// The finding that another record has the same id.
const CLAIMED_ID: &str = "claimed_id";
/// The media type of contexts of JSON-LD.
const LD_JSON: HeaderValue = HeaderValue::from_static("application/ld+json");
/// The context of our credentials, as it is bundled.
const CONTEXT: &str = include_str!("../../attest/context/attestation-v1.json");

/// Which of several that sent the same words.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RecordQuery {
    /// The place in the log, where several sent the same record; otherwise that of its origin, or of whom it names as its issuer, or the first.
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
    /// As of which block its names are read; null where no chain is followed.
    as_of: Option<AsOf>,
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
    /// `issuer_kind`, `issuer`, `claimed_id`, `kinship`, `issued_at`, `late` (it came when its signer spoke for its issuer no more, so that its
    /// time is that signer's word alone), `key_revoked`.
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

/// That another record has the id that its origin gave this one. A later one may have taken it, so the record itself does not say.
async fn shares_id(tx: &mut Tx, record: &StoredRecord) -> Result<Option<RecordFinding>, ApiError> {
    if record.source == RecordSource::Chain {
        return Ok(None);
    }
    let broken = |error| ApiError::internal(format!("record {}: {error}", record.seq));
    let read = Attestation::read(&record.record, record.record.len()).map_err(broken)?;
    let key = claimed_key(record.origin.as_deref(), &read.body.id);
    let other = tx.sharing_id(key, record.digest).await?;
    Ok(other.map(|seq| RecordFinding {
        kind: CLAIMED_ID.to_owned(),
        detail: format!(
            "its id `{}` is also that of record {seq}",
            crate::vocab::shorten(&read.body.id)
        ),
    }))
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
    let (record, others) = find(&mut tx, &digest, &query, &state.documents.host).await?;
    let log_size = tx.log_size().await?;
    let envelope = tx.envelope_of(record.seq).await?;
    let text = envelope.map(String::from_utf8).transpose();
    let text = text.map_err(|_| ApiError::internal("an envelope is no UTF-8"))?;
    let history = HistoryAnswer {
        issuer: history(&mut tx, record.seq, Role::Issuer, standing.registry).await?,
        subject: history(&mut tx, record.seq, Role::Subject, standing.registry).await?,
    };
    let mut findings = tx.record_findings(record.seq, FINDINGS_MAX).await?;
    findings.extend(revoked(&state, &record));
    if !findings.iter().any(|finding| finding.kind == CLAIMED_ID) {
        findings.extend(shares_id(&mut tx, &record).await?);
    }
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
        as_of: standing.as_of(log_size),
    }))
}

/// That the key of this service which signed a record is not trusted any more, of that time. It may be said long after the record was taken.
fn revoked(state: &ApiState, record: &StoredRecord) -> Option<RecordFinding> {
    let proof: serde_json::Value = serde_json::from_str(record.proof.as_deref()?).ok()?;
    let signer = proof.get("signer")?.as_str()?;
    let did = Local::Service.did(&state.documents.host);
    let held = state.keys.held();
    let key = held.ring().records().iter().find(|key| {
        signer == jwk_method(&did, &key.key) || signer == multikey_method(&did, &key.key)
    })?;
    let revocation = key.revoked.as_ref().filter(|revoked| revoked.since <= record.said_at)?;
    let detail = format!(
        "the key {} that signed it is revoked since {}: {}",
        key.key, revocation.since, revocation.reason
    );
    Some(RecordFinding { kind: "key_revoked".to_owned(), detail })
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
    let (record, _) = find(&mut tx, &digest, &query, &state.documents.host).await?;
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

/// The JSON-LD context of credentials that carry a record with a schema, such as a grant.
#[utoipa::path(
    get, path = "/contexts/record-v1.json", tag = "attestations",
    responses((status = 200, description = "The context", content_type = "application/ld+json", body = Object))
)]
pub(in crate::api) async fn get_record_context() -> impl IntoResponse {
    debug_assert_eq!(RECORD_CONTEXT_PATH, "/contexts/record-v1.json");
    (
        [(header::CONTENT_TYPE, LD_JSON), (header::ETAG, tag(RECORD_CONTEXT.as_bytes()))],
        RECORD_CONTEXT,
    )
}

/// The record that is asked for, and the others that say the same.
async fn find(
    tx: &mut Tx,
    digest: &str,
    query: &RecordQuery,
    host: &WebHost,
) -> Result<(StoredRecord, Vec<StoredRecord>), ApiError> {
    let digest: Digest = digest.parse().map_err(|error: crate::vocab::DigestParseError| {
        ApiError::parameter("digest", error.to_string())
    })?;
    let missing =
        || ApiError::NoSuchRecord(format!("no record with the digest {digest} is held here"));
    let seq = query.seq.as_deref().map(|text| super::list::parse_seq("seq", text)).transpose()?;
    let mut found = tx.records_of_digest(digest, 0, SENDERS_MAX).await?;
    let record = match seq {
        Some(seq) => tx.record_at(seq).await?.filter(|record| record.digest == digest),
        None => first(tx, &found, host).await?,
    };
    let record = record.ok_or_else(missing)?;
    found.retain(|other| other.seq != record.seq);
    Ok((record, found))
}

/// Of all who sent the same words: the platform whose they are, then whom they name as their issuer, then whoever was first. Anybody may
/// repeat the words of another, and takes nobody's place by it.
async fn first(
    tx: &mut Tx,
    found: &[StoredRecord],
    host: &WebHost,
) -> Result<Option<StoredRecord>, ApiError> {
    let Some(any) = found.iter().min_by_key(|record| record.seq) else { return Ok(None) };
    let read = Attestation::read(&any.record, any.record.len());
    let read = read.map_err(|error| ApiError::internal(format!("record {}: {error}", any.seq)))?;
    let platform = read.context.origin.as_ref().and_then(|origin| {
        let naming = Naming { origin: Some(origin), chain: None };
        Subject::parse(ORIGIN_SENDER, naming).ok()
    });
    let own = Local::Service.did(host).parse().ok();
    let named =
        platform.into_iter().chain(own.filter(|own| *own == read.issuer)).chain([read.issuer]);
    let named: Vec<Subject> = named.collect();
    let numbers = tx.name_numbers(&named).await?;
    for name in &named {
        if let Some(number) = numbers.get(name)
            && let Some(record) = tx.record_by(any.digest, *number).await?
        {
            return Ok(Some(record));
        }
    }
    Ok(Some(any.clone()))
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
