//! The load generator: as many requests as a server takes, and a fixed rate of them with honest latencies.
//!
//! At a fixed rate a request's latency counts from the time at which it was due, not from when it could be sent: a server that stalls
//! makes all later requests wait, and they say so. Requests are handed out by a thread that sleeps more precisely than the runtime's
//! timer; the runtime has one thread, so that the generator takes no more than one core.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::http::Connection;

const CONNECTIONS: usize = 32;
/// For a fixed rate, so that waiting for a connection is rare.
const CONNECTIONS_AT_RATE: usize = 64;
/// Before anything is measured.
const WARM_UP: Duration = Duration::from_millis(500);
/// The pacing thread does not wake more often than this.
const PACE_MIN: Duration = Duration::from_micros(200);

/// What a server does when each connection sends a request as soon as the last is answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Throughput {
    pub(crate) per_second: f64,
    /// Requests answered, those of the warm-up included.
    pub(crate) answered: u64,
}

/// Loads a server as fast as it answers.
pub(crate) async fn closed(
    authority: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    time: Duration,
) -> Throughput {
    let began = Instant::now() + WARM_UP;
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (mut connection, requests) = (Connection::open(authority).await, Arc::clone(requests));
        connections.spawn(async move {
            let (mut count, mut answered) = (0_u64, 0_u64);
            // Each begins at another request.
            for request in requests.iter().cycle().skip(number * requests.len() / CONNECTIONS) {
                connection.measure(request).await;
                answered += 1;
                let now = Instant::now();
                if now >= began + time {
                    break;
                }
                count += u64::from(now >= began);
            }
            (count, answered)
        });
    }
    let all = connections.join_all().await;
    let count: u64 = all.iter().map(|(count, _)| count).sum();
    Throughput {
        per_second: count as f64 / time.as_secs_f64(),
        answered: all.iter().map(|(_, answered)| answered).sum(),
    }
}

/// Latencies in microseconds of requests that are due at a fixed rate.
pub(crate) async fn at_rate(
    authority: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    per_second: f64,
    time: Duration,
) -> Vec<u64> {
    let (sender, due) = mpsc::unbounded_channel::<(usize, Instant)>();
    let due = Arc::new(Mutex::new(due));
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS_AT_RATE {
        let mut connection = Connection::open(authority).await;
        let (requests, due) = (Arc::clone(requests), Arc::clone(&due));
        connections.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let Some((number, due_at)) = due.lock().await.recv().await else {
                    return latencies;
                };
                connection.measure(&requests[number % requests.len()]).await;
                latencies.push(u64::try_from(due_at.elapsed().as_micros()).unwrap());
            }
        });
    }
    let pacer = std::thread::spawn(move || pace(&sender, per_second, time));
    let all = connections.join_all().await.concat();
    pacer.join().unwrap();
    all
}

/// Hands out each request at its time.
fn pace(sender: &mpsc::UnboundedSender<(usize, Instant)>, per_second: f64, time: Duration) {
    let began = Instant::now();
    let gap = Duration::from_secs_f64(1.0 / per_second.max(1.0));
    let mut next = began;
    let mut number = 0;
    while next < began + time {
        let now = Instant::now();
        while next <= now && next < began + time {
            // The receivers live until the sender is gone.
            sender.send((number, next)).unwrap();
            number += 1;
            next += gap;
        }
        std::thread::sleep(next.saturating_duration_since(Instant::now()).max(PACE_MIN));
    }
}
