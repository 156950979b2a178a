//! What parties are found to mean, written: what it replaces goes into a history, what is final is marked, and what the chain undid is
//! opened again.

use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::parties::{
    FoundRow, Party, PartyPlace, PartyRow, PartyState, parties, party_columns, rekeying_columns,
    role_number,
};
use super::{StorageError, Tx};
use crate::rekey::{Outcome, Rekeying, Role};
use crate::vocab::UnixSeconds;

const PARTY_UPDATE: &str = "
    UPDATE party SET state = c.column5, outcome = c.column6, agent = c.column7, count = c.column8,
        rule = c.column9, span_block = c.column10, span_log = c.column11, link = c.column12
    FROM (VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)) AS c
    WHERE party.name = c.column1 AND party.said_at = c.column2 AND party.seq = c.column3 AND party.role = c.column4";
static PARTIES_UPDATE: Bulk = Bulk::new(PARTY_UPDATE);
const REKEYING_INSERT: &str = "
    INSERT INTO rekeying (seq, role, number, outcome, agent, count, rule, span_block, span_log, link, replaced_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
static REKEYINGS_INSERT: Bulk = Bulk::new(REKEYING_INSERT);
const RUN_UPDATE: &str = "
    UPDATE party SET state = $1, outcome = $2, agent = $3, count = $4, rule = $5, span_block = $6, span_log = $7, link = $8
    WHERE name = $9 AND state = $10 AND (said_at, seq, role) >= ($11, $12, $13) AND (said_at, seq, role) <= ($14, $15, $16)";
static RUN_UPDATED: Bulk = Bulk::new(RUN_UPDATE);
const RUN_KEEP: &str = "
    INSERT INTO rekeying (seq, role, number, outcome, agent, count, rule, span_block, span_log, link, replaced_at)
    SELECT seq, role, $1, outcome, agent, count, rule, span_block, span_log, link, $2 FROM party
    WHERE name = $3 AND state = $4 AND (said_at, seq, role) >= ($5, $6, $7) AND (said_at, seq, role) <= ($8, $9, $10)";
static RUN_KEPT: Bulk = Bulk::new(RUN_KEEP);
const REKEYED_NEXT: &str = "UPDATE record_progress SET rekeyed = rekeyed + 1 RETURNING rekeyed";
const HISTORY: &str = "
    SELECT number, outcome, agent, count, rule, span_block, span_log, link, replaced_at
    FROM rekeying WHERE seq = $1 AND role = $2 ORDER BY number LIMIT $3";
const SETTLING: &str = "
    SELECT name, said_at, seq, role, state, outcome, agent, count, rule, span_block, span_log, link, spoken_by
    FROM party WHERE state = 1 AND state < 2 AND said_at < $1 ORDER BY state, said_at, name, seq, role LIMIT $2";
const PARTY_SETTLE: &str = "
    UPDATE party SET state = 2
    FROM (VALUES ($1, $2, $3, $4)) AS c
    WHERE party.name = c.column1 AND party.said_at = c.column2 AND party.seq = c.column3 AND party.role = c.column4";
static PARTIES_SETTLE: Bulk = Bulk::new(PARTY_SETTLE);
const REOPEN: &str = "
    UPDATE party SET state = 0
    WHERE state = 1 AND state < 2 AND said_at >= COALESCE(
        (SELECT time FROM block WHERE number <= $1 ORDER BY number DESC LIMIT 1), 0)";

/// From so many parties on that lie together and change alike, one statement for all costs less than a part of one for each.
const RUN_MIN: usize = 4;

/// What a party was found to be, and later found not to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// What was found.
    pub rekeying: Rekeying,
    /// When it was replaced.
    pub replaced_at: UnixSeconds,
}

/// A party as it was, what it was found to be, and how sure that is.
pub type PartyChange = (Party, Rekeying, PartyState);

/// Whether anything has to be written.
fn is_change((before, found, state): &PartyChange) -> bool {
    before.found != *found || before.state != *state
}

/// Whether something was known before that is now known to be something else.
fn is_replaced((before, found, _): &PartyChange) -> bool {
    before.found.outcome != Outcome::NotYet && before.found != *found
}

/// Whether two parties of one name were alike, and are again.
fn is_alike(one: &PartyChange, other: &PartyChange) -> bool {
    let of = |(before, found, state): &PartyChange| {
        (before.name, before.state, before.found, *found, *state)
    };
    of(one) == of(other)
}

#[derive(FromRow)]
struct ReplacedRow {
    number: i64,
    #[sqlx(flatten)]
    found: FoundRow,
    replaced_at: i64,
}

impl Tx {
    /// What a party was found to be before, oldest first.
    pub async fn rekeying_history(
        &mut self,
        seq: u64,
        role: Role,
        limit: u32,
    ) -> Result<Vec<Replaced>, StorageError> {
        let seq = signed("record", seq)?;
        let rows: Vec<ReplacedRow> = on_engine!(self, conn => sqlx::query_as(HISTORY)
            .bind(seq).bind(role_number(role)).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter()
            .map(|row| {
                let cell = Cell { table: "rekeying", column: "replaced_at", row: &row.number };
                let rekeying = row.found.read("rekeying", row.number)?;
                Ok(Replaced { rekeying, replaced_at: cell.time(row.replaced_at)? })
            })
            .collect()
    }

    /// Writes what parties were found to be, each with what it was before; what is replaced goes into the history, and what stays as it was
    /// is not touched. Returns how many of them were found to be something else than before.
    ///
    /// Of each name, all parties must be among them that lie between two of them and are in the same state as those: parties that lie
    /// together and change alike are one statement, whatever their number.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] also where one is missing.
    pub async fn write_rekeyings(
        &mut self,
        changes: &[PartyChange],
        now: UnixSeconds,
    ) -> Result<u64, StorageError> {
        let mut sorted: Vec<&PartyChange> = changes.iter().collect();
        sorted
            .sort_unstable_by_key(|(party, ..)| (party.name, party.said_at, party.seq, party.role));
        let (mut single, mut runs) = (Vec::new(), Vec::new());
        for run in sorted.chunk_by(|one, other| is_alike(one, other)) {
            match run {
                [first, ..] if !is_change(first) => {}
                [first, .., last] if run.len() >= RUN_MIN => runs.push((*first, *last, run.len())),
                _ => single.extend_from_slice(run),
            }
        }
        let replaced = sorted.iter().filter(|change| is_replaced(change)).count();
        let number = match replaced {
            0 => 0,
            _ => on_engine!(self, conn => sqlx::query_scalar(REKEYED_NEXT).fetch_one(conn).await)?,
        };
        let now = signed("time", now.get())?;
        for (first, last, length) in runs {
            self.write_run(first, last, length, (number, now)).await?;
        }
        self.write_each(&single, (number, now)).await?;
        let written = sorted.iter().filter(|change| is_change(change));
        self.note_subjects(written.map(|(party, found, _)| (party.role, party.name, *found)))
            .await?;
        Ok(replaced as u64)
    }

    /// Writes parties that lie together and change alike.
    async fn write_run(
        &mut self,
        first: &PartyChange,
        last: &PartyChange,
        length: usize,
        (number, now): (i64, i64),
    ) -> Result<(), StorageError> {
        let (before, found, state) = first;
        let name = signed("name", before.name)?;
        let (from, to) = (PartyPlace::of(before)?.columns(), PartyPlace::of(&last.0)?.columns());
        let wrong = || StorageError::inconsistent("party", "name", before.name);
        let is_whole = |written: u64| usize::try_from(written).is_ok_and(|rows| rows == length);
        if is_replaced(first) {
            let (sql, _) = RUN_KEPT.fitting(self, 1).ok_or_else(wrong)?;
            let kept = on_engine!(self, conn => sqlx::query(sql)
                .bind(number).bind(now).bind(name).bind(before.state.number())
                .bind(from.0).bind(from.1).bind(from.2).bind(to.0).bind(to.1).bind(to.2)
                .execute(conn).await.map(|done| done.rows_affected()))?;
            if !is_whole(kept) {
                return Err(wrong());
            }
        }
        let [outcome, agent, count, rule, span_block, span_log, link] = rekeying_columns(found)?;
        let place = [from.0, from.1, from.2, to.0, to.1, to.2].map(Bound::number);
        let [t, s, r, to_t, to_s, to_r] = place;
        let row = [
            Bound::number(state.number()),
            outcome,
            agent,
            count,
            rule,
            span_block,
            span_log,
            link,
            Bound::number(name),
            Bound::number(before.state.number()),
            t,
            s,
            r,
            to_t,
            to_s,
            to_r,
        ];
        if is_whole(RUN_UPDATED.write(self, std::iter::once(row)).await?) {
            Ok(())
        } else {
            Err(wrong())
        }
    }

    /// Writes parties one by one.
    async fn write_each(
        &mut self,
        changes: &[&PartyChange],
        (number, now): (i64, i64),
    ) -> Result<(), StorageError> {
        let mut undone = Vec::new();
        for (party, ..) in changes.iter().filter(|change| is_replaced(change)) {
            let [outcome, agent, count, by, span_block, span_log, link] =
                rekeying_columns(&party.found)?;
            undone.push([
                Bound::number(signed("record", party.seq)?),
                Bound::number(role_number(party.role)),
                Bound::number(number),
                outcome,
                agent,
                count,
                by,
                span_block,
                span_log,
                link,
                Bound::number(now),
            ]);
        }
        REKEYINGS_INSERT.write(self, undone.into_iter()).await?;
        let mut rows = Vec::with_capacity(changes.len());
        for (party, found, state) in changes {
            let Party { name, said_at, seq, role, .. } = *party;
            rows.push(party_columns(&(name, said_at, seq, role, *found, *state))?);
        }
        if PARTIES_UPDATE.write(self, rows.into_iter()).await? != changes.len() as u64 {
            return Err(StorageError::inconsistent("party", "name", "of several"));
        }
        Ok(())
    }

    /// Whether any party can be marked as looked up for good.
    pub async fn is_settling(&mut self, before: UnixSeconds) -> Result<bool, StorageError> {
        let before = signed("time", before.get())?;
        let found: Option<PartyRow> = on_engine!(self, conn => sqlx::query_as(SETTLING)
            .bind(before).bind(1_i64).fetch_optional(conn).await)?;
        Ok(found.is_some())
    }

    /// Marks parties as looked up for good whose time is before that of the finalized block; at most so many. Returns how many it marked.
    pub async fn settle_parties(
        &mut self,
        before: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StorageError> {
        let before = signed("time", before.get())?;
        let settling: Vec<Party> = parties(on_engine!(self, conn => sqlx::query_as(SETTLING)
            .bind(before).bind(i64::from(limit)).fetch_all(conn).await)?)?;
        let mut rows = Vec::with_capacity(settling.len());
        for party in &settling {
            rows.push([
                Bound::number(signed("name", party.name)?),
                Bound::number(signed("time", party.said_at.get())?),
                Bound::number(signed("record", party.seq)?),
                Bound::number(role_number(party.role)),
            ]);
        }
        PARTIES_SETTLE.write(self, rows.into_iter()).await
    }

    /// Opens what was looked up as of a time that is no longer followed, where the chain goes back to a block. What was found stays until
    /// something else is.
    pub(super) async fn reopen_parties(&mut self, ancestor: i64) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(REOPEN).bind(ancestor).execute(conn).await.map(drop))?;
        Ok(())
    }
}
