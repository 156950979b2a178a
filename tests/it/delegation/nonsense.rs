//! What a party signs beside what it signed already, so as to be rid of a trace that both signed.
//!
//! Nobody can: as long as an acceptance is in order, others of the child are noted and left out, and so it is with outcomes. Each scenario has
//! a trace that holds, one more record, and the same numbers after it.

use hallmark::delegation::{Acceptance, FaultKind, HopState, Note, Outcome, Standing, Under};
use hallmark::vocab::Digest;

use super::build::*;

/// What is changed of an acceptance.
type Change = fn(&mut Acceptance);

/// Agent 1 hires agent 2, which accepts, is watched once, and fails; a judge says so.
fn signed() -> (Builder, Digest, Acceptance, Outcome) {
    let mut built = Builder::new(3);
    let granted = built.sign(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
    let taken = acceptance(granted, agent(1), agent(2), START + 110);
    let accepted = built.sign(taken.clone());
    let last = built.sign(interaction(granted, agent(1), accepted, "seen", START + 120));
    let told = outcome(granted, agent(2), last, START + 5_000);
    built.sign(told.clone());
    built.sign(verdict(granted, START + 30_000));
    (built, granted, taken, told)
}

/// The hop as it is told, and the notes of it.
fn told(built: &Builder, granted: Digest) -> (serde_json::Value, Vec<Note>) {
    let verdict = built.verdict();
    assert_eq!(verdict.standing, Standing::Valid, "{:?}", verdict.reason());
    let hop = verdict.hop(granted).unwrap();
    assert_eq!(hop.state, HopState::Accepted);
    let number = Some(hop.number);
    let notes = verdict.notes.iter().filter(|noted| noted.hop == number).map(|noted| noted.note);
    let told = verdict.to_value()["hops"][0].clone();
    (told, notes.collect())
}

/// A child accepts once more: from somebody else, before it was asked, or after the grant had expired.
///
/// Defeated: the acceptance in order counts, wherever the others stand in time.
#[test]
fn a_child_accepts_once_more() {
    let (before, granted, taken, _) = signed();
    let (honest, notes) = told(&before, granted);
    assert_eq!(notes, []);
    let changes: [(&str, Note, Change); 4] = [
        ("from another, later", Note::Contradiction, |taken| {
            taken.parent = agent(3);
            taken.issued_at = time(START + 500);
        }),
        ("from another, earlier", Note::Contradiction, |taken| {
            taken.parent = agent(3);
            taken.issued_at = time(START + 105);
        }),
        ("before the grant", Note::AcceptedAgain, |taken| taken.issued_at = time(START + 50)),
        ("after its expiry", Note::AcceptedAgain, |taken| taken.issued_at = time(START + 60_000)),
    ];
    for (what, note, change) in changes {
        let (mut built, ..) = signed();
        let mut again = taken.clone();
        change(&mut again);
        built.sign(again);
        assert_eq!(told(&built, granted), (honest.clone(), vec![note]), "{what}");
    }
}

/// A party says that the run had ended before it began.
///
/// Defeated: another outcome is in order, and that one counts.
#[test]
fn a_party_says_an_end_before_the_beginning() {
    let (before, granted, _, outcome) = signed();
    let (honest, _) = told(&before, granted);
    for (issuer, at) in [(2, 6_000), (2, 200), (1, 6_000), (1, 200)] {
        let (mut built, ..) = signed();
        let nonsense = Outcome {
            issuer: agent(issuer),
            issued_at: time(START + at),
            ended_at: time(START + 50),
            ..outcome.clone()
        };
        built.sign(nonsense);
        assert_eq!(told(&built, granted), (honest.clone(), vec![Note::OutcomesDiffer]), "{issuer}");
    }
}

/// Where nothing is in order there is nothing to go by, and what is wrong is the hop's fault.
#[test]
fn where_none_is_in_order_each_is_a_fault() {
    let mut built = Builder::new(3);
    let granted = built.sign(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
    built.sign(acceptance(granted, agent(3), agent(2), START + 110));
    built.sign(acceptance(granted, agent(1), agent(2), START + 50));
    let verdict = built.verdict();
    assert_eq!(verdict.standing, Standing::Invalid);
    assert_eq!(verdict.hops[0].state, HopState::ClaimedByParent);
    let kinds: Vec<_> = verdict.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Order, FaultKind::Contradiction]);
}

/// An acceptance that a contract may have signed is not there yet, and what else the child signed does not make the trace invalid before the
/// chain was asked.
#[test]
fn what_a_contract_may_have_signed_is_waited_for() {
    let mut built = Builder::new(3);
    let granted = built.sign(grant(agent(1), agent(2), Under::Buyer(buyer()), START + 100));
    built.sign_by(
        hallmark::delegation::Record::Acceptance(Box::new(acceptance(
            granted,
            agent(1),
            agent(2),
            START + 110,
        ))),
        2,
    );
    built.instead(|text| {
        let at = text.find("\"signature\":\"0x").unwrap() + 15;
        let (head, tail) = text.split_at(at);
        format!("{head}{}{}", if tail.starts_with('1') { '2' } else { '1' }, &tail[1..])
    });
    built.sign(acceptance(granted, agent(3), agent(2), START + 120));
    let verdict = built.verdict();
    assert_eq!(verdict.standing, Standing::NeedsChain, "{:?}", verdict.reason());
    assert_eq!(verdict.notes[0].note, Note::Contradiction);
}
