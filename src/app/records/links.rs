//! Names that are linked by what is said of them in the log itself.
//!
//! A claim `identity.link` says that its subject and what its `target` names are the same actor. An origin's word is enough for the ids that
//! it gave: it knows who logged in. Otherwise both sides have to say so: a DID of an agent or account, and that agent or account of the DID,
//! each signed. A link holds from the later of the two times on; what its name said since then is looked up again.

use super::Records;
use super::commit::{Named, Outcome};
use crate::attest::Attestation;
use crate::attest::incoming::SentBy;
use crate::storage::{LinkBasis, NameLink, StorageError, Tx};
use crate::vocab::{Naming, Subject, UnixSeconds};

/// The kind of claim.
pub(super) const CLAIM: &str = "identity.link";

impl Records {
    /// Adds the links that new records make. The first of them stands at `first`.
    pub(super) async fn link(
        &self,
        tx: &mut Tx,
        batch: &[Named],
        outcomes: &[Outcome],
        first: u64,
    ) -> Result<(), StorageError> {
        for (record, outcome) in batch.iter().zip(outcomes) {
            let Outcome::Taken(index) = outcome else { continue };
            if record.checked.attestation.body.claim.kind != CLAIM {
                continue;
            }
            let seq = first + *index as u64;
            match &record.checked.sent_by {
                SentBy::Origin(_) => by_origin(tx, record, seq).await?,
                SentBy::Name(_) => mutual(tx, record, seq).await?,
                SentBy::Plugin { .. } => {}
            }
        }
        Ok(())
    }
}

/// What a claim says that its subject is: an agent or an account.
fn target(attestation: &Attestation) -> Option<Subject> {
    let text = attestation.body.claim.data.get("target")?.as_str()?;
    let naming = Naming { origin: None, chain: attestation.context.chain };
    let target = Subject::parse(text, naming).ok()?;
    matches!(target, Subject::Agent(_) | Subject::Account(_)).then_some(target)
}

async fn by_origin(tx: &mut Tx, record: &Named, seq: u64) -> Result<(), StorageError> {
    let attestation = &record.checked.attestation;
    let (subject, of) = (&attestation.subject, attestation.context.origin.as_ref());
    let is_own = matches!(subject, Subject::Platform { origin, .. } if Some(origin) == of);
    let Some(target) = target(attestation).filter(|_| is_own) else { return Ok(()) };
    add(tx, subject, target, record.checked.said_at, LinkBasis::Origin, seq, None).await
}

async fn mutual(tx: &mut Tx, record: &Named, seq: u64) -> Result<(), StorageError> {
    let (issuer, said_at) = (&record.issuer, record.checked.said_at);
    let subject = &record.checked.attestation.subject;
    let (name, target) = match (issuer, subject) {
        (Subject::Did(_), Subject::Agent(_) | Subject::Account(_)) => (issuer, subject),
        (Subject::Agent(_) | Subject::Account(_), Subject::Did(_)) => (subject, issuer),
        _ => return Ok(()),
    };
    let numbers = tx.name_numbers([issuer, subject]).await?;
    let (Some(issuer), Some(subject)) = (numbers.get(issuer), numbers.get(subject)) else {
        return Ok(());
    };
    // The other side's record has the two the other way round.
    let Some(other) = tx.linking_record(*subject, *issuer).await? else { return Ok(()) };
    let from = said_at.max(other.said_at);
    add(tx, name, target.clone(), from, LinkBasis::Mutual, seq, Some(other.seq)).await
}

async fn add(
    tx: &mut Tx,
    name: &Subject,
    target: Subject,
    from: UnixSeconds,
    basis: LinkBasis,
    seq: u64,
    other_seq: Option<u64>,
) -> Result<(), StorageError> {
    let Some(number) = tx.name_numbers([name]).await?.get(name).copied() else { return Ok(()) };
    let links = tx.name_links(&[number]).await?;
    // Said again, a link is the same.
    if links.iter().any(|link| link.target == target && link.from <= from && link.to.is_none()) {
        return Ok(());
    }
    let link = NameLink {
        number: 0,
        name: number,
        target,
        from,
        to: None,
        basis,
        seq: Some(seq),
        other_seq,
    };
    tx.add_link(&link).await.map(drop)
}
