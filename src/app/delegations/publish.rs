//! Reports said by the service itself: an attestation about each agent that carries a part of a failure.
//!
//! A verdict that comes, and whatever changes a hop on which its report rests, makes the report due; it is computed again, and said again
//! only where it, or the standing of its trace, is another one. It is said once all that it rests on was said before the safe block, so that no passing branch of the
//! chain is signed. What is said anew replaces what was said before, agent by agent; who no longer carries anything hears
//! that too. Dying between two reports loses nothing and says nothing twice: that it was said is noted in the transaction that says it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::said::{SaidLast, said_last};
use super::way::hops_above;
use super::{Attribution, AttributionError};
use crate::app::error::During;
use crate::app::rekey::followed;
use crate::app::{AppError, CheckedRecord, Records};
use crate::attest::attestation::{Context, SCHEMA};
use crate::attest::incoming::SentBy;
use crate::attest::{Attestation, IssuerClass};
use crate::did::web::Local;
use crate::storage::{Dispute, RecordSource, StorageError, Tx};
use crate::tfd::{FailureReport, PlayerReport};
use crate::vocab::{Digest, Subject, UnixSeconds};

/// The kind of claim.
pub(super) const CLAIM: &str = "tfd.attribution.v1";
/// So many disputes are looked up at a time.
const PAGE: u32 = 100;
/// How long to wait where nothing is due.
const PAUSE: Duration = Duration::from_secs(1);

/// Says what reports come to.
#[derive(Clone)]
pub struct DisputeKeeper {
    records: Records,
}

/// What one turn said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Reports that were computed.
    pub computed: u64,
    /// Attestations that were said of them.
    pub attestations: u64,
}

impl DisputeKeeper {
    /// Into the log of these, by their keys.
    #[must_use]
    pub const fn new(records: Records) -> Self {
        Self { records }
    }

    /// Turn after turn, for ever. Trouble with the database is logged, and waited out.
    pub async fn keep(&self) {
        loop {
            let pause = match self.turn().await {
                Ok(Published { computed: 0, .. }) => PAUSE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "reports of disputes are published later");
                    PAUSE * 10
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Computes the reports that are due, and says those that are new. A service without a key says nothing, and what is due stays due.
    ///
    /// # Errors
    /// When the database fails; reports that were said until then are said.
    pub async fn turn(&self) -> Result<Published, AppError> {
        let during = || "cannot publish the report of a dispute".to_owned();
        let mut published = Published::default();
        if self.records.keys.held().signer(self.records.clock.now()).is_none() {
            return Ok(published);
        }
        let mut after = None;
        loop {
            let mut tx = self.records.database.begin_read().await.during(during)?;
            let safe = safe(&mut tx).await.during(during)?;
            let due = tx.due_disputes(safe, after, PAGE).await.during(during)?;
            drop(tx);
            // All of them, so that those which have to wait stand in nobody's way.
            let Some(last) = due.last() else { break };
            after = Some(*last);
            for (_, verdict) in due {
                if let Some(attestations) = self.publish(verdict, safe).await? {
                    published.attestations += attestations;
                    published.computed += 1;
                }
            }
        }
        Ok(published)
    }

    /// Computes one report, and says it where it is new. Returns how many attestations that took; `None` where it is too early.
    async fn publish(&self, verdict: Digest, safe: UnixSeconds) -> Result<Option<u64>, AppError> {
        let during = || format!("cannot publish the report of the dispute {verdict}");
        let mut tx = self.records.database.begin_read().await.during(during)?;
        let Some(dispute) = tx.dispute(verdict).await.during(during)? else { return Ok(None) };
        drop(tx);
        let found = match self.records.attribution(verdict).await {
            Ok(found) => found,
            Err(AttributionError::Gather(super::GatherError::Storage(source))) => {
                return Err(AppError::Storage { during: during(), source });
            }
            Err(error) => {
                tracing::warn!(%error, %verdict, "a dispute has no report now; what was said of it stands");
                return self.pass_over(verdict, dispute).await;
            }
        };
        if found.said_until >= safe {
            return Ok(None);
        }
        let confirmed = Some(&found).filter(|found| found.hypothetical.is_none());
        let now = SaidLast {
            report: confirmed.map(|found| found.canonical.1),
            trace: confirmed.map(|found| found.trace.standing.as_str().to_owned()),
        };
        let report = now.report;
        let hops = found.hops.clone();
        let mut tx = self.records.database.begin_durable().await.during(during)?;
        // Somebody else may have said it meanwhile, or something changed: then the next turn looks again.
        if tx.dispute(verdict).await.during(during)? != Some(dispute) {
            return Ok(None);
        }
        let mut said = 0;
        if now != said_last(&mut tx, verdict).await.during(during)? {
            let before = tx.published_of(verdict).await.during(during)?;
            let records = self.attestations(verdict, confirmed, &before);
            let digests: BTreeMap<String, Digest> = records
                .iter()
                .map(|record| (record.attestation.subject.to_string(), record.attestation.digest()))
                .collect();
            said = digests.len() as u64;
            self.records.commit_in(&mut tx, records).await.during(during)?;
            tx.set_published(verdict, &digests).await.during(during)?;
        }
        tx.settle_dispute(verdict, dispute.changes, report, &hops).await.during(during)?;
        tx.commit().await.during(during)?;
        Ok(Some(said))
    }

    /// Leaves a dispute as it is until one of its hops changes: that a report cannot be computed takes none back.
    async fn pass_over(&self, verdict: Digest, dispute: Dispute) -> Result<Option<u64>, AppError> {
        let during = || format!("cannot pass over the dispute {verdict}");
        let mut tx = self.records.database.begin_write().await.during(during)?;
        let judged = tx.delegations_by_digest(&[verdict]).await.during(during)?.remove(&verdict);
        let grant = judged.and_then(|judged| judged.of_grant);
        if tx.dispute(verdict).await.during(during)? != Some(dispute) {
            return Ok(None);
        }
        let hops = match grant {
            Some(grant) => hops_above(&mut tx, grant).await,
            None => Ok(BTreeSet::new()),
        };
        let hops = hops.during(during)?;
        tx.settle_dispute(verdict, dispute.changes, dispute.report, &hops).await.during(during)?;
        tx.commit().await.during(during)?;
        Ok(Some(0))
    }

    /// What is said of everybody concerned now, or before.
    fn attestations(
        &self,
        verdict: Digest,
        found: Option<&Attribution>,
        before: &BTreeMap<String, Digest>,
    ) -> Vec<CheckedRecord> {
        let shares = found.map(shares).unwrap_or_default();
        let names: BTreeSet<&String> = shares.keys().chain(before.keys()).collect();
        let now = self.records.clock.now();
        let record = |name: &String| {
            let data = data(verdict, found, shares.get(name).map_or(&[][..], Vec::as_slice));
            let body = self.body(verdict, name, &data, before.get(name).copied(), now);
            let attestation = Attestation::new(body, Context::default());
            let attestation = attestation.inspect_err(
                |error| tracing::error!(%error, name, "a report makes no attestation"),
            );
            Some(self.records.issue(checked(attestation.ok()?, now)))
        };
        names.into_iter().filter_map(record).collect()
    }

    fn body(
        &self,
        verdict: Digest,
        name: &str,
        data: &Value,
        before: Option<Digest>,
        now: UnixSeconds,
    ) -> Value {
        let report = data.get("report").cloned().unwrap_or_default();
        let refer =
            |kind: &str, id: &Value| json!({ "kind": kind, "id": id, "visibility": "public" });
        let mut evidence = vec![refer("hallmark.verdict", &json!(verdict))];
        if !report.is_null() {
            evidence.push(refer("tfd.report", &report));
        }
        // The same may be said once more after something else was: what it replaces tells them apart.
        let replaced = before.map(|before| before.to_string()).unwrap_or_default();
        let id = Digest::of(format!("{verdict}\n{report}\n{name}\n{replaced}").as_bytes());
        let mut body = json!({
            "schemaVersion": SCHEMA,
            "id": format!("{CLAIM}:{id}"),
            "issuer": Local::Service.did(&self.records.host),
            "issuerKind": IssuerClass::System.as_str(),
            "subject": name,
            "claim": { "type": CLAIM, "data": data },
            "issuedAt": now.to_text().as_str(),
            "evidenceRefs": evidence,
        });
        if let (Some(before), Some(object)) = (before, body.as_object_mut()) {
            object.insert("supersedes".to_owned(), json!(before));
        }
        body
    }
}

/// What was said before this time is settled enough to sign about: by the safe block; all of it, where no chain is followed.
async fn safe(tx: &mut Tx) -> Result<UnixSeconds, StorageError> {
    if followed(tx).await?.is_none() {
        return Ok(UnixSeconds::MAX);
    }
    let tags = tx.tags().await?;
    Ok(tags.safe.or(tags.finalized).map_or(UnixSeconds::EPOCH, |safe| safe.time))
}

/// An attestation of this service's own, before it is signed.
fn checked(attestation: Attestation, now: UnixSeconds) -> CheckedRecord {
    let issuer = attestation.issuer.clone();
    CheckedRecord {
        attestation,
        envelope: None,
        source: RecordSource::Issued,
        place: None,
        sent_by: SentBy::Name(issuer),
        said_at: now,
        is_dated: true,
        received_at: now,
        proof: None,
        spoken_by: None,
    }
}

/// What each of those concerned carries, buyer by buyer. Everybody who may have been a cause is concerned.
fn shares(found: &Attribution) -> BTreeMap<String, Vec<Value>> {
    let mut shares: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for failure in &found.report.failures {
        for player in failure.players.iter().filter(|player| player.weight_ppb.get() > 0) {
            let named = player.agents.iter().filter(|name| name.parse::<Subject>().is_ok());
            for name in named {
                shares.entry(name.clone()).or_default().push(share(failure, player));
            }
        }
    }
    shares
}

fn share(failure: &FailureReport, player: &PlayerReport) -> Value {
    json!({
        "buyer": failure.buyer,
        "player": player.player,
        "weight_ppb": player.weight_ppb,
        "shapley_ppb": player.shapley_ppb,
        "pass_up_ppb": player.pass_up_ppb,
        "normalised_ppb": player.normalised_ppb,
        "amount": player.amount,
        "unit": failure.loss.as_ref().map(|loss| &loss.unit),
    })
}

/// The data of a claim: which report, and what it comes to for this one, buyer by buyer; without a report, that there is none any more.
///
/// The largest of its shares stands beside them, for those who read one figure only.
fn data(verdict: Digest, found: Option<&Attribution>, shares: &[Value]) -> Value {
    let report = found.map(|found| &found.report);
    let weight = |share: &&Value| share.get("weight_ppb").and_then(Value::as_u64);
    let largest = shares.iter().max_by_key(weight);
    let of_largest = |name: &str| largest.and_then(|share| share.get(name)).cloned();
    json!({
        "dispute": verdict,
        "status": if found.is_some() { "confirmed" } else { "withdrawn" },
        "profile": report.map(|report| report.profile),
        "report": found.map(|found| found.canonical.1),
        "case": report.map(|report| report.case_digest),
        "trace": found.map(|found| found.trace.standing.as_str()),
        "effective_at": report.and_then(|report| report.effective_at),
        "frozen_at": report.and_then(|report| report.frozen_at),
        "weight_ppb": of_largest("weight_ppb"),
        "share_ppb": of_largest("shapley_ppb"),
        "amount": of_largest("amount"),
        "unit": of_largest("unit"),
        "shares": shares,
    })
}
