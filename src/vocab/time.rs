//! Times, in whole seconds; no clock.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::account::{canonical_u64, shorten};
use super::text::ShortText;

/// Seconds since 1970-01-01T00:00:00Z, up to the year 9999. Text form: RFC 3339 in UTC, with seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(u64);

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time; write it as `2026-02-03T11:08:33Z` or as unix seconds")]
pub struct TimeParseError(String);

impl UnixSeconds {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

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
        let seconds = canonical_u64(text).and_then(Self::new);
        seconds.or_else(|| Self::of_timestamp(text)).ok_or_else(|| TimeParseError(shorten(text)))
    }

    /// Reads as [`parse`](Self::parse), and of a time in UTC that lies before the first or after the last of ours gives that one: who asks
    /// what was true in the year 0, or will be on the last day of 9999, has written a time.
    ///
    /// # Errors
    /// When the text is no time.
    pub fn parse_nearest(text: &str) -> Result<Self, TimeParseError> {
        Self::parse(text).or_else(|error| Self::nearest(text).ok_or(error))
    }

    fn nearest(text: &str) -> Option<Self> {
        // Years of four digits and whole seconds, as all other times are written.
        let written = text.strip_suffix('Z').filter(|written| written.len() == 19)?;
        let time = written.parse::<DateTime>().ok().filter(|time| time.to_string() == written)?;
        Some(if time.year() < 1970 { Self::EPOCH } else { Self::MAX })
    }

    /// Reads RFC 3339 alone, as signed documents have it.
    #[must_use]
    pub fn of_timestamp(text: &str) -> Option<Self> {
        let seconds = text.parse::<Timestamp>().ok()?.as_second();
        Self::new(seconds.try_into().ok()?)
    }
}

impl UnixSeconds {
    /// Its text form, held in place.
    #[must_use]
    pub fn to_text(self) -> ShortText<20> {
        const DAY_S: u64 = 86_400;
        let (year, month, day) = date(self.0 / DAY_S);
        let second = self.0 % DAY_S;
        let mut text = *b"0000-00-00T00:00:00Z";
        let parts = [
            (0, year / 100),
            (2, year % 100),
            (5, month),
            (8, day),
            (11, second / 3600),
            (14, second / 60 % 60),
            (17, second % 60),
        ];
        // Formatting would cost more than the whole of a look-up in memory.
        for (place, number) in parts {
            for (place, digit) in [(place, number / 10), (place + 1, number % 10)] {
                if let (Some(sign), Ok(digit)) = (text.get_mut(place), u8::try_from(digit)) {
                    *sign += digit;
                }
            }
        }
        ShortText::whole(text)
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
///
/// Years are taken to begin in March, so that a leap day is the last of its year, and to come in eras of 400 that all have the same days.
const fn date(days: u64) -> (u64, u64, u64) {
    const ERA_DAYS: u64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
    let year = (day - day / 1460 + day / 36_524 - day / (ERA_DAYS - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_text().as_str())
    }
}

impl Serialize for UnixSeconds {
    /// Its text form.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_text().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for UnixSeconds {
    /// Its text form, and no other.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = Self::parse(&text).ok().filter(|time| time.to_text().as_str() == text);
        time.ok_or_else(|| {
            let is_outside = Self::parse(&text).is_err() && Self::nearest(&text).is_some();
            serde::de::Error::custom(if is_outside {
                "a time lies from 1970-01-01T00:00:00Z to 9999-12-30T22:00:00Z, the last second that can be written at every offset"
            } else {
                "a time is written as `2026-02-03T11:08:33Z`"
            })
        })
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
    fn every_day_is_shown_as_the_calendar_has_it() {
        let days = UnixSeconds::MAX.0 / 86_400;
        for day in (0..60_000).chain((60_000..=days).step_by(37)) {
            // Another second of each day.
            let seconds = (day * 86_400 + day * 7_919 % 86_400).min(UnixSeconds::MAX.0);
            let timestamp = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
            assert_eq!(UnixSeconds(seconds).to_string(), timestamp.to_string());
        }
    }

    #[test]
    fn a_kept_time_has_one_form() {
        let time = UnixSeconds(1_770_116_913);
        let kept = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<UnixSeconds>(&kept).unwrap(), time);
        for wrong in ["1770116913", "\"1770116913\"", "\"2026-02-03T12:08:33+01:00\"", "null"] {
            assert!(serde_json::from_str::<UnixSeconds>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "-1", "1969-12-31T23:59:59Z", "99999999999999", "2026-02-30"]
        {
            assert!(UnixSeconds::parse(text).is_err(), "{text}");
        }
        assert_eq!(UnixSeconds::of_timestamp("1770116913"), None);
    }
}
