//! The node: the synthetic chain over JSON-RPC on a port of the loopback, in a process of its own.
//!
//! It refuses ranges of more than 10,000 blocks, as public nodes do. Logs go out as they were rendered at the start, so that serving
//! costs little of the two cores that are measured. Beside what nodes answer, `bench_reveal` shows so many of the blocks after
//! the history, one after each interval of so many milliseconds, and `bench_served` counts what was answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use alloy::primitives::B256;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::base::{Size, TAIL_BLOCKS};
use super::chain::{Chain, finalized_below, number_of};
use super::logs;

const RANGE_MAX: u64 = 10_000;
const SAFE_DEPTH: u64 = 60;

struct Node {
    chain: Chain,
    shown: Mutex<Shown>,
    /// Calls answered, and bytes of answers, so far.
    calls: AtomicU64,
    bytes: AtomicU64,
}

/// How the head moves: from a block on, so many blocks, one after each interval.
struct Shown {
    from: u64,
    count: u64,
    interval_ms: u64,
    since: Instant,
}

impl Shown {
    fn head(&self) -> u64 {
        let elapsed = u64::try_from(self.since.elapsed().as_millis()).unwrap();
        self.from + self.count.min(elapsed / self.interval_ms.max(1))
    }
}

/// Renders the history, says on which port it listens, and serves until the process is ended.
pub(crate) fn run(scale: u64) {
    logs::check();
    let size = Size::base_over(scale);
    let shown = Shown { from: size.head(), count: 0, interval_ms: 1, since: Instant::now() };
    let node = Arc::new(Node {
        chain: Chain::render(size),
        shown: Mutex::new(shown),
        calls: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/", post(handle)).with_state(node);
        axum::serve(listener, routes).await.unwrap();
    });
}

async fn handle(State(node): State<Arc<Node>>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let parts = match &request {
        Value::Array(batch) => {
            let mut parts = vec![Bytes::from_static(b"[")];
            for (i, one) in batch.iter().enumerate() {
                if i > 0 {
                    parts.push(Bytes::from_static(b","));
                }
                parts.extend(node.respond(one));
            }
            parts.push(Bytes::from_static(b"]"));
            parts
        }
        one => node.respond(one),
    };
    let length = parts.iter().map(Bytes::len).sum::<usize>();
    node.bytes.fetch_add(length as u64, Ordering::Relaxed);
    // Piece by piece, so that nothing of the rendered logs is copied.
    let pieces = futures_util::stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>));
    let headers = [(CONTENT_TYPE, "application/json"), (CONTENT_LENGTH, &length.to_string())];
    (headers, Body::from_stream(pieces)).into_response()
}

impl Node {
    fn respond(&self, request: &Value) -> Vec<Bytes> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let id = &request["id"];
        let params = &request["params"];
        match self.answer(request["method"].as_str().unwrap(), params) {
            Ok(result) => {
                let mut parts = vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#).into()];
                parts.extend(result.into_iter().filter(|part| !part.is_empty()));
                parts.push(Bytes::from_static(b"}"));
                parts
            }
            Err(reason) => {
                let error = json!({"code": -32602, "message": reason});
                vec![json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string().into()]
            }
        }
    }

    fn answer(&self, method: &str, params: &Value) -> Result<Vec<Bytes>, String> {
        let head = self.shown.lock().unwrap().head();
        let one = |text: String| Ok(vec![text.into()]);
        match method {
            "eth_chainId" => one("\"0x2105\"".to_owned()),
            "eth_getBlockByNumber" => one(self.header(self.number(&params[0])?, head)),
            "eth_getBlockByHash" => {
                let hash: B256 = read(&params[0])?;
                one(number_of(hash).map_or("null".to_owned(), |number| self.header(number, head)))
            }
            "eth_getLogs" => self.logs(&params[0], head),
            "eth_getCode" => one("\"0x60016000\"".to_owned()),
            // Nothing stood there before the start block.
            "eth_getStorageAt" => one(format!("\"{}\"", B256::ZERO)),
            "bench_reveal" => {
                let count = params[0].as_u64().ok_or("how many blocks?")?;
                let interval_ms = params[1].as_u64().ok_or("how fast?")?;
                let count = count.min(self.chain.size.head() + TAIL_BLOCKS - head);
                *self.shown.lock().unwrap() =
                    Shown { from: head, count, interval_ms, since: Instant::now() };
                one("true".to_owned())
            }
            "bench_served" => {
                let served = [&self.calls, &self.bytes].map(|count| count.load(Ordering::Relaxed));
                one(json!(served).to_string())
            }
            _ => Err(format!("this node has no {method}")),
        }
    }

    fn header(&self, number: u64, head: u64) -> String {
        if number > head { "null".to_owned() } else { self.chain.header(number) }
    }

    fn number(&self, tag: &Value) -> Result<u64, String> {
        let head = self.shown.lock().unwrap().head();
        match tag.as_str().unwrap_or_default() {
            "latest" => Ok(head),
            "safe" => Ok(head - SAFE_DEPTH),
            "finalized" => Ok(finalized_below(head)),
            text => {
                let digits = text.strip_prefix("0x").ok_or("no such block tag")?;
                u64::from_str_radix(digits, 16).map_err(|error| error.to_string())
            }
        }
    }

    fn logs(&self, filter: &Value, head: u64) -> Result<Vec<Bytes>, String> {
        // Only the whole history is rendered; an answer to another question would be wrong.
        if filter["address"].as_array().map(Vec::len) != Some(3) || !filter["topics"].is_null() {
            return Err("ask for all logs of the three registries".to_owned());
        }
        let (from, to) = match &filter["blockHash"] {
            Value::Null => (self.number(&filter["fromBlock"])?, self.number(&filter["toBlock"])?),
            hash => {
                let number = number_of(read(hash)?).ok_or("unknown block")?;
                (number, number)
            }
        };
        if to > head {
            return Err("unknown block".to_owned());
        }
        if to < from || to - from >= RANGE_MAX {
            return Err(format!("query exceeds the maximum block range of {RANGE_MAX}"));
        }
        let (open, close) = (Bytes::from_static(b"["), Bytes::from_static(b"]"));
        Ok(vec![open, self.chain.logs(&(from..=to)), close])
    }
}

fn read(value: &Value) -> Result<B256, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}
