//! `hallmark verify` and `hallmark delegation` as processes: what they print, and with which exit code they end.

use std::fs;

use alloy::signers::SignerSync as _;
use hallmark::attest::TypedRecord;
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::record_statement::{self, signed_digest};
use hallmark::attest::statement::Scheme;
use hallmark::delegation::{Record, Under};
use serde_json::{Value, json};

use super::build::*;
use super::vectors::committed;
use crate::cli::Place;

/// Writes a file into the folder that the program runs in.
fn put(place: &Place, name: &str, text: &str) {
    fs::write(place.path().join(name), text).unwrap();
}

/// Runs a command that must succeed, and keeps what it prints.
fn keep(place: &Place, line: &str, name: &str) -> String {
    let ran = place.run(line);
    assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
    put(place, name, &ran.stdout);
    ran.stdout
}

#[test]
fn verify_says_what_a_document_comes_to() {
    let (valid, invalid) = (committed("valid"), committed("invalid"));
    let place = Place::new();
    for (name, code, begins) in [
        ("three-hops", 0, "valid\n3 hops, "),
        ("rotated-away-wallet", 3, "invalid: hop 1, "),
        ("widens-actions", 3, "invalid: hop 2, "),
        ("contract-not-asked", 1, "needs the chain: this is no signature by the key of "),
    ] {
        let vector = valid.get(name).or_else(|| invalid.get(name)).unwrap();
        put(&place, "trace.json", &vector.document.to_string());
        let line = format!("verify trace.json --time {}", vector.checked_at);
        let ran = place.run(&line);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{name}: {}", ran.stdout);
        assert!(ran.stdout.starts_with(begins), "{name}: {}", ran.stdout);
        let ran = place.run(&format!("{line} --json"));
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.code, &told["standing"]), (code, &json!(vector.standing)), "{name}");
        if vector.standing == "invalid" {
            assert_eq!(told["reason"]["why"], json!(vector.reason), "{name}");
        }
    }
    // What made up spans come to is valid as well, so it is said what was not looked up, and by what it can be.
    let vector = &valid["rotated-in-time"];
    put(&place, "trace.json", &vector.document.to_string());
    let line = format!("verify trace.json --time {}", vector.checked_at);
    let told = place.run(&line).stdout;
    let word = "by the document's word, not checked against a chain or a host:\n  eip155:8453:0x";
    assert!(told.contains(word), "{told}");
    let rests: Value = serde_json::from_str(&place.run(&format!("{line} --json")).stdout).unwrap();
    let ends = rests["rests_on"].as_array().unwrap().iter().map(|rest| &rest["basis"]);
    for from in ends.filter(|basis| basis["kind"] == "wallet").map(|basis| &basis["from"]) {
        let (block, hash) = (&from["block"], from["hash"].as_str().unwrap());
        assert!(told.contains(&format!("from block {block} ({hash}), log entry ")), "{told}");
    }
    let refused = &invalid["document-no-as-of"];
    put(&place, "trace.json", &refused.document.to_string());
    let ran = place.run("verify trace.json");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    let reason = refused.reason.as_deref().unwrap();
    assert!(ran.stderr.contains(&format!("`trace.json` is refused: {reason}")), "{}", ran.stderr);
    assert_eq!(place.run("verify nowhere.json").code, 1);
    assert_eq!(place.run("verify").code, 2);
}

/// Which contract of EAS counts is for whoever takes records in to say; offline the one that the file names is named.
#[test]
fn verify_names_the_contract_of_an_attestation_of_eas() {
    let place = Place::new();
    let vector = include_str!("../../vectors/envelopes/valid/eas-2.json");
    let vector: Value = serde_json::from_str(vector).unwrap();
    put(&place, "eas.json", vector["envelope"].as_str().unwrap());
    let contract = "eip155:8453:0x4200000000000000000000000000000000000021";
    let ran = place.run("verify eas.json --json");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (ran.code, &told["standing"], &told["contract"]),
        (0, &json!("valid"), &json!(contract))
    );
    let ran = place.run("verify eas.json");
    let ends = format!("contract {contract}, of EAS: whether it counts is not in the file\n");
    assert!(ran.code == 0 && ran.stdout.ends_with(&ends), "{}", ran.stdout);
}

/// From two keys and nothing else to who carries a failure.
#[test]
fn a_trace_is_made_by_commands() {
    let place = Place::new();
    let mut names = Vec::new();
    for (file, byte) in [("parent.key", 21), ("child.key", 22), ("judge.key", 23)] {
        let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[byte; 32]).unwrap();
        put(&place, file, &key.expose());
        names.push(format!("did:key:{}", key.public().multibase()));
    }
    let mut sealed = Vec::new();
    let mut digest_of = |kind: &str, fields: Value, key: &str, form: &str| -> String {
        put(&place, "fields.json", &fields.to_string());
        keep(&place, &format!("delegation new {kind} fields.json"), "record.json");
        let envelope = format!("{kind}.env");
        let line = format!("delegation sign record.json --key-file {key} --form {form}");
        keep(&place, &line, &envelope);
        sealed.push(envelope);
        let shown = place.run("delegation inspect record.json --json").stdout;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["digest"].as_str().unwrap().to_owned()
    };
    let grant = json!({
        "issuer": names[0], "issued_at": "2026-02-03T11:00:00Z", "child": { "agent": names[1] },
        "under": { "buyer": "did:web:buyer.example" }, "task_class": "research.report",
        "specification": { "conditions": [{ "type": "latency", "value": 2_000 }], "author": "parent" },
        "scope": { "actions": ["read:*"] }, "expires_at": "2026-02-04T11:00:00Z",
        "may_delegate": false, "inheritance": "none", "judges": [names[2]],
    });
    let granted = digest_of("grant", grant, "parent.key", "dsse");
    let acceptance = json!({
        "issuer": names[1], "issued_at": "2026-02-03T11:01:00Z", "grant": granted, "parent": names[0],
    });
    digest_of("acceptance", acceptance, "child.key", "vc+jwt");
    let verdict = json!({
        "issuer": names[2], "grant": granted, "ruling": "failed", "what": "nothing came",
        "detected_at": "2026-02-03T12:00:00Z",
    });
    digest_of("verdict", verdict, "judge.key", "data-integrity");
    keep(&place, &format!("delegation bundle {} --json", sealed.join(" ")), "trace.json");
    let drawn = place.run("delegation inspect trace.json");
    assert_eq!(drawn.code, 0, "{}", drawn.stderr);
    for told in [
        "valid\n1 hop, 3 envelopes, ",
        "for did:web:buyer.example\n`- 1 did:key:",
        ": accepted",
        "0 interactions count; passes up 100.0 %",
        "judged failed by ",
    ] {
        assert!(drawn.stdout.contains(told), "{told}: {}", drawn.stdout);
    }
    assert_eq!(place.run("verify trace.json").code, 0);
    let verified = place.run("verify verdict.env");
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(
        verified.stdout.starts_with("valid: data-integrity by did:key:"),
        "{}",
        verified.stdout
    );
    keep(&place, "delegation case trace.json", "case.json");
    let report = place.run("tfd case.json --json");
    assert_eq!(report.code, 0, "{}", report.stderr);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["flags"], json!([]), "a verdict confirms it");

    what_is_wrong_is_said(&place);
}

/// In the folder of a trace that was made.
fn what_is_wrong_is_said(place: &Place) {
    let ran = place.run("delegation sign record.json --key-file child.key");
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the record is by did:key:"), "{}", ran.stderr);
    let ran = place.run("delegation inspect acceptance.env");
    assert_eq!(ran.code, 3, "what a JWT carries is not looked at before its signature holds");
    put(place, "fields.json", r#"{"issuer": "did:web:a.example", "colour": "red"}"#);
    let ran = place.run("delegation new outcome fields.json");
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("unknown field `colour`"), "{}", ran.stderr);
    assert_eq!(place.run("delegation new gift fields.json").code, 2);
}

/// A wallet is shown what to sign, and its signature is taken; whether it spoke for the agent then, an envelope alone does not say.
#[test]
fn a_wallet_signs_elsewhere() {
    let place = Place::new();
    let record = |issuer| {
        let record = grant(issuer, agent(2), Under::Buyer(buyer()), START + 100);
        Record::Grant(Box::new(record)).typed().unwrap()
    };
    let write = |typed: &TypedRecord| put(&place, "grant.json", &typed.to_value().to_string());
    let of_agent = record(agent(1));
    write(&of_agent);
    let line = format!("delegation sign grant.json --wallet {}", account(1));
    let printed = place.run(&line);
    let data: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(data, record_statement::typed_data(&of_agent, BASE));
    let text = place.run(&format!("{line} --form eip191")).stdout;
    assert_eq!(text.trim_end(), record_statement::text(&of_agent, BASE));
    let sign = |typed: &TypedRecord| {
        let digest = signed_digest(Scheme::Eip712, typed, BASE);
        wallet(1).sign_hash_sync(&digest).unwrap().to_string()
    };
    keep(&place, &format!("{line} --signature {}", sign(&of_agent)), "grant.env");
    let ran = place.run("verify grant.env --json");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &told["standing"]), (1, &json!("unknown")), "{}", ran.stdout);
    // An account that speaks for itself needs nobody's word.
    let of_account = record(name(&account(1).to_string()));
    write(&of_account);
    keep(&place, &format!("{line} --signature {}", sign(&of_account)), "grant.env");
    let ran = place.run("verify grant.env");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let changed = fs::read_to_string(place.path().join("grant.env")).unwrap();
    put(&place, "grant.env", &changed.replace("120000000", "120000001"));
    let ran = place.run("verify grant.env");
    assert_ne!(ran.code, 0, "{}", ran.stdout);
}
