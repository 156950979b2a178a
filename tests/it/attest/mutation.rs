//! What we sign ourselves, in every form and with every kind of key: no byte of it can be another.
//!
//! Here and in the vectors each byte is changed once, and every third is left out or doubled; with `HALLMARK_TEST_EVERY_CHANGE` set, each
//! byte is every other byte once, which takes some minutes.

use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use hallmark::attest::attestation::Context;
use hallmark::attest::credential;
use hallmark::attest::data_integrity::{self, ProofOptions};
use hallmark::attest::dsse::{self, ATTESTATION_TYPE};
use hallmark::attest::envelope::Envelope;
use hallmark::attest::jose::{self, Typ};
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::attest::method::{Method, MethodKey};
use hallmark::attest::statement::{Scheme, Statement};
use hallmark::attest::verdict::{Basis, Expected, Facts, Right, Secured, Valid, Verdict};
use hallmark::attest::{Attestation, canonical, verify};
use hallmark::did::web::WebHost;
use hallmark::vocab::{AccountId, ChainId, UnixSeconds};
use serde_json::json;

use crate::support::databases::setting;

const DID: &str = "did:web:games.example";
const METHOD: &str = "did:web:games.example#one";
const SAID: u64 = 1_770_116_913;
const SIZE_MAX: usize = 100_000;

/// Bytes that differ from others in one place, each with that place.
pub(super) fn changes(before: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    const FLIPS: [u8; 5] = [0x01, 0x20, 0x02, 0x10, 0x80];
    let is_full = setting("HALLMARK_TEST_EVERY_CHANGE").is_some();
    (0..before.len()).flat_map(move |at| {
        let (start, end) = before.split_at(at);
        let flips = if is_full { (1..=255).collect() } else { vec![FLIPS[at % FLIPS.len()]] };
        let flipped = flips.into_iter().map(move |flip| {
            let mut changed = before.to_vec();
            changed[at] ^= flip;
            changed
        });
        let moved = match at % 6 {
            0 => Some([start, &end[1..]].concat()),
            3 => Some([start, &end[..1], end].concat()),
            _ => None,
        };
        flipped.chain(moved).map(move |changed| (at, changed))
    })
}

/// Whether two envelopes that hold say the same: forms over JCS leave the spelling of JSON free, and nothing else.
pub(super) fn says_the_same(before: &Valid, after: &Valid) -> bool {
    let document = |valid: &Valid| match &valid.secured {
        Secured::Attestation(record) => record.canonical().to_vec(),
        Secured::Record(record) => record.canonical().to_vec(),
        Secured::Credential(credential) => {
            canonical::to_bytes(&json!(credential.document)).unwrap()
        }
        Secured::Payload { payload_type, payload } => [payload_type.as_bytes(), payload].concat(),
    };
    let digest = |valid: &Valid| valid.secured.attestation().map(Attestation::digest);
    let outside =
        |valid: &Valid| (valid.form, valid.issuer.clone(), valid.signer.clone(), valid.said);
    document(before) == document(after)
        && digest(before) == digest(after)
        && outside(before) == outside(after)
}

/// Something that was signed, and the key that a document shows for it.
struct Signed {
    raw: Vec<u8>,
    method: Option<Method>,
}

impl Signed {
    fn verdict_on(&self, raw: &[u8]) -> Option<Box<Valid>> {
        let envelope = Envelope::read(raw.to_vec(), SIZE_MAX).ok()?;
        let right = Right { from: time(0), to: None, basis: Basis::Document };
        let rights = [right];
        let facts = Facts {
            received: time(10),
            checked_at: None,
            method: self.method.as_ref(),
            rights: &rights,
            answer: None,
            expected: Expected::default(),
        };
        match verify(&envelope, &facts) {
            Verdict::Valid(valid) => Some(valid),
            Verdict::Invalid(_) | Verdict::Ask(_) => None,
        }
    }

    fn assert_no_byte_can_be_another(&self) {
        let before = self.verdict_on(&self.raw).expect("what was signed holds");
        for (at, changed) in changes(&self.raw) {
            if let Some(after) = self.verdict_on(&changed) {
                let text = String::from_utf8_lossy(&changed);
                assert!(says_the_same(&before, &after), "another byte at {at} holds: {text}");
            }
        }
    }
}

fn time(later: u64) -> UnixSeconds {
    UnixSeconds::new(SAID + later).unwrap()
}

fn record(issuer: &str) -> Attestation {
    let body = json!({
        "schemaVersion": "attestation/v1", "id": "0x2b7f", "issuer": issuer, "issuerKind": "agent",
        "subject": "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:22", "confidence": 0.94,
        "issuedAt": time(0).to_string(), "note": "steady é",
        "claim": { "type": "peer.assessment", "data": { "list": ["b", "a"], "n": [1e21, 0.5] } },
    });
    Attestation::new(body, Context::default()).unwrap()
}

fn by_key(sign: impl Fn(&PrivateKey) -> Vec<u8>) {
    for kind in KeyKind::ALL {
        let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
        let (id, controller) = (METHOD.to_owned(), DID.to_owned());
        let method = Method { id, controller, key: MethodKey::Public(key.public()), ends: None };
        let signed = Signed { raw: sign(&key), method: Some(method) };
        signed.assert_no_byte_can_be_another();
    }
}

fn unsigned() -> serde_json::Map<String, serde_json::Value> {
    let host = WebHost::parse("games.example").unwrap();
    credential::of_attestation(&record(DID), DID, &host, time(0))
}

#[test]
fn no_byte_of_our_jwts_can_be_another() {
    let payload = json!(unsigned()).to_string();
    by_key(|key| jose::sign(key, METHOD, Typ::Of("vc+jwt"), payload.as_bytes()).into_bytes());
}

#[test]
fn no_byte_of_our_proofs_can_be_another() {
    let options = ProofOptions {
        method: METHOD,
        created: time(0),
        expires: None,
        domain: None,
        challenge: None,
    };
    by_key(|key| {
        let signed = data_integrity::sign(&unsigned(), &options, key).unwrap();
        json!(signed).to_string().into_bytes()
    });
}

#[test]
fn no_byte_of_our_payloads_can_be_another() {
    let record = record(DID);
    by_key(|key| {
        let signed = dsse::sign(ATTESTATION_TYPE, record.canonical(), METHOD, key);
        signed.to_string().into_bytes()
    });
}

#[test]
fn no_byte_of_what_our_wallets_sign_can_be_another() {
    let wallet = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let account = AccountId { chain: ChainId(8453), address: wallet.address() };
    for scheme in [Scheme::Eip712, Scheme::Eip191] {
        let attestation = record(&account.to_string());
        let signature = Vec::new().into();
        let mut made = Statement { scheme, account, signature, attestation, said_at: time(0) };
        made.signature = wallet.sign_hash_sync(&made.digest()).unwrap().as_bytes().to_vec().into();
        let raw = made.to_value().to_string().into_bytes();
        Signed { raw, method: None }.assert_no_byte_can_be_another();
    }
}
