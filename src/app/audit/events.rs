//! Each event by itself, in the order of the chain: its labels are what the log says, agents are minted one after the other and each is
//! registered once.
//!
//! A registry counts agents up from 0 and never takes one back, so a gap is a mint that is missing here.

use std::collections::BTreeSet;

use alloy::primitives::U256;

use super::{Checked, Suspects};
use crate::app::decoded::DecodedLog;
use crate::registry::RegistryEvent;
use crate::storage::EventLabels;
use crate::vocab::AgentId;

/// What is known of the events so far.
#[derive(Debug)]
pub(super) struct EventWalk {
    labels: Checked,
    dense: Checked,
    registered: Checked,
    undecoded: u64,
    /// The next agent's id.
    next: U256,
    /// Minted, and not yet registered.
    unregistered: BTreeSet<AgentId>,
}

impl EventWalk {
    pub(super) fn new() -> Self {
        Self {
            labels: Checked::new("labels-true", "every log is filed under what it says"),
            dense: Checked::new("ids-dense", "agent ids are dense from 0"),
            registered: Checked::new("agents-registered", "every agent is registered once"),
            undecoded: 0,
            next: U256::ZERO,
            unregistered: BTreeSet::new(),
        }
    }

    /// Takes in the events of some blocks; `labels` are of the same blocks, and may hold more.
    pub(super) fn take(
        &mut self,
        logs: &[DecodedLog<'_>],
        labels: &[EventLabels],
        suspects: &mut Suspects,
    ) {
        let mut labels = labels.iter();
        for log in logs {
            let at = log.log.position();
            if let Some(found) = labels.find(|labels| labels.at == at) {
                self.label(log, found, suspects);
            }
            match &log.event {
                Ok(event) => self.event(event, log, suspects),
                Err(_) => self.undecoded += 1,
            }
        }
    }

    fn label(&mut self, log: &DecodedLog<'_>, found: &EventLabels, suspects: &mut Suspects) {
        self.labels.look(1);
        let said = log.stored();
        let thread = said.thread.as_ref().map(AsRef::<[u8]>::as_ref);
        let is_true = found.name.as_deref() == said.name
            && found.is_of(said.agent)
            && found.thread.as_deref() == thread;
        if !is_true {
            let (block, index) = (found.at.block_number, found.at.log_index);
            let name = |name: Option<&str>| name.unwrap_or("undecodable").to_owned();
            self.labels.offend(format!(
                "log {index} of block {block} is a {}, filed as {} with other marks",
                name(said.name),
                name(found.name.as_deref()),
            ));
            suspects.label(found.at);
        }
    }

    fn event(&mut self, event: &RegistryEvent, log: &DecodedLog<'_>, suspects: &mut Suspects) {
        let block = log.log.block.number;
        match event {
            RegistryEvent::Transfer { from, agent, .. } if from.is_zero() => {
                self.dense.look(1);
                if agent.0 > self.next {
                    self.dense.offend(gap(self.next, agent.0));
                    suspects.id_gap(self.next, agent.0.saturating_sub(U256::ONE));
                } else if agent.0 < self.next {
                    self.dense.offend(format!("agent {agent} is minted again at block {block}"));
                    suspects.block(block);
                    suspects.agent(*agent);
                }
                self.next = self.next.max(agent.0.saturating_add(U256::ONE));
                self.unregistered.insert(*agent);
            }
            RegistryEvent::Registered { agent, .. } => {
                self.registered.look(1);
                if !self.unregistered.remove(agent) {
                    self.registered.offend(format!(
                        "agent {agent} is registered at block {block} without a mint of its own"
                    ));
                    suspects.block(block);
                    suspects.agent(*agent);
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish(mut self, suspects: &mut Suspects) -> [Checked; 4] {
        for agent in &self.unregistered {
            self.registered.offend(format!("the registration of agent {agent} is missing"));
            suspects.agent(*agent);
        }
        let mut undecoded = Checked::new("undecoded", "logs that cannot be decoded are kept");
        undecoded.looked_at = Some(self.undecoded);
        if self.undecoded > 0 {
            undecoded.note = Some("what they say is not in the timelines".to_owned());
        }
        [self.labels, self.dense, self.registered, undecoded]
    }
}

fn gap(first: U256, next: U256) -> String {
    let last = next.saturating_sub(U256::ONE);
    if last == first {
        format!("agent {first} is missing")
    } else {
        format!("agents {first} to {last} are missing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_name_the_agents() {
        assert_eq!(gap(U256::from(3), U256::from(4)), "agent 3 is missing");
        assert_eq!(gap(U256::from(3), U256::from(9)), "agents 3 to 8 are missing");
    }
}
