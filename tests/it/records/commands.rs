//! `hallmark attest` and `hallmark verify` as processes.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use serde_json::Value;

use super::agent;
use crate::cli::Place;

/// A number alone, or with its chain, is an agent of the registry that is followed, and stands in full in what is signed.
#[test]
fn an_agent_may_be_named_by_its_number() {
    let place = Place::new();
    assert_eq!(place.run("keys new").code, 0);
    for (subject, expected) in [
        ("7", agent(7)),
        ("8453:7", agent(7)),
        (&agent(7), agent(7)),
        ("did:web:b.example", "did:web:b.example".to_owned()),
    ] {
        let ran =
            place.run(&format!("attest --subject {subject} --claim-type peer.assessment --print"));
        assert_eq!(ran.code, 0, "{subject}: {}", ran.stderr);
        let payload = ran.stdout.trim().split('.').nth(1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let credential: Value = serde_json::from_slice(&payload).unwrap();
        let record = &credential["credentialSubject"]["record"]["attestation"];
        assert_eq!(record["subject"], expected, "{subject}");
    }
    let ran = place.run("attest --subject seven --claim-type peer.assessment --print");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
}

/// What is no envelope is answered with where to read what one is, of either kind of record.
#[test]
fn what_cannot_be_verified_is_answered_with_where_to_read_on() {
    let place = Place::new();
    fs::write(place.path().join("record.json"), r#"{"attestation":{},"context":{}}"#).unwrap();
    let ran = place.run("verify record.json");
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    for page in ["docs/attestation.md", "docs/delegation.md"] {
        assert!(ran.stderr.contains(page), "{}", ran.stderr);
    }
}
