//! Whose verdict confirms that a hop failed.
//!
//! Those on whom both sides agreed: the buyer of the trace, as its first grant names it, and the judges that a grant on the way from the failed
//! hop up to the buyer names; a child accepts them along with the grant. Who stands on that way as a parent or a child judges nobody on it.
//! What anybody else says is kept and shown, and confirms nothing: a stranger's word costs nothing, and a report is held against agents.

use std::collections::BTreeSet;

use super::grant::{Grant, Under};
use super::task::{Ruling, Verdict};
use super::verdict::{Hop, Note, TraceVerdict, by_number};
use crate::vocab::{Digest, Subject};

/// Who may judge a hop, and who stands on the way up from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judges {
    named: BTreeSet<Subject>,
    parties: BTreeSet<Subject>,
}

impl Judges {
    /// Those of the grants on the way from a hop up to the buyer, in any order.
    #[must_use]
    pub fn of<'a>(path: impl IntoIterator<Item = &'a Grant>) -> Self {
        let mut judges = Self::default();
        for grant in path {
            judges.named.extend(grant.judges.iter().cloned());
            if let Under::Buyer(buyer) = &grant.under {
                judges.named.insert(buyer.clone());
            }
            judges.parties.insert(grant.issuer.clone());
            judges.parties.extend(grant.child.agent().cloned());
        }
        judges
    }

    /// Of a way that hangs nowhere nobody may judge: whoever wrote a grant above its own did so alone.
    #[must_use]
    pub fn unless(mut self, is_loose: bool) -> Self {
        if is_loose {
            self.named.clear();
        }
        self
    }

    /// Those of a hop of a trace.
    pub(super) fn of_hop(hops: &[Hop], hop: &Hop) -> Self {
        let way = way(hops, hop);
        let mut judges = Self::of(way.iter().filter_map(|hop| hop.grant.as_ref()));
        // Of a hop that only its child speaks of there is no grant.
        judges.parties.extend(way.iter().map(|hop| hop.parent.clone()));
        judges.parties.extend(way.iter().filter_map(|hop| hop.child.agent().cloned()));
        judges.unless(way.iter().any(|hop| hop.is_loose))
    }

    /// Everybody who was named, whether or not they stand on the way.
    #[must_use]
    pub const fn named(&self) -> &BTreeSet<Subject> {
        &self.named
    }

    /// What is to be noted of somebody's verdict: why it confirms nothing.
    pub(super) fn note(&self, issuer: &Subject) -> Option<Note> {
        if self.parties.contains(issuer) {
            return Some(Note::JudgedByParty);
        }
        (!self.named.contains(issuer)).then_some(Note::JudgedByStranger)
    }

    /// Whether one of some verdicts on a hop confirms that it failed.
    pub(super) fn confirm(&self, verdicts: &[(Digest, Verdict)]) -> bool {
        verdicts.iter().any(|(_, told)| {
            told.ruling == Ruling::Failed
                && self.note(&told.issuer).is_none()
                && !is_taken_back(verdicts, told)
        })
    }
}

/// Why a verdict on a hop confirms nothing; `None` where it confirms that the hop failed.
#[must_use]
pub fn unconfirmed(trace: &TraceVerdict, hop: &Hop, told: &Verdict) -> Option<String> {
    if told.ruling == Ruling::Dismissed {
        return Some("the verdict says that it did not fail".to_owned());
    }
    let issuer = &told.issuer;
    if let Some(loose) = way(&trace.hops, hop).into_iter().find(|hop| hop.is_loose) {
        let number = loose.number;
        return Some(format!(
            "the verdict confirms nothing: hop {number} hangs nowhere, since the grant above it was to somebody else than its parent, or is too far from the buyer"
        ));
    }
    match Judges::of_hop(&trace.hops, hop).note(issuer) {
        Some(Note::JudgedByParty) => {
            Some(format!("the verdict confirms nothing: {issuer} stands in the trace"))
        }
        Some(_) => Some(format!(
            "the verdict confirms nothing: {issuer} is neither the buyer nor a judge that a grant on the way up to the buyer names"
        )),
        None if is_taken_back(&hop.verdicts, told) => {
            Some(format!("the verdict confirms nothing: {issuer} took it back"))
        }
        None => None,
    }
}

/// A hop and those above it.
fn way<'a>(hops: &'a [Hop], hop: &'a Hop) -> Vec<&'a Hop> {
    let up = |hop: &&Hop| by_number(hops, hop.above?);
    std::iter::successors(Some(hop), up).collect()
}

/// Whether whoever judged that it failed said later that it did not.
fn is_taken_back(verdicts: &[(Digest, Verdict)], judged: &Verdict) -> bool {
    verdicts.iter().any(|(_, later)| {
        let is_later = later.issued_at > judged.issued_at;
        is_later && later.ruling == Ruling::Dismissed && later.issuer == judged.issuer
    })
}
