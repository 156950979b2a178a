//! Names of the places that records come from.
//!
//! An operator gives an origin its name in the configuration, and it stands in the digest of every record that came from there: renaming
//! one makes its old records another's.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::account::shorten;

/// The longest name, in bytes.
const NAME_LEN_MAX: usize = 64;

/// The name of an origin: lower-case letters, digits and hyphens, at most 64, with a letter or digit at both ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginName(String);

/// Why a text is not an origin's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin's name; write lower-case letters, digits and hyphens, such as `coordination-games`"
)]
pub struct OriginParseError(String);

impl OriginName {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OriginName {
    type Err = OriginParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_name = (1..=NAME_LEN_MAX).contains(&text.len())
            && text.bytes().all(is_sign)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if is_name { Ok(Self(text.to_owned())) } else { Err(OriginParseError(shorten(text))) }
    }
}

impl fmt::Display for OriginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for OriginName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        let longest = "a".repeat(64);
        for text in ["a", "coordination-games", "8004", longest.as_str()] {
            assert_eq!(text.parse::<OriginName>().unwrap().as_str(), text);
        }
        for text in ["", "-a", "a-", "A", "a:b", "a b", "é", &format!("{longest}a")] {
            assert!(text.parse::<OriginName>().is_err(), "{text}");
        }
    }
}
