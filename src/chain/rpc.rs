//! A chain over JSON-RPC: HTTP, or WebSocket where the URL says so.
//!
//! Only headers and logs are read; full transactions are never asked for, since a chain may have types of them that nobody here can
//! read. How a range of logs is asked for, so that no backend's ignorance looks like "no logs", stands in `rpc_range`.
//!
//! Every failure passes through [`retry::classify`](super::retry::classify) and is cleaned of secrets here.

use std::ops::RangeInclusive;

use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::transports::IntoBoxTransport;
use serde_json::json;

use super::ChainError;
use super::batch::{BatchSize, PAIR};
use super::client::{NodeClient, RpcOptions, by_number, tag_or_none};
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::source::{
    BlockTag, CallOutcome, ChainSource, LogFilter, RangeLogs, TopicWords, is_revert,
};
use super::step::ChainTags;
use super::trust::Trust;
use super::wire::{self, WireHeader, WireLog};
use crate::vocab::{BlockRef, ChainId, Header, RawLog};

/// A node, spoken to over JSON-RPC.
#[derive(Debug)]
pub struct RpcSource {
    endpoint: Endpoint,
    pub(super) client: NodeClient,
    pub(super) batch: BatchSize,
}

impl RpcSource {
    /// A source at an endpoint; nothing is asked yet.
    pub fn new(endpoint: Endpoint, options: RpcOptions) -> Result<Self, ChainError> {
        Self::trusting(endpoint, options, &Trust::default())
    }

    /// A source at an endpoint whose certificate may be signed by these authorities, too.
    pub fn trusting(
        endpoint: Endpoint,
        options: RpcOptions,
        trust: &Trust,
    ) -> Result<Self, ChainError> {
        let client = NodeClient::new(&endpoint, options, trust)?;
        Ok(Self::with(endpoint, client, options))
    }

    /// A source that reaches its node in a way of the caller's, and shows it as this endpoint.
    pub fn over(endpoint: Endpoint, transport: impl IntoBoxTransport, options: RpcOptions) -> Self {
        Self::with(endpoint, NodeClient::over(transport, options), options)
    }

    fn with(endpoint: Endpoint, client: NodeClient, options: RpcOptions) -> Self {
        Self { endpoint, client, batch: BatchSize::new(options.batch_max) }
    }

    /// Where it asks; shows no keys.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Learns from a failure that fewer calls in a batch may be answered.
    fn shrink_batch(&self, calls: usize, failure: &Failure) {
        match failure.batch_limit() {
            Some(limit) => self.batch.refused(calls, limit),
            None => self.batch.was_too_much(calls),
        }
    }

    async fn header_chunk(&self, numbers: &[u64]) -> Result<Vec<Header>, Failure> {
        let calls = numbers
            .iter()
            .map(|number| ("eth_getBlockByNumber", by_number(&wire::quantity(*number))))
            .collect();
        let answers = self.client.ask_batch::<Option<WireHeader>>(calls).await?;
        self.batch.answered();
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

    /// The logs of one block; of a backend that does not have it, an error.
    pub(super) async fn logs_by_hash(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, Failure> {
        let params = wire::block_params(filter, block.hash);
        let answer: Option<Vec<WireLog>> = self.client.ask("eth_getLogs", params).await?;
        let answer = answer.ok_or_else(|| Failure::lag(block.number))?;
        let range = block.number..=block.number;
        let logs = wire::logs(answer, filter, &range).map_err(Failure::untrue)?;
        if logs.iter().any(|log| log.block.hash != block.hash) {
            return Err(Failure::untrue("logs of another block came".to_owned()));
        }
        Ok(logs)
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
        let answers = if self.batch.bears(TAGS.len()) || self.batch.may_try(TAGS.len()) {
            match self.client.ask_batch::<Option<WireHeader>>(calls).await {
                Err(failure) if failure.batch_limit().is_some() => {
                    self.shrink_batch(TAGS.len(), &failure);
                    self.one_by_one(TAGS).await
                }
                answers => {
                    let answers = answers?;
                    self.batch.answered();
                    let read = |answer| tag_or_none(answer).map_err(|error| Failure::of(&error));
                    answers.into_iter().map(read).collect()
                }
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
            let asked = || format!("headers {first} to {last}");
            let size = self.batch.get().min(rest.len());
            if size < PAIR {
                let singles = self.single_headers(rest).await;
                headers.extend(singles.map_err(|failure| failure.at(&self.endpoint, &asked()))?);
                break;
            }
            let (chunk, later) = rest.split_at(size);
            match self.header_chunk(chunk).await {
                Ok(part) => {
                    headers.extend(part);
                    rest = later;
                }
                Err(failure) if failure.is_of_size() => self.shrink_batch(size, &failure),
                Err(failure) => return Err(failure.at(&self.endpoint, &asked())),
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
        let answer = self.logs_by_hash(filter, block).await;
        answer.map_err(|failure| failure.at(&self.endpoint, &format!("logs of block {block}")))
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
            let size = self.batch.get().min(rest.len());
            let (chunk, later) = rest.split_at(size);
            match self.call_chunk(chunk, at).await {
                Ok(part) => {
                    outcomes.extend(part);
                    rest = later;
                }
                Err(failure) if size > 1 && failure.is_of_size() => {
                    self.shrink_batch(size, &failure);
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

    fn bears_ranges(&self) -> bool {
        self.batch.bears(PAIR)
    }

    async fn wait_for_head(&self) {
        self.client.wait_for_head().await;
    }
}

/// What a failed request for logs was about.
fn logs_asked(range: &RangeInclusive<u64>) -> String {
    format!("logs of blocks {} to {}", range.start(), range.end())
}
