//! Who carries how much of a failure: the report of a dispute, with what it rests on and what was said of it.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::attestations::FoundAnswer;
use super::delegations::{no_report, parse};
use super::error::{ApiError, TraceProblems};
use super::extract::PathText;
use super::reading::Standpoint;
use super::state::ApiState;
use super::wire::{Answer, AsOf};
use crate::app::{Attribution, LeftOutOfTrace, Renamed, said_last};
use crate::delegation::{End, Fault, HeldTogether, Noted};
use crate::vocab::{Digest, RegistryRef, Subject};

/// The report of a dispute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attribution)]
pub(super) struct AttributionAnswer {
    /// The digest of the verdict; or of the grant, where it is asked what would be if its hop failed.
    id: String,
    /// `confirmed` by a verdict that holds, by the buyer or a judge whom a grant of the trace names; otherwise `hypothetical`.
    status: &'static str,
    /// Why it is hypothetical.
    why: Option<String>,
    /// The SHA-256 of the report's RFC 8785 bytes: what attestations of it name.
    report_digest: String,
    /// The report of docs/tfd.md, in those bytes: edges with their inputs, betas and parts, failures with weights and shares, flags, and
    /// the case, from which it can be computed again.
    #[schema(value_type = Object)]
    report: Box<RawValue>,
    /// What checking the trace came to.
    trace: TraceAnswer,
    /// Names that meant agents when they were signed; the report names the agents.
    renamed: Vec<RenamedAnswer>,
    /// What the operators of the case rest on: accounts that held several of its names at a moment of the trace.
    control: Vec<ControlAnswer>,
    /// The digests of all records whose signatures hold and which the report rests on.
    evidence: Vec<String>,
    /// What this service said of it.
    published: PublishedAnswer,
    /// As of which block names and wallets were looked up; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// What checking a trace came to.
#[derive(Debug, Serialize, ToSchema)]
struct TraceAnswer {
    /// `valid`, `invalid` or `needs_chain`.
    standing: &'static str,
    /// The first thing that is wrong.
    #[schema(value_type = Option<Object>)]
    reason: Option<Fault>,
    /// What is worth knowing and wrong of nobody.
    #[schema(value_type = Vec<Object>)]
    notes: Vec<Noted>,
    /// The grant above the topmost hop, where it is not held: who is above it carries nothing here.
    missing: Option<String>,
    /// What is not counted from: interactions for which a trace of this size has no room, the latest of whoever has most, and what parties
    /// said of their runs after the failure had been judged.
    left_out: Vec<LeftOutAnswer>,
}

/// Records of a hop that are not counted from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftOutOfTrace)]
struct LeftOutAnswer {
    /// The digest of the grant.
    hop: String,
    /// Who signed them.
    #[schema(value_type = String)]
    issuer: Subject,
    /// How many.
    records: u64,
    /// `no_room`, or `received_late`: they came after the first verdict that may confirm, and nothing that came before names them.
    why: &'static str,
}

/// A name that meant an agent.
#[derive(Debug, Serialize, ToSchema)]
struct RenamedAnswer {
    /// The digest of the grant.
    hop: String,
    /// `parent` or `child`.
    end: &'static str,
    #[schema(value_type = String)]
    name: Subject,
    #[serde(flatten)]
    #[schema(inline)]
    found: FoundAnswer,
}

/// That an account held several names.
#[derive(Debug, Serialize, ToSchema)]
struct ControlAnswer {
    /// The SHA-256 of the RFC 8785 bytes of `held`, which operators of the case name as evidence.
    digest: String,
    /// The account, the moment, and whom it held by what: `itself`, `owner`, `proven_wallet`, `registered_wallet`.
    #[schema(value_type = Object)]
    held: HeldTogether,
}

/// What this service said of a report.
#[derive(Debug, Serialize, ToSchema)]
struct PublishedAnswer {
    /// Whether the report that was said last is this one, with a trace of this standing.
    is_current: bool,
    /// The digest of the report that was said last.
    report: Option<String>,
    /// By which attestations.
    attestations: Vec<SaidAnswer>,
}

/// An attestation of a report.
#[derive(Debug, Serialize, ToSchema)]
struct SaidAnswer {
    subject: String,
    /// The digest of the attestation: `GET /v1/attestations/{digest}`.
    digest: String,
}

/// The report of a dispute: inputs, betas, weights, shares, flags, and the digests of its evidence.
#[utoipa::path(
    get, path = "/v1/disputes/{id}/attribution", tag = "delegations",
    params(("id" = String, Path, description = "The digest of the verdict, or of a grant for a hypothetical failure of its hop")),
    responses((status = 200, description = "The report", body = AttributionAnswer), TraceProblems)
)]
pub(super) async fn get_attribution(
    State(state): State<ApiState>,
    PathText(id): PathText,
) -> Result<Answer<AttributionAnswer>, ApiError> {
    let id = parse("id", &id)?;
    let found = state.records().attribution(id).await.map_err(no_report)?;
    let mut tx = state.database.begin_read().await?;
    let said = said_last(&mut tx, id).await?;
    let attestations = tx.published_of(id).await?;
    drop(tx);
    let said_of =
        |(subject, digest): (String, Digest)| SaidAnswer { subject, digest: digest.to_string() };
    let published = PublishedAnswer {
        is_current: said.report == Some(found.canonical.1)
            // Where no agent is concerned nothing was said that could be of another standing.
            && said.trace.is_none_or(|trace| trace == found.trace.standing.as_str()),
        report: said.report.map(|digest| digest.to_string()),
        attestations: attestations.into_iter().map(said_of).collect(),
    };
    Ok(Answer(answer(found, published)?))
}

fn answer(found: Attribution, published: PublishedAnswer) -> Result<AttributionAnswer, ApiError> {
    let registry = found.as_of.map(|(registry, ..)| registry);
    let (canonical, digest) = found.canonical;
    let report =
        RawValue::from_string(canonical).map_err(|_| ApiError::internal("a report is no JSON"))?;
    let mut evidence: Vec<_> =
        found.trace.rests.iter().map(|rest| rest.record.to_string()).collect();
    evidence.sort_unstable();
    evidence.dedup();
    Ok(AttributionAnswer {
        id: found.id.to_string(),
        status: if found.hypothetical.is_some() { "hypothetical" } else { "confirmed" },
        why: found.hypothetical,
        report_digest: digest.to_string(),
        report,
        trace: TraceAnswer {
            standing: found.trace.standing.as_str(),
            reason: found.trace.reason().cloned(),
            notes: found.trace.notes,
            missing: found.missing.map(|grant| grant.to_string()),
            left_out: found
                .left_out
                .into_iter()
                .map(|LeftOutOfTrace { hop, issuer, records, why }| LeftOutAnswer {
                    hop: hop.to_string(),
                    issuer,
                    records,
                    why,
                })
                .collect(),
        },
        renamed: found.renamed.into_iter().map(|one| renamed(one, registry)).collect(),
        control: found.control.into_iter().map(ControlAnswer::from).collect(),
        evidence,
        published,
        as_of: found.as_of.and_then(Standpoint::of_state).map(|at| at.as_of()),
    })
}

fn renamed(one: Renamed, registry: Option<RegistryRef>) -> RenamedAnswer {
    RenamedAnswer {
        hop: one.hop.to_string(),
        end: match one.end {
            End::Parent => "parent",
            End::Child => "child",
        },
        name: one.name,
        found: FoundAnswer::of(one.rekeying, registry),
    }
}

impl From<HeldTogether> for ControlAnswer {
    fn from(held: HeldTogether) -> Self {
        Self { digest: held.digest().to_string(), held }
    }
}
