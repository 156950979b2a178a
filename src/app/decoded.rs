//! Logs with what they mean, ready to be stored and folded.
//!
//! A log that cannot be decoded goes on as it is: it is stored, counted and shown, and stops nothing.

use std::collections::BTreeMap;

use alloy::primitives::U256;

use crate::identity::{Mention, RegistryLog};
use crate::registry::{DecodeError, RegistryEvent, decode};
use crate::storage::{Binding, StoredLog};
use crate::vocab::{AgentId, RawLog, RegistryKind};

/// A log of a registry that is followed, and its event where it could be decoded.
#[derive(Clone, Debug)]
pub(super) struct DecodedLog<'a> {
    pub(super) log: &'a RawLog,
    pub(super) registry: RegistryKind,
    pub(super) event: Result<RegistryEvent, DecodeError>,
}

impl<'a> DecodedLog<'a> {
    /// Decodes a log; `None` where no registry that is followed has emitted it.
    pub(super) fn read(log: &'a RawLog, binding: &Binding) -> Option<Self> {
        let registry = binding.registries.iter().find(|r| r.at.address == log.address)?.kind;
        let read = Self::of(log, registry);
        if let Err(error) = &read.event {
            tracing::warn!(
                block.number = log.block.number,
                log_index = log.log_index,
                registry = registry.as_str(),
                %error,
                "a log cannot be decoded and is kept as it is"
            );
        }
        Some(read)
    }

    /// Decodes a log of a registry.
    pub(super) fn of(log: &'a RawLog, registry: RegistryKind) -> Self {
        Self { log, registry, event: decode(registry, log) }
    }

    /// As it is stored.
    pub(super) fn stored(&self) -> StoredLog<'a> {
        let event = self.event.as_ref().ok();
        StoredLog {
            log: self.log,
            registry: self.registry,
            name: event.map(RegistryEvent::name),
            agent: event.and_then(RegistryEvent::agent),
            thread: event.and_then(RegistryEvent::thread),
        }
    }

    /// As it is interpreted.
    pub(super) fn said(&self) -> Option<RegistryLog> {
        let event = self.event.clone().ok()?;
        Some(RegistryLog { at: self.log.position(), registry: self.registry, event })
    }

    /// As it counts for doubt about wallets; `None` for the other registries.
    pub(super) fn mention(&self) -> Option<Mention> {
        if self.registry != RegistryKind::Identity {
            return None;
        }
        let (agent, upgraded_to) = match &self.event {
            Ok(RegistryEvent::Upgraded { implementation }) => (None, Some(*implementation)),
            Ok(event) => (event.agent(), None),
            Err(_) => {
                let first = self.log.topics.get(1).map(|word| U256::from_be_bytes(word.0));
                (first.map(AgentId), None)
            }
        };
        Some(Mention { block_number: self.log.block.number, agent, upgraded_to })
    }
}

/// The transfers of each agent in some logs: who is there, whose wallet may be in doubt.
///
/// Not the mints alone: an agent that was minted before the first block followed counts from its first transfer on, in the logs of a step
/// as in what is stored, or what is asked would depend on where one step ends and the next begins.
#[derive(Debug)]
pub(super) struct Transfers(BTreeMap<AgentId, Vec<(u64, bool)>>);

impl Transfers {
    pub(super) fn in_logs(logs: &[DecodedLog<'_>]) -> Self {
        let mut transfers: BTreeMap<AgentId, Vec<(u64, bool)>> = BTreeMap::new();
        for log in logs {
            if let Ok(RegistryEvent::Transfer { to, agent, .. }) = &log.event {
                transfers.entry(*agent).or_default().push((log.log.block.number, !to.is_zero()));
            }
        }
        Self(transfers)
    }

    /// Whether somebody owns an agent at the end of a block; `None` where no transfer up to there tells.
    pub(super) fn is_owned(&self, agent: AgentId, number: u64) -> Option<bool> {
        let moves = self.0.get(&agent)?;
        let until = moves.partition_point(|(block, _)| *block <= number);
        moves.get(..until)?.last().map(|(_, is_owned)| *is_owned)
    }

    /// Every agent that moved, and whether somebody owns it in the end.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (AgentId, bool)> {
        self.0.iter().filter_map(|(agent, moves)| Some((*agent, moves.last()?.1)))
    }
}
