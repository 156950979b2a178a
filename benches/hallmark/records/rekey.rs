//! One name re-keyed among all records: what each of its rows costs, with a tenth of the store and with all of it.
//!
//! The wallet of one agent turns out to be another's (a rewriting, a late link and a reorganisation are the same work), and all that it
//! ever said is looked up again, with its history. The floor updates one column of the same rows where they lie, as many at a time.

use std::sync::Arc;
use std::time::Instant;

use alloy::primitives::Address;
use hallmark::app::{Rekeyed, Rekeyer, SystemClock};
use hallmark::did::web::WebHost;
use hallmark::identity::{Changes, Closing, SpanEnd, TimelineRef};
use hallmark::rekey::{Outcome, Rekeying, Rule};
use hallmark::storage::{Database, NewRecord, PartyPlace, PartyState, RecordSource, claimed_key};
use hallmark::vocab::{Digest, Position, Subject};

use super::{BLOCKS, account, chain, span, time};
use crate::engine::Engine;
use crate::floor::sink::Sink;
use crate::table::ratio;

/// So many records stand in the store.
pub(crate) const RECORDS: u64 = 10_000_000;
/// So many of them are by the wallet that turns.
const AFFECTED: u64 = 100_000;
/// Between so many names they are shared otherwise.
const NAMES: u64 = 100_000;
const BATCH: u64 = 20_000;
/// So many rows the floor updates in one transaction, as Hallmark does.
const TURN: u64 = 10_000;

pub(super) async fn run(engine: &Engine, records: u64) {
    let affected = AFFECTED.min(records / 20);
    println!("\nRe-keying one wallet's {affected} records, {}", engine.name());
    println!("{:<44}{:>14}{:>14}{:>9}", "records in the store", "Hallmark/s", "floor/s", "ratio");
    for total in [records / 10, records] {
        let url = engine.fresh(&format!("records_{total}")).await;
        let database = chain(&url, NAMES).await;
        let began = Instant::now();
        fill(&database, total, affected).await;
        let filled = began.elapsed().as_secs_f64();
        let ours = turn(&database, affected).await;
        database.close().await;
        let floor = floor(&url, affected).await;
        println!(
            "{:<44}{ours:>14.0}{floor:>14.0}{:>9}",
            format!("{total} (filled at {:.0}/s)", total as f64 / filled),
            ratio(floor, ours)
        );
    }
}

/// Records by the first wallet about others, and by others about each other, interleaved as they would come.
async fn fill(database: &Database, total: u64, affected: u64) {
    let names: Vec<Subject> = (0..NAMES).map(|n| Subject::Account(account(n))).collect();
    let mut tx = database.begin_write().await.unwrap();
    let numbers = tx.number_names(&names).await.unwrap();
    let numbers: Vec<u64> = names.iter().map(|name| numbers[name]).collect();
    tx.commit().await.unwrap();
    let every = total / affected;
    let meaning = |id: u64| Rekeying {
        outcome: Outcome::Agent(id.into()),
        rule: Some(Rule::Wallet),
        span: Some(Position::new(0, 0)),
        link: None,
    };
    for first in (0..total).step_by(usize::try_from(BATCH).unwrap()) {
        let batch = first..(first + BATCH).min(total);
        let bodies: Vec<_> = batch.clone().map(body).collect();
        let mut tx = database.begin_write().await.unwrap();
        let rows: Vec<_> = batch
            .zip(&bodies)
            .map(|(n, body)| {
                let other = |salt: u64| 1 + (n * 7_919 + salt) % (NAMES - 1);
                let issuer = if n % every == 0 && n / every < affected { 0 } else { other(1) };
                let (issuer, subject) = (issuer, other(3));
                NewRecord {
                    digest: Digest::of(body.as_bytes()),
                    record: body.as_bytes(),
                    envelope: None,
                    source: RecordSource::Relay,
                    place: None,
                    issuer: numbers[usize::try_from(issuer).unwrap()],
                    subject: numbers[usize::try_from(subject).unwrap()],
                    issuer_class: None,
                    spoken_by: None,
                    claim_type: "peer.assessment",
                    origin: Some("games"),
                    game: Some("game"),
                    round: Some(n),
                    said_at: time(n % (BLOCKS - 1)),
                    is_dated: true,
                    received_at: time(BLOCKS),
                    claimed_key: claimed_key(None, body),
                    proof: None,
                    supersedes: None,
                    parties: [
                        (meaning(issuer), PartyState::Settled),
                        (meaning(subject), PartyState::Settled),
                    ],
                }
            })
            .collect();
        tx.append_records(&rows).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// As long as a short record is.
fn body(n: u64) -> String {
    format!(
        r#"{{"attestation":{{"claim":{{"data":{{"tag":"reliable"}},"type":"peer.assessment"}},"id":"{n}","issuer":"player-{n}","issuerKind":"agent","schemaVersion":"attestation/v1","subject":"player"}},"context":{{"game":"game","origin":"games"}}}}"#
    )
}

/// Another agent's wallet it is from the beginning on; rows looked up again each second.
async fn turn(database: &Database, affected: u64) -> f64 {
    let mut tx = database.begin_write().await.unwrap();
    let (old, new) = (TimelineRef::Wallet(0_u64.into()), TimelineRef::Wallet(NAMES.into()));
    let closing = Closing {
        timeline: old,
        from: Position::new(0, 0),
        to: Position::new(0, 1),
        ended_by: SpanEnd::Rotated,
    };
    let begun = vec![
        span(TimelineRef::Owner(NAMES.into()), Address::ZERO, 0),
        span(new, account(0).address, 0),
    ];
    tx.write_changes(&Changes { closings: vec![closing], begun }).await.unwrap();
    let name = Subject::Account(account(0));
    let number = tx.name_numbers([&name]).await.unwrap()[&name];
    tx.set_pending(number, PartyPlace::START).await.unwrap();
    tx.commit().await.unwrap();
    let rekeyer = Rekeyer::new(database.clone(), WebHost::local(8004), Arc::new(SystemClock));
    let (start, mut done) = (Instant::now(), Rekeyed::default());
    loop {
        let turn = rekeyer.turn().await.unwrap();
        if turn == Rekeyed::default() {
            break;
        }
        done.looked_up += turn.looked_up;
        done.replaced += turn.replaced;
    }
    let took = start.elapsed().as_secs_f64();
    assert_eq!((done.looked_up, done.replaced), (affected, affected), "just this name's rows");
    affected as f64 / took
}

/// The same rows, where they lie and without a history: one column that is in no index; rows each second.
async fn floor(url: &str, affected: u64) -> f64 {
    let mut sink = Sink::open(url).await;
    let name = "SELECT name FROM party WHERE agent = '06:100000' AND role = 1 AND seq > 0 LIMIT 1";
    let name = sink.number(name).await;
    let (began, mut after) = (Instant::now(), -1);
    loop {
        let last = format!(
            "SELECT COALESCE(MAX(said_at), -1) FROM (SELECT said_at FROM party WHERE name = {name} AND said_at > {after} ORDER BY name, said_at LIMIT {TURN}) AS t"
        );
        let last = sink.number(&last).await;
        if last < 0 {
            break;
        }
        sink.run("BEGIN").await;
        let these = format!("name = {name} AND said_at > {after} AND said_at <= {last}");
        sink.run(&format!("UPDATE party SET rule = 'link' WHERE {these}")).await;
        sink.run("COMMIT").await;
        after = last;
    }
    let took = began.elapsed().as_secs_f64();
    let updated = format!("SELECT COUNT(*) FROM party WHERE name = {name} AND rule = 'link'");
    assert_eq!(sink.number(&updated).await, i64::try_from(affected).unwrap());
    sink.close().await;
    affected as f64 / took
}
