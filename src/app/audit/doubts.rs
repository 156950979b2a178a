//! Under code that is not known, the contract was asked for every wallet that the events leave in doubt.

use std::collections::BTreeSet;

use alloy::primitives::Address;

use super::{Checked, Suspects};
use crate::app::decoded::{DecodedLog, Transfers};
use crate::identity::{Mention, doubtful};
use crate::registry::KnownImplementations;
use crate::storage::{Observation, ObservedSubject};
use crate::vocab::{AgentId, RegistryKind};

/// What is known so far of the code, and of the agents in doubt.
#[derive(Debug)]
pub(super) struct DoubtWalk<'a> {
    known: &'a KnownImplementations,
    check: Checked,
    /// Whether the code after the last block is known.
    is_known: bool,
    /// Whoever the contract was ever asked about.
    asked: BTreeSet<AgentId>,
    /// Whoever has an owner.
    owned: BTreeSet<AgentId>,
}

impl<'a> DoubtWalk<'a> {
    pub(super) fn new(known: &'a KnownImplementations) -> Self {
        Self {
            known,
            check: Checked::new(
                "doubts-asked",
                "the contract was asked wherever events leave doubt",
            ),
            is_known: false,
            asked: BTreeSet::new(),
            owned: BTreeSet::new(),
        }
    }

    /// Takes in the logs and answers of some whole blocks.
    pub(super) fn take(
        &mut self,
        logs: &[DecodedLog<'_>],
        observations: &[Observation],
        suspects: &mut Suspects,
    ) {
        let knows = |code: Address| self.known.knows(RegistryKind::Identity, code);
        let identity = ObservedSubject::Implementation(RegistryKind::Identity);
        let code = observations.iter().find(|observation| observation.subject == identity);
        if let Some(code) = code.and_then(|observation| observation.answer) {
            self.is_known = knows(code);
        }
        let answered: BTreeSet<(u64, AgentId)> = observations
            .iter()
            .filter_map(|observation| match observation.subject {
                ObservedSubject::Wallet(agent) => Some((observation.block.number, agent)),
                ObservedSubject::Implementation(_) => None,
            })
            .collect();
        let mentions: Vec<Mention> = logs.iter().filter_map(DecodedLog::mention).collect();
        let transfers = Transfers::in_logs(logs);
        let exists = |number: u64, agent: AgentId| {
            transfers.is_owned(agent, number).unwrap_or_else(|| self.owned.contains(&agent))
        };
        // Whoever was in doubt before counts only where the code changes.
        let is_upgraded = mentions.iter().any(|mention| mention.upgraded_to.is_some());
        let before = if is_upgraded { self.asked.clone() } else { BTreeSet::new() };
        let asked = doubtful(&mentions, self.is_known, knows, exists, before);
        for (block, agent) in asked {
            self.check.look(1);
            if !answered.contains(&(block, agent)) {
                self.check.offend(format!("agent {agent} was not asked about at block {block}"));
                suspects.question(block, agent);
            }
        }
        self.asked.extend(answered.iter().map(|(_, agent)| *agent));
        let last = mentions.iter().rev().find_map(|mention| mention.upgraded_to);
        self.is_known = last.map_or(self.is_known, knows);
        for (agent, is_owned) in transfers.outcomes() {
            if is_owned {
                self.owned.insert(agent);
            } else {
                self.owned.remove(&agent);
            }
        }
    }

    pub(super) fn finish(self) -> Checked {
        self.check
    }
}
