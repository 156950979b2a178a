//! A record of a delegation as it is shown: its bytes, what its signature was worth, whom its names meant, and the hop that it belongs to.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::attestations::{PartyAnswer, Standing};
use crate::api::error::ApiError;
use crate::api::wire::AsOf;
use crate::delegation::Kind;
use crate::rekey::Role;
use crate::storage::{StoredDelegation, StoredEdge, StoredHopFinding, Tx};
use crate::vocab::{Digest, UnixSeconds};

/// So many findings of a hop are shown.
const FINDINGS_MAX: u32 = 100;

/// A record of a delegation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delegation)]
pub(in crate::api) struct DelegationAnswer {
    /// The SHA-256 of the record's RFC 8785 bytes.
    digest: String,
    /// Its place among the records of delegations, from 1, in the order in which they came.
    number: u64,
    /// `grant`, `acceptance`, `interaction`, `outcome`, `capability` or `verdict`.
    kind: &'static str,
    /// The record, in those bytes.
    #[schema(value_type = Object)]
    record: Box<RawValue>,
    /// The form of the envelope.
    form: &'static str,
    /// What was signed, byte for byte.
    envelope: String,
    /// When it was said, by its issuer's word, RFC 3339.
    #[schema(value_type = String)]
    said_at: UnixSeconds,
    /// RFC 3339.
    #[schema(value_type = String)]
    received_at: UnixSeconds,
    /// By what the signature counted when it came: form, issuer, signer, and the right by which it spoke for the issuer then.
    #[schema(value_type = Object)]
    verdict: Box<RawValue>,
    /// Whom its names meant.
    rekeying: NamesAnswer,
    /// The digest of the grant whose hop it belongs to; null for a capability, which may belong to several.
    grant: Option<String>,
    /// That hop as its records have it now; null where no grant or acceptance of it is held.
    hop: Option<HopAnswer>,
    /// As of which block its names are read; null where no chain is followed.
    as_of: Option<AsOf>,
}

/// Whom the names of a record meant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DelegationRekeyings)]
struct NamesAnswer {
    /// Whose word it is.
    author: PartyAnswer,
    /// The child of a grant, whom an acceptance calls the parent, or of whom a capability is; null for other records.
    named: Option<PartyAnswer>,
}

/// A hop, as its records have it now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DelegationHop)]
struct HopAnswer {
    /// `accepted`: both signed, and it carries weight; `claimed_by_parent`, `claimed_by_child`.
    state: &'static str,
    /// The digest of the grant above.
    above: Option<String>,
    /// Whether the child may delegate on.
    may_delegate: bool,
    /// Whether a hop below is signed by both.
    has_below: bool,
    /// Whether somebody who is neither its parent nor its child judged that it failed.
    is_disputed: bool,
    /// Characters of the specification.
    chars: u32,
    /// Capabilities by the snapshots that the grant names, in parts per million; null where they are not held.
    parent_ppm: Option<u32>,
    child_ppm: Option<u32>,
    /// Interactions that count.
    interactions: u32,
    /// How much of a failure passes it upwards, in billionths.
    beta_ppb: u32,
    /// What its records say against each other, or against the hop above.
    findings: Vec<HopFindingAnswer>,
}

/// Something about a hop that ought not to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DelegationFinding)]
struct HopFindingAnswer {
    /// The words of faults and notes of docs/delegation.md: `widens`, `contradiction`, `outcomes_differ` and others.
    kind: String,
    /// Which record.
    record: Option<String>,
    detail: String,
}

impl From<StoredHopFinding> for HopFindingAnswer {
    fn from(finding: StoredHopFinding) -> Self {
        let record = finding.record.map(|record| record.to_string());
        Self { kind: finding.kind, record, detail: finding.detail }
    }
}

/// The grant whose hop a record belongs to.
pub(super) fn hop_of(stored: &StoredDelegation) -> Option<Digest> {
    match stored.kind {
        Kind::Grant => Some(stored.digest),
        Kind::Capability => None,
        Kind::Acceptance | Kind::Interaction | Kind::Outcome | Kind::Verdict => stored.of_grant,
    }
}

/// A record as it is shown.
pub(super) async fn answer(
    tx: &mut Tx,
    stored: StoredDelegation,
    standing: &Standing,
) -> Result<DelegationAnswer, ApiError> {
    let broken = |what: &str| ApiError::internal(format!("delegation {}: {what}", stored.number));
    let raw = |text: String| RawValue::from_string(text).map_err(|_| broken("it is no JSON"));
    let text =
        |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| broken("it is no UTF-8"));
    let place = |name, role| (name, stored.said_at, stored.number, role);
    let mut places = vec![place(stored.issuer, Role::Author)];
    places.extend(stored.named.map(|name| place(name, Role::Named)));
    let parties = tx.parties_at(&places).await?;
    let names = tx.names(places.iter().map(|(name, ..)| *name)).await?;
    let party = |number: u64, role| {
        let name = names.get(&number).ok_or_else(|| broken("a name is missing"))?;
        let party =
            parties.get(&(stored.number, role)).ok_or_else(|| broken("a party is missing"))?;
        Ok::<_, ApiError>(standing.party(name, party.rekeying(), party.state, stored.said_at))
    };
    let rekeying = NamesAnswer {
        author: party(stored.issuer, Role::Author)?,
        named: stored.named.map(|name| party(name, Role::Named)).transpose()?,
    };
    let grant = hop_of(&stored);
    let hop = match grant {
        Some(grant) => hop(tx, grant).await?,
        None => None,
    };
    Ok(DelegationAnswer {
        digest: stored.digest.to_string(),
        number: stored.number,
        kind: stored.kind.as_str(),
        record: raw(text(&stored.record)?)?,
        form: stored.form.as_str(),
        envelope: text(&stored.envelope)?,
        said_at: stored.said_at,
        received_at: stored.received_at,
        verdict: raw(stored.proof.clone())?,
        rekeying,
        grant: grant.map(|grant| grant.to_string()),
        hop,
        as_of: standing.as_of(tx.log_size().await?),
    })
}

async fn hop(tx: &mut Tx, grant: Digest) -> Result<Option<HopAnswer>, ApiError> {
    let Some(edge) = tx.edge(grant).await? else { return Ok(None) };
    let findings = tx.hop_findings(grant, FINDINGS_MAX).await?;
    let StoredEdge { state, above, capability_ppm: [parent_ppm, child_ppm], .. } = edge;
    Ok(Some(HopAnswer {
        state: state.as_str(),
        above: above.map(|above| above.to_string()),
        may_delegate: edge.may_delegate,
        has_below: edge.has_below,
        is_disputed: edge.is_disputed,
        chars: edge.chars,
        parent_ppm,
        child_ppm,
        interactions: edge.interactions,
        beta_ppb: edge.beta.get(),
        findings: findings.into_iter().map(HopFindingAnswer::from).collect(),
    }))
}
