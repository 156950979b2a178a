//! Which agents exist, by their transfers in some logs.
//!
//! Not by the mints alone: an agent that was minted before the first block followed counts from its first transfer on, here as in what
//! is stored, or what is asked would depend on where one step ends and the next begins.

use std::collections::BTreeMap;

use super::decoded::DecodedLog;
use crate::registry::RegistryEvent;
use crate::vocab::AgentId;

/// The transfers of each agent: in which block, and whether somebody owns it then; in the order of the log.
#[derive(Debug)]
pub(super) struct Transfers(BTreeMap<AgentId, Vec<(u64, bool)>>);

impl Transfers {
    pub(super) fn of(logs: &[DecodedLog<'_>]) -> Self {
        let mut transfers: BTreeMap<AgentId, Vec<(u64, bool)>> = BTreeMap::new();
        for log in logs {
            if let Ok(RegistryEvent::Transfer { to, agent, .. }) = &log.event {
                transfers.entry(*agent).or_default().push((log.log.block.number, !to.is_zero()));
            }
        }
        Self(transfers)
    }

    /// Whether an agent exists at the end of a block; `None` where it was not transferred up to there.
    pub(super) fn exists(&self, agent: AgentId, block_number: u64) -> Option<bool> {
        let moves = self.0.get(&agent)?;
        let until = moves.partition_point(|(block, _)| *block <= block_number);
        moves.get(..until).and_then(<[_]>::last).map(|(_, is_owned)| *is_owned)
    }

    /// Every agent that was transferred, and whether it exists after the last log.
    pub(super) fn at_the_end(&self) -> impl Iterator<Item = (AgentId, bool)> {
        self.0.iter().filter_map(|(agent, moves)| Some((*agent, moves.last()?.1)))
    }
}
