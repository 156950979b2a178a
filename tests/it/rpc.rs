//! The JSON-RPC source against a server on loopback that answers whatever a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bloom};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::{
    BlockTag, CallOutcome, ChainError, ChainSource, LogFilter, RpcOptions, RpcSource, TopicWords,
};
use hallmark::vocab::{BlockRef, ChainId};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const ADDRESS: Address = Address::repeat_byte(0x42);
const TOPIC: B256 = B256::repeat_byte(0x24);

/// What a server says to a body, if it has an opinion; otherwise it answers as a good node would.
type Whole = Box<dyn Fn(&Value) -> Option<Response> + Send + Sync>;
/// What it says to one call: the `result` or `error` member.
type Single = Box<dyn Fn(&str, &Value) -> Option<Value> + Send + Sync>;

struct Node {
    whole: Whole,
    single: Single,
    seen: Mutex<Vec<Value>>,
}

/// A node on loopback; it ends with the value.
struct Server {
    node: Arc<Node>,
    url: String,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start(whole: Whole, single: Single) -> Self {
        let node = Arc::new(Node { whole, single, seen: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://alice:hunter2@{}", listener.local_addr().unwrap());
        let url = format!("{url}/v2/0123456789secret?key=topsecret");
        let app = Router::new().fallback(answer).with_state(Arc::clone(&node));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { node, url, _tasks: tasks }
    }

    /// A node that answers each body in one way.
    async fn always(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let (headers, body) = (own(headers), body.to_owned());
        let whole = move |_: &Value| Some(reply(status, &headers, &body));
        Self::start(Box::new(whole), Box::new(|_, _| None)).await
    }

    /// A good node, but for some calls.
    async fn but(single: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static) -> Self {
        Self::start(Box::new(|_| None), Box::new(single)).await
    }

    fn source(&self) -> RpcSource {
        self.source_with(RpcOptions { body_max: 100_000, ..RpcOptions::default() })
    }

    fn source_with(&self, options: RpcOptions) -> RpcSource {
        RpcSource::new(Endpoint::parse(&self.url).unwrap(), options).unwrap()
    }

    /// The bodies asked so far.
    fn seen(&self) -> Vec<Value> {
        self.node.seen.lock().unwrap().clone()
    }
}

fn own(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn reply(status: u16, headers: &[(String, String)], body: &str) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), body.to_owned()).into_response();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    response
}

async fn answer(State(node): State<Arc<Node>>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    node.seen.lock().unwrap().push(asked.clone());
    if let Some(response) = (node.whole)(&asked) {
        return response;
    }
    let one = |call: &Value| {
        let method = call["method"].as_str().unwrap();
        let mut said = (node.single)(method, &call["params"])
            .unwrap_or_else(|| json!({ "result": good(method, &call["params"]) }));
        said["jsonrpc"] = json!("2.0");
        said["id"] = call["id"].clone();
        said
    };
    let said = match &asked {
        Value::Array(calls) => Value::Array(calls.iter().map(one).collect()),
        call => one(call),
    };
    said.to_string().into_response()
}

/// What a good node says: a chain of 1,000 blocks with one log in each.
fn good(method: &str, params: &Value) -> Value {
    let number = |value: &Value| match value.as_str().unwrap() {
        "latest" => 999,
        "safe" => 900,
        "finalized" => 800,
        text => u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap(),
    };
    match method {
        "eth_chainId" => json!("0x2105"),
        "eth_getBlockByNumber" => {
            assert_eq!(params[1], json!(false), "full transactions are never asked for");
            let number = number(&params[0]);
            if number < 1_000 { block(number) } else { Value::Null }
        }
        "eth_getLogs" => {
            let filter = &params[0];
            if let Some(hash) = filter["blockHash"].as_str() {
                let hash: B256 = hash.parse().unwrap();
                return (0..1_000).filter(|n| self::hash(*n) == hash).map(log).collect();
            }
            let (from, to) = (number(&filter["fromBlock"]), number(&filter["toBlock"]));
            (from..=to.min(999)).map(log).collect()
        }
        other => panic!("{other} was not expected"),
    }
}

fn hash(number: u64) -> B256 {
    B256::left_padding_from(&(number + 1).to_be_bytes())
}

fn block(number: u64) -> Value {
    json!({
        "number": format!("{number:#x}"),
        "hash": hash(number),
        "parentHash": if number == 0 { B256::ZERO } else { hash(number - 1) },
        "timestamp": format!("{:#x}", 1_000 + number),
        "logsBloom": Bloom::ZERO,
        "transactions": [B256::repeat_byte(0x7e)],
    })
}

fn log(number: u64) -> Value {
    json!({
        "address": ADDRESS,
        "topics": [TOPIC],
        "data": "0x",
        "blockNumber": format!("{number:#x}"),
        "blockHash": hash(number),
        "blockTimestamp": format!("{:#x}", 1_000 + number),
        "transactionHash": B256::repeat_byte(1),
        "logIndex": "0x0",
        "removed": false,
    })
}

fn filter() -> LogFilter {
    LogFilter { addresses: vec![ADDRESS], topics: vec![TOPIC] }
}

/// No part of the URL but scheme and host may be in it.
fn assert_clean(error: &ChainError) {
    let shown = format!("{error} {error:?}");
    for secret in ["alice", "hunter2", "0123456789secret", "topsecret", "/v2"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("http://127.0.0.1:"), "{shown}");
}

#[tokio::test]
async fn a_good_node_is_read() {
    let server = Server::but(|_, _| None).await;
    let source = server.source();
    assert_eq!(source.chain_id().await.unwrap(), ChainId(8453));
    let tags = source.tags().await.unwrap();
    let numbers = [Some(&tags.head), tags.safe.as_ref(), tags.finalized.as_ref()]
        .map(|h| h.unwrap().block.number);
    assert_eq!(numbers, [999, 900, 800]);
    let range = source.logs_in(&filter(), 10..=20).await.unwrap();
    assert_eq!((range.start.block.number, range.end.block.number, range.logs.len()), (10, 20, 11));
    let numbers: Vec<u64> = (0..250).collect();
    let headers = source.headers(&numbers).await.unwrap();
    assert!(headers.iter().map(|header| header.block.number).eq(0..250));
    assert_eq!(source.header(BlockTag::Number(5_000)).await.unwrap(), None);
    let calls: Vec<usize> =
        server.seen().iter().filter_map(|body| body.as_array().map(Vec::len)).collect();
    assert_eq!(
        calls,
        [3, 4, 100, 100, 50],
        "tags, a range with its headers, then headers by the hundred"
    );
}

#[tokio::test]
async fn an_oversize_body_is_cut_off() {
    let server = Server::always(200, &[], &"x".repeat(5_000_000)).await;
    let error = server.source().logs_in(&filter(), 1..=5).await.unwrap_err();
    assert!(matches!(error, ChainError::RangeTooLarge { .. }), "{error:?}");
    assert_clean(&error);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::but(|_, _| None).await;
    let server = Server::always(307, &[("location", &target.url)], "").await;
    let error = server.source().chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Fatal { .. }), "{error:?}");
    assert!(target.seen().is_empty());
    assert_clean(&error);
}

#[tokio::test]
async fn statuses_are_told_apart_and_retry_after_is_kept() {
    let range_text = "eth_getLogs is limited to a 2000 blocks range";
    let html = "<html>429 Too Many Requests 0123456789secret</html>";
    let server = Server::always(429, &[("retry-after", "7")], html).await;
    let error = server.source().chain_id().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_transient());
    assert_clean(&error);
    let server = Server::always(400, &[], range_text).await;
    let error = server.source().logs_in(&filter(), 0..=9_999).await.unwrap_err();
    assert!(matches!(error, ChainError::RangeTooLarge { limit: Some(2_000), .. }), "{error:?}");
    let server = Server::always(401, &[], "who are you").await;
    let error = server.source().chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::Fatal { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_not_json_is_fatal_whatever_numbers_stand_in_it() {
    for body in ["<html>429 Too Many Requests</html>", "", r#"{"id":0,"result":{"n":429}}"#] {
        let server = Server::always(200, &[], body).await;
        let error = server.source().chain_id().await.unwrap_err();
        assert!(matches!(error, ChainError::Fatal { .. }), "{body}: {error:?}");
        assert_clean(&error);
    }
}

#[tokio::test]
async fn infuras_too_many_results_is_no_rate_limit() {
    let server = Server::but(|method, _| {
        let error = json!({ "code": -32005, "message": "query returned more than 10000 results" });
        (method == "eth_getLogs").then(|| json!({ "error": error }))
    })
    .await;
    let error = server.source().logs_in(&filter(), 1..=5).await.unwrap_err();
    assert!(matches!(error, ChainError::RangeTooLarge { limit: None, .. }), "{error:?}");
}

#[tokio::test]
async fn a_backend_without_the_end_of_the_range_is_lagging_and_not_without_logs() {
    let server = Server::but(|_, _| None).await;
    let error = server.source().logs_in(&filter(), 990..=1_005).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn untrue_logs_are_refused() {
    for (field, value) in [
        ("removed", json!(true)),
        ("blockHash", Value::Null),
        ("blockHash", json!(B256::repeat_byte(9))),
        ("blockNumber", json!("0x63")),
        ("address", json!(Address::ZERO)),
    ] {
        let change = value.clone();
        let server = Server::but(move |method, _| {
            let mut changed = log(20);
            changed[field] = change.clone();
            (method == "eth_getLogs").then(|| json!({ "result": [changed] }))
        })
        .await;
        let error = server.source().logs_in(&filter(), 10..=20).await.unwrap_err();
        assert!(error.is_transient(), "{field} {value}: {error:?}");
        let block = BlockRef { number: 20, hash: hash(20) };
        let error = server.source().logs_of(&filter(), block).await.unwrap_err();
        assert!(error.is_transient(), "{field} {value}: {error:?}");
    }
}

#[tokio::test]
async fn logs_of_a_block_are_asked_by_hash_and_an_unknown_block_is_an_error() {
    let server = Server::but(|method, params| {
        assert_eq!((method, &params[0]["fromBlock"]), ("eth_getLogs", &Value::Null));
        let error = json!({ "error": { "code": -32000, "message": "unknown block" } });
        let known = params[0]["blockHash"] == json!(hash(20));
        Some(if known { json!({ "result": [log(20)] }) } else { error })
    })
    .await;
    let source = server.source();
    let known = BlockRef { number: 20, hash: hash(20) };
    assert_eq!(source.logs_of(&filter(), known).await.unwrap().len(), 1);
    let orphan = BlockRef { number: 20, hash: B256::ZERO };
    assert!(source.logs_of(&filter(), orphan).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn batches_shrink_to_what_the_node_bears() {
    for max in [10, 2, 1] {
        // The error of a whole batch has no id of any call in it.
        let whole = move |body: &Value| {
            let calls = body.as_array()?.len();
            let message = format!("maximum {max} calls in 1 batch");
            let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32014, "message": message } });
            (calls > max).then(|| error.to_string().into_response())
        };
        let server = Server::start(Box::new(whole), Box::new(|_, _| None)).await;
        let source = server.source();
        let numbers: Vec<u64> = (0..45).collect();
        assert_eq!(source.headers(&numbers).await.unwrap().len(), 45, "{max}");
        assert_eq!(source.logs_in(&filter(), 10..=20).await.unwrap().logs.len(), 11, "{max}");
        assert_eq!(source.tags().await.unwrap().head.block.number, 999, "{max}");
    }
}

/// A node that refuses more calls in one packet.
async fn bears(max: usize) -> Server {
    let whole = move |body: &Value| {
        let message = format!("maximum {max} calls in 1 batch");
        let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32014, "message": message } });
        (body.as_array()?.len() > max).then(|| error.to_string().into_response())
    };
    Server::start(Box::new(whole), Box::new(|_, _| None)).await
}

/// Two calls in a packet are enough to know that a backend has the end of the range, and three packets to know the rest of it.
#[tokio::test]
async fn where_two_calls_are_borne_a_range_comes_in_pairs() {
    for max in [3, 2] {
        let server = bears(max).await;
        let source = server.source();
        let range = source.logs_in(&filter(), 10..=20).await.unwrap();
        assert_eq!(range.logs.len(), 11);
        let of = |header: &hallmark::vocab::Header| header.block.number;
        assert_eq!((of(&range.start), of(&range.end)), (10, 20));
        assert_eq!(range.finalized.as_ref().map(of), Some(800));
        assert!(source.bears_ranges());
        let sizes: Vec<usize> =
            server.seen().iter().filter_map(|body| body.as_array().map(Vec::len)).collect();
        assert_eq!(sizes, [4, 2, 2, 2]);
        let beyond = source.logs_in(&filter(), 990..=1_005).await.unwrap_err();
        assert!(beyond.is_transient(), "{beyond:?}");
    }
}

#[tokio::test]
async fn pairs_of_backends_that_differ_about_the_end_are_refused() {
    let asked = std::sync::atomic::AtomicU64::new(0);
    let single = move |method: &str, params: &Value| {
        let is_end = method == "eth_getBlockByNumber" && params[0] == json!("0x14");
        // The second backend is on another branch.
        let is_other = is_end && asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1;
        let mut other = block(20);
        other["hash"] = json!(B256::repeat_byte(9));
        is_other.then(|| json!({ "result": other }))
    };
    let server = Server::start(Box::new(|_| None), Box::new(single)).await;
    let source = server.source_with(RpcOptions { batch_max: 2, ..RpcOptions::default() });
    let error = source.logs_in(&filter(), 10..=20).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(error.to_string().contains("backends differ about the last block"), "{error}");
    assert_eq!(source.logs_in(&filter(), 10..=20).await.unwrap().logs.len(), 11);
}

/// Where not even two are borne no list of a range is believed: each block is asked for by its hash.
#[tokio::test]
async fn where_no_batch_is_borne_a_range_is_read_block_by_block() {
    let server = bears(1).await;
    let source = server.source();
    let range = source.logs_in(&filter(), 10..=20).await.unwrap();
    assert_eq!((range.logs.len(), range.finalized), (11, None), "it cannot say what is final");
    assert!(!source.bears_ranges());
    let ranges =
        server.seen().iter().filter(|body| body["params"][0]["fromBlock"].is_string()).count();
    assert_eq!(ranges, 0, "a range is asked for only in a batch");
    let error = source.logs_in(&filter(), 10..=500).await.unwrap_err();
    assert!(matches!(error, ChainError::RangeTooLarge { limit: Some(64), .. }), "{error:?}");
    let again = source.logs_again(&filter(), 10..=500).await.unwrap();
    assert_eq!(again.logs.len(), 491, "asked for again it comes in parts");
}

/// A node may refuse batches while it is in trouble, or learn to bear them: it is tried again, and then read by ranges.
#[tokio::test]
async fn a_node_that_bears_no_batches_is_tried_again_later() {
    let bears_them = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_well = Arc::clone(&bears_them);
    let whole = move |body: &Value| {
        let error = json!({ "jsonrpc": "2.0", "id": null, "error": {
            "code": -32014, "message": "maximum 1 calls in 1 batch" } });
        let is_refused = body.is_array() && !is_well.load(std::sync::atomic::Ordering::Relaxed);
        is_refused.then(|| error.to_string().into_response())
    };
    let server = Server::start(Box::new(whole), Box::new(|_, _| None)).await;
    let source = server.source();
    let later = async || {
        tokio::time::pause();
        tokio::time::advance(Duration::from_mins(11)).await;
        tokio::time::resume();
    };
    let batches = || server.seen().iter().filter(|body| body.is_array()).count();
    source.logs_in(&filter(), 10..=20).await.unwrap();
    assert_eq!((source.bears_ranges(), batches()), (false, 1));
    source.tags().await.unwrap();
    assert_eq!(batches(), 1, "not at once");
    later().await;
    for _ in 0..3 {
        assert_eq!(source.tags().await.unwrap().head.block.number, 999);
    }
    assert_eq!((source.bears_ranges(), batches()), (false, 2), "once");
    bears_them.store(true, std::sync::atomic::Ordering::Relaxed);
    later().await;
    source.tags().await.unwrap();
    assert!(source.bears_ranges());
    let range = source.logs_in(&filter(), 10..=20).await.unwrap();
    assert_eq!((range.logs.len(), range.finalized.is_some()), (11, true));
}

#[tokio::test]
async fn calls_go_in_batches_and_a_revert_is_an_outcome() {
    let whole = |body: &Value| {
        let is_too_long = body.as_array().is_some_and(|calls| calls.len() > 10);
        let refusal = json!({ "jsonrpc": "2.0", "id": null, "error": {
            "code": -32014, "message": "maximum 10 calls in 1 batch" } });
        is_too_long.then(|| reply(200, &[], &refusal.to_string()))
    };
    let single = |method: &str, params: &Value| {
        let number =
            params[0]["data"].as_str().and_then(|data| u8::from_str_radix(&data[2..], 16).ok());
        let error =
            |code: i64, message: &str| json!({ "error": { "code": code, "message": message } });
        (method == "eth_call").then(|| match number.unwrap() {
            3 => error(3, "execution reverted: ERC721NonexistentToken(3)"),
            4 => error(-32000, "execution reverted"),
            200 => error(-32000, "missing trie node 0xabc (path )"),
            number => json!({ "result": format!("0x{number:02x}") }),
        })
    };
    let server = Server::start(Box::new(whole), Box::new(single)).await;
    let source = server.source();
    let at = BlockRef { number: 7, hash: hash(7) };
    let input = |number: u8| (ADDRESS, alloy::primitives::Bytes::from(vec![number]));
    let calls: Vec<_> = (0..25).map(input).collect();
    let outcomes = source.calls(&calls, at).await.unwrap();
    for (number, outcome) in (0_u8..25).zip(&outcomes) {
        let expected = match number {
            3 | 4 => CallOutcome::Reverted,
            number => CallOutcome::Answered(vec![number].into()),
        };
        assert_eq!(*outcome, expected, "{number}");
    }
    assert_eq!(outcomes.len(), 25);
    let sizes: Vec<usize> =
        server.seen().iter().filter_map(|b| b.as_array().map(Vec::len)).collect();
    assert_eq!(sizes, [25, 10, 10, 5], "one refusal teaches the size");
    for of in [&[input(1), input(200)][..], &[input(200)]] {
        let error = source.calls(of, at).await.unwrap_err();
        assert!(matches!(error, ChainError::Fatal { .. }), "{error:?}");
        assert_clean(&error);
    }
}

#[tokio::test]
async fn words_are_asked_for_in_their_place_and_logs_without_them_are_refused() {
    let server = Server::but(|_, _| None).await;
    let source = server.source();
    let words = TopicWords([vec![], vec![B256::repeat_byte(9)], vec![]]);
    let error = source.logs_with(&filter(), &words, 10..=12).await.unwrap_err();
    assert!(error.to_string().contains("a log without the words asked for"), "{error}");
    let asked =
        server.seen().into_iter().flat_map(|body| body.as_array().cloned().unwrap_or_default());
    let topics: Vec<Value> = asked
        .filter(|call| call["method"] == "eth_getLogs")
        .map(|call| call["params"][0]["topics"].clone())
        .collect();
    assert_eq!(topics, [json!([[TOPIC], null, [B256::repeat_byte(9)]])]);
}

#[tokio::test]
async fn a_node_without_safe_and_finalized_is_no_error() {
    let server = Server::but(|_, params| {
        let error = json!({ "code": -32602, "message": "invalid block tag" });
        let unknown = params[0] == json!("safe") || params[0] == json!("finalized");
        unknown.then(|| json!({ "error": error }))
    })
    .await;
    let tags = server.source().tags().await.unwrap();
    assert_eq!((tags.head.block.number, tags.safe, tags.finalized), (999, None, None));
}

#[tokio::test]
async fn a_node_that_is_not_there_or_says_nothing_is_transient_and_its_keys_are_not_shown() {
    let server = Server::but(|_, _| None).await;
    let url = server.url.clone();
    drop(server);
    let source = RpcSource::new(Endpoint::parse(&url).unwrap(), RpcOptions::default()).unwrap();
    let error = source.chain_id().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_clean(&error);

    // Accepts connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2/0123456789secret", silent.local_addr().unwrap());
    let options = RpcOptions { timeout: Duration::from_millis(50), ..RpcOptions::default() };
    let source = RpcSource::new(Endpoint::parse(&url).unwrap(), options).unwrap();
    let error = source.chain_id().await.unwrap_err();
    assert!(matches!(error, ChainError::TimedOut { .. }), "{error:?}");
    assert_clean(&error);
}

#[tokio::test]
async fn only_the_node_itself_refuses_a_call() {
    let at = BlockRef { number: 5, hash: hash(5) };
    let ask =
        async |server: &Server| server.source().call(ADDRESS, [1].into(), at).await.unwrap_err();
    let reverts = Server::but(|method, _| {
        (method == "eth_call")
            .then(|| json!({ "error": { "code": 3, "message": "execution reverted" } }))
    });
    assert!(matches!(ask(&reverts.await).await, ChainError::Fatal { .. }));
    // What stands in the way of the node says nothing of the contract.
    for (status, body) in [(200, "<html>one moment</html>"), (404, "not found"), (403, "")] {
        let error = ask(&Server::always(status, &[], body).await).await;
        assert!(error.is_transient(), "{error}");
    }
}
