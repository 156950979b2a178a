//! From an agent to the records about it: the names that meant it, records by their places, and how much it said itself.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use super::attestations::{RecordRow, StoredRecord, select_records};
use super::bulk::{Bound, Bulk, list_of};
use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::parties::role_number;
use super::{StorageError, Tx};
use crate::rekey::{Rekeying, Role};
use crate::vocab::{AgentId, Digest};

const NAMES_OF: &str = "SELECT name FROM subject_name WHERE agent = $1 ORDER BY agent, name";
const NAME_NOTE: &str = "
    INSERT INTO subject_name (agent, name) VALUES ($1, $2) ON CONFLICT (agent, name) DO NOTHING";
static NAMES_NOTE: Bulk = Bulk::new(NAME_NOTE);
const GIVEN: &str = "
    SELECT COUNT(*) FROM (SELECT 1 FROM party WHERE agent = $1 AND role = $2 AND seq <= $3 LIMIT $4) AS counted";
const RECORDS_AT: &str = select_records!("WHERE a.seq IN ($1)");
static MANY_RECORDS_AT: Bulk = Bulk::new(RECORDS_AT);
const SUPERSEDING_ANY: &str = select_records!("WHERE a.supersedes IN ($1)");
static MANY_SUPERSEDING: Bulk = Bulk::new(SUPERSEDING_ANY);
const OWNERS_AT: &str = "
    SELECT subject, account FROM span
    WHERE kind = 'owner' AND name = $1 AND from_block <= $2 AND (to_block IS NULL OR to_block > $3) AND subject IN ($4)";
static MANY_OWNERS_AT: Bulk = Bulk::new(OWNERS_AT);
const REKEYED: &str = "SELECT rekeyed FROM record_progress";

impl Tx {
    /// The numbers of the names by which records mean an agent as their subject, and of those by which they once did: whom each meant when
    /// a record was said is still to be asked.
    pub async fn names_of_subject(
        &mut self,
        agent: AgentId,
    ) -> Result<BTreeSet<u64>, StorageError> {
        let names: Vec<i64> = on_engine!(self, conn => sqlx::query_scalar(NAMES_OF)
            .bind(agent_text(agent)).fetch_all(conn).await)?;
        let read =
            |name: i64| Cell { table: "subject_name", column: "name", row: &name }.unsigned(name);
        names.into_iter().map(read).collect()
    }

    /// Notes which names of subjects were found to mean which agents. What is noted stays, since a name may come to mean an agent again.
    pub(super) async fn note_subjects(
        &mut self,
        found: impl Iterator<Item = (Role, u64, Rekeying)>,
    ) -> Result<(), StorageError> {
        let subjects = found.filter(|(role, ..)| *role == Role::Subject);
        let of_agents =
            subjects.filter_map(|(_, name, found)| Some((found.outcome.agent()?, name)));
        let noted: BTreeSet<(AgentId, u64)> = of_agents.collect();
        let mut rows = Vec::with_capacity(noted.len());
        for (agent, name) in noted {
            rows.push([Bound::text(agent_text(agent)), Bound::number(signed("name", name)?)]);
        }
        NAMES_NOTE.write(self, rows.into_iter()).await.map(drop)
    }

    /// How many records up to a size of the log an agent has said itself, counted to `max`.
    pub async fn given_by(
        &mut self,
        agent: AgentId,
        log_size: u64,
        max: u32,
    ) -> Result<u32, StorageError> {
        let (agent, log_size) = (agent_text(agent), signed("record", log_size)?);
        let role = role_number(Role::Issuer);
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(GIVEN)
            .bind(agent).bind(role).bind(log_size).bind(i64::from(max)).fetch_one(conn).await)?;
        Ok(u32::try_from(count).unwrap_or(max))
    }

    /// The records at some places of the log, in its order.
    pub async fn records_at(&mut self, seqs: &[u64]) -> Result<Vec<StoredRecord>, StorageError> {
        let seqs = list_of("record", seqs.iter().copied())?;
        let rows: Vec<RecordRow> = MANY_RECORDS_AT.select(self, &[], seqs).await?;
        in_order(rows)
    }

    /// The records that replace one of some digests, by whomever, in the order of the log.
    pub async fn records_superseding(
        &mut self,
        digests: &[Digest],
    ) -> Result<Vec<StoredRecord>, StorageError> {
        let digests = digests.iter().map(|digest| [Bound::bytes(digest.as_bytes().as_slice())]);
        let rows: Vec<RecordRow> = MANY_SUPERSEDING.select(self, &[], digests).await?;
        in_order(rows)
    }

    /// The owners of some agents at the end of a block; one that did not exist is not among them.
    pub async fn owners_at(
        &mut self,
        agents: &[AgentId],
        block_number: u64,
    ) -> Result<BTreeMap<AgentId, Address>, StorageError> {
        let block = signed("block number", block_number)?;
        let head = [Bound::bytes([].as_slice()), Bound::number(block), Bound::number(block)];
        let agents = agents.iter().map(|agent| [Bound::text(agent_text(*agent))]);
        let rows: Vec<(String, Option<Vec<u8>>)> =
            MANY_OWNERS_AT.select(self, &head, agents).await?;
        let mut found = BTreeMap::new();
        for (subject, account) in rows {
            let cell = |column| Cell { table: "span", column, row: &subject };
            let agent = parse_agent(&subject).ok_or_else(|| cell("subject").wrong())?;
            if let Some(account) = account {
                found.insert(agent, cell("account").address(&account)?);
            }
        }
        Ok(found)
    }

    /// The number of the newest re-keying that replaced another: while it is the same, no name has come to mean somebody else.
    pub async fn rekeyed(&mut self) -> Result<u64, StorageError> {
        let number: i64 =
            on_engine!(self, conn => sqlx::query_scalar(REKEYED).fetch_one(conn).await)?;
        Cell { table: "record_progress", column: "rekeyed", row: &number }.unsigned(number)
    }
}

fn in_order(rows: Vec<RecordRow>) -> Result<Vec<StoredRecord>, StorageError> {
    let records: Result<Vec<_>, _> = rows.into_iter().map(StoredRecord::try_from).collect();
    let mut records = records?;
    records.sort_unstable_by_key(|record| record.seq);
    Ok(records)
}
