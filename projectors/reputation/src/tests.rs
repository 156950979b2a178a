//! Cards of whole records: hot clients, self-feedback, scales and what cannot be read.

use hallmark_projector::testing::RecordBuilder;
use hallmark_projector::{Basis, IssuerClass, Signal};

use super::*;

fn feedback(index: u32, tag: &str, value: &str, decimals: u32) -> String {
    format!(
        r#"{{"agentId":"22","feedback":"eip155:31337:0x8004BAa17C55a88189AE136b182e5fdA19dE9b63/22/0xA/{index}","feedbackIndex":"{index}","tag1":"{tag}","tag2":"","value":"{value}","valueDecimals":{decimals}}}"#
    )
}

fn signal<'a>(card: &'a Card, label: &str) -> &'a Signal {
    let found = card.signals.iter().find(|signal| signal.label == label);
    found.unwrap_or_else(|| panic!("no {label}: {card:#?}"))
}

#[test]
fn a_new_agent_has_no_history() {
    let card = card_of(&RecordBuilder::new().finish()).unwrap();
    assert_eq!(card.headline, "No history");
}

#[test]
fn one_hot_client_does_not_drown_the_rest() {
    let mut record = RecordBuilder::new();
    let hot = record.issuer("eip155:31337:0xHot", IssuerClass::Unknown);
    let puppet = record.issuer("eip155:31337:0xPuppet", IssuerClass::Unknown);
    record.set_voice(puppet, hot);
    for index in 0..100 {
        record.say(
            if index % 2 == 0 { hot } else { puppet },
            FEEDBACK,
            &feedback(index, "starred", "100", 0),
        );
    }
    for (client, value) in [("a", "305"), ("b", "20"), ("c", "2500")] {
        let decimals = match value {
            "305" => 1,
            "2500" => 2,
            _ => 0,
        };
        let client = record.issuer(client, IssuerClass::Agent);
        record.say(client, FEEDBACK, &feedback(1, "starred", value, decimals));
    }
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "103 feedback entries by 4 voices; “starred” median 27.75 of 100");
    let starred = signal(&card, "Feedback “starred”");
    assert_eq!(
        starred.summary,
        "Feedback “starred”: averages of 4 voices lie from 20 to 100, median 27.75, mean 43.88, from 103 of 103 values."
    );
    assert_eq!(starred.stance_text.as_deref(), Some("median 27.75 / 4 voices"));
    assert_eq!((starred.stance, starred.issuers), (Stance::Negative, 5));
    assert_eq!(
        card.caveats,
        ["One voice gave 100 of 103 feedback entries; in figures over voices it counts once."]
    );
}

#[test]
fn self_feedback_is_set_apart_and_revoked_feedback_left_out() {
    let mut record = RecordBuilder::new();
    let own = record.issuer("owner", IssuerClass::Unknown);
    let client = record.issuer("client", IssuerClass::Unknown);
    record.set_kin(own);
    record.say(own, FEEDBACK, &feedback(1, "starred", "100", 0));
    record.say(client, FEEDBACK, &feedback(1, "starred", "0", 0)).withdrawn();
    record.say(client, REVOKED, r#"{"feedbackIndex":"1"}"#);
    record.say(own, RESPONSE, "{}");
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "No feedback by others");
    assert_eq!(signal(&card, "Feedback by its own").stance_text.as_deref(), Some("1 set apart"));
    assert_eq!(signal(&card, "Revoked feedback").evidence, [2]);
    assert!(signal(&card, "Responses").summary.starts_with("1 response to feedback, 1 by its own"));
    assert!(!card.signals.iter().any(|signal| signal.label == "Feedback “starred”"));
}

#[test]
fn a_value_without_a_scale_is_neither_good_nor_bad() {
    let mut record = RecordBuilder::new();
    let client = record.issuer("client", IssuerClass::Unknown);
    record.say(client, FEEDBACK, &feedback(1, "responseTime", "560", 0));
    record.say(client, FEEDBACK, &feedback(2, "responseTime", "many", 0));
    record.say(client, FEEDBACK, &feedback(3, "", "-5", 0));
    let card = card_of(&record.finish()).unwrap();
    let time = signal(&card, "Feedback “responseTime”");
    assert_eq!(time.stance, Stance::Informational);
    assert!(
        time.summary.ends_with("from 1 of 2 values. 1 value cannot be read."),
        "{}",
        time.summary
    );
    assert!(signal(&card, "Feedback without a short tag").summary.contains("median -5"));
    record.parameters(r#"{"scales":{"responseTime":600}}"#);
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(signal(&card, "Feedback “responseTime”").stance, Stance::Positive);
    record.parameters("[]");
    assert!(card_of(&record.finish()).is_err());
}

#[test]
fn the_last_answer_of_a_validator_counts() {
    let mut record = RecordBuilder::new();
    let agent = record.issuer("agent", IssuerClass::Agent);
    record.set_kin(agent);
    let validator = record.issuer("validator", IssuerClass::Unknown);
    record.say(agent, "erc8004.validation_request.v1", r#"{"validation":"x/1"}"#);
    record.say(
        validator,
        "erc8004.validation_response.v1",
        r#"{"response":10,"validation":"x/1"}"#,
    );
    record.say(
        validator,
        "erc8004.validation_response.v1",
        r#"{"response":90,"validation":"x/1"}"#,
    );
    record.say(
        validator,
        "erc8004.validation_response.v1",
        r#"{"response":101,"validation":"x/2"}"#,
    );
    let card = card_of(&record.finish()).unwrap();
    let validations = signal(&card, "Validations");
    assert_eq!(validations.stance_text.as_deref(), Some("median 90 / 1 voice"));
    assert_eq!(validations.stance, Stance::Positive);
    assert_eq!(signal(&card, "Validation requests").stance_text.as_deref(), Some("1 request"));
}

#[test]
fn what_is_not_shown_whole_is_in_no_figure_and_that_is_said() {
    let mut record = RecordBuilder::new();
    let early = record.issuer("early", IssuerClass::Unknown);
    let late = record.issuer("late", IssuerClass::Unknown);
    record.say(early, FEEDBACK, &feedback(1, "starred", "10", 0));
    for index in 0..200 {
        record.say(late, FEEDBACK, &feedback(index, "starred", "90", 0));
    }
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(
        signal(&card, "Feedback “starred”").stance_text.as_deref(),
        Some("median 90 / 1 voice")
    );
    assert!(
        card.caveats[0].contains("those of 1 feedback entry by others, and with it all of 1 voice"),
        "{:?}",
        card.caveats
    );
}

/// Anybody may sign an attestation that calls itself feedback.
#[test]
fn feedback_that_is_not_of_the_chain_is_in_no_figure() {
    let mut record = RecordBuilder::new();
    let client = record.issuer("client", IssuerClass::Unknown);
    let forger = record.issuer("forger", IssuerClass::Unknown);
    record.say(client, FEEDBACK, &feedback(1, "starred", "80", 0));
    record.say(forger, FEEDBACK, &feedback(1, "starred", "0", 0)).basis(Basis::Signed);
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(
        signal(&card, "Feedback “starred”").stance_text.as_deref(),
        Some("median 80 / 1 voice")
    );
    assert_eq!(
        card.caveats,
        ["1 attestation not read from the chain: counted, but in no figure of values."]
    );
}
