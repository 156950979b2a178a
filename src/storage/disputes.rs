//! Verdicts that something failed: on which hops their reports rest, which are to be computed again, and what was published of them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{Digest, UnixSeconds};

const DISPUTE_INSERT: &str = "
    INSERT INTO dispute (verdict, changes) VALUES ($1, 1)
    ON CONFLICT (verdict) DO UPDATE SET changes = dispute.changes + 1";
const DISPUTE: &str = "SELECT changes, report FROM dispute WHERE verdict = $1";
const DUE_DISPUTES: &str = "
    SELECT d.changes, d.verdict FROM dispute d JOIN delegation r ON r.digest = d.verdict
    WHERE d.changes > 0 AND (d.changes, d.verdict) > ($1, $2) AND r.said_at < $3
    ORDER BY d.changes, d.verdict LIMIT $4";
const DISPUTE_DONE: &str = "
    UPDATE dispute SET changes = changes - $3, report = $2 WHERE verdict = $1";
const DISPUTES_OF_HOP: &str = "
    UPDATE dispute SET changes = changes + 1 WHERE verdict IN (SELECT h.verdict FROM dispute_hop h WHERE h.hop = $1)";
const HOP_ADD: &str = "
    INSERT INTO dispute_hop (hop, verdict) VALUES ($1, $2) ON CONFLICT (hop, verdict) DO NOTHING";
const PUBLISHED: &str = "
    SELECT subject, digest FROM dispute_attestation WHERE verdict = $1 ORDER BY verdict, subject";
const PUBLISHED_SET: &str = "
    INSERT INTO dispute_attestation (verdict, subject, digest) VALUES ($1, $2, $3)
    ON CONFLICT (verdict, subject) DO UPDATE SET digest = excluded.digest";
static ALL_PUBLISHED_SET: Bulk = Bulk::new(PUBLISHED_SET);

/// A dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// How often something changed since its report was computed: while it is not 0, it is to be computed again.
    pub changes: u64,
    /// The digest of the report that was published last.
    pub report: Option<Digest>,
}

#[derive(FromRow)]
struct DisputeRow {
    changes: i64,
    report: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct PublishedRow {
    subject: String,
    digest: Vec<u8>,
}

impl Tx {
    /// Notes a verdict, whose report is due.
    pub async fn open_dispute(&mut self, verdict: Digest) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(DISPUTE_INSERT)
            .bind(verdict.as_bytes().as_slice()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// A dispute by the digest of its verdict.
    pub async fn dispute(&mut self, verdict: Digest) -> Result<Option<Dispute>, StorageError> {
        let row: Option<DisputeRow> = on_engine!(self, conn => sqlx::query_as(DISPUTE)
            .bind(verdict.as_bytes().as_slice()).fetch_optional(conn).await)?;
        let Some(row) = row else { return Ok(None) };
        let cell = |column| Cell { table: "dispute", column, row: &verdict };
        let report = row.report.as_deref().map(|bytes| cell("report").hash(bytes).map(Digest));
        let changes = cell("changes").unsigned(row.changes)?;
        Ok(Some(Dispute { changes, report: report.transpose()? }))
    }

    /// Verdicts that were said before a time and whose reports are to be computed again, each with how often something changed; behind one of
    /// them, in the order of both.
    pub async fn due_disputes(
        &mut self,
        before: UnixSeconds,
        after: Option<(u64, Digest)>,
        limit: u32,
    ) -> Result<Vec<(u64, Digest)>, StorageError> {
        let before = signed("time", before.get())?;
        let (changes, verdict) = match after {
            Some((changes, verdict)) => (signed("count", changes)?, verdict.as_bytes().to_vec()),
            None => (0, Vec::new()),
        };
        let rows: Vec<(i64, Vec<u8>)> = on_engine!(self, conn => sqlx::query_as(DUE_DISPUTES)
            .bind(changes).bind(verdict).bind(before).bind(i64::from(limit)).fetch_all(conn).await)?;
        let read = |(changes, verdict): (i64, Vec<u8>)| {
            let cell = Cell { table: "dispute", column: "verdict", row: &changes };
            Ok((cell.unsigned(changes)?, Digest(cell.hash(&verdict)?)))
        };
        rows.into_iter().map(read).collect()
    }

    /// Notes that the report of a verdict was computed after so many changes, which one was published last, and on which hops it rests.
    /// What changed meanwhile is left to be done.
    pub async fn settle_dispute(
        &mut self,
        verdict: Digest,
        changes: u64,
        report: Option<Digest>,
        hops: &BTreeSet<Digest>,
    ) -> Result<(), StorageError> {
        let changes = signed("count", changes)?;
        on_engine!(self, conn => sqlx::query(DISPUTE_DONE)
            .bind(verdict.as_bytes().as_slice())
            .bind(report.map(|digest| digest.as_bytes().to_vec()))
            .bind(changes)
            .execute(conn).await.map(drop))?;
        for hop in hops {
            on_engine!(self, conn => sqlx::query(HOP_ADD)
                .bind(hop.as_bytes().as_slice()).bind(verdict.as_bytes().as_slice())
                .execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Has the reports of all disputes that rest on a hop computed again.
    pub async fn reopen_disputes(&mut self, hop: Digest) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(DISPUTES_OF_HOP)
            .bind(hop.as_bytes().as_slice()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The attestations by which the newest report of a verdict was published, by their subjects.
    pub async fn published_of(
        &mut self,
        verdict: Digest,
    ) -> Result<BTreeMap<String, Digest>, StorageError> {
        let rows: Vec<PublishedRow> = on_engine!(self, conn => sqlx::query_as(PUBLISHED)
            .bind(verdict.as_bytes().as_slice()).fetch_all(conn).await)?;
        let read = |row: PublishedRow| {
            let cell = Cell { table: "dispute_attestation", column: "digest", row: &verdict };
            Ok((row.subject, Digest(cell.hash(&row.digest)?)))
        };
        rows.into_iter().map(read).collect()
    }

    /// Notes by which attestations a report was published.
    pub async fn set_published(
        &mut self,
        verdict: Digest,
        attestations: &BTreeMap<String, Digest>,
    ) -> Result<(), StorageError> {
        let row = |(subject, digest): (&String, &Digest)| {
            [
                Bound::bytes(verdict.as_bytes().to_vec()),
                Bound::text(subject.clone()),
                Bound::bytes(digest.as_bytes().to_vec()),
            ]
        };
        let rows: Vec<_> = attestations.iter().map(row).collect();
        ALL_PUBLISHED_SET.write(self, rows.into_iter()).await.map(drop)
    }
}
