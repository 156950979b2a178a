//! A record of a delegation taken in: read, bounded, checked, and kept with what it changes, in one transaction.
//!
//! Everything that costs little comes first: the size, the form, the fields, and only then a signature. A record whose grant is not there
//! yet is kept all the same, since a child's records may come before its parent's. Of a grant that is there nobody but its parent and its
//! child may accept, watch or end the run; that would count for nothing, and fill a trace.

use std::collections::BTreeMap;

use super::hops;
use crate::app::error::During;
use crate::app::meanings::{Reading, meanings};
use crate::app::records::Verified;
use crate::app::rekey::{followed, state};
use crate::app::{AppError, Records, Refused, RefusedBecause};
use crate::attest::Envelope;
use crate::attest::TypedRecord;
use crate::attest::canonical::JsonError;
use crate::attest::envelope::{EnvelopeError, Form};
use crate::attest::verdict::{Basis, Valid};
use crate::delegation::{ENVELOPE_BYTES_MAX, Kind, Record, Ruling};
use crate::rekey::Rekeying;
use crate::storage::{NewDelegation, PartyState, StorageError, StoredDelegation, Tx};
use crate::vocab::{AccountId, BlockRef, ChainId, Digest, Subject, UnixSeconds};

/// A record of a delegation whose signature holds.
#[derive(Clone, Debug)]
pub struct CheckedDelegation {
    typed: TypedRecord,
    record: Record,
    envelope: (Vec<u8>, Form),
    received_at: UnixSeconds,
    proof: String,
    spoken_by: Option<AccountId>,
    key: Option<(String, UnixSeconds, Option<UnixSeconds>)>,
    answer: Option<(&'static str, BlockRef)>,
}

/// A record of a delegation that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenDelegation {
    /// As it is kept.
    pub stored: StoredDelegation,
    /// Whether it was not held before.
    pub is_new: bool,
}

/// So many records of one kind may one name say about one grant, and so many bytes may their envelopes have together.
const fn size_max(kind: Kind) -> (u64, u64) {
    const KIB: u64 = 1024;
    match kind {
        Kind::Grant => (1_000, u64::MAX),
        Kind::Interaction => (500, 1_024 * KIB),
        Kind::Verdict => (16, 1_024 * KIB),
        Kind::Outcome => (16, 128 * KIB),
        Kind::Acceptance => (8, 128 * KIB),
        // Of capabilities none is about a grant.
        Kind::Capability => (u64::MAX, u64::MAX),
    }
}

impl Records {
    /// Checks an envelope that carries a record of a delegation.
    ///
    /// # Errors
    /// Why it is not taken: the first thing that is wrong, with the field.
    pub async fn check_delegation(&self, raw: Vec<u8>) -> Result<CheckedDelegation, Refused> {
        let malformed =
            |error: &dyn std::fmt::Display| Refused::new(RefusedBecause::Malformed, error);
        let envelope = Envelope::read(raw, ENVELOPE_BYTES_MAX).map_err(|error| match error {
            EnvelopeError::Json(JsonError::TooLong { .. }) => {
                Refused::new(RefusedBecause::TooLarge, error)
            }
            _ => malformed(&error),
        })?;
        // What it claims is read before anything is computed; of a JWT only its signature opens it.
        if let Some(error) = envelope.broken_record() {
            return Err(malformed(&error));
        }
        let claimed = envelope.claimed_record();
        if let Some(typed) = &claimed {
            Record::read(typed)
                .map_err(|error| malformed(&error).of(typed.digest(), &typed.issuer))?;
        }
        let received_at = self.clock.now();
        let verified = self.verified(&envelope, received_at).await;
        let Verified { valid, key } = verified.map_err(|refused| match &claimed {
            Some(typed) => refused.of(typed.digest(), &typed.issuer),
            None => refused,
        })?;
        let Some(typed) = valid.secured.record().cloned() else {
            let why = "what was signed is no record of a delegation: its `schema` is `hallmark/grant/1`, or one of the others of docs/delegation.md";
            return Err(Refused::new(RefusedBecause::Malformed, why));
        };
        let record = Record::read(&typed)
            .map_err(|error| malformed(&error).of(typed.digest(), &typed.issuer))?;
        let proof = valid.proof().to_string();
        let Valid { form, signer, signed_by, right, .. } = *valid;
        let spoken_by = match right.basis {
            Basis::Wallet { .. } => AccountId::parse(&signer, ChainId(0)).ok(),
            Basis::Itself | Basis::ServiceKey | Basis::Document | Basis::Link => None,
        };
        let answer = signed_by.and_then(|by| Some((by.as_str(), by.block()?)));
        let envelope = (envelope.raw().to_vec(), form);
        let key = key.map(|key| (key, right.from, right.to));
        Ok(CheckedDelegation {
            typed,
            record,
            envelope,
            received_at,
            proof,
            spoken_by,
            key,
            answer,
        })
    }

    /// Keeps a record, with whom its names meant and the hops that it changes; one that is held already changes nothing.
    ///
    /// # Errors
    /// When the database fails; then nothing was kept. Inside, why the record is not taken.
    pub async fn keep_delegation(
        &self,
        checked: &CheckedDelegation,
    ) -> Result<Result<TakenDelegation, Refused>, AppError> {
        let during = || "cannot keep a record of a delegation".to_owned();
        let mut tx = self.database.begin_durable().await.during(during)?;
        let kept = self.keep_in(&mut tx, checked).await.during(during)?;
        let outcome = match &kept {
            Ok(taken) if taken.is_new => "new",
            Ok(_) => "held",
            Err(_) => "refused",
        };
        if outcome == "new" {
            tx.commit().await.during(during)?;
        }
        metrics::counter!("hallmark_delegations_total", "outcome" => outcome).increment(1);
        Ok(kept)
    }

    async fn keep_in(
        &self,
        tx: &mut Tx,
        checked: &CheckedDelegation,
    ) -> Result<Result<TakenDelegation, Refused>, StorageError> {
        let (record, digest) = (&checked.record, checked.typed.digest());
        if let Some(stored) = tx.delegations_by_digest(&[digest]).await?.remove(&digest) {
            return Ok(Ok(TakenDelegation { stored, is_new: false }));
        }
        if let Some(refused) = limited(tx, record, checked.envelope.0.len() as u64).await? {
            return Ok(Err(refused.of(digest, record.issuer())));
        }
        let other = named(record);
        let account = checked.spoken_by.map(Subject::Account);
        let names = [Some(record.issuer()), other, account.as_ref()];
        let numbers = tx.number_names(names.into_iter().flatten()).await?;
        let number = |name: Option<&Subject>| name.and_then(|name| numbers.get(name).copied());
        let missing = || StorageError::inconsistent("name", "id", record.issuer());
        let new = NewDelegation {
            digest,
            kind: record.kind(),
            record: checked.typed.canonical(),
            envelope: (&checked.envelope.0, checked.envelope.1),
            of_grant: about(record),
            issuer: number(Some(record.issuer())).ok_or_else(missing)?,
            spoken_by: number(account.as_ref()),
            named: number(other),
            said_at: record.issued_at(),
            received_at: checked.received_at,
            proof: &checked.proof,
            key: checked.key.as_ref().map(|(key, from, to)| (key.as_str(), *from, *to)),
            answer: checked.answer,
            parties: self.parties(tx, record, account.as_ref()).await?,
        };
        tx.keep_delegations(&[new]).await?;
        if let Record::Verdict(verdict) = record
            && verdict.ruling == Ruling::Failed
        {
            tx.open_dispute(digest).await?;
        }
        let touched = hops::touched(tx, digest, record).await?;
        hops::reconsider(tx, &touched).await?;
        let kept = tx.delegations_by_digest(&[digest]).await?.remove(&digest);
        let gone = || StorageError::inconsistent("delegation", "digest", digest);
        Ok(Ok(TakenDelegation { stored: kept.ok_or_else(gone)?, is_new: true }))
    }

    /// Whom the issuer and whom the record names meant when it was said, as far as that can be told now.
    async fn parties(
        &self,
        tx: &mut Tx,
        record: &Record,
        account: Option<&Subject>,
    ) -> Result<[(Rekeying, PartyState); 2], StorageError> {
        let open = (Rekeying::default(), PartyState::Open);
        let Some(followed) = followed(tx).await? else { return Ok([open; 2]) };
        let said_at = record.issued_at();
        let state = state(&tx.tags().await?, said_at);
        if state == PartyState::Open {
            return Ok([open; 2]);
        }
        let other = named(record);
        let names: Vec<_> = [Some(record.issuer()), other, account].into_iter().flatten().collect();
        // A name that no record used before has no number, and no links.
        let numbers = tx.name_numbers(names.iter().copied()).await?;
        let numbered = |name: &&_| numbers.get(*name).copied().unwrap_or(0);
        let names: Vec<_> = names.iter().map(|name| (*name, numbered(name))).collect();
        let reading = Reading { followed, host: self.host.clone(), log_size: None };
        let found: BTreeMap<_, _> = meanings(tx, names, &reading).await?;
        let spoken = account.and_then(|account| found.get(account));
        let author = found.get(record.issuer()).map(|meanings| match spoken {
            Some(account) => meanings.spoken_by(account, said_at),
            None => meanings.at(said_at),
        });
        let other = other.and_then(|name| found.get(name)).map(|meanings| meanings.at(said_at));
        Ok([author, other].map(|found| (found.unwrap_or_default(), state)))
    }
}

/// Whom a record names beside its issuer: the child or the publisher, whom an acceptance calls the parent, of whom a capability is.
fn named(record: &Record) -> Option<&Subject> {
    match record {
        Record::Grant(grant) => grant.child.answerable(),
        Record::Acceptance(acceptance) => Some(&acceptance.parent),
        Record::Capability(capability) => capability.of.answerable(),
        Record::Interaction(_) | Record::Outcome(_) | Record::Verdict(_) => None,
    }
}

/// The grant under which a record is looked up: whose run it is about, and of a grant the one above.
fn about(record: &Record) -> Option<Digest> {
    match record {
        Record::Grant(grant) => grant.under.grant(),
        _ => record.of_grant(),
    }
}

/// Why a record is one too many, or nobody's business of its issuer.
async fn limited(tx: &mut Tx, record: &Record, size: u64) -> Result<Option<Refused>, StorageError> {
    let Some(grant) = about(record) else { return Ok(None) };
    let (kind, issuer) = (record.kind(), record.issuer());
    if let Some(number) = tx.name_numbers([issuer]).await?.get(issuer).copied() {
        let (count_max, bytes_max) = size_max(kind);
        let (count, bytes) = tx.delegation_size_by(grant, kind, number).await?;
        let kind = kind.as_str();
        let why = if count >= count_max {
            Some(format!(
                "{issuer} has said {count_max} records of the kind `{kind}` about the grant {grant} already, which is the most that is kept"
            ))
        } else if bytes.saturating_add(size) > bytes_max {
            Some(format!(
                "the envelopes of the kind `{kind}` by {issuer} about the grant {grant} would have more than {bytes_max} bytes together, which is the most that is kept"
            ))
        } else {
            None
        };
        if let Some(why) = why {
            return Ok(Some(Refused::new(RefusedBecause::Limit("too_many_of_grant"), why)));
        }
    }
    if !matches!(kind, Kind::Acceptance | Kind::Interaction | Kind::Outcome) {
        return Ok(None);
    }
    let held = tx.delegations_by_digest(&[grant]).await?.remove(&grant);
    let Some(Record::Grant(held)) = held.as_ref().map(hops::read).transpose()? else {
        return Ok(None);
    };
    let is_party = held.issuer == *issuer || held.child.agent() == Some(issuer);
    let why = || {
        format!(
            "the grant {grant} is by {} to {}, and {issuer} is neither: it has nothing to say about its run",
            held.issuer, held.child
        )
    };
    Ok((!is_party).then(|| Refused::new(RefusedBecause::Forbidden, why())))
}
