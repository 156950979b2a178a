//! Cards of whole records: operators, kin, weights and suspicion.

use hallmark_projector::testing::RecordBuilder;
use hallmark_projector::{IssuerClass, Signal};

use super::*;

const CLAIM: &str = "peer.assessment";

fn signal<'a>(card: &'a Card, label: &str) -> &'a Signal {
    let found = card.signals.iter().find(|signal| signal.label == label);
    found.unwrap_or_else(|| panic!("no {label}: {card:#?}"))
}

#[test]
fn a_new_agent_has_no_history() {
    assert_eq!(card_of(&RecordBuilder::new().finish()).unwrap().headline, "No history");
}

#[test]
fn an_operator_is_one_voice_and_kin_is_apart() {
    let mut record = RecordBuilder::new();
    let first = record.issuer("a", IssuerClass::Agent);
    for name in ["b", "c", "d"] {
        let puppet = record.issuer(name, IssuerClass::Agent);
        record.set_voice(puppet, first);
        record.say(puppet, CLAIM, r#"{"tag":"reliable"}"#).game("g1");
    }
    record.say(first, CLAIM, r#"{"tag":"reliable"}"#).game("g2");
    let own = record.issuer("own", IssuerClass::Agent);
    record.set_kin(own);
    record.say(own, CLAIM, r#"{"tag":"reliable"}"#);
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "1 voice: 1 for it, 0 against");
    let together = signal(&card, "Peers together");
    assert_eq!((together.stance, together.issuers, together.games), (Stance::Informational, 4, 2));
    assert_eq!(signal(&card, "Tag “reliable”").stance_text.as_deref(), Some("1 voice / 2 games"));
    assert_eq!(signal(&card, "Said by its own").evidence, [4]);
}

#[test]
fn a_voice_that_others_attest_weighs_more() {
    let mut record = RecordBuilder::new();
    for number in 0..30 {
        let nobody = record.issuer(&format!("nobody {number}"), IssuerClass::Agent);
        record.set_standing(nobody, 0, 0);
        record.say(nobody, CLAIM, r#"{"tag":"reliable"}"#);
    }
    let known = record.issuer("known", IssuerClass::Agent);
    record.set_standing(known, 400, 127);
    record.say(known, CLAIM, r#"{"tag":"Dishonest"}"#);
    let alone = card_of(&record.finish()).unwrap();
    assert_eq!(alone.headline, "31 voices: 30 for it, 1 against");
    assert_eq!(signal(&alone, "Peers together").stance, Stance::Informational);

    let other = record.issuer("other", IssuerClass::Agent);
    record.set_standing(other, 3, 3);
    record.say(other, CLAIM, r#"{"tag":"fair"}"#);
    let card = card_of(&record.finish()).unwrap();
    let together = signal(&card, "Peers together");
    assert!(
        together.summary.ends_with("weighed by their own records, 22% speak for it."),
        "{}",
        together.summary
    );
    assert_eq!(together.stance, Stance::Negative);
    let tag = signal(&card, "Tag “Dishonest”");
    assert!(
        tag.summary.ends_with("the best attested is known, with 400 attestations of 127 voices.")
    );
    assert_eq!(tag.stance, Stance::Negative);
}

#[test]
fn a_voice_that_says_both_counts_for_neither() {
    let mut record = RecordBuilder::new();
    let one = record.issuer("one", IssuerClass::Unknown);
    record.say(one, CLAIM, r#"{"tag":"reliable"}"#);
    record.say(one, CLAIM, r#"{"tag":"liar"}"#);
    record.say(one, CLAIM, r#"{"rating":5}"#);
    record.say(one, "peer.greeting", "{}");
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "1 voice: 0 for it, 0 against");
    assert!(signal(&card, "Peers together").summary.contains("1 neither or both"));
    assert_eq!(signal(&card, "peer.greeting").stance, Stance::Unknown);
    assert_eq!(signal(&card, "Tag no tag").stance, Stance::Informational);
    assert!(card.caveats.iter().any(|caveat| caveat.starts_with("Of 1 voice no record")));
}

#[test]
fn one_suspicion_is_told_and_two_are_held_against_it() {
    let mut record = RecordBuilder::new();
    let one = record.issuer("one", IssuerClass::Agent);
    record.say(one, "cheat.suspected", r#"{"reason":"too fast"}"#).note("too fast");
    let alone = card_of(&record.finish()).unwrap();
    assert_eq!(alone.headline, "No assessments by others; suspected of cheating by 1 voice");
    assert_eq!(signal(&alone, "Suspected of cheating").stance, Stance::Informational);
    let two = record.issuer("two", IssuerClass::Agent);
    record.say(two, "cheat.suspected", "{}");
    let both = card_of(&record.finish()).unwrap();
    assert_eq!(signal(&both, "Suspected of cheating").stance, Stance::Negative);
    assert_eq!(signal(&both, "Note by a peer").summary, "one, on 2026-02-02: “too fast”");
}
