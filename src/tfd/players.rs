//! Who plays: the agents of a case, joined by operator, and the delegations between their invocations.
//!
//! A player's key is the id of its operator where control is proven, else the agent's own name. A skill is played by its publisher; where
//! nobody knows that one, by `unattributed:` and the version's digest, so that its part is nobody else's (definition 15). Players are
//! numbered by ascending key, which is the order in which equal remainders of an amount are handed out (definition 19).

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Edge, Invocation, Operator};
use super::check::UNATTRIBUTED;
use super::graph::Link;
use super::inputs::{EdgeFacts, Flag, facts};
use crate::vocab::Ppb;

/// A case as numbers: nodes are invocations, in the order of the case.
pub(super) struct Players {
    /// The keys, ascending.
    pub(super) keys: Vec<String>,
    /// The agents of each player, ascending.
    pub(super) agents: Vec<BTreeSet<String>>,
    /// The player of each node.
    pub(super) of_node: Vec<usize>,
    /// The delegations, in the order of the case.
    pub(super) edges: Vec<ReadEdge>,
    nodes: BTreeMap<String, usize>,
}

/// A delegation, read, and what it carries.
pub(super) struct ReadEdge {
    pub(super) facts: EdgeFacts,
    pub(super) parent: usize,
    pub(super) child: usize,
    /// The beta that weights and shares are made of; `None` where the edge carries nothing or vanishes.
    pub(super) carried: Option<Ppb>,
    /// Whether both ends are one player.
    pub(super) is_inner: bool,
}

impl Players {
    /// Reads a case that was checked.
    pub(super) fn of(case: &Case) -> Self {
        let operators = by_agent(&case.operators);
        let key = |invocation: &Invocation| match (invocation.answerable(), &invocation.skill) {
            (Some(agent), _) => (*operators.get(agent).unwrap_or(&agent)).to_owned(),
            (None, Some(skill)) => format!("{UNATTRIBUTED}{}", skill.digest),
            (None, None) => UNATTRIBUTED.to_owned(),
        };
        let mut agents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for invocation in &case.invocations {
            let members = agents.entry(key(invocation)).or_default();
            members.extend(invocation.answerable().map(str::to_owned));
        }
        let keys: Vec<String> = agents.keys().cloned().collect();
        let player = |invocation: &Invocation| keys.binary_search(&key(invocation)).unwrap_or(0);
        let of_node: Vec<usize> = case.invocations.iter().map(player).collect();
        let ids = case.invocations.iter().map(|invocation| invocation.id.clone());
        let nodes: BTreeMap<String, usize> = ids.zip(0..).collect();
        let suspected = by_agent(&case.suspected_operators);
        let edges = case.edges.iter().filter_map(|edge| {
            let (parent, child) =
                nodes.get(&edge.parent).copied().zip(nodes.get(&edge.child).copied())?;
            let both = case.invocations.get(parent).zip(case.invocations.get(child))?;
            let is_inner = of_node.get(parent) == of_node.get(child);
            Some(read(case, edge, (parent, child), both, is_inner, &suspected))
        });
        let edges = edges.collect();
        Self { agents: agents.into_values().collect(), keys, of_node, edges, nodes }
    }

    /// The node of an invocation.
    pub(super) fn node(&self, id: &str) -> Option<usize> {
        self.nodes.get(id).copied()
    }

    /// The delegations that carry weight, and those that vanish because both ends are one player.
    pub(super) fn links(&self) -> Vec<Link> {
        let link = |edge: &ReadEdge| {
            let beta = if edge.is_inner { Some(Ppb::ONE) } else { edge.carried };
            beta.map(|beta| Link { parent: edge.parent, child: edge.child, beta })
        };
        self.edges.iter().filter_map(link).collect()
    }
}

fn by_agent(operators: &[Operator]) -> BTreeMap<&str, &str> {
    let members = operators.iter().flat_map(|operator| {
        operator.agents.iter().map(|agent| (agent.as_str(), operator.id.as_str()))
    });
    members.collect()
}

fn read(
    case: &Case,
    edge: &Edge,
    (parent, child): (usize, usize),
    both: (&Invocation, &Invocation),
    is_inner: bool,
    suspected: &BTreeMap<&str, &str>,
) -> ReadEdge {
    let mut facts = facts(edge, both.1.skill.is_some(), &case.policy);
    let beta_raw = facts.inputs.beta_raw();
    if beta_raw > Ppb::ONE {
        facts.flags.push(Flag::BetaClamped);
    }
    // Control is proven by other records than the delegation's: what is within one player vanishes, whoever signed it.
    if is_inner {
        facts.flags.push(Flag::CoOwned);
    }
    let suspect = |invocation: &Invocation| suspected.get(invocation.answerable()?).copied();
    if !is_inner && suspect(both.0).is_some() && suspect(both.0) == suspect(both.1) {
        facts.flags.push(Flag::SuspectedCoOwned);
    }
    let carries = facts.state.carries() && !is_inner;
    let is_contracted = carries && case.policy.contract_shells && facts.inputs.is_pass_through();
    if is_contracted {
        facts.flags.push(Flag::ShellContracted);
    }
    facts.flags.sort_unstable();
    let beta = if is_contracted { Ppb::ONE } else { beta_raw.min(Ppb::ONE) };
    ReadEdge { facts, parent, child, carried: carries.then_some(beta), is_inner }
}
