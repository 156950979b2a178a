//! Shares against the definition of the Shapley value, and the published examples.

use proptest::prelude::*;

use super::super::graph::Shape;
use super::super::split::split;
use super::*;

/// A link in tenths.
type Tenths = (usize, usize, u32);

fn flow(players: &[usize], links: &[Tenths], failing: usize) -> Flow {
    let link = |(parent, child, tenths): &Tenths| Link {
        parent: *parent,
        child: *child,
        beta: Ppb::new(tenths * 100_000_000),
    };
    Flow::new(players, &links.iter().map(link).collect::<Vec<_>>(), failing)
}

fn chain(tenths: &[u32]) -> Flow {
    let players: Vec<usize> = (0..=tenths.len()).collect();
    let links: Vec<Tenths> =
        tenths.iter().enumerate().map(|(node, tenths)| (node, node + 1, *tenths)).collect();
    flow(&players, &links, tenths.len())
}

fn path_shares(flow: &Flow) -> Shares {
    let Shape::Path(path) = flow.shape() else { panic!("{flow:?} is no path") };
    of_path(&path)
}

/// The share of a player in lowest terms.
fn fraction(shares: &Shares, player: usize) -> (u64, u64) {
    let Some(place) = shares.players.iter().position(|known| *known == player) else {
        return (0, 1);
    };
    let numerator = shares.numerators[place];
    let divisor = numerator.gcd(shares.denominator);
    let small = |wide: Natural| u64::try_from(wide / divisor).unwrap();
    (small(numerator), small(shares.denominator))
}

#[test]
fn the_published_examples_are_exact() {
    for (tenths, expected) in [
        (&[5][..], &[(1, 4), (3, 4)][..]),
        (&[8, 4], &[(8, 75), (11, 75), (56, 75)]),
        (&[5, 5, 5], &[(1, 32), (7, 96), (19, 96), (67, 96)]),
    ] {
        for shares in [path_shares(&chain(tenths)), of_graph(&chain(tenths)).unwrap()] {
            let found: Vec<_> =
                (0..expected.len()).map(|player| fraction(&shares, player)).collect();
            assert_eq!(found, expected, "{tenths:?}");
        }
    }
    let five = path_shares(&chain(&[5; 5]));
    assert_eq!((fraction(&five, 0), fraction(&five, 5)), ((1, 192), (111, 160)));
    let diamond = flow(&[0, 1, 2, 3], &[(0, 1, 5), (0, 2, 5), (1, 3, 5), (2, 3, 5)], 3);
    let shares = of_graph(&diamond).unwrap();
    let found: Vec<_> = (0..4).map(|player| fraction(&shares, player)).collect();
    assert_eq!(found, [(25, 192), (11, 64), (11, 64), (101, 192)]);
    let root = shares.players.iter().position(|player| *player == 0).unwrap();
    assert_eq!(shares.weights[root].get(), 437_500_000);
}

/// Definition 16's example: of betas .8 and .4 with A and B one operator, its weight is .4 and its share .2.
#[test]
fn definition_16_an_operator_is_one_player() {
    let shares = path_shares(&flow(&[0, 0, 1], &[(0, 1, 8), (1, 2, 4)], 2));
    assert_eq!((fraction(&shares, 0), fraction(&shares, 1)), ((1, 5), (4, 5)));
    assert_eq!(
        shares.weights.iter().map(|weight| weight.get()).collect::<Vec<_>>(),
        [1_000_000_000, 400_000_000]
    );
}

/// Definitions 7 and 16: R hired X and F; X hired R2, which is R's too, and which R says it set to work itself. F failed: X is beside it.
#[test]
fn definition_16_who_hired_an_operator_elsewhere_is_no_cause() {
    let links = [(0, 1, 5), (1, 2, 5), (0, 2, 0), (0, 3, 5)];
    let found = flow(&[0, 1, 0, 3], &links, 3);
    for shares in [path_shares(&found), of_graph(&found).unwrap()] {
        assert_eq!([0, 1, 3].map(|player| fraction(&shares, player)), [(1, 4), (0, 1), (3, 4)]);
    }
    // Beside the failing one nothing changes by it either; what fails at R2 itself has R for a cause, and X by its own edge.
    let shares = of_graph(&flow(&[0, 1, 0, 3], &links, 2)).unwrap();
    assert_eq!([0, 1].map(|player| fraction(&shares, player)), [(3, 4), (1, 4)]);
}

/// However long an operator hands on within itself, its edges are none of the twenty that are counted.
#[test]
fn edges_within_a_player_are_not_counted() {
    // The operator's nodes 1 to 40 in a row; 0 failed and was hired by 1; 50 to 69 hired 40 directly or from 1 on.
    let mut players: Vec<usize> = vec![0; 70];
    players[1..50].fill(1);
    for (node, player) in players.iter_mut().enumerate().skip(50) {
        *player = node;
    }
    let mut links: Vec<Tenths> = (1..40).map(|node| (node + 1, node, 0)).collect();
    links.push((1, 0, 5));
    links.extend((50..69).map(|node| (node, 1 + (node - 50) * 2, 1)));
    let shares = of_graph(&flow(&players, &links, 0)).unwrap();
    assert_eq!(shares.players.len(), 21);
    let weight = |player: usize| {
        let place = shares.players.iter().position(|known| *known == player).unwrap();
        shares.weights[place].get()
    };
    assert_eq!((weight(1), weight(50), weight(68)), (500_000_000, 50_000_000, 50_000_000));
    links.push((69, 40, 1));
    assert_eq!(of_graph(&flow(&players, &links, 0)), None);
}

/// Definition 10: disjoint paths give 1-(1-p)(1-q), and are never added.
#[test]
fn definition_10_disjoint_paths_do_not_add() {
    let shares =
        of_graph(&flow(&[0, 1, 2, 3], &[(0, 1, 9), (1, 3, 8), (0, 2, 7), (2, 3, 6)], 3)).unwrap();
    let root = shares.players.iter().position(|player| *player == 0).unwrap();
    assert_eq!(shares.weights[root].get(), 1_000_000_000 - 280 * 580 * 1_000);
}

/// Definition 11: on a circle a player has the largest weight of its positions, by path and by enumeration alike.
#[test]
fn definition_11_the_model_yields_the_maximum() {
    // A, B, A, B, C, of which C failed.
    let circle = flow(&[0, 1, 0, 1, 2], &[(0, 1, 5), (1, 2, 6), (2, 3, 7), (3, 4, 8)], 4);
    let by_path = path_shares(&circle);
    let by_states = of_graph(&circle).unwrap();
    assert_eq!(
        by_path.weights.iter().map(|weight| weight.get()).collect::<Vec<_>>(),
        [1_000_000_000, 800_000_000, 560_000_000]
    );
    assert_eq!(by_path.weights, by_states.weights);
    for player in 0..3 {
        assert_eq!(fraction(&by_path, player), fraction(&by_states, player));
    }
}

#[test]
fn more_edges_than_are_exact_are_refused() {
    let star = |edges: usize| {
        let players: Vec<usize> = (0..=edges).collect();
        let links: Vec<Tenths> = (1..=edges).map(|parent| (parent, 0, 5)).collect();
        flow(&players, &links, 0)
    };
    assert_eq!(of_graph(&star(21)), None);
    let shares = of_graph(&star(12)).unwrap();
    assert!(shares.weights[1..].iter().all(|weight| weight.get() == 500_000_000));
}

#[test]
fn the_deepest_path_fits_its_numbers() {
    let odd = Ppb::new(999_999_999);
    let path = Path { players: (0..65).collect(), betas: vec![odd; 64] };
    let shares = of_path(&path);
    let sum = shares.numerators.iter().fold(Natural::ZERO, |sum, part| sum + part);
    assert_eq!(sum, shares.denominator);
    let amounts = split(u128::MAX, &shares.numerators);
    assert_eq!(
        amounts.iter().fold(0_u128, |sum, amount| sum.checked_add(*amount).unwrap()),
        u128::MAX
    );
}

/// The Shapley value by its definition: the average over all orders of what a player adds, a coalition being worth the probability that
/// the cause set is within it. All states of all edges, all coalitions; over n! 10^E.
fn by_coalitions(
    players: &[usize],
    links: &[Tenths],
    failing: usize,
    count: usize,
) -> (Vec<u128>, u128) {
    let states = 1_u32 << links.len();
    let mut sets: Vec<(u32, u128)> = Vec::new();
    for state in 0..states {
        let is_live = |index: usize| state & (1 << index) != 0;
        let mut probability = 1_u128;
        for (index, (parent, child, tenths)) in links.iter().enumerate() {
            // What is within one player is always live.
            let tenths = if players[*parent] == players[*child] { 10 } else { *tenths };
            probability *= u128::from(if is_live(index) { tenths } else { 10 - tenths });
        }
        // Within one player, whoever hired what is reached is reached, and not the reverse.
        let mut reached = vec![false; players.len()];
        reached[failing] = true;
        for _ in 0..players.len() {
            for (index, (parent, child, _)) in links.iter().enumerate() {
                if reached[*child] && (is_live(index) || players[*parent] == players[*child]) {
                    reached[*parent] = true;
                }
            }
        }
        let set = (0..players.len())
            .filter(|node| reached[*node])
            .fold(0, |set, node| set | 1 << players[node]);
        sets.push((set, probability));
    }
    let worth = |coalition: u32| {
        sets.iter()
            .filter(|(set, _)| set & !coalition == 0)
            .map(|(_, probability)| probability)
            .sum::<u128>()
    };
    let factorial = |n: usize| (1..=n as u128).product::<u128>();
    let shares = (0..count).map(|player| {
        let without = (0..1_u32 << count).filter(|coalition| coalition & (1 << player) == 0);
        without
            .map(|coalition| {
                let size = coalition.count_ones() as usize;
                let orders = factorial(size) * factorial(count - size - 1);
                orders * (worth(coalition | 1 << player) - worth(coalition))
            })
            .sum()
    });
    (shares.collect(), factorial(count) * 10_u128.pow(u32::try_from(links.len()).unwrap()))
}

fn agree(shares: &Shares, defined: &(Vec<u128>, u128)) -> Result<(), TestCaseError> {
    let (numerators, denominator) = defined;
    for (player, numerator) in numerators.iter().enumerate() {
        let place = shares.players.iter().position(|known| *known == player);
        let ours = place.map_or(Natural::ZERO, |place| shares.numerators[place]);
        prop_assert_eq!(
            ours * Natural::from(*denominator),
            Natural::from(*numerator) * shares.denominator,
            "player {}",
            player
        );
    }
    Ok(())
}

fn sums_to_one(shares: &Shares) -> Result<(), TestCaseError> {
    let sum = shares.numerators.iter().fold(Natural::ZERO, |sum, part| sum + part);
    prop_assert_eq!(sum, shares.denominator);
    Ok(())
}

/// Nodes with players, and links that run from smaller to larger nodes, as invocations do.
fn graphs() -> impl Strategy<Value = (Vec<usize>, Vec<Tenths>)> {
    let nodes = prop::collection::vec(0_usize..4, 5);
    let links = prop::collection::btree_map((0_usize..4, 1_usize..5), 0_u32..=10, 0..7);
    (nodes, links).prop_map(|(nodes, links)| {
        let forwards = links.into_iter().filter(|((parent, child), _)| parent < child);
        (nodes, forwards.map(|((parent, child), tenths)| (parent, child, tenths)).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Closed form, enumeration and definition agree on chains.
    #[test]
    fn three_ways_agree_on_chains(tenths in prop::collection::vec(1_u32..=10, 1..5)) {
        let chain = chain(&tenths);
        let nodes: Vec<usize> = (0..=tenths.len()).collect();
        let links: Vec<Tenths> = tenths.iter().enumerate().map(|(i, t)| (i, i + 1, *t)).collect();
        let defined = by_coalitions(&nodes, &links, tenths.len(), nodes.len());
        let (closed, enumerated) = (path_shares(&chain), of_graph(&chain).unwrap());
        agree(&closed, &defined)?;
        agree(&enumerated, &defined)?;
        sums_to_one(&closed)?;
        sums_to_one(&enumerated)?;
    }

    /// Enumeration, and the closed form where there is a path, agree with the definition; players may stand anywhere.
    #[test]
    fn graphs_have_the_shares_that_the_definition_gives((nodes, links) in graphs()) {
        let flow = flow(&nodes, &links, 4);
        let defined = by_coalitions(&nodes, &links, 4, 4);
        let shares = of_graph(&flow).unwrap();
        agree(&shares, &defined)?;
        sums_to_one(&shares)?;
        if let Shape::Path(path) = flow.shape() {
            agree(&of_path(&path), &defined)?;
        }
    }

    /// Symmetry, dummy, and weights that never grow towards the root.
    #[test]
    fn axioms_hold(tenths in prop::collection::vec(0_u32..=10, 1..9)) {
        let shares = path_shares(&chain(&tenths));
        prop_assert!(shares.weights.is_sorted_by(|below, above| below >= above));
        prop_assert!(shares.numerators.is_sorted_by(|below, above| below >= above));
        for (hop, tenths) in tenths.iter().enumerate() {
            if *tenths == 0 {
                // Whoever is above a hop that passes nothing on is a dummy.
                prop_assert!((0..=hop).all(|player| fraction(&shares, player) == (0, 1)));
            }
        }
    }

    #[test]
    fn siblings_with_equal_betas_have_equal_shares(a in 1_u32..=10, b in 1_u32..=10) {
        let links = [(0, 1, a), (0, 2, a), (1, 3, b), (2, 3, b)];
        let shares = of_graph(&flow(&[0, 1, 2, 3], &links, 3)).unwrap();
        prop_assert_eq!(fraction(&shares, 1), fraction(&shares, 2));
    }
}
