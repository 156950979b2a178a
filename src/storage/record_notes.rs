//! What stands beside the log: findings on records, what was refused, how much was said in a round, which keys were seen when, and how
//! far other logs were read.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{Digest, OriginName, Position, UnixSeconds};

const FINDING_INSERT: &str =
    "INSERT INTO attestation_finding (seq, number, kind, detail) VALUES ($1, $2, $3, $4)";
static FINDINGS_INSERT: Bulk = Bulk::new(FINDING_INSERT);
const FINDINGS: &str =
    "SELECT kind, detail FROM attestation_finding WHERE seq = $1 ORDER BY number LIMIT $2";
const REFUSED_LAST: &str = "SELECT COALESCE(MAX(number), 0) FROM refused_record";
const REFUSED_INSERT: &str = "
    INSERT INTO refused_record (number, received_at, reason, detail, issuer, digest)
    VALUES ($1, $2, $3, $4, $5, $6)";
const REFUSED_FORGET: &str = "DELETE FROM refused_record WHERE number <= $1";
const REFUSED_NEWEST: &str = "
    SELECT number, received_at, reason, detail, issuer, digest
    FROM refused_record WHERE number < $1 ORDER BY number DESC LIMIT $2";
const QUOTA: &str = "SELECT key, count FROM round_quota WHERE key IN ($1)";
static QUOTAS: Bulk = Bulk::new(QUOTA);
const QUOTA_ADD: &str = "
    INSERT INTO round_quota (key, count) VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET count = excluded.count";
static QUOTAS_ADD: Bulk = Bulk::new(QUOTA_ADD);
const SIGHTING: &str = "SELECT first_seen FROM key_sighting WHERE hash = $1";
const SIGHTING_INSERT: &str = "
    INSERT INTO key_sighting (hash, first_seen) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING";
const CHAIN_TAKEN: &str = "SELECT chain_block, chain_log FROM record_progress";
const CHAIN_TAKEN_SET: &str = "UPDATE record_progress SET chain_block = $1, chain_log = $2";
const RELAY: &str =
    "SELECT next_index, is_finished FROM relay_progress WHERE origin = $1 AND game = $2";
const RELAY_SET: &str = "
    INSERT INTO relay_progress (origin, game, next_index, is_finished) VALUES ($1, $2, $3, $4)
    ON CONFLICT (origin, game) DO UPDATE
    SET next_index = excluded.next_index, is_finished = excluded.is_finished";

/// So many of what was refused are kept.
const REFUSED_KEPT: i64 = 1_000;
/// The longest detail, in characters.
const DETAIL_MAX: usize = 500;

/// Something worth showing of a record that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFinding {
    /// The word for its kind.
    pub kind: String,
    /// What was seen, in words for people.
    pub detail: String,
}

/// A record that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Its number.
    pub number: u64,
    /// When it came.
    pub received_at: UnixSeconds,
    /// The word for the reason.
    pub reason: String,
    /// The reason, in words for people.
    pub detail: String,
    /// Who signed or sent it, where that is known.
    pub issuer: Option<String>,
    /// Its digest, where it is a record.
    pub digest: Option<Digest>,
}

#[derive(FromRow)]
struct FindingRow {
    kind: String,
    detail: String,
}

#[derive(FromRow)]
struct RefusedRow {
    number: i64,
    received_at: i64,
    reason: String,
    detail: String,
    issuer: Option<String>,
    digest: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct QuotaRow {
    key: Vec<u8>,
    count: i64,
}

#[derive(FromRow)]
struct TakenRow {
    chain_block: i64,
    chain_log: i64,
}

#[derive(FromRow)]
struct RelayRow {
    next_index: i64,
    is_finished: i64,
}

impl TryFrom<RefusedRow> for RefusedRecord {
    type Error = StorageError;

    fn try_from(row: RefusedRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "refused_record", column, row: &row.number };
        let digest = row.digest.as_deref().map(|bytes| cell("digest").hash(bytes).map(Digest));
        Ok(Self {
            number: cell("number").unsigned(row.number)?,
            received_at: cell("received_at").time(row.received_at)?,
            digest: digest.transpose()?,
            reason: row.reason,
            detail: row.detail,
            issuer: row.issuer,
        })
    }
}

/// Words of strangers as they are kept: short, and without what terminals and PostgreSQL refuse.
fn kept(text: &str) -> String {
    text.chars().take(DETAIL_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Tx {
    /// Notes what was seen of records when they were appended.
    pub async fn note_record_findings(
        &mut self,
        findings: &[(u64, Vec<RecordFinding>)],
    ) -> Result<(), StorageError> {
        let mut rows = Vec::new();
        for (seq, of_record) in findings {
            let seq = signed("record", *seq)?;
            for (number, finding) in (1..).zip(of_record) {
                rows.push([
                    Bound::number(seq),
                    Bound::number(number),
                    Bound::text(finding.kind.as_str()),
                    Bound::text(kept(&finding.detail)),
                ]);
            }
        }
        FINDINGS_INSERT.write(self, rows.into_iter()).await.map(drop)
    }

    /// What was seen of a record.
    pub async fn record_findings(
        &mut self,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<RecordFinding>, StorageError> {
        let seq = signed("record", seq)?;
        let rows: Vec<FindingRow> = on_engine!(self, conn => sqlx::query_as(FINDINGS)
            .bind(seq).bind(i64::from(limit)).fetch_all(conn).await)?;
        let read = |row: FindingRow| RecordFinding { kind: row.kind, detail: row.detail };
        Ok(rows.into_iter().map(read).collect())
    }

    /// Notes what was refused; the oldest is forgotten beyond a thousand. Numbers that are given are not looked at.
    pub async fn note_refused(&mut self, refused: &[RefusedRecord]) -> Result<(), StorageError> {
        let last: i64 =
            on_engine!(self, conn => sqlx::query_scalar(REFUSED_LAST).fetch_one(conn).await)?;
        let mut number = last;
        for record in refused {
            number += 1;
            let received = signed("time", record.received_at.get())?;
            on_engine!(self, conn => sqlx::query(REFUSED_INSERT)
                .bind(number)
                .bind(received)
                .bind(record.reason.as_str())
                .bind(kept(&record.detail))
                .bind(record.issuer.as_deref().map(kept))
                .bind(record.digest.map(|digest| digest.as_bytes().to_vec()))
                .execute(conn).await.map(drop))?;
        }
        on_engine!(self, conn => sqlx::query(REFUSED_FORGET)
            .bind(number - REFUSED_KEPT).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// What was refused, newest first, before a number.
    pub async fn refused(
        &mut self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<RefusedRecord>, StorageError> {
        let before = before.map_or(Ok(i64::MAX), |number| signed("refusal", number))?;
        let rows: Vec<RefusedRow> = on_engine!(self, conn => sqlx::query_as(REFUSED_NEWEST)
            .bind(before).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(RefusedRecord::try_from).collect()
    }

    /// How much was said under some keys of a round; nothing where a key is not among them.
    pub async fn round_counts(
        &mut self,
        keys: &[Digest],
    ) -> Result<BTreeMap<Digest, u64>, StorageError> {
        let keys = keys.iter().map(|key| [Bound::bytes(key.as_bytes().as_slice())]);
        let rows: Vec<QuotaRow> = QUOTAS.select(self, &[], keys).await?;
        let read = |row: QuotaRow| {
            let cell = |column| Cell { table: "round_quota", column, row: &row.count };
            Ok((Digest(cell("key").hash(&row.key)?), cell("count").unsigned(row.count)?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Sets how much was said under keys of a round.
    pub async fn set_round_counts(
        &mut self,
        counts: &BTreeMap<Digest, u64>,
    ) -> Result<(), StorageError> {
        let mut rows = Vec::with_capacity(counts.len());
        for (key, count) in counts {
            rows.push([
                Bound::bytes(key.as_bytes().to_vec()),
                Bound::number(signed("count", *count)?),
            ]);
        }
        QUOTAS_ADD.write(self, rows.into_iter()).await.map(drop)
    }

    /// When a key was first seen, by a digest of its name and itself.
    pub async fn key_sighting(&mut self, key: Digest) -> Result<Option<UnixSeconds>, StorageError> {
        let found: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(SIGHTING)
            .bind(key.as_bytes().as_slice()).fetch_optional(conn).await)?;
        let cell = Cell { table: "key_sighting", column: "first_seen", row: &key };
        found.map(|seconds| cell.time(seconds)).transpose()
    }

    /// Notes when a key was seen; the first time stays.
    pub async fn note_key_sighting(
        &mut self,
        key: Digest,
        seen: UnixSeconds,
    ) -> Result<(), StorageError> {
        let seen = signed("time", seen.get())?;
        on_engine!(self, conn => sqlx::query(SIGHTING_INSERT)
            .bind(key.as_bytes().as_slice()).bind(seen).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The last event of the chain that was taken into the log.
    pub async fn chain_taken(&mut self) -> Result<Option<Position>, StorageError> {
        let row: TakenRow =
            on_engine!(self, conn => sqlx::query_as(CHAIN_TAKEN).fetch_one(conn).await)?;
        if row.chain_block < 0 {
            return Ok(None);
        }
        let cell = Cell { table: "record_progress", column: "chain_block", row: &row.chain_block };
        cell.position(row.chain_block, row.chain_log).map(Some)
    }

    /// Notes the last event of the chain that was taken into the log.
    pub async fn set_chain_taken(&mut self, at: Position) -> Result<(), StorageError> {
        let block = signed("block number", at.block_number)?;
        on_engine!(self, conn => sqlx::query(CHAIN_TAKEN_SET)
            .bind(block).bind(i64::from(at.log_index)).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The index from which a game is to be read on, and whether it is over.
    pub async fn relay_progress(
        &mut self,
        origin: &OriginName,
        game: &str,
    ) -> Result<(u64, bool), StorageError> {
        let row: Option<RelayRow> = on_engine!(self, conn => sqlx::query_as(RELAY)
            .bind(origin.as_str()).bind(game).fetch_optional(conn).await)?;
        let Some(row) = row else { return Ok((0, false)) };
        let cell = Cell { table: "relay_progress", column: "next_index", row: &game };
        Ok((cell.unsigned(row.next_index)?, row.is_finished != 0))
    }

    /// Notes from where a game is to be read on, and whether it is over.
    pub async fn set_relay_progress(
        &mut self,
        origin: &OriginName,
        game: &str,
        next_index: u64,
        is_finished: bool,
    ) -> Result<(), StorageError> {
        let next = signed("relay index", next_index)?;
        on_engine!(self, conn => sqlx::query(RELAY_SET)
            .bind(origin.as_str()).bind(game).bind(next).bind(i64::from(is_finished))
            .execute(conn).await.map(drop))?;
        Ok(())
    }
}
