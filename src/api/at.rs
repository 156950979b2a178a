//! The `at` of a request: as of which block it is to be answered.
//!
//! A block or a time after the last block applied is refused, never guessed: the chain may still bring another block of that second.

use super::error::ApiError;
use crate::vocab::UnixSeconds;

/// As of which block to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum At {
    /// The last block applied.
    #[default]
    Latest,
    /// The node's safe block, or the last block applied where that is lower.
    Safe,
    /// The node's finalized block, or the last block applied where that is lower.
    Finalized,
    /// The end of the block of this number.
    Block(u64),
    /// The end of the last block whose time is not later.
    Time(UnixSeconds),
}

/// The forms, for messages.
const FORMS: &str =
    "write it as `latest`, `safe`, `finalized`, `block:41663783` or `time:2026-02-03T11:08:33Z`";

impl At {
    /// Reads `at`; absent is the latest.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        let Some(text) = text else { return Ok(Self::Latest) };
        Self::read(text).map_err(|detail| ApiError::parameter("at", detail))
    }

    /// Reads one of the forms, or says what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{}` is no place in the chain; {FORMS}", super::shorten(text));
        match text {
            "latest" => return Ok(Self::Latest),
            "safe" => return Ok(Self::Safe),
            "finalized" => return Ok(Self::Finalized),
            _ => {}
        }
        if let Some(number) = text.strip_prefix("block:") {
            let is_plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let parsed = number.parse().ok().filter(|_| is_plain);
            return parsed.map(Self::Block).ok_or_else(malformed);
        }
        let time = text.strip_prefix("time:").ok_or_else(malformed)?;
        UnixSeconds::parse_nearest(time).map(Self::Time).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            (None, At::Latest),
            (Some("latest"), At::Latest),
            (Some("safe"), At::Safe),
            (Some("finalized"), At::Finalized),
            (Some("block:0"), At::Block(0)),
            (Some("block:18446744073709551615"), At::Block(u64::MAX)),
            (Some("time:0"), At::Time(UnixSeconds::new(0).unwrap())),
            (Some("time:0000-01-01T00:00:00Z"), At::Time(UnixSeconds::EPOCH)),
            (Some("time:9999-12-31T23:59:59Z"), At::Time(UnixSeconds::MAX)),
            (Some("time:2026-02-03T11:08:33Z"), At::Time(UnixSeconds::new(1_770_116_913).unwrap())),
        ] {
            assert_eq!(At::parse(text).unwrap(), expected);
        }
    }

    #[test]
    fn other_texts_are_refused_by_name() {
        for text in
            ["", "Latest", "pending", "block:", "block:+1", "block:-1", "block:0x10", "5", "time:"]
        {
            let Err(ApiError::Parameter { name, detail }) = At::parse(Some(text)) else {
                panic!("{text} was read");
            };
            assert_eq!(name, "at");
            assert!(detail.contains(text.rsplit(':').next().unwrap()), "{detail}");
        }
        assert!(At::read("block:18446744073709551616").is_err(), "2^64 must not wrap");
    }
}
