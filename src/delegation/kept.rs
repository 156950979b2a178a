//! One hop from records whose signatures were judged when they came: what it weighs, and what its records say against each other.
//!
//! A service keeps records as they come, in any order, and looks at a hop again whenever one of its records is new, or turns out not to be
//! its issuer's word. The rules are those by which a trace is checked (`hops`); only the signatures are taken for what was found of them.
//! What is merely not there yet is no finding.

use std::collections::BTreeMap;

use super::case::edge;
use super::hops::Checker;
use super::judges::Judges;
use super::note::Note;
use super::record::Record;
use super::verdict::{FaultKind, Hop, HopState};
use super::verify::{HOPS_MAX, Seal, Seen, hops, of_judges};
use crate::tfd::{self, EdgeInputs};
use crate::vocab::Digest;

/// A record as it is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its digest.
    pub digest: Digest,
    /// What it says.
    pub record: Record,
    /// Whether it is its issuer's word, as far as that is known now.
    pub holds: bool,
}

/// A hop, as its records have it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHop {
    /// The hop.
    pub hop: Hop,
    /// The inputs of the formula; `None` where the grant is not there.
    pub inputs: Option<EdgeInputs>,
    /// Whether somebody who may judge confirmed that it failed.
    pub is_disputed: bool,
    /// What its records say against each other or against the hop above, in the order of the checks.
    pub findings: Vec<HopFinding>,
}

/// Something about a hop that ought not to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopFinding {
    /// The word for its kind: that of a fault or of a note.
    pub kind: String,
    /// Which record.
    pub record: Option<Digest>,
    /// In words, without the number of the hop.
    pub detail: String,
}

/// The hop of a grant. `records` are those of the grant, the snapshots that it names, and, where there is one, the grant above with its
/// acceptance and outcomes; others do no harm. `judges` are those of the whole way up. `None` where nobody but strangers speaks of it.
#[must_use]
pub fn kept_hop(grant: Digest, records: Vec<Kept>, judges: &Judges) -> Option<KeptHop> {
    let seen: BTreeMap<Digest, Seen> =
        records.into_iter().map(|kept| (kept.digest, seen(kept))).collect();
    let mut checker = Checker::new(&seen);
    let hops = hops(&mut checker);
    let hop = hops.iter().find(|hop| hop.digest == grant)?.clone();
    let own = Some(hop.number);
    let faults =
        checker.faults.iter().filter(|fault| fault.hop == own && fault.kind != FaultKind::Missing);
    let prefix = format!("hop {}, ", hop.number);
    let mut findings: Vec<_> = faults
        .map(|fault| HopFinding {
            kind: word(&fault.kind),
            record: fault.record,
            detail: fault.why.strip_prefix(&prefix).unwrap_or(&fault.why).to_owned(),
        })
        .collect();
    let of_verdicts = of_judges(std::slice::from_ref(&hop), |_| judges.clone());
    let notes = checker.notes.iter().chain(&of_verdicts).filter(|note| note.hop == own);
    let is_odd = |note: &Note| !matches!(note, Note::SnapshotMissing | Note::LastMissing);
    findings.extend(notes.filter(|noted| is_odd(&noted.note)).map(|noted| HopFinding {
        kind: word(&noted.note),
        record: noted.record,
        detail: noted.note.in_words().to_owned(),
    }));
    let is_disputed = judges.confirming(&hop).is_some();
    let to_skill = hop.child.agent().is_none();
    let inputs = hop.grant.is_some().then(|| tfd::edge_inputs(&edge(&hop), to_skill));
    Some(KeptHop { hop, inputs, is_disputed, findings })
}

impl KeptHop {
    /// The hop as it is where it is too far below the buyer, which its own records do not show.
    #[must_use]
    pub fn too_long(mut self) -> Self {
        if self.hop.state == HopState::Accepted {
            self.hop.state = HopState::ClaimedByParent;
        }
        self.hop.is_loose = true;
        self.is_disputed = false;
        self.findings.insert(
            0,
            HopFinding {
                kind: word(&FaultKind::TooLong),
                record: Some(self.hop.digest),
                detail: format!("it is more than {HOPS_MAX} hops from the buyer"),
            },
        );
        self
    }

    /// Whether both signed, so that it carries weight.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.hop.state == HopState::Accepted
    }
}

fn seen(kept: Kept) -> Seen {
    let seal = if kept.holds {
        Seal::Holds
    } else {
        Seal::Fails("whoever signed it did not speak for its issuer then".to_owned())
    };
    Seen { digest: kept.digest, envelope: 0, record: kept.record, seal }
}

/// The word of a kind of fault or note, as it is in answers.
fn word(kind: &impl serde::Serialize) -> String {
    let written = serde_json::to_value(kind).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
