//! Each hop of a delegation as its records have it now: who, how far it is signed, and what beta is made of; and what is odd about it.
//!
//! It follows from the records and from whom their names meant, and is written anew whenever one of these is. So the whole population is
//! read from one index, and no record is opened for it.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::bulk::{Bound, Bulk};
use super::columns::{Cell, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::delegation::HopState;
use crate::tfd::EdgeInputs;
use crate::vocab::{Digest, Ppb};

/// The columns of a hop; the rest of the statement follows.
macro_rules! select_edges {
    ($rest:literal) => {
        concat!(
            "SELECT e.hop, e.state, e.above, e.parent, e.child, e.is_sub, e.may_delegate, e.has_below, e.is_disputed,
                    e.chars, e.parent_ppm, e.child_ppm, e.interactions, e.beta_ppb, e.parent_snapshot, e.child_snapshot
             FROM delegation_edge e ",
            $rest
        )
    };
}

const EDGE: &str = select_edges!("WHERE e.hop = $1");
const EDGES_AFTER: &str = select_edges!("WHERE e.hop > $1 ORDER BY e.hop LIMIT $2");
const EDGE_SET: &str = "
    INSERT INTO delegation_edge (hop, state, above, parent, child, is_sub, may_delegate, has_below, is_disputed,
        chars, parent_ppm, child_ppm, interactions, beta_ppb, parent_snapshot, child_snapshot)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT (hop) DO UPDATE
    SET state = excluded.state, above = excluded.above, parent = excluded.parent, child = excluded.child,
        is_sub = excluded.is_sub, may_delegate = excluded.may_delegate, has_below = excluded.has_below,
        is_disputed = excluded.is_disputed, chars = excluded.chars, parent_ppm = excluded.parent_ppm,
        child_ppm = excluded.child_ppm, interactions = excluded.interactions, beta_ppb = excluded.beta_ppb,
        parent_snapshot = excluded.parent_snapshot, child_snapshot = excluded.child_snapshot";
static EDGES_SET: Bulk = Bulk::new(EDGE_SET);
const EDGE_DELETE: &str = "DELETE FROM delegation_edge WHERE hop = $1";
const SIGNED_BELOW: &str =
    "SELECT state FROM delegation_edge WHERE above = $1 AND state = 2 LIMIT 1";
const HAS_BELOW: &str = "UPDATE delegation_edge SET has_below = $2 WHERE hop = $1";
const OF_PARENT_SNAPSHOT: &str =
    "SELECT hop FROM delegation_edge WHERE parent_snapshot = $1 LIMIT $2";
const OF_CHILD_SNAPSHOT: &str =
    "SELECT hop FROM delegation_edge WHERE child_snapshot = $1 LIMIT $2";
const FINDINGS_DELETE: &str = "DELETE FROM delegation_finding WHERE hop = $1";
const FINDING_INSERT: &str = "INSERT INTO delegation_finding (hop, number, record, kind, detail) VALUES ($1, $2, $3, $4, $5)";
static FINDINGS_INSERT: Bulk = Bulk::new(FINDING_INSERT);
const FINDINGS: &str = "
    SELECT number, record, kind, detail FROM delegation_finding WHERE hop = $1 ORDER BY number LIMIT $2";
const EDGES_EVERYTHING: &str = "
    SELECT COUNT(*) AS hops, CAST(COALESCE(SUM(chars), 0) AS BIGINT) AS chars,
           CAST(COALESCE(SUM(is_sub), 0) AS BIGINT) AS subs,
           CAST(COALESCE(SUM(may_delegate), 0) AS BIGINT) AS may_delegate,
           CAST(COALESCE(SUM(may_delegate * has_below), 0) AS BIGINT) AS delegated,
           CAST(COALESCE(SUM(is_disputed), 0) AS BIGINT) AS disputed
    FROM delegation_edge WHERE state = $1";
const BETAS_EVERYTHING: &str =
    "SELECT COUNT(*) FROM delegation_edge WHERE state = 2 AND beta_ppb >= $1 AND beta_ppb < $2";
const BETA_AT: &str = "
    SELECT beta_ppb FROM delegation_edge WHERE state = 2 ORDER BY state, beta_ppb LIMIT 1 OFFSET $1";

/// A hop as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEdge {
    /// The digest of the grant.
    pub hop: Digest,
    /// Who signed.
    pub state: HopState,
    /// The digest of the grant above.
    pub above: Option<Digest>,
    /// The number of the parent's name.
    pub parent: u64,
    /// The number of the child's name; `None` for a skill that nobody is known to have published.
    pub child: Option<u64>,
    /// Whether the child may delegate on.
    pub may_delegate: bool,
    /// Whether a hop below is signed by both.
    pub has_below: bool,
    /// Whether somebody else judged that it failed.
    pub is_disputed: bool,
    /// Characters of the specification.
    pub chars: u32,
    /// The parent's capability, and the child's, in parts per million, as far as they are known.
    pub capability_ppm: [Option<u32>; 2],
    /// Interactions that count.
    pub interactions: u32,
    /// Beta, clamped.
    pub beta: Ppb,
    /// The capability records that the grant names, the parent's and the child's.
    pub snapshots: [Option<Digest>; 2],
}

impl StoredEdge {
    /// What beta is computed from.
    #[must_use]
    pub const fn inputs(&self) -> EdgeInputs {
        let capability_ppm = match self.capability_ppm {
            [Some(parent), Some(child)] => Some((parent, child)),
            _ => None,
        };
        EdgeInputs {
            chars: self.chars,
            foreseeability_ppm: crate::tfd::PPM,
            capability_ppm,
            interactions: self.interactions,
        }
    }
}

/// What is odd about a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHopFinding {
    /// Which record.
    pub record: Option<Digest>,
    /// The word for its kind.
    pub kind: String,
    /// In words for people.
    pub detail: String,
}

/// All hops of one state together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeTotals {
    /// How many there are.
    pub hops: u64,
    /// Characters of all their specifications.
    pub chars: u64,
    /// Those that stand under another grant.
    pub subs: u64,
    /// Those whose child may delegate on.
    pub may_delegate: u64,
    /// Those of the latter under which a hop is signed by both.
    pub delegated: u64,
    /// Those of which somebody else judged that they failed.
    pub disputed: u64,
}

#[derive(FromRow)]
struct EdgeRow {
    hop: Vec<u8>,
    state: i64,
    above: Option<Vec<u8>>,
    parent: i64,
    child: Option<i64>,
    may_delegate: i64,
    has_below: i64,
    is_disputed: i64,
    chars: i64,
    parent_ppm: Option<i64>,
    child_ppm: Option<i64>,
    interactions: i64,
    beta_ppb: i64,
    parent_snapshot: Option<Vec<u8>>,
    child_snapshot: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct FindingRow {
    number: i64,
    record: Option<Vec<u8>>,
    kind: String,
    detail: String,
}

#[derive(FromRow)]
struct TotalsRow {
    hops: i64,
    chars: i64,
    subs: i64,
    may_delegate: i64,
    delegated: i64,
    disputed: i64,
}

const STATES: [(HopState, i64); 3] =
    [(HopState::ClaimedByParent, 0), (HopState::ClaimedByChild, 1), (HopState::Accepted, 2)];

fn state_number(state: HopState) -> i64 {
    STATES.iter().find(|(of, _)| *of == state).map_or(0, |(_, number)| *number)
}

impl TryFrom<EdgeRow> for StoredEdge {
    type Error = StorageError;

    fn try_from(row: EdgeRow) -> Result<Self, StorageError> {
        let shown = alloy::primitives::hex::encode_prefixed(&row.hop);
        let cell = |column| Cell { table: "delegation_edge", column, row: &shown };
        let digest = |column, bytes: Option<&[u8]>| {
            bytes.map(|bytes| cell(column).hash(bytes).map(Digest)).transpose()
        };
        let small = |column, value: i64| u32::try_from(value).map_err(|_| cell(column).wrong());
        let ppm = |column, value: Option<i64>| value.map(|value| small(column, value)).transpose();
        let state = STATES.iter().find(|(_, number)| *number == row.state);
        Ok(Self {
            hop: Digest(cell("hop").hash(&row.hop)?),
            state: state.ok_or_else(|| cell("state").wrong())?.0,
            above: digest("above", row.above.as_deref())?,
            parent: cell("parent").unsigned(row.parent)?,
            child: row.child.map(|child| cell("child").unsigned(child)).transpose()?,
            may_delegate: row.may_delegate != 0,
            has_below: row.has_below != 0,
            is_disputed: row.is_disputed != 0,
            chars: small("chars", row.chars)?,
            capability_ppm: [ppm("parent_ppm", row.parent_ppm)?, ppm("child_ppm", row.child_ppm)?],
            interactions: small("interactions", row.interactions)?,
            beta: Ppb::new(small("beta_ppb", row.beta_ppb)?),
            snapshots: [
                digest("parent_snapshot", row.parent_snapshot.as_deref())?,
                digest("child_snapshot", row.child_snapshot.as_deref())?,
            ],
        })
    }
}

fn columns(edge: &StoredEdge) -> Result<[Bound<'static>; 16], StorageError> {
    let digest =
        |digest: Option<Digest>| Bound::Bytes(digest.map(|d| d.as_bytes().to_vec().into()));
    let flag = |flag: bool| Bound::number(i64::from(flag));
    let [parent_ppm, child_ppm] = edge.capability_ppm.map(|ppm| Bound::Number(ppm.map(i64::from)));
    let [parent_snapshot, child_snapshot] = edge.snapshots;
    Ok([
        digest(Some(edge.hop)),
        Bound::number(state_number(edge.state)),
        digest(edge.above),
        Bound::number(signed("name", edge.parent)?),
        Bound::Number(edge.child.map(|child| signed("name", child)).transpose()?),
        flag(edge.above.is_some()),
        flag(edge.may_delegate),
        flag(edge.has_below),
        flag(edge.is_disputed),
        Bound::number(edge.chars.into()),
        parent_ppm,
        child_ppm,
        Bound::number(edge.interactions.into()),
        Bound::number(edge.beta.get().into()),
        digest(parent_snapshot),
        digest(child_snapshot),
    ])
}

impl Tx {
    /// The hop of a grant.
    pub async fn edge(&mut self, hop: Digest) -> Result<Option<StoredEdge>, StorageError> {
        let row: Option<EdgeRow> = on_engine!(self, conn => sqlx::query_as(EDGE)
            .bind(hop.as_bytes().as_slice()).fetch_optional(conn).await)?;
        row.map(StoredEdge::try_from).transpose()
    }

    /// The hops behind one of them, in the order of their digests.
    pub async fn edges_after(
        &mut self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<StoredEdge>, StorageError> {
        let after = after.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default();
        let rows: Vec<EdgeRow> = on_engine!(self, conn => sqlx::query_as(EDGES_AFTER)
            .bind(after.as_slice()).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(StoredEdge::try_from).collect()
    }

    /// Writes hops as they are now, and marks the hops above them as having one below. `has_below` of each is what the database says.
    pub async fn set_edges(&mut self, edges: &[StoredEdge]) -> Result<(), StorageError> {
        let mut rows = Vec::with_capacity(edges.len());
        for edge in edges {
            let has_below = self.has_signed_below(edge.hop).await?;
            rows.push(columns(&StoredEdge { has_below, ..edge.clone() })?);
        }
        EDGES_SET.write(self, rows.into_iter()).await?;
        let above: std::collections::BTreeSet<Digest> =
            edges.iter().filter_map(|edge| edge.above).collect();
        for above in above {
            let has_below = self.has_signed_below(above).await?;
            on_engine!(self, conn => sqlx::query(HAS_BELOW)
                .bind(above.as_bytes().as_slice()).bind(i64::from(has_below))
                .execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Takes a hop away of which nobody speaks any more but strangers.
    pub async fn remove_edge(&mut self, hop: Digest) -> Result<(), StorageError> {
        for sql in [EDGE_DELETE, FINDINGS_DELETE] {
            on_engine!(self, conn => sqlx::query(sql)
                .bind(hop.as_bytes().as_slice()).execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    async fn has_signed_below(&mut self, hop: Digest) -> Result<bool, StorageError> {
        let found: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(SIGNED_BELOW)
            .bind(hop.as_bytes().as_slice()).fetch_optional(conn).await)?;
        Ok(found.is_some())
    }

    /// The hops whose grants name a capability record; at most so many for the parents, and as many for the children.
    pub async fn edges_of_snapshot(
        &mut self,
        snapshot: Digest,
        limit: u32,
    ) -> Result<Vec<Digest>, StorageError> {
        let mut found = std::collections::BTreeSet::new();
        for sql in [OF_PARENT_SNAPSHOT, OF_CHILD_SNAPSHOT] {
            let rows: Vec<Vec<u8>> = on_engine!(self, conn => sqlx::query_scalar(sql)
                .bind(snapshot.as_bytes().as_slice()).bind(i64::from(limit)).fetch_all(conn).await)?;
            for row in rows {
                let cell = Cell { table: "delegation_edge", column: "hop", row: &snapshot };
                found.insert(Digest(cell.hash(&row)?));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Writes what is odd about a hop, in the place of what was.
    pub async fn set_hop_findings(
        &mut self,
        hop: Digest,
        findings: &[StoredHopFinding],
    ) -> Result<(), StorageError> {
        on_engine!(self, conn => sqlx::query(FINDINGS_DELETE)
            .bind(hop.as_bytes().as_slice()).execute(conn).await.map(drop))?;
        let row = |(number, finding): (i64, &StoredHopFinding)| {
            [
                Bound::bytes(hop.as_bytes().to_vec()),
                Bound::number(number),
                Bound::Bytes(finding.record.map(|record| record.as_bytes().to_vec().into())),
                Bound::text(finding.kind.clone()),
                Bound::text(finding.detail.clone()),
            ]
        };
        let rows: Vec<_> = (1..).zip(findings).map(row).collect();
        FINDINGS_INSERT.write(self, rows.into_iter()).await.map(drop)
    }

    /// What is odd about a hop.
    pub async fn hop_findings(
        &mut self,
        hop: Digest,
        limit: u32,
    ) -> Result<Vec<StoredHopFinding>, StorageError> {
        let rows: Vec<FindingRow> = on_engine!(self, conn => sqlx::query_as(FINDINGS)
            .bind(hop.as_bytes().as_slice()).bind(i64::from(limit)).fetch_all(conn).await)?;
        let finding = |row: FindingRow| {
            let cell = Cell { table: "delegation_finding", column: "record", row: &row.number };
            let record =
                row.record.as_deref().map(|bytes| cell.hash(bytes).map(Digest)).transpose()?;
            Ok(StoredHopFinding { record, kind: row.kind, detail: row.detail })
        };
        rows.into_iter().map(finding).collect()
    }

    /// All hops together, by who signed. One index is read from end to end.
    pub async fn edge_totals(
        &mut self,
    ) -> Result<BTreeMap<&'static str, EdgeTotals>, StorageError> {
        let mut totals = BTreeMap::new();
        for (state, number) in STATES {
            let row: TotalsRow = on_engine!(self, conn => sqlx::query_as(EDGES_EVERYTHING)
                .bind(number).fetch_one(conn).await)?;
            let count = |column, value| {
                Cell { table: "delegation_edge", column, row: &number }.unsigned(value)
            };
            let of_state = EdgeTotals {
                hops: count("hop", row.hops)?,
                chars: count("chars", row.chars)?,
                subs: count("is_sub", row.subs)?,
                may_delegate: count("may_delegate", row.may_delegate)?,
                delegated: count("has_below", row.delegated)?,
                disputed: count("is_disputed", row.disputed)?,
            };
            totals.insert(state.as_str(), of_state);
        }
        Ok(totals)
    }

    /// How many hops that both signed have a beta from one value on and below another.
    pub async fn edges_within(&mut self, from: Ppb, below: Ppb) -> Result<u64, StorageError> {
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(BETAS_EVERYTHING)
            .bind(i64::from(from.get())).bind(i64::from(below.get())).fetch_one(conn).await)?;
        Cell { table: "delegation_edge", column: "beta_ppb", row: &count }.unsigned(count)
    }

    /// The beta at a place among those of the hops that both signed, in ascending order, from 0 on.
    pub async fn beta_at(&mut self, place: u64) -> Result<Option<Ppb>, StorageError> {
        let place = signed("place", place)?;
        let beta: Option<i64> = on_engine!(self, conn => sqlx::query_scalar(BETA_AT)
            .bind(place).fetch_optional(conn).await)?;
        let cell = Cell { table: "delegation_edge", column: "beta_ppb", row: &place };
        let read = |beta: i64| u32::try_from(beta).map(Ppb::new).map_err(|_| cell.wrong());
        beta.map(read).transpose()
    }
}
