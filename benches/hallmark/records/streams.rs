//! A thousand listeners while two hundred records are appended each second: whether all hear all, and how long after the last one.
//!
//! The service is a process of its own, which appends and serves; the listeners are one thread here, so both share two cores. There is
//! no floor beside it: what counts is that nobody falls behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallmark::api::{ApiState, Limits, serve as serve_api};
use hallmark::app::{RecordQueue, Records, ServiceKeys, Submission, SystemClock};
use hallmark::registry::KnownImplementations;
use hallmark::storage::Database;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{account, chain, records, time};
use crate::engine::Engine;
use crate::process::{Process, cpu_seconds};

const LISTENERS: usize = 1_000;
const PER_S: u64 = 200;
const AGENTS: u64 = 1_000;

pub(super) async fn run(engine: &Engine, seconds: u64) {
    let url = engine.fresh("streams").await;
    chain(&url, AGENTS).await.close().await;
    let total = PER_S * seconds;
    let args = ["run-streams", "--database", &url, "--records", &total.to_string()];
    let mut service = Process::start(&args.map(str::to_owned));
    let authority = service.line();
    let mut listeners = JoinSet::new();
    for _ in 0..LISTENERS {
        let authority = authority.clone();
        listeners.spawn(async move { listen(&authority, total).await });
    }
    // How long ago the last of all heard the last.
    let mut last = Duration::MAX;
    let (mut heard, mut bytes) = (0, 0);
    while let Some(done) = listeners.join_next().await {
        let (events, size, at) = done.unwrap();
        assert_eq!(events, total, "every listener hears all");
        heard += events;
        bytes += size;
        last = last.min(at.elapsed());
    }
    let told: u64 = service.line().parse().unwrap();
    let lag = now_ms().saturating_sub(told) as f64 - last.as_secs_f64() * 1_000.0;
    println!(
        "\n{LISTENERS} listeners, {PER_S} records a second for {seconds} s, {}",
        engine.name()
    );
    println!(
        "{heard} events in {:.0} MB; all had heard the last {lag:.0} ms after it was appended; the service used {:.2} of a core",
        bytes as f64 / 1_048_576.0,
        cpu_seconds(service.id()) / (seconds as f64 + lag / 1_000.0)
    );
}

fn now_ms() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "two processes have no other clock in common")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// Reads events until so many have come: how many, in how many bytes, and when the last came.
async fn listen(authority: &str, total: u64) -> (u64, usize, Instant) {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let request = format!(
        "GET /v1/streams/attestation.raw?since_seq=0 HTTP/1.1\r\nhost: {authority}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut events, mut size, mut buffer) = (0, 0, vec![0; 64 * 1024]);
    // What an event begins with may be cut in two.
    let mut tail: Vec<u8> = Vec::new();
    while events < total {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the stream ended after {events} events");
        size += read;
        tail.extend_from_slice(&buffer[..read]);
        events += tail.windows(MARK.len()).filter(|window| *window == MARK).count() as u64;
        let keep = tail.len().saturating_sub(MARK.len() - 1);
        tail.drain(..keep);
    }
    (events, size, Instant::now())
}

const MARK: &[u8] = b"\nevent: attestation\n";

/// Serves, and appends so many records at their pace; prints the address, and when the last was appended.
pub(crate) async fn serve(database: &str, total: u64) {
    let database = Database::open(database).await.unwrap();
    let limits = Limits {
        lag_limit: Duration::from_mins(1),
        request_timeout: Duration::from_mins(1),
        request_body_max: 1 << 20,
        rate_limit: None,
    };
    let clock = Arc::new(SystemClock);
    let state = ApiState::new(database.clone(), clock, KnownImplementations::default(), limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let records = records(&database, ServiceKeys::default());
    let (queue, writer) = RecordQueue::new(records.clone());
    tokio::select! {
        () = serve_api(listener, state, std::future::pending()) => {}
        () = writer.run() => {}
        () = append(&records, &queue, total) => {}
    }
}

async fn append(records: &Records, queue: &RecordQueue, total: u64) {
    // Until all listeners are there.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / PER_S));
    for n in 0..total {
        ticks.tick().await;
        let origin = Arc::clone(records.origins.get(&"games".parse().unwrap()).unwrap());
        let body = json!({
            "attestation": {
                "schemaVersion": "attestation/v1", "id": n.to_string(), "issuer": "games:system", "issuerKind": "system",
                "subject": account(n % AGENTS).to_string(), "round": n,
                "claim": { "type": "tragedy.round_choice.v1", "data": { "action": "trade" } },
                "issuedAt": time(n % 9_000).to_string(),
            },
            "context": { "origin": "games", "game": "5f3c1f1e" },
        });
        let checked = records
            .check(Submission::OfOrigin(body.to_string().into_bytes(), origin))
            .await
            .unwrap();
        assert!(queue.append(checked).await.unwrap().unwrap().is_new);
    }
    println!("{}", now_ms());
    std::future::pending::<()>().await;
}
