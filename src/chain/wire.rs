//! What nodes write, and the checks that make values of it.
//!
//! Headers are read without transactions, so that no transaction type can break reading. Pending blocks (no hash, no number), removed
//! logs, logs outside of what was asked and numbers that storage cannot hold are refused, each with a reason.

use std::ops::RangeInclusive;

use alloy::primitives::{Address, B256, Bloom, Bytes, U64};
use serde::Deserialize;
use serde_json::{Value, json};

use super::source::{BlockTag, LogFilter, TopicWords};
use crate::vocab::{BlockRef, Header, Position, RawLog, UnixSeconds};

/// A block, as far as it is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireHeader {
    number: Option<U64>,
    hash: Option<B256>,
    parent_hash: B256,
    timestamp: U64,
    logs_bloom: Option<Bloom>,
}

impl WireHeader {
    /// Its hash; a pending block has none.
    pub(crate) const fn hash(&self) -> Option<B256> {
        self.hash
    }
}

/// A log.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: Option<U64>,
    block_hash: Option<B256>,
    transaction_hash: Option<B256>,
    log_index: Option<U64>,
    block_timestamp: Option<U64>,
    removed: Option<bool>,
}

/// Makes a header of what was read.
pub(crate) fn header(wire: &WireHeader) -> Result<Header, String> {
    let (Some(number), Some(hash), Some(logs_bloom)) = (wire.number, wire.hash, wire.logs_bloom)
    else {
        return Err("the block is pending: it has no number, hash or bloom".to_owned());
    };
    Ok(Header {
        block: BlockRef { number: block_number(number)?, hash },
        parent_hash: wire.parent_hash,
        time: time(wire.timestamp)?,
        logs_bloom,
    })
}

/// Makes a header, and holds its number against the one asked for.
pub(crate) fn header_at(wire: &WireHeader, number: u64) -> Result<Header, String> {
    let header = header(wire)?;
    if header.block.number == number {
        Ok(header)
    } else {
        Err(format!("block {} came for block {number}", header.block))
    }
}

/// Makes logs of what was read: ascending, each once, of the filter, within `range`, and of one hash per block.
///
/// A log that came twice with equal content is taken once: some providers repeat logs at the seams of their own databases, and the
/// position tells that nothing is lost. Two different logs at one position are refused.
pub(crate) fn logs(
    wire: Vec<WireLog>,
    filter: &LogFilter,
    range: &RangeInclusive<u64>,
) -> Result<Vec<RawLog>, String> {
    let mut logs = Vec::with_capacity(wire.len());
    for log in wire {
        let log = one_log(log)?;
        let number = log.block.number;
        if !range.contains(&number) {
            return Err(format!("a log of block {number} is outside of the range asked for"));
        }
        if !is_wanted(&log, filter) {
            return Err(format!("a log of block {number} by {} was not asked for", log.address));
        }
        logs.push(log);
    }
    logs.sort_by_key(RawLog::position);
    logs.dedup();
    for (log, next) in logs.iter().zip(logs.iter().skip(1)) {
        if log.block.number == next.block.number && log.block.hash != next.block.hash {
            return Err(format!("logs of block {} and of block {}", log.block, next.block));
        }
        if log.position() == next.position() {
            let (block, index) = (log.block.number, log.log_index);
            return Err(format!("two different logs of block {block} at index {index}"));
        }
        if log.block.number == next.block.number && log.block_time != next.block_time {
            return Err(format!("logs of block {} with different times", log.block));
        }
    }
    Ok(logs)
}

fn one_log(wire: WireLog) -> Result<RawLog, String> {
    if wire.removed == Some(true) {
        return Err("a removed log".to_owned());
    }
    let (Some(number), Some(hash), Some(tx_hash), Some(log_index)) =
        (wire.block_number, wire.block_hash, wire.transaction_hash, wire.log_index)
    else {
        return Err("a pending log: it has no block, transaction or index".to_owned());
    };
    let number = block_number(number)?;
    if wire.topics.len() > 4 {
        return Err(format!("a log of block {number} with {} topics", wire.topics.len()));
    }
    let log_index = u32::try_from(log_index.to::<u64>())
        .ok()
        .filter(|index| *index != Position::END_OF_BLOCK)
        .ok_or_else(|| format!("a log of block {number} with index {log_index}"))?;
    // Some nodes write zero where they know no time.
    let block_time = match wire.block_timestamp.map(|time| time.to::<u64>()) {
        None | Some(0) => None,
        Some(seconds) => Some(time(U64::from(seconds))?),
    };
    Ok(RawLog {
        address: wire.address,
        topics: wire.topics,
        data: wire.data,
        block: BlockRef { number, hash },
        block_time,
        tx_hash,
        log_index,
    })
}

fn is_wanted(log: &RawLog, filter: &LogFilter) -> bool {
    let topic_fits = || log.topics.first().is_some_and(|first| filter.topics.contains(first));
    filter.addresses.contains(&log.address) && (filter.topics.is_empty() || topic_fits())
}

fn block_number(number: U64) -> Result<u64, String> {
    let number = number.to::<u64>();
    if number <= Position::BLOCK_MAX {
        Ok(number)
    } else {
        Err(format!("block number {number} is above {}", Position::BLOCK_MAX))
    }
}

fn time(seconds: U64) -> Result<UnixSeconds, String> {
    let seconds = seconds.to::<u64>();
    UnixSeconds::new(seconds).ok_or_else(|| format!("block time {seconds} is past the year 9999"))
}

/// `eth_getLogs` over a range.
pub(crate) fn range_params(
    filter: &LogFilter,
    words: &TopicWords,
    range: &RangeInclusive<u64>,
) -> Value {
    let mut params = filter_params(filter);
    if let Some(last) = words.0.iter().rposition(|words| !words.is_empty()) {
        let any = |words: &Vec<B256>| if words.is_empty() { Value::Null } else { json!(words) };
        let topics = std::iter::once(&filter.topics).chain(words.0.iter().take(last + 1));
        params.insert("topics".to_owned(), topics.map(any).collect());
    }
    params.insert("fromBlock".to_owned(), quantity(*range.start()));
    params.insert("toBlock".to_owned(), quantity(*range.end()));
    json!([params])
}

/// `eth_getLogs` of one block (EIP-234).
pub(crate) fn block_params(filter: &LogFilter, hash: B256) -> Value {
    let mut params = filter_params(filter);
    params.insert("blockHash".to_owned(), json!(hash));
    json!([params])
}

fn filter_params(filter: &LogFilter) -> serde_json::Map<String, Value> {
    let mut params = serde_json::Map::new();
    params.insert("address".to_owned(), json!(filter.addresses));
    if !filter.topics.is_empty() {
        params.insert("topics".to_owned(), json!([filter.topics]));
    }
    params
}

/// A number as nodes read it: hexadecimal, without leading zeros.
pub(crate) fn quantity(number: u64) -> Value {
    Value::String(format!("{number:#x}"))
}

/// A block as a parameter of state queries (EIP-1898).
pub(crate) fn state_at(tag: BlockTag) -> Value {
    match tag {
        BlockTag::Latest => json!("latest"),
        BlockTag::Safe => json!("safe"),
        BlockTag::Finalized => json!("finalized"),
        BlockTag::Number(number) => quantity(number),
        BlockTag::Hash(hash) => json!({ "blockHash": hash }),
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
