//! Between our types and what columns hold.
//!
//! Every conversion out of a column can fail, and then names the table, the column and the row.

use alloy::primitives::{Address, B256};

use super::StorageError;
use crate::vocab::{AgentId, Position, UnixSeconds};

/// A `uint256` as text whose byte order is the order of the numbers: `02:22`.
pub(super) fn agent_text(agent: AgentId) -> String {
    // Most ids are small, and 64 bits are written much faster than 256.
    let digits = u64::try_from(agent.0).map_or_else(|_| agent.to_string(), |id| id.to_string());
    format!("{:02}:{digits}", digits.len())
}

/// The inverse of [`agent_text`].
pub(super) fn parse_agent(text: &str) -> Option<AgentId> {
    let (_, digits) = text.split_once(':')?;
    AgentId::parse(digits).filter(|agent| agent_text(*agent) == text)
}

/// A block number, time or other count for a signed column.
pub(super) fn signed(what: &'static str, value: u64) -> Result<i64, StorageError> {
    i64::try_from(value).map_err(|_| StorageError::TooLarge { what, value })
}

/// Names a value's place while it is read out of a row.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) row: &'a (dyn std::fmt::Display + Sync),
}

impl Cell<'_> {
    pub(super) fn wrong(&self) -> StorageError {
        StorageError::inconsistent(self.table, self.column, self.row)
    }

    pub(super) fn unsigned(&self, value: i64) -> Result<u64, StorageError> {
        u64::try_from(value).map_err(|_| self.wrong())
    }

    pub(super) fn time(&self, seconds: i64) -> Result<UnixSeconds, StorageError> {
        UnixSeconds::new(self.unsigned(seconds)?).ok_or_else(|| self.wrong())
    }

    pub(super) fn hash(&self, bytes: &[u8]) -> Result<B256, StorageError> {
        B256::try_from(bytes).map_err(|_| self.wrong())
    }

    pub(super) fn address(&self, bytes: &[u8]) -> Result<Address, StorageError> {
        Address::try_from(bytes).map_err(|_| self.wrong())
    }

    pub(super) fn position(&self, block: i64, log: i64) -> Result<Position, StorageError> {
        let log_index = u32::try_from(log).map_err(|_| self.wrong())?;
        Ok(Position::new(self.unsigned(block)?, log_index))
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;

    #[test]
    fn agent_ids_sort_as_numbers() {
        let ids = [U256::ZERO, U256::from(9), U256::from(10), U256::from(99_999), U256::MAX];
        let texts: Vec<_> = ids.iter().map(|id| agent_text(AgentId(*id))).collect();
        assert!(texts.is_sorted());
        for (id, text) in ids.iter().zip(&texts) {
            assert_eq!(parse_agent(text), Some(AgentId(*id)));
        }
        for text in ["22", "03:22", "2:22", "+2:22", "02:2x", "02:02", ""] {
            assert_eq!(parse_agent(text), None, "{text}");
        }
    }
}
