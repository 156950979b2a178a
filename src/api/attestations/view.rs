//! A record as it is shown: its bytes, what its signature was worth, and whom its names meant.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::reading::Standpoint;
use crate::api::wire::AsOf;
use crate::attest::class::IssuerClass;
use crate::rekey::{Outcome, Rekeying, Role};
use crate::storage::{PartyState, StoredRecord, Tags, Tx};
use crate::vocab::{AgentRef, Position, RegistryRef, Subject, UnixSeconds};

/// A record of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attestation)]
pub(in crate::api) struct RecordAnswer {
    /// Its place in the log: from 1, without gaps.
    pub(in crate::api) seq: u64,
    /// The SHA-256 of its RFC 8785 bytes, context included.
    digest: String,
    /// `{"attestation": {…}, "context": {…}}`, in those bytes.
    #[schema(value_type = Object)]
    record: Box<RawValue>,
    /// `signed`, `origin` (sent with its token), `relay`, `chain` or `issued` (signed by this service).
    source: &'static str,
    /// Where in its source it stood.
    place: Option<String>,
    /// `system`, `plugin` or `agent`, by who sent it and never by what it says; null for nobody that is known.
    issuer_class: Option<&'static str>,
    /// As of when its names are read, RFC 3339.
    #[schema(value_type = String)]
    said_at: UnixSeconds,
    /// Whose word that time is: `issuer`, or `receipt` where the record gives none.
    said_by: &'static str,
    /// RFC 3339.
    #[schema(value_type = String)]
    received_at: UnixSeconds,
    /// By what the signature counts: form, issuer, signer, the block at whose end a contract was asked for it (`asked_at`), the right by which
    /// the signer spoke for the issuer then, since when that was over if it was when the record came (`ended`), and as of which block that
    /// was looked up (`checked_at`). Null for a record that nobody signed.
    #[schema(value_type = Option<Object>)]
    verdict: Option<Box<RawValue>>,
    /// Whom its names meant.
    rekeying: Parties,
    /// The digest of the record that it replaces.
    supersedes: Option<String>,
}

/// Whom the names of a record meant.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rekeyings)]
pub(in crate::api) struct Parties {
    /// Who signed or sent it.
    issuer: PartyAnswer,
    /// Of whom it is.
    subject: PartyAnswer,
}

/// Whom a name meant when the record was said.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rekeying)]
pub(in crate::api) struct PartyAnswer {
    /// The name in its canonical form: an agent, an account, a DID, or `platform:ORIGIN:ID`.
    name: String,
    #[serde(flatten)]
    #[schema(inline)]
    found: FoundAnswer,
    /// `provisional`, `safe` or `final`, by the block that was the last one then; null while it is not known yet.
    finality: Option<&'static str>,
}

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RekeyingOutcome)]
pub(in crate::api) struct FoundAnswer {
    /// `agent`, `none`, `several`, or `not_yet` while the chain is not followed that far.
    outcome: &'static str,
    /// The agent, in full.
    agent: Option<String>,
    /// How many agents, where there are several.
    count: Option<u32>,
    /// By which rule: `named`, `document`, `wallet`, `link`, `other_registry`, `other_chain`, `nothing_known`.
    rule: Option<&'static str>,
    /// Where the span of the agent's wallet began that says so.
    span: Option<SpanStart>,
    /// The number of the link that says so.
    link: Option<u64>,
}

/// Where a span began.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct SpanStart {
    block: u64,
    /// Null where the contract was asked at the end of the block.
    log_index: Option<u32>,
}

impl FoundAnswer {
    pub(in crate::api) fn of(rekeying: Rekeying, registry: Option<RegistryRef>) -> Self {
        let agent = rekeying.outcome.agent().zip(registry);
        let count = match rekeying.outcome {
            Outcome::Several(count) => Some(count),
            Outcome::NotYet | Outcome::Agent(_) | Outcome::None => None,
        };
        let start = |at: Position| SpanStart {
            block: at.block_number,
            log_index: (at.log_index != Position::END_OF_BLOCK).then_some(at.log_index),
        };
        Self {
            outcome: rekeying.outcome.as_str(),
            agent: agent.map(|(id, registry)| AgentRef { registry, id }.to_string()),
            count,
            rule: rekeying.rule.map(crate::rekey::Rule::as_str),
            span: rekeying.span.map(start),
            link: rekeying.link,
        }
    }
}

/// As of which state records are shown.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Standing {
    pub(in crate::api) registry: Option<RegistryRef>,
    pub(in crate::api) tags: Tags,
}

impl Standing {
    /// The same for an answer, with so many records in the log; `None` where no block was applied.
    pub(in crate::api) fn as_of(&self, log_size: u64) -> Option<AsOf> {
        let state = self.registry.map(|registry| (registry, self.tags, log_size))?;
        Standpoint::of_state(state).map(|at| at.as_of())
    }

    pub(in crate::api) fn party(
        &self,
        name: &Subject,
        rekeying: Rekeying,
        state: PartyState,
        said_at: UnixSeconds,
    ) -> PartyAnswer {
        let is_safe = self.tags.safe.is_some_and(|safe| said_at < safe.time);
        let finality = match state {
            PartyState::Open => None,
            PartyState::Settled => Some("final"),
            PartyState::Found if is_safe => Some("safe"),
            PartyState::Found => Some("provisional"),
        };
        let found = FoundAnswer::of(rekeying, self.registry);
        PartyAnswer { name: name.to_string(), found, finality }
    }

    /// Both parties of a record that was just taken in.
    pub(in crate::api) fn parties(&self, accepted: &crate::app::Accepted) -> Parties {
        let party = |(name, rekeying, state): &(Subject, Rekeying, PartyState)| {
            self.party(name, *rekeying, *state, accepted.said_at)
        };
        Parties { issuer: party(&accepted.issuer), subject: party(&accepted.subject) }
    }
}

/// The class of an issuer: what was earned otherwise, or that it is an agent.
pub(in crate::api) fn class(stored: Option<IssuerClass>, issuer: Rekeying) -> Option<IssuerClass> {
    stored.or_else(|| issuer.outcome.agent().map(|_| IssuerClass::Agent))
}

/// What the names of a record's issuer and subject meant, and how sure that is.
pub(in crate::api) type Found = [(Rekeying, PartyState); 2];

/// Records with whom they meant, as they are shown.
pub(in crate::api) async fn answers(
    tx: &mut Tx,
    records: &[StoredRecord],
    standing: &Standing,
) -> Result<Vec<RecordAnswer>, ApiError> {
    let numbers: BTreeSet<_> =
        records.iter().flat_map(|record| [record.issuer, record.subject]).collect();
    let names = tx.names(numbers).await?;
    let parties = tx.parties_of(records).await?;
    let found = |record: &StoredRecord, role| {
        let party = parties.get(&(record.seq, role));
        let party = party.ok_or_else(|| broken(record, "a party is missing"))?;
        Ok::<_, ApiError>((party.rekeying(), party.state))
    };
    let shown = |record: &StoredRecord| {
        let found = [found(record, Role::Issuer)?, found(record, Role::Subject)?];
        answer(record, &names, found, standing)
    };
    records.iter().map(shown).collect()
}

fn broken(record: &StoredRecord, what: &str) -> ApiError {
    ApiError::internal(format!("record {}: {what}", record.seq))
}

/// A record with whom it meant, as it is shown; `names` has those of its issuer and subject.
pub(in crate::api) fn answer(
    record: &StoredRecord,
    names: &BTreeMap<u64, Subject>,
    [issuer, subject]: Found,
    standing: &Standing,
) -> Result<RecordAnswer, ApiError> {
    let broken = |what: &str| broken(record, what);
    let party = |number: u64, (found, state)| {
        let name = names.get(&number).ok_or_else(|| broken("a name is missing"))?;
        Ok::<_, ApiError>(standing.party(name, found, state, record.said_at))
    };
    let meant = issuer.0;
    let (issuer, subject) = (party(record.issuer, issuer)?, party(record.subject, subject)?);
    let raw = |text: String| RawValue::from_string(text).map_err(|_| broken("it is no JSON"));
    let text = String::from_utf8(record.record.clone()).map_err(|_| broken("it is no UTF-8"))?;
    Ok(RecordAnswer {
        seq: record.seq,
        digest: record.digest.to_string(),
        record: raw(text)?,
        source: record.source.as_str(),
        place: record.place.clone(),
        issuer_class: class(record.issuer_class, meant).map(IssuerClass::as_str),
        said_at: record.said_at,
        said_by: if record.is_dated { "issuer" } else { "receipt" },
        received_at: record.received_at,
        verdict: record.proof.clone().map(raw).transpose()?,
        rekeying: Parties { issuer, subject },
        supersedes: record.supersedes.map(|digest| digest.to_string()),
    })
}
