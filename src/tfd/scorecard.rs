//! The scorecard of a population of delegations: five measures, each with its target where one is known.
//!
//! The measures are the paper's. Of its targets two could be had, and exclude each other: 1,500 characters of specification alone make a
//! beta of .68, and a median below .40 takes less than 880. They stand here as they were published; a measure without a target is shown
//! without one, and nobody is told that it is met. `docs/tfd.md` says what each measure counts.

use std::num::NonZeroU128;

use serde::Serialize;

use crate::vocab::Ppb;

/// The paper's target of the median beta: below this.
const MEDIAN_BETA_BELOW: u64 = 400_000_000;
/// The paper's target of a specification: more characters than this.
const CHARS_ABOVE: u64 = 1_500;

/// Why a measure has no target.
const NOT_PUBLIC: &str = "the paper names this measure on its scorecard, and its target is in no copy of the paper that could be had";

/// A population as it is counted: the hops that both sides signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many there are.
    pub hops: u64,
    /// Characters of all their specifications.
    pub chars: u64,
    /// Those that stand under another grant.
    pub subs: u64,
    /// Those whose child may delegate on.
    pub may_delegate: u64,
    /// Those of the latter under which a hop is signed by both.
    pub delegated: u64,
    /// Those of which somebody who may judge confirmed that they failed.
    pub disputed: u64,
    /// The median of their betas.
    pub median: Option<Ppb>,
}

/// A measure, what it comes to, and what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// Which.
    pub measure: &'static str,
    /// What it comes to; `None` where there is nothing to measure.
    pub value: Option<u64>,
    /// Of what: `ppb` are billionths, `chars` Unicode scalar values.
    pub unit: &'static str,
    /// What it should be; `None` where no target could be had.
    pub target: Option<Target>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_no_target: Option<&'static str>,
    /// Whether it is; `None` without a value or a target.
    pub is_met: Option<bool>,
}

/// What a measure should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Less than this.
    Below(u64),
    /// More than this.
    Above(u64),
}

impl Target {
    const fn is_met_by(self, value: u64) -> bool {
        match self {
            Self::Below(limit) => value < limit,
            Self::Above(limit) => value > limit,
        }
    }
}

/// The five measures of a population.
#[must_use]
pub fn scorecard(counts: &Counts) -> [Measure; 5] {
    let share = |part: u64, whole: u64| {
        let whole = NonZeroU128::new(whole.into())?;
        Some(u64::from(Ppb::ratio(part.into(), whole).get()))
    };
    let measure = |measure, value: Option<u64>, unit, target: Option<Target>| Measure {
        measure,
        value,
        unit,
        target,
        why_no_target: target.is_none().then_some(NOT_PUBLIC),
        is_met: value.zip(target).map(|(value, target)| target.is_met_by(value)),
    };
    let median = counts.median.map(|median| u64::from(median.get()));
    let density = counts.chars.checked_div(counts.hops);
    [
        measure("median_beta", median, "ppb", Some(Target::Below(MEDIAN_BETA_BELOW))),
        measure("delegation_surface", share(counts.subs, counts.hops), "ppb", None),
        measure("specification_density", density, "chars", Some(Target::Above(CHARS_ABOVE))),
        measure("dispute_rate", share(counts.disputed, counts.hops), "ppb", None),
        measure("sub_delegation_uptake", share(counts.delegated, counts.may_delegate), "ppb", None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_is_counted_and_met_only_where_it_has_a_target() {
        let counts = Counts {
            hops: 400,
            chars: 400 * 446 + 399,
            subs: 100,
            may_delegate: 8,
            delegated: 6,
            disputed: 2,
            median: Some(Ppb::new(209_000_000)),
        };
        let told = scorecard(&counts).map(|one| (one.measure, one.value, one.is_met));
        let expected = [
            ("median_beta", Some(209_000_000), Some(true)),
            ("delegation_surface", Some(250_000_000), None),
            ("specification_density", Some(446), Some(false)),
            ("dispute_rate", Some(5_000_000), None),
            ("sub_delegation_uptake", Some(750_000_000), None),
        ];
        assert_eq!(told, expected);
        // Either a target or why there is none.
        assert!(
            scorecard(&counts)
                .iter()
                .all(|one| one.target.is_none() == one.why_no_target.is_some())
        );
        let edge = Counts { median: Some(Ppb::new(400_000_000)), chars: 1_501, hops: 1, ..counts };
        let told = scorecard(&edge).map(|one| one.is_met);
        assert_eq!(told, [Some(false), None, Some(true), None, None]);
    }

    #[test]
    fn nothing_is_measured_of_nobody() {
        let told = scorecard(&Counts::default()).map(|one| (one.value, one.is_met));
        assert_eq!(told, [(None, None); 5]);
    }
}
