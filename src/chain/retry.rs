//! What a node's refusal means, and how long to wait before asking again. Pure.
//!
//! Providers word the same refusal in a dozen ways and give one code several meanings: -32005 is "too many results" at one time and
//! "slow down" at another. So the text is read before the code, and the longest-known meaning wins: a range that is too large first
//! (asking again unchanged never helps), then a lagging backend, then a rate limit. Text that could not be decoded is never searched
//! for numbers such as 429: it is an answer of the wrong form, whatever stands in it.

use std::time::Duration;

/// What came back in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// A JSON-RPC error.
    Rpc {
        /// Its code.
        code: i64,
        /// Its message, and the text of its data.
        message: &'a str,
    },
    /// An HTTP status that is no success.
    Http {
        /// The status.
        status: u16,
        /// The beginning of the body.
        body: &'a str,
        /// The `Retry-After` header.
        retry_after: Option<Duration>,
    },
    /// Something that is not the JSON that was asked for.
    Undecodable,
    /// A body larger than our own limit.
    Oversize,
    /// Nothing in time.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
}

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask again, not before the delay if there is one.
    Transient {
        /// The delay the node asks for.
        retry_after: Option<Duration>,
    },
    /// Ask for fewer blocks.
    RangeTooLarge {
        /// The limit the text names, if it names one.
        limit: Option<u64>,
    },
    /// Put fewer calls in one batch.
    BatchTooLarge {
        /// The limit the text names, if it names one.
        limit: Option<u64>,
    },
    /// Ask again, for less.
    TimedOut,
    /// Give up.
    Fatal,
}

const ASK_AGAIN: Verdict = Verdict::Transient { retry_after: None };

/// Reads a refusal.
#[must_use]
pub fn classify(refusal: &Refusal<'_>) -> Verdict {
    match *refusal {
        Refusal::Rpc { code, message } => classify_rpc(code, message),
        Refusal::Http { status, body, retry_after } => classify_http(status, body, retry_after),
        Refusal::Undecodable => Verdict::Fatal,
        Refusal::Oversize => Verdict::RangeTooLarge { limit: None },
        Refusal::TimedOut => Verdict::TimedOut,
        Refusal::Unreachable => ASK_AGAIN,
    }
}

/// Texts of a range that holds too many blocks or logs, and of work that took the node too long.
const RANGE_TEXTS: &[&str] = &[
    "block range",
    "blocks range",
    "range is too",
    "range too",
    "range exceed",
    "range limit",
    "max range",
    "too wide",
    "is limited to a",
    "query returned more than",
    "more than 10000 results",
    "query exceeds",
    "exceeds max results",
    "exceeds limit of",
    "logs matched",
    "too many logs",
    "too many results",
    "too many blocks",
    "response size",
    "response is too",
    "response too large",
    "result set too large",
    "query timeout",
    "reduce the range",
    "smaller range",
];
/// Texts that speak of a range and do not mean its length.
const NOT_RANGE_TEXTS: &[&str] = &["invalid block range", "extends beyond"];
/// Texts of a backend that does not have the block yet, or no longer.
const LAG_TEXTS: &[&str] = &[
    "unknown block",
    "header not found",
    "block not found",
    "could not find block",
    "cannot be found",
    "is not available",
    "not yet available",
    "extends beyond",
    "beyond current head",
    "after last accepted block",
    "block is out of range",
];
/// Texts of a node that wants fewer requests.
const RATE_TEXTS: &[&str] = &[
    "rate limit",
    "rate exceeded",
    "ratelimit",
    "too many requests",
    "request limit",
    "limit exceeded",
    "throughput",
    "compute units",
    "credits",
    "capacity",
    "request count exceeded",
    "concurrent requests",
    "try again",
];
/// Texts of a node that will not answer us however often it is asked.
const REFUSED_TEXTS: &[&str] = &[
    "execution reverted",
    "method not found",
    "does not exist/is not available",
    "not supported",
    "unsupported method",
    "unauthorized",
    "forbidden",
    "api key",
    "missing trie node",
    "historical state",
    "state unavailable",
    "state is not available",
    "no state available",
    "pruned",
    "pruning",
    "invalid block range",
];

fn classify_rpc(code: i64, message: &str) -> Verdict {
    let text = message.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|part| text.contains(part));
    if code == -32014 || (text.contains("batch") && says(&["limit", "maximum", "too", "exceed"])) {
        return Verdict::BatchTooLarge { limit: limit_in(&text) };
    }
    if says(RANGE_TEXTS) && !says(NOT_RANGE_TEXTS) {
        return Verdict::RangeTooLarge { limit: block_limit_in(&text) };
    }
    if code == -32601 || says(REFUSED_TEXTS) {
        return Verdict::Fatal;
    }
    if says(LAG_TEXTS) {
        return ASK_AGAIN;
    }
    if matches!(code, 429 | -32005 | -32007 | -32012 | -32016 | -32055) || says(RATE_TEXTS) {
        return Verdict::Transient { retry_after: delay_in(&text) };
    }
    match code {
        // Revert; malformed JSON, request or parameters: ours to repair.
        3 | -32700 | -32600 | -32602 => Verdict::Fatal,
        // "Internal error" and whatever a server made up: often a backend in trouble. Retries are bounded.
        _ => ASK_AGAIN,
    }
}

fn classify_http(status: u16, body: &str, retry_after: Option<Duration>) -> Verdict {
    // The body may say more than the status: ranges are refused with 400, 413 and 429, as JSON or as plain text.
    let said = match rpc_error_in(body) {
        Some((code, message)) => Some(classify_rpc(code, &message)),
        None if !body.trim_start().starts_with('<') => Some(classify_rpc(-32602, body)),
        None => None,
    };
    if let Some(verdict @ (Verdict::RangeTooLarge { .. } | Verdict::BatchTooLarge { .. })) = said {
        return verdict;
    }
    match status {
        413 => Verdict::RangeTooLarge { limit: None },
        408 | 504 | 524 => Verdict::TimedOut,
        425 | 429 | 500..=599 => Verdict::Transient { retry_after },
        // Some gateways answer 400 where JSON-RPC would answer 200 with an error: then the error decides.
        400 => said.unwrap_or(Verdict::Fatal),
        _ => Verdict::Fatal,
    }
}

/// Code and message of a JSON-RPC error response, as far as a body is one.
fn rpc_error_in(body: &str) -> Option<(i64, String)> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    let error = value.get("error").unwrap_or(&value);
    let code = error.get("code")?.as_i64()?;
    let message = error.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some((code, message.to_owned()))
}

/// The number of blocks a text names as the limit; a number of results is none.
fn block_limit_in(text: &str) -> Option<u64> {
    let text = &text.replace("eth_getlogs", "").replace("eth_newfilter", "");
    if ["result", "logs", "size"].iter().any(|word| text.contains(word))
        && !text.contains("block range")
        && !text.contains("blocks range")
    {
        return None;
    }
    limit_in(text)
}

/// The number that stands after words of limiting: "limited to a 2000 blocks range", "maximum 10 calls", "up to a 10 block range".
fn limit_in(text: &str) -> Option<u64> {
    const BEFORE: &[&str] =
        &["limited to", "up to", "maximum", "max", "limit of", "limit is", "limit"];
    BEFORE.iter().find_map(|word| {
        let (_, rest) = text.split_once(word)?;
        // Only what directly follows: a later number may be anything, a block number for instance.
        let head: String = rest.chars().take(24).collect();
        first_number(&head)
    })
}

/// The first decimal number of a text; thousands may be set off by commas, or shortened to `10k`.
fn first_number(text: &str) -> Option<u64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = text.get(start..)?;
    if rest.starts_with("0x") {
        return None;
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    let number: u64 = digits.replace(',', "").parse().ok()?;
    let number = if after.starts_with('k') { number.checked_mul(1_000)? } else { number };
    (number > 0).then_some(number)
}

/// "try again in 40ms", "retry in 2s".
fn delay_in(text: &str) -> Option<Duration> {
    let (_, rest) = text.split_once("try again in ").or_else(|| text.split_once("retry in "))?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = rest.split_at(end);
    let number: u64 = digits.parse().ok()?;
    match unit.trim_start() {
        unit if unit.starts_with("ms") => Some(Duration::from_millis(number)),
        unit if unit.starts_with('s') => Some(Duration::from_secs(number)),
        _ => None,
    }
}

/// How long to wait between attempts, and how many to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffOptions {
    /// The first delay, before jitter.
    pub base: Duration,
    /// No delay of our own is longer.
    pub max: Duration,
    /// A node's wish for a delay is followed up to here.
    pub retry_after_max: Duration,
    /// So many attempts are made in a row before the error is handed on.
    pub attempts: u32,
}

impl Default for BackoffOptions {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(250),
            max: Duration::from_secs(20),
            retry_after_max: Duration::from_mins(5),
            attempts: 8,
        }
    }
}

impl BackoffOptions {
    /// The delay after failure number `failures` (from 1), or `None` when enough were made.
    ///
    /// It doubles from one failure to the next; half of it is fixed and half is spread by `jitter`, any number.
    #[must_use]
    pub fn delay(
        &self,
        failures: u32,
        retry_after: Option<Duration>,
        jitter: u64,
    ) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.base.saturating_mul(factor).min(self.max);
        let half_ms = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
        let spread = Duration::from_millis(jitter % half_ms.saturating_add(1));
        let own = Duration::from_millis(half_ms).saturating_add(spread);
        Some(own.max(retry_after.unwrap_or_default().min(self.retry_after_max)))
    }
}

/// A stream of numbers to spread delays with: the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// A stream from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
