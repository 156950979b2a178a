//! Whose hand an issuer is: who speaks with one voice, and who is close to the agent that is spoken of.
//!
//! An assessment costs nothing, and neither does another wallet. Issuers that are under one proven control are one voice: all agents of an
//! owner, and the owner's account itself. Close to an agent is whoever ever owned it or was its wallet, and every agent of theirs.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;

use super::ledger::Ledger;
use super::rollup::IssuerKey;
use super::view::Standing;
use crate::attest::IssuerClass;
use crate::vocab::AgentId;

/// What counts of an issuer's own record stop at.
pub const STANDING_COUNT_MAX: u32 = 10_000;
/// So many issuers of an own record are told apart; what others say beyond them is not looked at.
const STANDING_ISSUERS_MAX: usize = 1_000;

/// What has to be known of issuers to tell whose hands they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hands<'a> {
    /// The agent that is spoken of.
    pub own: AgentId,
    /// Every account that owned it or was its wallet, by the block.
    pub near: &'a BTreeSet<Address>,
    /// The owners of the agents that speak, at the block.
    pub owners: &'a BTreeMap<AgentId, Address>,
    /// Which names are accounts of the chain, as far as they are owners or near.
    pub accounts: &'a BTreeMap<u64, Address>,
}

/// What all issuers under one control have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// The account that speaks, or that owns the agent that does.
    Account(Address),
    /// An agent whose owner is not known.
    Agent(AgentId),
    /// Nothing but the name itself.
    Name(u64),
}

impl Hands<'_> {
    /// With which voice an issuer speaks.
    #[must_use]
    pub fn voice(&self, issuer: &IssuerKey) -> Voice {
        if is_platform(issuer) {
            return Voice::Name(issuer.name);
        }
        let owner = |agent| self.owners.get(&agent).copied();
        if let Some(agent) = issuer.agent {
            return owner(agent).map_or(Voice::Agent(agent), Voice::Account);
        }
        let account = self.accounts.get(&issuer.name).copied();
        account.map_or(Voice::Name(issuer.name), Voice::Account)
    }

    /// Whether an issuer is close to the agent that is spoken of.
    #[must_use]
    pub fn is_kin(&self, issuer: &IssuerKey) -> bool {
        if is_platform(issuer) {
            return false;
        }
        let owner = issuer.agent.and_then(|agent| self.owners.get(&agent));
        let accounts = [self.accounts.get(&issuer.name), owner];
        issuer.agent == Some(self.own)
            || accounts.into_iter().flatten().any(|account| self.near.contains(account))
    }

    /// What the agent's own record comes to, by its [`counted_issuers`] and without what its own say of it; `given` is how much it said itself.
    #[must_use]
    pub fn standing(&self, issuers: &BTreeMap<IssuerKey, u32>, given: u32) -> Standing {
        let others = issuers.iter().filter(|(issuer, _)| !self.is_kin(issuer));
        let received = others.clone().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        let voices: BTreeSet<Voice> = others.map(|(issuer, _)| self.voice(issuer)).collect();
        let voices = u32::try_from(voices.len()).unwrap_or(u32::MAX);
        Standing { received: received.min(STANDING_COUNT_MAX), voices, given }
    }
}

/// The issuers that an agent's own record is made of, those that were first, and how much each said that it did not take back.
#[must_use]
pub fn counted_issuers(ledger: &Ledger) -> BTreeMap<IssuerKey, u32> {
    let mut issuers: BTreeMap<IssuerKey, u32> = BTreeMap::new();
    for entry in ledger.entries.iter().filter(|entry| !entry.is_withdrawn) {
        let issuer = IssuerKey::of(entry);
        if issuers.contains_key(&issuer) || issuers.len() < STANDING_ISSUERS_MAX {
            let count = issuers.entry(issuer).or_default();
            *count = count.saturating_add(1);
        }
    }
    issuers
}

/// A platform is nobody's hand.
const fn is_platform(issuer: &IssuerKey) -> bool {
    matches!(issuer.class, Some(IssuerClass::System | IssuerClass::Plugin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Entry, Posting, Thread};
    use crate::vocab::UnixSeconds;

    fn issuer(name: u64, agent: Option<u64>) -> IssuerKey {
        let class = agent.map(|_| IssuerClass::Agent);
        IssuerKey { name, agent: agent.map(AgentId::from), class }
    }

    fn entry(seq: u64, name: u64, agent: Option<u64>, is_withdrawn: bool) -> Entry {
        let posting = Posting {
            seq,
            said_at: UnixSeconds::EPOCH,
            issuer: name,
            spoken_by: 0,
            thread: Thread::default(),
            claim: 1,
            words: 0,
            game: 0,
            class: None,
        };
        Entry { posting, issuer_agent: agent.map(AgentId::from), is_withdrawn }
    }

    /// Agent 7 is spoken of; agents 1 and 2 are of one owner, whose account is name 20; name 30 was once the wallet of agent 7, and so owns
    /// agent 3.
    fn with_hands<T>(ask: impl Fn(&Hands<'_>) -> T) -> T {
        let [owner, near] = [Address::repeat_byte(2), Address::repeat_byte(3)];
        let owners = [(1_u64, owner), (2, owner), (3, near)];
        let owners = owners.map(|(id, owner)| (AgentId::from(id), owner)).into();
        let accounts = BTreeMap::from([(20, owner), (30, near)]);
        let near = BTreeSet::from([near]);
        let own = AgentId::from(7_u64);
        ask(&Hands { own, near: &near, owners: &owners, accounts: &accounts })
    }

    #[test]
    fn an_owner_and_its_agents_are_one_voice() {
        with_hands(|hands| {
            let owner = hands.voice(&issuer(20, None));
            assert_eq!(hands.voice(&issuer(1, Some(1))), owner);
            assert_eq!(hands.voice(&issuer(2, Some(2))), owner);
            assert_eq!(hands.voice(&issuer(9, Some(9))), Voice::Agent(AgentId::from(9_u64)));
            assert_eq!(hands.voice(&issuer(40, None)), Voice::Name(40));
            let platform = IssuerKey { class: Some(IssuerClass::System), ..issuer(20, None) };
            assert_eq!(hands.voice(&platform), Voice::Name(20));
        });
    }

    #[test]
    fn kin_is_whoever_was_close() {
        with_hands(|hands| {
            for (name, agent, expected) in [
                (5, Some(7), true),
                (30, None, true),
                (30, Some(8), true),
                (6, Some(3), true),
                (20, None, false),
                (1, Some(1), false),
            ] {
                assert_eq!(hands.is_kin(&issuer(name, agent)), expected, "{name} {agent:?}");
            }
            let platform = IssuerKey { class: Some(IssuerClass::Plugin), ..issuer(30, None) };
            assert!(!hands.is_kin(&platform));
        });
    }

    #[test]
    fn an_own_record_is_what_other_hands_said_and_let_stand() {
        let said = [
            (1, Some(1), false),
            (2, Some(2), false),
            (20, None, false),
            (40, None, false),
            (41, None, true),
            (30, None, false),
            (5, Some(7), false),
        ];
        let entries = (1..).zip(said);
        let entries = entries.map(|(seq, (name, agent, gone))| entry(seq, name, agent, gone));
        let ledger = Ledger { entries: entries.collect(), ..Ledger::default() };
        let issuers = counted_issuers(&ledger);
        let standing = with_hands(|hands| hands.standing(&issuers, 3));
        assert_eq!(standing, Standing { received: 4, voices: 2, given: 3 });
        assert_eq!(issuers.len(), 6);
    }

    #[test]
    fn a_bounded_number_of_issuers_is_told_apart() {
        let entries = (0..3_000).map(|n| entry(n + 1, 100 + n % 1_500, None, false));
        let ledger = Ledger { entries: entries.collect(), ..Ledger::default() };
        let issuers = counted_issuers(&ledger);
        assert_eq!(issuers.len(), 1_000);
        let standing = with_hands(|hands| hands.standing(&issuers, 0));
        assert_eq!((standing.received, standing.voices), (2_000, 1_000));
    }
}
