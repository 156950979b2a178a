//! Appends checked records in one transaction: whom they mean, what their issuers are, which limits hold, and the log.
//!
//! Everything that a record is judged by is read in the transaction that writes it, so that of two that come at once the second sees the
//! first. What is refused is noted with its reason; what is only odd is kept, with a finding.

use std::collections::BTreeMap;

use super::ground::Taken;
use super::held::{Held, claimed, key_of};
use super::noting::{count_refused, note_refused};
use super::refused::Refused;
use super::{Accepted, CheckedRecord, Records};
use crate::app::AppError;
use crate::app::error::During;
use crate::attest::class::IssuerClass;
use crate::rekey::Role;
use crate::storage::{NewRecord, RecordFinding, StorageError, Tx};
use crate::vocab::Subject;

/// So many findings of a record are told.
const FINDINGS_MAX: u32 = 100;

/// A record with the name of its issuer, and that of the account that signed for it.
pub(super) struct Named {
    pub(super) issuer: Subject,
    pub(super) account: Option<Subject>,
    pub(super) checked: CheckedRecord,
}

impl Named {
    fn new(checked: CheckedRecord) -> Self {
        let account = checked.spoken_by.map(Subject::Account);
        Self { issuer: checked.issuer(), account, checked }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Subject> {
        [&self.issuer, &self.checked.attestation.subject].into_iter().chain(&self.account)
    }
}

/// The numbers of all names of a batch.
pub(super) type Numbers<'a> = BTreeMap<&'a Subject, u64>;

pub(super) fn number_of(numbers: &Numbers<'_>, name: &Subject) -> Result<u64, StorageError> {
    let missing = || StorageError::inconsistent("name", "id", name);
    numbers.get(name).copied().ok_or_else(missing)
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
        let batch: Vec<_> = checked.into_iter().map(Named::new).collect();
        // Once for all that follows: each question is a way to the engine and back, whose time a record that comes alone takes whole.
        let numbers = tx.number_names(batch.iter().flat_map(Named::names)).await?;
        let ground = self.ground(tx, &numbers).await?;
        let held = Held::find(tx, &batch, &numbers).await?;
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
        let first = append(tx, &taken, &numbers).await?;
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

async fn append(
    tx: &mut Tx,
    taken: &[Taken<'_>],
    numbers: &Numbers<'_>,
) -> Result<u64, StorageError> {
    let mut rows = Vec::with_capacity(taken.len());
    for one in taken {
        let checked = &one.record.checked;
        let attestation = &checked.attestation;
        let account = one.record.account.as_ref();
        rows.push(NewRecord {
            digest: attestation.digest(),
            record: attestation.canonical(),
            envelope: checked.envelope.as_ref().map(|(raw, form)| (raw.as_slice(), *form)),
            source: checked.source,
            place: checked.place.as_deref(),
            issuer: number_of(numbers, &one.record.issuer)?,
            spoken_by: account.map(|account| number_of(numbers, account)).transpose()?,
            subject: number_of(numbers, &attestation.subject)?,
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
