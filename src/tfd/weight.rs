//! Weights along a path: one at the failing agent, and so much less with every hop upwards (definition 7).
//!
//! A weight is a penalty multiplier. The leaf keeps all of it, so weights do not sum to one (definition 8), and they never grow towards the
//! root. Each hop rounds once, so that whoever multiplies along a stored path comes to the same billionths.

use super::graph::Path;
use crate::vocab::Ppb;

/// The weight of each position: the failing agent's first, then upwards.
pub fn weights<'a>(betas: impl IntoIterator<Item = &'a Ppb>) -> impl Iterator<Item = Ppb> {
    let above = betas.into_iter().scan(Ppb::ONE, |weight, beta| {
        *weight = beta.of(*weight);
        Some(*weight)
    });
    std::iter::once(Ppb::ONE).chain(above)
}

/// The weight and the pass-up of each player on a path, in the order in which they stand there.
///
/// A player that stands there several times has the largest of its weights (definition 11): that of the position nearest to the failing one.
/// Pass-up is where the buck stops: a position's weight without what it passes on, summed over a player's positions.
pub(super) fn of_players(path: &Path) -> Vec<(usize, Ppb, Ppb)> {
    let weights: Vec<Ppb> = weights(&path.betas).collect();
    let mut players: Vec<(usize, Ppb, Ppb)> = Vec::new();
    for (position, (player, weight)) in path.players.iter().zip(&weights).enumerate() {
        let passed = weights.get(position + 1).copied().unwrap_or_default();
        let stops = weight.get().saturating_sub(passed.get());
        match players.iter_mut().find(|(known, ..)| known == player) {
            Some((_, _, pass_up)) => *pass_up = Ppb::new(pass_up.get() + stops),
            None => players.push((*player, *weight, Ppb::new(stops))),
        }
    }
    players
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(players: &[usize], tenths: &[u32]) -> Path {
        let betas = tenths.iter().map(|tenths| Ppb::new(tenths * 100_000_000)).collect();
        Path { players: players.to_vec(), betas }
    }

    fn of(path: &Path) -> Vec<(usize, u32, u32)> {
        of_players(path).iter().map(|(player, w, p)| (*player, w.get(), p.get())).collect()
    }

    /// Definition 7: w = 1 at the agent whose invocation failed, and the product of the betas above it.
    #[test]
    fn definition_7_weights_run_up_the_path() {
        let expected = [
            (2, 1_000_000_000, 600_000_000),
            (1, 400_000_000, 80_000_000),
            (0, 320_000_000, 320_000_000),
        ];
        assert_eq!(of(&path(&[2, 1, 0], &[4, 8])), expected);
        assert_eq!(of(&path(&[5], &[])), [(5, 1_000_000_000, 1_000_000_000)]);
    }

    /// Definition 8: the leaf keeps everything, so weights sum to more than one; five hops of a half leave 3.1 % and sum to 1.969.
    #[test]
    fn definition_8_the_leaf_absorbs_the_full_cost() {
        let weights: Vec<u32> = weights(&path(&[0; 6], &[5; 5]).betas).map(Ppb::get).collect();
        assert_eq!(weights.first(), Some(&1_000_000_000));
        assert_eq!(weights.last(), Some(&31_250_000));
        assert_eq!(weights.iter().sum::<u32>(), 1_968_750_000);
    }

    /// Definition 11: A hired B, which hired A again: A is one player, with the larger of its weights.
    #[test]
    fn definition_11_a_player_has_the_largest_of_its_weights() {
        // C failed; above it B, A, B, A.
        let circle = path(&[2, 1, 0, 1, 0], &[5, 5, 5, 5]);
        let expected = [
            (2, 1_000_000_000, 500_000_000),
            (1, 500_000_000, 312_500_000),
            (0, 250_000_000, 187_500_000),
        ];
        assert_eq!(of(&circle), expected);
    }

    /// Definition 12: who neither specified, nor left unwatched, nor hired a worse one, carries nothing.
    #[test]
    fn definition_12_a_root_with_no_part_in_it_has_weight_zero() {
        assert_eq!(of(&path(&[1, 0], &[0]))[1], (0, 0, 0));
    }
}
