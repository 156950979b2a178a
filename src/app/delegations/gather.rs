//! A trace put together from what is kept: the hops, their envelopes byte for byte, and who spoke for whom when they signed.
//!
//! Either the way from one hop up to the buyer, which is all that a failure of that hop rests on, or everything below the first grant.
//! Of the way up nobody can keep others from knowing: where it is too large, each party of a hop loses the latest of its own interactions. A whole
//! trace that is larger than a document may be is refused, with what to ask for instead.

use std::collections::{BTreeMap, BTreeSet};

use super::hops::{OF_OTHERS_MAX, OF_PARTY_MAX, judged, of_parties, read};
use super::late::{Late, take_out};
use super::room::{NoRoom, Share, fit};
use super::way::{Way, below, way};
use crate::app::Records;
use crate::delegation::{
    Answer, DOCUMENT_BYTES_MAX, ENVELOPES_MAX, HOPS_MAX, Kin, Kind, Record, Sealed, TraceDocument,
};
use crate::storage::{StorageError, StoredDelegation, Tx};
use crate::vocab::Digest;

/// What interactions have for themselves in bytes, however much the rest takes.
const INTERACTIONS_BYTES_MIN: usize = 256 * 1024;
/// So many envelopes of a trace are not interactions, where interactions are too many.
const OTHERS_KEPT: usize = 500;

/// How much of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracePart {
    /// From one hop up to the buyer.
    Path,
    /// All hops below the first one that is there.
    Whole,
}

/// Why a trace cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// It is larger than a document may be.
    #[error("{0}")]
    TooLarge(String),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The records of a trace.
pub(super) struct Gathered {
    /// The grants, or of hops that only a child claims the digests of the grants.
    pub(super) hops: BTreeSet<Digest>,
    /// The grant above the topmost hop, where it is not there.
    pub(super) missing: Option<Digest>,
    pub(super) records: Vec<StoredDelegation>,
    /// What there was no room for.
    pub(super) left_out: Vec<NoRoom>,
    /// What came too late.
    pub(super) late: Late,
}

/// A hop about which somebody judges.
pub(super) struct Disputed {
    /// The verdict whose report is asked for, if it is one's.
    pub(super) verdict: Option<StoredDelegation>,
    /// What those judged who may, the earliest first.
    pub(super) judged: Vec<StoredDelegation>,
    /// The number of the first verdict to come that may confirm: what parties say of their runs afterwards counts for nothing.
    pub(super) judged_at: Option<u64>,
    /// Who judges and is a party by another name.
    pub(super) kin: Kin,
}

impl Disputed {
    /// The hop of a grant.
    pub(super) async fn of(
        tx: &mut Tx,
        grant: Digest,
        verdict: Option<StoredDelegation>,
    ) -> Result<Self, StorageError> {
        let (all, judges) = judged(tx, grant).await?;
        let (mut verdicts, mut told) = (Vec::new(), Vec::new());
        for stored in all {
            // What strangers judge changes no report, and so is no part of what it rests on.
            if let Record::Verdict(verdict) = read(&stored)?
                && judges.named().contains(&verdict.issuer)
            {
                told.push((stored.digest, *verdict));
                verdicts.push(stored);
            }
        }
        let granted = tx.delegations_by_digest(&[grant]).await?.remove(&grant);
        let granted = granted.map(|granted| granted.said_at);
        let confirm: BTreeSet<Digest> =
            judges.all_confirming(granted, &told).map(|(digest, _)| *digest).collect();
        let confirming = verdicts.iter().filter(|stored| confirm.contains(&stored.digest));
        let judged_at = confirming.map(|stored| stored.number).min();
        Ok(Self { verdict, judged_at, kin: judges.kin().clone(), judged: verdicts })
    }
}

impl Records {
    /// The trace of a grant, as a document that anybody can check.
    ///
    /// # Errors
    /// When it is too large for a document, or the database fails.
    pub async fn trace(
        &self,
        tx: &mut Tx,
        grant: Digest,
        part: TracePart,
    ) -> Result<TraceDocument, GatherError> {
        let gathered = gather(tx, grant, part, None).await?;
        self.document(tx, &gathered.records).await
    }

    /// A document of records that is small enough to be served.
    async fn document(
        &self,
        tx: &mut Tx,
        records: &[StoredDelegation],
    ) -> Result<TraceDocument, GatherError> {
        let size: usize = records.iter().map(|record| record.envelope.len()).sum();
        if records.len() > ENVELOPES_MAX || size > DOCUMENT_BYTES_MAX / 2 {
            let why = format!(
                "the trace has {} envelopes of {size} bytes together, and a document has at most {ENVELOPES_MAX} of {}: ask for `part=path`, or for a hop further down",
                records.len(),
                DOCUMENT_BYTES_MAX / 2
            );
            return Err(GatherError::TooLarge(why));
        }
        let document = self.assembled(tx, records).await?;
        // What is served is what anybody can read again.
        let refused = |error| {
            GatherError::TooLarge(format!(
                "the trace makes no document: {error}; ask for `part=path`"
            ))
        };
        document.check().map_err(refused)?;
        Ok(document)
    }

    /// Records as a document, however large, with what is known of those who signed them.
    pub(super) async fn assembled(
        &self,
        tx: &mut Tx,
        records: &[StoredDelegation],
    ) -> Result<TraceDocument, StorageError> {
        let mut document = TraceDocument::new(Vec::with_capacity(records.len()));
        for record in records {
            let text = String::from_utf8(record.envelope.clone());
            let broken = |_| StorageError::inconsistent("delegation", "envelope", record.number);
            let envelope = text.map_err(broken)?;
            if let Some((signed_by, block)) = &record.answer {
                document.answers.push(Answer {
                    envelope: Digest::of(envelope.as_bytes()),
                    signed_by: signed_by.clone(),
                    block: block.number,
                    hash: block.hash,
                });
            }
            document.envelopes.push(Sealed { envelope, received: Some(record.received_at) });
        }
        self.know(tx, &mut document, records).await?;
        Ok(document)
    }
}

/// Gathers the records of a trace; of a dispute as they were when it was judged.
pub(super) async fn gather(
    tx: &mut Tx,
    grant: Digest,
    part: TracePart,
    dispute: Option<&Disputed>,
) -> Result<Gathered, GatherError> {
    let way = way(tx, grant).await?;
    if dispute.is_some() && way.is_too_long() {
        let why = format!(
            "the hop of {grant} is more than {HOPS_MAX} hops from the buyer: it carries nothing, and no report is made of it"
        );
        return Err(GatherError::TooLarge(why));
    }
    let Way { grants: path, missing, other } = way;
    let grants = match (part, path.first()) {
        (TracePart::Whole, Some(first)) => below(tx, first.clone()).await?,
        _ => path,
    };
    let mut hops: BTreeSet<Digest> = grants.iter().map(|grant| grant.digest).collect();
    // Of a grant that was to somebody else only itself, which shows that it was.
    let mut records: Vec<StoredDelegation> = other.into_iter().collect();
    let (mut snapshots, mut verdicts) = (BTreeSet::new(), Vec::new());
    for grant in &grants {
        if let Record::Grant(said) = read(grant)? {
            snapshots.extend([said.snapshots.parent, said.snapshots.child].into_iter().flatten());
        }
        records.push(grant.clone());
        for kind in [Kind::Acceptance, Kind::Outcome, Kind::Interaction] {
            records.extend(of_parties(tx, grant, kind).await?);
        }
        if dispute.is_none() {
            verdicts.extend(judged(tx, grant.digest).await?.0);
        }
    }
    if hops.insert(grant) {
        // A grant that only its child speaks of.
        for kind in [Kind::Acceptance, Kind::Outcome] {
            records.extend(tx.delegations_of_kind(grant, kind, OF_OTHERS_MAX).await?);
        }
        if dispute.is_none() {
            verdicts.extend(judged(tx, grant).await?.0);
        }
    }
    let snapshots: Vec<_> = snapshots.into_iter().collect();
    records.extend(tx.delegations_by_digest(&snapshots).await?.into_values());
    let mut late = Late::new();
    if let Some(dispute) = dispute {
        if let Some(after) = dispute.judged_at {
            late = take_out(&mut records, after)?;
        }
        records.extend(dispute.verdict.clone());
        if let Some(verdict) = &dispute.verdict {
            let issuer = verdict.issuer;
            // Whether its issuer took it back is his word, and has to be there whatever others judge.
            records.extend(tx.delegations_by(grant, Kind::Verdict, issuer, OF_PARTY_MAX).await?);
        }
        verdicts.clone_from(&dispute.judged);
    }
    let (watched, mut records): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| record.kind == Kind::Interaction);
    let (count_max, bytes_max) = match part {
        TracePart::Path => {
            let size: usize = records.iter().map(|record| record.envelope.len()).sum();
            let bytes = (DOCUMENT_BYTES_MAX / 2).saturating_sub(size).max(INTERACTIONS_BYTES_MIN);
            (ENVELOPES_MAX.saturating_sub(records.len().max(OTHERS_KEPT)), bytes)
        }
        TracePart::Whole => (usize::MAX, usize::MAX),
    };
    let (watched, left_out) = fit(by_party(watched), count_max, bytes_max);
    records.extend(watched);
    fill_up(&mut records, verdicts);
    let mut seen = BTreeSet::new();
    records.retain(|record| seen.insert(record.digest));
    Ok(Gathered { hops, missing, records, left_out, late })
}

/// What each party of each hop recorded of its run, the earliest first.
fn by_party(mut records: Vec<StoredDelegation>) -> Vec<Share> {
    records.sort_by_key(|record| (record.of_grant, record.issuer, record.said_at, record.digest));
    let parties =
        records.chunk_by(|one, next| (one.of_grant, one.issuer) == (next.of_grant, next.issuer));
    let share = |records: &[StoredDelegation]| {
        let first = records.first()?;
        Some(Share { hop: first.of_grant?, issuer: first.issuer, records: records.to_vec() })
    };
    parties.filter_map(share).collect()
}

/// Adds what was judged as far as it fits into a document: anybody may judge, and nobody may keep a trace from being served by it.
fn fill_up(records: &mut Vec<StoredDelegation>, judged: Vec<StoredDelegation>) {
    let mut size: usize = records.iter().map(|record| record.envelope.len()).sum();
    for verdict in judged {
        let fits = size.saturating_add(verdict.envelope.len()) <= DOCUMENT_BYTES_MAX / 2;
        if fits && records.len() < ENVELOPES_MAX {
            size += verdict.envelope.len();
            records.push(verdict);
        }
    }
}

/// Records by whose word they are.
pub(super) fn by_issuer(records: &[StoredDelegation]) -> BTreeMap<u64, Vec<&StoredDelegation>> {
    let mut by_issuer: BTreeMap<u64, Vec<&StoredDelegation>> = BTreeMap::new();
    for record in records {
        by_issuer.entry(record.issuer).or_default().push(record);
    }
    by_issuer
}
