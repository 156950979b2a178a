//! Requests to one node, over HTTP or WebSocket: one call, a batch, a pair, or a range of logs with its headers.
//!
//! A request that does not come back in time is a failure, and so is one whose connection broke; a broken WebSocket is let go of, and
//! the next request opens another. What answers mean is not known here.

use std::ops::RangeInclusive;
use std::time::Duration;

use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::RpcRecv;
use alloy::transports::{IntoBoxTransport, TransportError, TransportErrorKind};
use serde_json::{Value, json};

use super::ChainError;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::source::{LogFilter, TopicWords};
use super::transport::{HttpTransport, Limits, TransportFault};
use super::trust::Trust;
use super::wire::{self, WireHeader, WireLog};
use super::ws::{Live, WsClient};

/// Limits of the exchange with a node.
#[derive(Clone, Copy, Debug)]
pub struct RpcOptions {
    /// For making a connection.
    pub connect_timeout: Duration,
    /// For one request and its whole answer.
    pub timeout: Duration,
    /// Larger answers are refused.
    pub body_max: usize,
    /// How often to look for a new head that nobody announced.
    pub poll_interval: Duration,
    /// At most so many calls in one batch; fewer where the node says so.
    pub batch_max: usize,
}

impl Default for RpcOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_mins(1),
            body_max: 64 << 20,
            poll_interval: Duration::from_secs(2),
            batch_max: 100,
        }
    }
}

/// One node, asked over whichever transport its URL names.
#[derive(Debug)]
pub(super) struct NodeClient {
    wire: Wire,
    options: RpcOptions,
}

#[derive(Debug)]
enum Wire {
    Http(RpcClient),
    WebSocket(Box<WsClient>),
}

impl NodeClient {
    /// A client of a node; nothing is asked yet.
    pub(super) fn new(
        endpoint: &Endpoint,
        options: RpcOptions,
        trust: &Trust,
    ) -> Result<Self, ChainError> {
        let unusable = |reason: String| Failure::fatal(reason).at(endpoint, "anything");
        let limits = Limits {
            connect_timeout: options.connect_timeout,
            timeout: options.timeout,
            body_max: options.body_max,
        };
        if endpoint.is_websocket() {
            let client = WsClient::new(endpoint.clone(), limits, trust);
            let client = client.map_err(|fault| unusable(fault.to_string()))?;
            return Ok(Self { wire: Wire::WebSocket(Box::new(client)), options });
        }
        let transport = HttpTransport::new(endpoint.clone(), limits, trust)
            .map_err(|fault| unusable(fault.to_string()))?;
        Ok(Self::over(transport, options))
    }

    /// A client of a node that is reached in another way.
    pub(super) fn over(transport: impl IntoBoxTransport, options: RpcOptions) -> Self {
        Self { wire: Wire::Http(RpcClient::new(transport, false)), options }
    }

    /// One call.
    pub(super) async fn ask<R: RpcRecv>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<R, Failure> {
        match &self.wire {
            Wire::Http(client) => self.in_time(client.request(method, params)).await,
            Wire::WebSocket(ws) => {
                let live = ws.live().await.map_err(|error| Failure::of(&error))?;
                let answer = self.in_time(live.client.request(method, params)).await;
                self.noticed(ws, &live, answer).await
            }
        }
    }

    /// Several calls in one packet: one answer each, or a failure of the whole.
    pub(super) async fn ask_batch<R: RpcRecv>(
        &self,
        calls: Vec<(&'static str, Value)>,
    ) -> Result<Vec<Result<R, TransportError>>, Failure> {
        match &self.wire {
            Wire::Http(client) => self.in_time(send_batch(client, calls)).await,
            Wire::WebSocket(ws) => {
                let live = ws.live().await.map_err(|error| Failure::of(&error))?;
                let answer = self.in_time(send_batch(&live.client, calls)).await;
                self.noticed(ws, &live, answer).await
            }
        }
    }

    async fn in_time<T>(
        &self,
        answer: impl IntoFuture<Output = Result<T, TransportError>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(self.options.timeout, answer).await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure::of(&TransportErrorKind::custom(TransportFault::TimedOut))),
        }
    }

    /// Passes an answer on, and lets go of a connection that did not bring one: also of one that is silent, since a connection whose
    /// other end is gone fails no request by itself.
    async fn noticed<T>(
        &self,
        ws: &WsClient,
        live: &Live,
        answer: Result<T, Failure>,
    ) -> Result<T, Failure> {
        if answer.as_ref().is_err_and(|f| f.is_of_connection() || f.is_of_time()) {
            ws.forget(live).await;
        }
        answer
    }

    /// A range of logs with the headers of its two ends and of the finalized block, in one packet.
    pub(super) async fn ask_range(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: &RangeInclusive<u64>,
    ) -> Result<WireRange, Failure> {
        match &self.wire {
            Wire::Http(client) => self.in_time(send_range(client, filter, words, range)).await,
            Wire::WebSocket(ws) => {
                let live = ws.live().await.map_err(|error| Failure::of(&error))?;
                let answer = self.in_time(send_range(&live.client, filter, words, range)).await;
                self.noticed(ws, &live, answer).await
            }
        }
    }

    /// A block and something else in one packet, so that one backend answers both.
    pub(super) async fn ask_pair<R: RpcRecv>(
        &self,
        block: &Value,
        call: (&'static str, Value),
    ) -> Result<Beside<R>, Failure> {
        match &self.wire {
            Wire::Http(client) => self.in_time(send_pair(client, block, call)).await,
            Wire::WebSocket(ws) => {
                let live = ws.live().await.map_err(|error| Failure::of(&error))?;
                let answer = self.in_time(send_pair(&live.client, block, call)).await;
                self.noticed(ws, &live, answer).await
            }
        }
    }

    /// Returns when a new head is announced, or when it is time to look for one.
    pub(super) async fn wait_for_head(&self) {
        match &self.wire {
            Wire::Http(_) => tokio::time::sleep(self.options.poll_interval).await,
            Wire::WebSocket(ws) => ws.wait_for_head(self.options.poll_interval).await,
        }
    }
}

/// A range of logs and the headers that come with it, as they were written.
pub(super) struct WireRange {
    pub(super) start: Option<WireHeader>,
    pub(super) end: Option<WireHeader>,
    pub(super) finalized: Option<WireHeader>,
    pub(super) logs: Vec<WireLog>,
}

/// A block as one backend knows it, and what the same backend says to another question.
pub(super) type Beside<R> = (Option<WireHeader>, Result<R, TransportError>);

/// Never with full transactions.
pub(super) fn by_number(block: &Value) -> Value {
    json!([block, false])
}

async fn send_batch<R: RpcRecv>(
    client: &RpcClient,
    calls: Vec<(&'static str, Value)>,
) -> Result<Vec<Result<R, TransportError>>, TransportError> {
    let mut batch = client.new_batch();
    let mut waiters = Vec::with_capacity(calls.len());
    for (method, params) in calls {
        waiters.push(batch.add_call::<_, R>(method, &params)?);
    }
    batch.send().await?;
    let mut answers = Vec::with_capacity(waiters.len());
    for waiter in waiters {
        answers.push(waiter.await);
    }
    Ok(answers)
}

async fn send_pair<R: RpcRecv>(
    client: &RpcClient,
    block: &Value,
    (method, params): (&'static str, Value),
) -> Result<Beside<R>, TransportError> {
    let mut batch = client.new_batch();
    let block = batch.add_call::<_, Option<WireHeader>>("eth_getBlockByNumber", block)?;
    let other = batch.add_call::<_, R>(method, &params)?;
    batch.send().await?;
    let other = other.await;
    Ok((block.await?, other))
}

async fn send_range(
    client: &RpcClient,
    filter: &LogFilter,
    words: &TopicWords,
    range: &RangeInclusive<u64>,
) -> Result<WireRange, TransportError> {
    let mut batch = client.new_batch();
    let end = by_number(&wire::quantity(*range.end()));
    let end = batch.add_call::<_, Option<WireHeader>>("eth_getBlockByNumber", &end)?;
    let start = by_number(&wire::quantity(*range.start()));
    let start = batch.add_call::<_, Option<WireHeader>>("eth_getBlockByNumber", &start)?;
    let finalized = by_number(&json!("finalized"));
    let finalized = batch.add_call::<_, Option<WireHeader>>("eth_getBlockByNumber", &finalized)?;
    let logs = wire::range_params(filter, words, range);
    let logs = batch.add_call::<_, Vec<WireLog>>("eth_getLogs", &logs)?;
    batch.send().await?;
    // The logs first: a refusal of the range counts more than a missing header.
    let logs = logs.await?;
    let (start, end) = (start.await?, end.await?);
    Ok(WireRange { start, end, finalized: tag_or_none(finalized.await)?, logs })
}

/// An answer to a tag; a node that does not know the tag has no such block.
pub(super) fn tag_or_none<T>(
    answer: Result<Option<T>, TransportError>,
) -> Result<Option<T>, TransportError> {
    match answer {
        Err(error) if Failure::of(&error).is_unknown_tag() => Ok(None),
        answer => answer,
    }
}
