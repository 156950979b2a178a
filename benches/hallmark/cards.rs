//! What a game calls: the payload of a lobby of twenty players, with ten thousand records about each.
//!
//! Cold is a service that has computed nothing yet, with its projectors compiled; warm is the same question again, as the other players of the
//! lobby ask it; and after one more record everything is computed anew, from postings in memory. The floor reads the bytes that are answered
//! (the newest two hundred records about each) and does nothing else.

use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hallmark::api::{ApiState, Limits, router};
use hallmark::app::{Poster, SystemClock};
use hallmark::attest::IssuerClass;
use hallmark::registry::KnownImplementations;
use hallmark::rekey::{Outcome, Rekeying, Rule};
use hallmark::storage::{Database, NewRecord, PartyState, RecordSource, claimed_key};
use hallmark::vocab::{Digest, Position, Subject};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::engine::Engine;
use crate::records::{BLOCKS, account, chain, time};
use crate::table::ratio;

const PLAYERS: u64 = 20;
/// Records about each.
const RECORDS: u64 = 10_000;
const ROUNDS_OF_A_GAME: u64 = 12;
const BATCH: u64 = 20_000;
/// Every fifth record is by another player, the others by the game.
const PEER_EVERY: u64 = 5;
const TRIES: usize = 10;

pub(crate) async fn run(engine: &Engine, scale: u64) {
    let records = RECORDS / scale;
    let url = engine.fresh("cards").await;
    let database = chain(&url, PLAYERS + 1).await;
    fill(&database, records).await;
    let began = Instant::now();
    let poster = Poster::new(database.clone());
    while poster.turn().await.unwrap() > 0 {}
    let counted = (PLAYERS * records) as f64 / began.elapsed().as_secs_f64();
    println!(
        "\nThe payload of {PLAYERS} players with {records} records each, {}, milliseconds; {counted:.0} records a second are counted",
        engine.name()
    );
    println!("{:<44}{:>12}{:>12}{:>9}", "", "Hallmark", "floor", "ratio");
    let (mut cold, mut warm, mut anew, mut floor) = (vec![], vec![], vec![], vec![]);
    for n in 0..TRIES {
        floor.push(read(&database).await);
        let service = router(state(&database).await);
        cold.push(asked(&service, records).await);
        warm.push(asked(&service, records).await);
        let next = PLAYERS * records + n as u64;
        append(&database, next..next + 1).await;
        while poster.turn().await.unwrap() > 0 {}
        anew.push(asked(&service, records).await);
    }
    let floor = median(floor);
    for (what, times) in [("cold", cold), ("after one more record", anew), ("warm", warm)] {
        let ours = median(times);
        println!("{what:<44}{ours:>12.1}{floor:>12.1}{:>9}", ratio(ours, floor));
    }
    database.close().await;
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn state(database: &Database) -> ApiState {
    let limits = Limits {
        lag_limit: std::time::Duration::from_mins(1),
        request_timeout: std::time::Duration::from_mins(1),
        request_body_max: 1 << 20,
        rate_limit: None,
    };
    let clock = std::sync::Arc::new(SystemClock);
    let state = ApiState::new(database.clone(), clock, KnownImplementations::default(), limits);
    state.cards.projectors.warm_up().await;
    state
}

/// One question, and how long its answer took, in milliseconds.
async fn asked(service: &axum::Router, records: u64) -> f64 {
    let opponents: Vec<_> = (1..PLAYERS).map(|id| id.to_string()).collect();
    let body = json!({ "projector": "oathbreaker", "viewer": "0", "opponents": opponents });
    let request = Request::post("/v1/games/next/payload")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let began = Instant::now();
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    assert!(status.is_success(), "{}", String::from_utf8_lossy(&bytes));
    let answer: Value = serde_json::from_slice(&bytes).unwrap();
    let length = |name: &str| answer[name].as_array().unwrap().len() as u64;
    assert_eq!((length("trustCards"), length("failed")), (PLAYERS - 1, 0));
    assert_eq!(length("recentAttestations"), (PLAYERS - 1) * records.min(200));
    assert!(answer["trustCards"][0]["attestations"].as_u64().unwrap() >= records);
    took
}

/// The newest records about every player, and nothing else; milliseconds.
async fn read(database: &Database) -> f64 {
    let mut tx = database.begin_read().await.unwrap();
    let size = tx.log_size().await.unwrap();
    let began = Instant::now();
    let mut bytes = 0;
    for player in 1..PLAYERS {
        let seqs: Vec<_> =
            (0..200).map(|n| (size + player).saturating_sub(PLAYERS * (n + 1)).max(1)).collect();
        let records = tx.records_at(&seqs).await.unwrap();
        bytes += records.iter().map(|record| record.record.len()).sum::<usize>();
    }
    assert!(bytes > 0);
    began.elapsed().as_secs_f64() * 1_000.0
}

/// Records about all players, one after the other, as rounds go.
async fn fill(database: &Database, records: u64) {
    let total = PLAYERS * records;
    for first in (0..total).step_by(usize::try_from(BATCH).unwrap()) {
        append(database, first..(first + BATCH).min(total)).await;
    }
}

async fn append(database: &Database, range: std::ops::Range<u64>) {
    let game: Subject = "platform:games:system".parse().unwrap();
    let names: Vec<Subject> = (0..=PLAYERS).map(|n| Subject::Account(account(n))).collect();
    let mut tx = database.begin_write().await.unwrap();
    let numbers = tx.number_names(names.iter().chain([&game])).await.unwrap();
    let system = numbers[&game];
    let numbers: Vec<u64> = names.iter().map(|name| numbers[name]).collect();
    let bodies: Vec<_> = range.clone().map(Said::of).collect();
    let rows: Vec<_> = range
        .zip(&bodies)
        .map(|(n, said)| {
            let issuer = said.peer.map_or(system, |peer| numbers[usize::try_from(peer).unwrap()]);
            NewRecord {
                digest: Digest::of(said.body.as_bytes()),
                record: said.body.as_bytes(),
                envelope: None,
                source: RecordSource::Relay,
                place: None,
                issuer,
                subject: numbers[usize::try_from(said.subject).unwrap()],
                issuer_class: said.peer.is_none().then_some(IssuerClass::System),
                spoken_by: None,
                claim_type: said.claim,
                origin: Some("games"),
                game: Some(&said.game),
                round: Some(said.round),
                said_at: time(n % (BLOCKS - 1)),
                is_dated: true,
                received_at: time(BLOCKS),
                claimed_key: claimed_key(None, &said.body),
                proof: None,
                supersedes: None,
                parties: [
                    (said.peer.map_or(nobody(), meaning), PartyState::Settled),
                    (meaning(said.subject), PartyState::Settled),
                ],
            }
        })
        .collect();
    tx.append_records(&rows).await.unwrap();
    tx.commit().await.unwrap();
}

fn meaning(id: u64) -> Rekeying {
    Rekeying {
        outcome: Outcome::Agent(id.into()),
        rule: Some(Rule::Wallet),
        span: Some(Position::new(0, 0)),
        link: None,
    }
}

fn nobody() -> Rekeying {
    Rekeying { outcome: Outcome::None, rule: Some(Rule::Nothing), ..Rekeying::default() }
}

/// What the nth record says.
struct Said {
    subject: u64,
    /// The player who says it, where it is one.
    peer: Option<u64>,
    claim: &'static str,
    game: String,
    round: u64,
    body: String,
}

impl Said {
    fn of(n: u64) -> Self {
        let (subject, turn) = (n % PLAYERS, n / PLAYERS);
        let (game, round) = (turn / ROUNDS_OF_A_GAME, turn % ROUNDS_OF_A_GAME);
        let other = (subject + 1 + turn % (PLAYERS - 1)) % PLAYERS;
        let peer = (turn % PEER_EVERY == PEER_EVERY - 1).then_some(other);
        let choice = if (turn * 7 + subject) % 9 < 6 { "C" } else { "D" };
        let (claim, data) = match peer {
            Some(_) => ("peer.assessment", json!({ "tag": "reliable" })),
            None => ("oathbreaker.choice", json!({ "choice": choice, "round": round })),
        };
        let issuer = peer.map_or("games:system".to_owned(), |peer| account(peer).to_string());
        let kind = if peer.is_some() { "agent" } else { "system" };
        let body = json!({
            "attestation": {
                "claim": { "data": data, "type": claim },
                "id": n.to_string(), "issuer": issuer, "issuerKind": kind, "round": round,
                "schemaVersion": "attestation/v1", "subject": account(subject).to_string(),
            },
            "context": { "game": format!("game-{game}"), "origin": "games" },
        });
        let body = body.to_string();
        Self { subject, peer, claim, game: format!("game-{game}"), round, body }
    }
}
