//! Shares of a graph that is too large to be exact: its cause set drawn many times, and how far off that can be.
//!
//! Nobody gets this unasked. The bound is Hoeffding's, for all figures of a report together: with a probability of 1 - 10^-6, none of them
//! is off by more. The same seed gives the same figures.

use crate::vocab::Ppb;

use super::check::CaseError;
use super::graph::Flow;
use super::noise::Random;
use super::shapley::Shares;
use super::split::Natural;

/// Most edges to look at in all samples together: some seconds of work.
const WORK_MAX: u64 = 1_000_000_000;
/// What one sample divides among its cause set; what does not divide evenly stays with the failing player, and is below any rounding.
const UNIT: u64 = 1_000_000_000_000;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// What determines the draw.
    pub seed: u64,
    /// How often.
    pub samples: u32,
}

/// Shares by lot, and the most that any weight or share is off, except once in a million seeds.
///
/// # Errors
/// When there is nothing to draw, or more than some seconds' worth of it.
pub fn sample(flow: &Flow, sampling: Sampling) -> Result<(Shares, Ppb), CaseError> {
    let samples = u64::from(sampling.samples);
    // Within a player nothing is drawn, and it is looked at all the same.
    let inner: usize = flow.inner.iter().map(Vec::len).sum();
    let edges = u64::try_from(flow.links.len() + inner).unwrap_or(u64::MAX);
    if samples == 0 || samples.saturating_mul(edges.max(1)) > WORK_MAX {
        let most = WORK_MAX / edges.max(1);
        let why = format!("{samples} samples of {edges} edges; there must be 1 to {most}");
        return Err(CaseError::new("samples", why));
    }
    let mut draw = Draw::of(flow);
    let mut random = Random::new(sampling.seed);
    let count = draw.players.len();
    let (mut inclusions, mut units) = (vec![0_u64; count], vec![0_u128; count]);
    for _ in 0..samples {
        draw.once(flow, &mut random);
        let size = u64::try_from(draw.members.len()).unwrap_or(u64::MAX);
        let each = UNIT / size.max(1);
        for (place, member) in draw.members.iter().enumerate() {
            // The failing player is always the first.
            let rest = if place == 0 { UNIT - each * size } else { 0 };
            if let (Some(inclusion), Some(sum)) =
                (inclusions.get_mut(*member), units.get_mut(*member))
            {
                *inclusion += 1;
                *sum += u128::from(each + rest);
            }
        }
    }
    let weight = |times: &u64| {
        let samples =
            std::num::NonZeroU128::new(samples.into()).unwrap_or(std::num::NonZeroU128::MIN);
        Ppb::ratio((*times).into(), samples)
    };
    let shares = Shares {
        weights: inclusions.iter().map(weight).collect(),
        pass_up: None,
        numerators: units.iter().map(|sum| Natural::from(*sum)).collect(),
        denominator: Natural::from(UNIT) * Natural::from(samples),
        players: draw.players,
    };
    Ok((shares, bound(count, samples)))
}

/// `sqrt(ln(4 k 10^6) / 2 N)` for k players, of each of whom two figures are given, rounded up; the logarithm is taken from above.
fn bound(players: usize, samples: u64) -> Ppb {
    const LN_2_PPB: u128 = 693_147_181;
    const BILLION: u128 = 1_000_000_000;
    let cases = u128::try_from(players).unwrap_or(u128::MAX).saturating_mul(4_000_000);
    let logarithm = u128::from(cases.checked_ilog2().unwrap_or(0) + 1) * LN_2_PPB;
    let squared = (logarithm * BILLION).div_ceil(2 * u128::from(samples.max(1)));
    Ppb::new(u32::try_from(squared.isqrt() + 1).unwrap_or(u32::MAX)).min(Ppb::ONE)
}

/// What one draw needs, kept for the next.
struct Draw {
    players: Vec<usize>,
    /// The player of each node, as an index of `players`.
    local: Vec<usize>,
    /// The links into each node.
    into: Vec<Vec<(usize, Ppb)>>,
    /// In which draw a node, or a player, was reached last.
    node_seen: Vec<u32>,
    player_seen: Vec<u32>,
    round: u32,
    queue: Vec<usize>,
    members: Vec<usize>,
}

impl Draw {
    fn of(flow: &Flow) -> Self {
        let nodes = flow.players.len();
        let mut players: Vec<usize> = Vec::new();
        let mut local = Vec::new();
        for player in &flow.players {
            let known = players.iter().position(|known| known == player);
            local.push(known.unwrap_or(players.len()));
            if known.is_none() {
                players.push(*player);
            }
        }
        let mut into = vec![Vec::new(); nodes];
        for link in &flow.links {
            if let Some(links) = into.get_mut(link.child) {
                links.push((link.parent, link.beta));
            }
        }
        let player_seen = vec![0; players.len()];
        let (queue, members) = (Vec::new(), Vec::new());
        Self {
            players,
            local,
            into,
            node_seen: vec![0; nodes],
            player_seen,
            round: 0,
            queue,
            members,
        }
    }

    /// Draws the links into each node that is reached, and leaves the players of the cause set in `members`, the failing one first.
    fn once(&mut self, flow: &Flow, random: &mut Random) {
        self.round += 1;
        self.queue.clear();
        self.members.clear();
        self.reach(flow.failing);
        while let Some(node) = self.queue.pop() {
            let links = self.into.get_mut(node).map(std::mem::take).unwrap_or_default();
            for parent in flow.inner.get(node).into_iter().flatten() {
                self.reach(*parent);
            }
            for (parent, beta) in &links {
                if random.below(u64::from(Ppb::ONE.get())) < u64::from(beta.get()) {
                    self.reach(*parent);
                }
            }
            if let Some(slot) = self.into.get_mut(node) {
                *slot = links;
            }
        }
    }

    fn reach(&mut self, node: usize) {
        let Some(seen) = self.node_seen.get_mut(node).filter(|seen| **seen != self.round) else {
            return;
        };
        *seen = self.round;
        self.queue.push(node);
        let Some(player) = self.local.get(node).copied() else { return };
        if let Some(seen) = self.player_seen.get_mut(player).filter(|seen| **seen != self.round) {
            *seen = self.round;
            self.members.push(player);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::Link;
    use super::super::shapley::of_graph;
    use super::*;

    fn diamond() -> Flow {
        let half = Ppb::new(500_000_000);
        let links = [(0, 1), (0, 2), (1, 3), (2, 3)].map(|(parent, child)| Link {
            parent,
            child,
            beta: half,
        });
        Flow::new(&[0, 1, 2, 3], &links, 3)
    }

    #[test]
    fn samples_come_within_their_bound_of_what_is_exact() {
        let flow = diamond();
        let exact = of_graph(&flow).unwrap();
        let (drawn, bound) = sample(&flow, Sampling { seed: 1, samples: 100_000 }).unwrap();
        assert_eq!(drawn.players, exact.players);
        assert_eq!(bound.get(), 9_120_179, "0.9 points with a hundred thousand samples");
        for (drawn, exact) in drawn.weights.iter().zip(&exact.weights) {
            assert!(drawn.get().abs_diff(exact.get()) <= bound.get(), "{drawn} {exact}");
        }
        let scaled =
            |shares: &Shares| super::super::split::split(1_000_000_000, &shares.numerators);
        for (drawn, exact) in scaled(&drawn).iter().zip(scaled(&exact)) {
            assert!(drawn.abs_diff(exact) <= u128::from(bound.get()), "{drawn} {exact}");
        }
        let sum = drawn.numerators.iter().fold(Natural::ZERO, |sum, part| sum + part);
        assert_eq!(sum, drawn.denominator, "what is divided sums to the whole");
    }

    /// Within a player everything is passed on, and upwards only.
    #[test]
    fn samples_know_what_is_within_a_player() {
        let link = |parent, child, beta| Link { parent, child, beta: Ppb::new(beta) };
        let links = [
            link(0, 1, 500_000_000),
            link(1, 2, 500_000_000),
            link(0, 2, 0),
            link(0, 3, 500_000_000),
        ];
        for (failing, expected) in [(3, 2), (2, 2)] {
            let flow = Flow::new(&[0, 1, 0, 3], &links, failing);
            let exact = of_graph(&flow).unwrap();
            let (drawn, bound) = sample(&flow, Sampling { seed: 1, samples: 100_000 }).unwrap();
            assert_eq!(drawn.players.len(), expected);
            for (drawn, exact) in drawn.weights.iter().zip(&exact.weights) {
                assert!(drawn.get().abs_diff(exact.get()) <= bound.get(), "{drawn} {exact}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_figures_and_too_much_work_is_refused() {
        let flow = diamond();
        let draw = |seed| sample(&flow, Sampling { seed, samples: 1_000 }).unwrap().0;
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        for samples in [0, 250_000_001] {
            let error = sample(&flow, Sampling { seed: 1, samples }).unwrap_err();
            assert!(error.to_string().contains("there must be 1 to 250000000"), "{error}");
        }
    }
}
