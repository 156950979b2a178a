//! A whole number divided into parts that sum to it, whatever does not divide evenly.
//!
//! Each part gets its quotient rounded down, and what is left goes one by one to the largest remainders; of equal ones the first gets it
//! (definition 19). Callers hand over parts in ascending order of what they are for, so that every machine rounds the same way.

use std::cmp::Reverse;

use alloy::primitives::Uint;

/// Exact shares are counted in these: 64 hops of billionths, a common multiple of all sizes of a cause set, and an amount of 128 bits.
pub type Natural = Uint<2176, 34>;

/// Divides `total` in proportion to `parts`. All parts are zero only where there is nothing to go by, and then so are the results.
#[must_use]
pub fn split(total: u128, parts: &[Natural]) -> Vec<u128> {
    let whole = parts.iter().fold(Natural::ZERO, |sum, part| sum + part);
    if whole.is_zero() {
        return vec![0; parts.len()];
    }
    let total_wide = Natural::from(total);
    let divided: Vec<_> = parts.iter().map(|part| (total_wide * part).div_rem(whole)).collect();
    let mut results: Vec<u128> =
        divided.iter().map(|(quotient, _)| u128::try_from(*quotient).unwrap_or(total)).collect();
    let left = results.iter().fold(total, |left, given| left.saturating_sub(*given));
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| Reverse(divided.get(*index).map(|(_, rest)| *rest)));
    // Fewer are left than there are parts, since each remainder is less than the whole.
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    for index in order.into_iter().take(left) {
        if let Some(result) = results.get_mut(index) {
            *result += 1;
        }
    }
    results
}

/// The same for two parts below 2^96, without wide numbers.
pub(super) fn split_small(total: u32, parts: [u128; 2]) -> [u32; 2] {
    let [first, second] = parts;
    let whole = first + second;
    let Some(rest) = (u128::from(total) * first).checked_rem(whole) else { return [0, 0] };
    // The other remainder is the rest of the whole, so the first wins from half on.
    let up = rest != 0 && rest >= whole - rest;
    let quotient = u128::from(total) * first / whole + u128::from(up);
    let first = u32::try_from(quotient).unwrap_or(total);
    [first, total - first]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(total: u128, parts: &[u64]) -> Vec<u128> {
        split(total, &parts.iter().map(|part| Natural::from(*part)).collect::<Vec<_>>())
    }

    /// Definition 19: an amount is split by the largest remainder, ties by ascending key, so that the parts sum to it.
    #[test]
    fn definition_19_parts_sum_to_the_amount() {
        for (total, parts, expected) in [
            (100, &[1, 1, 1][..], &[34, 33, 33][..]),
            (100, &[8, 11, 56], &[11, 15, 74]),
            (1, &[1, 1], &[1, 0]),
            (2, &[1, 1, 1], &[1, 1, 0]),
            (10, &[0, 1], &[0, 10]),
            (10, &[0, 0], &[0, 0]),
            (0, &[3, 4], &[0, 0]),
            (7, &[], &[]),
            (u128::MAX, &[1, 1], &[u128::MAX / 2 + 1, u128::MAX / 2]),
        ] {
            assert_eq!(of(total, parts), expected, "{total} {parts:?}");
        }
    }

    #[test]
    fn two_small_parts_are_split_as_any_others() {
        for total in [0, 1, 2, 7, 1_000_000_000] {
            for first in [0, 1, 2, 3, 1 << 90] {
                for second in [0, 1, 2, 5, (1 << 90) + 1] {
                    let wide = split(total.into(), &[first, second].map(Natural::from));
                    let small = split_small(total, [first, second]).map(u128::from);
                    assert_eq!(wide, small, "{total} {first} {second}");
                }
            }
        }
    }
}
