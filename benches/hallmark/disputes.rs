//! One dispute answered end to end, with a million other edges stored: the whole answer of the service, without a socket.
//!
//! The dispute is a chain of ten hops with everything that there is, signed by wallets and taken in as anybody's records are: its trace is
//! put together, every signature is checked, names and operators are looked up, and the report is computed. The other edges are grants and
//! acceptances of about that size whose envelopes nobody opens, with their hops beside them. The floor recovers the wallets of as many
//! signatures, and that of the population counts its index once; neither can be left out.

use std::sync::Arc;
use std::time::Instant;

use alloy::primitives::B256;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use hallmark::api::{ApiState, Limits, router};
use hallmark::app::{FixedClock, ServiceKeys};
use hallmark::attest::envelope::Form;
use hallmark::attest::record_statement::{RecordStatement, signed_digest};
use hallmark::attest::statement::Scheme;
use hallmark::delegation::{
    Acceptance, Amount, Capability, Child, Grant, HopState, Inheritance, Interaction,
    InteractionKind, Kind, Loss, Outcome, Record, Ruling, Scope, Snapshots, Specification,
    TaskResult, Under, Verdict,
};
use hallmark::registry::KnownImplementations;
use hallmark::rekey::{Outcome as Meant, Rekeying, Rule};
use hallmark::storage::{Database, NewDelegation, PartyState, StoredEdge};
use hallmark::tfd::{Author, LossSource};
use hallmark::vocab::{AccountId, AgentRef, Digest, Ppb, RegistryRef, Subject, UnixSeconds};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::engine::Engine;
use crate::records::{BLOCKS, CHAIN, REGISTRY, chain_of, records, time};
use crate::table::{percentile, ratio};

/// So many edges are stored.
pub(crate) const EDGES: u64 = 1_000_000;
/// So many agents share them.
const AGENTS: u64 = 10_000;
const BATCH: u64 = 10_000;
/// So many hops has the dispute.
const HOPS: u64 = 10;
/// It is asked for so often.
const ROUNDS: usize = 100;
/// About as many bytes as an envelope has besides its record.
const SEAL_BYTES: usize = 260;

pub(crate) async fn run(engine: &Engine, edges: u64) {
    let url = engine.fresh("disputes").await;
    let database = chain_of(&url, |agent| account(agent).address, HOPS + 1).await;
    let began = Instant::now();
    fill(&database, edges).await;
    let filled = edges as f64 / began.elapsed().as_secs_f64();
    let (verdict, signed) = dispute(&database).await;
    let service = service(&database);
    println!("\nOne dispute of {HOPS} hops among {edges} edges, {}, milliseconds", engine.name());
    println!("(the edges were written at {filled:.0} a second)");
    println!("{:<52}{:>10}{:>10}{:>10}{:>9}", "", "median", "p99", "floor", "ratio");
    let floor = fastest(|| recovered(signed));
    let path = format!("/v1/disputes/{verdict}/attribution");
    let report = answer(&service, &path).await;
    assert_eq!(
        (&report["status"], &report["trace"]["standing"]),
        (&json!("confirmed"), &json!("valid"))
    );
    assert_eq!(report["evidence"].as_array().unwrap().len(), signed);
    show(&format!("its report ({signed} signed records)"), &times(&service, &path).await, floor);
    let path = format!("/v1/delegations/{verdict}/trace?part=path");
    show("its trace as a document", &times(&service, &path).await, 0);
    let mut tx = database.begin_read().await.unwrap();
    let start = Instant::now();
    assert_eq!(tx.edges_within(Ppb::ZERO, Ppb::new(u32::MAX)).await.unwrap(), edges + HOPS);
    let scan = micros(start);
    drop(tx);
    let path = "/v1/tfd/population";
    assert_eq!(answer(&service, path).await["hops"]["active"], edges + HOPS);
    let once: Vec<u64> = few_times(&service, path, 5).await;
    show("the population", &once, scan);
    database.close().await;
}

fn show(what: &str, micros: &[u64], floor: u64) {
    let (median, p99) = (percentile(micros, 50), percentile(micros, 99));
    let ms = |micros: u64| micros as f64 / 1_000.0;
    let shown = if floor > 0 { format!("{:.1}", ms(floor)) } else { String::new() };
    let ratio = ratio(median as f64, floor as f64);
    println!("{what:<52}{:>10.1}{:>10.1}{shown:>10}{ratio:>9}", ms(median), ms(p99));
}

fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap()
}

async fn times(service: &Router, path: &str) -> Vec<u64> {
    few_times(service, path, ROUNDS).await
}

async fn few_times(service: &Router, path: &str, rounds: usize) -> Vec<u64> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        fetch(service, path).await;
        times.push(micros(start));
    }
    times
}

async fn fetch(service: &Router, path: &str) -> Vec<u8> {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

async fn answer(service: &Router, path: &str) -> Value {
    serde_json::from_slice(&fetch(service, path).await).unwrap()
}

fn service(database: &Database) -> Router {
    let limits = Limits {
        lag_limit: std::time::Duration::from_mins(1),
        request_timeout: std::time::Duration::from_mins(1),
        request_body_max: 1 << 20,
        rate_limit: None,
    };
    let clock = Arc::new(FixedClock(time(BLOCKS)));
    router(ApiState::new(database.clone(), clock, KnownImplementations::default(), limits))
}

fn wallet(agent: u64) -> PrivateKeySigner {
    PrivateKeySigner::from_slice(Digest::of(&agent.to_be_bytes()).as_bytes()).unwrap()
}

fn account(agent: u64) -> AccountId {
    AccountId { chain: CHAIN, address: wallet(agent).address() }
}

fn agent(id: u64) -> Subject {
    let registry = RegistryRef { chain: CHAIN, address: REGISTRY };
    Subject::Agent(AgentRef { registry, id: id.into() })
}

/// The first second in which anything of the dispute is said.
fn said(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(time(1_000).get() + seconds).unwrap()
}

fn grant(parent: u64, under: Under, at: u64) -> Grant {
    let conditions = vec![
        json!({ "type": "latency", "operator": "<=", "value": 2000, "unit": "ms" }),
        json!({ "type": "accuracy", "operator": ">=", "value": 950_000, "unit": "ppm" }),
    ];
    let grammar = Some("report := heading finding{1,20} source+".to_owned());
    Grant {
        schema: Kind::Grant,
        issuer: agent(parent),
        issued_at: said(at),
        child: Child::Agent(agent(parent + 1)),
        under,
        task_class: "research.report".to_owned(),
        specification: Specification::new(conditions, grammar, Author::Parent).unwrap(),
        scope: Scope {
            actions: vec!["read:*".to_owned(), "write:report".to_owned()],
            resources: Some(vec!["https://example.org/*".to_owned()]),
            limits: [("usdc".to_owned(), Amount(120_000_000))].into(),
        },
        expires_at: said(10_000 - at),
        may_delegate: true,
        inheritance: Inheritance::None,
        snapshots: Snapshots::default(),
        judges: vec![Subject::Account(account(HOPS + 1))],
        required_ppm: None,
        nonce: None,
        about: None,
    }
}

/// Takes in a record that an agent's wallet signs.
async fn take(database: &Database, record: Record, by: u64) -> Digest {
    let typed = record.typed().unwrap();
    let (account, scheme) = (account(by), Scheme::Eip712);
    let signed = signed_digest(scheme, &typed, account.chain);
    let signature = wallet(by).sign_hash_sync(&signed).unwrap().as_bytes().to_vec().into();
    let digest = typed.digest();
    let statement = RecordStatement { scheme, account, signature, record: typed };
    let records = records(database, ServiceKeys::default());
    let checked =
        records.check_delegation(statement.to_value().to_string().into_bytes()).await.unwrap();
    assert!(records.keep_delegation(&checked).await.unwrap().unwrap().is_new);
    digest
}

/// A chain of agents, each hired by the one before, with snapshots, three interactions and an outcome each, and a verdict on the last:
/// the verdict, and how many records there are.
async fn dispute(database: &Database) -> (Digest, usize) {
    let (mut under, mut last_grant, mut count) =
        (Under::Buyer("did:web:buyer.example".parse().unwrap()), None, 1);
    let judge = HOPS + 1;
    for hop in 0..HOPS {
        let at = 100 * (hop + 1);
        let mut grant = grant(hop, under, at);
        let stated = async |of: u64, ppm| {
            let record = Capability {
                schema: Kind::Capability,
                issuer: Subject::Account(account(judge)),
                issued_at: said(at - 50),
                of: Child::Agent(agent(of)),
                task_class: "research.report".to_owned(),
                capability_ppm: ppm,
                evidence: vec![Digest::of(&hop.to_be_bytes())],
            };
            Some(take(database, Record::Capability(Box::new(record)), judge).await)
        };
        grant.snapshots =
            Snapshots { parent: stated(hop, 500_000).await, child: stated(hop + 1, 600_000).await };
        let granted = take(database, Record::Grant(Box::new(grant)), hop).await;
        let accepted = Acceptance {
            schema: Kind::Acceptance,
            issuer: agent(hop + 1),
            issued_at: said(at + 10),
            grant: granted,
            parent: agent(hop),
        };
        let last = take(database, Record::Acceptance(Box::new(accepted)), hop + 1).await;
        run_of(database, hop, granted, last).await;
        (under, last_grant) = (Under::Grant(granted), Some(granted));
        count += 8;
    }
    let loss = Loss {
        buyer: "did:web:buyer.example".parse().unwrap(),
        amount: Amount(120_000_000),
        unit: "usdc".to_owned(),
        source: LossSource::Escrow,
    };
    let verdict = Verdict {
        schema: Kind::Verdict,
        issuer: Subject::Account(account(judge)),
        issued_at: said(9_000),
        grant: last_grant.unwrap(),
        ruling: Ruling::Failed,
        what: "the report cites sources that do not exist".to_owned(),
        detected_at: said(8_900),
        losses: vec![loss],
    };
    (take(database, Record::Verdict(Box::new(verdict)), judge).await, count)
}

/// The run of a hop: it is watched three times, and the child says how it ended.
async fn run_of(database: &Database, hop: u64, granted: Digest, accepted: Digest) {
    let (at, mut last) = (100 * (hop + 1), accepted);
    for (number, by) in [(1, hop), (2, hop + 1), (3, hop)] {
        let watched = Interaction {
            schema: Kind::Interaction,
            issuer: agent(by),
            issued_at: said(at + 20 + number),
            grant: granted,
            previous: last,
            kind: InteractionKind::Monitoring,
            event: Digest::of(format!("{granted} {number}").as_bytes()),
            about: None,
        };
        last = take(database, Record::Interaction(Box::new(watched)), by).await;
    }
    let ended = Outcome {
        schema: Kind::Outcome,
        issuer: agent(hop + 1),
        issued_at: said(8_000),
        grant: granted,
        result: TaskResult::Done,
        ended_at: said(7_000 - at),
        last,
        output: None,
        about: None,
    };
    take(database, Record::Outcome(Box::new(ended)), hop + 1).await;
}

/// Grants and acceptances between agents, in traces of ten hops, with their hops.
async fn fill(database: &Database, edges: u64) {
    let names: Vec<Subject> = (0..AGENTS).map(|n| agent(1_000 + n)).collect();
    let mut tx = database.begin_write().await.unwrap();
    let numbers = tx.number_names(&names).await.unwrap();
    let numbers: Vec<u64> = names.iter().map(|name| numbers[name]).collect();
    tx.commit().await.unwrap();
    let body = grant(1, Under::Buyer(agent(0)), 1);
    let body = Record::Grant(Box::new(body)).typed().unwrap().canonical().to_vec();
    let (short, seal) = (vec![b' '; 280], vec![b' '; SEAL_BYTES]);
    let (long, shorter) = ([body.as_slice(), &seal].concat(), [short.as_slice(), &seal].concat());
    let name = |edge: u64| numbers[usize::try_from(edge * 7_919 % AGENTS).unwrap()];
    let hop = |edge: u64| Digest::of(&edge.to_be_bytes());
    for first in (0..edges).step_by(usize::try_from(BATCH).unwrap()) {
        let (mut records, mut hops) = (Vec::new(), Vec::new());
        for edge in first..(first + BATCH).min(edges) {
            let above = (edge % 10 > 0).then(|| hop(edge - 1));
            let (parent, child) = (name(edge), name(edge + 1));
            let digest = Digest::of(&(!edge).to_be_bytes());
            records.push(kept(
                hop(edge),
                Kind::Grant,
                above,
                (parent, Some(child)),
                (&body, &long),
            ));
            records.push(kept(
                digest,
                Kind::Acceptance,
                Some(hop(edge)),
                (child, Some(parent)),
                (&short, &shorter),
            ));
            hops.push(StoredEdge {
                hop: hop(edge),
                state: HopState::Accepted,
                above,
                parent,
                child: Some(child),
                may_delegate: true,
                has_below: false,
                is_disputed: edge % 200 == 0,
                chars: u32::try_from(edge % 2_200).unwrap(),
                capability_ppm: [Some(500_000), Some(600_000)],
                interactions: 3,
                beta: Ppb::new(u32::try_from(edge * 997 % 1_000_000_001).unwrap()),
                snapshots: [None; 2],
            });
        }
        let mut tx = database.begin_write().await.unwrap();
        tx.keep_delegations(&records).await.unwrap();
        tx.set_edges(&hops).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn kept<'a>(
    digest: Digest,
    kind: Kind,
    of_grant: Option<Digest>,
    (issuer, named): (u64, Option<u64>),
    (record, envelope): (&'a [u8], &'a [u8]),
) -> NewDelegation<'a> {
    let found = Rekeying {
        outcome: Meant::Agent(1_u64.into()),
        rule: Some(Rule::Named),
        ..Rekeying::default()
    };
    NewDelegation {
        digest,
        kind,
        record,
        envelope: (envelope, Form::Eip712),
        of_grant,
        issuer,
        spoken_by: None,
        named,
        said_at: time(500),
        received_at: time(600),
        proof: "{}",
        key: None,
        answer: None,
        parties: [(found, PartyState::Settled); 2],
    }
}

fn recovered(count: usize) {
    let signer = wallet(1);
    let digest = B256::repeat_byte(9);
    let signature = signer.sign_hash_sync(&digest).unwrap();
    for _ in 0..count {
        assert_eq!(signature.recover_address_from_prehash(&digest).unwrap(), signer.address());
    }
}

/// The time of the fastest of some runs, in microseconds.
fn fastest(run: impl Fn()) -> u64 {
    let once = |_| {
        let start = Instant::now();
        run();
        micros(start)
    };
    (0..20).map(once).min().unwrap()
}
