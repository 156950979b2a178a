//! Whether a trace holds: every signature at the time it was made, every hop in order, and which is the first that is wrong.
//!
//! Nothing here fails: whatever a document says, there is a verdict on it. All envelopes are checked first, on all processors, and taken in the
//! order of the document; then hops are put together, a parent before its children, and each is checked in the order that
//! `docs/delegation.md` gives. A record whose signature does not hold makes the trace invalid, since somebody put it there; what parties
//! themselves signed against each other is either wrong at its hop, or noted and left out, so that no child can undo a trace by signing nonsense.
//!
//! A hop that both signed is one, even where the grant allows more than the parent might: a parent does not get rid of a child by hiring
//! it for too much.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{Builder, available_parallelism, scope};

use super::above::hangs_under;
use super::depth::too_deep;
use super::document::{Sealed, TraceDocument};
use super::grant::{Child, Grant};
use super::hops::Checker;
use super::judges::Judges;
use super::known::{Held, Known, Looked};
use super::note::{Note, Noted};
use super::record::Record;
use super::run::Interactions;
use super::task::Acceptance;
use super::verdict::{Fault, FaultKind, Hop, HopState, Rest, Standing, TraceVerdict, Unanswered};
use crate::attest::verdict::Basis;
use crate::attest::wallet::Question;
use crate::vocab::{Digest, Position, Subject, UnixSeconds};

/// So many envelopes are worth a thread of their own.
const WORTH_A_THREAD: usize = 16;
/// Most hops from a buyer down.
pub const HOPS_MAX: u32 = 64;

/// A record of the document, and what is known of its signature.
pub(super) struct Seen {
    pub(super) digest: Digest,
    pub(super) envelope: usize,
    pub(super) record: Record,
    pub(super) seal: Seal,
}

/// What is known of a signature.
pub(super) enum Seal {
    Holds,
    Fails(String),
    Ask(Box<Question>),
}

impl Seen {
    pub(super) const fn holds(&self) -> bool {
        matches!(self.seal, Seal::Holds)
    }

    pub(super) fn grant(&self) -> Option<&Grant> {
        match &self.record {
            Record::Grant(grant) => Some(grant),
            _ => None,
        }
    }

    pub(super) fn acceptance(&self) -> Option<&Acceptance> {
        match &self.record {
            Record::Acceptance(acceptance) => Some(acceptance),
            _ => None,
        }
    }
}

/// Checks a trace, with no knowledge but the document's. Of one that is too deep no signature is checked.
#[must_use]
pub fn verify_trace(document: &TraceDocument, checked_at: UnixSeconds) -> TraceVerdict {
    if let Some(fault) = too_deep(&document.envelopes) {
        return TraceVerdict::unchecked(fault, checked_at);
    }
    let known = Known::new(document, checked_at);
    let (mut seen, mut loose, mut rests) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (envelope, looked) in look_at_all(&known, &document.envelopes) {
        take(envelope, looked, &mut seen, &mut loose, &mut rests);
    }
    name_blocks(document, &mut rests);
    let mut checker = Checker::new(&seen);
    let hops = hops(&mut checker);
    let (faults, mut notes) = (checker.faults, checker.notes);
    notes.extend(of_judges(&hops, |hop| Judges::of_hop(&hops, hop)));
    let of_hops: BTreeMap<Digest, u32> = hops.iter().map(|hop| (hop.digest, hop.number)).collect();
    let hop_of = |seen: &Seen| of_hops.get(&seen.record.of_grant().unwrap_or(seen.digest)).copied();
    let pointed: BTreeSet<Digest> = seen
        .values()
        .filter_map(Seen::grant)
        .flat_map(|grant| [grant.snapshots.parent, grant.snapshots.child])
        .flatten()
        .collect();
    let mut unanswered = Vec::new();
    for seen in seen.values() {
        let hop = hop_of(seen);
        if hop.is_none() && !pointed.contains(&seen.digest) {
            notes.push(Noted { hop: None, record: Some(seen.digest), note: Note::Stray });
        }
        // What belongs to no hop is wrong all the same if nobody signed it.
        if let (None, Seal::Fails(why)) = (hop, &seen.seal) {
            loose.push(of_envelope(seen.envelope, Some(seen.digest), FaultKind::Signature, why));
        }
        if let Seal::Ask(question) = &seen.seal {
            let (record, envelope, question) = (seen.digest, seen.envelope, question.clone());
            let why = question.not_by_its_key();
            unanswered.push(Unanswered { hop, record, envelope, why, question });
        }
    }
    unanswered.sort_by_key(|unanswered| unanswered.envelope);
    loose.sort_by_key(|fault| fault.envelope);
    loose.extend(faults);
    // Before the chain was asked, whoever only claims a hop may still have signed it.
    if hops.is_empty() && unanswered.is_empty() {
        loose.push(no_delegation());
    }
    let standing = match (loose.is_empty(), unanswered.is_empty()) {
        (false, _) => Standing::Invalid,
        (true, false) => Standing::NeedsChain,
        (true, true) => Standing::Valid,
    };
    TraceVerdict { standing, faults: loose, unanswered, hops, notes, rests, checked_at }
}

/// Adds the hashes of the blocks on which what counts rests: whoever looks them up with a node needs them.
fn name_blocks(document: &TraceDocument, rests: &mut [Rest]) {
    let places = document.parties.iter().flat_map(|party| {
        let ends = party.wallets.iter().flat_map(|span| [Some(span.from), span.to]).flatten();
        ends.filter_map(move |at| Some(((&party.name, at.position()?), at.hash?)))
    });
    let hashes: BTreeMap<_, _> = places.collect();
    for rest in rests {
        if let Basis::Wallet { agent, span, .. } = &rest.valid.right.basis {
            let name = Subject::Agent(*agent);
            let hash = |at: Position| hashes.get(&(&name, at)).copied();
            rest.hashes = [hash(span.from), span.to.and_then(hash)];
        }
    }
}

/// What holds of nothing is no trace.
fn no_delegation() -> Fault {
    let why = "it tells of no delegation: there is neither a grant nor an acceptance".to_owned();
    Fault { hop: None, record: None, envelope: None, kind: FaultKind::Missing, why }
}

/// Looks at all envelopes, on as many processors as there are: what comes of one does not depend on another, and they come back in their order.
fn look_at_all(known: &Known<'_>, envelopes: &[Sealed]) -> Vec<(usize, Looked)> {
    let count = available_parallelism().map_or(1, NonZero::get);
    let count = count.min(envelopes.len().div_ceil(WORTH_A_THREAD)).max(1);
    // Every so many, so that forms which take long are shared out.
    let look = |first: usize| {
        let share = envelopes.iter().enumerate().skip(first).step_by(count);
        share.map(|(index, sealed)| (index, known.look(sealed))).collect::<Vec<_>>()
    };
    let mut looked = scope(|threads| {
        let look = &look;
        let spawn = |first| Builder::new().spawn_scoped(threads, move || look(first));
        let others: Vec<_> = (1..count).map(|first| (first, spawn(first))).collect();
        let mut looked = look(0);
        for (first, other) in others {
            // Where there is no thread to be had, this one does it.
            let other = other.map(|other| other.join().unwrap_or_else(|why| resume_unwind(why)));
            looked.extend(other.unwrap_or_else(|_| look(first)));
        }
        looked
    });
    looked.sort_by_key(|(index, _)| *index);
    looked
}

/// Notes what is odd about verdicts.
pub(super) fn of_judges(hops: &[Hop], judges: impl Fn(&Hop) -> Judges) -> Vec<Noted> {
    let with_verdicts = hops.iter().filter(|hop| !hop.verdicts.is_empty());
    let notes = with_verdicts.flat_map(|hop| {
        let note = |(record, note)| Noted { hop: Some(hop.number), record: Some(record), note };
        judges(hop).notes(hop).into_iter().map(note)
    });
    notes.collect()
}

/// Puts away what was seen of one envelope. The same record in several envelopes is one: the first that holds counts.
fn take(
    envelope: usize,
    looked: Looked,
    seen: &mut BTreeMap<Digest, Seen>,
    loose: &mut Vec<Fault>,
    rests: &mut Vec<Rest>,
) {
    let Some((digest, record)) = looked.record else {
        let why = match looked.held {
            Held::Fails(why) => why,
            Held::Holds(_) | Held::Ask(_) => "it carries no record of a delegation".to_owned(),
        };
        loose.push(of_envelope(envelope, None, FaultKind::Form, &why));
        return;
    };
    let seal = match looked.held {
        Held::Holds(valid) => {
            rests.push(Rest { record: digest, envelope, valid, hashes: [None; 2] });
            Seal::Holds
        }
        Held::Fails(why) => Seal::Fails(why),
        Held::Ask(question) => Seal::Ask(question),
    };
    let new = Seen { digest, envelope, record, seal };
    match seen.get(&digest) {
        Some(before) if before.holds() || !new.holds() => {}
        _ => {
            seen.insert(digest, new);
        }
    }
}

fn of_envelope(envelope: usize, record: Option<Digest>, kind: FaultKind, why: &str) -> Fault {
    let why = format!("envelope {envelope}: {why}");
    Fault { hop: None, record, envelope: Some(envelope), kind, why }
}

/// Puts hops together, a parent before its children; of equals the earlier first. Then come those of which only a child speaks.
pub(super) fn hops(checker: &mut Checker<'_>) -> Vec<Hop> {
    let grants: BTreeMap<Digest, &Grant> =
        checker.seen.values().filter_map(|seen| Some((seen.digest, seen.grant()?))).collect();
    let mut below: BTreeMap<Option<Digest>, Vec<(UnixSeconds, Digest)>> = BTreeMap::new();
    for (digest, grant) in &grants {
        let named = grant.under.grant();
        let above =
            named.filter(|above| grants.get(above).is_some_and(|it| hangs_under(grant, it)));
        below.entry(above).or_default().push((grant.issued_at, *digest));
    }
    for grants in below.values_mut() {
        grants.sort_unstable();
    }
    let mut hops: Vec<Hop> = Vec::new();
    let mut open: VecDeque<(Digest, Option<usize>)> = VecDeque::new();
    let first = below.get(&None).into_iter().flatten();
    open.extend(first.map(|(_, digest)| (*digest, None)));
    while let Some((digest, above)) = open.pop_front() {
        let Some(grant) = grants.get(&digest) else { continue };
        let hop = checker.check(digest, grant, above.and_then(|above| hops.get(above)), &hops);
        let may_go_on = hop.depth <= HOPS_MAX;
        let index = hops.len();
        hops.push(hop);
        if may_go_on {
            let children = below.get(&Some(digest)).into_iter().flatten();
            open.extend(children.map(|(_, child)| (*child, Some(index))));
        }
    }
    let claims = checker.claims(&grants.keys().copied().collect());
    for (digest, accepted, acceptance) in claims {
        let number = u32::try_from(hops.len()).unwrap_or(u32::MAX).saturating_add(1);
        hops.push(claimed(number, digest, accepted, acceptance));
    }
    hops
}

/// A hop of which only the child speaks.
fn claimed(number: u32, digest: Digest, accepted: Digest, acceptance: &Acceptance) -> Hop {
    Hop {
        number,
        depth: 1,
        above: None,
        digest,
        grant: None,
        parent: acceptance.parent.clone(),
        child: Child::Agent(acceptance.issuer.clone()),
        state: HopState::ClaimedByChild,
        is_loose: false,
        acceptance: Some((accepted, acceptance.clone())),
        run: None,
        outcome: None,
        interactions: Interactions::default(),
        inputs_met: None,
        output_validated: None,
        review: None,
        parent_capability: None,
        child_capability: None,
        verdicts: Vec::new(),
    }
}
