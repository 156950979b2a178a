//! Ways to shift blame by what is signed, and what comes of them: each a scenario, with the numbers of leaf-only, root-only and TFD
//! attribution side by side where there are any. `tests/it/tfd/attacks.rs` has the ones that are about numbers alone.

use hallmark::delegation::{
    Amount, CaseOptions, Child, FaultKind, Grant, HopState, Note, Skill, Standing, Under, Verdict,
    WhyLeftOut, case,
};
use hallmark::tfd::{self, Flag, Report};
use hallmark::vocab::Digest;

use super::build::*;
use crate::tfd::attacks::blame;

pub(super) fn reported(built: &Builder) -> Report {
    let options = CaseOptions { id: "attack".to_owned(), ..CaseOptions::default() };
    tfd::report(&case(&built.verdict(), options).unwrap(), None).unwrap()
}

/// `#1 0/100/50.0 weight 100.0`: agent 1, of the loss by leaf-only, root-only and TFD attribution, and its TFD weight.
pub(super) fn blamed(built: &Builder) -> Vec<String> {
    let registry = agent(0).to_string();
    let registry = registry.strip_suffix('0').unwrap();
    blame(&reported(built)).iter().map(|line| line.replace(registry, "#")).collect()
}

/// Agent 1 hires agent 2 for a buyer; 2 accepts. The grant, and the acceptance.
pub(super) fn hired(built: &mut Builder) -> (Digest, Digest) {
    built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100))
}

pub(super) fn reason(built: &Builder) -> (FaultKind, String) {
    let verdict = built.verdict();
    assert_eq!(verdict.standing, Standing::Invalid);
    let fault = verdict.reason().unwrap().clone();
    (fault.kind, fault.why)
}

/// A child that failed says that somebody well known had hired it: it accepts a grant that nobody made.
///
/// Defeated: the hop is kept as claimed by the child, and carries nothing. The child bears all.
#[test]
fn a_child_claims_a_parent() {
    let mut built = Builder::new(2);
    let invented = digest("a grant that nobody made");
    built.sign(acceptance(invented, agent(1), agent(2), START + 110));
    built.sign(verdict(invented, START + 30_000));
    let found = built.verdict();
    assert_eq!(found.standing, Standing::Valid, "nothing of it is forged");
    assert_eq!(found.hops[0].state, HopState::ClaimedByChild);
    let options = CaseOptions { failed: Some(invented), ..CaseOptions::default() };
    let options = CaseOptions { id: "attack".to_owned(), ..options };
    let case = case(&found, options).unwrap();
    let report = tfd::report(&case, None).unwrap();
    assert!(report.edges[0].flags.contains(&Flag::Claimed));
    assert_eq!(report.edges[0].carried_ppb, None);
    let weights: Vec<u32> =
        report.failures[0].players.iter().map(|player| player.weight_ppb.get()).collect();
    assert_eq!(
        weights,
        [0, 1_000_000_000],
        "leaf-only says the same, root-only would blame agent 1"
    );
}

/// The child forges the grant as well: it signs, in the parent's name, with its own wallet.
///
/// Defeated: the wallet never spoke for the parent.
#[test]
fn a_child_forges_the_grant() {
    let mut built = Builder::new(2);
    let forged = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
    let granted = built.sign_by(hallmark::delegation::Record::Grant(Box::new(forged)), 2);
    built.sign(acceptance(granted, agent(1), agent(2), START + 110));
    built.sign(verdict(granted, START + 30_000));
    let (kind, why) = reason(&built);
    assert_eq!(kind, FaultKind::Signature);
    let parent = agent(1);
    assert!(why.contains(&format!("did not speak for {parent} at 2026-02-03T11:10:13Z")), "{why}");
    assert_eq!(blamed(&built), ["#1 0/100/0.0 weight 0.0", "#2 100/0/100.0 weight 100.0"]);
}

/// The parent makes a second grant, of more work on worse terms, and shows the child's acceptance of the first.
///
/// Defeated: an acceptance is of one grant, by its digest. The second grant is claimed by the parent alone, so that nothing of a failure
/// under it is the child's by the parent's word, and nothing passes through it.
#[test]
fn an_acceptance_is_replayed() {
    let mut built = Builder::new(2);
    let (first, accepted) = hired(&mut built);
    let mut second = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 200);
    second.scope.limits = [("usdc".to_owned(), Amount(999_000_000))].into();
    let second = built.sign(second);
    built.sign(verdict(second, START + 30_000));
    let found = built.verdict();
    assert_eq!(found.standing, Standing::Valid);
    let state = |grant| found.hop(grant).unwrap().state;
    assert_eq!((state(first), state(second)), (HopState::Accepted, HopState::ClaimedByParent));
    // Nor does it help to write the second grant into the signed acceptance: then no key signed it, and only a contract could have.
    let mut replayed = acceptance(first, agent(1), agent(2), START + 110);
    assert_eq!(built.sign(replayed.clone()), accepted);
    replayed.grant = second;
    built.instead(|text| text.replace(&first.to_string(), &second.to_string()));
    let found = built.verdict();
    assert_eq!(found.standing, Standing::NeedsChain);
    assert_eq!(found.unanswered[0].hop, found.hop(second).map(|hop| hop.number));
    assert_eq!(found.hop(second).unwrap().state, HopState::ClaimedByParent);
}

/// A child gives on more than it was given: an action, a resource, more money, more time, or at all.
///
/// Defeated, and named. And nobody gets rid of a child by it: both signed, so that the hop carries what it carries.
#[test]
fn a_hop_widens_the_scope() {
    type Change = fn(&mut Grant, &mut Grant);
    let cases: [(Change, &str); 7] = [
        (
            |_, below| below.scope.actions.insert(0, "delete:all".to_owned()),
            "the action `delete:all` is not within the scope above",
        ),
        (
            |_, below| below.scope.resources = None,
            "it does not say on which resources, and the scope above does",
        ),
        (
            |_, below| below.scope.resources = Some(vec!["https://*".to_owned()]),
            "the resource `https://*` is not within the scope above",
        ),
        (
            |_, below| below.scope.limits.clear(),
            "it has no limit of `usdc`, and the scope above has 120000000",
        ),
        (
            |_, below| below.scope.limits = [("usdc".to_owned(), Amount(120_000_001))].into(),
            "its limit of `usdc` is 120000001, and that of the scope above 120000000",
        ),
        (
            |_, below| below.expires_at = time(START + 50_001),
            "it expires at 2026-02-04T01:01:54Z, and the grant above at 2026-02-04T01:01:53Z",
        ),
        (|above, _| above.may_delegate = false, "the grant above does not allow to delegate on"),
    ];
    let built = |change: Change| {
        let mut built = Builder::new(3);
        let mut above = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        let mut below = grant(agent(2), agent(3), Under::Grant(digest("not yet")), START + 200);
        change(&mut above, &mut below);
        below.under = Under::Grant(built.hire(above).0);
        let (granted, _) = built.hire(below);
        built.sign(verdict(granted, START + 30_000));
        built
    };
    let honest = built(|_, _| {});
    assert_eq!(honest.verdict().reason(), None);
    let numbers = blamed(&honest);
    assert_eq!(
        numbers,
        ["#1 0/100/33.3 weight 100.0", "#2 0/0/33.3 weight 100.0", "#3 100/0/33.3 weight 100.0"],
        "nobody watched"
    );
    for (change, expected) in cases {
        let widened = built(change);
        let (kind, why) = reason(&widened);
        assert_eq!(kind, FaultKind::Widens, "{why}");
        assert!(why.starts_with("hop 2, ") && why.ends_with(expected), "{why}");
        assert_eq!(blamed(&widened), numbers, "who widens is not let off: {expected}");
    }
}

/// A hires B, which hires A again, so that A stands twice on the path and B above the failing piece of work.
///
/// Defeated: grants cannot run in a circle, since each names the one above by a digest that must be known before; agents can, and are one
/// player each, with the weight of the place that is nearest to the failure.
#[test]
fn agents_run_in_a_circle() {
    let mut built = Builder::new(3);
    let (first, _) = hired(&mut built);
    let (second, _) = built.hire(grant(agent(2), agent(1), Under::Grant(first), START + 200));
    let (third, _) = built.hire(grant(agent(1), agent(3), Under::Grant(second), START + 300));
    built.sign(verdict(third, START + 30_000));
    let found = built.verdict();
    assert_eq!(found.standing, Standing::Valid);
    let notes: Vec<_> = found.notes.iter().map(|noted| (noted.hop, noted.note)).collect();
    assert_eq!(notes, [(Some(2), Note::Returns)]);
    assert!(reported(&built).failures[0].flags.contains(&Flag::RepeatedPlayer));
    assert_eq!(
        blamed(&built),
        ["#1 0/100/33.3 weight 100.0", "#2 0/0/33.3 weight 100.0", "#3 100/0/33.3 weight 100.0"]
    );
    // A grant that says that it is under one that is made later: its digest would have to be known before it is.
    let mut circle = Builder::new(3);
    let (later, _) =
        circle.hire(grant(agent(2), agent(1), Under::Grant(digest("the one below")), START + 200));
    circle.hire(grant(agent(1), agent(2), Under::Grant(later), START + 100));
    let (kind, why) = reason(&circle);
    assert_eq!(kind, FaultKind::Missing, "{why}");
}

/// After the failure the parent signs what it should have looked at before, with times of today or with times of then.
///
/// Defeated: what says a time after the end of the run does not count, and neither does what follows on the interaction that the child's
/// outcome calls the last one, whatever time it says.
#[test]
fn interactions_are_added_late() {
    let ran = |late: &[u64]| {
        let mut built = Builder::new(2);
        let (granted, accepted) = hired(&mut built);
        let first = interaction(granted, agent(1), accepted, "seen in time", START + 120);
        let mut last = built.sign(first);
        built.sign(outcome(granted, agent(2), last, START + 5_000));
        for (number, at) in late.iter().enumerate() {
            let event = format!("late {number}");
            last = built.sign(interaction(granted, agent(1), last, &event, START + at));
        }
        built.sign(verdict(granted, START + 30_000));
        built
    };
    let honest = blamed(&ran(&[]));
    assert_eq!(honest, ["#1 0/100/40.7 weight 81.4", "#2 100/0/59.2 weight 100.0"]);
    for late in [&[20_000, 20_010][..], &[130, 140]] {
        let built = ran(late);
        assert_eq!(blamed(&built), honest);
        let found = built.verdict();
        assert_eq!(found.standing, Standing::Valid);
        let left: Vec<_> =
            found.hops[0].interactions.left_out.iter().map(|left| left.why).collect();
        assert_eq!(left, [WhyLeftOut::AfterTheLast; 2]);
    }
}

/// The parent signs a thousand pings of one event; then, with a child that plays along, one for each of many events.
///
/// The first is defeated. **The second is not**: watching is counted, and what is counted was signed by one of the two.
#[test]
fn interaction_counts_are_inflated() {
    let ran = |events: &[String]| {
        let mut built = Builder::new(2);
        let (granted, mut last) = hired(&mut built);
        for (number, event) in (0..).zip(events) {
            let at = START + 120 + number;
            last = built.sign(interaction(granted, agent(1), last, event, at));
        }
        built.sign(outcome(granted, agent(2), last, START + 5_000));
        built.sign(verdict(granted, START + 30_000));
        built
    };
    let once = blamed(&ran(&["event".to_owned()]));
    let often = ran(&vec!["event".to_owned(); 200]);
    assert_eq!(blamed(&often), once);
    assert_eq!(often.verdict().hops[0].interactions.counted.same_event, 199);
    let events: Vec<String> = (0..96).map(|event| event.to_string()).collect();
    assert_eq!(blamed(&ran(&events))[0], "#1 0/100/5.5 weight 11.1");
}

/// A child that watched itself fail tells a second story that leaves the parent's watching out: it follows on the acceptance once more.
///
/// Defeated: the longer story is followed. A child that also lies in its outcome about which was the last interaction is believed as far as
/// the count goes, **which is not defeated**; the interactions that it signed itself after that end are noted.
#[test]
fn a_child_tells_two_stories() {
    let mut built = Builder::new(2);
    let (granted, accepted) = hired(&mut built);
    let first = built.sign(interaction(granted, agent(1), accepted, "one", START + 120));
    let second = built.sign(interaction(granted, agent(2), first, "two", START + 130));
    let fork = built.sign(interaction(granted, agent(2), accepted, "other", START + 121));
    let found = built.verdict();
    assert_eq!(found.standing, Standing::Valid);
    let interactions = &found.hops[0].interactions;
    let chain: Vec<_> = interactions.chain.iter().map(|record| record.digest).collect();
    assert_eq!(chain, [first, second]);
    assert_eq!(interactions.left_out[0].record, fork);
    assert_eq!(interactions.left_out[0].why, WhyLeftOut::Fork);
    built.sign(outcome(granted, agent(2), accepted, START + 125));
    let found = built.verdict();
    assert_eq!(found.hops[0].interactions.chain, []);
    let notes: Vec<_> = found.notes.iter().map(|noted| noted.note).collect();
    assert_eq!(notes, [Note::ActiveAfterEnd, Note::InteractionsLeftOut]);
}

/// A parent hires its child by a wallet that it has rotated away, or after the agent was sold, so as to disown the grant later.
///
/// Defeated: the grant does not hold, and says since when.
#[test]
fn an_old_wallet_signs() {
    for (cause, to) in [("rotated", Some(2_u8)), ("cleared by a transfer", None)] {
        let mut built = Builder::new(2);
        let party = built.party(&agent(1));
        party.wallets = vec![span(1, START, Some(START + 50), "proven")];
        party.wallets.extend(to.map(|_| span(9, START + 50, None, "proven")));
        hired(&mut built);
        let (kind, why) = reason(&built);
        assert_eq!(kind, FaultKind::Signature, "{cause}");
        assert!(why.starts_with("hop 1, "), "{why}");
        let when =
            "at 2026-02-03T11:10:13Z; it did from 2026-02-03T11:08:33Z to 2026-02-03T11:09:23Z";
        assert!(why.ends_with(when), "{why}");
        assert_eq!(built.verdict().hops[0].state, HopState::ClaimedByChild);
    }
}

/// A parent lets a skill do the work and signs receipts for it: with both, the contract's length says nothing against the parent; with one
/// of them, or where somebody else signed, it does.
#[test]
fn a_skill_needs_both_receipts_by_its_parent() {
    use hallmark::delegation::InteractionKind::{InputsMet, OutputValidated};
    let ran = |kinds: &[hallmark::delegation::InteractionKind], signer: u8| {
        let mut built = Builder::new(3);
        let mut hire = grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100);
        hire.child = Child::Skill(Skill { digest: digest("skill"), publisher: Some(agent(3)) });
        hire.may_delegate = false;
        let granted = built.sign(hire);
        let mut last = granted;
        for (number, kind) in (0..).zip(kinds) {
            let mut receipt =
                interaction(granted, agent(signer), last, "receipt", START + 120 + number);
            receipt.kind = *kind;
            last = built.sign(receipt);
        }
        built.sign(verdict(granted, START + 30_000));
        assert_eq!(built.verdict().hops[0].state, HopState::Accepted);
        reported(&built).edges[0].score.control_ppb.get()
    };
    let contract = ran(&[], 1);
    assert!(contract > 0);
    assert_eq!(ran(&[InputsMet], 1), contract);
    assert_eq!(ran(&[InputsMet, OutputValidated], 2), contract, "a stranger's receipts");
    assert_eq!(ran(&[InputsMet, OutputValidated], 1), 0);
}

/// Somebody who stands in the trace judges: the parent says that the child failed.
///
/// Defeated: it is kept and noted, and confirms nothing; the report stays hypothetical.
#[test]
fn a_party_judges() {
    let mut built = Builder::new(2);
    let (granted, _) = hired(&mut built);
    let mut own = verdict(granted, START + 30_000);
    own.issuer = agent(1);
    built.sign(own);
    assert_eq!(built.verdict().notes[0].note, Note::JudgedByParty);
    assert_eq!(reported(&built).flags, [Flag::Hypothetical]);
    built.sign(verdict(granted, START + 30_001));
    assert_eq!(reported(&built).flags, []);
}

/// Somebody whom nobody asked judges.
///
/// Defeated: it is kept and noted, and confirms nothing; a judge whom a grant above names confirms, though the failed hop's own names nobody.
/// Not defeated: a parent that names an accomplice as the buyer or as a judge. Whoever accepts such a grant can see it there.
#[test]
fn a_stranger_judges() {
    let mut built = Builder::new(3);
    let (above, _) = built.hire(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
    let own = grant(agent(2), agent(3), Under::Grant(above), START + 200);
    let (below, _) = built.hire(Grant { judges: Vec::new(), ..own });
    let stranger = Verdict { issuer: name(COURIER), ..verdict(below, START + 30_000) };
    built.sign(stranger);
    assert_eq!(built.verdict().notes[0].note, Note::JudgedByStranger);
    assert_eq!(reported(&built).flags, [Flag::Hypothetical]);
    built.sign(verdict(below, START + 30_001));
    assert_eq!(built.verdict().notes.len(), 1);
    assert_eq!(reported(&built).flags, []);
}
