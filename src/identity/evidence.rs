//! Positions and spans with what proves them: the transaction and the time of each end.
//!
//! What is folded from the log names positions only; storage adds the evidence when a span is read, for whoever has to show it.

use alloy::primitives::B256;

use super::timeline::SpanRecord;
use crate::vocab::{Position, UnixSeconds};

/// A position with what proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where.
    pub at: Position,
    /// The transaction; absent where no log says so but the contract's answer.
    pub tx_hash: Option<B256>,
    /// When its block was made; absent where that block is not held.
    pub time: Option<UnixSeconds>,
}

/// A span with the evidence for both its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidencedSpan {
    /// The span.
    pub record: SpanRecord,
    /// Where it began.
    pub from: Evidence,
    /// Where it ended; absent while it is open.
    pub to: Option<Evidence>,
}
