//! Who is under one control with whom, by what is proven: the chain's word on owners and wallets, at the times of a trace.
//!
//! Two names are one operator when, at some moment of the trace, one account held both: owned the agents, was a wallet of them that signed
//! for itself, or is the name itself. That is so transitively, for the whole trace: who hires a sister through a stranger's agent of the
//! same owner hires itself. What the registry says and nobody signed (a wallet that was only registered) is no proof, and gives suspicions.
//! Definition 16 of `docs/tfd.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::attest::canonical;
use crate::tfd::Operator;
use crate::vocab::{AccountId, Digest, Subject, UnixSeconds};

/// That an account held a name, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Control {
    /// Whom: an agent, or the account itself.
    pub name: Subject,
    /// By which account.
    pub account: AccountId,
    /// By what.
    pub by: ControlBy,
    /// The first second.
    pub from: UnixSeconds,
    /// The first second in which it no longer did.
    pub to: Option<UnixSeconds>,
}

/// By what an account holds a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlBy {
    /// It is the account.
    Itself,
    /// It owns the agent.
    Owner,
    /// It is the agent's wallet, and signed for that.
    ProvenWallet,
    /// It is the agent's wallet by the registry's word alone.
    RegisteredWallet,
}

impl ControlBy {
    const fn is_proven(self) -> bool {
        !matches!(self, Self::RegisteredWallet)
    }
}

/// One account that held several names at a moment of the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldTogether {
    /// The account, in CAIP-10.
    pub account: String,
    /// The moment.
    pub at: UnixSeconds,
    /// Whom it held, and by what, in order.
    pub held: Vec<(Subject, ControlBy)>,
}

impl HeldTogether {
    /// The SHA-256 of its RFC 8785 bytes: what an operator of a case names as its evidence.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let bytes =
            serde_json::to_value(self).ok().and_then(|value| canonical::to_bytes(&value).ok());
        Digest::of(&bytes.unwrap_or_default())
    }
}

/// The operators of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators {
    /// Proven to be one.
    pub proven: Vec<Operator>,
    /// Suspected to be.
    pub suspected: Vec<Operator>,
    /// What both rest on.
    pub evidence: Vec<HeldTogether>,
}

/// Puts names together that were under one control at one of some moments.
#[must_use]
pub fn operators(control: &[Control], moments: &BTreeSet<UnixSeconds>) -> Operators {
    let together: Vec<HeldTogether> = moments.iter().flat_map(|at| held_at(control, *at)).collect();
    let proven = grouped("operator", &together, ControlBy::is_proven);
    let known: BTreeSet<&[String]> =
        proven.iter().map(|operator| operator.agents.as_slice()).collect();
    let suspected = grouped("suspected", &together, |_| true);
    let suspected =
        suspected.into_iter().filter(|operator| !known.contains(operator.agents.as_slice()));
    let suspected: Vec<_> = suspected.collect();
    let named: BTreeSet<Digest> =
        proven.iter().chain(&suspected).flat_map(|one| one.evidence.clone()).collect();
    let mut evidence: BTreeMap<Digest, HeldTogether> =
        together.into_iter().map(|held| (held.digest(), held)).collect();
    evidence.retain(|digest, _| named.contains(digest));
    Operators { proven, suspected, evidence: evidence.into_values().collect() }
}

/// Each account that held more than one name at a moment.
fn held_at(control: &[Control], at: UnixSeconds) -> Vec<HeldTogether> {
    let mut by_account: BTreeMap<AccountId, BTreeMap<&Subject, ControlBy>> = BTreeMap::new();
    let holds = |one: &&Control| one.from <= at && one.to.is_none_or(|to| at < to);
    for one in control.iter().filter(holds) {
        let by = by_account.entry(one.account).or_default().entry(&one.name).or_insert(one.by);
        // The strongest of several reasons.
        *by = (*by).min(one.by);
    }
    let several = by_account.into_iter().filter(|(_, held)| held.len() > 1);
    let told = several.map(|(account, held)| HeldTogether {
        account: account.to_string(),
        at,
        held: held.into_iter().map(|(name, by)| (name.clone(), by)).collect(),
    });
    told.collect()
}

/// Connected components over what counts.
fn grouped(
    word: &str,
    together: &[HeldTogether],
    counts: impl Fn(ControlBy) -> bool,
) -> Vec<Operator> {
    let mut groups: Vec<(BTreeSet<String>, BTreeSet<Digest>)> = Vec::new();
    for held in together {
        let names = held.held.iter().filter(|(_, by)| counts(*by));
        let mut names: BTreeSet<String> = names.map(|(name, _)| name.to_string()).collect();
        if names.len() < 2 {
            continue;
        }
        let mut evidence = BTreeSet::from([held.digest()]);
        groups.retain(|(others, of_others)| {
            let is_apart = names.is_disjoint(others);
            if !is_apart {
                names.extend(others.iter().cloned());
                evidence.extend(of_others);
            }
            is_apart
        });
        groups.push((names, evidence));
    }
    groups.sort();
    let operator = |(names, evidence): (BTreeSet<String>, BTreeSet<Digest>)| {
        let first = names.first().cloned().unwrap_or_default();
        let id = format!("{word}:{first}");
        Operator {
            id,
            agents: names.into_iter().collect(),
            evidence: evidence.into_iter().collect(),
        }
    };
    groups.into_iter().map(operator).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "eip155:8453:0x1111111111111111111111111111111111111111";
    const WALLET: &str = "eip155:8453:0x2222222222222222222222222222222222222222";

    fn agent(number: u8) -> Subject {
        let text = format!("eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:{number}");
        text.parse().unwrap()
    }

    fn at(second: u64) -> UnixSeconds {
        UnixSeconds::new(second).unwrap()
    }

    fn held(number: u8, account: &str, by: ControlBy, from: u64, to: Option<u64>) -> Control {
        let Ok(Subject::Account(account)) = account.parse() else { panic!("{account}") };
        Control { name: agent(number), account, by, from: at(from), to: to.map(at) }
    }

    fn agents(operators: &[Operator]) -> Vec<Vec<String>> {
        operators.iter().map(|one| one.agents.clone()).collect()
    }

    /// Definition 16: one owner at a moment of the trace is one operator, and one before or after it is not.
    #[test]
    fn definition_16_one_owner_at_a_moment_of_the_trace_is_one_operator() {
        let control = [
            held(1, OWNER, ControlBy::Owner, 10, Some(20)),
            held(2, OWNER, ControlBy::Owner, 15, None),
            held(3, WALLET, ControlBy::Owner, 0, None),
        ];
        for (moment, together) in [(14, false), (15, true), (19, true), (20, false)] {
            let found = operators(&control, &BTreeSet::from([at(moment)]));
            assert_eq!(!found.proven.is_empty(), together, "at {moment}");
            assert_eq!(found.suspected, []);
        }
        let found = operators(&control, &BTreeSet::from([at(16), at(30)]));
        assert_eq!(agents(&found.proven), [[agent(1).to_string(), agent(2).to_string()]]);
        assert_eq!(found.proven[0].evidence, [found.evidence[0].digest()]);
        assert_eq!((found.evidence.len(), found.evidence[0].at), (1, at(16)));
    }

    /// Control is passed on: by the owner of one, and the proven wallet of the next.
    #[test]
    fn control_is_transitive_over_accounts_and_moments() {
        let control = [
            held(1, OWNER, ControlBy::Owner, 0, Some(10)),
            held(2, OWNER, ControlBy::Owner, 0, None),
            held(2, WALLET, ControlBy::ProvenWallet, 50, None),
            held(3, WALLET, ControlBy::ProvenWallet, 50, None),
        ];
        let found = operators(&control, &BTreeSet::from([at(5), at(60)]));
        assert_eq!(agents(&found.proven), [[1, 2, 3].map(|n| agent(n).to_string())]);
        assert_eq!(found.evidence.len(), 2);
    }

    /// Anybody can register an agent with somebody else's wallet, so that proves nothing.
    #[test]
    fn a_wallet_that_nobody_proved_is_a_suspicion() {
        let control = [
            held(1, WALLET, ControlBy::ProvenWallet, 0, None),
            held(2, WALLET, ControlBy::RegisteredWallet, 0, None),
        ];
        let found = operators(&control, &BTreeSet::from([at(5)]));
        assert_eq!(found.proven, []);
        assert_eq!(agents(&found.suspected), [[1, 2].map(|n| agent(n).to_string())]);
    }

    /// An account that stands in a trace by itself, and owns an agent in it.
    #[test]
    fn an_account_is_one_with_the_agent_it_owns() {
        let name: Subject = OWNER.parse().unwrap();
        let Subject::Account(account) = name else { panic!() };
        let itself =
            Control { name, account, by: ControlBy::Itself, from: UnixSeconds::EPOCH, to: None };
        let control = [itself, held(1, OWNER, ControlBy::Owner, 0, None)];
        let found = operators(&control, &BTreeSet::from([at(5)]));
        assert_eq!(agents(&found.proven), [[OWNER.to_owned(), agent(1).to_string()]]);
    }
}
