//! Reads a block's events as facts, by the rules of the registry's known code.
//!
//! The code of version 2.0.0 hands control to a registrant in the middle of a registration, so that events can stand in another order
//! than the storage they speak of was written in. Two rules, both about direct neighbours in the log, fold its events to its exact state at
//! every block: at the mint the wallet is the recipient, and the `agentWallet` event directly after the same agent's `Registered` is
//! ignored; `Registered` sets the URI only if the same agent's `MetadataUpdate` stands directly before it, where code that announces the
//! wallet first (as the proposed 2.1.0 does) may have put that announcement in between. Nothing else about order is
//! assumed. Under any other code these rules may fail: [`doubtful`] names the agents to ask the contract about.
//!
//! Of the other two registries only their upgrades are facts here. Storage and asking the contract are not here.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes, keccak256};

use super::fact::{Fact, SpanCause, SpanEnd, TimelineRef, Value};
use crate::registry::RegistryEvent;
use crate::vocab::{AgentId, Position, RegistryKind};

/// The reserved metadata key under which every change of wallet is announced; compared byte for byte.
pub const AGENT_WALLET_KEY: &[u8] = b"agentWallet";

/// An event of a registry and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryLog {
    /// Its position.
    pub at: Position,
    /// Of which registry.
    pub registry: RegistryKind,
    /// What it says.
    pub event: RegistryEvent,
}

/// The facts in the registry events of whole blocks, in the order of their positions.
///
/// `logs` are ascending and hold every event of their blocks: a missing neighbour would change the meaning.
#[must_use]
pub fn interpret(logs: &[RegistryLog]) -> Vec<Fact> {
    let mut facts = Vec::with_capacity(logs.len());
    for (i, log) in logs.iter().enumerate() {
        let before = before(logs, i);
        let after = logs.get(i + 1).filter(|a| is_next(log.at, a.at));
        if let RegistryEvent::Registered { agent, uri, .. } = &log.event {
            let update = match before {
                Some(announcement) if is_wallet_of(*agent, &announcement.event) => {
                    i.checked_sub(1).and_then(|i| self::before(logs, i))
                }
                other => other,
            };
            facts.extend(registered_uri(log.at, *agent, uri, update.map(|u| &u.event)));
            continue;
        }
        interpret_one(log, before.map(|b| &b.event), after.map(|a| &a.event), &mut facts);
    }
    facts
}

/// The log directly before the one at a place.
fn before(logs: &[RegistryLog], place: usize) -> Option<&RegistryLog> {
    let (before, log) = (logs.get(place.checked_sub(1)?)?, logs.get(place)?);
    is_next(before.at, log.at).then_some(before)
}

fn is_wallet_of(agent: AgentId, event: &RegistryEvent) -> bool {
    matches!(event, RegistryEvent::MetadataSet { agent: a, key, .. }
        if *a == agent && key.as_ref() == AGENT_WALLET_KEY)
}

/// What a `Registered` says of the URI: nothing, unless the log before it says that one was stored.
fn registered_uri(
    at: Position,
    agent: AgentId,
    uri: &Bytes,
    update: Option<&RegistryEvent>,
) -> Option<Fact> {
    let was_stored =
        matches!(update, Some(RegistryEvent::MetadataUpdate { agent: a }) if *a == agent);
    was_stored.then(|| Fact {
        at,
        timeline: TimelineRef::Uri(agent),
        value: Value::Uri(uri.clone()),
        cause: Some(SpanCause::Registered),
        ends: SpanEnd::Set,
    })
}

/// Whether two logs stand directly after each other.
fn is_next(first: Position, second: Position) -> bool {
    first.block_number == second.block_number
        && first.log_index.checked_add(1) == Some(second.log_index)
}

fn interpret_one(
    log: &RegistryLog,
    before: Option<&RegistryEvent>,
    after: Option<&RegistryEvent>,
    facts: &mut Vec<Fact>,
) {
    let set = Some(SpanCause::Set);
    let mut say = |timeline, value, cause, ends| {
        facts.push(Fact { at: log.at, timeline, value, cause, ends });
    };
    match &log.event {
        RegistryEvent::Transfer { from, to, agent } if from.is_zero() => {
            let cause = Some(SpanCause::Registered);
            say(TimelineRef::Owner(*agent), Value::Account(*to), cause, SpanEnd::Transfer);
            say(TimelineRef::Wallet(*agent), Value::Account(*to), cause, SpanEnd::Rotated);
            say(TimelineRef::Uri(*agent), Value::Uri(Bytes::new()), cause, SpanEnd::Set);
        }
        RegistryEvent::Transfer { to, agent, .. } => {
            // To zero is a burn, which known code never does: nobody owns the agent then.
            let cause = (!to.is_zero()).then_some(SpanCause::Transfer);
            say(TimelineRef::Owner(*agent), account(*to), cause, SpanEnd::Transfer);
            // The single approval ends without an event of its own.
            say(TimelineRef::Approved(*agent), Value::Absent, None, SpanEnd::Transfer);
            say(TimelineRef::Wallet(*agent), Value::Absent, None, SpanEnd::Transfer);
        }
        RegistryEvent::MetadataSet { agent, key, value } => {
            facts.extend(interpret_metadata(log.at, *agent, key, value, before, after));
        }
        RegistryEvent::UriUpdated { agent, uri, .. } => {
            say(TimelineRef::Uri(*agent), Value::Uri(uri.clone()), set, SpanEnd::Set);
        }
        RegistryEvent::Approval { approved, agent, .. } => {
            say(TimelineRef::Approved(*agent), account(*approved), set, SpanEnd::Set);
        }
        RegistryEvent::ApprovalForAll { owner, operator, approved } => {
            let value = if *approved { Value::Account(*operator) } else { Value::Absent };
            say(TimelineRef::Operator(*owner, *operator), value, set, SpanEnd::Set);
        }
        RegistryEvent::Upgraded { implementation } => {
            let timeline = TimelineRef::Implementation(log.registry);
            say(timeline, Value::Account(*implementation), set, SpanEnd::Set);
        }
        // A registration was read with the two logs before it.
        RegistryEvent::Registered { .. }
        | RegistryEvent::MetadataUpdate { .. }
        | RegistryEvent::BatchMetadataUpdate { .. }
        | RegistryEvent::Eip712DomainChanged
        | RegistryEvent::NewFeedback { .. }
        | RegistryEvent::FeedbackRevoked { .. }
        | RegistryEvent::ResponseAppended { .. }
        | RegistryEvent::ValidationRequest { .. }
        | RegistryEvent::ValidationResponse { .. }
        | RegistryEvent::OwnershipTransferred { .. }
        | RegistryEvent::Initialized { .. } => {}
    }
}

/// What a `MetadataSet` says: an entry, or under the reserved key the wallet.
fn interpret_metadata(
    at: Position,
    agent: AgentId,
    key: &Bytes,
    value: &Bytes,
    before: Option<&RegistryEvent>,
    after: Option<&RegistryEvent>,
) -> Option<Fact> {
    if key.as_ref() != AGENT_WALLET_KEY {
        let timeline = TimelineRef::Metadata(agent, keccak256(key));
        let value = Value::Entry { key: key.clone(), value: value.clone() };
        return Some(Fact { at, timeline, value, cause: Some(SpanCause::Set), ends: SpanEnd::Set });
    }
    let timeline = TimelineRef::Wallet(agent);
    if matches!(before, Some(RegistryEvent::Registered { agent: a, .. }) if *a == agent) {
        // The announcement of the wallet that was stored at the mint; by now the storage may say otherwise.
        return None;
    }
    if value.is_empty() {
        let moves = matches!(after, Some(RegistryEvent::Transfer { agent: a, .. }) if *a == agent);
        let ends = if moves { SpanEnd::Transfer } else { SpanEnd::Unset };
        return Some(Fact { at, timeline, value: Value::Absent, cause: None, ends });
    }
    // Any other length was never written by known code; under unknown code the contract is asked.
    let wallet = Value::Account(Address::try_from(value.as_ref()).ok()?);
    let cause = Some(SpanCause::Proven);
    Some(Fact { at, timeline, value: wallet, cause, ends: SpanEnd::Rotated })
}

fn account(address: Address) -> Value {
    if address.is_zero() { Value::Absent } else { Value::Account(address) }
}

/// What a log of the identity registry means for [`doubtful`], decoded or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The block.
    pub block_number: u64,
    /// The agent it speaks of; of a log that cannot be decoded, what would be the agent if its first argument is one.
    pub agent: Option<AgentId>,
    /// The code it puts behind the proxy, where it is an upgrade.
    pub upgraded_to: Option<Address>,
}

/// The agents, by block, whose wallet the events do not settle.
///
/// Those are all that are spoken of while the registry's code is not a known one; and wherever the code changes, all that were in doubt
/// before, since other code may read another answer out of the same storage.
///
/// An agent that does not exist at the end of a block is neither asked about there nor in doubt afterwards.
///
/// `mentions` are in the order of the log; `is_known` says whether the code before the first of them is known; `exists` whether an agent
/// is there at the end of a block; `before` holds the agents that were asked about at some block before theirs.
#[must_use]
pub fn doubtful(
    mentions: &[Mention],
    mut is_known: bool,
    knows: impl Fn(Address) -> bool,
    exists: impl Fn(u64, AgentId) -> bool,
    mut before: BTreeSet<AgentId>,
) -> BTreeSet<(u64, AgentId)> {
    let mut found = BTreeSet::new();
    for mention in mentions {
        if let Some(code) = mention.upgraded_to {
            is_known = knows(code);
            let there = before.iter().filter(|agent| exists(mention.block_number, **agent));
            found.extend(there.map(|agent| (mention.block_number, *agent)));
        }
        if let Some(agent) =
            mention.agent.filter(|agent| !is_known && exists(mention.block_number, *agent))
        {
            found.insert((mention.block_number, agent));
            before.insert(agent);
        }
    }
    found
}

/// The fact in a contract's answer to `getAgentWallet`, asked at the end of a block; the zero address is nobody.
#[must_use]
pub fn observed_wallet(block_number: u64, agent: AgentId, wallet: Address) -> Fact {
    Fact {
        at: Position::end_of(block_number),
        timeline: TimelineRef::Wallet(agent),
        value: account(wallet),
        cause: Some(SpanCause::Observed),
        ends: SpanEnd::Observed,
    }
}

/// The fact in a proxy's implementation slot (ERC-1967), read at the end of a block.
#[must_use]
pub fn observed_implementation(block_number: u64, kind: RegistryKind, code: Address) -> Fact {
    Fact {
        at: Position::end_of(block_number),
        timeline: TimelineRef::Implementation(kind),
        value: account(code),
        cause: Some(SpanCause::Observed),
        ends: SpanEnd::Observed,
    }
}

#[cfg(test)]
#[path = "interpret_tests.rs"]
mod tests;
