//! What has to be known of names to say whom they meant, and which names have to be looked up again.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use sqlx::FromRow;

use super::bulk::{Bound, Bulk, list_of};
use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::parties::PartyPlace;
use super::{StorageError, Tx};
use crate::rekey::{Claim, Rule};
use crate::vocab::{AgentId, Subject, UnixSeconds};

const WALLET_SPANS: &str = "
    SELECT s.account, s.subject, s.from_block, s.from_log, fb.time AS from_time, s.to_block, tb.time AS to_time
    FROM span s
    LEFT JOIN block fb ON fb.number = s.from_block
    LEFT JOIN block tb ON tb.number = s.to_block
    WHERE s.kind = 'wallet' AND s.account IN ($1)";
static WALLETS_SPANS: Bulk = Bulk::new(WALLET_SPANS);
const REGISTERED: &str = "
    SELECT s.subject, fb.time AS from_time
    FROM span s
    LEFT JOIN block fb ON fb.number = s.from_block
    WHERE s.kind = 'owner' AND s.name = $1 AND s.subject IN ($2)";
static REGISTERED_MANY: Bulk = Bulk::new(REGISTERED);
const LINKS: &str = "
    SELECT number, name, target, from_time, to_time, basis, seq, other_seq
    FROM name_link WHERE name IN ($1)";
static LINKS_MANY: Bulk = Bulk::new(LINKS);
const LINKS_TO: &str = "
    SELECT number, name, target, from_time, to_time, basis, seq, other_seq
    FROM name_link WHERE target = $1 ORDER BY number LIMIT $2";
const LINK_LAST: &str = "SELECT COALESCE(MAX(number), 0) FROM name_link";
const LINK_INSERT: &str = "
    INSERT INTO name_link (number, name, target, from_time, to_time, basis, seq, other_seq)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const PENDING: &str = "
    SELECT name, after_time, after_seq, after_role FROM rekey_pending ORDER BY name LIMIT 1";
const PENDING_SET: &str = "
    INSERT INTO rekey_pending (name, after_time, after_seq, after_role) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE
    SET after_time = excluded.after_time, after_seq = excluded.after_seq, after_role = excluded.after_role
    WHERE (excluded.after_time, excluded.after_seq, excluded.after_role)
        < (rekey_pending.after_time, rekey_pending.after_seq, rekey_pending.after_role)";
const PENDING_MOVE: &str = "
    UPDATE rekey_pending SET after_time = $2, after_seq = $3, after_role = $4 WHERE name = $1";
const PENDING_DONE: &str = "DELETE FROM rekey_pending WHERE name = $1";
const PENDING_ALL: &str = "
    INSERT INTO rekey_pending (name, after_time, after_seq, after_role)
    SELECT id, -1, -1, -1 FROM name WHERE id > 0
    ON CONFLICT (name) DO UPDATE SET after_time = -1, after_seq = -1, after_role = -1";
const REWRITINGS: &str = "SELECT rewritings FROM record_progress";
const REWRITINGS_SET: &str =
    "UPDATE record_progress SET rewritings = $1, chain_block = -1, chain_log = -1";

/// By whose word a link holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkBasis {
    /// The origin's whose id it is.
    Origin,
    /// Both sides' own, each signed.
    Mutual,
}

impl LinkBasis {
    /// The word for it in storage and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Mutual => "mutual",
        }
    }
}

/// That a name means an account or an agent, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameLink {
    /// Its number; 0 for one that has none yet.
    pub number: u64,
    /// The number of the name.
    pub name: u64,
    /// An account or an agent.
    pub target: Subject,
    /// The first second in which it holds.
    pub from: UnixSeconds,
    /// The first second in which it no longer does.
    pub to: Option<UnixSeconds>,
    /// By whose word.
    pub basis: LinkBasis,
    /// The record that says so.
    pub seq: Option<u64>,
    /// The record that says so from the other side.
    pub other_seq: Option<u64>,
}

#[derive(FromRow)]
struct WalletRow {
    account: Vec<u8>,
    subject: String,
    from_block: i64,
    from_log: i64,
    from_time: Option<i64>,
    to_block: Option<i64>,
    to_time: Option<i64>,
}

#[derive(FromRow)]
struct RegisteredRow {
    subject: String,
    from_time: Option<i64>,
}

#[derive(FromRow)]
struct LinkRow {
    number: i64,
    name: i64,
    target: String,
    from_time: i64,
    to_time: Option<i64>,
    basis: String,
    seq: Option<i64>,
    other_seq: Option<i64>,
}

#[derive(FromRow)]
struct PendingRow {
    name: i64,
    after_time: i64,
    after_seq: i64,
    after_role: i64,
}

impl TryFrom<LinkRow> for NameLink {
    type Error = StorageError;

    fn try_from(row: LinkRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "name_link", column, row: &row.number };
        let seq = |column, seq: Option<i64>| seq.map(|seq| cell(column).unsigned(seq)).transpose();
        Ok(Self {
            number: cell("number").unsigned(row.number)?,
            name: cell("name").unsigned(row.name)?,
            target: row.target.parse().map_err(|_| cell("target").wrong())?,
            from: cell("from_time").time(row.from_time)?,
            to: row.to_time.map(|time| cell("to_time").time(time)).transpose()?,
            basis: match row.basis.as_str() {
                "origin" => LinkBasis::Origin,
                "mutual" => LinkBasis::Mutual,
                _ => return Err(cell("basis").wrong()),
            },
            seq: seq("seq", row.seq)?,
            other_seq: seq("other_seq", row.other_seq)?,
        })
    }
}

impl TryFrom<&WalletRow> for Claim {
    type Error = StorageError;

    fn try_from(row: &WalletRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "span", column, row: &row.subject };
        let time = |time: Option<i64>, column| {
            // The block of an event is held.
            cell(column).time(time.ok_or_else(|| cell(column).wrong())?)
        };
        Ok(Self {
            from: time(row.from_time, "from_block")?,
            to: row.to_block.map(|_| time(row.to_time, "to_block")).transpose()?,
            agent: parse_agent(&row.subject).ok_or_else(|| cell("subject").wrong())?,
            rule: Rule::Wallet,
            span: Some(cell("from_log").position(row.from_block, row.from_log)?),
            link: None,
        })
    }
}

impl Tx {
    /// Whose wallet some accounts ever were, with the times of the blocks between which they were.
    pub async fn wallet_claims(
        &mut self,
        accounts: &[Address],
    ) -> Result<BTreeMap<Address, Vec<Claim>>, StorageError> {
        let accounts = accounts.iter().map(|account| [Bound::bytes(account.as_slice())]);
        let rows: Vec<WalletRow> = WALLETS_SPANS.select(self, &[], accounts).await?;
        let mut found: BTreeMap<Address, Vec<Claim>> = BTreeMap::new();
        for row in &rows {
            let cell = Cell { table: "span", column: "account", row: &row.subject };
            found.entry(cell.address(&row.account)?).or_default().push(row.try_into()?);
        }
        Ok(found)
    }

    /// When some agents were registered; one that never was is not among them.
    pub async fn registration_times(
        &mut self,
        agents: &[AgentId],
    ) -> Result<BTreeMap<AgentId, UnixSeconds>, StorageError> {
        let name = [Bound::bytes([].as_slice())];
        let agents = agents.iter().map(|agent| [Bound::text(agent_text(*agent))]);
        let rows: Vec<RegisteredRow> = REGISTERED_MANY.select(self, &name, agents).await?;
        let mut found = BTreeMap::new();
        for row in rows {
            let cell = |column| Cell { table: "span", column, row: &row.subject };
            let agent = parse_agent(&row.subject).ok_or_else(|| cell("subject").wrong())?;
            // Of all its owners the first began with its registration.
            let time = row.from_time.ok_or_else(|| cell("from_block").wrong())?;
            let time = cell("from_block").time(time)?;
            found.entry(agent).and_modify(|at: &mut _| *at = time.min(*at)).or_insert(time);
        }
        Ok(found)
    }

    /// The links of some names, in the order of their numbers.
    pub async fn name_links(&mut self, names: &[u64]) -> Result<Vec<NameLink>, StorageError> {
        let names = list_of("name", names.iter().copied())?;
        let rows: Vec<LinkRow> = LINKS_MANY.select(self, &[], names).await?;
        let found: Result<Vec<_>, _> = rows.into_iter().map(NameLink::try_from).collect();
        let mut found = found?;
        found.sort_unstable_by_key(|link| link.number);
        Ok(found)
    }

    /// The links of any name to an agent or account, the oldest of them.
    pub async fn links_to(
        &mut self,
        target: &Subject,
        limit: u32,
    ) -> Result<Vec<NameLink>, StorageError> {
        let rows: Vec<LinkRow> = on_engine!(self, conn => sqlx::query_as(LINKS_TO)
            .bind(target.to_string()).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter().map(NameLink::try_from).collect()
    }

    /// Adds a link, and has all that its name said since then looked up again. Returns its number.
    pub async fn add_link(&mut self, link: &NameLink) -> Result<u64, StorageError> {
        let last: i64 =
            on_engine!(self, conn => sqlx::query_scalar(LINK_LAST).fetch_one(conn).await)?;
        let number = last + 1;
        let name = signed("name", link.name)?;
        let from = signed("time", link.from.get())?;
        let to = link.to.map(|to| signed("time", to.get())).transpose()?;
        let seq = link.seq.map(|seq| signed("record", seq)).transpose()?;
        let other = link.other_seq.map(|seq| signed("record", seq)).transpose()?;
        on_engine!(self, conn => sqlx::query(LINK_INSERT)
            .bind(number).bind(name).bind(link.target.to_string()).bind(from).bind(to)
            .bind(link.basis.as_str()).bind(seq).bind(other)
            .execute(conn).await.map(drop))?;
        self.set_pending(link.name, PartyPlace::before(link.from)?).await?;
        Cell { table: "name_link", column: "number", row: &number }.unsigned(number)
    }

    /// Has the parties of a name looked up again, from a place on.
    pub async fn set_pending(&mut self, name: u64, after: PartyPlace) -> Result<(), StorageError> {
        let name = signed("name", name)?;
        let (time, seq, role) = after.columns();
        on_engine!(self, conn => sqlx::query(PENDING_SET)
            .bind(name).bind(time).bind(seq).bind(role).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// A name whose parties have to be looked up again, and behind which of them.
    pub async fn next_pending(&mut self) -> Result<Option<(u64, PartyPlace)>, StorageError> {
        let row: Option<PendingRow> =
            on_engine!(self, conn => sqlx::query_as(PENDING).fetch_optional(conn).await)?;
        let read = |row: PendingRow| {
            let cell = Cell { table: "rekey_pending", column: "name", row: &row.name };
            let place = PartyPlace::of_columns(row.after_time, row.after_seq, row.after_role);
            Ok((cell.unsigned(row.name)?, place))
        };
        row.map(read).transpose()
    }

    /// Notes how far a name was looked up again; `None` where it is done.
    pub async fn move_pending(
        &mut self,
        name: u64,
        after: Option<PartyPlace>,
    ) -> Result<(), StorageError> {
        let name = signed("name", name)?;
        match after {
            Some(place) => {
                let (time, seq, role) = place.columns();
                on_engine!(self, conn => sqlx::query(PENDING_MOVE)
                    .bind(name).bind(time).bind(seq).bind(role).execute(conn).await.map(drop))?;
            }
            None => {
                on_engine!(self, conn => sqlx::query(PENDING_DONE)
                    .bind(name).execute(conn).await.map(drop))?;
            }
        }
        Ok(())
    }

    /// Whether spans were rewritten since that was last heeded.
    pub async fn rewritings_unheeded(&mut self) -> Result<bool, StorageError> {
        let now = signed("rewriting", self.revision().await?.rewrites)?;
        let heeded: i64 =
            on_engine!(self, conn => sqlx::query_scalar(REWRITINGS).fetch_one(conn).await)?;
        Ok(now != heeded)
    }

    /// Has every name looked up again, and the chain's records gone through again, if spans were rewritten since that was last heeded; says
    /// whether they were.
    pub async fn heed_rewritings(&mut self) -> Result<bool, StorageError> {
        if !self.rewritings_unheeded().await? {
            return Ok(false);
        }
        let now = signed("rewriting", self.revision().await?.rewrites)?;
        on_engine!(self, conn => sqlx::query(PENDING_ALL).execute(conn).await.map(drop))?;
        on_engine!(self, conn => sqlx::query(REWRITINGS_SET).bind(now).execute(conn).await.map(drop))?;
        Ok(true)
    }
}
