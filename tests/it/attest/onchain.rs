//! Records of what the registries' logs say, made of the decoding vectors: whole, bounded, one per place, and each pointing to what it is
//! about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use alloy::primitives::{Address, B256, Bytes, I256};
use hallmark::attest::onchain::{EventPlace, TEXT_CHARS_MAX, incoming};
use hallmark::attest::{Attestation, Incoming, SentBy};
use hallmark::registry::{RegistryEvent, Tag, decode};
use hallmark::vocab::{
    AgentId, BlockRef, ChainId, Digest, RawLog, RegistryKind, RegistryRef, Subject, UnixSeconds,
};
use serde::Deserialize;
use serde_json::{Value, json};

const EMITTER: &str = "0x8004BAa17C55a88189AE136b182e5fdA19dE9b63";

#[derive(Deserialize)]
struct LogVector {
    registry: String,
    topics: Vec<B256>,
    data: Bytes,
}

fn identity() -> RegistryRef {
    let address = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432".parse().unwrap();
    RegistryRef { chain: ChainId(8453), address }
}

fn log(topics: Vec<B256>, data: Bytes) -> RawLog {
    RawLog {
        address: EMITTER.parse().unwrap(),
        topics,
        data,
        block: BlockRef { number: 41_663_790, hash: B256::repeat_byte(1) },
        block_time: None,
        tx_hash: B256::repeat_byte(7),
        log_index: 5,
    }
}

fn place_of(log: &RawLog) -> EventPlace {
    EventPlace::of(log, UnixSeconds::new(1_770_116_913).unwrap(), identity())
}

fn place() -> EventPlace {
    place_of(&log(Vec::new(), Bytes::new()))
}

fn made(event: &RegistryEvent) -> Incoming {
    incoming(event, &place()).unwrap().expect("a record")
}

/// The events of all vectors, by the vector's name.
fn events() -> BTreeMap<String, RegistryEvent> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/logs/valid");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let vector: LogVector = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let kind = RegistryKind::from_word(&vector.registry).unwrap();
        let event = decode(kind, &log(vector.topics, vector.data)).unwrap();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), event)
    };
    paths.map(read).collect()
}

fn data(made: &Incoming) -> &serde_json::Map<String, Value> {
    &made.attestation.body.claim.data
}

#[test]
fn every_log_of_feedback_and_validation_is_a_record_and_no_other_is() {
    let mut kinds = BTreeSet::new();
    for (name, event) in events() {
        let Some(made) = incoming(&event, &place()).unwrap() else {
            assert!(event.thread().is_none(), "{name}: a log with a thread is a record");
            continue;
        };
        let record = &made.attestation;
        kinds.insert(record.body.claim.kind.clone());
        // What is written reads back, and has the digest of its bytes.
        let again = Attestation::read(record.canonical(), record.canonical().len()).unwrap();
        assert_eq!((&again, again.digest()), (record, Digest::of(record.canonical())), "{name}");
        assert_eq!(record.body.id, "eip155:8453:41663790:5", "{name}");
        assert_eq!(made.place.as_deref(), Some("log:41663790:5"));
        assert_eq!(record.said_at(), Some(place().time));
        assert_eq!((made.time(), made.said_at), (record.said_at(), record.said_at()));
        assert_eq!(record.body.note, None);
        let agent = event.agent().unwrap();
        let expected = format!("eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432:{agent}");
        assert_eq!(record.subject.to_string(), expected, "{name}");
        assert_eq!(made.sent_by, SentBy::Name(record.issuer.clone()), "{name}");
        assert_eq!(record.context.to_value(), json!({ "chain": "eip155:8453" }));
        let log = format!("eip155:8453:{}:5", B256::repeat_byte(7));
        assert_eq!(
            (record.body.evidence[0].kind.as_str(), &record.body.evidence[0].id),
            ("evm.log", &log)
        );
    }
    let expected = [
        "erc8004.feedback.v1",
        "erc8004.feedback_revoked.v1",
        "erc8004.response.v1",
        "erc8004.validation_request.v1",
        "erc8004.validation_response.v1",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn a_feedback_is_kept_whole_by_the_names_of_its_abi() {
    let events = events();
    let record = made(&events["feedback"]).attestation;
    insta::assert_json_snapshot!(record.to_value());
    let answer = made(&events["validation-response"]).attestation;
    insta::assert_json_snapshot!(answer.to_value());
}

#[test]
fn numbers_wider_than_json_keeps_are_strings() {
    let events = events();
    let largest = made(&events["feedback-int128-max"]);
    assert_eq!(data(&largest)["value"], i128::MAX.to_string());
    assert_eq!(data(&made(&events["feedback-int128-min"]))["value"], i128::MIN.to_string());
    assert_eq!(data(&made(&events["feedback-minus-one"]))["value"], "-1");
    let index = made(&events["feedback-largest-index"]);
    assert_eq!(data(&index)["feedbackIndex"], u64::MAX.to_string());
}

/// Both have the same name of the feedback, whoever reads them first.
#[test]
fn what_follows_on_a_feedback_points_to_it() {
    let (agent, client) = (AgentId::from(22), Address::repeat_byte(0xc1));
    let feedback = |index| {
        let tag1 = Tag::Text(Bytes::from_static(b"quality"));
        let (value, hash, none) = (I256::ONE, B256::ZERO, Bytes::new());
        let (tag2, endpoint, uri) = (none.clone(), none.clone(), none);
        let decimals = 0;
        made(&RegistryEvent::NewFeedback {
            agent,
            client,
            index,
            value,
            decimals,
            tag1,
            tag2,
            endpoint,
            uri,
            hash,
        })
    };
    let first = feedback(Some(3));
    let name = data(&first)["feedback"].clone();
    assert_eq!(name, format!("eip155:8453:{EMITTER}/22/{client}/3"));
    let revoked = made(&RegistryEvent::FeedbackRevoked { agent, client, index: 3 });
    let (uri, hash, responder) = (Bytes::new(), B256::ZERO, Address::repeat_byte(2));
    let response =
        made(&RegistryEvent::ResponseAppended { agent, client, index: 3, responder, uri, hash });
    for follows in [&revoked, &response] {
        assert_eq!(data(follows)["feedback"], name);
        let evidence = follows.attestation.body.evidence.last().unwrap();
        assert_eq!(
            (evidence.kind.as_str(), json!(evidence.id)),
            ("erc8004.feedback", name.clone())
        );
    }
    assert_eq!(revoked.attestation.issuer, first.attestation.issuer);
    assert_ne!(response.attestation.issuer, first.attestation.issuer);
    // Before January 2026 nobody numbered them.
    assert!(!data(&feedback(None)).contains_key("feedback"));
    assert!(!data(&feedback(None)).contains_key("feedbackIndex"));
}

#[test]
fn validators_answer_a_request_that_the_agent_made() {
    let events = events();
    let request = made(&events["validation-request"]);
    assert_eq!(request.attestation.issuer, request.attestation.subject);
    assert!(matches!(request.attestation.issuer, Subject::Agent(_)));
    let response = made(&events["validation-response"]);
    assert_eq!(response.attestation.issuer.kind(), "account");
    let name = &data(&response)["validation"];
    let evidence = &response.attestation.body.evidence[1];
    assert_eq!((evidence.kind.as_str(), &json!(evidence.id)), ("erc8004.validation", name));
}

#[test]
fn bytes_that_are_no_text_are_hex_and_say_so() {
    let events = events();
    let made_of = made(&events["feedback-texts-not-utf8"]);
    let named = data(&made_of)["hex"].as_array().unwrap();
    assert!(!named.is_empty());
    for name in named {
        let text = data(&made_of)[name.as_str().unwrap()].as_str().unwrap();
        assert!(text.starts_with("0x"), "{name}: {text}");
    }
    let hashed = made(&events["legacy-feedback-hashed-tag"]);
    assert!(data(&hashed)["tag1Hash"].as_str().unwrap().starts_with("0x"));
    assert!(!data(&hashed).contains_key("tag1"));
}

#[test]
fn of_a_long_text_a_thousand_characters_and_a_digest_are_kept() {
    let uri = |bytes: Vec<u8>| {
        let (agent, validator) = (AgentId::from(1), Address::ZERO);
        let (uri, request_hash) = (Bytes::from(bytes), B256::ZERO);
        made(&RegistryEvent::ValidationRequest { validator, agent, uri, request_hash })
    };
    let whole = uri("é".repeat(TEXT_CHARS_MAX).into_bytes());
    assert!(!data(&whole).contains_key("shortened"));
    for (bytes, is_text) in [
        ("é".repeat(TEXT_CHARS_MAX + 1).into_bytes(), true),
        (vec![b'a'; 100_000], true),
        (vec![0xff; 100_000], false),
        (vec![0xff; TEXT_CHARS_MAX / 2], false),
    ] {
        let long = uri(bytes.clone());
        let kept = data(&long)["requestURI"].as_str().unwrap();
        assert_eq!(kept.chars().count(), TEXT_CHARS_MAX);
        assert_eq!(data(&long).contains_key("hex"), !is_text);
        let said = json!({ "requestURI": { "length": bytes.len(), "sha256": Digest::of(&bytes).to_string() } });
        assert_eq!(data(&long)["shortened"], said);
        assert!(long.attestation.canonical().len() < 4_000);
    }
    // Those that differ behind the cut are two records.
    let (a, b) =
        ([vec![b'a'; 2_000], vec![b'1']].concat(), [vec![b'a'; 2_000], vec![b'2']].concat());
    assert_ne!(uri(a).attestation.digest(), uri(b).attestation.digest());
}

#[test]
fn another_place_is_another_record() {
    let event = &events()["feedback"];
    let first = made(event).attestation.digest();
    let mut other = log(Vec::new(), Bytes::new());
    other.log_index = 6;
    let second = incoming(event, &place_of(&other)).unwrap().unwrap();
    assert_ne!(second.attestation.digest(), first);
    assert_eq!(made(event).attestation.digest(), first);
}
