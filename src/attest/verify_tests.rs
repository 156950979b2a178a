//! What the vectors cannot tell: that the chain is asked last, how a right is found, and what a ring's key may do.

use serde_json::json;

use super::super::attestation::Context;
use super::super::credential;
use super::super::data_integrity::{self, ProofOptions};
use super::super::dsse;
use super::super::jose;
use super::super::key::{KeyKind, PrivateKey};
use super::super::keyring::{KeyRecord, Revocation};
use super::super::statement::{Scheme, Statement};
use super::super::verdict::{Basis, Expected};
use super::*;
use crate::did::web::WebHost;
use crate::vocab::{AgentRef, BlockRef, ChainId, Position, Span};

const DID: &str = "did:web:a.example";
const METHOD: &str = "did:web:a.example#one";
const SIZE_MAX: usize = 100_000;

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(1_770_116_913 + seconds).unwrap()
}

fn attestation(issuer: &str) -> Attestation {
    let body = json!({
        "schemaVersion": "attestation/v1", "id": "a", "issuer": issuer, "issuerKind": "agent",
        "subject": "did:web:b.example", "claim": { "type": "peer.assessment", "data": {} },
        "issuedAt": at(0).to_string(),
    });
    Attestation::new(body, Context::default()).unwrap()
}

fn method(key: &PrivateKey) -> Method {
    let (id, controller) = (METHOD.to_owned(), DID.to_owned());
    Method { id, controller, key: MethodKey::Public(key.public()), ends: None }
}

fn right(from: u64, to: Option<u64>) -> Right {
    Right { from: at(from), to: to.map(at), basis: Basis::Document }
}

fn facts<'a>(method: &'a Method, rights: &'a [Right]) -> Facts<'a> {
    Facts {
        received: at(10),
        checked_at: None,
        method: Some(method),
        rights,
        answer: None,
        expected: Expected::default(),
    }
}

/// The same record in every form that a key of a document signs.
fn signed_by(key: &PrivateKey) -> Vec<Envelope> {
    let record = attestation(DID);
    let host = WebHost::parse("a.example").unwrap();
    let unsigned = credential::of_attestation(&record, DID, &host, at(0));
    let options = ProofOptions {
        method: METHOD,
        created: at(0),
        expires: None,
        domain: None,
        challenge: None,
    };
    let jwt = serde_json::to_vec(&unsigned).unwrap();
    let envelopes = [
        jose::sign(key, METHOD, VC_JWT, &jwt).into_bytes(),
        serde_json::to_vec(&data_integrity::sign(&unsigned, &options, key).unwrap()).unwrap(),
        dsse::sign(ATTESTATION_TYPE, record.canonical(), METHOD, key).to_string().into_bytes(),
    ];
    envelopes.map(|raw| Envelope::read(raw, SIZE_MAX).unwrap()).into()
}

#[test]
fn what_we_sign_holds_in_every_form() {
    for kind in KeyKind::ALL {
        let key = PrivateKey::from_bytes(kind, &[7; 32]).unwrap();
        let (method, rights) = (method(&key), [right(0, None)]);
        for envelope in signed_by(&key) {
            let Verdict::Valid(valid) = verify(&envelope, &facts(&method, &rights)) else {
                panic!("{kind:?} {:?}", envelope.form());
            };
            assert_eq!((valid.issuer.as_str(), valid.signer.as_str()), (DID, METHOD));
            assert_eq!((valid.said, valid.relation()), (Said::BySigner(at(0)), Some(ASSERTION)));
            assert_eq!((&valid.right, valid.form), (&rights[0], envelope.form()));
            assert_eq!(valid.secured.attestation(), Some(&attestation(DID)));
            assert_eq!(Envelope::read(envelope.raw().to_vec(), SIZE_MAX).as_ref(), Ok(&envelope));
        }
    }
}

#[test]
fn the_right_is_the_one_that_held_then() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let method = method(&key);
    for envelope in signed_by(&key) {
        // Half-open: the second in which it ends is no longer its own.
        for (rights, expected) in
            [(vec![right(0, Some(1))], Some(0)), (vec![right(1, None)], None), (vec![], None)]
        {
            let verdict = verify(&envelope, &facts(&method, &rights));
            match (expected, verdict) {
                (Some(index), Verdict::Valid(valid)) => assert_eq!(valid.right, rights[index]),
                (None, Verdict::Invalid(Refusal::NotThen { rights: told, .. })) => {
                    assert_eq!(told, rights);
                }
                (_, verdict) => panic!("{rights:?}: {verdict:?}"),
            }
        }
        let earlier = Right { from: at(0), to: Some(at(0)), basis: Basis::Itself };
        let rights = [earlier, right(0, None)];
        let verdict = verify(&envelope, &facts(&method, &rights));
        assert!(matches!(verdict, Verdict::Valid(valid) if valid.right == rights[1]));
    }
}

/// Who spoke for the issuer when it was said, and did no longer when it came, is told: the time is that signer's word alone.
#[test]
fn a_right_that_was_over_when_it_came_is_told() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let known = method(&key);
    let ending = Method { ends: Some(at(5)), ..known.clone() };
    for envelope in signed_by(&key) {
        for (method, rights, received, expected) in [
            (&known, vec![right(0, None)], 10_000, None),
            (&known, vec![right(0, Some(5))], 5 + SKEW_S, None),
            (&known, vec![right(0, Some(5))], 6 + SKEW_S, Some(5)),
            // Whoever speaks for it again is not late; whoever spoke again meanwhile is so since then.
            (&known, vec![right(0, Some(5)), right(9, None)], 10_000, None),
            (&known, vec![right(0, Some(5)), right(9, Some(20))], 10_000, Some(20)),
            (&ending, vec![right(0, None)], 10_000, Some(5)),
        ] {
            let facts = Facts { received: at(received), ..facts(method, &rights) };
            let Verdict::Valid(valid) = verify(&envelope, &facts) else { panic!("{rights:?}") };
            assert_eq!(valid.ended, expected.map(at), "{rights:?} at {received}");
            assert_eq!(valid.proof()["ended"], json!(expected.map(at)));
        }
    }
}

#[test]
fn a_clock_may_be_a_little_ahead() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let method = method(&key);
    let early = UnixSeconds::new(at(0).get() - SKEW_S).unwrap();
    let rights = [Right { from: early, to: None, basis: Basis::Document }];
    for envelope in signed_by(&key) {
        let facts = Facts { received: early, ..facts(&method, &rights) };
        let Verdict::Valid(valid) = verify(&envelope, &facts) else { panic!() };
        assert_eq!(valid.said.time(), early, "it was not said after it was received");
        let received = UnixSeconds::new(early.get() - 1).unwrap();
        let verdict = verify(&envelope, &Facts { received, ..facts });
        let is_ahead = |refusal: &Refusal| {
            matches!(refusal, Refusal::FromTheFuture { .. } | Refusal::NotYet { .. })
        };
        assert!(matches!(&verdict, Verdict::Invalid(refusal) if is_ahead(refusal)), "{verdict:?}");
    }
}

/// A statement whose signature is no key's.
fn by_a_contract(issuer: &str) -> (AccountId, Envelope) {
    let account = "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
    let attestation = attestation(issuer);
    let account = AccountId::parse(account, ChainId(1)).unwrap();
    let statement = Statement {
        scheme: Scheme::Eip712,
        account,
        signature: vec![1; 100].into(),
        said_at: attestation.said_at().unwrap(),
        attestation,
    };
    let raw = statement.to_value().to_string().into_bytes();
    (account, Envelope::read(raw, SIZE_MAX).unwrap())
}

#[test]
fn the_chain_is_asked_last_and_its_answer_counts() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let method = method(&key);
    let block = BlockRef { number: 7, hash: B256::repeat_byte(7) };
    let (account, envelope) = by_a_contract(DID);
    let verdict = verify(&envelope, &facts(&method, &[]));
    assert!(matches!(verdict, Verdict::Invalid(Refusal::NotThen { .. })), "{verdict:?}");
    let agent = AgentRef::parse_full(&format!("{account}:1")).unwrap();
    let span = Span { from: Position::new(1, 0), to: None };
    let basis = Basis::Wallet { agent, span, is_proven: true };
    let rights = [Right { from: at(0), to: None, basis }];
    let facts = Facts { checked_at: Some(block), ..facts(&method, &rights) };
    let Verdict::Ask(question) = verify(&envelope, &facts) else { panic!() };
    assert_eq!(question.account, account);
    for by in [SignedBy::Contract(block), SignedBy::Undeployed(block)] {
        let answer = wallet::Verdict::Signed(by);
        let facts = Facts { answer: Some(&answer), ..facts.clone() };
        let Verdict::Valid(valid) = verify(&envelope, &facts) else { panic!() };
        assert_eq!((valid.signed_by, valid.relation()), (Some(by), None));
        let asked_at = json!({ "number": 7, "hash": block.hash });
        assert_eq!(valid.proof()["asked_at"], asked_at, "where the contract was asked is kept");
        assert_eq!((valid.checked_at, &valid.right), (Some(block), &rights[0]));
        assert_eq!(valid.issuer, DID);
    }
    let answer = wallet::Verdict::Unsigned("it says no".to_owned());
    let verdict = verify(&envelope, &Facts { answer: Some(&answer), ..facts.clone() });
    assert_eq!(verdict, Verdict::Invalid(Refusal::Unsigned("it says no".to_owned())));
    let (_, itself) = by_a_contract(&account.to_string());
    let answer = wallet::Verdict::Signed(SignedBy::Contract(block));
    let facts = Facts { answer: Some(&answer), rights: &[], ..facts };
    let Verdict::Valid(valid) = verify(&itself, &facts) else { panic!() };
    assert_eq!(valid.right.basis, Basis::Itself);
}

#[test]
fn the_method_is_the_one_that_is_named() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let known = method(&key);
    let error = MethodError::NotForStatements(DID.to_owned());
    assert_eq!(Verdict::from(error.clone()), Verdict::Invalid(Refusal::Method(error)));
    for envelope in signed_by(&key) {
        let none = Facts { method: None, ..facts(&known, &[]) };
        let verdict = verify(&envelope, &none);
        assert!(matches!(verdict, Verdict::Invalid(Refusal::Method(MethodError::Unknown(_)))));
        // One of another name is not the one that was asked for.
        let renamed = Method { id: "did:web:a.example#two".to_owned(), ..known.clone() };
        let verdict = verify(&envelope, &facts(&renamed, &[right(0, None)]));
        assert!(matches!(verdict, Verdict::Invalid(Refusal::OtherController { .. })));
    }
}

#[test]
fn a_key_of_the_ring_speaks_while_it_signs() {
    let key = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap().public();
    let revoked = |since| Revocation { at: at(90), since: at(since), reason: "lost".to_owned() };
    for (activated, retired, revoked, expected) in [
        (None, None, None, None),
        (Some(at(1)), None, None, Some((at(1), None))),
        (Some(at(1)), Some(at(5)), None, Some((at(1), Some(at(6))))),
        (Some(at(1)), Some(at(5)), Some(revoked(3)), Some((at(1), Some(at(3))))),
        (Some(at(1)), Some(at(5)), Some(revoked(80)), Some((at(1), Some(at(6))))),
        (Some(at(1)), None, Some(revoked(0)), None),
        (Some(at(1)), None, Some(revoked(1)), None),
    ] {
        let record = KeyRecord { key, created: at(0), activated, retired, revoked };
        let right = Right::of_key(&record).map(|right| (right.from, right.to));
        assert_eq!(right, expected, "{record:?}");
    }
}
