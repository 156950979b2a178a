//! One delegation: from how it was specified, justified and watched to how much of a failure passes it upwards.
//!
//! `beta = c + (1 - c) * ((1 - g⁺) * o + 3/5 * g⁻)`, with control `c`, gap `g` and oversight `o`, all of them ratios of small whole numbers;
//! so beta is one too, is computed exactly and rounded once. Where the inputs come from is not asked here: `measure` counts them, `case`
//! reads them.
//!
//! Beta as printed goes up to 1.6. It is clamped to one, and the raw value kept for those who want to see it (definition 5).

use std::num::{NonZeroU32, NonZeroU64, NonZeroU128};

use serde::Serialize;

use super::split::split_small;
use crate::vocab::{Ppb, half_to_even};

/// A specification of so many characters controls all there is to control (definition 2).
pub const CHARS_FULL: u32 = 2_200;
/// The whole, for capabilities and foreseeability in parts per million.
pub const PPM: u32 = 1_000_000;
/// So many interactions halve what an unwatched child passes on: o = 4 / (4 + n).
const HALVING: u64 = 4;

/// What is known of one delegation, in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeInputs {
    /// Characters of the specification that the child accepted; above [`CHARS_FULL`] they count as that many.
    pub chars: u32,
    /// How much of the specification counts as the parent's control: [`PPM`], or less by a policy (definition 14).
    pub foreseeability_ppm: u32,
    /// Capabilities of parent and child for the class of task, each at most [`PPM`]; `None` where either is unknown (definition 3).
    pub capability_ppm: Option<(u32, u32)>,
    /// Interactions of the run that count (definition 4).
    pub interactions: u32,
}

/// How much of a failure passes one edge upwards, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EdgeScore {
    /// Control c, after foreseeability.
    pub control_ppb: Ppb,
    /// Gap g, from -10^9 (the parent could do it, the child cannot) to 10^9.
    pub gap_ppb: i32,
    /// Oversight o: one where nobody looked.
    pub oversight_ppb: Ppb,
    /// Beta as the formula gives it, up to 1.6.
    pub beta_raw_ppb: Ppb,
    /// Beta, at most one.
    pub beta_ppb: Ppb,
    /// What beta is made of.
    pub parts: Parts,
}

/// The parts of a stacked bar; they sum to beta exactly (definition 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Parts {
    /// What the parent specified: c.
    pub specification_ppb: Ppb,
    /// What it did not watch: (1 - c) (1 - g⁺) o.
    pub oversight_ppb: Ppb,
    /// What no better capability justified: 3/5 g⁻ (1 - c).
    pub unjustified_ppb: Ppb,
}

/// The formula over a common denominator: each term, and what they are terms of.
struct Terms {
    specification: u128,
    oversight: u128,
    unjustified: u128,
    whole: NonZeroU128,
}

impl EdgeInputs {
    /// Beta before it is clamped. Inputs out of range count as the nearest that is in it.
    #[must_use]
    pub fn beta_raw(&self) -> Ppb {
        let terms = self.terms();
        // Below 2^88 each, so neither the sum nor its billionfold passes 2^128.
        Ppb::ratio(terms.specification + terms.oversight + terms.unjustified, terms.whole)
    }

    /// Beta: how much of a failure of the child passes to the parent, at most one.
    #[must_use]
    pub fn beta(&self) -> Ppb {
        self.beta_raw().min(Ppb::ONE)
    }

    /// Beta with all it is made of.
    #[must_use]
    pub fn score(&self) -> EdgeScore {
        let terms = self.terms();
        let beta_raw = self.beta_raw();
        let beta = beta_raw.min(Ppb::ONE);
        let control = Ppb::ratio(terms.specification, terms.whole);
        // Beta is at least control, before and after rounding; what is above it is shared by the other two as they are, so that the
        // three sum to beta whether it was clamped or not.
        let above = beta.get().saturating_sub(control.get());
        let [oversight, unjustified] = split_small(above, [terms.oversight, terms.unjustified]);
        EdgeScore {
            control_ppb: control,
            gap_ppb: self.gap_ppb(),
            oversight_ppb: Ppb::ratio(u128::from(HALVING), self.watched().into()),
            beta_raw_ppb: beta_raw,
            beta_ppb: beta,
            parts: Parts {
                specification_ppb: control,
                oversight_ppb: Ppb::new(oversight),
                unjustified_ppb: Ppb::new(unjustified),
            },
        }
    }

    /// Whether neither specification nor capability tells why there is this hop at all: c < 0.05 and |g| < 0.05 (definition 17).
    #[must_use]
    pub fn is_pass_through(&self) -> bool {
        let control = u64::from(self.chars.min(CHARS_FULL)) * u64::from(self.foreseeability());
        let (parent, child, larger) = self.capabilities();
        let gap = u64::from(parent.abs_diff(child)) * 20;
        control * 20 < u64::from(CHARS_FULL) * u64::from(PPM) && gap < u64::from(larger.get())
    }

    /// Whether the specification has as many characters as count, or more.
    #[must_use]
    pub const fn is_saturated(&self) -> bool {
        self.chars >= CHARS_FULL
    }

    fn foreseeability(&self) -> u32 {
        self.foreseeability_ppm.min(PPM)
    }

    /// Parent's and child's capability, and the larger of them; alike where nothing is known, or nobody can do anything.
    fn capabilities(&self) -> (u32, u32, NonZeroU32) {
        const ALIKE: (u32, u32, NonZeroU32) = (1, 1, NonZeroU32::MIN);
        let Some((parent, child)) = self.capability_ppm else { return ALIKE };
        let (parent, child) = (parent.min(PPM), child.min(PPM));
        NonZeroU32::new(parent.max(child)).map_or(ALIKE, |larger| (parent, child, larger))
    }

    /// 4 + n.
    fn watched(&self) -> NonZeroU64 {
        NonZeroU64::MIN.saturating_add(HALVING - 1 + u64::from(self.interactions))
    }

    /// (child - parent) / the larger of them, rounded.
    fn gap_ppb(&self) -> i32 {
        let (parent, child, larger) = self.capabilities();
        let size = u128::from(parent.abs_diff(child)) * u128::from(Ppb::ONE.get());
        // At most a billion.
        let size = i32::try_from(half_to_even(size, larger.into())).unwrap_or(i32::MAX);
        if child < parent { -size } else { size }
    }

    /// With s/S for c, a and b for the capabilities, M for the larger and t for 4 + n, `1 - g⁺` is a/M wherever they stand, and
    /// `beta = (s M 5 t + (S - s)(20 a + 3 (a - b)⁺ t)) / (S M 5 t)`.
    fn terms(&self) -> Terms {
        const FIVE: NonZeroU128 = NonZeroU128::MIN.saturating_add(4);
        const FULL: NonZeroU128 = NonZeroU128::MIN.saturating_add(2_199_999_999);
        let specified = u128::from(self.chars.min(CHARS_FULL)) * u128::from(self.foreseeability());
        let open = FULL.get() - specified;
        let (parent, child, larger) = self.capabilities();
        let watched = NonZeroU128::from(self.watched());
        let scale = NonZeroU128::from(larger).saturating_mul(FIVE).saturating_mul(watched);
        let worse = u128::from(parent.saturating_sub(child));
        Terms {
            specification: specified * scale.get(),
            oversight: open * u128::from(parent) * 20,
            unjustified: open * worse * 3 * watched.get(),
            whole: FULL.saturating_mul(scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(chars: u32, parent: u32, child: u32, interactions: u32) -> EdgeInputs {
        let capability_ppm = Some((parent, child));
        EdgeInputs { chars, foreseeability_ppm: PPM, capability_ppm, interactions }
    }

    #[test]
    fn the_published_vectors() {
        for (inputs, beta, raw) in [
            (edge(0, 500_000, 500_000, 4), 500_000_000, 500_000_000),
            (edge(446, 500_000, 500_000, 504), 209_005_011, 209_005_011),
            (edge(446, 0, 968_600, 12), 202_727_273, 202_727_273),
            (edge(460, 0, 968_600, 0), 209_090_909, 209_090_909),
            (edge(1_100, 800_000, 600_000, 2), 908_333_333, 908_333_333),
            (edge(1_500, 600_000, 900_000, 36), 703_030_303, 703_030_303),
            (edge(2_000, 900_000, 300_000, 0), 1_000_000_000, 1_036_363_636),
            (edge(0, 1_000_000, 0, 0), 1_000_000_000, 1_600_000_000),
            (edge(0, 1_000_000, 0, 6), 1_000_000_000, 1_000_000_000),
            (edge(5_000, 1, 1, 0), 1_000_000_000, 1_000_000_000),
        ] {
            let score = inputs.score();
            assert_eq!((score.beta_ppb.get(), score.beta_raw_ppb.get()), (beta, raw), "{inputs:?}");
            assert_eq!(inputs.beta(), score.beta_ppb);
        }
    }

    /// Definition 2: control is characters over 2,200, and never more than one.
    #[test]
    fn definition_2_control_is_saturated() {
        for (chars, control, saturated) in [
            (0, 0, false),
            (2_000, 909_090_909, false),
            (2_199, 999_545_455, false),
            (2_200, 1_000_000_000, true),
            (4_400, 1_000_000_000, true),
            (u32::MAX, 1_000_000_000, true),
        ] {
            let inputs = edge(chars, 500_000, 500_000, 3);
            let found = (inputs.score().control_ppb.get(), inputs.is_saturated());
            assert_eq!(found, (control, saturated), "{chars}");
        }
        // More watching never raises beta, as it would with a control of two.
        assert!(edge(4_400, 1, 1, 9).beta() <= edge(4_400, 1, 1, 0).beta());
    }

    /// Definition 3: the gap is (child - parent) / the larger; zero where either is unknown, and where both are zero.
    #[test]
    fn definition_3_an_unknown_gap_is_zero() {
        for (capability_ppm, gap) in [
            (None, 0),
            (Some((0, 0)), 0),
            (Some((0, 1)), 1_000_000_000),
            (Some((1, 0)), -1_000_000_000),
            (Some((600_000, 900_000)), 333_333_333),
            (Some((900_000, 300_000)), -666_666_667),
        ] {
            let score = EdgeInputs { capability_ppm, ..edge(0, 0, 0, 4) }.score();
            assert_eq!(score.gap_ppb, gap, "{capability_ppm:?}");
            if gap == 0 {
                assert_eq!(score.beta_ppb.get(), 500_000_000);
            }
        }
    }

    /// Definition 5: beta is clamped to one, and the raw value kept.
    #[test]
    fn definition_5_beta_is_clamped() {
        // So many interactions, and the gap beyond which the raw value passes one, in hundredths.
        for (interactions, worst_child) in [(1, 66), (2, 44), (3, 28), (4, 16), (5, 7)] {
            let raw = |child: u32| edge(0, 100, child, interactions).beta_raw().get();
            assert!(raw(worst_child) > 1_000_000_000, "{interactions}");
            assert!(raw(worst_child + 1) <= 1_000_000_000, "{interactions}");
        }
        assert!(edge(0, 1_000_000, 0, 6).beta_raw() <= Ppb::ONE, "never with six or more");
    }

    /// Definition 6: the bar's parts are c, (1-c)(1-g⁺)o and 3/5 g⁻ (1-c), and sum to beta also where it was clamped.
    #[test]
    fn definition_6_parts_sum_to_beta() {
        let parts = |inputs: EdgeInputs| {
            let parts = inputs.score().parts;
            [parts.specification_ppb, parts.oversight_ppb, parts.unjustified_ppb].map(Ppb::get)
        };
        assert_eq!(parts(edge(1_100, 800_000, 600_000, 2)), [500_000_000, 333_333_333, 75_000_000]);
        // Raw: 0.909 + 0.0909 + 0.0364, of which the last two are scaled to what is left.
        assert_eq!(parts(edge(2_000, 900_000, 300_000, 0)), [909_090_909, 64_935_065, 25_974_026]);
        assert_eq!(parts(edge(0, 1_000_000, 0, 0)), [0, 625_000_000, 375_000_000]);
        assert_eq!(parts(edge(5_000, 1, 0, 0)), [1_000_000_000, 0, 0]);
    }

    #[test]
    fn a_discount_counts_less_of_the_specification() {
        let full = edge(1_100, 500_000, 500_000, 4);
        let half = EdgeInputs { foreseeability_ppm: 500_000, ..full };
        assert_eq!(half.beta(), edge(550, 500_000, 500_000, 4).beta());
        let beyond = EdgeInputs { foreseeability_ppm: u32::MAX, ..full };
        assert_eq!(beyond.beta(), full.beta());
    }

    #[test]
    fn a_pass_through_has_neither_control_nor_gap() {
        for (chars, parent, child, expected) in [
            (0, 500_000, 500_000, true),
            (109, 500_000, 500_000, true),
            (110, 500_000, 500_000, false),
            (0, 1_000_000, 950_001, true),
            (0, 1_000_000, 950_000, false),
            (0, 950_000, 1_000_000, false),
            (0, 0, 0, true),
        ] {
            let found = edge(chars, parent, child, 0).is_pass_through();
            assert_eq!(found, expected, "{chars} {parent} {child}");
        }
        assert!(EdgeInputs { capability_ppm: None, ..edge(0, 0, 0, 0) }.is_pass_through());
    }

    proptest! {
        /// The formula as it is printed, over a common denominator that was made another way.
        #[test]
        fn beta_is_the_formula(
            chars in 0_u32..3_000, parent in 0..=PPM, child in 0..=PPM, interactions in 0_u32..1_000,
        ) {
            let inputs = edge(chars, parent, child, interactions);
            let (s, m) = (i128::from(chars.min(2_200)), i128::from(parent.max(child).max(1)));
            let gap = i128::from(child) - i128::from(parent);
            let t = i128::from(interactions) + 4;
            // c = s/2200, g = gap/m, o = 4/t: all over 2200 m t 5.
            let residual = 5 * 4 * (m - gap.max(0)) + 3 * (-gap).max(0) * t;
            let numerator = s * m * t * 5 + (2_200 - s) * residual;
            let denominator = 2_200 * m * t * 5;
            let expected = half_to_even(
                u128::try_from(numerator * 1_000_000_000).unwrap(),
                NonZeroU128::new(u128::try_from(denominator).unwrap()).unwrap(),
            );
            let score = inputs.score();
            prop_assert_eq!(u128::from(score.beta_raw_ppb.get()), expected);
            let Parts { specification_ppb, oversight_ppb, unjustified_ppb } = score.parts;
            let sum = specification_ppb.get() + oversight_ppb.get() + unjustified_ppb.get();
            prop_assert_eq!(sum, score.beta_ppb.get());
            prop_assert!(score.beta_raw_ppb.get() <= 1_600_000_000);
        }

        #[test]
        fn no_input_is_too_large(
            chars: u32, foreseeability_ppm: u32, capability_ppm: Option<(u32, u32)>, interactions: u32,
        ) {
            let inputs = EdgeInputs { chars, foreseeability_ppm, capability_ppm, interactions };
            prop_assert!(inputs.score().beta_raw_ppb.get() <= 1_600_000_000);
        }
    }
}
