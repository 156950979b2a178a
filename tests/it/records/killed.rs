//! The real program is killed while clients bring records, again and again: what it acknowledged is there, in its place, once.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

use crate::api::process::Serving;
use crate::support::databases::on_both_engines;
use crate::support::life::Draw;

const KILLS: u64 = 6;
const CLIENTS: u64 = 8;
const TOKEN: &str = "a-token-of-the-games";
/// No machine takes so long to keep a few dozen records.
const LIMIT: Duration = Duration::from_mins(1);

/// A record that no other client brings.
fn body(kill: u64, client: u64, n: u64) -> String {
    json!({
        "attestation": {
            "schemaVersion": "attestation/v1", "id": format!("{kill}-{client}-{n}"),
            "issuer": "games:system", "issuerKind": "system", "subject": format!("player-{client}"),
            "claim": { "type": "peer.assessment", "data": { "tag": "reliable" } },
        },
        "context": { "origin": "games", "game": "g" },
    })
    .to_string()
}

/// Brings one record after the other until nobody answers: the places and digests of what was acknowledged.
async fn bring(
    url: String,
    (kill, client): (u64, u64),
    count: Arc<AtomicUsize>,
) -> Vec<(u64, String)> {
    let http = reqwest::Client::new();
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let request = http.post(&url).bearer_auth(TOKEN).body(body(kill, client, n));
        let answer = request.header("content-type", "application/json").send().await;
        // An answer that breaks off acknowledges nothing.
        let Ok(answer) = answer else { break };
        let status = answer.status();
        let Ok(text) = answer.text().await else { break };
        assert_eq!(status, 201, "{text}");
        let taken: Value = serde_json::from_str(&text).unwrap();
        acknowledged
            .push((taken["seq"].as_u64().unwrap(), taken["digest"].as_str().unwrap().to_owned()));
        count.fetch_add(1, Ordering::SeqCst);
    }
    acknowledged
}

on_both_engines! {
    async fn what_was_acknowledged_outlives_the_program(fresh: Fresh) {
        hallmark::chain::install_crypto_provider();
        let mut config = NamedTempFile::with_suffix(".toml").unwrap();
        writeln!(config, "[origin.games]\ntoken = \"{TOKEN}\"").unwrap();
        let variables = [("HALLMARK_CONFIG", config.path().to_str().unwrap())];
        let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
        let mut draw = Draw::new(9);
        for kill in 0..KILLS {
            let serving = Serving::with(fresh, &variables).await;
            let count = Arc::new(AtomicUsize::new(0));
            let mut clients = JoinSet::new();
            for client in 0..CLIENTS {
                let url = format!("http://{}/v1/attestations", serving.address());
                clients.spawn(bring(url, (kill, client), Arc::clone(&count)));
            }
            let enough = usize::try_from(1 + draw.below(30)).unwrap();
            let reached = async {
                while count.load(Ordering::SeqCst) < enough {
                    sleep(Duration::from_millis(1)).await;
                }
            };
            timeout(LIMIT, reached).await.expect("records are kept");
            sleep(Duration::from_micros(draw.below(3_000))).await;
            // SIGKILL, while all clients wait for an answer.
            drop(serving);
            while let Some(brought) = clients.join_next().await {
                for (seq, digest) in brought.unwrap() {
                    let other = acknowledged.insert(seq, digest);
                    assert_eq!(other, None, "two records were given the place {seq}");
                }
            }
        }
        let serving = Serving::with(fresh, &variables).await;
        let (mut log, mut after) = (BTreeMap::new(), 0);
        loop {
            let page = serving.get(&format!("/v1/attestations?since_seq={after}&limit=500")).await;
            let items = page["items"].as_array().unwrap();
            let Some(last) = items.last() else { break };
            after = last["seq"].as_u64().unwrap();
            log.extend(items.iter().map(|item| (item["seq"].as_u64().unwrap(), item["digest"].as_str().unwrap().to_owned())));
        }
        for (seq, digest) in &acknowledged {
            assert_eq!(log.get(seq), Some(digest), "record {seq}");
        }
        // What was kept and could not be acknowledged any more stands among them, and there are no gaps.
        assert!(log.len() >= acknowledged.len() && acknowledged.len() >= usize::try_from(KILLS).unwrap());
        assert!(log.keys().copied().eq(1..=log.len() as u64), "{:?}", log.keys());
    }
}
