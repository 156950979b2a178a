//! Records of an origin, signed by the service and kept: many in one transaction, and each on the disk before the next.
//!
//! They go the way on which the service takes them in: clients check and sign, and one writer keeps what they bring. The floor of batches
//! reads and signs as many without keeping them; the floor of single ones writes as many bytes to a file and waits for the disk.

use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use hallmark::app::{
    Accepted, HeldKeys, KeyStore, RecordQueue, Records, ServiceKeys, Submission, SystemClock,
};
use hallmark::attest::key::{KeyKind, PrivateKey};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{account, chain, records, time};
use crate::engine::Engine;
use crate::table::ratio;

const AGENTS: u64 = 1_000;
const MANY: usize = 20_000;
const TOGETHER: usize = 500;
/// So many clients send batches: one signs while what another signed is kept.
const SENDERS: usize = 2;
const SINGLY: usize = 1_000;
/// So many clients bring one record after the other at once.
const CLIENTS: usize = 32;

pub(super) async fn run(engine: &Engine) {
    println!("\nRecords signed and kept each second, {}", engine.name());
    println!("{:<44}{:>14}{:>14}{:>9}", "", "Hallmark", "floor", "ratio");
    let url = engine.fresh("intake").await;
    // The threads of a service, which this runtime has not.
    let measuring = move || Runtime::new().unwrap().block_on(measure(&url));
    std::thread::spawn(measuring).join().unwrap();
}

async fn measure(url: &str) {
    let database = chain(url, AGENTS).await;
    let records = records(&database, keys());
    let (queue, writer) = RecordQueue::new(records.clone());
    let mut writing = JoinSet::new();
    writing.spawn(writer.run());
    let batched =
        each_second(MANY, SENDERS, |share| batches(records.clone(), queue.clone(), share));
    let batched = batched.await;
    let floor = each_second(MANY, SENDERS, |share| signed(records.clone(), share)).await;
    row("in batches of 500, by two clients", batched, floor);
    let one = |share: Range<usize>| {
        singly(records.clone(), queue.clone(), MANY + share.start..MANY + share.end)
    };
    row("one after the other, each on the disk", each_second(SINGLY, 1, one).await, synced());
    let first = MANY + SINGLY;
    let many = |share: Range<usize>| {
        singly(records.clone(), queue.clone(), first + share.start..first + share.end)
    };
    let together = each_second(4 * SINGLY, CLIENTS, many).await;
    row("the same by 32 clients at once", together, synced());
    drop(queue);
    writing.join_all().await;
    database.close().await;
}

/// How many a second, where each of some clients has its share of them.
async fn each_second<F>(count: usize, clients: usize, work: impl Fn(Range<usize>) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let (began, mut working) = (Instant::now(), JoinSet::new());
    for client in 0..clients {
        working.spawn(work(client * count / clients..(client + 1) * count / clients));
    }
    working.join_all().await;
    count as f64 / began.elapsed().as_secs_f64()
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

fn assert_new(kept: &Result<Accepted, hallmark::app::Refused>) {
    assert!(kept.as_ref().is_ok_and(|kept| kept.is_new));
}

async fn batches(records: Records, queue: RecordQueue, share: Range<usize>) {
    for first in share.clone().step_by(TOGETHER) {
        let mut batch = Vec::with_capacity(TOGETHER);
        for n in first..(first + TOGETHER).min(share.end) {
            batch.push(checked(&records, n).await);
        }
        queue.append_all(batch).await.unwrap().iter().for_each(assert_new);
    }
}

/// Only what must be done for whoever signs: reading and signing, without keeping anything.
async fn signed(records: Records, share: Range<usize>) {
    for n in share {
        checked(&records, n).await;
    }
}

async fn singly(records: Records, queue: RecordQueue, share: Range<usize>) {
    for n in share {
        assert_new(&queue.append(checked(&records, n).await).await.unwrap());
    }
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
