//! Numbers as JSON writes them, compared and rounded by their digits.
//!
//! No floating-point number can say whether it is the number that was written; two rows of digits can.

/// A number: `digits` times ten to the power of `exponent`. There is one for each value: no zero stands at either end of the digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// ASCII; empty for zero.
    digits: Vec<u8>,
    /// Zero for zero.
    exponent: i64,
}

impl Decimal {
    /// Reads a number of JSON; `None` where it is none, or its exponent has more than fifteen digits.
    ///
    /// The sign of zero is dropped, as RFC 8785 drops it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let exponent: i64 = exponent.parse().ok().filter(|_| exponent.len() <= 16)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let mut exponent = exponent - i64::try_from(fraction.len()).ok()?;
        let mut digits = [whole, fraction].concat().into_bytes();
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        Some(Self { is_negative, digits, exponent })
    }

    /// Whether the value is not below 0 and not above 1.
    pub(super) fn is_fraction(&self) -> bool {
        let is_one = self.digits == b"1" && self.exponent == 0;
        !self.is_negative && (self.digits.is_empty() || is_one || self.magnitude() <= 0)
    }

    /// Whether this is one of the longer ways to write the fraction `written`: 17 digits tell every number of 64 bits from its neighbours,
    /// so no more are needed to mean one. A whole number is meant to the last digit.
    pub(super) fn rounds_to(&self, written: &Self) -> bool {
        self.exponent < 0 && self.digits.len() <= 17 && !written.digits.is_empty()
    }

    /// How many digits stand before the point, or minus how many zeros stand between it and the first digit.
    fn magnitude(&self) -> i64 {
        // No text in memory has so many digits.
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_add(self.exponent)
    }

    /// The value times ten to the power of `places`, rounded half to even; `None` where it is negative or has more than 18 digits.
    pub(super) fn scaled(&self, places: u8) -> Option<u64> {
        let kept = self.magnitude() + i64::from(places);
        if self.is_negative || kept > 18 {
            return None;
        }
        if kept < 0 || self.digits.is_empty() {
            return Some(0);
        }
        let kept = usize::try_from(kept).ok()?;
        let mut whole = 0_u64;
        for place in 0..kept {
            let digit = self.digits.get(place).map_or(0, |digit| u64::from(digit - b'0'));
            whole = whole * 10 + digit;
        }
        let is_up = match self.digits.get(kept..) {
            None | Some([]) => false,
            // Nothing but zeros would follow, and none stands at the end.
            Some([b'5']) => whole % 2 == 1,
            Some([first, ..]) => *first >= b'5',
        };
        Some(whole + u64::from(is_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_form() {
        for same in [
            &["0", "-0", "0.0", "0e5", "-0.000E-9"][..],
            &["1", "1.0", "10e-1", "0.1E+1", "1e0"],
            &["-120", "-1.2e2", "-0.012e4"],
            &["1e21", "1000000000000000000000", "1e+21"],
        ] {
            for text in same {
                assert_eq!(Decimal::parse(text), Decimal::parse(same[0]), "{text}");
                assert!(Decimal::parse(text).is_some());
            }
        }
        assert_ne!(Decimal::parse("0.1"), Decimal::parse("0.10000000000000001"));
        for text in ["", "-", ".5", "1e", "1e99999999999999999", "x", "1x", "--1", "1.2.3"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rounding_is_half_to_even() {
        for (text, ppb) in [
            ("0", Some(0)),
            ("1", Some(1_000_000_000)),
            ("0.94", Some(940_000_000)),
            ("1e-9", Some(1)),
            ("5e-10", Some(0)),
            ("1.5e-9", Some(2)),
            ("2.5e-9", Some(2)),
            ("2.5000000001e-9", Some(3)),
            ("4e-10", Some(0)),
            ("6e-10", Some(1)),
            ("1e-400", Some(0)),
            ("0.3333333333333333", Some(333_333_333)),
            ("0.9999999999", Some(1_000_000_000)),
            ("1e9", None),
            ("999999999", Some(999_999_999_000_000_000)),
            ("-0.5", None),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().scaled(9), ppb, "{text}");
        }
    }

    #[test]
    fn fractions_lie_between_nought_and_one() {
        for (text, is_fraction) in [
            ("0", true),
            ("-0", true),
            ("1", true),
            ("1.000", true),
            ("0.999999999999", true),
            ("1e-300", true),
            ("1.0000000000001", false),
            ("1.5", false),
            ("10", false),
            ("-1e-300", false),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().is_fraction(), is_fraction, "{text}");
        }
    }
}
