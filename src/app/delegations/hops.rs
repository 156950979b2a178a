//! Hops looked at anew: after a record was taken in, and after it turned out whether a wallet had been its issuer's.
//!
//! What a hop weighs follows from its own records; what is odd about it also from the hop above, and who may judge it from all grants above.
//! So a grant, an acceptance and an outcome have hops below looked at as well. Records are read in a bounded number, and those of strangers
//! never in the place of those of parent, child and judges.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::kin::kin;
use super::way::{Way, under, way};
use crate::attest::TypedRecord;
use crate::delegation::{HopFinding, Judges, Kept, Kind, Record, kept_hop};
use crate::rekey::{Role, Rule};
use crate::storage::{
    PartyState, StorageError, StoredDelegation, StoredEdge, StoredHopFinding, Tx,
};
use crate::vocab::{Digest, Ppb};

/// So many hops below one, or by one snapshot, are looked at together with it.
const TOGETHER_MAX: u32 = 256;
/// So many records of one kind are read of parent and of child.
pub(super) const OF_PARTY_MAX: u32 = 500;
/// So many records of strangers are read of one grant.
pub(super) const OF_OTHERS_MAX: u32 = 64;
/// So many findings of a hop are kept.
const FINDINGS_MAX: usize = 100;

/// What a stored record says.
pub(super) fn read(stored: &StoredDelegation) -> Result<Record, StorageError> {
    let broken = || StorageError::inconsistent("delegation", "record", stored.number);
    let typed = TypedRecord::read(&stored.record).map_err(|_| broken())?;
    Record::read(&typed).map_err(|_| broken())
}

/// The hops that a new record changes.
pub(super) async fn touched(
    tx: &mut Tx,
    digest: Digest,
    record: &Record,
) -> Result<BTreeSet<Digest>, StorageError> {
    let (own, reaches_below) = match record {
        Record::Grant(_) => (digest, true),
        Record::Acceptance(record) => (record.grant, true),
        Record::Outcome(record) => (record.grant, true),
        Record::Interaction(record) => (record.grant, false),
        Record::Verdict(record) => (record.grant, false),
        Record::Capability(_) => {
            return Ok(tx.edges_of_snapshot(digest, TOGETHER_MAX).await?.into_iter().collect());
        }
    };
    let mut hops = BTreeSet::from([own]);
    let mut open = VecDeque::from(if reaches_below { vec![own] } else { Vec::new() });
    while let Some(above) = open.pop_front() {
        let room = |hops: &BTreeSet<Digest>| {
            TOGETHER_MAX.saturating_sub(u32::try_from(hops.len()).unwrap_or(u32::MAX))
        };
        let held = tx.delegations_by_digest(&[above]).await?.remove(&above);
        let mut below = match &held {
            Some(held) => under(tx, held, room(&hops)).await?,
            None => Vec::new(),
        };
        if matches!(record, Record::Grant(_)) {
            // Strangers as well, which hung under something that was not there yet; but never in the place of its child.
            below.extend(tx.delegations_of_kind(above, Kind::Grant, room(&hops)).await?);
        }
        for below in below.into_iter().take(room(&hops) as usize) {
            // Who may judge is said by all grants above; the rest by the one.
            if hops.insert(below.digest) && matches!(record, Record::Grant(_)) {
                open.push_back(below.digest);
            }
        }
    }
    Ok(hops)
}

/// The hops of some records, by their numbers; of a capability all that rest on it.
pub(in crate::app) async fn spoken_hops(
    tx: &mut Tx,
    numbers: &[u64],
) -> Result<Vec<(u64, Digest)>, StorageError> {
    let mut hops = Vec::new();
    for record in tx.delegations_by_number(numbers).await? {
        match record.kind {
            Kind::Grant => hops.push((record.number, record.digest)),
            Kind::Capability => {
                let of_snapshot = tx.edges_of_snapshot(record.digest, TOGETHER_MAX).await?;
                hops.extend(of_snapshot.into_iter().map(|hop| (record.number, hop)));
            }
            Kind::Acceptance | Kind::Interaction | Kind::Outcome | Kind::Verdict => {
                hops.extend(record.of_grant.map(|grant| (record.number, grant)));
            }
        }
    }
    Ok(hops)
}

/// Looks at hops anew: what they weigh, what is odd about them, and which reports rest on them.
pub(in crate::app) async fn reconsider(
    tx: &mut Tx,
    hops: &BTreeSet<Digest>,
) -> Result<(), StorageError> {
    for hop in hops {
        match edge(*hop, &of_hop(tx, *hop).await?)? {
            Some((edge, findings)) => {
                tx.set_edges(&[edge]).await?;
                tx.set_hop_findings(*hop, &findings).await?;
            }
            None => tx.remove_edge(*hop).await?,
        }
        tx.reopen_disputes(*hop).await?;
    }
    Ok(())
}

/// A hop and what is odd about it, of its records; `None` where nobody but strangers speaks of it.
fn edge(
    hop: Digest,
    OfHop { records, judges, is_too_long }: &OfHop,
) -> Result<Option<(StoredEdge, Vec<StoredHopFinding>)>, StorageError> {
    let mut kept = Vec::with_capacity(records.len());
    for (stored, holds) in records {
        kept.push(Kept { digest: stored.digest, record: read(stored)?, holds: *holds });
    }
    let Some(found) = kept_hop(hop, kept, judges) else { return Ok(None) };
    let found = if *is_too_long { found.too_long() } else { found };
    let by_digest =
        |digest| records.iter().map(|(stored, _)| stored).find(|stored| stored.digest == digest);
    let accepted = found.hop.acceptance.as_ref().and_then(|(digest, _)| by_digest(*digest));
    let (parent, child) = match (by_digest(hop), accepted) {
        (Some(grant), _) => (grant.issuer, grant.named),
        (None, Some(acceptance)) => {
            (acceptance.named.unwrap_or(acceptance.issuer), Some(acceptance.issuer))
        }
        (None, None) => return Ok(None),
    };
    let (grant, inputs) = (found.hop.grant.as_ref(), found.inputs.unwrap_or(NOTHING));
    let ppm = |known: &Option<(Digest, u32)>| known.map(|(_, ppm)| ppm);
    let edge = StoredEdge {
        hop,
        state: found.hop.state,
        above: grant.and_then(|grant| grant.under.grant()),
        parent,
        child,
        may_delegate: grant.is_some_and(|grant| grant.may_delegate),
        has_below: false,
        is_disputed: found.is_disputed,
        chars: inputs.chars,
        capability_ppm: [ppm(&found.hop.parent_capability), ppm(&found.hop.child_capability)],
        interactions: inputs.interactions,
        beta: found.inputs.map_or(Ppb::ZERO, |inputs| inputs.beta()),
        snapshots: grant.map_or([None; 2], |grant| [grant.snapshots.parent, grant.snapshots.child]),
    };
    let finding = |finding: HopFinding| StoredHopFinding {
        record: finding.record,
        kind: finding.kind,
        detail: finding.detail,
    };
    Ok(Some((edge, found.findings.into_iter().take(FINDINGS_MAX).map(finding).collect())))
}

/// The inputs of a hop whose grant is not there.
const NOTHING: crate::tfd::EdgeInputs = crate::tfd::EdgeInputs {
    chars: 0,
    foreseeability_ppm: crate::tfd::PPM,
    capability_ppm: None,
    interactions: 0,
};

/// What a hop is looked at by.
struct OfHop {
    /// All records, each with whether it is its issuer's word.
    records: Vec<(StoredDelegation, bool)>,
    /// Who may judge it.
    judges: Judges,
    /// Whether it is too far below the buyer.
    is_too_long: bool,
}

async fn of_hop(tx: &mut Tx, hop: Digest) -> Result<OfHop, StorageError> {
    let mut records = BTreeMap::new();
    let grant = tx.delegations_by_digest(&[hop]).await?.remove(&hop);
    let mut wanted = BTreeSet::new();
    if let Some(grant) = &grant
        && let Record::Grant(said) = read(grant)?
    {
        wanted.extend([said.snapshots.parent, said.snapshots.child].into_iter().flatten());
        wanted.extend(said.under.grant());
    }
    let wanted: Vec<_> = wanted.into_iter().collect();
    let wanted = tx.delegations_by_digest(&wanted).await?;
    if let Some(above) = wanted.values().find(|record| record.kind == Kind::Grant) {
        for kind in [Kind::Acceptance, Kind::Outcome] {
            add(&mut records, of_parties(tx, above, kind).await?);
        }
    }
    add(&mut records, wanted.into_values().collect());
    if let Some(grant) = &grant {
        for kind in [Kind::Acceptance, Kind::Interaction, Kind::Outcome] {
            add(&mut records, of_parties(tx, grant, kind).await?);
        }
    }
    for kind in [Kind::Acceptance, Kind::Outcome] {
        add(&mut records, tx.delegations_of_kind(hop, kind, OF_OTHERS_MAX).await?);
    }
    let way = way(tx, hop).await?;
    let (verdicts, judges) = judged_on(tx, hop, &way).await?;
    add(&mut records, verdicts);
    add(&mut records, grant.into_iter().collect());
    let records = with_standing(tx, records.into_values().collect()).await?;
    Ok(OfHop { records, judges, is_too_long: way.is_too_long() })
}

/// What was judged of a hop, those who may judge it first and others as far as there is room; and who may.
pub(super) async fn judged(
    tx: &mut Tx,
    hop: Digest,
) -> Result<(Vec<StoredDelegation>, Judges), StorageError> {
    if tx.delegations_of_kind(hop, Kind::Verdict, 1).await?.is_empty() {
        return Ok((Vec::new(), Judges::default()));
    }
    let way = way(tx, hop).await?;
    judged_on(tx, hop, &way).await
}

/// The same, where the way up is known. Of those who may judge the earliest verdicts come first.
async fn judged_on(
    tx: &mut Tx,
    hop: Digest,
    way: &Way,
) -> Result<(Vec<StoredDelegation>, Judges), StorageError> {
    let of_others = tx.delegations_of_kind(hop, Kind::Verdict, OF_OTHERS_MAX).await?;
    if of_others.is_empty() {
        return Ok((Vec::new(), Judges::default()));
    }
    let mut grants = Vec::new();
    for stored in &way.grants {
        if let Record::Grant(grant) = read(stored)? {
            grants.push(grant);
        }
    }
    let judges = Judges::of(grants.iter().map(AsRef::as_ref)).unless(way.is_loose());
    let mut verdicts = Vec::new();
    for number in tx.name_numbers(judges.named()).await?.into_values() {
        verdicts.extend(tx.delegations_by(hop, Kind::Verdict, number, OF_PARTY_MAX).await?);
    }
    verdicts.sort_by_key(|verdict| (verdict.said_at, verdict.digest));
    let mut signed = way.grants.clone();
    if !verdicts.is_empty() {
        for grant in &way.grants {
            signed.extend(of_parties(tx, grant, Kind::Acceptance).await?);
        }
    }
    let judges = judges.knowing(&kin(tx, signed.iter().chain(&verdicts)).await?);
    let first: BTreeSet<_> = verdicts.iter().map(|verdict| verdict.digest).collect();
    verdicts.extend(of_others.into_iter().filter(|verdict| !first.contains(&verdict.digest)));
    Ok((verdicts, judges))
}

fn add(to: &mut BTreeMap<Digest, StoredDelegation>, records: Vec<StoredDelegation>) {
    to.extend(records.into_iter().map(|record| (record.digest, record)));
}

/// The records of a kind about a grant by its parent and its child.
pub(super) async fn of_parties(
    tx: &mut Tx,
    grant: &StoredDelegation,
    kind: Kind,
) -> Result<Vec<StoredDelegation>, StorageError> {
    let mut found = Vec::new();
    for name in BTreeSet::from([Some(grant.issuer), grant.named]).into_iter().flatten() {
        found.extend(tx.delegations_by(grant.digest, kind, name, OF_PARTY_MAX).await?);
    }
    Ok(found)
}

/// Records with whether each is its issuer's word: it is not where the account that signed turned out not to have been the agent's wallet.
async fn with_standing(
    tx: &mut Tx,
    records: Vec<StoredDelegation>,
) -> Result<Vec<(StoredDelegation, bool)>, StorageError> {
    let by_wallet = records.iter().filter(|record| record.spoken_by.is_some());
    let places: Vec<_> = by_wallet
        .map(|record| (record.issuer, record.said_at, record.number, Role::Author))
        .collect();
    let parties = tx.parties_at(&places).await?;
    let holds = |record: &StoredDelegation| {
        let party = parties.get(&(record.number, Role::Author));
        !party.is_some_and(|party| {
            party.state != PartyState::Open && party.found.rule == Some(Rule::NotItsWallet)
        })
    };
    Ok(records
        .into_iter()
        .map(|record| (holds(&record), record))
        .map(|(holds, record)| (record, holds))
        .collect())
}
