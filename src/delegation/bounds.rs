//! Where the run of a hop begins and ends: which acceptance, and which outcome, of those that its parties signed count.
//!
//! Parties may sign as many of either as they like, and each other one is nonsense at worst. So nothing is wrong as long as one is in order:
//! whatever else they signed is noted and left out, or the party that wants to be rid of a trace would only have to sign one thing more. Where
//! none is in order, what is wrong with each of them is the hop's fault. One that only its contract can judge counts here as one that may
//! yet be in order, so that a chain's answer never turns what is invalid into what is valid.

use super::grant::Grant;
use super::hops::{At, Checker};
use super::note::Note;
use super::record::Record;
use super::task::{Acceptance, Outcome};
use super::verdict::FaultKind;
use super::verify::Seal;
use crate::vocab::{Digest, Subject, UnixSeconds};

/// What is wrong with a record.
type Wrong = (FaultKind, String);

/// What was found of one kind of record: those in order, those that are not, and whether a contract might name another one that is.
struct Sorted<'a, T> {
    sound: Vec<(Digest, &'a T)>,
    wrong: Vec<(Digest, Wrong)>,
    is_open: bool,
}

impl<'a> Checker<'a> {
    /// The earliest acceptance by the child that is in order.
    pub(super) fn acceptance(&mut self, at: &At<'_>) -> Option<(Digest, Acceptance)> {
        let child = at.grant.child.agent();
        let of_child = |issuer: &Subject| child == Some(issuer);
        let found = self.sorted(
            at,
            |record| match record {
                Record::Acceptance(acceptance) => Some((acceptance.as_ref(), &acceptance.issuer)),
                _ => None,
            },
            (of_child, Note::AcceptedByStranger),
            |acceptance| wrong_acceptance(at.grant, acceptance),
        );
        let (digest, counts) = self.settled(at, &found, Note::AcceptedAgain)?;
        for (other, _) in found.sound.iter().filter(|(other, _)| *other != digest) {
            self.note(at, *other, Note::AcceptedAgain);
        }
        Some((digest, counts.clone()))
    }

    /// The outcome that says when the run ended: the child's earliest, or else the parent's.
    pub(super) fn outcome(
        &mut self,
        at: &At<'_>,
        start: Option<UnixSeconds>,
    ) -> Option<(Digest, Outcome)> {
        let (parent, child) = (&at.grant.issuer, at.grant.child.agent());
        let is_party = |issuer: &Subject| child == Some(issuer) || issuer == parent;
        let found = self.sorted(
            at,
            |record| match record {
                Record::Outcome(outcome) => Some((outcome.as_ref(), &outcome.issuer)),
                _ => None,
            },
            (is_party, Note::OutcomeByStranger),
            |outcome| wrong_outcome(start, outcome),
        );
        let first = self.settled(at, &found, Note::OutcomesDiffer)?;
        let of_child = found.sound.iter().find(|(_, outcome)| child == Some(&outcome.issuer));
        let (digest, counts) = of_child.copied().unwrap_or(first);
        for (other, told) in &found.sound {
            let told = (told.result, told.ended_at, told.last, told.output);
            if told != (counts.result, counts.ended_at, counts.last, counts.output) {
                self.note(at, *other, Note::OutcomesDiffer);
            }
        }
        Some((digest, counts.clone()))
    }

    /// Sorts the records of a kind, earliest first. Those of strangers are noted.
    fn sorted<T>(
        &mut self,
        at: &At<'_>,
        of_kind: impl Fn(&'a Record) -> Option<(&'a T, &'a Subject)>,
        (is_party, by_stranger): (impl Fn(&Subject) -> bool, Note),
        wrong: impl Fn(&T) -> Option<Wrong>,
    ) -> Sorted<'a, T> {
        let mut sorted = Sorted { sound: Vec::new(), wrong: Vec::new(), is_open: false };
        for seen in self.records(at.digest) {
            let Some((record, issuer)) = of_kind(&seen.record) else { continue };
            let is_wrong = wrong(record);
            if !self.holds(at, seen) {
                let may_hold = matches!(seen.seal, Seal::Ask(_));
                sorted.is_open |= may_hold && is_party(issuer) && is_wrong.is_none();
            } else if !is_party(issuer) {
                self.note(at, seen.digest, by_stranger);
            } else if let Some(why) = is_wrong {
                sorted.wrong.push((seen.digest, why));
            } else {
                sorted.sound.push((seen.digest, record));
            }
        }
        sorted
    }

    /// The earliest that is in order. Those that are not are noted beside it, and are faults where there is none.
    fn settled<T>(
        &mut self,
        at: &At<'_>,
        found: &Sorted<'a, T>,
        beside: Note,
    ) -> Option<(Digest, &'a T)> {
        let is_settled = found.is_open || !found.sound.is_empty();
        for (digest, (kind, why)) in &found.wrong {
            if is_settled && *kind == FaultKind::Contradiction {
                self.note(at, *digest, Note::Contradiction);
            } else if is_settled {
                self.note(at, *digest, beside);
            } else {
                self.fault(at, *digest, *kind, why);
            }
        }
        found.sound.first().copied()
    }
}

/// Why an acceptance by the child is not one of this grant's.
fn wrong_acceptance(grant: &Grant, acceptance: &Acceptance) -> Option<Wrong> {
    let said = acceptance.issued_at;
    if acceptance.parent != grant.issuer {
        let why = format!("it says that {} granted it", acceptance.parent);
        Some((FaultKind::Contradiction, why))
    } else if said < grant.issued_at {
        let why = format!("it was signed at {said}, and the grant at {} only", grant.issued_at);
        Some((FaultKind::Order, why))
    } else if said >= grant.expires_at {
        let why = format!("it was signed at {said}, and the grant expired at {}", grant.expires_at);
        Some((FaultKind::Expired, why))
    } else {
        None
    }
}

/// Why an outcome is not one of a run that began then.
fn wrong_outcome(start: Option<UnixSeconds>, outcome: &Outcome) -> Option<Wrong> {
    let start = start.filter(|start| outcome.ended_at < *start)?;
    let ended = outcome.ended_at;
    let why = format!("it says that the run ended at {ended}, and it began at {start}");
    Some((FaultKind::Order, why))
}
