//! Records of an origin, signed by the service and kept: many in one transaction, and one after the other, each on the disk before the
//! next.
//!
//! The floor of the first reads and signs as many without keeping them; the floor of the second writes as many bytes to a file and waits
//! for the disk.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use hallmark::app::{HeldKeys, KeyStore, Records, ServiceKeys, Submission, SystemClock};
use hallmark::attest::key::{KeyKind, PrivateKey};
use serde_json::json;
use tempfile::TempDir;

use super::{account, chain, records, time};
use crate::engine::Engine;
use crate::table::ratio;

const AGENTS: u64 = 1_000;
const MANY: usize = 20_000;
const TOGETHER: usize = 500;
const SINGLY: usize = 1_000;

pub(super) async fn run(engine: &Engine) {
    println!("\nRecords signed and kept each second, {}", engine.name());
    println!("{:<44}{:>14}{:>14}{:>9}", "", "Hallmark", "floor", "ratio");
    let database = chain(&engine.fresh("intake").await, AGENTS).await;
    let records = records(&database, keys());
    let batched = batched(&records).await;
    let floor = verified(&records).await;
    row("in batches of 500", batched, floor);
    let singly = singly(&records).await;
    row("one after the other, each on the disk", singly, synced());
    database.close().await;
}

fn row(what: &str, ours: f64, floor: f64) {
    println!("{what:<44}{ours:>14.0}{floor:>14.0}{:>9}", ratio(ours, floor));
}

/// The key that signs, as configuration brings it.
fn keys() -> ServiceKeys {
    let own = PrivateKey::from_bytes(KeyKind::Ed25519, &[7; 32]).unwrap();
    let store = KeyStore::new("nowhere/keys.json".into(), None, Some(own));
    let keys = ServiceKeys::open(store, Arc::new(SystemClock)).unwrap();
    let held: Arc<HeldKeys> = keys.held();
    assert!(held.signer(hallmark::app::Clock::now(&SystemClock)).is_some());
    keys
}

/// A record as the origin's server sends it.
fn body(n: usize) -> Vec<u8> {
    let block = n as u64 % 9_000;
    json!({
        "attestation": {
            "schemaVersion": "attestation/v1", "id": n.to_string(), "issuer": "games:system", "issuerKind": "system",
            "subject": account(n as u64 % AGENTS).to_string(), "round": n,
            "claim": { "type": "tragedy.round_choice.v1", "data": { "action": "trade", "before": { "vp": 3, "influence": 1 } } },
            "issuedAt": time(block).to_string(),
        },
        "context": { "origin": "games", "game": "5f3c1f1e" },
    })
    .to_string()
    .into_bytes()
}

async fn checked(records: &Records, n: usize) -> hallmark::app::CheckedRecord {
    let origin = Arc::clone(records.origins.get(&"games".parse().unwrap()).unwrap());
    let checked = records.check(Submission::OfOrigin(body(n), origin)).await.unwrap();
    let signed = records.issue(checked);
    assert!(signed.envelope.is_some());
    signed
}

async fn batched(records: &Records) -> f64 {
    let began = Instant::now();
    for first in (0..MANY).step_by(TOGETHER) {
        let mut batch = Vec::with_capacity(TOGETHER);
        for n in first..first + TOGETHER {
            batch.push(checked(records, n).await);
        }
        let kept = records.commit(batch).await.unwrap();
        assert!(kept.iter().all(|one| one.as_ref().is_ok_and(|one| one.is_new)));
    }
    MANY as f64 / began.elapsed().as_secs_f64()
}

/// Only what must be done for whoever signs: reading and signing, without keeping anything.
async fn verified(records: &Records) -> f64 {
    let began = Instant::now();
    for n in 0..MANY {
        checked(records, n).await;
    }
    MANY as f64 / began.elapsed().as_secs_f64()
}

async fn singly(records: &Records) -> f64 {
    let began = Instant::now();
    for n in MANY..MANY + SINGLY {
        let kept = records.commit(vec![checked(records, n).await]).await.unwrap();
        assert!(kept[0].as_ref().is_ok_and(|one| one.is_new));
    }
    SINGLY as f64 / began.elapsed().as_secs_f64()
}

/// As many bytes appended to a file, each time on the disk.
fn synced() -> f64 {
    let folder = TempDir::with_prefix("hallmark-bench").unwrap();
    let mut file = File::create(folder.path().join("floor")).unwrap();
    let began = Instant::now();
    for n in 0..SINGLY {
        file.write_all(&body(n)).unwrap();
        file.sync_data().unwrap();
    }
    SINGLY as f64 / began.elapsed().as_secs_f64()
}
