//! `eth_getLogs` over the shown part of a recording.
//!
//! By hash it answers for exactly that block or fails; by range it is bounded like a public provider, so that a follower's adaption to
//! the limit can be seen at work. A range that ends beyond the head, or starts after its end, is an error as in current nodes, never
//! a silently shorter answer.

use alloy::primitives::{Address, B256};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{RpcError, quantity};
use super::play::Play;
use super::recording::{RecordedBlock, RecordedLog};
use super::request;

/// The most blocks that one range may cover, both ends counted.
pub const RANGE_BLOCKS_MAX: u64 = 1_000;
/// The most addresses, or alternatives of one topic, in a filter.
const ALTERNATIVES_MAX: usize = 1_000;
const TOPICS_MAX: usize = 4;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Filter {
    from_block: Option<String>,
    to_block: Option<String>,
    block_hash: Option<B256>,
    address: Option<OneOrMany<Address>>,
    topics: Option<Vec<Option<OneOrMany<B256>>>>,
}

/// One word or several alternatives; an empty list means any.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T: PartialEq> OneOrMany<T> {
    fn allows(&self, word: &T) -> bool {
        match self {
            Self::One(one) => one == word,
            Self::Many(many) => many.is_empty() || many.contains(word),
        }
    }

    fn is_any(&self) -> bool {
        matches!(self, Self::Many(many) if many.is_empty())
    }

    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }
}

pub(super) fn get(play: &Play, params: &[Value]) -> Result<Value, RpcError> {
    let filter: Filter = request::param(params, 0, "a log filter")?;
    filter.check_size()?;
    let mut found = Vec::new();
    if let Some(hash) = filter.block_hash {
        if filter.from_block.is_some() || filter.to_block.is_some() {
            return Err(RpcError::invalid_params("a filter has a block hash or a range, not both"));
        }
        let block = play.block_by_hash(&hash).ok_or_else(|| RpcError::server("unknown block"))?;
        filter.collect(block, &mut found);
        return Ok(found.into());
    }
    let (from, to) = filter.range(play)?;
    for block in (from..=to).filter_map(|number| play.block(number)) {
        filter.collect(block, &mut found);
    }
    Ok(found.into())
}

impl Filter {
    fn check_size(&self) -> Result<(), RpcError> {
        let topics = self.topics.as_deref().unwrap_or_default();
        let too_many = topics.len() > TOPICS_MAX
            || topics.iter().flatten().any(|topic| topic.len() > ALTERNATIVES_MAX)
            || self.address.as_ref().is_some_and(|address| address.len() > ALTERNATIVES_MAX);
        if too_many { Err(RpcError::invalid_params("the filter is too large")) } else { Ok(()) }
    }

    fn range(&self, play: &Play) -> Result<(u64, u64), RpcError> {
        let end = |tag: &Option<String>| match tag {
            Some(tag) => request::number(play, tag),
            None => Ok(play.head()),
        };
        let (from, to) = (end(&self.from_block)?, end(&self.to_block)?);
        if from > to {
            return Err(RpcError::invalid_params("invalid block range params"));
        }
        if to > play.head() {
            let head = play.head();
            return Err(RpcError::invalid_params(format!(
                "block range extends beyond current head block: requested {to}, head {head}"
            )));
        }
        if to - from >= RANGE_BLOCKS_MAX {
            // Worded and numbered like the limit of Base's public endpoint.
            return Err(RpcError::new(
                -32614,
                format!("eth_getLogs is limited to a {RANGE_BLOCKS_MAX} range"),
            ));
        }
        Ok((from, to))
    }

    fn collect(&self, block: &RecordedBlock, found: &mut Vec<Value>) {
        for log in block.logs.iter().filter(|log| self.allows(log)) {
            found.push(to_json(block, log));
        }
    }

    fn allows(&self, log: &RecordedLog) -> bool {
        let topics = self.topics.as_deref().unwrap_or_default();
        self.address.as_ref().is_none_or(|address| address.allows(&log.raw.address))
            && topics.iter().enumerate().all(|(index, wanted)| match wanted {
                None => true,
                Some(wanted) => {
                    wanted.is_any()
                        || log.raw.topics.get(index).is_some_and(|topic| wanted.allows(topic))
                }
            })
    }
}

fn to_json(block: &RecordedBlock, log: &RecordedLog) -> Value {
    json!({
        "address": log.raw.address,
        "topics": log.raw.topics,
        "data": log.raw.data,
        "blockHash": block.hash,
        "blockNumber": quantity(block.number()),
        "blockTimestamp": quantity(block.header.timestamp),
        "transactionHash": log.raw.tx_hash,
        "transactionIndex": format!("{:#x}", log.transaction_index),
        "logIndex": quantity(log.raw.log_index.into()),
        "removed": false,
    })
}
