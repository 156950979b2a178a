//! Edges to experiment with: points of control, gap and oversight, drawn from a synthetic population or taken from cases.
//!
//! The synthetic populations are those for which figures were published or checked; `docs/tfd.md` has them side by side. Points
//! are in billionths and may lie outside of what a case can say, since noise is added to them.

use serde::Serialize;

use super::edge::EdgeInputs;
use super::noise::Random;
use crate::vocab::Ppb;

/// The whole, in billionths.
pub(super) const ONE: i64 = 1_000_000_000;

/// Control, gap and oversight of an edge, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// c, within 0 and 1.
    pub control: i64,
    /// g, within -1 and 1.
    pub gap: i64,
    /// o, within 0 and 1.
    pub oversight: i64,
}

impl Point {
    /// The point of an edge, each input rounded.
    #[must_use]
    pub fn of(inputs: &EdgeInputs) -> Self {
        let score = inputs.score();
        let whole = |part: Ppb| i64::from(part.get());
        Self {
            control: whole(score.control_ppb),
            gap: score.gap_ppb.into(),
            oversight: whole(score.oversight_ppb),
        }
    }

    /// The formula at this point, whatever comes out; rounded down.
    #[must_use]
    pub fn beta(self) -> i64 {
        let one = i128::from(ONE);
        let [control, gap, oversight] = [self.control, self.gap, self.oversight].map(i128::from);
        let rest = (one - gap.max(0)) * oversight + one * 3 / 5 * (-gap).max(0);
        let beta = control + ((one - control) * rest).div_euclid(one * one);
        i64::try_from(beta).unwrap_or(i64::MAX)
    }

    /// The nearest point that a case can say.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self {
            control: self.control.clamp(0, ONE),
            gap: self.gap.clamp(-ONE, ONE),
            oversight: self.oversight.clamp(0, ONE),
        }
    }
}

/// A way of making up edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Population {
    /// c and o anywhere in [0, 1], g anywhere in [-1, 1].
    Uniform,
    /// c, g and o anywhere in [0, 1]: no child is worse than its parent.
    Justified,
    /// c in [0, 0.4], g in [-0.3, 0.3], o in [0, 1].
    Loose,
    /// Capabilities in [0.5, 1], 0 to 2,200 characters, 0 to 20 interactions.
    Capable,
    /// c = 0, g = -0.1, o = 0: where noise on all inputs moves beta most.
    MostSensitive,
    /// 446 characters, equal capabilities, 504 interactions: beta = 0.209.
    Watched,
    /// 460 characters and the paper's proxy, so that g = 1: beta = c = 0.209.
    Proxied,
    /// c = 0, g = -0.3, o = 0: the edge of the range.
    Edge,
    /// g = 1, and c anywhere in [0, 1]: betas that are uniform, for chains.
    UniformBetas,
}

impl Population {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Uniform,
        Self::Justified,
        Self::Loose,
        Self::Capable,
        Self::MostSensitive,
        Self::Watched,
        Self::Proxied,
        Self::Edge,
        Self::UniformBetas,
    ];

    /// One edge.
    pub fn draw(self, random: &mut Random) -> Point {
        let point = |control, gap, oversight| Point { control, gap, oversight };
        match self {
            Self::Uniform => {
                point(random.between(0, ONE), random.between(-ONE, ONE), random.between(0, ONE))
            }
            Self::Justified => {
                point(random.between(0, ONE), random.between(0, ONE), random.between(0, ONE))
            }
            Self::Loose => point(
                random.between(0, 400_000_000),
                random.between(-300_000_000, 300_000_000),
                random.between(0, ONE),
            ),
            Self::Capable => Point::of(&capable(random)),
            Self::MostSensitive => point(0, -100_000_000, 0),
            Self::Watched => point(202_727_273, 0, 7_874_016),
            Self::Proxied => point(209_090_909, ONE, ONE),
            Self::Edge => point(0, -300_000_000, 0),
            Self::UniformBetas => point(random.between(0, ONE), ONE, ONE),
        }
    }
}

fn capable(random: &mut Random) -> EdgeInputs {
    let mut below = |bound: u64| u32::try_from(random.below(bound)).unwrap_or(0);
    EdgeInputs {
        chars: below(2_201),
        foreseeability_ppm: super::edge::PPM,
        capability_ppm: Some((500_000 + below(500_001), 500_000 + below(500_001))),
        interactions: below(21),
    }
}

/// Where an experiment takes its edges from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Made up.
    Synthetic(Population),
    /// These, in any order and as often as needed; there is at least one.
    Given(&'a [Point]),
}

impl Source<'_> {
    /// One edge; of an empty list, one that passes nothing on.
    pub fn draw(self, random: &mut Random) -> Point {
        match self {
            Self::Synthetic(population) => population.draw(random),
            Self::Given(points) => {
                let count = u64::try_from(points.len()).unwrap_or(u64::MAX);
                let index = usize::try_from(random.below(count)).unwrap_or(0);
                points.get(index).copied().unwrap_or(Point { control: 0, gap: 0, oversight: 0 })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_the_betas_of_their_edges() {
        let mut random = Random::new(3);
        for _ in 0..1_000 {
            let inputs = capable(&mut random);
            let off = Point::of(&inputs).beta() - i64::from(inputs.beta_raw().get());
            assert!(off.abs() <= 3, "{inputs:?}: {off}");
        }
        let beta = |population: Population| population.draw(&mut Random::new(1)).beta();
        assert_eq!(beta(Population::Watched) / 1_000_000, 209);
        assert_eq!(beta(Population::Proxied), 209_090_909);
        assert_eq!(beta(Population::MostSensitive), 60_000_000);
        let far = Point { control: 0, gap: -ONE, oversight: ONE };
        assert_eq!(far.beta(), 1_600_000_000);
        assert_eq!(Point { gap: -2 * ONE, ..far }.clamped(), far);
    }

    #[test]
    fn given_points_are_drawn_and_nothing_else() {
        let points = [
            Point { control: 1, gap: 2, oversight: 3 },
            Point { control: 4, gap: 5, oversight: 6 },
        ];
        let mut random = Random::new(1);
        let drawn: Vec<Point> = (0..20).map(|_| Source::Given(&points).draw(&mut random)).collect();
        assert!(points.iter().all(|point| drawn.contains(point)));
        assert_eq!(Source::Given(&[]).draw(&mut random).beta(), 0);
    }
}
