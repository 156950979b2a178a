//! The node's wire: packets of JSON-RPC in, JSON out, right or wrong.
//!
//! The program's own client, form checks and reading of refusals lie above it, so an answer of the wrong form must be refused there.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use alloy::primitives::{B256, U256};
use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket, RpcError};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use hallmark::vocab::{BlockRef, Header, RawLog};
use serde_json::{Value, json};

use super::content::IDENTITY;
use super::model::{Block, Chain};
use super::plan::{CHAIN, Fault};
use super::world::{Fate, Texts, World};

/// The node that the program is given.
#[derive(Clone, Debug)]
pub(super) struct Node(Arc<Mutex<World>>);

impl Node {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(super) async fn exchange(
        self,
        packet: RequestPacket,
    ) -> Result<ResponsePacket, TransportError> {
        let asks_for_tags = packet
            .requests()
            .first()
            .and_then(|call| call.params())
            .is_some_and(|params| params.get().contains("latest"));
        let (fate, timeout) = {
            let mut world = self.world();
            (world.arrive(asks_for_tags), world.plan.rpc.timeout)
        };
        let half = fate.latency / 2;
        tokio::time::sleep(half).await;
        let answer = self.world().answer(&packet, fate.clone());
        let is_dead = {
            let mut world = self.world();
            world.is_dead |= fate.is_last;
            world.is_dead
        };
        if is_dead || fate.fault == Some(Fault::Silent) {
            // The client gives up before this ends; a program that is dead hears nothing any more.
            tokio::time::sleep(timeout * 1_000).await;
        }
        tokio::time::sleep(half).await;
        answer
    }
}

impl tower::Service<RequestPacket> for Node {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().exchange(packet))
    }
}

/// What one call comes to: a result in JSON, or an error's code and message.
type Said = Result<String, (i64, String)>;

fn refused<T>(message: impl Into<String>) -> Result<T, (i64, String)> {
    Err((-32_000, message.into()))
}

impl World {
    fn answer(
        &mut self,
        packet: &RequestPacket,
        mut fate: Fate,
    ) -> Result<ResponsePacket, TransportError> {
        let calls: Vec<(Value, String, Value)> = packet
            .requests()
            .iter()
            .map(|call| {
                let params = call.params().map_or(Value::Null, |p| from_text(p.get()));
                (serde_json::to_value(call.id()).unwrap(), call.method().to_owned(), params)
            })
            .collect();
        let asked: Vec<String> =
            calls.iter().map(|(_, method, params)| short(method, params)).collect();
        let fault = fate.fault.map(|fault| format!(", {fault:?}")).unwrap_or_default();
        self.tell(format!("view {}: {}{fault}", fate.view, asked.join("; ")));
        match fate.fault {
            Some(Fault::Status(status)) => {
                let body = "an error page".to_owned();
                return Err(TransportErrorKind::http_error(status, body));
            }
            Some(Fault::Broken) => {
                return Err(TransportErrorKind::custom_str("the connection broke"));
            }
            _ => {}
        }
        let is_batch = matches!(packet, RequestPacket::Batch(_));
        let limit = self.plan.batch_limit.filter(|limit| *limit < calls.len());
        let is_refused = fate.fault == Some(Fault::BatchRefused) && calls.len() > 1;
        if is_batch && (limit.is_some() || is_refused) {
            let limit =
                limit.map_or_else(|| "too large".to_owned(), |l| format!("maximum {l} calls"));
            let error =
                json!({ "code": -32_600, "message": format!("batch limit exceeded, {limit}") });
            let error = serde_json::from_value(error).unwrap();
            return Err(RpcError::ErrorResp(error));
        }
        let faulty = fate.draw.place(calls.len());
        let mut answers: Vec<String> = calls
            .iter()
            .enumerate()
            .map(|(i, (id, method, params))| {
                let mut said = self.one(method, params, fate.view);
                if i == faulty && fate.fault.is_some() {
                    let value = said.map(|text| from_text(&text));
                    said = spoil(self, value, params, &mut fate).map(|value| value.to_string());
                }
                match said {
                    Ok(result) => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
                    Err((code, message)) => {
                        let error = json!({ "code": code, "message": message });
                        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
                    }
                }
            })
            .collect();
        if is_batch && fate.fault == Some(Fault::Disordered) {
            let twice = answers[fate.draw.place(answers.len())].clone();
            answers.reverse();
            answers.push(twice);
        }
        if is_batch && fate.fault == Some(Fault::Missing) && answers.len() > 1 {
            answers.remove(faulty);
        }
        let text = if is_batch { list(&answers) } else { answers.remove(0) };
        let end = if fate.fault == Some(Fault::CutOff) { text.len() / 2 } else { text.len() };
        let text = &text[..end];
        serde_json::from_str(text).map_err(|error| RpcError::deser_err(error, text))
    }

    fn one(&self, method: &str, params: &Value, view: usize) -> Said {
        let chain = &self.views[view];
        match method {
            "eth_chainId" => Ok(json!(format!("{:#x}", CHAIN.0)).to_string()),
            "eth_getCode" => Ok(json!("0xfe").to_string()),
            "eth_getBlockByNumber" => Ok(self.by_number(chain, &params[0])),
            "eth_getBlockByHash" => {
                let hash: B256 = serde_json::from_value(params[0].clone()).unwrap();
                Ok(self.header_or_null(self.model.known(hash)))
            }
            "eth_getLogs" => self.logs(chain, &params[0]),
            "eth_getStorageAt" => {
                let state = self.state(chain, &params[2]["blockHash"], false)?;
                Ok(json!(state.state.code().into_word()).to_string())
            }
            "eth_call" => {
                let state = self.state(chain, &params[1]["blockHash"], true)?;
                let input = params[0]["data"].as_str().or(params[0]["input"].as_str()).unwrap();
                let agent = U256::from_str_radix(&input[10..], 16).unwrap();
                Ok(json!(state.state.wallet(agent).into_word()).to_string())
            }
            other => panic!("{other} was not expected"),
        }
    }

    fn by_number(&self, chain: &Chain, asked: &Value) -> String {
        let number = match asked.as_str().unwrap() {
            "latest" => chain.height(),
            "safe" | "finalized" if !self.model.has_finality => return self.header_or_null(None),
            "safe" => chain.safe,
            "finalized" => chain.finalized,
            text => number_in(text),
        };
        self.header_or_null(chain.at(number))
    }

    fn header_or_null(&self, block: Option<&Arc<Block>>) -> String {
        block.map_or_else(|| "null".to_owned(), |block| self.texts(block).header.clone())
    }

    /// What stands on the wire for a block: written once, since it is asked for again and again.
    fn texts(&self, block: &Block) -> Arc<Texts> {
        let mut written = self.texts.borrow_mut();
        let write = || {
            let header = header(&block.header).to_string();
            let logs = block.logs.iter().map(|log| self.log(log).to_string()).collect();
            Arc::new(Texts { header, logs })
        };
        Arc::clone(written.entry(block.header.block.hash).or_insert_with(write))
    }

    /// The state at a block's end; a block that this backend does not have, or no longer, is refused.
    fn state<'a>(
        &'a self,
        chain: &Chain,
        hash: &Value,
        must_be_canonical: bool,
    ) -> Result<&'a Block, (i64, String)> {
        let hash: B256 = serde_json::from_value(hash.clone()).unwrap();
        let Some(block) = self.model.known(hash) else { return refused("header not found") };
        if must_be_canonical && !chain.has(block.header.block) {
            return refused("hash is not currently canonical");
        }
        Ok(block)
    }

    fn logs(&self, chain: &Chain, filter: &Value) -> Said {
        let write = |blocks: &[&Block]| {
            let texts: Vec<_> = blocks.iter().map(|block| self.texts(block)).collect();
            let logs: Vec<&str> =
                texts.iter().flat_map(|texts| &texts.logs).map(String::as_str).collect();
            list(&logs)
        };
        if let Some(hash) = filter.get("blockHash") {
            let hash: B256 = serde_json::from_value(hash.clone()).unwrap();
            let known = self.model.known(hash);
            return match known.filter(|block| chain.has(block.header.block)) {
                Some(block) => Ok(write(&[block])),
                None => refused("unknown block"),
            };
        }
        let number = |key: &str| number_in(filter[key].as_str().unwrap());
        let (from, to) = (number("fromBlock"), number("toBlock"));
        if let Some(limit) = self.plan.range_limit.filter(|limit| *limit < to - from + 1) {
            return refused(match limit % 3 {
                0 => format!("eth_getLogs is limited to a {limit} blocks range"),
                1 => "block range is too wide".to_owned(),
                _ => format!("exceed maximum block range: {limit}"),
            });
        }
        let blocks: Vec<&Block> =
            (from..=to).filter_map(|n| chain.at(n)).map(AsRef::as_ref).collect();
        let count: usize = blocks.iter().map(|block| block.logs.len()).sum();
        if from < to && self.plan.logs_limit.is_some_and(|limit| count > limit) {
            return Err((-32_005, "query returned more than 10000 results".to_owned()));
        }
        Ok(write(&blocks))
    }

    fn log(&self, log: &RawLog) -> Value {
        let mut value = json!({
            "address": log.address,
            "topics": log.topics,
            "data": log.data,
            "blockNumber": format!("{:#x}", log.block.number),
            "blockHash": log.block.hash,
            "transactionHash": log.tx_hash,
            "logIndex": format!("{:#x}", log.log_index),
            "removed": false,
        });
        if let Some(time) = log.block_time.filter(|_| !self.plan.timeless) {
            value["blockTimestamp"] = json!(format!("{:#x}", time.get()));
        }
        value
    }
}

/// Makes an answer wrong.
fn spoil(
    world: &mut World,
    said: Result<Value, (i64, String)>,
    params: &Value,
    fate: &mut Fate,
) -> Result<Value, (i64, String)> {
    let mut value = said?;
    match fate.fault {
        Some(Fault::Error) => return refused("the backend stumbled"),
        Some(Fault::Null) => return Ok(Value::Null),
        Some(Fault::WrongHeader) if value.get("parentHash").is_some() => {
            // Of a tag it would be another tag, not a wrong form.
            let by_tag = params[0].as_str().is_some_and(|text| !text.starts_with("0x"));
            let number = number_in(value["number"].as_str().unwrap());
            let next = world.views[fate.view].at(number + 1).filter(|_| !by_tag);
            return Ok(next.map_or(value, |block| header(&block.header)));
        }
        _ => {}
    }
    if let Value::Array(logs) = &mut value
        && !logs.is_empty()
    {
        match fate.fault {
            Some(Fault::LogsDisordered) => {
                let twice = logs[fate.draw.place(logs.len())].clone();
                logs.reverse();
                logs.push(twice);
            }
            Some(Fault::LogsWrong) => {
                let by_hash = params[0].get("blockHash").is_some();
                let place = fate.draw.place(logs.len());
                make_wrong(&mut logs[place], fate.draw.below(if by_hash { 5 } else { 4 }));
            }
            Some(Fault::LogsLeftOut) => leave_out(world, logs, fate),
            _ => {}
        }
    }
    Ok(value)
}

fn make_wrong(log: &mut Value, how: u64) {
    match how {
        0 => log["address"] = json!(IDENTITY ^ alloy::primitives::Address::with_last_byte(1)),
        1 => log["removed"] = json!(true),
        2 => log["blockHash"] = Value::Null,
        3 => log["blockNumber"] = json!("0xffffff"),
        _ => log["blockHash"] = json!(B256::repeat_byte(0xee)),
    }
}

/// Leaves out all logs of some blocks.
fn leave_out(world: &mut World, logs: &mut Vec<Value>, fate: &mut Fate) {
    let block_of = |log: &Value| BlockRef {
        number: number_in(log["blockNumber"].as_str().unwrap()),
        hash: serde_json::from_value(log["blockHash"].clone()).unwrap(),
    };
    let mut blocks: Vec<BlockRef> = logs.iter().map(block_of).collect();
    blocks.dedup();
    for block in blocks {
        if fate.draw.chance(60) && world.may_leave_out(block.number, block.hash) {
            logs.retain(|log| block_of(log) != block);
        }
    }
}

/// Texts of JSON as a list of JSON.
fn list(items: &[impl AsRef<str>]) -> String {
    let mut text = String::from("[");
    for (place, item) in items.iter().enumerate() {
        text.push_str(if place == 0 { "" } else { "," });
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

fn header(header: &Header) -> Value {
    json!({
        "number": format!("{:#x}", header.block.number),
        "hash": header.block.hash,
        "parentHash": header.parent_hash,
        "timestamp": format!("{:#x}", header.time.get()),
        "logsBloom": header.logs_bloom,
    })
}

fn number_in(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

fn from_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A call, as the story tells it.
fn short(method: &str, params: &Value) -> String {
    let method = method.trim_start_matches("eth_");
    let first = &params[0];
    match first.get("fromBlock") {
        Some(from) => {
            let number = |value: &Value| number_in(value.as_str().unwrap());
            format!("{method} {} to {}", number(from), number(&first["toBlock"]))
        }
        None => match first.get("blockHash").unwrap_or(first) {
            Value::String(text) => format!("{method} {}", text.get(..12).unwrap_or(text)),
            _ => method.to_owned(),
        },
    }
}
