//! Appends checked records in one transaction: whom they mean, what their issuers are, which limits hold, and the log.
//!
//! Everything that a record is judged by is read in the transaction that writes it, so that of two that come at once the second sees the
//! first. What is refused is noted with its reason; what is only odd is kept, with a finding.

use std::collections::BTreeMap;

use super::ground::Taken;
use super::refused::{Refused, RefusedBecause};
use super::{Accepted, CheckedRecord, Records};
use crate::app::AppError;
use crate::app::error::During;
use crate::attest::class::IssuerClass;
use crate::rekey::Role;
use crate::storage::{
    NewRecord, RecordFinding, RecordSource, RefusedRecord, StorageError, Tx, claimed_key,
};
use crate::vocab::Subject;

/// A record with the name of its issuer.
pub(super) struct Named {
    pub(super) issuer: Subject,
    pub(super) checked: CheckedRecord,
}

impl Records {
    /// Appends records, each or not, in one transaction; says of each what came of it, in their order.
    ///
    /// # Errors
    /// When the database fails; then nothing was appended.
    pub async fn commit(
        &self,
        checked: Vec<CheckedRecord>,
    ) -> Result<Vec<Result<Accepted, Refused>>, AppError> {
        let during = || "cannot keep records".to_owned();
        let mut tx = self.database.begin_durable().await.during(during)?;
        let done = self.commit_in(&mut tx, checked).await.during(during)?;
        tx.commit().await.during(during)?;
        for result in &done {
            match result {
                Ok(accepted) if accepted.is_new => {
                    metrics::counter!("hallmark_records_appended_total").increment(1);
                }
                Ok(_) => metrics::counter!("hallmark_records_held_total").increment(1),
                Err(refused) => count_refused(refused),
            }
        }
        Ok(done)
    }

    /// The same within a transaction of somebody else.
    pub(in crate::app) async fn commit_in(
        &self,
        tx: &mut Tx,
        checked: Vec<CheckedRecord>,
    ) -> Result<Vec<Result<Accepted, Refused>>, StorageError> {
        let batch: Vec<_> = checked
            .into_iter()
            .map(|checked| Named { issuer: checked.issuer(), checked })
            .collect();
        let ground = self.ground(tx, &batch).await?;
        let held = Held::find(tx, &batch).await?;
        let limits = self.limit(tx, &batch, &held, &ground).await?;
        let claimed = claimed(tx, &batch, &held).await?;
        let mut taken = Vec::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut firsts = BTreeMap::new();
        for (index, record) in batch.iter().enumerate() {
            let same = (record.checked.attestation.digest(), held.numbers(index).0);
            let earlier = *firsts.entry(same).or_insert(index);
            if earlier < index {
                outcomes.push(Outcome::Again(earlier));
                continue;
            }
            let place = held.of(index);
            let refused = limits.get(&index).and_then(|limit| limit.as_ref().err());
            if let (None, Some(refused)) = (place, refused) {
                outcomes.push(Outcome::Refused(refused.clone()));
                continue;
            }
            if let Some(seq) = place {
                outcomes.push(Outcome::Held(seq));
                continue;
            }
            let mut take = ground.judge(record, &self.host);
            take.findings.extend(limits.get(&index).into_iter().flatten().flatten().cloned());
            if let Some(other) = claimed.get(&index) {
                let id = &record.checked.attestation.body.id;
                take.findings.push(RecordFinding {
                    kind: "claimed_id".to_owned(),
                    detail: format!(
                        "its id `{}` is also that of {other}",
                        crate::vocab::shorten(id)
                    ),
                });
            }
            outcomes.push(Outcome::Taken(taken.len()));
            taken.push(take);
        }
        let first = append(tx, &taken).await?;
        self.link(tx, &batch, &outcomes, first).await?;
        note_refused(tx, &outcomes, &batch).await?;
        let mut done: Vec<Result<Accepted, Refused>> = Vec::with_capacity(batch.len());
        for (record, outcome) in batch.iter().zip(outcomes) {
            done.push(match outcome {
                Outcome::Again(earlier) => {
                    let missing = || StorageError::inconsistent("attestation", "digest", earlier);
                    let first = done.get(earlier).cloned().ok_or_else(missing)?;
                    first.map(|accepted| Accepted { is_new: false, ..accepted })
                }
                Outcome::Refused(refused) => Err(refused),
                Outcome::Held(seq) => Ok(stored(tx, seq, record).await?),
                Outcome::Taken(index) => {
                    let seq = first + index as u64;
                    let missing = || StorageError::inconsistent("attestation", "seq", seq);
                    Ok(taken.get(index).ok_or_else(missing)?.accepted(seq, true))
                }
            });
        }
        Ok(done)
    }
}

/// A record that was held already, as it was taken in then and means now.
async fn stored(tx: &mut Tx, seq: u64, named: &Named) -> Result<Accepted, StorageError> {
    let missing = || StorageError::inconsistent("attestation", "seq", seq);
    let record = tx.record_at(seq).await?.ok_or_else(missing)?;
    let parties = tx.parties_of(std::slice::from_ref(&record)).await?;
    let party = |role, name: &Subject| {
        let party = parties.get(&(seq, role)).ok_or_else(missing)?;
        Ok::<_, StorageError>((name.clone(), party.rekeying(), party.state))
    };
    let issuer = party(Role::Issuer, &named.issuer)?;
    let subject = party(Role::Subject, &named.checked.attestation.subject)?;
    let is_agent = issuer.1.outcome.agent().map(|_| IssuerClass::Agent);
    Ok(Accepted {
        seq,
        digest: record.digest,
        is_new: false,
        issuer_class: record.issuer_class.or(is_agent),
        issuer,
        subject,
        said_at: record.said_at,
        proof: record.proof,
        findings: tx.record_findings(seq, FINDINGS_MAX).await?,
    })
}

/// So many findings of a record are told.
const FINDINGS_MAX: u32 = 100;

/// What becomes of one record of several.
pub(super) enum Outcome {
    Refused(Refused),
    /// It is the same as the one of this index.
    Again(usize),
    /// It is held at this place.
    Held(u64),
    /// It is the one of this index among those that are appended.
    Taken(usize),
}

/// The numbers of names, and where records are held already.
pub(super) struct Held {
    numbers: Vec<(u64, u64)>,
    places: BTreeMap<usize, u64>,
}

impl Held {
    async fn find(tx: &mut Tx, batch: &[Named]) -> Result<Self, StorageError> {
        let names =
            batch.iter().flat_map(|record| [&record.issuer, &record.checked.attestation.subject]);
        let by_name = tx.number_names(names).await?;
        let number = |name: &Subject| {
            let missing = || StorageError::inconsistent("name", "id", name);
            by_name.get(name).copied().ok_or_else(missing)
        };
        let digests: Vec<_> =
            batch.iter().map(|record| record.checked.attestation.digest()).collect();
        let mut distinct = digests.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let held = tx.held_records(&distinct).await?;
        let (mut numbers, mut places) = (Vec::with_capacity(batch.len()), BTreeMap::new());
        for (index, (record, digest)) in batch.iter().zip(digests).enumerate() {
            let issuer = number(&record.issuer)?;
            numbers.push((issuer, number(&record.checked.attestation.subject)?));
            if let Some(seq) = held.get(&(digest, issuer)) {
                places.insert(index, *seq);
            }
        }
        Ok(Self { numbers, places })
    }

    /// Where a record of the batch is held.
    pub(super) fn of(&self, index: usize) -> Option<u64> {
        self.places.get(&index).copied()
    }

    /// The numbers of the names of issuer and subject.
    pub(super) fn numbers(&self, index: usize) -> (u64, u64) {
        self.numbers.get(index).copied().unwrap_or_default()
    }
}

/// Which records have an id that another record of their origin has, and where that is.
async fn claimed(
    tx: &mut Tx,
    batch: &[Named],
    held: &Held,
) -> Result<BTreeMap<usize, String>, StorageError> {
    let mut keys: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, record) in batch.iter().enumerate() {
        // Ids from the chain are ours, and are places.
        if held.of(index).is_none() && record.checked.source != RecordSource::Chain {
            keys.entry(key_of(record)).or_default().push(index);
        }
    }
    let asked: Vec<_> = keys.keys().copied().collect();
    let stored = tx.claimed(&asked).await?;
    let mut found = BTreeMap::new();
    for (key, indexes) in keys {
        let stored = stored.get(&key).map_or(&[][..], Vec::as_slice);
        for index in &indexes {
            let Some(record) = batch.get(*index) else { continue };
            let digest = record.checked.attestation.digest();
            if let Some((seq, _)) = stored.iter().find(|(_, other)| *other != digest) {
                found.insert(*index, format!("record {seq}"));
                continue;
            }
            let differs = |other: &&usize| {
                let other = batch.get(**other);
                other.is_some_and(|other| other.checked.attestation.digest() != digest)
            };
            if indexes.iter().take_while(|other| *other < index).any(|other| differs(&other)) {
                found.insert(*index, "a record that came together with it".to_owned());
            }
        }
    }
    Ok(found)
}

fn key_of(record: &Named) -> i64 {
    let attestation = &record.checked.attestation;
    let origin = attestation.context.origin.as_ref().map(crate::vocab::OriginName::as_str);
    claimed_key(origin, &attestation.body.id)
}

async fn append(tx: &mut Tx, taken: &[Taken<'_>]) -> Result<u64, StorageError> {
    let mut rows = Vec::with_capacity(taken.len());
    let names =
        taken.iter().flat_map(|one| [&one.record.issuer, &one.record.checked.attestation.subject]);
    let accounts = taken.iter().filter_map(|one| one.record.checked.spoken_by);
    let accounts: Vec<_> = accounts.map(Subject::Account).collect();
    let numbers = tx.number_names(names.chain(&accounts)).await?;
    for one in taken {
        let checked = &one.record.checked;
        let attestation = &checked.attestation;
        let number = |name: &Subject| {
            let missing = || StorageError::inconsistent("name", "id", name);
            numbers.get(name).copied().ok_or_else(missing)
        };
        rows.push(NewRecord {
            digest: attestation.digest(),
            record: attestation.canonical(),
            envelope: checked.envelope.as_ref().map(|(raw, form)| (raw.as_slice(), *form)),
            source: checked.source,
            place: checked.place.as_deref(),
            issuer: number(&one.record.issuer)?,
            spoken_by: match checked.spoken_by {
                Some(account) => Some(number(&Subject::Account(account))?),
                None => None,
            },
            subject: number(&attestation.subject)?,
            // That somebody is an agent follows from the re-keying, and changes with it.
            issuer_class: one.class.filter(|class| *class != IssuerClass::Agent),
            claim_type: &attestation.body.claim.kind,
            origin: attestation.context.origin.as_ref().map(crate::vocab::OriginName::as_str),
            game: attestation.context.game.as_deref(),
            round: attestation.body.round,
            said_at: checked.said_at,
            is_dated: checked.is_dated,
            received_at: checked.received_at,
            claimed_key: key_of(one.record),
            proof: checked.proof.clone(),
            supersedes: one.supersedes,
            parties: [one.issuer, one.subject],
        });
    }
    let first = tx.append_records(&rows).await?;
    let findings: Vec<_> = (first..)
        .zip(taken)
        .filter(|(_, record)| !record.findings.is_empty())
        .map(|(seq, record)| (seq, record.findings.clone()))
        .collect();
    tx.note_record_findings(&findings).await?;
    Ok(first)
}

async fn note_refused(
    tx: &mut Tx,
    outcomes: &[Outcome],
    batch: &[Named],
) -> Result<(), StorageError> {
    let refused = outcomes.iter().zip(batch).filter_map(|(outcome, record)| match outcome {
        Outcome::Refused(refused) => Some(RefusedRecord {
            number: 0,
            received_at: record.checked.received_at,
            reason: refused.because.as_str().to_owned(),
            detail: refused.detail.clone(),
            issuer: refused.issuer.clone(),
            digest: refused.digest,
        }),
        Outcome::Again(_) | Outcome::Held(_) | Outcome::Taken(_) => None,
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() { Ok(()) } else { tx.note_refused(&refused).await }
}

impl Records {
    /// Notes records that were refused before they came to the log, and counts them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_refusals(&self, refused: &[&Refused]) -> Result<(), AppError> {
        let during = || "cannot note what was refused".to_owned();
        let now = self.clock.now();
        let row = |refused: &&Refused| RefusedRecord {
            number: 0,
            received_at: now,
            reason: refused.because.as_str().to_owned(),
            detail: refused.detail.clone(),
            issuer: refused.issuer.clone(),
            digest: refused.digest,
        };
        for refused in refused {
            count_refused(refused);
        }
        // Of what cannot even be read nobody is known who said it: it is counted, and fills no table.
        let rows: Vec<_> =
            refused.iter().filter(|refused| refused.digest.is_some()).map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.database.begin_write().await.during(during)?;
        tx.note_refused(&rows).await.during(during)?;
        tx.commit().await.during(during)
    }
}

fn count_refused(refused: &Refused) {
    metrics::counter!("hallmark_records_refused_total", "reason" => refused.because.as_str())
        .increment(1);
}

impl Refused {
    pub(super) fn limit(limit: &crate::attest::limits::Limit) -> Self {
        Self::new(RefusedBecause::Limit(limit.as_str()), limit)
    }
}
