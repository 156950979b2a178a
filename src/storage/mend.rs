//! Changes that only mending makes: to rows that the chain contradicts.
//!
//! Following never needs these. Whoever calls them has asked the chain first, and writes them in one transaction with all that follows
//! from them.

use alloy::primitives::B256;

use super::columns::{agent_text, signed};
use super::engine::on_engine;
use super::{HeldBlock, StorageError, StoredLog, Tx};
use crate::vocab::Position;

const BLOCK_REPLACE: &str = "
    UPDATE block SET hash = $2, parent_hash = $3, time = $4 WHERE number = $1";
const EVENT_DELETE: &str = "DELETE FROM registry_event WHERE block = $1 AND log_index = $2";
const EVENT_RELABEL: &str = "
    UPDATE registry_event SET name = $3, agent = $4, thread = $5
    WHERE block = $1 AND log_index = $2";

impl Tx {
    /// Puts a block in the place of the one that is held of its number.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where none is held.
    pub async fn replace_block(&mut self, block: &HeldBlock) -> Result<(), StorageError> {
        let number = signed("block number", block.stamp.block.number)?;
        let time = signed("block time", block.stamp.time.get())?;
        let done = on_engine!(self, conn => sqlx::query(BLOCK_REPLACE)
            .bind(number)
            .bind(block.stamp.block.hash.as_slice())
            .bind(block.parent_hash.as_ref().map(B256::as_slice))
            .bind(time)
            .execute(conn).await.map(|done| done.rows_affected()))?;
        one("block", done, number)
    }

    /// Forgets a log.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where there is none.
    pub async fn delete_event(&mut self, at: Position) -> Result<(), StorageError> {
        let block = signed("block number", at.block_number)?;
        let done = on_engine!(self, conn => sqlx::query(EVENT_DELETE)
            .bind(block).bind(i64::from(at.log_index))
            .execute(conn).await.map(|done| done.rows_affected()))?;
        one("registry_event", done, block)
    }

    /// Writes anew what stands beside a log to find it by.
    ///
    /// # Errors
    /// [`StorageError::Inconsistent`] where there is no such log.
    pub async fn relabel_event(&mut self, event: &StoredLog<'_>) -> Result<(), StorageError> {
        let block = signed("block number", event.log.block.number)?;
        let done = on_engine!(self, conn => sqlx::query(EVENT_RELABEL)
            .bind(block)
            .bind(i64::from(event.log.log_index))
            .bind(event.name)
            .bind(event.agent.map(agent_text))
            .bind(event.thread.as_ref().map(AsRef::<[u8]>::as_ref))
            .execute(conn).await.map(|done| done.rows_affected()))?;
        one("registry_event", done, block)
    }
}

fn one(table: &'static str, rows: u64, block: i64) -> Result<(), StorageError> {
    if rows == 1 { Ok(()) } else { Err(StorageError::inconsistent(table, "block", block)) }
}
