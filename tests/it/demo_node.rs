//! The demo's node over HTTP, as any client of a JSON-RPC provider sees it.
//!
//! What it answers is tested beside `hallmark::demo`; here it is asked through a socket: links between headers, logs by range and by
//! hash, the reorganisation, batches, and limits of size.

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use hallmark::demo::{BATCH_REQUESTS_MAX, BODY_BYTES_MAX, DemoNode, RANGE_BLOCKS_MAX, Recording};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

static RECORDING: LazyLock<Arc<Recording>> =
    LazyLock::new(|| Arc::new(Recording::shipped().unwrap()));

/// A node on a port of its own; it stops when this is dropped.
struct Running {
    node: DemoNode,
    url: String,
    client: Client,
    _server: JoinSet<std::io::Result<()>>,
}

impl Running {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let node = DemoNode::new(RECORDING.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(node.clone().serve(listener, std::future::pending()));
        Self { node, url, client: Client::new(), _server: server }
    }

    async fn post(&self, body: impl Into<String>) -> (StatusCode, String) {
        let response = self.client.post(&self.url).body(body.into()).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn send(&self, body: &Value) -> Value {
        let (status, text) = self.post(body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The whole response to one request.
    async fn ask(&self, method: &str, params: Value) -> Value {
        let response = self.send(&request(&json!(1), method, &params)).await;
        assert_eq!((&response["jsonrpc"], &response["id"]), (&json!("2.0"), &json!(1)));
        response
    }

    async fn result(&self, method: &str, params: Value) -> Value {
        let response = self.ask(method, params).await;
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    async fn block(&self, tag: &str) -> Value {
        self.result("eth_getBlockByNumber", json!([tag, false])).await
    }
}

fn request(id: &Value, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn number_in(value: &Value) -> u64 {
    let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
    u64::from_str_radix(digits, 16).unwrap()
}

#[tokio::test]
async fn headers_link_over_the_whole_opening() {
    let running = Running::start().await;
    let head = number_in(&running.result("eth_blockNumber", json!([])).await);
    let mut parent = Value::Null;
    let numbers: Vec<_> = (0..=head).collect();
    for some in numbers.chunks(BATCH_REQUESTS_MAX) {
        let batch: Vec<_> = some
            .iter()
            .map(|n| request(&json!(n), "eth_getBlockByNumber", &json!([format!("{n:#x}"), false])))
            .collect();
        let responses = running.send(&Value::Array(batch)).await;
        for (number, response) in some.iter().zip(responses.as_array().unwrap()) {
            assert_eq!(response["id"], json!(number));
            let block = &response["result"];
            assert_eq!(number_in(&block["number"]), *number);
            if *number > 0 {
                assert_eq!(block["parentHash"], parent, "block {number}");
            }
            parent = block["hash"].clone();
        }
    }
    assert_eq!(running.block("latest").await["hash"], parent);
}

#[tokio::test]
async fn logs_by_range_and_by_hash_are_the_same_logs() {
    let running = Running::start().await;
    let filter = json!([{"fromBlock": "0x384", "toBlock": "0x5dc"}]);
    let by_range = running.result("eth_getLogs", filter).await;
    let by_range = by_range.as_array().unwrap();
    let mut hashes: Vec<_> = by_range.iter().map(|log| log["blockHash"].clone()).collect();
    hashes.dedup();
    assert!(hashes.len() > 5);
    let mut by_hash = Vec::new();
    for hash in hashes {
        let logs = running.result("eth_getLogs", json!([{"blockHash": hash}])).await;
        by_hash.extend(logs.as_array().unwrap().clone());
    }
    assert_eq!(by_range, &by_hash);
    for log in by_range {
        let block = running.block(log["blockNumber"].as_str().unwrap()).await;
        assert_eq!(block["hash"], log["blockHash"]);
        assert_eq!(block["timestamp"], log["blockTimestamp"]);
        assert!(block["transactions"].as_array().unwrap().contains(&log["transactionHash"]));
    }
}

#[tokio::test]
async fn a_reorganisation_is_seen_by_hash_and_by_number() {
    let running = Running::start().await;
    let mut head = running.block("latest").await;
    loop {
        let played = running.node.advance().expect("there is a reorganisation");
        if played.undone.is_empty() {
            head = running.block("latest").await;
            continue;
        }
        assert_eq!(played.undone.len(), 5);
        break;
    }
    let new_head = running.block("latest").await;
    assert_eq!(new_head["number"], head["number"]);
    assert_ne!(new_head["hash"], head["hash"]);
    let orphan = running.result("eth_getBlockByHash", json!([head["hash"], false])).await;
    assert_eq!(orphan, Value::Null);
    let logs = running.ask("eth_getLogs", json!([{"blockHash": head["hash"]}])).await;
    assert_eq!(logs["error"], json!({"code": -32000, "message": "unknown block"}));
    // The new branch links down to a block that both share.
    let mut block = new_head;
    for _ in 0..5 {
        block = running.result("eth_getBlockByHash", json!([block["parentHash"], false])).await;
        assert!(block.is_object());
    }
    assert_eq!(block, running.block(block["number"].as_str().unwrap()).await);
    let finalized = running.block("finalized").await;
    assert!(number_in(&finalized["number"]) < number_in(&block["number"]));
}

#[tokio::test]
async fn the_play_goes_on_by_itself_to_its_end() {
    let running = Running::start().await;
    let mut told = 0;
    let pace = NonZeroU32::new(10_000).unwrap();
    running.node.perform(pace, |played| told += played.applied.len()).await;
    assert_eq!(told, RECORDING.blocks().len() - RECORDING.opening_count());
    assert!(running.node.look(hallmark::demo::Play::is_over));
    let last = RECORDING.blocks().last().unwrap();
    assert_eq!(running.block("latest").await["hash"], json!(last.hash));
    assert_eq!(running.block("0x1").await["hash"], json!(RECORDING.blocks()[1].hash));
}

#[tokio::test]
async fn errors_are_answers_and_a_batch_keeps_its_ids() {
    let running = Running::start().await;
    let wide = json!([{"fromBlock": "0x0", "toBlock": format!("{RANGE_BLOCKS_MAX:#x}")}]);
    let responses = running
        .send(&json!([
            request(&json!("a"), "eth_chainId", &json!([])),
            request(&json!(7), "eth_getBlockByNumber", &json!(["pending", false])),
            request(&json!(null), "eth_getLogs", &wide),
            request(&json!(8), "eth_accounts", &json!([])),
            {"jsonrpc": "2.0", "method": "eth_chainId"},
            {"jsonrpc": "1.0", "id": 9, "method": "eth_chainId"},
            {"jsonrpc": "2.0", "id": 10, "method": "eth_chainId", "params": {}},
            "text",
        ]))
        .await;
    let summary: Vec<_> = responses
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["id"].clone(), r["error"]["code"].as_i64()))
        .collect();
    let expected = [
        (json!("a"), None),
        (json!(7), Some(-32602)),
        (json!(null), Some(-32614)),
        (json!(8), Some(-32601)),
        (json!(9), Some(-32600)),
        (json!(10), Some(-32600)),
        (json!(null), Some(-32600)),
    ];
    assert_eq!(summary, expected);
}

#[tokio::test]
async fn notifications_are_not_answered() {
    let running = Running::start().await;
    let notification = json!({"jsonrpc": "2.0", "method": "eth_chainId"});
    for body in [notification.clone(), json!([notification])] {
        let (status, text) = running.post(body.to_string()).await;
        assert_eq!((status, text.as_str()), (StatusCode::NO_CONTENT, ""));
    }
}

#[tokio::test]
async fn bodies_and_batches_have_limits() {
    let running = Running::start().await;
    let (status, _) = running.post(" ".repeat(BODY_BYTES_MAX + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);

    let one = request(&json!(1), "eth_chainId", &json!([]));
    let full = running.send(&Value::Array(vec![one.clone(); BATCH_REQUESTS_MAX])).await;
    assert_eq!(full.as_array().unwrap().len(), BATCH_REQUESTS_MAX);
    for (body, code) in [
        (Value::Array(vec![one; BATCH_REQUESTS_MAX + 1]).to_string(), -32600),
        ("[]".to_owned(), -32600),
        ("{".to_owned(), -32700),
        ("[".repeat(10_000), -32700),
    ] {
        let (status, text) = running.post(body).await;
        let response: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, response["error"]["code"].as_i64()), (StatusCode::OK, Some(code)));
        assert_eq!(response["id"], Value::Null);
    }
    let response = running.client.get(&running.url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
