//! Who carries how much of a failure: from a verdict, or a grant, to the report.
//!
//! The trace from the failed hop up to the buyer is put together and checked as anybody would check it; names become the agents that they
//! meant when it was signed, agents under one proven control become one operator, and `tfd` computes. A failure is confirmed by a verdict
//! that holds, by the buyer or a judge whom a grant names, and not taken back; the report of any other is hypothetical, and says why.

use std::collections::{BTreeMap, BTreeSet};

use super::checked_apart;
use super::control::control_of;
use super::gather::{Disputed, GatherError, Gathered, TracePart, gather};
use super::hops::read;
use crate::app::Records;
use crate::app::rekey::followed;
use crate::delegation::{
    CaseOptions, End, HeldTogether, Kin, Kind, Operators, Record, TraceDocument, TraceVerdict,
    case, operators, unconfirmed, verify_trace,
};
use crate::rekey::{Rekeying, Role};
use crate::storage::{StorageError, StoredDelegation, Tags, Tx};
use crate::tfd::{self, CaseError, Policy, Report};
use crate::vocab::{AgentRef, Digest, RegistryRef, Subject, UnixSeconds};

/// The report of a dispute, and what it rests on.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// The verdict, or the grant where nobody judged.
    pub id: Digest,
    /// Why the report is hypothetical; `None` where a verdict confirms it.
    pub hypothetical: Option<String>,
    /// The report.
    pub report: Report,
    /// The report's RFC 8785 bytes, and their digest.
    pub canonical: (String, Digest),
    /// What checking the trace came to.
    pub trace: TraceVerdict,
    /// Names that meant agents.
    pub renamed: Vec<Renamed>,
    /// What proven and suspected operators rest on.
    pub control: Vec<HeldTogether>,
    /// The hops that the report rests on, the missing one above the topmost included.
    pub hops: BTreeSet<Digest>,
    /// The grant above the topmost hop, where it is not held.
    pub missing: Option<Digest>,
    /// What is not counted from: what had no room, or came too late.
    pub left_out: Vec<LeftOutOfTrace>,
    /// When the last of what it rests on was said.
    pub said_until: UnixSeconds,
    /// As of which state it was computed; `None` where no chain is followed.
    pub as_of: Option<(RegistryRef, Tags, u64)>,
}

/// Records of a hop that are not counted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOutOfTrace {
    /// The grant.
    pub hop: Digest,
    /// Who signed them.
    pub issuer: Subject,
    /// How many.
    pub records: u64,
    /// `no_room`, or `received_late`.
    pub why: &'static str,
}

/// A name in a hop that meant an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The grant.
    pub hop: Digest,
    /// Which end of it.
    pub end: End,
    /// The name.
    pub name: Subject,
    /// The agent.
    pub agent: Subject,
    /// By what.
    pub rekeying: Rekeying,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum AttributionError {
    /// No such record is held.
    #[error(
        "no verdict and no grant with the digest {0} is held here; send its record to `POST /v1/delegations`"
    )]
    NotHeld(Digest),
    /// It is a record about which no report is made.
    #[error(
        "the record {0} is of the kind `{1}`: a report is made of a verdict, or hypothetically of a grant"
    )]
    NoDispute(Digest, &'static str),
    /// The trace cannot be put together.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// The case makes no sense.
    #[error("the trace makes no case: {0}")]
    Case(#[from] CaseError),
    /// Computing it ended early.
    #[error("computing the report ended early: {0}")]
    Ended(String),
}

impl From<StorageError> for AttributionError {
    fn from(error: StorageError) -> Self {
        Self::Gather(error.into())
    }
}

/// What is computed with, once everything is read.
struct Ground {
    document: TraceDocument,
    meant: BTreeMap<(Digest, End), Subject>,
    operators: Operators,
    grant: Digest,
    verdict: Option<Digest>,
    kin: Kin,
    checked_at: UnixSeconds,
}

impl Records {
    /// The report of a dispute, by the digest of its verdict; or of what it would be had the hop of a grant failed.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn attribution(&self, id: Digest) -> Result<Attribution, AttributionError> {
        let mut tx = self.database.begin_read().await?;
        let stored = tx.delegations_by_digest(&[id]).await?.remove(&id);
        let stored = stored.ok_or(AttributionError::NotHeld(id))?;
        let (grant, verdict) = match (stored.kind, stored.of_grant) {
            (Kind::Grant, _) => (id, None),
            (Kind::Verdict, Some(grant)) => (grant, Some(stored)),
            (kind, _) => return Err(AttributionError::NoDispute(id, kind.as_str())),
        };
        let id_of_verdict = verdict.as_ref().map(|stored| stored.digest);
        let dispute = Disputed::of(&mut tx, grant, verdict).await?;
        let gathered = gather(&mut tx, grant, TracePart::Path, Some(&dispute)).await?;
        let document = self.assembled(&mut tx, &gathered.records).await?;
        let left_out = left_out(&mut tx, &gathered).await?;
        let as_of = match followed(&mut tx).await? {
            Some(registry) => Some((registry, tx.tags().await?, tx.log_size().await?)),
            None => None,
        };
        let renamed = renamed(&mut tx, &gathered.records).await?;
        let meant = renamed.iter().map(|one| ((one.hop, one.end), one.agent.clone())).collect();
        let operators = operators_of(&mut tx, &gathered, &meant).await?;
        drop(tx);
        let control = operators.evidence.clone();
        let (verdict, kin) = (id_of_verdict, dispute.kin.clone());
        let checked_at = self.clock.now();
        let ground = Ground { document, meant, operators, grant, verdict, kin, checked_at };
        // Signatures are checked for as long as they take; other requests go on meanwhile.
        let (trace, report) = checked_apart(move || compute(id, ground)).await??;
        let canonical = report.canonical()?;
        let digest = Digest::of(canonical.as_bytes());
        let hypothetical = hypothetical(&report, &trace, verdict, &dispute.kin);
        let mut hops = gathered.hops;
        hops.extend(gathered.missing);
        let missing = gathered.missing;
        let said = gathered.records.iter().map(|record| record.said_at);
        let said_until = said.max().unwrap_or(UnixSeconds::EPOCH);
        let canonical = (canonical, digest);
        Ok(Attribution {
            id,
            hypothetical,
            report,
            canonical,
            trace,
            renamed,
            control,
            hops,
            missing,
            left_out,
            said_until,
            as_of,
        })
    }
}

fn compute(id: Digest, ground: Ground) -> Result<(TraceVerdict, Report), CaseError> {
    let trace = verify_trace(&ground.document, ground.checked_at);
    let options = CaseOptions {
        id: id.to_string(),
        failed: Some(ground.grant),
        verdict: ground.verdict,
        kin: ground.kin,
        meant: ground.meant,
        operators: ground.operators.proven,
        suspected_operators: ground.operators.suspected,
        policy: Policy::default(),
    };
    let report = tfd::report(&case(&trace, options)?, None)?;
    Ok((trace, report))
}

/// Why a report is hypothetical.
fn hypothetical(
    report: &Report,
    trace: &TraceVerdict,
    verdict: Option<Digest>,
    kin: &Kin,
) -> Option<String> {
    if report.case.verdict.is_some() {
        return None;
    }
    let Some(verdict) = verdict else {
        return Some("nobody has judged that this hop failed".to_owned());
    };
    let mut judged =
        trace.hops.iter().flat_map(|hop| hop.verdicts.iter().map(move |told| (hop, told)));
    match judged.find(|(_, (digest, _))| *digest == verdict) {
        None if trace.rests.iter().any(|rest| rest.record == verdict) => Some(
            "the grant of the hop is not held: only its child speaks of it, so that nobody is named who may judge".to_owned(),
        ),
        None => Some("the verdict is not known to be its issuer's word: see `trace`".to_owned()),
        Some((hop, told)) => unconfirmed(trace, hop, told, kin),
    }
}

/// By whom what was left out is, in its name.
async fn left_out(tx: &mut Tx, gathered: &Gathered) -> Result<Vec<LeftOutOfTrace>, StorageError> {
    let no_room = gathered.left_out.iter().map(|one| (one.hop, one.issuer, one.records, "no_room"));
    let late = gathered.late.iter();
    let late = late.map(|((hop, issuer), records)| (*hop, *issuer, *records, "received_late"));
    let all: Vec<_> = no_room.chain(late).collect();
    let names = tx.names(all.iter().map(|(_, issuer, ..)| *issuer)).await?;
    let whose = |(hop, issuer, records, why): (Digest, u64, u64, &'static str)| {
        let issuer = names.get(&issuer)?.clone();
        Some(LeftOutOfTrace { hop, issuer, records, why })
    };
    Ok(all.into_iter().filter_map(whose).collect())
}

/// The names of a trace that meant agents when it was signed.
async fn renamed(tx: &mut Tx, records: &[StoredDelegation]) -> Result<Vec<Renamed>, StorageError> {
    let Some(registry) = followed(tx).await? else { return Ok(Vec::new()) };
    // In the order in which the later one counts: what the child signed itself, the earliest of it, before what was said of it.
    let mut wanted: BTreeMap<(Digest, End), (u64, UnixSeconds, u64, Role)> = BTreeMap::new();
    let mut acceptances: Vec<_> =
        records.iter().filter(|record| record.kind == Kind::Acceptance).collect();
    acceptances.sort_by_key(|record| (record.said_at, record.digest));
    for record in records.iter().filter(|record| record.kind == Kind::Grant) {
        let place = |name, role| (name, record.said_at, record.number, role);
        wanted.insert((record.digest, End::Parent), place(record.issuer, Role::Author));
        if let Some(named) = record.named {
            wanted.insert((record.digest, End::Child), place(named, Role::Named));
        }
    }
    for record in acceptances.into_iter().rev() {
        let Some(grant) = record.of_grant else { continue };
        let place = (record.issuer, record.said_at, record.number, Role::Author);
        wanted.insert((grant, End::Child), place);
    }
    let places: Vec<_> = wanted.values().copied().collect();
    let parties = tx.parties_at(&places).await?;
    let numbers: Vec<_> = places.iter().map(|(name, ..)| *name).collect();
    let names = tx.names(numbers).await?;
    let mut renamed = Vec::new();
    for ((hop, end), (name, _, number, role)) in wanted {
        let Some(party) = parties.get(&(number, role)) else { continue };
        let rekeying = party.rekeying();
        let (Some(id), Some(name)) = (rekeying.outcome.agent(), names.get(&name)) else { continue };
        let agent = Subject::Agent(AgentRef { registry, id });
        if agent != *name {
            renamed.push(Renamed { hop, end, name: name.clone(), agent, rekeying });
        }
    }
    Ok(renamed)
}

/// Who of a trace is one, at the times of its grants and acceptances.
async fn operators_of(
    tx: &mut Tx,
    gathered: &Gathered,
    meant: &BTreeMap<(Digest, End), Subject>,
) -> Result<Operators, StorageError> {
    let (mut names, mut moments) = (BTreeSet::new(), BTreeSet::new());
    for stored in &gathered.records {
        let mut add = |hop, end, name: &Subject| {
            names.insert(meant.get(&(hop, end)).unwrap_or(name).clone());
        };
        match read(stored)? {
            Record::Grant(grant) => {
                add(stored.digest, End::Parent, &grant.issuer);
                if let Some(child) = grant.child.answerable() {
                    add(stored.digest, End::Child, child);
                }
                moments.insert(grant.issued_at);
            }
            Record::Acceptance(acceptance) => {
                add(acceptance.grant, End::Child, &acceptance.issuer);
                moments.insert(acceptance.issued_at);
            }
            _ => {}
        }
    }
    Ok(operators(&control_of(tx, &names).await?, &moments))
}
