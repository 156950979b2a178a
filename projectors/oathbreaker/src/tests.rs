//! Cards of whole records, as the field asks for them.

use hallmark_projector::testing::RecordBuilder;
use hallmark_projector::{IssuerClass, bindings::Guest};

use super::*;

fn card(record: &RecordBuilder) -> Card {
    card_of(&record.finish()).unwrap()
}

fn signal<'a>(card: &'a Card, label: &str) -> &'a hallmark_projector::Signal {
    card.signals.iter().find(|signal| signal.label == label).unwrap()
}

#[test]
fn it_says_what_it_is() {
    let description = Exported::describe();
    assert_eq!(description.id, "oathbreaker");
    assert!(description.summary.len() <= 500);
}

#[test]
fn a_new_agent_has_no_history() {
    let card = card(&RecordBuilder::new());
    assert_eq!(card.headline, "No history");
    assert_eq!(card.signals[0].stance, Stance::Unknown);
}

/// The acceptance case of the field.
#[test]
fn eight_of_ten_rounds_two_peers_and_a_note() {
    let mut record = RecordBuilder::new();
    let game = record.issuer("platform:games:system", IssuerClass::System);
    let one = record.issuer("eip155:31337:0xA:1", IssuerClass::Agent);
    let two = record.issuer("eip155:31337:0xA:2", IssuerClass::Agent);
    for round in 1..=10 {
        let choice = if round % 5 == 0 { r#"{"choice":"D"}"# } else { r#"{"choice":"C"}"# };
        record.say(game, "oathbreaker.choice", choice).game("g1").round(round);
    }
    record.say(one, "peer.assessment", r#"{"tag":"reliable"}"#).game("g1").round(3);
    record
        .say(two, "peer.assessment", r#"{"tag":"reliable"}"#)
        .game("g1")
        .round(9)
        .note("kept its word\nin every round but two");
    let card = card(&record);
    assert_eq!(card.headline, "Cooperated in 8 of 10 rounds, 1 game; 2 peers heard");

    let cooperation = signal(&card, "Cooperation");
    assert_eq!(cooperation.stance_text.as_deref(), Some("80% / 1 game"));
    assert_eq!(cooperation.stance, Stance::Positive);
    assert_eq!((cooperation.games, cooperation.issuers), (1, 1));
    assert_eq!(cooperation.source, Some(IssuerClass::System));
    assert_eq!(cooperation.evidence, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);

    let peers = signal(&card, "What peers say");
    assert_eq!(peers.summary, "Peers say: “reliable” (2 peers).");
    assert_eq!((peers.issuers, peers.evidence.as_slice()), (2, [11, 10].as_slice()));

    let note = signal(&card, "Note by a peer");
    assert_eq!(
        note.summary,
        "eip155:31337:0xA:2, game “g1”, round 9, on 2026-02-02: “kept its word in every round but two”"
    );
    assert_eq!(note.evidence, [11]);
    assert_eq!(card.signals.len(), 3);
    assert_eq!(card.caveats, [""; 0]);
}

#[test]
fn players_do_not_attest_choices() {
    let mut record = RecordBuilder::new();
    let player = record.issuer("player", IssuerClass::Agent);
    for _ in 0..5 {
        record.say(player, "oathbreaker.choice", r#"{"choice":"C"}"#);
        record.say(player, "oathbreaker.commitment_breached", "{}");
    }
    let card = card(&record);
    assert_eq!(card.headline, "No choices on record");
    assert!(card.signals.is_empty());
    assert_eq!(card.caveats, ["10 attestations of games by others than games: not counted."]);
}

#[test]
fn commitments_are_kept_or_breached() {
    let mut record = RecordBuilder::new();
    let game = record.issuer("platform:games:system", IssuerClass::System);
    let plugin = record.issuer("platform:games:plugin", IssuerClass::Plugin);
    record.say(game, "oathbreaker.commitment_kept", "{}").game("g1");
    record.say(game, "oathbreaker.commitment_kept", "{}").game("g2");
    record.say(plugin, "oathbreaker.commitment_breached", "{}").game("g2");
    record.say(game, "oathbreaker.commitment_breached", "{}").game("g3").withdrawn();
    let card = card(&record);
    assert_eq!(card.headline, "No choices on record; 1 commitment breached");
    assert_eq!(signal(&card, "Commitments kept").stance_text.as_deref(), Some("2 / 2 games"));
    let breached = signal(&card, "Commitments breached");
    assert_eq!((breached.stance, breached.source), (Stance::Negative, Some(IssuerClass::Plugin)));
}

#[test]
fn a_single_voice_neither_floods_the_notes_nor_counts_twice() {
    let mut record = RecordBuilder::new();
    let loud = record.issuer("loud", IssuerClass::Agent);
    let puppet = record.issuer("puppet", IssuerClass::Agent);
    let other = record.issuer("other", IssuerClass::Agent);
    let own = record.issuer("own", IssuerClass::Agent);
    record.set_voice(puppet, loud).set_kin(own);
    record.say(other, "peer.assessment", r#"{"tag":"slow"}"#).note("slow but honest");
    for number in 0..40 {
        let issuer = if number % 2 == 0 { loud } else { puppet };
        record
            .say(issuer, "peer.assessment", r#"{"tag":"great"}"#)
            .note(&format!("great {number}"));
        record.say(own, "peer.assessment", r#"{"tag":"great"}"#).note("I am great");
    }
    let card = card(&record);
    let notes: Vec<_> = card.signals.iter().filter(|s| s.label == "Note by a peer").collect();
    assert_eq!(notes.len(), 3);
    assert_eq!(
        signal(&card, "What peers say").summary,
        "Peers say: “great” (1 peer) and “slow” (1 peer)."
    );
    assert_eq!(signal(&card, "Said by its own").stance_text.as_deref(), Some("not counted"));
}
