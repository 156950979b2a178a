//! Feedback and validations: each is there once, numbered without gaps, and what follows on it has something to follow on.
//!
//! A contract counts the feedback of one client on one agent up from 1, so in the order of the chain each is one above the last.
//! Feedback in forms before January 2026 carries no number: of a client that gave such feedback nothing can be said. As timelines are,
//! this is looked at in shares of all agents where there are many events.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, U256};

use super::suspects::FeedbackGap;
use super::{Checked, Suspects};
use crate::app::decoded::DecodedLog;
use crate::registry::RegistryEvent;
use crate::vocab::AgentId;

/// A client of an agent.
type Client = (AgentId, Address);

/// What a client has given so far.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    /// The number of the last feedback, and its block.
    last: u64,
    block: Option<u64>,
    /// Whether any of it carries no number.
    is_unnumbered: bool,
}

/// What is known of feedback and validations so far.
#[derive(Debug)]
pub(super) struct ThreadWalk {
    dense: Checked,
    followed: Checked,
    unnumbered: u64,
    given: BTreeMap<Client, Given>,
    revoked: BTreeSet<(Client, u64)>,
    requested: BTreeSet<B256>,
}

impl ThreadWalk {
    pub(super) fn new() -> Self {
        Self {
            dense: Checked::new(
                "feedback-dense",
                "feedback is numbered from 1 without gaps, for each agent and client",
            ),
            followed: Checked::new(
                "follow-ups-have-origins",
                "what follows on a feedback or a validation follows on one that is held",
            ),
            unnumbered: 0,
            given: BTreeMap::new(),
            revoked: BTreeSet::new(),
            requested: BTreeSet::new(),
        }
    }

    /// Begins anew at the first block, for another share.
    pub(super) fn begin_share(&mut self) {
        self.given.clear();
        self.revoked.clear();
        self.requested.clear();
    }

    /// Takes in one log, if it is of a share.
    pub(super) fn take(
        &mut self,
        log: &DecodedLog<'_>,
        is_ours: impl Fn(U256) -> bool,
        suspects: &mut Suspects,
    ) {
        let Ok(event) = &log.event else { return };
        let block = log.log.block.number;
        match event {
            RegistryEvent::NewFeedback { agent, client, index, .. } if is_ours(agent.0) => {
                self.feedback((*agent, *client), *index, block, suspects);
            }
            RegistryEvent::FeedbackRevoked { agent, client, index } if is_ours(agent.0) => {
                let client = (*agent, *client);
                self.follow_up(event.name(), client, *index, block, suspects);
                if !self.revoked.insert((client, *index)) {
                    let what = named(client, *index);
                    self.followed.offend(format!("{what} is revoked again, at block {block}"));
                    suspects.block(block);
                }
            }
            RegistryEvent::ResponseAppended { agent, client, index, .. } if is_ours(agent.0) => {
                self.follow_up(event.name(), (*agent, *client), *index, block, suspects);
            }
            RegistryEvent::ValidationRequest { request_hash, .. }
                if is_ours((*request_hash).into()) && !self.requested.insert(*request_hash) =>
            {
                let again =
                    format!("validation {request_hash} is requested again, at block {block}");
                self.followed.offend(again);
                suspects.block(block);
            }
            RegistryEvent::ValidationResponse { request_hash, .. }
                if is_ours((*request_hash).into()) =>
            {
                self.followed.look(1);
                if !self.requested.contains(request_hash) {
                    self.followed.offend(format!(
                        "validation {request_hash} is missing, but has an answer at block {block}"
                    ));
                    suspects.request(*request_hash);
                }
            }
            _ => {}
        }
    }

    fn feedback(
        &mut self,
        client: Client,
        index: Option<u64>,
        block: u64,
        suspects: &mut Suspects,
    ) {
        let given = self.given.entry(client).or_default();
        let Some(index) = index else {
            given.is_unnumbered = true;
            self.unnumbered += 1;
            return;
        };
        let before = std::mem::replace(
            given,
            Given { last: given.last.max(index), block: Some(block), ..*given },
        );
        if before.is_unnumbered {
            return;
        }
        self.dense.look(1);
        let (first, last) = (before.last.saturating_add(1), index.saturating_sub(1));
        if index <= before.last {
            let what = named(client, index);
            self.dense.offend(format!("{what} comes again or too late, at block {block}"));
            suspects.block(block);
        } else if first <= last {
            let (agent, client) = client;
            let numbers =
                if first == last { first.to_string() } else { format!("{first} to {last}") };
            let missing = format!("feedback {numbers} of agent {agent} by {client} is missing");
            self.dense.offend(missing);
            suspects.feedback_gap(FeedbackGap { agent, client, from: before.block, to: block });
        }
    }

    fn follow_up(
        &mut self,
        name: &str,
        client: Client,
        index: u64,
        block: u64,
        suspects: &mut Suspects,
    ) {
        let given = self.given.get(&client).copied().unwrap_or_default();
        if given.is_unnumbered {
            return;
        }
        self.followed.look(1);
        if index == 0 || index > given.last {
            let what = named(client, index);
            self.followed.offend(format!("{what} is missing, but has a {name} at block {block}"));
            let (agent, client) = client;
            suspects.feedback_gap(FeedbackGap { agent, client, from: given.block, to: block });
            suspects.block(block);
        }
    }

    pub(super) fn finish(mut self) -> [Checked; 2] {
        if self.unnumbered > 0 {
            let why = format!(
                "{} feedbacks carry no number: their clients are left out",
                self.unnumbered
            );
            self.dense.unsaid = Some(why.clone());
            self.followed.unsaid = Some(why);
        }
        [self.dense, self.followed]
    }
}

fn named((agent, client): Client, index: u64) -> String {
    format!("feedback {index} of agent {agent} by {client}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Address = Address::repeat_byte(7);

    fn client(agent: u64) -> Client {
        (agent.into(), CLIENT)
    }

    #[test]
    fn numbers_have_no_gaps_within_a_client() {
        let mut suspects = Suspects::default();
        let mut walk = ThreadWalk::new();
        for (agent, index, block) in [(1, 1, 5), (2, 2, 6), (1, 2, 7), (2, 5, 8), (2, 5, 9)] {
            walk.feedback(client(agent), Some(index), block, &mut suspects);
        }
        let [dense, followed] = walk.finish();
        assert_eq!(
            dense.offences,
            [
                format!("feedback 1 of agent 2 by {CLIENT} is missing"),
                format!("feedback 3 to 4 of agent 2 by {CLIENT} is missing"),
                format!("feedback 5 of agent 2 by {CLIENT} comes again or too late, at block 9"),
            ]
        );
        assert_eq!(followed.offences, [""; 0]);
        let gaps: Vec<_> = suspects.feedback.iter().map(|gap| (gap.from, gap.to)).collect();
        assert_eq!(gaps, [(None, 6), (Some(6), 8)]);
    }

    #[test]
    fn what_follows_needs_an_origin_before_it() {
        let mut suspects = Suspects::default();
        let mut walk = ThreadWalk::new();
        walk.follow_up("ResponseAppended", client(1), 1, 4, &mut suspects);
        walk.feedback(client(1), Some(1), 5, &mut suspects);
        walk.follow_up("ResponseAppended", client(1), 1, 6, &mut suspects);
        walk.follow_up("FeedbackRevoked", client(1), 2, 7, &mut suspects);
        let [dense, followed] = walk.finish();
        assert_eq!((dense.offences.len(), followed.looked_at), (0, Some(3)));
        assert_eq!(
            followed.offences,
            [
                format!(
                    "feedback 1 of agent 1 by {CLIENT} is missing, but has a ResponseAppended at block 4"
                ),
                format!(
                    "feedback 2 of agent 1 by {CLIENT} is missing, but has a FeedbackRevoked at block 7"
                ),
            ]
        );
    }

    #[test]
    fn of_clients_without_numbers_nothing_is_said() {
        let mut suspects = Suspects::default();
        let mut walk = ThreadWalk::new();
        walk.feedback(client(1), None, 5, &mut suspects);
        walk.feedback(client(1), Some(9), 6, &mut suspects);
        walk.follow_up("FeedbackRevoked", client(1), 40, 7, &mut suspects);
        assert!(suspects.is_empty());
        for check in walk.finish() {
            assert_eq!(check.verdict(), super::super::Verdict::Unsaid);
        }
    }
}
