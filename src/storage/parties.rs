//! Whom the issuer and the subject of each record meant, and the names in records of delegations, beside the records. `rekeyings` is how
//! that changes.
//!
//! A party is to be looked up (because the chain was not followed far enough, or went back), looked up, or looked up for good, since its
//! time lies before the finalized block. Rows stand in the order of names and times, so that all of one name lie together: looking up a
//! name again touches its own rows and no others.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::FromRow;

use super::attestations::StoredRecord;
use super::bulk::{Bound, Bulk};
use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::rekey::{Outcome, Rekeying, Role, Rule};
use crate::vocab::{Position, UnixSeconds};

const PARTY_INSERT: &str = "
    INSERT INTO party (name, said_at, seq, role, state, outcome, agent, count, rule, span_block, span_log, link, spoken_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
pub(super) static PARTIES_INSERT: Bulk = Bulk::new(PARTY_INSERT);
// SQLite takes a partial index only where its condition stands in the statement word by word.
const DUE: &str = "
    SELECT name, said_at, seq, role, state, outcome, agent, count, rule, span_block, span_log, link, spoken_by
    FROM party WHERE state = 0 AND state < 2 AND said_at < $1 ORDER BY state, said_at, name, seq, role LIMIT $2";
const OF_NAME: &str = "
    SELECT name, said_at, seq, role, state, outcome, agent, count, rule, span_block, span_log, link, spoken_by
    FROM party WHERE name = $1 AND (said_at, seq, role) > ($2, $3, $4) AND said_at < $5
    ORDER BY name, said_at, seq, role LIMIT $6";
const OF_RECORD: &str = "
    SELECT name, said_at, seq, role, state, outcome, agent, count, rule, span_block, span_log, link, spoken_by
    FROM party WHERE name = $1 AND said_at = $2 AND seq = $3 AND role = $4";
const OF_RECORDS: &str = "
    SELECT p.name, p.said_at, p.seq, p.role, p.state, p.outcome, p.agent, p.count, p.rule, p.span_block, p.span_log, p.link, p.spoken_by
    FROM (VALUES ($1, $2, $3, $4)) AS c
    JOIN party p ON p.name = c.column1 AND p.said_at = c.column2 AND p.seq = c.column3 AND p.role = c.column4";
static PARTIES_OF: Bulk = Bulk::new(OF_RECORDS);

/// How sure it is whom a party meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartyState {
    /// It is to be looked up; what stands there is what was found before, if anything was.
    Open,
    /// It was looked up, and may change with a reorganisation.
    Found,
    /// It was looked up as of a time before the finalized block.
    Settled,
}

impl PartyState {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Found => 1,
            Self::Settled => 2,
        }
    }
}

/// A party of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// The number of its name.
    pub name: u64,
    /// The time as of which it is meant.
    pub said_at: UnixSeconds,
    /// The record: its place in the log, or its number among records of delegations where the role is one of theirs.
    pub seq: u64,
    /// Which of its names it is.
    pub role: Role,
    /// How sure it is.
    pub state: PartyState,
    /// What was found; where it is open, what was found before.
    pub found: Rekeying,
    /// The number of the name of the account that signed for it, where it is an agent that one signed for.
    pub spoken_by: Option<u64>,
}

impl Party {
    /// What it is known to mean now.
    #[must_use]
    pub fn rekeying(&self) -> Rekeying {
        if self.state == PartyState::Open { Rekeying::default() } else { self.found }
    }
}

#[derive(FromRow)]
pub(super) struct PartyRow {
    name: i64,
    said_at: i64,
    seq: i64,
    role: i64,
    state: i64,
    #[sqlx(flatten)]
    found: FoundRow,
    spoken_by: Option<i64>,
}

#[derive(FromRow)]
pub(super) struct FoundRow {
    outcome: String,
    agent: Option<String>,
    count: Option<i64>,
    rule: Option<String>,
    span_block: Option<i64>,
    span_log: Option<i64>,
    link: Option<i64>,
}

impl FoundRow {
    pub(super) fn read(&self, table: &'static str, row: i64) -> Result<Rekeying, StorageError> {
        let cell = |column| Cell { table, column, row: &row };
        let agent = || {
            let agent = self.agent.as_deref().and_then(parse_agent);
            agent.ok_or_else(|| cell("agent").wrong())
        };
        let count = || {
            let count = self.count.and_then(|count| u32::try_from(count).ok());
            count.ok_or_else(|| cell("count").wrong())
        };
        let rule = self.rule.as_deref();
        let rule = rule.map(|word| Rule::from_word(word).ok_or_else(|| cell("rule").wrong()));
        let span = self.span_block.zip(self.span_log);
        Ok(Rekeying {
            outcome: match self.outcome.as_str() {
                "not_yet" => Outcome::NotYet,
                "agent" => Outcome::Agent(agent()?),
                "none" => Outcome::None,
                "several" => Outcome::Several(count()?),
                _ => return Err(cell("outcome").wrong()),
            },
            rule: rule.transpose()?,
            span: span.map(|(block, log)| cell("span_block").position(block, log)).transpose()?,
            link: self.link.map(|link| cell("link").unsigned(link)).transpose()?,
        })
    }
}

impl TryFrom<PartyRow> for Party {
    type Error = StorageError;

    fn try_from(row: PartyRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "party", column, row: &row.seq };
        Ok(Self {
            name: cell("name").unsigned(row.name)?,
            said_at: cell("said_at").time(row.said_at)?,
            seq: cell("seq").unsigned(row.seq)?,
            role: match row.role {
                1 => Role::Issuer,
                2 => Role::Subject,
                3 => Role::Author,
                4 => Role::Named,
                _ => return Err(cell("role").wrong()),
            },
            state: match row.state {
                0 => PartyState::Open,
                1 => PartyState::Found,
                2 => PartyState::Settled,
                _ => return Err(cell("state").wrong()),
            },
            found: row.found.read("party", row.seq)?,
            spoken_by: row.spoken_by.map(|name| cell("spoken_by").unsigned(name)).transpose()?,
        })
    }
}

pub(super) const fn role_number(role: Role) -> i64 {
    match role {
        Role::Issuer => 1,
        Role::Subject => 2,
        Role::Author => 3,
        Role::Named => 4,
    }
}

/// The columns in which a re-keying stands.
pub(super) fn rekeying_columns(rekeying: &Rekeying) -> Result<[Bound<'static>; 7], StorageError> {
    let (agent, count) = match rekeying.outcome {
        Outcome::Agent(agent) => (Some(agent_text(agent)), None),
        Outcome::Several(count) => (None, Some(i64::from(count))),
        Outcome::NotYet | Outcome::None => (None, None),
    };
    let block = rekeying.span.map(|at: Position| signed("block number", at.block_number));
    Ok([
        Bound::text(rekeying.outcome.as_str()),
        Bound::Text(agent.map(Cow::Owned)),
        Bound::Number(count),
        Bound::Text(rekeying.rule.map(|rule| rule.as_str().into())),
        Bound::Number(block.transpose()?),
        Bound::Number(rekeying.span.map(|at| i64::from(at.log_index))),
        Bound::Number(rekeying.link.map(|link| signed("link", link)).transpose()?),
    ])
}

/// What is written of a party: where it stands, how sure it is, and what was found.
pub(super) type PartyColumns = (u64, UnixSeconds, u64, Role, Rekeying, PartyState);

pub(super) fn party_columns(
    (name, said_at, seq, role, found, state): &PartyColumns,
) -> Result<[Bound<'static>; 12], StorageError> {
    let [outcome, agent, count, by, span_block, span_log, link] = rekeying_columns(found)?;
    Ok([
        Bound::number(signed("name", *name)?),
        Bound::number(signed("time", said_at.get())?),
        Bound::number(signed("record", *seq)?),
        Bound::number(role_number(*role)),
        Bound::number(state.number()),
        outcome,
        agent,
        count,
        by,
        span_block,
        span_log,
        link,
    ])
}

pub(super) fn new_party(
    party: &PartyColumns,
    spoken_by: Option<u64>,
) -> Result<[Bound<'static>; 13], StorageError> {
    let by = Bound::Number(spoken_by.map(|name| signed("name", name)).transpose()?);
    // What stands last is what is left when the others have taken their places.
    let mut row = std::array::from_fn(|_| by.clone());
    for (place, column) in row.iter_mut().zip(party_columns(party)?) {
        *place = column;
    }
    Ok(row)
}

pub(super) fn parties(rows: Vec<PartyRow>) -> Result<Vec<Party>, StorageError> {
    rows.into_iter().map(Party::try_from).collect()
}

impl Tx {
    /// The parties that are to be looked up and whose time is before another, in the order of their times.
    pub async fn due_parties(
        &mut self,
        before: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<Party>, StorageError> {
        let before = signed("time", before.get())?;
        parties(on_engine!(self, conn => sqlx::query_as(DUE)
            .bind(before).bind(i64::from(limit)).fetch_all(conn).await)?)
    }

    /// The parties of a name behind one of them and before a time, in the order of their times.
    pub async fn parties_of_name(
        &mut self,
        name: u64,
        after: PartyPlace,
        before: UnixSeconds,
        limit: u32,
    ) -> Result<Vec<Party>, StorageError> {
        let (name, before) = (signed("name", name)?, signed("time", before.get())?);
        parties(on_engine!(self, conn => sqlx::query_as(OF_NAME)
            .bind(name).bind(after.time).bind(after.seq).bind(after.role)
            .bind(before).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// One party of a record.
    pub async fn party(
        &mut self,
        name: u64,
        said_at: UnixSeconds,
        seq: u64,
        role: Role,
    ) -> Result<Option<Party>, StorageError> {
        let (name, time) = (signed("name", name)?, signed("time", said_at.get())?);
        let seq = signed("record", seq)?;
        let row: Option<PartyRow> = on_engine!(self, conn => sqlx::query_as(OF_RECORD)
            .bind(name).bind(time).bind(seq).bind(role_number(role))
            .fetch_optional(conn).await)?;
        row.map(Party::try_from).transpose()
    }

    /// The parties of some records, by the number of the record and the role.
    pub async fn parties_of(
        &mut self,
        records: &[StoredRecord],
    ) -> Result<BTreeMap<(u64, Role), Party>, StorageError> {
        let of_record = |record: &StoredRecord| {
            let place = |role, name| (name, record.said_at, record.seq, role);
            [place(Role::Issuer, record.issuer), place(Role::Subject, record.subject)]
        };
        let places: Vec<_> = records.iter().flat_map(of_record).collect();
        self.parties_at(&places).await
    }

    /// The parties at some places: the number of the name, the time, the number of the record, and the role.
    pub async fn parties_at(
        &mut self,
        places: &[(u64, UnixSeconds, u64, Role)],
    ) -> Result<BTreeMap<(u64, Role), Party>, StorageError> {
        let mut asked = Vec::with_capacity(places.len());
        for (name, time, seq, role) in places {
            let (name, time) = (signed("name", *name)?, signed("time", time.get())?);
            let place = [name, time, signed("record", *seq)?, role_number(*role)];
            asked.push(place.map(Bound::number));
        }
        let rows: Vec<PartyRow> = PARTIES_OF.select(self, &[], asked.into_iter()).await?;
        let found = parties(rows)?.into_iter();
        Ok(found.map(|party| ((party.seq, party.role), party)).collect())
    }
}

/// The place of a party among those of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartyPlace {
    time: i64,
    seq: i64,
    role: i64,
}

impl PartyPlace {
    /// Before all.
    pub const START: Self = Self { time: -1, seq: -1, role: -1 };

    /// That of a party.
    ///
    /// # Errors
    /// When its time or number is larger than any that is stored.
    pub fn of(party: &Party) -> Result<Self, StorageError> {
        Ok(Self {
            time: signed("time", party.said_at.get())?,
            seq: signed("record", party.seq)?,
            role: role_number(party.role),
        })
    }

    /// Before all that are of a time or later.
    ///
    /// # Errors
    /// When the time is larger than any that is stored.
    pub fn before(time: UnixSeconds) -> Result<Self, StorageError> {
        Ok(Self { time: signed("time", time.get())?, seq: -1, role: -1 })
    }

    pub(super) const fn columns(self) -> (i64, i64, i64) {
        (self.time, self.seq, self.role)
    }

    pub(super) const fn of_columns(time: i64, seq: i64, role: i64) -> Self {
        Self { time, seq, role }
    }
}
