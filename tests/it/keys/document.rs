//! The service's own document at every moment of its ring's life, and the link to its domain.

use hallmark::app::{KeyStore, ServiceKeys};
use hallmark::attest::jose::{Jws, Typ};
use hallmark::attest::key::{KeyKind, PrivateKey};
use hallmark::did::key::PublicKey;
use hallmark::storage::Database;
use serde_json::{Value, json};

use super::{Keys, at, clock};
use crate::support::databases::Fresh;
use crate::support::service::{Reply, Service, state};

const DID: &str = "did:web:localhost%3A8004";
const CONFIGURATION: &str = "/.well-known/did-configuration.json";

/// The service as it is at a moment.
fn service(database: &Database, keys: &Keys, seconds: u64) -> Service {
    let mut state = state(database, at(seconds));
    keys.give(&mut state, at(seconds));
    Service::new(state)
}

async fn resolve(service: &Service, query: &str) -> Reply {
    service.get(&format!("/1.0/identifiers/{DID}{query}")).await
}

async fn found(service: &Service, query: &str) -> Value {
    let reply = resolve(service, query).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()
}

async fn refused(service: &Service, query: &str, status: u16, code: &str) {
    let reply = resolve(service, query).await;
    assert_eq!(reply.status, status, "{query}: {}", reply.text());
    let error = reply.json()["didResolutionMetadata"]["error"].clone();
    assert_eq!(error["type"], format!("https://www.w3.org/ns/did#{code}"), "{query}");
    assert_eq!(reply.json()["didDocument"], Value::Null);
}

/// The names of the Multikeys in a document.
fn shown(document: &Value) -> Vec<String> {
    let methods = document["verificationMethod"].as_array().cloned().unwrap_or_default();
    let multikeys = methods.iter().filter(|method| method["type"] == "Multikey");
    multikeys.map(|method| method["publicKeyMultibase"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_documents_history_is_that_of_the_ring() {
    let fresh = Fresh::sqlite().await;
    let (database, keys) = (fresh.database().await, Keys::new());
    let store = keys.store();
    let first = store.add(KeyKind::Ed25519, &clock(100)).unwrap().key.multibase();
    let second = store.add(KeyKind::P256, &clock(200)).unwrap().key.multibase();
    assert_eq!(store.rotate(None, &clock(300)).unwrap().key.multibase(), second);
    store.revoke(&second, Some(at(350)), "a drill", &clock(400)).unwrap();
    let third = store.add(KeyKind::Ed25519, &clock(500)).unwrap().key.multibase();

    // From when on, and what was shown: newest first.
    let told: [(u64, &[&String]); 5] = [
        (100, &[&first]),
        (203, &[&second, &first]),
        (303, &[&second]),
        (403, &[]),
        (503, &[&third]),
    ];
    let service = service(&database, &keys, 1_000);
    let mut ids = Vec::new();
    for (number, (from, keys)) in told.iter().enumerate() {
        let next = told.get(number + 1).map(|(next, _)| *next);
        for moment in [*from, next.map_or(900, |next| next - 1)] {
            let result = found(&service, &format!("?versionTime={}", at(moment))).await;
            assert_eq!(
                &shown(&result["didDocument"]).iter().collect::<Vec<_>>(),
                keys,
                "at {moment}"
            );
            let metadata = &result["didDocumentMetadata"];
            assert_eq!(metadata["created"], at(100).to_string());
            let updated = if number == 0 { Value::Null } else { json!(at(*from).to_string()) };
            assert_eq!(metadata["updated"], updated);
            assert_eq!(
                metadata["nextUpdate"].as_str().map(str::to_owned),
                next.map(|next| at(next).to_string())
            );
            let id = metadata["versionId"].as_str().unwrap().to_owned();
            assert!(id.starts_with(&format!("{}-0x", at(*from).get())), "{id}");
            let by_id = found(&service, &format!("?versionId={id}")).await;
            assert_eq!(by_id["didDocument"], result["didDocument"]);
            assert_eq!(by_id["didDocumentMetadata"], result["didDocumentMetadata"]);
            ids.push(id);
            // What is known of each key is said with every version.
            assert_eq!(metadata["hallmark"]["keys"][1]["revoked"]["since"], at(350).to_string());
            assert_eq!(metadata["hallmark"]["keys"][1]["revoked"]["reason"], "a drill");
            assert_eq!(metadata["hallmark"]["keys"][0]["retired"], at(303).to_string());
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), told.len());
    let latest = found(&service, "").await;
    assert_eq!(latest, found(&service, "?at=latest").await);
    assert_eq!(latest["didDocument"], service.get("/.well-known/did.json").await.json());
    assert_eq!(latest["didDocumentMetadata"]["versionId"], *ids.last().unwrap());

    refused(&service, &format!("?versionTime={}", at(99)), 404, "NOT_FOUND").await;
    refused(&service, "?versionTime=0000-01-01T00:00:00Z", 404, "NOT_FOUND").await;
    for then in [at(1_000).to_string(), at(1_001).to_string(), "9999-12-31T23:59:59Z".to_owned()] {
        let path = format!("/1.0/identifiers/{DID}?versionTime={then}");
        let problem = service.problem(&path, 409).await;
        assert_eq!(problem["type"], "/problems/not-indexed-yet", "{then}");
        assert_eq!(problem["now"], at(1_000).to_string());
    }
    for id in [
        ids[0].replace("1770000100", "1770000101"),
        "1".to_owned(),
        ids[0].to_uppercase(),
        String::new(),
    ] {
        refused(&service, &format!("?versionId={id}"), 404, "NOT_FOUND").await;
    }
    for at in ["safe", "finalized", "block:1"] {
        refused(&service, &format!("?at={at}"), 501, "FEATURE_NOT_SUPPORTED").await;
    }
}

#[tokio::test]
async fn what_was_a_version_once_is_one_for_ever() {
    let fresh = Fresh::sqlite().await;
    let (database, keys) = (fresh.database().await, Keys::new());
    let mut seen: Vec<(u64, Value)> = Vec::new();
    for (seconds, step) in [(0, 0), (1, 1), (2, 1), (7, 0), (8, 1), (11, 2), (12, 1), (20, 1)] {
        let store = keys.store();
        match step {
            0 => drop(store.add(KeyKind::Ed25519, &clock(seconds)).unwrap()),
            1 => drop(store.rotate(None, &clock(seconds)).unwrap()),
            _ => {
                let id = store.list().unwrap()[0].0.key.multibase();
                store.revoke(&id, Some(at(0)), "a drill", &clock(seconds)).unwrap();
            }
        }
        let service = service(&database, &keys, seconds);
        for (then, expected) in &seen {
            let result = found(&service, &format!("?versionTime={}", at(*then))).await;
            assert_eq!(result["didDocument"], expected["didDocument"], "{then} seen at {seconds}");
            assert_eq!(
                result["didDocumentMetadata"]["versionId"],
                expected["didDocumentMetadata"]["versionId"]
            );
        }
        seen.push((seconds, found(&service, "").await));
    }
}

#[tokio::test]
async fn without_keys_there_is_no_history_and_no_link() {
    let fresh = Fresh::sqlite().await;
    let (database, keys) = (fresh.database().await, Keys::new());
    let none = service(&database, &keys, 1);
    assert_eq!(shown(&found(&none, "").await["didDocument"]), [""; 0]);
    for query in
        [format!("?versionTime={}", at(0)), "?versionId=1".to_owned(), "?at=safe".to_owned()]
    {
        refused(&none, &query, 501, "FEATURE_NOT_SUPPORTED").await;
    }
    let problem = none.problem(CONFIGURATION, 404).await;
    assert_eq!(problem["type"], "/problems/no-key");

    // A key that is brought along signs and is shown; nobody knows since when.
    let own = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let mut settings = state(&database, at(1));
    let held = KeyStore::new(keys.path(), None, Some(own.clone())).open(at(0)).unwrap();
    settings.keys = ServiceKeys::fixed(held);
    let alone = Service::new(settings);
    let result = found(&alone, "").await;
    assert_eq!(shown(&result["didDocument"]), [own.public().multibase()]);
    assert_eq!(result["didDocumentMetadata"], json!({}));
    refused(&alone, &format!("?versionTime={}", at(0)), 501, "FEATURE_NOT_SUPPORTED").await;
    assert_eq!(alone.get(CONFIGURATION).await.status, 200);

    // A key that waits, or is revoked, links nothing.
    let key = keys.store().add(KeyKind::Ed25519, &clock(10)).unwrap().key;
    keys.store().revoke(&key.multibase(), Some(at(10)), "a drill", &clock(10)).unwrap();
    service(&database, &keys, 11).problem(CONFIGURATION, 404).await;
}

/// The payload of the credential, checked by the key that its `kid` names in the document.
async fn linked(service: &Service) -> (Value, String) {
    let reply = service.get(CONFIGURATION).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/json"),
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(!reply.header("etag").is_empty());
    let text = reply.json()["linked_dids"][0].as_str().unwrap().to_owned();
    let read = Jws::read(&text).unwrap();
    let document = service.get("/.well-known/did.json").await.json();
    let methods = document["verificationMethod"].as_array().unwrap();
    let method = methods.iter().find(|method| method["id"] == read.kid().unwrap()).unwrap();
    assert!(document["assertionMethod"].as_array().unwrap().contains(&method["id"]));
    let key = PublicKey::from_jwk(&method["publicKeyJwk"]).unwrap();
    let payload = read.verify(&key, Typ::Absent).unwrap();
    (serde_json::from_slice(&payload).unwrap(), reply.text().to_owned())
}

#[tokio::test]
async fn the_domain_is_linked_by_the_key_that_signs() {
    let fresh = Fresh::sqlite().await;
    let (database, keys) = (fresh.database().await, Keys::new());
    keys.store().add(KeyKind::Ed25519, &clock(0)).unwrap();
    let now = service(&database, &keys, 100);
    let (payload, text) = linked(&now).await;
    assert_eq!((&payload["iss"], &payload["sub"]), (&json!(DID), &json!(DID)));
    let subject = json!({ "id": DID, "origin": "https://localhost:8004" });
    assert_eq!(payload["vc"]["credentialSubject"], subject);
    assert_eq!(payload["nbf"], at(0).get(), "no earlier than its key");
    assert!(payload["exp"].as_u64().unwrap() > at(29 * 86_400).get());
    // The same bytes for the rest of the day, from another process too; others on the next.
    assert_eq!(linked(&now).await.1, text);
    assert_eq!(linked(&service(&database, &keys, 200)).await.1, text);
    assert_ne!(linked(&service(&database, &keys, 86_400)).await.1, text);
    keys.store().rotate(Some(KeyKind::P256), &clock(300)).unwrap();
    assert_eq!(linked(&service(&database, &keys, 302)).await.1, text, "the key before still signs");
    let (payload, rotated) = linked(&service(&database, &keys, 303)).await;
    assert_ne!(rotated, text);
    assert_eq!(payload["nbf"], at(303).get());
}
