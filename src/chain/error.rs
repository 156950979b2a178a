//! What can go wrong between us and a node, sorted by what to do about it.
//!
//! Each error says what was asked and of whom; the endpoint is a scheme and a host, never a URL. Whoever makes an error has cleaned
//! its reason with [`Endpoint::clean`](super::endpoint::Endpoint::clean) first.

use std::time::Duration;

/// Why a source did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It may be answered when asked again: the node lags, is overloaded, or contradicted itself.
    #[error("{endpoint} did not answer {asked}: {reason}")]
    Transient {
        /// Scheme and host.
        endpoint: String,
        /// The method, and the block or range.
        asked: String,
        /// What was wrong.
        reason: String,
        /// How long the node asks us to wait.
        retry_after: Option<Duration>,
    },
    /// No answer came in time; a smaller request may be answered.
    #[error("{endpoint} did not answer {asked} in time")]
    TimedOut {
        /// Scheme and host.
        endpoint: String,
        /// The method, and the block or range.
        asked: String,
    },
    /// The node, or our own limit on sizes, refuses a range of this length.
    #[error("{endpoint} refuses {asked} as too large: {reason}")]
    RangeTooLarge {
        /// Scheme and host.
        endpoint: String,
        /// The method, and the range.
        asked: String,
        /// What was said.
        reason: String,
        /// The number of blocks that the node names as its limit; by its own way of counting.
        limit: Option<u64>,
    },
    /// Asking again does not help.
    #[error("{endpoint} cannot answer {asked}: {reason}")]
    Fatal {
        /// Scheme and host.
        endpoint: String,
        /// The method, and the block or range.
        asked: String,
        /// What was wrong.
        reason: String,
    },
}

impl ChainError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::TimedOut { .. })
    }

    /// How long the node asks us to wait before the next request.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } => *retry_after,
            Self::TimedOut { .. } | Self::RangeTooLarge { .. } | Self::Fatal { .. } => None,
        }
    }

    /// Logs that the same is asked again: a first failure is nothing, a third in a row is worth knowing.
    pub(crate) fn tell(&self, failures: u32, what: &str) {
        const WORTH_KNOWING: u32 = 3;
        if failures == WORTH_KNOWING {
            tracing::warn!(error = %self, failures, "{what}");
        } else {
            tracing::debug!(error = %self, failures, "{what}");
        }
    }

    /// An answer that contradicts another one: backends disagree, or the chain changed in between.
    pub(crate) fn contradiction(asked: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Transient {
            endpoint: "the node".to_owned(),
            asked: asked.into(),
            reason: reason.into(),
            retry_after: None,
        }
    }
}
