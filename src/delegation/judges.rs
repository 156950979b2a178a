//! Whose verdict confirms that a hop failed.
//!
//! Those on whom both sides agreed: the buyer of the trace, as its first grant names it, and the judges that a grant on the way from the failed
//! hop up to the buyer names; a child accepts them along with the grant. Who stands on that way as a parent or a child judges nobody on it.
//! What anybody else says is kept and shown, and confirms nothing: a stranger's word costs nothing, and a report is held against agents.
//! Of one hop one verdict confirms, the earliest: one failure is one report, however often it is told.

use std::collections::{BTreeMap, BTreeSet};

use super::grant::{Grant, Under};
use super::note::Note;
use super::task::{Ruling, Verdict};
use super::verdict::{Hop, TraceVerdict, by_number};
use crate::vocab::{Digest, Subject, UnixSeconds};

/// Names that judge, each with the party that it is by another name, or with which it is under one control.
pub type Kin = BTreeMap<Subject, Subject>;

/// Who may judge a hop, and who stands on the way up from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judges {
    named: BTreeSet<Subject>,
    parties: BTreeSet<Subject>,
    kin: Kin,
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

    /// Names that are parties under other names, each with the party, as somebody knows who looks beyond the trace.
    #[must_use]
    pub fn knowing(mut self, kin: &Kin) -> Self {
        self.kin.extend(kin.iter().map(|(name, party)| (name.clone(), party.clone())));
        self
    }

    /// Everybody who was named, whether or not they stand on the way.
    #[must_use]
    pub const fn named(&self) -> &BTreeSet<Subject> {
        &self.named
    }

    /// Who judges and is a party by another name.
    #[must_use]
    pub const fn kin(&self) -> &Kin {
        &self.kin
    }

    /// What is to be noted of a verdict on a run that was granted at that time: why it confirms nothing.
    fn note(&self, granted: Option<UnixSeconds>, told: &Verdict) -> Option<Note> {
        let issuer = &told.issuer;
        if self.parties.contains(issuer) || self.kin.contains_key(issuer) {
            return Some(Note::JudgedByParty);
        }
        if !self.named.contains(issuer) {
            return Some(Note::JudgedByStranger);
        }
        let is_early = |granted| told.issued_at < granted || told.detected_at < granted;
        granted.is_some_and(is_early).then_some(Note::JudgedEarly)
    }

    /// What is to be noted of all verdicts on a hop: those that confirm nothing, and those that say otherwise than the one that counts.
    pub(super) fn notes(&self, hop: &Hop) -> Vec<(Digest, Note)> {
        let (mut notes, mut counts) = (Vec::new(), self.confirming(hop));
        for one @ (digest, told) in &hop.verdicts {
            if let Some(note) = self.note(granted(hop), told) {
                notes.push((*digest, note));
                continue;
            }
            let (_, first) = counts.get_or_insert(one);
            // Who takes back what it said does not contradict anybody.
            let is_same = told.ruling == first.ruling && told.losses == first.losses;
            let takes_back = told.ruling == Ruling::Dismissed && told.issuer == first.issuer;
            if !is_same && !takes_back && !is_taken_back(&hop.verdicts, told) {
                notes.push((*digest, Note::VerdictsDiffer));
            }
        }
        notes
    }

    /// The verdict that confirms that a hop failed: the earliest of those who may say so, not taken back.
    #[must_use]
    pub fn confirming<'h>(&self, hop: &'h Hop) -> Option<&'h (Digest, Verdict)> {
        let told = self.all_confirming(granted(hop), &hop.verdicts);
        told.min_by_key(|(digest, told)| (told.issued_at, *digest))
    }

    /// All verdicts on a run that was granted at that time which would confirm that it failed, had no earlier one.
    pub fn all_confirming<'h>(
        &self,
        granted: Option<UnixSeconds>,
        verdicts: &'h [(Digest, Verdict)],
    ) -> impl Iterator<Item = &'h (Digest, Verdict)> {
        verdicts.iter().filter(move |(_, told)| {
            told.ruling == Ruling::Failed
                && self.note(granted, told).is_none()
                && !is_taken_back(verdicts, told)
        })
    }
}

/// When a hop was granted, where its grant is there.
fn granted(hop: &Hop) -> Option<UnixSeconds> {
    hop.grant.as_ref().map(|grant| grant.issued_at)
}

/// The verdict that confirms that a hop of a trace failed.
pub(super) fn confirming<'h>(
    trace: &TraceVerdict,
    hop: &'h Hop,
    kin: &Kin,
) -> Option<&'h (Digest, Verdict)> {
    Judges::of_hop(&trace.hops, hop).knowing(kin).confirming(hop)
}

/// Why a verdict on a hop is not the one that confirms that it failed; `None` where it is.
#[must_use]
pub fn unconfirmed(
    trace: &TraceVerdict,
    hop: &Hop,
    (digest, told): &(Digest, Verdict),
    kin: &Kin,
) -> Option<String> {
    if told.ruling == Ruling::Dismissed {
        return Some("the verdict says that it did not fail".to_owned());
    }
    let issuer = &told.issuer;
    let nothing = |why: &str| Some(format!("the verdict confirms nothing: {why}"));
    if let Some(loose) = way(&trace.hops, hop).into_iter().find(|hop| hop.is_loose) {
        let number = loose.number;
        return nothing(&format!(
            "hop {number} hangs nowhere, since the grant above it was to somebody else than its parent, or is too far from the buyer"
        ));
    }
    let judges = Judges::of_hop(&trace.hops, hop).knowing(kin);
    match (judges.note(granted(hop), told), kin.get(issuer)) {
        (Some(Note::JudgedByParty), Some(party)) => nothing(&format!(
            "{issuer} is {party} by another name, or under one control with it, and that stands in the trace"
        )),
        (Some(Note::JudgedByParty), None) => nothing(&format!("{issuer} stands in the trace")),
        (Some(Note::JudgedEarly), _) => {
            nothing("it is of a time before the grant on whose run it is")
        }
        (Some(_), _) => nothing(&format!(
            "{issuer} is neither the buyer nor a judge that a grant on the way up to the buyer names"
        )),
        (None, _) if is_taken_back(&hop.verdicts, told) => {
            nothing(&format!("{issuer} took it back"))
        }
        (None, _) => {
            let (first, _) = judges.confirming(hop).filter(|(first, _)| first != digest)?;
            nothing(&format!("an earlier verdict counts, {first}"))
        }
    }
}

/// A hop and those above it.
fn way<'a>(hops: &'a [Hop], hop: &'a Hop) -> Vec<&'a Hop> {
    let up = |hop: &&Hop| by_number(hops, hop.above?);
    std::iter::successors(Some(hop), up).collect()
}

/// Whether whoever judged that it failed said later, or in the same second, that it did not.
fn is_taken_back(verdicts: &[(Digest, Verdict)], judged: &Verdict) -> bool {
    verdicts.iter().any(|(_, later)| {
        let is_later = later.issued_at >= judged.issued_at;
        is_later
            && judged.ruling == Ruling::Failed
            && later.ruling == Ruling::Dismissed
            && later.issuer == judged.issuer
    })
}
