//! What a grant must be to the one above it: to whoever signs it, in time, and not wider than it.
//!
//! Anybody can write any digest above its own grant. So a grant hangs under another only where that one was to its parent: whoever was set
//! to work answers for those whom it sets to work, and for nobody else. The names are compared as they are written, since that is what both
//! sides signed.

use super::attenuate::attenuate;
use super::grant::Grant;
use super::hops::{At, Checker};
use super::note::Note;
use super::verdict::{FaultKind, Hop, by_number};

/// Whether a grant was to the parent of another, which so may hang under it.
#[must_use]
pub fn hangs_under(grant: &Grant, above: &Grant) -> bool {
    above.child.agent() == Some(&grant.issuer)
}

impl Checker<'_> {
    /// What a grant must be to the one above it. Returns whether that one was to somebody else; then `above` is `None`.
    pub(super) fn above(&mut self, at: &At<'_>, above: Option<&Hop>) -> bool {
        let (digest, grant) = (at.digest, at.grant);
        let Some(named) = grant.under.grant() else { return false };
        let Some(higher) = self.seen.get(&named).and_then(|seen| seen.grant()) else {
            let why = format!("the grant above, {named}, is not in the document");
            self.fault(at, digest, FaultKind::Missing, &why);
            return false;
        };
        let is_strange = !hangs_under(grant, higher);
        if is_strange {
            let why =
                format!("it is by {}, and the grant above was to {}", grant.issuer, higher.child);
            self.fault(at, digest, FaultKind::Stranger, &why);
        }
        let said = grant.issued_at;
        let accepted = above.and_then(|above| above.acceptance.as_ref());
        let begun = accepted.map_or(higher.issued_at, |(_, acceptance)| acceptance.issued_at);
        if said < begun {
            let why =
                format!("it was signed at {said}, and the grant above was taken at {begun} only");
            self.fault(at, digest, FaultKind::Order, &why);
        }
        if said >= higher.expires_at {
            let why = format!(
                "it was signed at {said}, and the grant above expired at {}",
                higher.expires_at
            );
            self.fault(at, digest, FaultKind::Expired, &why);
        }
        let ended = above.and_then(|above| above.outcome.as_ref());
        let ended = ended.map(|(_, outcome)| outcome.ended_at);
        if let Some(ended) = ended.filter(|ended| said > *ended) {
            let why = format!("it was signed at {said}, and the run above had ended at {ended}");
            self.fault(at, digest, FaultKind::Order, &why);
        }
        if let Err(widening) = attenuate(higher, grant) {
            self.fault(at, digest, FaultKind::Widens, &widening.to_string());
        }
        is_strange
    }

    /// Notes a child that stands further up already.
    pub(super) fn returns(&mut self, at: &At<'_>, above: Option<&Hop>, hops: &[Hop]) {
        let Some(child) = at.grant.child.agent() else { return };
        let mut up = above;
        while let Some(hop) = up {
            if hop.parent == *child {
                self.note(at, at.digest, Note::Returns);
                return;
            }
            up = hop.above.and_then(|above| by_number(hops, above));
        }
    }
}
