//! From the client's errors to ours.
//!
//! A [`Failure`] is a verdict with its reason, before it is known of which request. [`Failure::at`] makes a [`ChainError`] of it and
//! cleans the reason of whatever stands in the URL: nothing else in `chain` turns foreign text into an error.

use alloy::transports::{RpcError, TransportError, TransportErrorKind};

use super::ChainError;
use super::endpoint::Endpoint;
use super::retry::{Refusal, Verdict, classify};
use super::transport::TransportFault;

/// Why a request failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    verdict: Verdict,
    reason: String,
    of_connection: bool,
    /// A JSON-RPC error's code.
    code: Option<i64>,
}

impl Failure {
    /// Reads an error of the client.
    pub(crate) fn of(error: &TransportError) -> Self {
        match error {
            RpcError::ErrorResp(payload) => {
                let mut message = payload.message.to_string();
                if let Some(data) = payload.data.as_ref().filter(|data| data.get().len() < 500) {
                    // Some nodes put the telling text there.
                    message = format!("{message} {}", data.get());
                }
                let refusal = Refusal::Rpc { code: payload.code, message: &message };
                let reason = format!("error {}: {message}", payload.code);
                Self { code: Some(payload.code), ..Self::new(&refusal, reason) }
            }
            RpcError::Transport(kind) => Self::of_transport(kind),
            // Only what serde says of the form; the text itself may hold anything.
            RpcError::DeserError { err, .. } => {
                Self::new(&Refusal::Undecodable, format!("the answer has another form: {err}"))
            }
            RpcError::NullResp => Self::untrue("an empty answer".to_owned()),
            RpcError::SerError(error) => Self::fatal(error.to_string()),
            RpcError::UnsupportedFeature(what) => Self::fatal((*what).to_owned()),
            RpcError::LocalUsageError(error) => Self::fatal(error.to_string()),
        }
    }

    fn of_transport(kind: &TransportErrorKind) -> Self {
        if let Some(http) = kind.as_http_error() {
            let (status, body) = (http.status, http.body.as_str());
            let refusal = Refusal::Http { status, body, retry_after: kind.retry_after() };
            return Self::new(&refusal, format!("http status {status}: {body}"));
        }
        let fault = kind.as_custom().and_then(|error| error.downcast_ref::<TransportFault>());
        let (refusal, of_connection) = match fault {
            Some(TransportFault::TimedOut) => (Refusal::TimedOut, false),
            Some(TransportFault::Oversize(_)) => (Refusal::Oversize, false),
            Some(TransportFault::Undecodable(_)) => (Refusal::Undecodable, false),
            Some(TransportFault::Unusable(reason)) => return Self::fatal(reason.clone()),
            Some(fault @ TransportFault::Untrusted(_)) => return Self::fatal(fault.to_string()),
            Some(TransportFault::Unreachable(_)) => (Refusal::Unreachable, true),
            // A batch that was answered in part is no sign of a lost connection.
            None => {
                let missing = matches!(kind, TransportErrorKind::MissingBatchResponse(_));
                (Refusal::Unreachable, !missing)
            }
        };
        Self { of_connection, ..Self::new(&refusal, kind.to_string()) }
    }

    fn new(refusal: &Refusal<'_>, reason: String) -> Self {
        Self { verdict: classify(refusal), reason, of_connection: false, code: None }
    }

    /// An answer that cannot be true: of a backend that is behind, or broken. Another try may reach another one.
    pub(crate) fn untrue(reason: String) -> Self {
        let verdict = Verdict::Transient { retry_after: None };
        Self { verdict, reason, of_connection: false, code: None }
    }

    /// A block that the backend does not have yet.
    pub(crate) fn lag(number: u64) -> Self {
        Self::untrue(format!("it does not have block {number} yet"))
    }

    /// A range of more blocks than are read one by one for one question.
    pub(crate) fn too_wide(blocks: u64) -> Self {
        let reason = "the node bears no batches, so its blocks are read one by one".to_owned();
        Self { verdict: Verdict::RangeTooLarge { limit: Some(blocks) }, ..Self::untrue(reason) }
    }

    /// Something that asking again does not cure.
    pub(crate) fn fatal(reason: String) -> Self {
        Self { verdict: Verdict::Fatal, ..Self::untrue(reason) }
    }

    /// Whether the connection itself is in doubt.
    pub(crate) const fn is_of_connection(&self) -> bool {
        self.of_connection
    }

    /// Whether no answer came in time.
    pub(crate) const fn is_of_time(&self) -> bool {
        matches!(self.verdict, Verdict::TimedOut)
    }

    /// The same for a question that the node alone may refuse: what a gateway or a broken answer says in its place may pass.
    pub(crate) fn unless_said(self) -> Self {
        let verdict = match self.verdict {
            Verdict::Fatal if self.code.is_none() => Verdict::Transient { retry_after: None },
            verdict => verdict,
        };
        Self { verdict, ..self }
    }

    /// What the node itself said, where it was the node that refused.
    pub(crate) fn said(&self) -> Option<&str> {
        self.code.map(|_| self.reason.as_str())
    }

    /// Whether fewer calls in a batch may be answered.
    pub(crate) const fn is_of_size(&self) -> bool {
        match self.verdict {
            Verdict::BatchTooLarge { .. } | Verdict::RangeTooLarge { .. } | Verdict::TimedOut => {
                true
            }
            Verdict::Transient { .. } | Verdict::Fatal => false,
        }
    }

    /// The limit on batches, where that is what was refused.
    #[expect(clippy::option_option, reason = "refused or not, and then named or not")]
    pub(crate) const fn batch_limit(&self) -> Option<Option<u64>> {
        match self.verdict {
            Verdict::BatchTooLarge { limit } => Some(limit),
            Verdict::RangeTooLarge { .. }
            | Verdict::TimedOut
            | Verdict::Transient { .. }
            | Verdict::Fatal => None,
        }
    }

    /// Whether a node said in this way that it knows no such tag; being asked to slow down is something else.
    pub(crate) const fn is_unknown_tag(&self) -> bool {
        match self.code {
            Some(429 | -32005 | -32007 | -32012 | -32016 | -32055) | None => false,
            Some(_) => matches!(self.verdict, Verdict::Transient { .. } | Verdict::Fatal),
        }
    }

    /// The error of a request.
    pub(crate) fn at(self, endpoint: &Endpoint, asked: &str) -> ChainError {
        let (at, asked) = (endpoint.to_string(), asked.to_owned());
        let reason = endpoint.clean(&self.reason);
        match self.verdict {
            Verdict::Transient { retry_after } => {
                ChainError::Transient { endpoint: at, asked, reason, retry_after }
            }
            Verdict::TimedOut => ChainError::TimedOut { endpoint: at, asked },
            // A batch of one cannot be made smaller, a range may.
            Verdict::RangeTooLarge { limit } => {
                ChainError::RangeTooLarge { endpoint: at, asked, reason, limit }
            }
            Verdict::BatchTooLarge { .. } | Verdict::Fatal => {
                ChainError::Fatal { endpoint: at, asked, reason }
            }
        }
    }
}
