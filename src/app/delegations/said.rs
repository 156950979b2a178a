//! What this service said of a dispute last: which report, and to what its trace came then.
//!
//! Both are in the claim, and an auditor takes the claim for what it says; so both have to be looked at to know whether it still holds. The report
//! is noted beside the dispute; the standing of the trace is read from what was said itself, which is kept and never rewritten.

use serde_json::Value;

use crate::storage::{StorageError, Tx};
use crate::vocab::Digest;

/// What was said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaidLast {
    /// The digest of the report; `None` where none is said to hold.
    pub report: Option<Digest>,
    /// The word of the standing of its trace.
    pub trace: Option<String>,
}

/// What was said last of the dispute of a verdict.
///
/// # Errors
/// When the database fails.
pub async fn said_last(tx: &mut Tx, verdict: Digest) -> Result<SaidLast, StorageError> {
    let report = tx.dispute(verdict).await?.and_then(|dispute| dispute.report);
    // Everybody concerned is told at once, and the same of the trace.
    let published = tx.published_of(verdict).await?;
    let Some(digest) = published.values().next() else {
        return Ok(SaidLast { report, trace: None });
    };
    let records = tx.records_of_digest(*digest, 0, 1).await?;
    let body = records.first().and_then(|held| serde_json::from_slice::<Value>(&held.record).ok());
    let trace =
        body.as_ref().and_then(|body| body.pointer("/attestation/claim/data/trace")?.as_str());
    Ok(SaidLast { report, trace: trace.map(str::to_owned) })
}
