//! The floor's requests: those that the follower makes of this history, sent and parsed, and not checked.

use std::time::Duration;

use alloy::primitives::{B256, U64};
use alloy::rpc::types::Log;
use futures_util::{StreamExt, stream};
use hallmark::vocab::RegistryKind;
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::history::{Size, deployment, finalized_below};

/// As the follower by default.
const RANGE_MAX: u64 = 10_000;
const CONCURRENCY: usize = 4;
const RANGES_PER_TAGS: u64 = 32;
const RECENT: u64 = 5_000;
const HEADERS_PER_BATCH: u64 = 100;
const STEP_BLOCKS: u64 = 64;

/// A block that is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: Option<B256>,
    pub(crate) time: u64,
}

/// What came for a range.
pub(crate) struct Piece {
    pub(crate) heads: Vec<Head>,
    pub(crate) logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

/// The headers of the last block, the first, and the finalized one, and the logs.
type RangeAnswers = (Answer<WireHead>, Answer<WireHead>, Answer<WireHead>, Answer<Vec<Log>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHead {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
}

impl From<WireHead> for Head {
    fn from(wire: WireHead) -> Self {
        let (number, time) = (wire.number.to(), wire.timestamp.to());
        Self { number, hash: wire.hash, parent_hash: Some(wire.parent_hash), time }
    }
}

/// Reads the history, range after range, into a channel.
pub(crate) async fn fetch(url: &str, size: Size, pieces: mpsc::Sender<Piece>) {
    // An error means that another provider was first, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .timeout(Duration::from_mins(1))
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    let node = Node { client, url: url.to_owned() };
    let finalized = finalized_below(size.head());
    let starts = (size.start..=finalized).step_by(usize::try_from(RANGE_MAX).unwrap());
    let mut ranges = stream::iter(starts)
        .map(|from| node.range(from, (from + RANGE_MAX - 1).min(finalized), finalized - RECENT))
        .buffered(CONCURRENCY);
    let mut count = 0;
    while let Some(piece) = ranges.next().await {
        if count % RANGES_PER_TAGS == 0 {
            node.tags().await;
        }
        count += 1;
        pieces.send(piece).await.ok();
    }
    for from in (finalized + 1..=size.head()).step_by(usize::try_from(STEP_BLOCKS).unwrap()) {
        let piece = node.step(from, (from + STEP_BLOCKS - 1).min(size.head())).await;
        pieces.send(piece).await.ok();
    }
}

struct Node {
    client: Client,
    url: String,
}

impl Node {
    async fn range(&self, from: u64, to: u64, recent_from: u64) -> Piece {
        let filter = json!({
            "address": addresses(), "fromBlock": quantity(from), "toBlock": quantity(to),
        });
        let finalized = ("eth_getBlockByNumber", json!(["finalized", false]));
        let logs = ("eth_getLogs", json!([filter]));
        let calls = [header_call(to), header_call(from), finalized, logs];
        let (end, _, _, logs): RangeAnswers = self.ask(&calls).await;
        let mut heads = vec![Head::from(end.result)];
        if to > recent_from {
            heads.extend(self.heads(from.max(recent_from), to - 1).await);
        }
        Piece { heads, logs: logs.result }
    }

    /// Blocks above the finalized one: each header, and logs by hash.
    async fn step(&self, from: u64, to: u64) -> Piece {
        self.tags().await;
        let heads = self.heads(from, to).await;
        let requests: Vec<_> = heads.iter().map(|head| self.logs_of(head.hash)).collect();
        let logs: Vec<Vec<Log>> = stream::iter(requests).buffered(CONCURRENCY).collect().await;
        Piece { logs: logs.into_iter().flatten().collect(), heads }
    }

    async fn logs_of(&self, hash: B256) -> Vec<Log> {
        let filter = json!({"address": addresses(), "blockHash": hash});
        let (answer,): (Answer<Vec<Log>>,) = self.ask(&[("eth_getLogs", json!([filter]))]).await;
        answer.result
    }

    async fn heads(&self, from: u64, to: u64) -> Vec<Head> {
        let mut heads = Vec::new();
        for first in (from..=to).step_by(usize::try_from(HEADERS_PER_BATCH).unwrap()) {
            let last = (first + HEADERS_PER_BATCH - 1).min(to);
            let calls: Vec<_> = (first..=last).map(header_call).collect();
            let answers: Vec<Answer<WireHead>> = self.ask(&calls).await;
            heads.extend(answers.into_iter().map(|answer| Head::from(answer.result)));
        }
        heads
    }

    async fn tags(&self) {
        let calls = ["latest", "safe", "finalized"]
            .map(|tag| ("eth_getBlockByNumber", json!([tag, false])));
        let _: Vec<Answer<WireHead>> = self.ask(&calls).await;
    }

    async fn ask<T: DeserializeOwned>(&self, calls: &[(&'static str, Value)]) -> T {
        let batch: Vec<_> = calls
            .iter()
            .enumerate()
            .map(|(id, (method, params))| {
                json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
            })
            .collect();
        let body = serde_json::to_vec(&batch).unwrap();
        let request = self.client.post(&self.url).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }
}

fn header_call(number: u64) -> (&'static str, Value) {
    ("eth_getBlockByNumber", json!([quantity(number), false]))
}

fn addresses() -> Value {
    json!(RegistryKind::ALL.map(|kind| deployment().registry(kind).address))
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}
