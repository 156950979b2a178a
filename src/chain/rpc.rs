//! A chain over JSON-RPC: HTTP, or WebSocket where the URL says so.
//!
//! Only headers and logs are read; full transactions are never asked for, since a chain may have types of them that nobody here can
//! read. A range of logs is asked for together with the headers of its two ends in one batch, so that a backend which does not have
//! the end yet answers null there, and not an empty list that looks like "no logs"; and with the finalized block, since only that
//! backend can say whether it calls the range final.
//!
//! Every failure passes through [`retry::classify`](super::retry::classify) and is cleaned of secrets here.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::transports::IntoBoxTransport;
use serde_json::json;

use super::ChainError;
use super::client::{NodeClient, RpcOptions, WireRange, by_number, tag_or_none};
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::source::{
    BlockTag, CallOutcome, ChainSource, LogFilter, RangeLogs, TopicWords, is_revert,
};
use super::step::ChainTags;
use super::wire::{self, WireHeader, WireLog};
use crate::vocab::{BlockRef, ChainId, Header, RawLog};

/// A node, spoken to over JSON-RPC.
#[derive(Debug)]
pub struct RpcSource {
    endpoint: Endpoint,
    client: NodeClient,
    /// Calls per batch that the node is known to bear.
    batch: AtomicUsize,
}

/// A range of logs takes so many calls.
const RANGE_CALLS: usize = 4;

impl RpcSource {
    /// A source at an endpoint; nothing is asked yet.
    pub fn new(endpoint: Endpoint, options: RpcOptions) -> Result<Self, ChainError> {
        let client = NodeClient::new(&endpoint, options)?;
        Ok(Self::with(endpoint, client, options))
    }

    /// A source that reaches its node in a way of the caller's, and shows it as this endpoint.
    pub fn over(endpoint: Endpoint, transport: impl IntoBoxTransport, options: RpcOptions) -> Self {
        Self::with(endpoint, NodeClient::over(transport, options), options)
    }

    fn with(endpoint: Endpoint, client: NodeClient, options: RpcOptions) -> Self {
        let batch = AtomicUsize::new(options.batch_max.max(1));
        Self { endpoint, client, batch }
    }

    /// Where it asks; shows no keys.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn batch_size(&self) -> usize {
        self.batch.load(Ordering::Relaxed)
    }

    /// Remembers that a batch of `calls` was too large.
    fn shrink_batch(&self, calls: usize, limit: Option<u64>) {
        let named = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|l| *l < calls);
        let next = named.unwrap_or(calls / 2).max(1);
        self.batch.fetch_min(next, Ordering::Relaxed);
    }

    async fn header_chunk(&self, numbers: &[u64]) -> Result<Vec<Header>, Failure> {
        let answers = if let [number] = numbers {
            let answer: Option<WireHeader> = self
                .client
                .ask("eth_getBlockByNumber", by_number(&wire::quantity(*number)))
                .await?;
            vec![Ok(answer)]
        } else {
            let calls = numbers
                .iter()
                .map(|number| ("eth_getBlockByNumber", by_number(&wire::quantity(*number))))
                .collect();
            self.client.ask_batch::<Option<WireHeader>>(calls).await?
        };
        numbers
            .iter()
            .zip(answers)
            .map(|(number, answer)| {
                let answer = answer.map_err(|error| Failure::of(&error))?;
                let answer = answer.ok_or_else(|| Failure::lag(*number))?;
                wire::header_at(&answer, *number).map_err(Failure::untrue)
            })
            .collect()
    }

    async fn range(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: &RangeInclusive<u64>,
    ) -> Result<RangeLogs, Failure> {
        let (from, to) = (*range.start(), *range.end());
        let WireRange { start, end, finalized, logs } = if self.batch_size() >= RANGE_CALLS {
            match self.client.ask_range(filter, words, range).await {
                Err(failure) if failure.batch_limit().is_some() => {
                    self.shrink_batch(RANGE_CALLS, failure.batch_limit().flatten());
                    self.range_in_turn(filter, words, range).await?
                }
                answer => answer?,
            }
        } else {
            self.range_in_turn(filter, words, range).await?
        };
        let logs = wire::logs(logs, filter, range).map_err(Failure::untrue)?;
        if logs.iter().any(|log| !words.are_in(log)) {
            return Err(Failure::untrue("a log without the words asked for".to_owned()));
        }
        let end = end.ok_or_else(|| Failure::lag(to))?;
        let start = start.ok_or_else(|| Failure::lag(from))?;
        let end = wire::header_at(&end, to).map_err(Failure::untrue)?;
        let start = wire::header_at(&start, from).map_err(Failure::untrue)?;
        let finalized =
            finalized.map(|last| wire::header(&last)).transpose().map_err(Failure::untrue)?;
        for header in [Some(&start), Some(&end), finalized.as_ref()].into_iter().flatten() {
            let other = logs
                .iter()
                .find(|log| log.block.number == header.block.number && log.block != header.block);
            if let Some(log) = other {
                let reason = format!("a log of block {} beside header {}", log.block, header.block);
                return Err(Failure::untrue(reason));
            }
        }
        Ok(RangeLogs { logs, start, end, finalized })
    }

    /// For nodes that bear no batch: the headers come first, so that a backend that lags is noticed in most cases.
    async fn range_in_turn(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: &RangeInclusive<u64>,
    ) -> Result<WireRange, Failure> {
        let end = by_number(&wire::quantity(*range.end()));
        let end: Option<WireHeader> = self.client.ask("eth_getBlockByNumber", end).await?;
        let start = by_number(&wire::quantity(*range.start()));
        let start: Option<WireHeader> = self.client.ask("eth_getBlockByNumber", start).await?;
        let finalized = self.tag("finalized").await?;
        let logs: Vec<WireLog> =
            self.client.ask("eth_getLogs", wire::range_params(filter, words, range)).await?;
        Ok(WireRange { start, end, finalized, logs })
    }

    async fn tag(&self, tag: &'static str) -> Result<Option<WireHeader>, Failure> {
        match self.client.ask("eth_getBlockByNumber", by_number(&json!(tag))).await {
            Err(failure) if failure.is_unknown_tag() => Ok(None),
            answer => answer,
        }
    }

    async fn call_chunk(
        &self,
        calls: &[(Address, Bytes)],
        at: BlockRef,
    ) -> Result<Vec<CallOutcome>, Failure> {
        let state = json!({ "blockHash": at.hash, "requireCanonical": true });
        let calls: Vec<_> = calls
            .iter()
            .map(|(to, input)| ("eth_call", json!([{ "to": to, "data": input }, state])))
            .collect();
        let answers: Vec<Result<Bytes, Failure>> = if let [(method, params)] = calls.as_slice() {
            vec![self.client.ask(method, params.clone()).await]
        } else {
            let answers = self.client.ask_batch(calls).await?;
            answers.into_iter().map(|a| a.map_err(|error| Failure::of(&error))).collect()
        };
        answers
            .into_iter()
            .map(|answer| match answer {
                Ok(answer) => Ok(CallOutcome::Answered(answer)),
                Err(failure) if failure.said().is_some_and(is_revert) => Ok(CallOutcome::Reverted),
                Err(failure) => Err(failure),
            })
            .collect()
    }

    async fn three_tags(&self) -> Result<ChainTags, Failure> {
        const TAGS: [&str; 3] = ["latest", "safe", "finalized"];
        let calls =
            TAGS.iter().map(|tag| ("eth_getBlockByNumber", by_number(&json!(tag)))).collect();
        let answers = if self.batch_size() >= TAGS.len() {
            match self.client.ask_batch::<Option<WireHeader>>(calls).await {
                Err(failure) if failure.batch_limit().is_some() => {
                    self.shrink_batch(TAGS.len(), failure.batch_limit().flatten());
                    self.one_by_one(TAGS).await
                }
                answers => answers?
                    .into_iter()
                    .map(|answer| tag_or_none(answer).map_err(|error| Failure::of(&error)))
                    .collect(),
            }
        } else {
            self.one_by_one(TAGS).await
        };
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(None));
        let read = |answer: Option<WireHeader>| {
            answer.map(|wire| wire::header(&wire)).transpose().map_err(Failure::untrue)
        };
        let head =
            read(next()?)?.ok_or_else(|| Failure::untrue("the node has no head".to_owned()))?;
        Ok(ChainTags { head, safe: read(next()?)?, finalized: read(next()?)? })
    }

    async fn one_by_one(
        &self,
        tags: [&'static str; 3],
    ) -> Vec<Result<Option<WireHeader>, Failure>> {
        let mut answers = Vec::with_capacity(tags.len());
        for tag in tags {
            answers.push(self.tag(tag).await);
        }
        answers
    }
}

impl ChainSource for RpcSource {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        let id: Result<U64, Failure> = self.client.ask("eth_chainId", json!([])).await;
        id.map(|id| ChainId(id.to())).map_err(|failure| failure.at(&self.endpoint, "the chain id"))
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        self.three_tags()
            .await
            .map_err(|failure| failure.at(&self.endpoint, "head, safe, finalized"))
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        let (method, params) = match tag {
            BlockTag::Latest => ("eth_getBlockByNumber", by_number(&json!("latest"))),
            BlockTag::Safe => ("eth_getBlockByNumber", by_number(&json!("safe"))),
            BlockTag::Finalized => ("eth_getBlockByNumber", by_number(&json!("finalized"))),
            BlockTag::Number(number) => {
                ("eth_getBlockByNumber", by_number(&wire::quantity(number)))
            }
            BlockTag::Hash(hash) => ("eth_getBlockByHash", json!([hash, false])),
        };
        let answer: Result<Option<WireHeader>, Failure> = self.client.ask(method, params).await;
        let read = answer.and_then(|wire| {
            let Some(wire) = wire else { return Ok(None) };
            let header = match tag {
                BlockTag::Number(number) => wire::header_at(&wire, number),
                _ => wire::header(&wire),
            };
            match (tag, header.map_err(Failure::untrue)?) {
                (BlockTag::Hash(hash), header) if header.block.hash != hash => {
                    Err(Failure::untrue(format!("block {} came for {hash}", header.block)))
                }
                (_, header) => Ok(Some(header)),
            }
        });
        read.map_err(|failure| failure.at(&self.endpoint, &format!("block {tag:?}")))
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        let mut headers = Vec::with_capacity(numbers.len());
        let mut rest = numbers;
        while let (Some(first), Some(last)) = (rest.first(), rest.last()) {
            let size = self.batch_size().min(rest.len());
            let (chunk, later) = rest.split_at(size);
            match self.header_chunk(chunk).await {
                Ok(part) => {
                    headers.extend(part);
                    rest = later;
                }
                Err(failure) if size > 1 && failure.is_of_size() => {
                    self.shrink_batch(size, failure.batch_limit().flatten());
                }
                Err(failure) => {
                    let asked = format!("headers {first} to {last}");
                    return Err(failure.at(&self.endpoint, &asked));
                }
            }
        }
        Ok(headers)
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let words = TopicWords::default();
        let answer = self.range(filter, &words, &range).await;
        answer.map_err(|failure| failure.at(&self.endpoint, &logs_asked(&range)))
    }

    async fn logs_with(
        &self,
        filter: &LogFilter,
        words: &TopicWords,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let answer = self.range(filter, words, &range).await;
        answer.map_err(|failure| failure.at(&self.endpoint, &logs_asked(&range)))
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let params = wire::block_params(filter, block.hash);
        let answer: Result<Option<Vec<WireLog>>, Failure> =
            self.client.ask("eth_getLogs", params).await;
        let read = answer.and_then(|wire| {
            let wire = wire.ok_or_else(|| Failure::lag(block.number))?;
            let range = block.number..=block.number;
            let logs = wire::logs(wire, filter, &range).map_err(Failure::untrue)?;
            if logs.iter().any(|log| log.block.hash != block.hash) {
                return Err(Failure::untrue("logs of another block came".to_owned()));
            }
            Ok(logs)
        });
        read.map_err(|failure| failure.at(&self.endpoint, &format!("logs of block {block}")))
    }

    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        let state = json!({ "blockHash": at.hash, "requireCanonical": true });
        let params = json!([{ "to": to, "data": input }, state]);
        let answer: Result<Bytes, Failure> = self.client.ask("eth_call", params).await;
        answer.map_err(|failure| {
            failure.unless_said().at(&self.endpoint, &format!("a call of {to} at block {at}"))
        })
    }

    async fn calls(
        &self,
        calls: &[(Address, Bytes)],
        at: BlockRef,
    ) -> Result<Vec<CallOutcome>, ChainError> {
        let mut outcomes = Vec::with_capacity(calls.len());
        let mut rest = calls;
        while !rest.is_empty() {
            let size = self.batch_size().min(rest.len());
            let (chunk, later) = rest.split_at(size);
            match self.call_chunk(chunk, at).await {
                Ok(part) => {
                    outcomes.extend(part);
                    rest = later;
                }
                Err(failure) if size > 1 && failure.is_of_size() => {
                    self.shrink_batch(size, failure.batch_limit().flatten());
                }
                Err(failure) => {
                    let asked = format!("{size} calls at block {at}");
                    return Err(failure.unless_said().at(&self.endpoint, &asked));
                }
            }
        }
        Ok(outcomes)
    }

    async fn run(&self, code: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        let state = json!({ "blockHash": at.hash, "requireCanonical": true });
        let answer: Result<Bytes, Failure> =
            self.client.ask("eth_call", json!([{ "data": code }, state])).await;
        answer.map_err(|failure| {
            let asked = format!("what {} bytes of code return at block {at}", code.len());
            failure.unless_said().at(&self.endpoint, &asked)
        })
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        let answer: Result<Bytes, Failure> =
            self.client.ask("eth_getCode", json!([of, "latest"])).await;
        answer.map_err(|failure| failure.at(&self.endpoint, &format!("the code of {of}")))
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        let params = json!([of, slot, wire::state_at(at)]);
        // Some nodes leave leading zeros out, so the word is read as a number.
        let answer: Result<U256, Failure> = self.client.ask("eth_getStorageAt", params).await;
        answer.map(B256::from).map_err(|failure| {
            failure.unless_said().at(&self.endpoint, &format!("slot {slot} of {of}"))
        })
    }

    async fn wait_for_head(&self) {
        self.client.wait_for_head().await;
    }
}

/// What a failed request for logs was about.
fn logs_asked(range: &RangeInclusive<u64>) -> String {
    format!("logs of blocks {} to {}", range.start(), range.end())
}
