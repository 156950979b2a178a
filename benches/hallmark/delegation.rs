//! Checking a delegation trace of ten hops, from its bytes to the verdict, on all cores; the floor works on one.
//!
//! The floor recovers the wallets of as many signatures, by the library that the program does it with, and does nothing else: a trace cannot
//! be checked without that.

use std::time::Instant;

use alloy::primitives::B256;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use hallmark::attest::wallet::recover;
use hallmark::delegation::{Standing, TraceDocument, verify_trace};
use hallmark::vocab::UnixSeconds;
use serde_json::Value;

use crate::table::ratio;

/// A trace with everything that there is, as the tests have it.
const VECTOR: &str = include_str!("../../tests/vectors/delegation/valid/ten-hops.json");
/// Each is run so often, and the fastest counts.
const ROUNDS: usize = 20;

pub(crate) fn run() {
    println!("\nDelegation traces, milliseconds, the fastest of {ROUNDS} runs");
    println!("{:<62}{:>10}{:>10}{:>9}", "", "Hallmark", "floor", "ratio");
    let vector: Value = serde_json::from_str(VECTOR).unwrap();
    let whole = &vector["document"];
    // Grants, acceptances and outcomes are what a trace cannot do without.
    let bare = with_kinds(whole, &["grant", "acceptance", "outcome"]);
    for (what, document) in [
        ("ten hops: grants, acceptances and outcomes", &bare),
        ("ten hops: with interactions, snapshots and a verdict", whole),
    ] {
        let bytes = serde_json::to_vec(document).unwrap();
        let records = document["envelopes"].as_array().unwrap().len();
        let ours = fastest(|| checked(&bytes));
        let floor = fastest(|| recovered(records));
        let ratio = ratio(ours, floor);
        println!("{:<62}{ours:>10.1}{floor:>10.1}{ratio:>9}", format!("{what} ({records})"));
    }
}

/// The same with records of these kinds alone.
fn with_kinds(document: &Value, kinds: &[&str]) -> Value {
    let mut document = document.clone();
    let is_wanted = |sealed: &Value| {
        let text = sealed["envelope"].as_str().unwrap();
        kinds.iter().any(|kind| text.contains(&format!("hallmark/{kind}/1")))
    };
    document["envelopes"].as_array_mut().unwrap().retain(is_wanted);
    document
}

fn checked(bytes: &[u8]) {
    let document = TraceDocument::read(bytes).unwrap();
    let checked_at = UnixSeconds::parse("2026-02-05T00:00:00Z").unwrap();
    let verdict = verify_trace(&document, checked_at);
    assert_eq!((verdict.standing, verdict.hops.len()), (Standing::Valid, 10));
}

fn recovered(count: usize) {
    let signer = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let digest = B256::repeat_byte(9);
    let signature = signer.sign_hash_sync(&digest).unwrap().as_bytes();
    for _ in 0..count {
        assert_eq!(recover(digest, &signature).unwrap(), signer.address());
    }
}

/// The time of the fastest run in milliseconds.
fn fastest(run: impl Fn()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1_000.0
    };
    (0..ROUNDS).map(once).min_by(f64::total_cmp).unwrap()
}
