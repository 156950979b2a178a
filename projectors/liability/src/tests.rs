//! Cards of whole records: confirmed, hypothetical and unclear reports.

use hallmark_projector::testing::RecordBuilder;
use hallmark_projector::{IssuerClass, Signal};

use super::*;

fn signal<'a>(card: &'a Card, label: &str) -> &'a Signal {
    let found = card.signals.iter().find(|signal| signal.label == label);
    found.unwrap_or_else(|| panic!("no {label}: {card:#?}"))
}

#[test]
fn a_new_agent_has_no_history() {
    assert_eq!(card_of(&RecordBuilder::new().finish()).unwrap().headline, "No history");
}

#[test]
fn a_confirmed_share_is_held_against_it_and_a_hypothetical_one_is_not() {
    let mut record = RecordBuilder::new();
    let service = record.issuer("did:web:host", IssuerClass::System);
    let report = r#"{"amount":"30000000","dispute":"d1","flags":["laundering","co_owned"],"share_ppb":250000000,"status":"confirmed","unit":"usdc","weight_ppb":500000000}"#;
    record.say(service, ATTRIBUTION, report);
    record.say(
        service,
        ATTRIBUTION,
        r#"{"dispute":"d2","share_ppb":0,"status":"confirmed","weight_ppb":0}"#,
    );
    record.say(
        service,
        ATTRIBUTION,
        r#"{"dispute":"d3","share_ppb":900000000,"status":"hypothetical","weight_ppb":1000000000}"#,
    );
    record.say(service, "delegation.hop.v1", "{}");
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "A share in 1 of 2 confirmed reports; 1 hypothetical");
    let confirmed = signal(&card, "Confirmed reports");
    assert_eq!(
        confirmed.summary,
        "2 confirmed reports: a share in 1, largest share 25%, mean 12.5%."
    );
    assert_eq!((confirmed.stance, confirmed.issuers), (Stance::Negative, 1));
    assert_eq!(confirmed.evidence, [1, 0]);
    let dispute = signal(&card, "Dispute “d1”");
    assert_eq!(
        dispute.summary,
        "Dispute “d1”: share 25%, weight 50%, amount 30000000 “usdc”, confirmed, flags “laundering” and “co_owned”; by did:web:host, on 2026-02-02."
    );
    assert_eq!(signal(&card, "Dispute “d2”").stance, Stance::Informational);
    assert_eq!(signal(&card, "Hypothetical reports").stance, Stance::Informational);
    assert_eq!(signal(&card, "delegation.hop.v1").stance_text.as_deref(), Some("1 / 1 issuer"));
}

#[test]
fn what_is_not_understood_is_unknown_and_not_nothing() {
    let mut record = RecordBuilder::new();
    let service = record.issuer("service", IssuerClass::System);
    for data in [
        "{}",
        r#"{"amount":1.5,"dispute":"d","share_ppb":2000000000,"status":"final","weight_ppb":"many"}"#,
        "[]",
        r#"{"flags":[1,{"a":2}],"status":"confirmed"}"#,
    ] {
        record.say(service, ATTRIBUTION, data);
    }
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "A share in 0 of 1 confirmed report; 3 unclear");
    let unclear = signal(&card, "Dispute “d”");
    assert_eq!(unclear.stance, Stance::Unknown);
    assert!(unclear.summary.starts_with(
        "Dispute “d”: share unknown, weight unknown, amount not understood, status “final” not known here; by service"
    ));
    assert!(signal(&card, "Confirmed reports").summary.ends_with("share unknown in 1."));
}

#[test]
fn the_newest_report_on_a_dispute_counts_and_its_own_do_not() {
    let mut record = RecordBuilder::new();
    let service = record.issuer("service", IssuerClass::System);
    let own = record.issuer("own", IssuerClass::Agent);
    record.set_kin(own);
    record.say(
        service,
        ATTRIBUTION,
        r#"{"dispute":"d1","share_ppb":900000000,"status":"hypothetical"}"#,
    );
    record.say(
        service,
        ATTRIBUTION,
        r#"{"dispute":"d1","share_ppb":100000000,"status":"confirmed"}"#,
    );
    record.say(own, ATTRIBUTION, r#"{"dispute":"d1","share_ppb":0,"status":"confirmed"}"#);
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "A share in 1 of 1 confirmed report");
    assert_eq!(signal(&card, "Dispute “d1”").evidence, [1]);
    assert_eq!(signal(&card, "Said by its own").evidence, [2]);
}

#[test]
fn a_report_that_was_taken_back_is_none() {
    let mut record = RecordBuilder::new();
    let service = record.issuer("service", IssuerClass::System);
    for report in [
        r#"{"dispute":"d1","share_ppb":900000000,"status":"confirmed"}"#,
        r#"{"dispute":"d1","shares":[],"status":"withdrawn"}"#,
    ] {
        record.say(service, ATTRIBUTION, report);
    }
    assert_eq!(card_of(&record.finish()).unwrap().headline, "No reports of failures");
}

/// Otherwise anybody could hang a failure on anybody.
#[test]
fn a_report_that_no_platform_stands_behind_is_in_no_figure() {
    let mut record = RecordBuilder::new();
    let rival = record.issuer("rival", IssuerClass::Agent);
    record.say(
        rival,
        ATTRIBUTION,
        r#"{"dispute":"d1","share_ppb":1000000000,"status":"confirmed"}"#,
    );
    let card = card_of(&record.finish()).unwrap();
    assert_eq!(card.headline, "No reports of failures");
    let claimed = signal(&card, "Reports by others");
    assert_eq!((claimed.stance, claimed.issuers), (Stance::Unknown, 1));
    assert_eq!(card.signals.len(), 1);
}
