//! Scoring delegations: betas and weights of a million edges, and the exact shares of the largest graphs that are not refused.
//!
//! Nothing is read from or written to anywhere, so the floors are loops over the same inputs: adding up their fields, and visiting as many
//! states as there are. All of it runs on one core.

use std::time::Instant;

use hallmark::tfd::{EdgeInputs, Flow, Link, Natural, PPM, of_graph, weights};
use hallmark::vocab::Ppb;

use crate::history::Random;
use crate::table::ratio;

const EDGES: usize = 1_000_000;
const HOPS: usize = 10;
/// Each is run so often, and the fastest counts.
const ROUNDS: usize = 3;

pub(crate) fn run() {
    println!("\nTrust flow decomposition, milliseconds on one core, the fastest of {ROUNDS} runs");
    println!("{:<62}{:>10}{:>10}{:>9}", "", "Hallmark", "floor", "ratio");
    let edges = edges();
    let ours = fastest(|| scored(&edges));
    let floor = fastest(|| added(&edges));
    assert_eq!((ours.1, floor.1), (EDGES + EDGES / HOPS, EDGES), "weights, and edges");
    row("a million edges in paths of 10 hops: betas and weights", ours.0, floor.0);
    for (what, flow, players) in [
        ("shares of 20 parents of one child: 2^20 cause sets", star(), 21),
        ("shares of a ladder of 20 edges", ladder(), 12),
    ] {
        let ours = fastest(|| shared(&flow));
        let floor = fastest(|| visited(20));
        assert_eq!((ours.1, floor.1), (players, 1 << 20), "players, and states");
        row(what, ours.0, floor.0);
    }
}

fn row(what: &str, ours: f64, floor: f64) {
    println!("{what:<62}{ours:>10.1}{floor:>10.1}{:>9}", ratio(ours, floor));
}

/// The time of the fastest run in milliseconds, and what it counted.
fn fastest(run: impl Fn() -> usize) -> (f64, usize) {
    let once = |_| {
        let start = Instant::now();
        let counted = run();
        (start.elapsed().as_secs_f64() * 1_000.0, counted)
    };
    (0..ROUNDS).map(once).min_by(|one, other| one.0.total_cmp(&other.0)).unwrap()
}

fn edges() -> Vec<EdgeInputs> {
    let mut random = Random(30);
    let mut below = |end: u64| u32::try_from(random.below(end)).unwrap();
    let mut edge = |_| EdgeInputs {
        chars: below(3_000),
        foreseeability_ppm: PPM,
        capability_ppm: Some((below(1_000_001), below(1_000_001))),
        interactions: below(100),
    };
    (0..EDGES).map(&mut edge).collect()
}

/// How many weights there are of paths along these edges.
fn scored(edges: &[EdgeInputs]) -> usize {
    let mut betas = [Ppb::ZERO; HOPS];
    let mut count = 0;
    for path in edges.chunks_exact(HOPS) {
        for (beta, edge) in betas.iter_mut().zip(path) {
            *beta = edge.beta();
        }
        count += weights(&betas).filter(|weight| *weight <= Ppb::ONE).count();
    }
    count
}

fn added(edges: &[EdgeInputs]) -> usize {
    let mut sum = 0_u64;
    for edge in edges {
        let (parent, child) = edge.capability_ppm.unwrap();
        sum += [edge.chars, edge.foreseeability_ppm, parent, child, edge.interactions]
            .map(u64::from)
            .iter()
            .sum::<u64>();
    }
    assert!(std::hint::black_box(sum) > 0);
    edges.len()
}

fn link(parent: usize, child: usize) -> Link {
    Link { parent, child, beta: Ppb::new(333_333_333) }
}

fn star() -> Flow {
    let players: Vec<usize> = (0..=20).collect();
    let links: Vec<Link> = (1..=20).map(|parent| link(parent, 0)).collect();
    Flow::new(&players, &links, 0)
}

/// Six steps of two rails: each hires the one below it on both rails.
fn ladder() -> Flow {
    let players: Vec<usize> = (0..12).collect();
    let step = |below: usize| {
        let above = below + 2;
        [
            link(above, below),
            link(above, below + 1),
            link(above + 1, below),
            link(above + 1, below + 1),
        ]
    };
    let mut links: Vec<Link> = [0, 2, 4, 6].into_iter().flat_map(step).collect();
    links.extend([link(10, 8), link(11, 9), link(1, 0), link(10, 9)]);
    Flow::new(&players, &links, 0)
}

fn shared(flow: &Flow) -> usize {
    let shares = of_graph(flow).unwrap();
    let sum = shares.numerators.iter().fold(Natural::ZERO, |sum, part| sum + part);
    assert_eq!(sum, shares.denominator, "shares sum to the whole");
    shares.players.len()
}

/// How many states so many edges have, each looked at.
fn visited(edges: u32) -> usize {
    (0..1_u32 << edges).filter(|state| std::hint::black_box(state).count_ones() <= edges).count()
}
