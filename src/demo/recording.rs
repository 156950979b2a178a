//! A recorded chain as plain data: blocks in the order in which a node showed them, and what the contracts answered at each.
//!
//! A block whose number is not one past the last opens a reorganisation: it and those after it replace what stood from its number on.
//! Every block's hash is computed from its header and every header's bloom from its logs, so a recording whose parts do not belong
//! together cannot be loaded; `format` does that. Moments are told to people and checked against the answers by tests; nothing is
//! decided by them.

use std::collections::HashMap;

use alloy::consensus::Header as ConsensusHeader;
use alloy::primitives::{Address, B256, Bytes};
use serde::Deserialize;

use super::format::{self, RecordingError};
use crate::vocab::{BlockRef, ChainId, Header, RawLog, RegistryKind, RegistryRef, UnixSeconds};

/// The recording that ships with the program.
pub(super) const SHIPPED: &[u8] = include_bytes!("recording.jsonl.gz");

/// A recorded chain.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(super) chain: ChainId,
    pub(super) registries: Vec<RecordedRegistry>,
    pub(super) start_block: u64,
    pub(super) opening_count: usize,
    pub(super) tour: Tour,
    pub(super) blocks: Vec<RecordedBlock>,
    pub(super) by_hash: HashMap<B256, usize>,
}

/// One of the recorded registries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedRegistry {
    /// Which of the three it is.
    pub kind: RegistryKind,
    /// The proxy's address.
    pub address: Address,
    /// The code behind it at the end of the recording: a known implementation.
    pub implementation: Address,
}

/// One block, with what it changed.
#[derive(Clone, Debug)]
pub struct RecordedBlock {
    /// The whole header, as the chain hashed it.
    pub header: ConsensusHeader,
    /// The header's hash.
    pub hash: B256,
    /// When it was made.
    pub time: UnixSeconds,
    /// The hashes of its transactions, in order.
    pub transactions: Vec<B256>,
    /// All its logs, in order.
    pub logs: Vec<RecordedLog>,
    /// What the identity registry answers from this block on, for each agent whose answer changed.
    pub agents: Vec<AgentAnswer>,
    /// Storage words that changed, of those that were recorded.
    pub words: Vec<StorageWord>,
    /// Contracts that appeared.
    pub codes: Vec<CodeChange>,
    /// What people may want to know of it.
    pub moments: Vec<Moment>,
}

/// One log and its transaction's place in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedLog {
    /// The log.
    pub raw: RawLog,
    /// The index of its transaction among the block's.
    pub transaction_index: usize,
}

/// What the identity registry answered for one agent at the end of a block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentAnswer {
    /// The agent.
    pub agent: u64,
    /// `getAgentWallet`; zero for none.
    pub wallet: Address,
    /// `ownerOf`.
    pub owner: Address,
    /// `tokenURI`, as bytes.
    pub uri: Bytes,
}

/// A storage word at the end of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageWord {
    /// Of which contract.
    pub address: Address,
    /// Which word.
    pub slot: B256,
    /// What it holds from this block on.
    pub value: B256,
}

/// The code of a contract, from its deployment on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeChange {
    /// The contract.
    pub address: Address,
    /// Its code.
    pub code: Bytes,
}

/// Something that happened in a block, in people's terms.
#[expect(missing_docs, reason = "the fields are named as in the registries")]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Moment {
    /// An agent was registered; its wallet is the registrant, unproven.
    Registered { agent: u64, owner: Address },
    /// A new wallet signed for the agent.
    Rotated { agent: u64, from: Address, to: Address },
    /// The wallet was removed.
    Unset { agent: u64, from: Address },
    /// The agent changed hands, which clears its wallet.
    Transferred { agent: u64, from: Address, to: Address },
    /// Somebody judged the agent.
    Feedback { agent: u64, client: Address, value: String, tag: String },
    /// The client took its feedback back.
    FeedbackRevoked { agent: u64, client: Address },
    /// Somebody answered a feedback.
    FeedbackAnswered { agent: u64, client: Address, responder: Address },
    /// The agent's registration file moved.
    UriSet { agent: u64, uri: String },
    /// A validator answered about the agent, 0 to 100.
    Validated { agent: u64, validator: Address, response: u8 },
}

/// The agents and wallets of the opening that are worth asking for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tour {
    /// An agent whose wallet rotates within the opening.
    pub rotating_agent: u64,
    /// A wallet that speaks for several agents at the end of the opening.
    pub shared_wallet: Address,
    /// An agent that is transferred within the opening.
    pub transferred_agent: u64,
    /// An agent with feedback.
    pub rated_agent: u64,
    /// The agent whose rotation the reorganisation undoes.
    pub reorganised_agent: u64,
}

impl Recording {
    /// The recording that ships with the program.
    ///
    /// # Errors
    /// Only when the program was built with a damaged file.
    pub fn shipped() -> Result<Self, RecordingError> {
        Self::read(SHIPPED)
    }

    /// Reads a recording from its file form: gzip over JSON lines, at most 32 MiB once unpacked.
    ///
    /// # Errors
    /// When it cannot be unpacked or read, or its parts do not belong together; the error names the line.
    pub fn read(packed: &[u8]) -> Result<Self, RecordingError> {
        format::read(&format::unpack(packed)?)
    }

    /// The chain's number.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The registries, in the order of [`RegistryKind::ALL`].
    pub fn registries(&self) -> &[RecordedRegistry] {
        &self.registries
    }

    /// The identity registry, which every recording has.
    pub fn identity(&self) -> RegistryRef {
        let address = self
            .registries
            .iter()
            .find(|registry| registry.kind == RegistryKind::Identity)
            .map_or(Address::ZERO, |registry| registry.address);
        RegistryRef { chain: self.chain, address }
    }

    /// The block in which the first registry appeared.
    pub fn start_block(&self) -> u64 {
        self.start_block
    }

    /// How many blocks are there from the start; the others are played.
    pub fn opening_count(&self) -> usize {
        self.opening_count
    }

    /// What is worth asking for.
    pub fn tour(&self) -> &Tour {
        &self.tour
    }

    /// All blocks in the order in which they are shown, orphaned ones included.
    pub fn blocks(&self) -> &[RecordedBlock] {
        &self.blocks
    }

    /// One block, by its place in [`blocks`](Self::blocks).
    pub fn block(&self, index: usize) -> Option<&RecordedBlock> {
        self.blocks.get(index)
    }

    /// The place of the block of a hash, whether it is shown or not.
    pub(super) fn index_of(&self, hash: &B256) -> Option<usize> {
        self.by_hash.get(hash).copied()
    }
}

impl RecordedBlock {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.header.number
    }

    /// Its number and hash.
    pub fn block(&self) -> BlockRef {
        BlockRef { number: self.header.number, hash: self.hash }
    }

    /// The part of its header that following needs.
    pub fn short_header(&self) -> Header {
        Header {
            block: self.block(),
            parent_hash: self.header.parent_hash,
            time: self.time,
            logs_bloom: self.header.logs_bloom,
        }
    }
}
