//! Records that came when whoever signed them had stopped speaking for whom they speak for.
//!
//! The time of a record is its signer's word. A wallet that was an agent's can therefore say at any time what counts as said while it was:
//! nothing in the signature tells what was said then and came late from what was made up since. Such a record is taken, since it may well
//! be true, and it is marked. The mark is of the moment of receipt, and rests on what was known then.

use serde::Deserialize;

use super::CheckedRecord;
use super::commit::Named;
use super::ground::Ground;
use crate::attest::verify::SKEW_S;
use crate::storage::{RecordFinding, RecordSource};
use crate::vocab::{Subject, UnixSeconds};

/// The word for it.
const LATE: &str = "late";

/// What a verdict says of the end of the right by which a signature counts.
#[derive(Deserialize)]
struct Ended {
    signer: String,
    ended: Option<UnixSeconds>,
}

/// The finding on a record that its signer could have made up since.
pub(super) fn late(ground: &Ground, record: &Named) -> Option<RecordFinding> {
    let Named { issuer, checked, .. } = record;
    if checked.source != RecordSource::Signed || !checked.is_dated {
        return None;
    }
    let of_right = checked.proof.as_deref().and_then(|proof| of_right(proof, issuer));
    let over = of_right.or_else(|| of_meaning(ground, issuer, checked))?;
    let detail = format!(
        "it came at {}, and {over}: that it was said at {} is its signer's word alone",
        checked.received_at, checked.said_at
    );
    Some(RecordFinding { kind: LATE.to_owned(), detail })
}

/// That the signer of another's word had stopped speaking for it.
fn of_right(proof: &str, issuer: &Subject) -> Option<String> {
    let Ended { signer, ended } = serde_json::from_str(proof).ok()?;
    Some(format!("{signer} speaks for {issuer} no more since {}", ended?))
}

/// That a name by which an agent was meant means it no more. What is under way is given as long as a clock may be ahead.
fn of_meaning(ground: &Ground, issuer: &Subject, checked: &CheckedRecord) -> Option<String> {
    let agent = ground.agent(issuer, checked)?;
    let lately = UnixSeconds::new(checked.received_at.get().saturating_sub(SKEW_S + 1))?;
    let is_past = checked.said_at < lately && !ground.means(issuer, agent, lately);
    is_past.then(|| format!("{issuer} means {agent} no more"))
}
