//! Parts per billion: ratios as whole numbers, rounded once, half to even.
//!
//! Nothing that is stored, signed, hashed or compared may depend on floating point, so probabilities and shares are counts of billionths.
//! A value may exceed [`Ppb::ONE`]: some quantities are shown as they come out before they are clamped.

use std::fmt;
use std::num::NonZeroU128;

use serde::{Serialize, Serializer};

/// A count of billionths, up to a little above four. Text form: a decimal fraction with nine digits, `0.500000000`; in JSON the count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppb(u32);

impl Ppb {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000_000_000);

    /// So many billionths.
    #[must_use]
    pub const fn new(billionths: u32) -> Self {
        Self(billionths)
    }

    /// How many billionths.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// A ratio, rounded half to even; the largest value there is where it does not fit. `numerator` is less than 2^98, and counts as that
    /// where it is not.
    #[must_use]
    pub fn ratio(numerator: u128, denominator: NonZeroU128) -> Self {
        let scaled = numerator.saturating_mul(u128::from(Self::ONE.0));
        Self(u32::try_from(half_to_even(scaled, denominator)).unwrap_or(u32::MAX))
    }

    /// So much of another, rounded half to even.
    #[must_use]
    pub fn of(self, other: Self) -> Self {
        // Two of 32 bits fit into 64, where dividing costs a tenth of what it does in 128.
        const ONE: u64 = 1_000_000_000;
        let product = u64::from(self.0) * u64::from(other.0);
        let (quotient, rest) = (product / ONE, product % ONE);
        let up = 2 * rest > ONE || (2 * rest == ONE && quotient % 2 == 1);
        Self(u32::try_from(quotient + u64::from(up)).unwrap_or(u32::MAX))
    }

    /// What is missing to the whole; nothing for the whole and above.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ONE.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Ppb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / Self::ONE.0, self.0 % Self::ONE.0)
    }
}

impl Serialize for Ppb {
    /// The count of billionths, as a number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

/// The quotient of two whole numbers, rounded to the nearest, and to the even one of two that are equally near.
#[must_use]
pub fn half_to_even(numerator: u128, denominator: NonZeroU128) -> u128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    // Compared with what is left of the denominator, since doubling could overflow.
    let other = denominator.get() - rest;
    let up = rest > other || (rest == other && quotient % 2 == 1);
    quotient + u128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(numerator: u128, denominator: u128) -> u32 {
        Ppb::ratio(numerator, NonZeroU128::new(denominator).unwrap()).get()
    }

    #[test]
    fn ratios_are_rounded_once_half_to_even() {
        for (numerator, denominator, expected) in [
            (0, 7, 0),
            (1, 1, 1_000_000_000),
            (2, 3, 666_666_667),
            (8, 5, 1_600_000_000),
            (1, 2_000_000_000, 0),
            (3, 2_000_000_000, 2),
            (5, 2_000_000_000, 2),
            (7, 2_000_000_000, 4),
            (u128::MAX, 1, u32::MAX),
        ] {
            assert_eq!(ratio(numerator, denominator), expected, "{numerator}/{denominator}");
        }
    }

    #[test]
    fn a_part_of_a_part_rounds_the_same_way() {
        for (a, b, expected) in [
            (500_000_000, 500_000_000, 250_000_000),
            (1_000_000_000, 7, 7),
            (500_000_000, 1, 0),
            (500_000_000, 3, 2),
            (1_600_000_000, 1_600_000_000, 2_560_000_000),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert_eq!(Ppb::new(a).of(Ppb::new(b)).get(), expected, "{a} of {b}");
            let product = u128::from(a) * u128::from(b);
            let slow = half_to_even(product, NonZeroU128::new(1_000_000_000).unwrap());
            assert_eq!(u32::try_from(slow).unwrap_or(u32::MAX), expected);
        }
    }

    #[test]
    fn it_shows_itself_as_a_fraction_and_is_a_number_in_json() {
        assert_eq!(Ppb::new(1_036_363_636).to_string(), "1.036363636");
        assert_eq!(Ppb::new(7).to_string(), "0.000000007");
        assert_eq!(serde_json::to_string(&Ppb::ONE).unwrap(), "1000000000");
        assert_eq!(Ppb::new(300_000_000).complement().get(), 700_000_000);
        assert_eq!(Ppb::new(1_300_000_000).complement(), Ppb::ZERO);
    }
}
