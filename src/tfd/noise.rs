//! Numbers drawn by lot, and normally distributed ones, from a seed and without floating point.
//!
//! [`Random`] is `SplitMix64` (Steele, Lea, Flood 2014): not for secrets, and the same on every machine. [`Normal`] draws by inversion: a
//! table of the distribution function, made once by whole numbers, is searched for a uniform number. The table covers eight standard
//! deviations, outside of which lies less than 10^-14.

/// A sequence of numbers that its seed determines.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another one; zero below zero. One in 2^64 over that number favours some of them.
    pub fn below(&mut self, bound: u64) -> u64 {
        let scaled = (u128::from(self.bits()) * u128::from(bound)) >> 64;
        u64::try_from(scaled).unwrap_or(0)
    }

    /// A number between two, both of which may come up.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = most.abs_diff(least).saturating_add(1);
        least.saturating_add_unsigned(self.below(width))
    }
}

/// Steps of the table in one standard deviation.
const STEPS: u64 = 512;
/// How many standard deviations it covers on one side.
const REACH: u64 = 8;
/// Fixed point of the table: 2^-62.
const UNIT: u128 = 1 << 62;

/// The standard normal distribution.
#[derive(Clone, Debug)]
pub struct Normal {
    /// The mass between zero and each step, of the half above zero; rising.
    mass: Vec<u64>,
}

impl Default for Normal {
    fn default() -> Self {
        Self::new()
    }
}

impl Normal {
    /// The table: trapezoids under e^(-x²/2), whose next value is the one before times a ratio, whose next value is the one before times
    /// e^(-h²), h being a step. The constant before the density does not matter, since the whole mass is what a draw is compared with.
    #[must_use]
    pub fn new() -> Self {
        let squared_step = UNIT / u128::from(STEPS * STEPS);
        let shrink = exp_minus(squared_step);
        let mut ratio = exp_minus(squared_step / 2);
        let mut height = UNIT;
        let mut sum = 0_u128;
        let mut mass = vec![0];
        for _ in 0..STEPS * REACH {
            let next = times(height, ratio);
            // The mass of half the distribution is sqrt(pi/2) * STEPS * UNIT: divided by 2^12 it fits into 64 bits.
            sum += height.midpoint(next);
            mass.push(u64::try_from(sum >> 12).unwrap_or(u64::MAX));
            (height, ratio) = (next, times(ratio, shrink));
        }
        Self { mass }
    }

    /// The next number, in billionths of a standard deviation.
    pub fn draw(&self, random: &mut Random) -> i64 {
        let is_negative = random.bits() & 1 == 1;
        let total = self.mass.last().copied().unwrap_or(0);
        let size = self.quantile(random.below(total));
        if is_negative { -size } else { size }
    }

    /// Up to where the half above zero has a mass, in billionths; between two steps on a straight line.
    fn quantile(&self, mass: u64) -> i64 {
        const BILLION: u128 = 1_000_000_000;
        let above = self.mass.partition_point(|known| *known <= mass);
        let at = |index: usize| self.mass.get(index).copied().unwrap_or(mass);
        let below = above.saturating_sub(1);
        let (from, to) = (at(below), at(above));
        let part = u128::from(mass.saturating_sub(from)) * BILLION;
        let part = part.checked_div(u128::from(to.saturating_sub(from))).unwrap_or(0);
        let whole = u128::try_from(below).unwrap_or(0) * BILLION;
        i64::try_from((whole + part) / u128::from(STEPS)).unwrap_or(0)
    }
}

fn times(a: u128, b: u128) -> u128 {
    // Both are at most one, so that the product fits.
    (a * b) >> 62
}

/// e^-x for a small x, by its series.
fn exp_minus(x: u128) -> u128 {
    let (mut up, mut down) = (UNIT, 0);
    let mut term = UNIT;
    for count in 1..=8_u32 {
        term = times(term, x) / u128::from(count);
        if count % 2 == 1 { down += term } else { up += term }
    }
    up - down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_of_a_seed_is_that_of_the_paper() {
        // The reference implementation's first outputs for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let drawn: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        let expected =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn bounds_are_kept() {
        let mut random = Random::new(1);
        assert_eq!(random.below(0), 0);
        let drawn: Vec<i64> = (0..1_000).map(|_| random.between(-2, 2)).collect();
        for expected in -2..=2 {
            assert!(drawn.contains(&expected), "{expected}");
        }
        assert!(drawn.iter().all(|number| (-2..=2).contains(number)));
    }

    /// Quantiles of the half-normal distribution, from tables: 0.5 at 0.674490, 0.9 at 1.644854, 0.99 at 2.575829, 0.999 at 3.290527.
    #[test]
    fn the_table_is_that_of_the_normal_distribution() {
        let normal = Normal::new();
        let total = *normal.mass.last().unwrap();
        for (thousandths, expected) in
            [(500, 674_489_750), (900, 1_644_853_627), (990, 2_575_829_304), (999, 3_290_526_731)]
        {
            let mass = u64::try_from(u128::from(total) * thousandths / 1_000).unwrap();
            let off = (normal.quantile(mass) - expected).abs();
            assert!(off < 3_000, "{thousandths}: off by {off} billionths");
        }
        assert_eq!(normal.quantile(0), 0);
        assert!(normal.quantile(total - 1) <= 8_000_000_000);
    }

    #[test]
    fn draws_have_mean_zero_and_deviation_one() {
        let (normal, mut random) = (Normal::new(), Random::new(7));
        let draws: Vec<i64> = (0..100_000).map(|_| normal.draw(&mut random)).collect();
        let mean = draws.iter().sum::<i64>() / 100_000;
        let squares = draws.iter().map(|draw| i128::from(*draw).pow(2)).sum::<i128>() / 100_000;
        // Four standard errors.
        assert!(mean.abs() < 12_700_000, "{mean}");
        assert!((squares - 1_000_000_000_000_000_000).abs() < 18_000_000_000_000_000, "{squares}");
    }
}
