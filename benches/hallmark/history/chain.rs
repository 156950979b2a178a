//! The synthetic chain as a node's JSON: headers of any block, and the logs of all, rendered once.
//!
//! A block's hash is a function of its number, so that headers need no memory and link. The last eight bytes are the number itself,
//! so that a block can be found by its hash. Blooms are right; they are made when a header is asked for.

use std::io::Write as _;
use std::ops::RangeInclusive;

use alloy::primitives::{B256, Bloom, BloomInput, hex, keccak256};
use alloy::rpc::types::Log;
use axum::body::Bytes;

use super::base::{FINALITY_DEPTH, Size, TAIL_BLOCKS, deployment};
use super::logs::{emitter, logs};
use super::plan::{Placed, Plan};

/// When block 0 of Base was made; a block takes two seconds.
const GENESIS_TIME: u64 = 1_686_789_347;
/// About how many bytes the JSON of a log takes.
const LOG_BYTES: usize = 1_450;

/// Everything a node has to know, as JSON.
pub(crate) struct Chain {
    pub(crate) size: Size,
    /// The logs' JSON, one after the other, each followed by a comma.
    json: Bytes,
    /// Blocks with logs, ascending, each with where its logs begin.
    blocks: Vec<(u64, usize)>,
}

impl Chain {
    pub(crate) fn render(size: Size) -> Self {
        let logs_about = size.agents * 4 + size.sales * 2 + size.wallets + size.feedback;
        let logs_about = usize::try_from(logs_about + TAIL_BLOCKS * 5).expect("they fit in memory");
        let mut json = Vec::with_capacity(logs_about * LOG_BYTES);
        let mut blocks: Vec<(u64, usize)> = Vec::new();
        for placed in Plan::new(size) {
            if blocks.last().is_none_or(|(last, _)| *last != placed.block) {
                blocks.push((placed.block, json.len()));
            }
            render_logs(&placed, &mut json);
        }
        Self { size, json: json.into(), blocks }
    }

    /// The logs of some blocks, without the brackets around them.
    pub(crate) fn logs(&self, range: &RangeInclusive<u64>) -> Bytes {
        let from = self.blocks.partition_point(|(block, _)| block < range.start());
        let to = self.blocks.partition_point(|(block, _)| block <= range.end());
        let offset = |place: usize| self.blocks.get(place).map_or(self.json.len(), |(_, at)| *at);
        if from == to {
            return Bytes::new();
        }
        self.json.slice(offset(from)..offset(to) - 1)
    }

    pub(crate) fn header(&self, number: u64) -> String {
        let hash = hash_of(number);
        let parent = hash_of(number.wrapping_sub(1));
        let bloom = self.bloom(number);
        format!(
            concat!(
                r#"{{"number":"{number:#x}","hash":"{hash}","parentHash":"{parent}","timestamp":"{time:#x}","#,
                r#""logsBloom":"{bloom}","sha3Uncles":"{hash}","miner":"0x4200000000000000000000000000000000000011","#,
                r#""stateRoot":"{hash}","transactionsRoot":"{hash}","receiptsRoot":"{hash}","difficulty":"0x0","#,
                r#""gasLimit":"0x17d78400","gasUsed":"0x2f1a2b3","extraData":"0x","mixHash":"{hash}","#,
                r#""nonce":"0x0000000000000000","baseFeePerGas":"0x4c4b40","size":"0x5a3c","transactions":[],"uncles":[]}}"#
            ),
            number = number,
            hash = hash,
            parent = parent,
            time = time_of(number),
            bloom = bloom,
        )
    }

    fn bloom(&self, number: u64) -> Bloom {
        let json = [b"[", self.logs(&(number..=number)).as_ref(), b"]"].concat();
        let logs: Vec<Log> = serde_json::from_slice(&json).expect("we rendered it");
        let mut bloom = Bloom::ZERO;
        for log in &logs {
            bloom.accrue(BloomInput::Raw(log.address().as_slice()));
            for topic in log.topics() {
                bloom.accrue(BloomInput::Raw(topic.as_slice()));
            }
        }
        bloom
    }
}

/// The hash of a block that ends in its number.
pub(crate) fn hash_of(number: u64) -> B256 {
    let mut hash = keccak256(number.to_be_bytes());
    hash.0[24..].copy_from_slice(&number.to_be_bytes());
    hash
}

/// The number in a hash, where it is one of ours.
pub(crate) fn number_of(hash: B256) -> Option<u64> {
    let number = u64::from_be_bytes(hash.0[24..].try_into().ok()?);
    (hash_of(number) == hash).then_some(number)
}

fn time_of(number: u64) -> u64 {
    GENESIS_TIME + 2 * number
}

/// The final block where a block is the head.
pub(crate) fn finalized_below(head: u64) -> u64 {
    head - FINALITY_DEPTH
}

fn render_logs(placed: &Placed, json: &mut Vec<u8>) {
    let address = deployment().registry(emitter(&placed.action)).address;
    for (log, log_index) in logs(&placed.action).iter().zip(placed.first_log..) {
        let topics: Vec<_> = log.topics().iter().map(|topic| format!("\"{topic}\"")).collect();
        write!(
            json,
            concat!(
                r#"{{"address":"{:#x}","topics":[{}],"data":"{}","blockNumber":"{:#x}","#,
                r#""blockHash":"{}","blockTimestamp":"{:#x}","transactionHash":"{}","#,
                r#""transactionIndex":"{:#x}","logIndex":"{:#x}","removed":false}},"#
            ),
            address,
            topics.join(","),
            hex::encode_prefixed(&log.data),
            placed.block,
            hash_of(placed.block),
            time_of(placed.block),
            placed.tx,
            placed.first_log / 3,
            log_index,
        )
        .expect("memory takes all");
    }
}
