//! What contracts answered when they were asked, kept beside the events so that the fold can be repeated.

use alloy::primitives::Address;
use sqlx::FromRow;

use super::columns::{Cell, agent_text, parse_agent, signed};
use super::engine::on_engine;
use super::{StorageError, Tx};
use crate::vocab::{AgentId, BlockRef, RegistryKind};

const OBSERVATION_INSERT: &str = "
    INSERT INTO observation (block, block_hash, kind, subject, answer) VALUES ($1, $2, $3, $4, $5)";
const OBSERVATIONS_IN: &str = "
    SELECT block, block_hash, kind, subject, answer FROM observation
    WHERE block >= $1 AND block <= $2 ORDER BY block, kind, subject";
const WALLET_OBSERVED_AT_OR_BEFORE: &str = "
    SELECT block, block_hash, kind, subject, answer FROM observation
    WHERE kind = 'wallet' AND subject = $1 AND block <= $2 ORDER BY block DESC LIMIT 1";
const AGENTS_OBSERVED: &str =
    "SELECT DISTINCT subject FROM observation WHERE kind = 'wallet' AND block <= $1";

/// What a contract was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObservedSubject {
    /// `getAgentWallet` of an agent.
    Wallet(AgentId),
    /// The implementation slot of a registry's proxy.
    Implementation(RegistryKind),
}

impl ObservedSubject {
    fn columns(self) -> (&'static str, String) {
        match self {
            Self::Wallet(agent) => ("wallet", agent_text(agent)),
            Self::Implementation(kind) => ("implementation", kind.as_str().to_owned()),
        }
    }
}

/// A contract's answer, in the state at the end of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The block.
    pub block: BlockRef,
    /// What was asked.
    pub subject: ObservedSubject,
    /// The account in the answer, zero for nobody; `None` where the node could not say.
    pub answer: Option<Address>,
}

#[derive(FromRow)]
struct ObservationRow {
    block: i64,
    block_hash: Vec<u8>,
    kind: String,
    subject: String,
    answer: Option<Vec<u8>>,
}

impl TryFrom<ObservationRow> for Observation {
    type Error = StorageError;

    fn try_from(row: ObservationRow) -> Result<Self, StorageError> {
        let cell = |column| Cell { table: "observation", column, row: &row.block };
        let subject = match row.kind.as_str() {
            "wallet" => parse_agent(&row.subject).map(ObservedSubject::Wallet),
            "implementation" => {
                RegistryKind::from_word(&row.subject).map(ObservedSubject::Implementation)
            }
            _ => return Err(cell("kind").wrong()),
        };
        Ok(Self {
            block: BlockRef {
                number: cell("block").unsigned(row.block)?,
                hash: cell("block_hash").hash(&row.block_hash)?,
            },
            subject: subject.ok_or_else(|| cell("subject").wrong())?,
            answer: row.answer.as_deref().map(|a| cell("answer").address(a)).transpose()?,
        })
    }
}

impl Tx {
    /// Keeps an answer.
    pub async fn insert_observation(&mut self, o: &Observation) -> Result<(), StorageError> {
        let block = signed("block number", o.block.number)?;
        let (kind, subject) = o.subject.columns();
        on_engine!(self, conn => sqlx::query(OBSERVATION_INSERT)
            .bind(block)
            .bind(o.block.hash.as_slice())
            .bind(kind)
            .bind(subject)
            .bind(o.answer.as_ref().map(|a| a.as_slice()))
            .execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The answers at the blocks from `first` to `last`, ascending.
    pub async fn observations_in(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<Vec<Observation>, StorageError> {
        let (first, last) = (signed("block number", first)?, signed("block number", last)?);
        let rows: Vec<ObservationRow> = on_engine!(self, conn => sqlx::query_as(OBSERVATIONS_IN)
            .bind(first).bind(last).fetch_all(conn).await)?;
        rows.into_iter().map(Observation::try_from).collect()
    }

    /// The last time the contract was asked for an agent's wallet, up to the end of a block.
    pub async fn wallet_observed(
        &mut self,
        agent: AgentId,
        block_number: u64,
    ) -> Result<Option<Observation>, StorageError> {
        let block = signed("block number", block_number)?;
        let row: Option<ObservationRow> = on_engine!(self, conn =>
            sqlx::query_as(WALLET_OBSERVED_AT_OR_BEFORE)
                .bind(agent_text(agent)).bind(block).fetch_optional(conn).await)?;
        row.map(Observation::try_from).transpose()
    }

    /// The agents whose wallet the contract was ever asked for, up to the end of a block; in no order.
    pub async fn agents_observed(
        &mut self,
        block_number: u64,
    ) -> Result<Vec<AgentId>, StorageError> {
        let block = signed("block number", block_number)?;
        let subjects: Vec<String> = on_engine!(self, conn => sqlx::query_scalar(AGENTS_OBSERVED)
            .bind(block).fetch_all(conn).await)?;
        let agent = |subject: &String| {
            let cell = Cell { table: "observation", column: "subject", row: subject };
            parse_agent(subject).ok_or_else(|| cell.wrong())
        };
        subjects.iter().map(agent).collect()
    }
}
