//! Averages in whole numbers.
//!
//! A sum of many numbers may be larger than any of them: what does not fit is no figure, rather than a wrong one. Halves are rounded away
//! from zero.

use crate::order::sorted;

/// The mean.
pub fn mean(values: &[i128]) -> Option<i128> {
    let sum = values.iter().try_fold(0_i128, |sum, value| sum.checked_add(*value))?;
    divide(sum, i128::try_from(values.len()).ok()?)
}

/// The value in the middle, or the mean of the two there.
pub fn median(values: &[i128]) -> Option<i128> {
    let sorted = sorted(values.iter().copied());
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return sorted.get(middle).copied();
    }
    mean(sorted.get(middle.checked_sub(1)?..=middle)?)
}

/// One number over another, which is above zero, rounded.
pub fn divide(number: i128, by: i128) -> Option<i128> {
    if by <= 0 {
        return None;
    }
    let (whole, rest) = (number / by, number % by);
    // Twice the rest may not fit.
    let is_half = rest.unsigned_abs() >= by.unsigned_abs().div_ceil(2);
    Some(if is_half { whole + number.signum() } else { whole })
}

/// A number with so many digits behind its point, as a whole number of another such digit; `None` where it does not fit.
pub fn rescale(number: i128, digits: u32, wanted_digits: u32) -> Option<i128> {
    if digits <= wanted_digits {
        number.checked_mul(10_i128.checked_pow(wanted_digits - digits)?)
    } else {
        divide(number, 10_i128.checked_pow(digits - wanted_digits)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (number, by, wanted) in [
            (7, 2, Some(4)),
            (-7, 2, Some(-4)),
            (10, 4, Some(3)),
            (1, 3, Some(0)),
            (2, 3, Some(1)),
            (-1, 3, Some(0)),
            (i128::MAX, i128::MAX, Some(1)),
            (i128::MIN, 1, Some(i128::MIN)),
            (1, 0, None),
        ] {
            assert_eq!(divide(number, by), wanted, "{number} / {by}");
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(median(&[5]), Some(5));
        assert_eq!(median(&[100, 1, 3]), Some(3));
        assert_eq!(median(&[4, 1, 100, 3]), Some(4));
        assert_eq!(mean(&[4, 1, 100, 3]), Some(27));
        assert_eq!(mean(&[i128::MAX, 1]), None);
    }

    #[test]
    fn numbers_are_brought_to_one_digit() {
        assert_eq!(rescale(987, 1, 6), Some(98_700_000));
        assert_eq!(rescale(1_234_567_890, 9, 6), Some(1_234_568));
        assert_eq!(rescale(i128::MAX, 0, 6), None);
        assert_eq!(rescale(1, 255, 6), None);
    }
}
