//! Other people's verifiers take what we sign, and refuse it where it was changed: `@digitalbazaar/vc`, `jose` and viem.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use hallmark::attest::attestation::Context;
use hallmark::attest::credential::{self, CONTEXT, CONTEXT_PATH};
use hallmark::attest::data_integrity::{self, ProofOptions};
use hallmark::attest::jose::{self, Typ};
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::record_statement;
use hallmark::attest::statement::{self, Scheme, Statement};
use hallmark::attest::{Attestation, TypedRecord};
use hallmark::did::web::WebHost;
use hallmark::vocab::{AccountId, ChainId, UnixSeconds};
use serde_json::{Map, Value, json};

const DID: &str = "did:web:games.example";
const METHOD: &str = "did:web:games.example#one";
const SAID: u64 = 1_770_116_913;

/// What the judges say to each question, in order: `"holds"`, or why not.
fn judged(questions: &[Value]) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    let mut node = Command::new("node")
        .arg("judges/envelopes.mjs")
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = node.stdin.take().unwrap();
    input.write_all(json!(questions).to_string().as_bytes()).unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// All of `good` must hold, and none of `bad`.
fn assert_judged(good: &[Value], bad: &[Value]) {
    let answers = judged(&[good, bad].concat());
    let (held, refused) = answers.split_at(good.len());
    for (answer, question) in held.iter().zip(good) {
        assert_eq!(answer, "holds", "{question}");
    }
    for (answer, question) in refused.iter().zip(bad) {
        assert_ne!(answer, "holds", "{question}");
    }
}

fn said_at() -> UnixSeconds {
    UnixSeconds::new(SAID).unwrap()
}

/// Records whose canonical bytes are not the obvious ones.
fn records(issuer: &str) -> Vec<Attestation> {
    let body = |data: Value| {
        json!({
            "schemaVersion": "attestation/v1", "id": "0x2b7f", "issuer": issuer, "issuerKind": "agent",
            "subject": "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22", "confidence": 0.94,
            "issuedAt": said_at().to_string(), "claim": { "type": "peer.assessment", "data": data },
        })
    };
    let data = [
        json!({}),
        json!({ "list": ["b", "a", ["c"]], "n": [0.5, 1e21, 1e-7, -0.0, 333_333_333.333_333_3] }),
        json!({ "€": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "😀": 5, "\u{80}": 6, "ö": "\u{7f}\t\u{1}\"\\/" }),
    ];
    let record = |data| Attestation::new(body(data), Context::default()).unwrap();
    data.into_iter().map(record).collect()
}

fn changed(document: &Map<String, Value>) -> Value {
    let mut changed = json!(document);
    changed["credentialSubject"]["record"]["attestation"]["confidence"] = json!(0.95);
    changed
}

#[test]
fn digital_bazaar_takes_our_proofs() {
    let host = WebHost::parse("games.example").unwrap();
    let context: Value = serde_json::from_str(CONTEXT).unwrap();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for kind in KeyKind::ALL {
        let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
        let options = ProofOptions {
            method: METHOD,
            created: said_at(),
            expires: UnixSeconds::new(SAID + 1_000),
            domain: Some("hallmark.example"),
            challenge: None,
        };
        for record in records(DID) {
            let unsigned = credential::of_attestation(&record, DID, &host, said_at());
            let signed = data_integrity::sign(&unsigned, &options, &key).unwrap();
            let question = |credential: Value| {
                json!({
                    "judge": "vc", "credential": credential, "now": "2026-02-03T11:08:40Z",
                    "method": { "id": METHOD, "controller": DID, "publicKeyMultibase": key.public().multibase() },
                    "context": { format!("https://games.example{CONTEXT_PATH}"): &context },
                })
            };
            bad.push(question(changed(&signed)));
            good.push(question(json!(signed)));
        }
    }
    assert_judged(&good, &bad);
}

#[test]
fn jose_takes_our_jwts() {
    let host = WebHost::parse("games.example").unwrap();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for kind in KeyKind::ALL {
        let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
        let other = PrivateKey::from_bytes(kind, &[8; 32]).unwrap();
        for record in records(DID) {
            let unsigned = credential::of_attestation(&record, DID, &host, said_at());
            let payload = json!(unsigned).to_string();
            let text = jose::sign(&key, METHOD, Typ::Of("vc+jwt"), payload.as_bytes());
            let question = |key: &PrivateKey| json!({ "judge": "jwt", "text": text, "jwk": key.public().jwk(), "payload": payload, "kid": METHOD });
            good.push(question(&key));
            bad.push(question(&other));
        }
    }
    assert_judged(&good, &bad);
}

#[test]
fn viem_takes_what_wallets_sign() {
    let wallet = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let chain = ChainId(8453);
    let account = AccountId { chain, address: wallet.address() };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for attestation in records(&account.to_string()) {
        let typed_data = statement::typed_data(&attestation, said_at(), chain);
        let message = statement::text(&attestation, said_at(), chain);
        for scheme in [Scheme::Eip712, Scheme::Eip191] {
            let attestation = attestation.clone();
            let mut made = Statement {
                scheme,
                account,
                signature: Vec::new().into(),
                attestation,
                said_at: said_at(),
            };
            let signature = wallet.sign_hash_sync(&made.digest()).unwrap();
            made.signature = signature.as_bytes().to_vec().into();
            let (typed_data, message) = match scheme {
                Scheme::Eip712 => (typed_data.clone(), Value::Null),
                Scheme::Eip191 => (Value::Null, json!(message)),
            };
            let question = |signature: String| {
                json!({
                    "judge": "wallet", "address": account.address.to_string(), "signature": signature,
                    "typedData": typed_data, "message": message,
                })
            };
            good.push(question(made.signature.to_string()));
            let other = wallet.sign_hash_sync(&alloy::primitives::B256::ZERO).unwrap();
            bad.push(question(alloy::hex::encode_prefixed(other.as_bytes())));
        }
    }
    assert_judged(&good, &bad);
}

/// The same of records with a schema, whose typed data and text are others.
#[test]
fn viem_takes_records_that_wallets_sign() {
    let wallet = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let chain = ChainId(8453);
    let account = AccountId { chain, address: wallet.address() };
    let record = TypedRecord::from_value(json!({
        "schema": "hallmark/grant/1", "issuer": account.to_string(),
        "issued_at": said_at().to_string(), "\u{20ac}": [1, "\u{1f600}"],
    }));
    let record = record.unwrap();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for scheme in [Scheme::Eip712, Scheme::Eip191] {
        let signature = wallet
            .sign_hash_sync(&record_statement::signed_digest(scheme, &record, chain))
            .unwrap();
        let question = |record: &TypedRecord| {
            let (typed_data, message) = match scheme {
                Scheme::Eip712 => (record_statement::typed_data(record, chain), Value::Null),
                Scheme::Eip191 => (Value::Null, json!(record_statement::text(record, chain))),
            };
            json!({
                "judge": "wallet", "address": account.address.to_string(),
                "signature": alloy::hex::encode_prefixed(signature.as_bytes()),
                "typedData": typed_data, "message": message,
            })
        };
        good.push(question(&record));
        let mut other = record.to_value();
        other["more"] = json!(1);
        bad.push(question(&TypedRecord::from_value(other).unwrap()));
    }
    assert_judged(&good, &bad);
}
