//! All that is said of one case: four outputs for each player, the parts of each edge, flags, and the case itself.
//!
//! A report holds its whole input, so that anyone can compute it again; and it has one form in bytes, [`Report::canonical`], so that it can
//! be named by its digest and signed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::{Case, Failure, Loss, Profile, SplitBy};
use super::check::{CaseError, check};
use super::edge::{EdgeInputs, EdgeScore};
use super::graph::{Flow, Shape};
use super::inputs::{EdgeState, Flag};
use super::measure::Counted;
use super::players::{Players, ReadEdge};
use super::sample::{Sampling, sample};
use super::shapley::{EDGES_EXACT_MAX, Shares, of_graph, of_path};
use super::split::{Natural, split};
use crate::vocab::{Digest, Ppb};

/// The longest exact share, in characters: of 64 hops, over 10^576 and a common multiple of 1 to 65, which has 28 digits.
pub const FRACTION_MAX: usize = 2 * 604 + 1;

/// What is said of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// By which rules it was computed.
    pub profile: Profile,
    /// The digest of the case's canonical bytes.
    pub case_digest: Digest,
    /// From when the attribution counts, in unix seconds: when the failure was noticed (definition 13).
    pub effective_at: Option<u64>,
    /// When the last run ended whose records were counted; nothing later is an input (definition 13).
    pub frozen_at: Option<u64>,
    /// Each delegation, in the order of the case.
    pub edges: Vec<EdgeReport>,
    /// Each buyer's loss, in the order of the case.
    pub failures: Vec<FailureReport>,
    /// What each player carries of all stated losses, by unit and player (definition 18).
    pub totals: Vec<Total>,
    /// What holds for all of it.
    pub flags: Vec<Flag>,
    /// What it was computed from.
    pub case: Case,
}

/// A delegation: its inputs as they were used, and what they come to.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeReport {
    /// The invocations, and who played them.
    pub parent: String,
    /// The child's.
    pub child: String,
    /// The parent's player.
    pub parent_player: String,
    /// The child's.
    pub child_player: String,
    /// Who signed.
    pub state: EdgeState,
    /// The inputs of the formula.
    pub inputs: EdgeInputs,
    /// How the interactions were counted, where their records are there.
    pub counted: Option<Counted>,
    /// Control, gap, oversight, beta and its parts.
    #[serde(flatten)]
    pub score: EdgeScore,
    /// The beta that is carried upwards; `null` where the edge carries nothing or vanishes.
    pub carried_ppb: Option<Ppb>,
    /// What to know of it.
    pub flags: Vec<Flag>,
}

/// How the figures of a failure were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Method {
    /// The product along a path, and the closed form of its shares.
    Path {
        /// Delegations of the path.
        hops: usize,
    },
    /// All states of the edges of a graph.
    Enumerated {
        /// Edges of the graph.
        edges: usize,
    },
    /// Drawn by lot.
    Sampled {
        /// Edges of the graph.
        edges: usize,
        /// What determined the draw.
        seed: u64,
        /// How often it was drawn.
        samples: u32,
        /// The most that any weight or share is off, except once in a million seeds.
        error_bound_ppb: Ppb,
    },
}

/// One buyer's loss, attributed.
#[derive(Clone, Debug, Serialize)]
pub struct FailureReport {
    /// Who bought.
    pub buyer: String,
    /// The invocation that failed.
    pub failed: String,
    /// How much was lost.
    pub loss: Option<Loss>,
    /// How it was computed.
    pub method: Method,
    /// By which output the loss is split.
    pub split: SplitBy,
    /// The players of the path, the failing one first, as often as they stand on it; `null` where it is none.
    pub path: Option<Vec<String>>,
    /// Every player of the case, by key; those that cannot have been a cause have zeros.
    pub players: Vec<PlayerReport>,
    /// What to know of it.
    pub flags: Vec<Flag>,
}

/// The four outputs for one player (definition 9).
#[derive(Clone, Debug, Serialize)]
pub struct PlayerReport {
    /// Its key.
    pub player: String,
    /// Who it is.
    pub agents: Vec<String>,
    /// Penalty multiplier: the probability to be a cause. Weights sum to more than one.
    pub weight_ppb: Ppb,
    /// Shapley share; these sum to one.
    pub shapley_ppb: Ppb,
    /// The same exactly, in lowest terms: at most [`FRACTION_MAX`] characters. `null` only where it was drawn by lot.
    pub shapley: Option<String>,
    /// Where the buck stops; these sum to one. `null` where there is no one path.
    pub pass_up_ppb: Option<Ppb>,
    /// The weight over the sum of weights; for comparison only.
    pub normalised_ppb: Ppb,
    /// Its part of the loss, in minor units; these sum to the loss. `null` where no loss is stated.
    pub amount: Option<String>,
}

/// What one player carries in one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Of what.
    pub unit: String,
    /// Who.
    pub player: String,
    /// How much, in minor units.
    pub amount: String,
}

impl Report {
    /// The report's one form in bytes: RFC 8785 canonical JSON.
    ///
    /// # Errors
    /// Never for a report that [`report`] made.
    pub fn canonical(&self) -> Result<String, CaseError> {
        canonical(self)
    }
}

fn canonical(value: &impl Serialize) -> Result<String, CaseError> {
    let written = serde_json_canonicalizer::to_string(value);
    written.map_err(|error| CaseError::new("the case", error.to_string()))
}

/// Computes the report of a case. A graph of too many edges is refused, unless `sampling` says how to draw its figures by lot.
///
/// # Errors
/// When the case makes no sense, or cannot be computed as asked.
pub fn report(case: &Case, sampling: Option<Sampling>) -> Result<Report, CaseError> {
    check(case)?;
    let players = Players::of(case);
    let links = players.links();
    let attribute = |(index, failure): (usize, &Failure)| {
        let failing = players.node(&failure.failed).unwrap_or(0);
        let flow = Flow::new(&players.of_node, &links, failing);
        let field = format!("failures[{index}]");
        attribute(&field, &flow, sampling)
            .and_then(|found| told(&field, case.policy.split, failure, &flow, &players, found))
    };
    let failures: Vec<_> =
        case.failures.iter().enumerate().map(attribute).collect::<Result<_, _>>()?;
    let edges = case.edges.iter().zip(&players.edges);
    let edges: Vec<_> = edges.map(|(edge, read)| told_edge(edge, read, &players)).collect();
    let is_assumed = edges.iter().any(|edge| edge.state == EdgeState::Assumed);
    let is_hypothetical = case.verdict.is_none() || is_assumed;
    let runs = case.edges.iter().filter_map(|edge| edge.interactions.run);
    Ok(Report {
        profile: case.profile,
        case_digest: Digest::of(canonical(case)?.as_bytes()),
        effective_at: case.detected_at,
        frozen_at: runs.map(|run| run.end).max(),
        totals: totals(&failures),
        edges,
        failures,
        flags: is_hypothetical.then_some(Flag::Hypothetical).into_iter().collect(),
        case: case.clone(),
    })
}

fn told_edge(edge: &super::case::Edge, read: &ReadEdge, players: &Players) -> EdgeReport {
    let player = |node: usize| {
        let key = players.of_node.get(node).and_then(|player| players.keys.get(*player));
        key.cloned().unwrap_or_default()
    };
    EdgeReport {
        parent: edge.parent.clone(),
        child: edge.child.clone(),
        parent_player: player(read.parent),
        child_player: player(read.child),
        state: read.facts.state,
        inputs: read.facts.inputs,
        counted: read.facts.counted,
        score: read.facts.inputs.score(),
        carried_ppb: read.carried,
        flags: read.facts.flags.clone(),
    }
}

/// Shares, how they were found, and the path where it is one.
type Found = (Shares, Method, Option<Vec<usize>>);

fn attribute(field: &str, flow: &Flow, sampling: Option<Sampling>) -> Result<Found, CaseError> {
    let edges = flow.links.len();
    match flow.shape() {
        Shape::Path(path) => {
            let method = Method::Path { hops: path.betas.len() };
            Ok((of_path(&path), method, Some(path.players)))
        }
        Shape::TooDeep(hops) => {
            let why = format!(
                "its path has {hops} hops, and at most {} are computed",
                super::graph::HOPS_MAX
            );
            Err(CaseError::new(format!("{field}.failed"), why))
        }
        Shape::Graph => match (of_graph(flow), sampling) {
            (Some(shares), _) => Ok((shares, Method::Enumerated { edges }, None)),
            (None, Some(sampling)) => {
                let (shares, error_bound_ppb) = sample(flow, sampling)?;
                let Sampling { seed, samples } = sampling;
                Ok((shares, Method::Sampled { edges, seed, samples, error_bound_ppb }, None))
            }
            (None, None) => {
                let why = format!(
                    "what led to it is a graph of {edges} edges, and at most {EDGES_EXACT_MAX} are computed exactly; ask for samples"
                );
                Err(CaseError::new(format!("{field}.failed"), why))
            }
        },
    }
}

/// A list with an entry for each player, from those of whom something was found.
fn spread<T: Copy + Default>(count: usize, players: &[usize], found: &[T]) -> Vec<T> {
    let mut all = vec![T::default(); count];
    for (player, value) in players.iter().zip(found) {
        if let Some(slot) = all.get_mut(*player) {
            *slot = *value;
        }
    }
    all
}

fn told(
    field: &str,
    split_by: SplitBy,
    failure: &Failure,
    flow: &Flow,
    players: &Players,
    (shares, method, path): Found,
) -> Result<FailureReport, CaseError> {
    let count = players.keys.len();
    let wide = |list: &[Ppb]| list.iter().map(|part| Natural::from(part.get())).collect::<Vec<_>>();
    let weights = spread(count, &shares.players, &shares.weights);
    let numerators = spread(count, &shares.players, &shares.numerators);
    let pass_up = shares.pass_up.as_ref().map(|found| spread(count, &shares.players, found));
    let normalised = billionths(&wide(&weights));
    let shapley = billionths(&numerators);
    let parts = match split_by {
        SplitBy::Shapley => numerators.clone(),
        SplitBy::Normalised => wide(&weights),
        SplitBy::PassUp => wide(pass_up.as_ref().ok_or_else(|| {
            let why = format!("`pass_up` is of paths only, and what led to {field} is none");
            CaseError::new("policy.split", why)
        })?),
    };
    let amount = failure.loss.as_ref().and_then(Loss::parsed);
    let amounts = amount.map(|amount| split(amount, &parts));
    let is_exact = !matches!(method, Method::Sampled { .. });
    let player = |(index, key): (usize, &String)| PlayerReport {
        player: key.clone(),
        agents: players.agents.get(index).into_iter().flatten().cloned().collect(),
        weight_ppb: weights.get(index).copied().unwrap_or_default(),
        shapley_ppb: shapley.get(index).copied().unwrap_or_default(),
        shapley: numerators
            .get(index)
            .filter(|_| is_exact)
            .map(|numerator| fraction(numerator, &shares.denominator)),
        pass_up_ppb: pass_up.as_ref().and_then(|found| found.get(index).copied()),
        normalised_ppb: normalised.get(index).copied().unwrap_or_default(),
        amount: amounts.as_ref().and_then(|found| found.get(index).map(ToString::to_string)),
    };
    let told: Vec<PlayerReport> = players.keys.iter().enumerate().map(player).collect();
    let is_unattributed = |player: &PlayerReport| {
        player.player.starts_with(super::check::UNATTRIBUTED) && player.weight_ppb > Ppb::ZERO
    };
    let flags = [
        (Flag::RepeatedPlayer, shares.players.len() < flow.places()),
        (Flag::SeveralPaths, path.is_none()),
        (Flag::Sampled, !is_exact),
        (Flag::Unattributed, told.iter().any(is_unattributed)),
        (Flag::UnitLoss, failure.loss.is_none()),
    ];
    let named = |path: Vec<usize>| {
        path.iter().filter_map(|player| players.keys.get(*player).cloned()).collect()
    };
    Ok(FailureReport {
        buyer: failure.buyer.clone(),
        failed: failure.failed.clone(),
        loss: failure.loss.clone(),
        method,
        split: split_by,
        path: path.map(named),
        players: told,
        flags: flags.into_iter().filter_map(|(flag, holds)| holds.then_some(flag)).collect(),
    })
}

/// Parts in billionths that sum to a billion.
fn billionths(parts: &[Natural]) -> Vec<Ppb> {
    let whole = split(Ppb::ONE.get().into(), parts);
    whole.into_iter().map(|part| Ppb::new(u32::try_from(part).unwrap_or(u32::MAX))).collect()
}

/// A share in lowest terms.
fn fraction(numerator: &Natural, denominator: &Natural) -> String {
    if numerator.is_zero() {
        return "0".to_owned();
    }
    let divisor = numerator.gcd(*denominator);
    let (above, below) = (numerator / divisor, denominator / divisor);
    if below == Natural::ONE { above.to_string() } else { format!("{above}/{below}") }
}

fn totals(failures: &[FailureReport]) -> Vec<Total> {
    let mut sums: BTreeMap<(&str, &str), Natural> = BTreeMap::new();
    for failure in failures {
        let Some(loss) = &failure.loss else { continue };
        for player in &failure.players {
            let amount = player.amount.as_ref().and_then(|amount| amount.parse::<u128>().ok());
            let sum = sums.entry((&loss.unit, &player.player)).or_default();
            *sum += Natural::from(amount.unwrap_or(0));
        }
    }
    let total = |((unit, player), amount): ((&str, &str), Natural)| Total {
        unit: unit.to_owned(),
        player: player.to_owned(),
        amount: amount.to_string(),
    };
    sums.into_iter().filter(|(_, amount)| !amount.is_zero()).map(total).collect()
}

#[cfg(test)]
mod tests;
