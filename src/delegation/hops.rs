//! One hop after the other: that what its parties signed fits together, and fits the hop above. `bounds` finds where its run begins and ends.

use std::collections::{BTreeMap, BTreeSet};

use super::depth;
use super::grant::{Child, Grant};
use super::note::{Note, Noted};
use super::record::Record;
use super::run::{Ends, Event, Interactions, follow};
use super::task::{Acceptance, Capability, InteractionKind, Outcome, Verdict};
use super::verdict::{Fault, FaultKind, Hop, HopState};
use super::verify::{HOPS_MAX, Seal, Seen};
use crate::tfd;
use crate::vocab::Digest;

/// All records of a document, and what was found wrong so far.
pub(super) struct Checker<'a> {
    pub(super) seen: &'a BTreeMap<Digest, Seen>,
    of_grant: BTreeMap<Digest, Vec<&'a Seen>>,
    pub(super) faults: Vec<Fault>,
    pub(super) notes: Vec<Noted>,
}

/// The hop that is being checked.
pub(super) struct At<'g> {
    pub(super) number: u32,
    pub(super) digest: Digest,
    pub(super) grant: &'g Grant,
}

impl<'a> Checker<'a> {
    pub(super) fn new(seen: &'a BTreeMap<Digest, Seen>) -> Self {
        let mut of_grant: BTreeMap<Digest, Vec<&Seen>> = BTreeMap::new();
        for record in seen.values() {
            if let Some(grant) = record.record.of_grant() {
                of_grant.entry(grant).or_default().push(record);
            }
        }
        // The earliest first; of one second in the order of their digests, so that it is nobody's choice.
        let order = |seen: &&Seen| (seen.record.issued_at(), seen.digest);
        for records in of_grant.values_mut() {
            records.sort_by_key(order);
        }
        Self { seen, of_grant, faults: Vec::new(), notes: Vec::new() }
    }

    /// Checks the hop of a grant.
    pub(super) fn check(
        &mut self,
        digest: Digest,
        grant: &Grant,
        above: Option<&Hop>,
        hops: &[Hop],
    ) -> Hop {
        let number = u32::try_from(hops.len()).unwrap_or(u32::MAX).saturating_add(1);
        let hops_down = above.map_or(1, |above| above.depth + 1);
        let at = At { number, digest, grant };
        let holds = self.grant(&at);
        let is_too_long = hops_down > HOPS_MAX;
        if is_too_long {
            self.fault(&at, digest, FaultKind::TooLong, &depth::in_words());
        }
        let is_strange = self.above(&at, above);
        let is_loose = is_too_long || is_strange;
        self.returns(&at, above, hops);
        let acceptance = self.acceptance(&at);
        let is_skill = grant.child.agent().is_none();
        let state = if holds && !is_loose && (acceptance.is_some() || is_skill) {
            HopState::Accepted
        } else if holds || acceptance.is_none() {
            HopState::ClaimedByParent
        } else {
            HopState::ClaimedByChild
        };
        let start = acceptance.as_ref().map(|(_, acceptance)| acceptance.issued_at);
        let start = start.or_else(|| is_skill.then_some(grant.issued_at));
        let outcome = self.outcome(&at, start);
        let ends = start.map(|start| Ends {
            anchor: acceptance.as_ref().map_or(digest, |(digest, _)| *digest),
            start,
            end: outcome.as_ref().map_or(grant.expires_at, |(_, outcome)| outcome.ended_at),
            last: outcome.as_ref().map(|(_, outcome)| outcome.last),
        });
        let interactions = self.interactions(&at, ends, outcome.as_ref().map(|(_, told)| told));
        let run = ends.filter(|ends| ends.start <= ends.end);
        let run = run.map(|ends| tfd::Run { start: ends.start.get(), end: ends.end.get() });
        let parent = Child::Agent(grant.issuer.clone());
        let parent_capability = self.capability(&at, grant.snapshots.parent, &parent);
        let child_capability = self.capability(&at, grant.snapshots.child, &grant.child);
        let receipt = |kind| self.receipt(&at, kind);
        Hop {
            number,
            depth: hops_down,
            above: above.map(|above| above.number),
            digest,
            inputs_met: receipt(InteractionKind::InputsMet),
            output_validated: receipt(InteractionKind::OutputValidated),
            review: receipt(InteractionKind::SpecificationReview),
            verdicts: self.verdicts(&at),
            grant: Some(grant.clone()),
            parent: grant.issuer.clone(),
            child: grant.child.clone(),
            state,
            is_loose,
            acceptance,
            run,
            outcome,
            interactions,
            parent_capability,
            child_capability,
        }
    }

    /// Acceptances of grants that are not there, the earliest of each.
    pub(super) fn claims(
        &self,
        grants: &BTreeSet<Digest>,
    ) -> Vec<(Digest, Digest, &'a Acceptance)> {
        let of_others = self.of_grant.iter().filter(|(grant, _)| !grants.contains(grant));
        of_others
            .filter_map(|(grant, records)| {
                let mut held = records.iter().filter(|seen| seen.holds());
                let found = held.find_map(|seen| Some((seen.digest, seen.acceptance()?)));
                found.map(|(digest, acceptance)| (*grant, digest, acceptance))
            })
            .collect()
    }

    pub(super) fn fault(&mut self, at: &At<'_>, record: Digest, kind: FaultKind, why: &str) {
        let (parent, child) = (&at.grant.issuer, &at.grant.child);
        let envelope = self.seen.get(&record).map(|seen| seen.envelope);
        let word = self.seen.get(&record).map_or("record", |seen| seen.record.kind().as_str());
        let why = format!("hop {}, {parent} to {child}: the {word} {record}: {why}", at.number);
        self.faults.push(Fault { hop: Some(at.number), record: Some(record), envelope, kind, why });
    }

    pub(super) fn note(&mut self, at: &At<'_>, record: Digest, note: Note) {
        self.notes.push(Noted { hop: Some(at.number), record: Some(record), note });
    }

    /// Whether a signature holds; that it does not is a fault, unless a contract has to be asked.
    pub(super) fn holds(&mut self, at: &At<'_>, seen: &Seen) -> bool {
        if let Seal::Fails(why) = &seen.seal {
            self.fault(at, seen.digest, FaultKind::Signature, why);
        }
        seen.holds()
    }

    fn grant(&mut self, at: &At<'_>) -> bool {
        let seen: Option<&'a Seen> = self.seen.get(&at.digest);
        seen.is_some_and(|seen| self.holds(at, seen))
    }

    pub(super) fn records(&self, grant: Digest) -> Vec<&'a Seen> {
        self.of_grant.get(&grant).cloned().unwrap_or_default()
    }

    fn interactions(
        &mut self,
        at: &At<'_>,
        ends: Option<Ends>,
        outcome: Option<&Outcome>,
    ) -> Interactions {
        let child = at.grant.child.agent();
        let mut events = Vec::new();
        for seen in self.records(at.digest) {
            let Record::Interaction(record) = &seen.record else { continue };
            if !self.holds(at, seen) {
                continue;
            }
            let signer = if record.issuer == at.grant.issuer {
                tfd::Signer::Parent
            } else if child == Some(&record.issuer) {
                tfd::Signer::Child
            } else {
                tfd::Signer::Other
            };
            events.push(Event { digest: seen.digest, record: record.as_ref(), signer });
        }
        let Some(ends) = ends else { return Interactions::default() };
        let of_child = outcome.filter(|outcome| child == Some(&outcome.issuer));
        if let Some(outcome) = of_child {
            let late = events.iter().find(|event| {
                event.signer == tfd::Signer::Child && event.record.issued_at > outcome.ended_at
            });
            if let Some(late) = late {
                self.note(at, late.digest, Note::ActiveAfterEnd);
            }
        }
        let found = follow(&events, ends);
        let last = ends.last.filter(|last| *last != ends.anchor);
        let is_there = |last: &Digest| {
            events.iter().any(|event| event.digest == *last)
                && found.left_out.iter().all(|left| left.record != *last)
        };
        if let Some(last) = last.filter(|last| !is_there(last)) {
            self.note(at, last, Note::LastMissing);
        }
        if let Some(left) = found.left_out.first() {
            self.note(at, left.record, Note::InteractionsLeftOut);
        }
        found
    }

    /// A receipt or review that the parent signed.
    fn receipt(&self, at: &At<'_>, kind: InteractionKind) -> Option<Digest> {
        self.records(at.digest).into_iter().find_map(|seen| match &seen.record {
            Record::Interaction(record)
                if seen.holds() && record.kind == kind && record.issuer == at.grant.issuer =>
            {
                Some(seen.digest)
            }
            _ => None,
        })
    }

    /// What somebody could do, by the snapshot that the grant names.
    fn capability(
        &mut self,
        at: &At<'_>,
        snapshot: Option<Digest>,
        of: &Child,
    ) -> Option<(Digest, u32)> {
        let digest = snapshot?;
        let seen: Option<&'a Seen> = self.seen.get(&digest);
        let found = seen.and_then(|seen| match &seen.record {
            Record::Capability(capability) => Some((seen, capability.as_ref())),
            _ => None,
        });
        let Some((seen, capability)) = found else {
            self.note(at, digest, Note::SnapshotMissing);
            return None;
        };
        if !self.holds(at, seen) {
            return None;
        }
        if let Some((kind, why)) = unfit(capability, at.grant, of) {
            self.fault(at, digest, kind, &why);
            return None;
        }
        if of.agent() == Some(&capability.issuer) {
            self.note(at, digest, Note::SnapshotSelfStated);
        }
        Some((digest, capability.capability_ppm))
    }

    fn verdicts(&mut self, at: &At<'_>) -> Vec<(Digest, Verdict)> {
        let mut verdicts = Vec::new();
        for seen in self.records(at.digest) {
            let Record::Verdict(verdict) = &seen.record else { continue };
            if !self.holds(at, seen) {
                continue;
            }
            verdicts.push((seen.digest, verdict.as_ref().clone()));
        }
        verdicts
    }
}

/// Why a snapshot is not one of this grant's.
fn unfit(capability: &Capability, grant: &Grant, of: &Child) -> Option<(FaultKind, String)> {
    if !capability.of.is_same(of) {
        let why = format!("it is of {}, and stands in the grant for {of}", capability.of);
        return Some((FaultKind::Contradiction, why));
    }
    if capability.task_class != grant.task_class {
        let why = format!(
            "it is for tasks of `{}`, and the grant for `{}`",
            capability.task_class, grant.task_class
        );
        return Some((FaultKind::Contradiction, why));
    }
    (capability.issued_at > grant.issued_at).then(|| {
        let said = capability.issued_at;
        let why = format!("it was signed at {said}, and the grant at {} already", grant.issued_at);
        (FaultKind::Order, why)
    })
}
