//! The file form of a recording, and the checks under which it is loaded.
//!
//! Gzip over JSON lines: a preamble, then one line per block in the order of play. A block's line holds only those header fields that
//! differ from the preamble's model; the parent hash, the logs bloom and the block's own hash are never stored but computed, and the
//! hash at the end of every branch must be the one that the preamble names. So a wrong header field, log address or topic anywhere
//! is an error at the start and not a strange answer later. `tests/contracts/record.mjs` writes this form.

use std::collections::HashMap;
use std::io::Read;

use alloy::consensus::Header as ConsensusHeader;
use alloy::primitives::{Address, B256, Bloom, BloomInput, Bytes};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::play::FINALIZED_DEPTH;
use super::recording::{
    AgentAnswer, CodeChange, Moment, RecordedBlock, RecordedLog, RecordedRegistry, Recording,
    StorageWord, Tour,
};
use crate::vocab::{BlockRef, ChainId, RawLog, RegistryKind, UnixSeconds};

/// The name of this form, first in every file.
const FORMAT: &str = "hallmark-recording/1";
/// No recording is larger once unpacked.
pub(super) const UNPACKED_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Why a recording cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file is not gzip over UTF-8 text of a bearable size.
    #[error("the recorded chain cannot be unpacked: {0}")]
    Packing(String),
    /// A line cannot be read.
    #[error("line {line} of the recorded chain cannot be read")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The lines do not belong together.
    #[error("the recorded chain does not hold together: {0}")]
    Inconsistent(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preamble {
    format: String,
    chain_id: u64,
    registries: Vec<RegistryLine>,
    start_block: u64,
    opening_count: usize,
    /// The last block's hash of every branch, in the order of play.
    tips: Vec<B256>,
    tour: Tour,
    /// The model of every header.
    header: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistryLine {
    kind: String,
    address: Address,
    implementation: Address,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockLine {
    number: u64,
    /// The fields that differ from the model.
    header: Map<String, Value>,
    #[serde(default)]
    transactions: Vec<B256>,
    #[serde(default)]
    logs: Vec<LogLine>,
    #[serde(default)]
    agents: Vec<AgentAnswer>,
    #[serde(default)]
    words: Vec<StorageWord>,
    #[serde(default)]
    codes: Vec<CodeChange>,
    #[serde(default)]
    moments: Vec<Moment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogLine {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    /// The index of its transaction among the block's.
    transaction: usize,
}

/// Unpacks a file into its text.
pub(super) fn unpack(packed: &[u8]) -> Result<String, RecordingError> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed)
        .take(UNPACKED_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| RecordingError::Packing(error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > UNPACKED_BYTES_MAX) {
        return Err(RecordingError::Packing(format!("it is over {UNPACKED_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| RecordingError::Packing(error.to_string()))
}

/// Reads the text of a recording and checks that it holds together.
pub(super) fn read(text: &str) -> Result<Recording, RecordingError> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let (line, first) = lines.next().ok_or_else(|| inconsistent("it is empty"))?;
    let preamble: Preamble = parse(line, first)?;
    if preamble.format != FORMAT {
        return Err(inconsistent(format!("its form is `{}`, not `{FORMAT}`", preamble.format)));
    }
    let mut blocks: Vec<RecordedBlock> = Vec::new();
    let mut canonical: Vec<usize> = Vec::new();
    let mut tips = Vec::new();
    for (line, text) in lines {
        let wire: BlockLine = parse(line, text)?;
        let parent = match place(&wire, &blocks, &mut canonical, &mut tips)? {
            Some(index) => blocks.get(index).map_or(B256::ZERO, |block| block.hash),
            None => B256::ZERO,
        };
        canonical.push(blocks.len());
        blocks.push(build(line, wire, parent, &preamble.header)?);
    }
    tips.extend(blocks.last().map(|block| block.hash));
    assemble(preamble, blocks, &tips)
}

/// Finds the parent of the next block, dropping from `canonical` what a reorganisation replaces.
fn place(
    wire: &BlockLine,
    blocks: &[RecordedBlock],
    canonical: &mut Vec<usize>,
    tips: &mut Vec<B256>,
) -> Result<Option<usize>, RecordingError> {
    let number = usize::try_from(wire.number).unwrap_or(usize::MAX);
    if number > canonical.len() {
        return Err(inconsistent(format!(
            "block {number} stands where {} belongs",
            canonical.len()
        )));
    }
    let depth = canonical.len() - number;
    if depth == 0 {
        return Ok(canonical.last().copied());
    }
    if number == 0 || u64::try_from(depth).is_ok_and(|depth| depth >= FINALIZED_DEPTH) {
        return Err(inconsistent(format!("block {number} replaces finalized blocks")));
    }
    tips.extend(blocks.last().map(|block| block.hash));
    canonical.truncate(number);
    Ok(canonical.last().copied())
}

fn build(
    line: usize,
    wire: BlockLine,
    parent_hash: B256,
    model: &Map<String, Value>,
) -> Result<RecordedBlock, RecordingError> {
    let mut fields = model.clone();
    fields.extend(wire.header);
    let bloom = bloom_of(&wire.logs);
    fields.insert("number".into(), format!("{:#x}", wire.number).into());
    fields.insert("parentHash".into(), parent_hash.to_string().into());
    fields.insert("logsBloom".into(), bloom.to_string().into());
    let header: ConsensusHeader = serde_json::from_value(Value::Object(fields))
        .map_err(|source| RecordingError::Line { line, source })?;
    let block = BlockRef { number: wire.number, hash: header.hash_slow() };
    let time = UnixSeconds::new(header.timestamp)
        .ok_or_else(|| inconsistent(format!("block {block} has no time of this era")))?;
    let mut logs = Vec::with_capacity(wire.logs.len());
    for (index, log) in wire.logs.into_iter().enumerate() {
        let tx_hash = wire.transactions.get(log.transaction).copied();
        let (Some(tx_hash), Ok(log_index)) = (tx_hash, u32::try_from(index)) else {
            return Err(inconsistent(format!("log {index} of block {block} has no transaction")));
        };
        let LogLine { address, topics, data, transaction } = log;
        let raw =
            RawLog { address, topics, data, block, block_time: Some(time), tx_hash, log_index };
        logs.push(RecordedLog { raw, transaction_index: transaction });
    }
    Ok(RecordedBlock {
        hash: block.hash,
        header,
        time,
        transactions: wire.transactions,
        logs,
        agents: wire.agents,
        words: wire.words,
        codes: wire.codes,
        moments: wire.moments,
    })
}

fn bloom_of(logs: &[LogLine]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for log in logs {
        bloom.accrue(BloomInput::Raw(log.address.as_slice()));
        for topic in &log.topics {
            bloom.accrue(BloomInput::Raw(topic.as_slice()));
        }
    }
    bloom
}

fn assemble(
    preamble: Preamble,
    blocks: Vec<RecordedBlock>,
    tips: &[B256],
) -> Result<Recording, RecordingError> {
    if tips != preamble.tips {
        return Err(inconsistent(format!(
            "its branches end in {tips:?}, and the preamble names {:?}",
            preamble.tips
        )));
    }
    check_play(&blocks, preamble.opening_count)?;
    if preamble.registries.len() != RegistryKind::ALL.len() {
        return Err(inconsistent("it has registries of no known kind, or too few"));
    }
    let mut registries = Vec::new();
    for kind in RegistryKind::ALL {
        let mut of_kind = preamble.registries.iter().filter(|line| line.kind == kind.as_str());
        let (Some(line), None) = (of_kind.next(), of_kind.next()) else {
            return Err(inconsistent(format!("it has not exactly one {} registry", kind.as_str())));
        };
        let RegistryLine { address, implementation, .. } = *line;
        registries.push(RecordedRegistry { kind, address, implementation });
    }
    let by_hash: HashMap<_, _> =
        blocks.iter().enumerate().map(|(index, block)| (block.hash, index)).collect();
    Ok(Recording {
        chain: ChainId(preamble.chain_id),
        registries,
        start_block: preamble.start_block,
        opening_count: preamble.opening_count,
        tour: preamble.tour,
        blocks,
        by_hash,
    })
}

/// The opening is one straight branch, and what replaces a branch is at least as long, since no node goes to a shorter chain.
fn check_play(blocks: &[RecordedBlock], opening_count: usize) -> Result<(), RecordingError> {
    let straight = |(index, block): (usize, &RecordedBlock)| {
        u64::try_from(index).is_ok_and(|number| number == block.number())
    };
    let opening = blocks.iter().enumerate().take(opening_count);
    if opening_count == 0 || opening_count > blocks.len() || !opening.clone().all(straight) {
        return Err(inconsistent(format!("its opening is not {opening_count} blocks in a row")));
    }
    let mut height = 0;
    let mut last = 0;
    for block in blocks {
        let starts_a_branch = block.number() <= last && last != 0;
        if starts_a_branch && last < height {
            return Err(inconsistent(format!("the branch that ends at block {last} is too short")));
        }
        last = block.number();
        height = height.max(last);
    }
    if last < height {
        return Err(inconsistent(format!("the branch that ends at block {last} is too short")));
    }
    Ok(())
}

fn parse<'a, T: Deserialize<'a>>(line: usize, text: &'a str) -> Result<T, RecordingError> {
    serde_json::from_str(text).map_err(|source| RecordingError::Line { line, source })
}

fn inconsistent(what: impl Into<String>) -> RecordingError {
    RecordingError::Inconsistent(what.into())
}
