//! Which of some records the limits of the field refuse, and which are by somebody close to whom they are about.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::Records;
use super::commit::Named;
use super::ground::Ground;
use super::held::Held;
use super::refused::Refused;
use super::ties::{Ties, ties_at, ties_of};
use crate::attest::class::IssuerClass;
use crate::attest::incoming::SentBy;
use crate::attest::kinship::{IssuerFacts, Kinship, SubjectFacts, Tie, kinship};
use crate::attest::limits::Limit;
use crate::storage::{RecordFinding, RecordSource, StorageError, Tx};
use crate::vocab::{AccountId, AgentId, AgentRef, ChainId, Digest, Subject};

/// The agents that issuer and subject of a record mean, and what accounts had to do with each when it was said.
struct Close {
    own: Option<AgentRef>,
    issuer: Vec<(AccountId, Tie)>,
    agent: Option<AgentRef>,
    subject: Vec<(AccountId, Tie)>,
}

impl Close {
    /// The issuer's agent, where one account owned both.
    fn siblings(&self) -> &[AgentRef] {
        let owner =
            |ties: &[(AccountId, Tie)]| ties.iter().find(|(_, tie)| *tie == Tie::Owner).copied();
        let is_shared = owner(&self.issuer).is_some_and(|own| owner(&self.subject) == Some(own));
        if is_shared { self.own.as_slice() } else { &[] }
    }
}

/// What became of the records that limits hold for, by their place in the batch.
pub(super) type Limited = BTreeMap<usize, Result<Vec<RecordFinding>, Refused>>;

impl Records {
    pub(super) async fn limit(
        &self,
        tx: &mut Tx,
        batch: &[Named],
        held: &Held,
        ground: &Ground,
    ) -> Result<Limited, StorageError> {
        let limited = |(index, record): &(usize, &Named)| {
            let is_free =
                matches!(record.checked.source, RecordSource::Chain | RecordSource::Issued)
                    || !matches!(record.checked.sent_by, SentBy::Name(_));
            !is_free && held.of(*index).is_none()
        };
        let limited: Vec<_> = batch.iter().enumerate().filter(limited).collect();
        let keys: Vec<_> = limited.iter().map(|(_, record)| round_key(record, ground)).collect();
        let distinct: Vec<_> = keys.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut counts = tx.round_counts(&distinct).await?;
        let mut ties: BTreeMap<AgentId, Ties> = BTreeMap::new();
        let mut found = Limited::new();
        let mut seen = BTreeSet::new();
        for ((index, record), key) in limited.into_iter().zip(keys) {
            let digest = record.checked.attestation.digest();
            // The second of two that are the same is not one more.
            if !seen.insert((digest, held.numbers(index).0)) {
                continue;
            }
            let agent = ground.agent(&record.checked.attestation.subject, &record.checked);
            let own = ground.agent(&record.issuer, &record.checked);
            for agent in agent.into_iter().chain(own) {
                if let Entry::Vacant(place) = ties.entry(agent.id) {
                    place.insert(ties_of(tx, agent).await?);
                }
            }
            let said_at = record.checked.said_at;
            let of = |agent: Option<AgentRef>| {
                let ties = agent.and_then(|agent| ties.get(&agent.id));
                ties.map_or_else(Vec::new, |ties| ties_at(ties, said_at).collect())
            };
            let close = Close { agent, own, subject: of(agent), issuer: of(own) };
            let count = counts.entry(key).or_default();
            let judged = self.judge_limits(record, &close, *count);
            if judged.is_ok() {
                *count += 1;
            }
            found.insert(index, judged);
        }
        tx.set_round_counts(&counts).await?;
        Ok(found)
    }

    fn judge_limits(
        &self,
        record: &Named,
        parties: &Close,
        held: u64,
    ) -> Result<Vec<RecordFinding>, Refused> {
        let Named { issuer, checked, .. } = record;
        let body = &checked.attestation.body;
        let limits = self.origins.limits(checked.attestation.context.origin.as_ref());
        let class = parties.own.map(|_| IssuerClass::Agent);
        let refused =
            |limit: Limit| Refused::limit(&limit).of(checked.attestation.digest(), issuer);
        let accounts = accounts_of(issuer, record);
        let close = kinship(
            &IssuerFacts { name: issuer, agents: parties.own.as_slice(), accounts: &accounts },
            &SubjectFacts {
                name: &checked.attestation.subject,
                agent: parties.agent,
                accounts: &parties.subject,
                siblings: parties.siblings(),
            },
        )
        .map_err(refused)?;
        limits.check_note(class, body.note.as_deref()).map_err(refused)?;
        let held = u32::try_from(held).unwrap_or(u32::MAX);
        limits.check_round(class, body.round, held).map_err(refused)?;
        let finding = |kinship: &Kinship| RecordFinding {
            kind: "kinship".to_owned(),
            detail: kinship.to_string(),
        };
        Ok(close.iter().map(finding).collect())
    }
}

/// The accounts by which an issuer acts: its own, and the one that signed.
fn accounts_of(issuer: &Subject, record: &Named) -> Vec<AccountId> {
    let own = match issuer {
        Subject::Account(account) => Some(*account),
        Subject::Agent(_) | Subject::Did(_) | Subject::Platform { .. } => None,
    };
    let signer = record.checked.proof.as_deref().and_then(|proof| {
        let proof: serde_json::Value = serde_json::from_str(proof).ok()?;
        AccountId::parse(proof.get("signer")?.as_str()?, ChainId(0)).ok()
    });
    let mut accounts: Vec<_> = own.into_iter().chain(signer).collect();
    accounts.sort_unstable();
    accounts.dedup();
    accounts
}

/// What counts together: what one agent, or one name that is none, says of one subject in one round of one game.
fn round_key(record: &Named, ground: &Ground) -> Digest {
    let checked = &record.checked;
    let who = |name: &Subject| {
        let agent = ground.agent(name, checked).map(|agent| agent.to_string());
        agent.unwrap_or_else(|| name.to_string())
    };
    let context = &checked.attestation.context;
    let parts = serde_json::json!([
        context.origin,
        context.game,
        checked.attestation.body.round,
        who(&record.issuer),
        who(&checked.attestation.subject),
    ]);
    Digest::of(parts.to_string().as_bytes())
}
