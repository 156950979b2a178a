//! What records are judged by: whom names meant, as far as that can be told now, and what that makes of their issuers.

use std::collections::BTreeMap;

use super::commit::{Named, Numbers};
use super::late::late;
use super::{Accepted, CheckedRecord, Records};
use crate::app::meanings::{Reading, meanings};
use crate::app::rekey::{followed, state};
use crate::attest::class::{Disagreement, IssuerClass, Sender, classify};
use crate::attest::envelope::Form;
use crate::attest::incoming::SentBy;
use crate::did::web::{Local, WebHost};
use crate::rekey::{Meanings, Question, Rekeying, question};
use crate::storage::{PartyState, RecordFinding, RecordSource, StorageError, Tags, Tx};
use crate::vocab::{AgentRef, Digest, RegistryRef, Subject, UnixSeconds};

/// What records are judged by, read in their transaction.
pub(super) struct Ground {
    pub(super) followed: Option<RegistryRef>,
    tags: Tags,
    pub(super) meanings: BTreeMap<Subject, Meanings>,
}

/// A record that is going to be appended.
pub(super) struct Taken<'a> {
    pub(super) record: &'a Named,
    pub(super) class: Option<IssuerClass>,
    pub(super) issuer: (Rekeying, PartyState),
    pub(super) subject: (Rekeying, PartyState),
    pub(super) supersedes: Option<Digest>,
    pub(super) findings: Vec<RecordFinding>,
}

impl Records {
    pub(super) async fn ground(
        &self,
        tx: &mut Tx,
        numbers: &Numbers<'_>,
    ) -> Result<Ground, StorageError> {
        let followed = followed(tx).await?;
        let meanings = match followed {
            Some(followed) => {
                let reading = Reading { followed, host: self.host.clone(), log_size: None };
                meanings(tx, numbers.iter().map(|(name, number)| (*name, *number)), &reading)
                    .await?
            }
            None => BTreeMap::new(),
        };
        Ok(Ground { followed, tags: tx.tags().await?, meanings })
    }
}

impl Ground {
    /// What a name meant when a record was said, as far as that can be told now, and how sure it is.
    pub(super) fn meaning(
        &self,
        name: &Subject,
        checked: &CheckedRecord,
    ) -> (Rekeying, PartyState) {
        let account = checked.spoken_by.map(Subject::Account).filter(|_| *name == checked.issuer());
        let account = account.and_then(|account| self.meanings.get(&account));
        let found = self.meanings.get(name).map(|meanings| match account {
            Some(account) => meanings.spoken_by(account, checked.said_at),
            None => meanings.at(checked.said_at),
        });
        match (found, state(&self.tags, checked.said_at)) {
            // What is found before the time is reached is a guess, and is not kept.
            (None, _) | (Some(_), PartyState::Open) => (Rekeying::default(), PartyState::Open),
            (Some(found), state) => (found, state),
        }
    }

    /// The agent that a name means as of what is known now, settled or not.
    pub(super) fn agent(&self, name: &Subject, checked: &CheckedRecord) -> Option<AgentRef> {
        let registry = self.followed?;
        let found = self.meanings.get(name)?.at(checked.said_at);
        found.outcome.agent().map(|id| AgentRef { registry, id })
    }

    /// Whether a name meant an agent, alone or among others, at a time, as of what is known now.
    pub(super) fn means(&self, name: &Subject, agent: AgentRef, time: UnixSeconds) -> bool {
        self.meanings.get(name).is_some_and(|meanings| meanings.includes(agent.id, time))
    }

    pub(super) fn judge<'a>(&self, record: &'a Named, host: &WebHost) -> Taken<'a> {
        let Named { issuer, checked, .. } = record;
        let attestation = &checked.attestation;
        let sender = match &checked.sent_by {
            SentBy::Origin(_) => Sender::Origin,
            SentBy::Plugin { .. } => Sender::Plugin,
            // This service's own word is as much a platform's as any origin's.
            SentBy::Name(name) if name.to_string() == Local::Service.did(host) => Sender::Origin,
            SentBy::Name(name) => {
                Sender::Other { name: name.clone(), agent: self.agent(name, checked) }
            }
        };
        let is_same = |one: &Subject, other: &Subject| {
            let agent = self.agent(other, checked);
            agent.is_some() && self.followed.is_some_and(|followed| {
                let question = question(one, followed, host);
                matches!(question, Question::Registered(id, _) if agent.is_some_and(|agent| agent.id == id))
            })
        };
        let classed = classify(&sender, attestation.body.issuer_kind, &attestation.issuer, is_same);
        let kind = |disagreement: &Disagreement| match disagreement {
            Disagreement::Class { .. } => "issuer_kind",
            Disagreement::Issuer { .. } => "issuer",
        };
        let finding = |disagreement: &Disagreement| RecordFinding {
            kind: kind(disagreement).to_owned(),
            detail: disagreement.to_string(),
        };
        let unread = attestation.body.issued_at.as_ref().filter(|at| at.time.is_none());
        let unread = unread.map(|at| RecordFinding {
            kind: "issued_at".to_owned(),
            detail: format!(
                "its time `{}` cannot be read, so it counts as said when it was received",
                crate::vocab::shorten(&at.text)
            ),
        });
        Taken {
            record,
            class: classed.class,
            issuer: self.meaning(issuer, checked),
            subject: self.meaning(&attestation.subject, checked),
            supersedes: supersedes(attestation),
            findings: if is_ours(checked) {
                late(self, record).into_iter().collect()
            } else {
                let disagreements = classed.disagreements.iter().map(finding);
                disagreements.chain(unread).chain(late(self, record)).collect()
            },
        }
    }
}

impl Taken<'_> {
    pub(super) fn accepted(&self, seq: u64, is_new: bool) -> Accepted {
        let checked = &self.record.checked;
        let party = |name: &Subject, (rekeying, state)| (name.clone(), rekeying, state);
        Accepted {
            seq,
            digest: checked.attestation.digest(),
            is_new,
            // That somebody is an agent is said once it is known.
            issuer_class: self.class.filter(|class| {
                *class != IssuerClass::Agent || self.issuer.0.outcome.agent().is_some()
            }),
            issuer: party(&self.record.issuer, self.issuer),
            subject: party(&checked.attestation.subject, self.subject),
            said_at: checked.said_at,
            proof: checked.proof.clone(),
            findings: self.findings.clone(),
        }
    }
}

/// Whether it was written here, for issuers of whom their own form does not say what they are: of the chain, and of EAS.
fn is_ours(checked: &CheckedRecord) -> bool {
    let form = checked.envelope.as_ref().map(|(_, form)| *form);
    checked.source == RecordSource::Chain || form == Some(Form::Eas)
}

/// The record that another one says it replaces: by its digest, in `supersedes` of the body or in `digest` of a claim `supersedes`.
fn supersedes(attestation: &crate::attest::Attestation) -> Option<Digest> {
    let of_claim = || {
        let claim = &attestation.body.claim;
        claim.data.get("digest").filter(|_| claim.kind == "supersedes")
    };
    let text = attestation.source().get("supersedes").or_else(of_claim)?.as_str()?;
    text.parse().ok().filter(|digest| *digest != attestation.digest())
}
