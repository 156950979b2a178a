//! Questions about many agents: all of them, and those that an account owned or was the wallet of.
//!
//! Lists of agents come in the order of their ids, whole at the end of one block. Nothing here is a guess: an account may be the
//! wallet of none, one or ten thousand.

use alloy::primitives::Address;
use sqlx::FromRow;

use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::timelines::{EvidencedRow, after_columns, evidenced, select_spans};
use super::{StorageError, Tx};
use crate::identity::EvidencedSpan;
use crate::vocab::{AgentId, Position};

const AGENTS_AT: &str = "
    SELECT subject FROM span
    WHERE kind = 'owner' AND subject > $1
      AND from_block <= $2 AND (to_block IS NULL OR to_block > $2)
    ORDER BY subject LIMIT $3";
const AGENTS_OF_AT: &str = select_spans!(
    "WHERE s.account = $1 AND s.kind = $2 AND s.subject > $3
       AND s.from_block <= $4 AND (s.to_block IS NULL OR s.to_block > $4)
     ORDER BY s.subject LIMIT $5"
);
const AGENTS_OF_BOTH_AT: &str = select_spans!(
    "WHERE s.account = $1 AND s.kind = 'owner' AND s.subject > $3
       AND s.from_block <= $4 AND (s.to_block IS NULL OR s.to_block > $4)
       AND EXISTS (SELECT 1 FROM span w
                   WHERE w.account = $2 AND w.kind = 'wallet' AND w.subject = s.subject
                     AND w.from_block <= $4 AND (w.to_block IS NULL OR w.to_block > $4))
     ORDER BY s.subject LIMIT $5"
);
const AGENTS_OF_COUNT: &str = "
    SELECT COUNT(*) FROM span
    WHERE account = $1 AND kind = $2
      AND from_block <= $3 AND (to_block IS NULL OR to_block > $3)";
const SPANS_OF: &str = select_spans!(
    "WHERE s.account = $1 AND s.kind = $2
       AND (s.subject, s.from_block, s.from_log) > ($3, $4, $5)
     ORDER BY s.subject, s.from_block, s.from_log LIMIT $6"
);

/// What an account is to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRole {
    /// The holder of its token.
    Owner,
    /// The account that the registry names for it.
    Wallet,
}

impl AccountRole {
    const fn kind(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Wallet => "wallet",
        }
    }
}

/// An agent and the span by which an account was its wallet or owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentOfAccount {
    /// The agent.
    pub agent: AgentId,
    /// The span that says so.
    pub span: EvidencedSpan,
}

#[derive(FromRow)]
struct SubjectRow {
    subject: String,
}

fn agents(rows: Vec<SubjectRow>) -> Result<Vec<AgentId>, StorageError> {
    rows.into_iter().map(|row| agent_of(&row.subject)).collect()
}

fn agent_of(subject: &String) -> Result<AgentId, StorageError> {
    let cell = Cell { table: "span", column: "subject", row: subject };
    parse_agent(subject).ok_or_else(|| cell.wrong())
}

fn agents_with_spans(rows: Vec<EvidencedRow>) -> Result<Vec<AgentOfAccount>, StorageError> {
    let of_agent = |span: EvidencedSpan| {
        use crate::identity::TimelineRef::{Owner, Wallet};
        match span.record.timeline {
            Owner(agent) | Wallet(agent) => Ok(AgentOfAccount { agent, span }),
            other => Err(StorageError::inconsistent("span", "kind", format!("{other:?}"))),
        }
    };
    evidenced(rows)?.into_iter().map(of_agent).collect()
}

fn after_text(after: Option<AgentId>) -> String {
    after.map(agent_text).unwrap_or_default()
}

impl Tx {
    /// The agents that exist at the end of a block, by id.
    pub async fn agents_at(
        &mut self,
        block_number: u64,
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<AgentId>, StorageError> {
        let block = signed("block number", block_number)?;
        agents(on_engine!(self, conn => sqlx::query_as(AGENTS_AT)
            .bind(after_text(after)).bind(block).bind(i64::from(limit)).fetch_all(conn).await)?)
    }

    /// The agents whose owner or wallet an account is at the end of a block, by id, each with the span that says so.
    pub async fn agents_of(
        &mut self,
        account: Address,
        role: AccountRole,
        block_number: u64,
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<AgentOfAccount>, StorageError> {
        let block = signed("block number", block_number)?;
        agents_with_spans(on_engine!(self, conn => sqlx::query_as(AGENTS_OF_AT)
            .bind(account.as_slice()).bind(role.kind()).bind(after_text(after))
            .bind(block).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// The agents that `owner` owns and whose wallet is `wallet` at the end of a block, by id, each with the span of its owner.
    pub async fn agents_of_both(
        &mut self,
        owner: Address,
        wallet: Address,
        block_number: u64,
        after: Option<AgentId>,
        limit: u32,
    ) -> Result<Vec<AgentOfAccount>, StorageError> {
        let block = signed("block number", block_number)?;
        agents_with_spans(on_engine!(self, conn => sqlx::query_as(AGENTS_OF_BOTH_AT)
            .bind(owner.as_slice()).bind(wallet.as_slice()).bind(after_text(after))
            .bind(block).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }

    /// How many agents an account owns or is the wallet of at the end of a block.
    pub async fn agents_of_count(
        &mut self,
        account: Address,
        role: AccountRole,
        block_number: u64,
    ) -> Result<u64, StorageError> {
        let block = signed("block number", block_number)?;
        let count: i64 = on_engine!(self, conn => sqlx::query_scalar(AGENTS_OF_COUNT)
            .bind(account.as_slice()).bind(role.kind()).bind(block).fetch_one(conn).await)?;
        Cell { table: "span", column: "account", row: &account }.unsigned(count)
    }

    /// Every span in which an account was any agent's owner or wallet, by agent, then oldest first.
    pub async fn spans_of(
        &mut self,
        account: Address,
        role: AccountRole,
        after: Option<(AgentId, Position)>,
        limit: u32,
    ) -> Result<Vec<AgentOfAccount>, StorageError> {
        let (block, log) = after_columns(after.map(|(_, at)| at))?;
        let agent = after_text(after.map(|(agent, _)| agent));
        agents_with_spans(on_engine!(self, conn => sqlx::query_as(SPANS_OF)
            .bind(account.as_slice()).bind(role.kind()).bind(agent).bind(block).bind(log).bind(i64::from(limit))
            .fetch_all(conn).await)?)
    }
}
