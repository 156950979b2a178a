//! Times, in whole seconds; no clock.

use std::fmt;

use jiff::Timestamp;

use super::account::{canonical_u64, shorten};

/// Seconds since 1970-01-01T00:00:00Z, up to the year 9999. Text form: RFC 3339 in UTC, with seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(u64);

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time; write it as `2026-02-03T11:08:33Z` or as unix seconds")]
pub struct TimeParseError(String);

impl UnixSeconds {
    /// The last second that RFC 3339 can name at every offset: a day short of the year 10000.
    pub const MAX: Self = Self(253_402_207_200);

    /// A time from a count of seconds, if it is not past [`Self::MAX`].
    #[must_use]
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds <= Self::MAX.0 { Some(Self(seconds)) } else { None }
    }

    /// The count of seconds.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads RFC 3339 with any offset, or unix seconds. Fractions of a second are cut off.
    ///
    /// # Errors
    /// When the text is neither, or lies before 1970 or after the year 9999.
    pub fn parse(text: &str) -> Result<Self, TimeParseError> {
        let seconds = match canonical_u64(text) {
            Some(seconds) => Some(seconds),
            None => text.parse::<Timestamp>().ok().and_then(|t| t.as_second().try_into().ok()),
        };
        seconds.and_then(Self::new).ok_or_else(|| TimeParseError(shorten(text)))
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = i64::try_from(self.0).ok().and_then(|s| Timestamp::from_second(s).ok());
        match time {
            Some(time) => write!(f, "{}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => unreachable!("`new` admits only seconds that a timestamp can hold"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_and_print() {
        for (text, printed) in [
            ("1770116913", "2026-02-03T11:08:33Z"),
            ("2026-02-03T11:08:33Z", "2026-02-03T11:08:33Z"),
            ("2026-02-03T12:08:33.999+01:00", "2026-02-03T11:08:33Z"),
            ("0", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(UnixSeconds::parse(text).unwrap().to_string(), printed);
        }
        assert_eq!(UnixSeconds::MAX.to_string(), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "-1", "1969-12-31T23:59:59Z", "99999999999999", "2026-02-30"]
        {
            assert!(UnixSeconds::parse(text).is_err(), "{text}");
        }
    }
}
