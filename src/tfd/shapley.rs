//! Exact Shapley shares of the live-edge model.
//!
//! A failure is worth one, and a coalition is worth the probability that the whole cause set is within it. That game is a sum of unanimity
//! games, one for each cause set, so a share is the expected part if every cause set divides the failure equally: the sum over sets of
//! their probability over their size. On a path the sets are the runs from the failing agent upwards, which gives a closed form; on a graph
//! the states of the edges are enumerated, as far as they matter. Within a player nothing is attenuated, so that no edge there is counted.
//!
//! Shares are numerators over one denominator, and sum to it. Nothing is rounded here.

use alloy::primitives::Uint;

use super::graph::{Flow, Link, Path};
use super::split::Natural;
use super::weight;
use crate::vocab::Ppb;

/// Most edges of a graph whose states are enumerated.
pub const EDGES_EXACT_MAX: usize = 20;

/// Probabilities during an enumeration: twenty factors of a billionth, and as many times as there can be states.
type Narrow = Uint<640, 10>;

/// What each player carries of one failure. All lists have one entry for each player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Who can be a cause, the failing one first. Everybody else carries nothing.
    pub players: Vec<usize>,
    /// The probability to be one.
    pub weights: Vec<Ppb>,
    /// Where the buck stops; only on a path.
    pub pass_up: Option<Vec<Ppb>>,
    /// Shapley shares, as numerators.
    pub numerators: Vec<Natural>,
    /// The denominator of all of them, and their sum.
    pub denominator: Natural,
}

/// The shares on a path: with weight w(j) at position j, and k(j) players up to there, `share = sum over j of (w(j) - w(j+1)) / k(j)`, over
/// all j at which the player is among them.
#[must_use]
pub fn of_path(path: &Path) -> Shares {
    // The probability that position j is reached: j betas, over as many billions as there are hops.
    let billion = Natural::from(Ppb::ONE.get());
    let times = |product: &mut Natural, beta: &Ppb| {
        *product *= Natural::from(beta.get());
        Some(*product)
    };
    let products = std::iter::once(Natural::ONE).chain(path.betas.iter().scan(Natural::ONE, times));
    let mut reached: Vec<Natural> = products.collect();
    let mut missing = Natural::ONE;
    for product in reached.iter_mut().rev() {
        *product *= missing;
        missing *= billion;
    }
    let scale = reached.first().copied().unwrap_or(Natural::ONE);
    let (sizes, is_first) = sizes(&path.players);
    let multiple = common_multiple(sizes.last().copied().unwrap_or(1));
    let mut sum = Natural::ZERO;
    let mut above = Natural::ZERO;
    let mut of_first = Vec::new();
    for ((reached, size), is_first) in reached.iter().zip(&sizes).zip(&is_first).rev() {
        sum += (reached - above) * Natural::from(multiple / size);
        above = *reached;
        if *is_first {
            of_first.push(sum);
        }
    }
    of_first.reverse();
    let players = weight::of_players(path);
    Shares {
        weights: players.iter().map(|(_, weight, _)| *weight).collect(),
        pass_up: Some(players.iter().map(|(.., pass_up)| *pass_up).collect()),
        players: players.into_iter().map(|(player, ..)| player).collect(),
        numerators: of_first,
        denominator: scale * Natural::from(multiple),
    }
}

/// How many players there are up to each position, and whether its player is new there.
fn sizes(players: &[usize]) -> (Vec<u128>, Vec<bool>) {
    let mut seen = Vec::new();
    let mut is_first = Vec::new();
    let mut sizes = Vec::new();
    for player in players {
        let new = !seen.contains(player);
        if new {
            seen.push(*player);
        }
        is_first.push(new);
        sizes.push(u128::try_from(seen.len()).unwrap_or(1));
    }
    (sizes, is_first)
}

/// The least common multiple of 1 up to a count of players; below 2^128 for all that is computed here.
fn common_multiple(count: u128) -> u128 {
    (2..=count).fold(1, |multiple, next| multiple / greatest_common_divisor(multiple, next) * next)
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The shares on a graph; `None` where it has more than [`EDGES_EXACT_MAX`] edges. Those within one player are none.
#[must_use]
pub fn of_graph(flow: &Flow) -> Option<Shares> {
    if flow.links.len() > EDGES_EXACT_MAX {
        return None;
    }
    let mut players: Vec<usize> = Vec::new();
    for player in &flow.players {
        if !players.contains(player) {
            players.push(*player);
        }
    }
    let mut enumeration = Enumeration {
        edges: edges(flow, &players),
        powers: powers(flow.links.len()),
        sums: vec![vec![Narrow::ZERO; players.len()]; players.len() + 1],
    };
    let first = Stop::of(flow, flow.failing, &players, &stops(flow));
    enumeration.branch(State {
        reached: first.reaches,
        members: first.player,
        decided: 0,
        probability: Narrow::ONE,
    });
    Some(enumeration.shares(players))
}

/// The nodes at which a walk upwards can arrive over a link: the failing one, and all that delegated to another player. With at most
/// [`EDGES_EXACT_MAX`] links they fit a set of bits, however many nodes there are in between that the same player went through.
fn stops(flow: &Flow) -> Vec<usize> {
    let mut stops = vec![flow.failing];
    stops.extend(flow.links.iter().map(|link| link.parent));
    stops.sort_unstable();
    stops.dedup();
    stops
}

/// What arriving at a node comes to. Sets are bits.
struct Stop {
    /// Its player.
    player: u32,
    /// The stops that are certain causes then, itself among them.
    reaches: u32,
}

impl Stop {
    fn of(flow: &Flow, node: usize, players: &[usize], stops: &[usize]) -> Self {
        let player = flow.players.get(node);
        let local = players.iter().position(|known| Some(known) == player).unwrap_or(0);
        let certain = flow.certain(node);
        let bits = stops.iter().enumerate().filter(|(_, stop)| certain.contains(stop));
        Self {
            player: 1 << local,
            reaches: bits.fold(0, |reaches, (place, _)| reaches | 1 << place),
        }
    }
}

/// The links of a flow, as what they lead from and to.
fn edges(flow: &Flow, players: &[usize]) -> Vec<Edge> {
    let stops = stops(flow);
    let certain: Vec<Vec<usize>> = stops.iter().map(|stop| flow.certain(*stop)).collect();
    let edge = |link: &Link| {
        let parent = stops.binary_search(&link.parent).unwrap_or(0);
        let below = certain.iter().enumerate().filter(|(_, nodes)| nodes.contains(&link.child));
        Edge {
            below: below.fold(0, |below, (place, _)| below | 1 << place),
            parent: 1 << parent,
            above: Stop::of(flow, link.parent, players, &stops),
            beta: link.beta,
        }
    };
    flow.links.iter().map(edge).collect()
}

/// A link between players. Sets are bits: of stops, but for the player.
struct Edge {
    /// From which stops its child is reached.
    below: u32,
    /// Its parent.
    parent: u32,
    /// What is reached with its parent.
    above: Stop,
    beta: Ppb,
}

/// 10^9 to the power of 0 up to `count`.
fn powers(count: usize) -> Vec<Narrow> {
    let next = |power: &Narrow| Some(power.wrapping_mul(Narrow::from(Ppb::ONE.get())));
    std::iter::successors(Some(Narrow::ONE), next).take(count + 1).collect()
}

/// A set of stops that certainly are causes, and which edges were decided on the way to it. Sets are bits.
#[derive(Clone, Copy)]
struct State {
    reached: u32,
    members: u32,
    decided: u32,
    probability: Narrow,
}

struct Enumeration {
    edges: Vec<Edge>,
    powers: Vec<Narrow>,
    /// For each size of a cause set and each player: the probability of all sets of that size with it.
    sums: Vec<Vec<Narrow>>,
}

impl Enumeration {
    /// Decides one edge after the other that leads into the set from outside; where there is none left, the set is a cause set. Edges
    /// between members, and those that lead elsewhere, make no difference, and all their states are taken together.
    fn branch(&mut self, state: State) {
        let matters = |(index, edge): &(usize, &Edge)| {
            state.decided & (1 << index) == 0
                && state.reached & edge.below != 0
                && state.reached & edge.parent == 0
        };
        let Some((index, edge)) = self.edges.iter().enumerate().find(matters) else {
            self.add(state);
            return;
        };
        let decided = state.decided | 1 << index;
        let times = |part: Ppb| state.probability.wrapping_mul(Narrow::from(part.get()));
        let live = State {
            reached: state.reached | edge.above.reaches,
            members: state.members | edge.above.player,
            decided,
            probability: times(edge.beta),
        };
        let dead = edge.beta.complement();
        let dead = (dead > Ppb::ZERO).then(|| State { decided, probability: times(dead), ..state });
        self.branch(live);
        if let Some(dead) = dead {
            self.branch(dead);
        }
    }

    fn add(&mut self, state: State) {
        let undecided = self.edges.len() - usize::try_from(state.decided.count_ones()).unwrap_or(0);
        let missing = self.powers.get(undecided).copied().unwrap_or(Narrow::ONE);
        let probability = state.probability.wrapping_mul(missing);
        let size = usize::try_from(state.members.count_ones()).unwrap_or(0);
        let sums = self.sums.get_mut(size).into_iter().flatten();
        for (player, sum) in sums.enumerate() {
            if state.members & (1 << player) != 0 {
                *sum += probability;
            }
        }
    }

    fn shares(&self, players: Vec<usize>) -> Shares {
        let multiple = common_multiple(u128::try_from(players.len()).unwrap_or(1));
        let certain = Natural::from(self.powers.last().copied().unwrap_or(Narrow::ONE));
        let mut inclusions = vec![Natural::ZERO; players.len()];
        let mut numerators = vec![Natural::ZERO; players.len()];
        for (size, sums) in (0_u128..).zip(&self.sums).skip(1) {
            let totals = inclusions.iter_mut().zip(&mut numerators);
            for ((inclusion, numerator), sum) in totals.zip(sums) {
                *inclusion += Natural::from(*sum);
                *numerator += Natural::from(*sum) * Natural::from(multiple / size);
            }
        }
        Shares {
            players,
            weights: inclusions
                .into_iter()
                .map(|inclusion| rounded(&inclusion, &certain))
                .collect(),
            pass_up: None,
            numerators,
            denominator: certain * Natural::from(multiple),
        }
    }
}

/// A ratio of wide numbers, at most one, rounded half to even.
fn rounded(numerator: &Natural, denominator: &Natural) -> Ppb {
    let (quotient, rest) = (*numerator * Natural::from(Ppb::ONE.get())).div_rem(*denominator);
    let quotient = u32::try_from(quotient).unwrap_or(u32::MAX);
    let other = *denominator - rest;
    let up = rest > other || (rest == other && quotient % 2 == 1);
    Ppb::new(quotient + u32::from(up))
}

#[cfg(test)]
mod tests;
