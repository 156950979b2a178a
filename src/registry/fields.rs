//! Reading a log's topics and data field by field, and saying which field was wrong.
//!
//! Reads as Solidity's `abi.decode` does: words must fit their type, offsets and lengths must stay inside the data, and what else the
//! data may hold (bytes after the end, gaps, overlaps, missing or dirty padding) is no fault, since every reader of the chain takes
//! such data alike. Solidity strings are read as the bytes they are. Byte strings are borrowed until they are known to lie inside the
//! data, so a length that lies costs no memory. Fields must be asked for in the order they are declared.

use std::slice;

use alloy::primitives::{Address, B256, Bytes, I256, U256, keccak256};
use alloy::sol_types::abi::Decoder;
use alloy::sol_types::abi::token::{PackedSeqToken, WordToken};

use super::topics::KnownEvent;
use crate::vocab::{AgentId, RawLog, RegistryKind};

/// Why a log is not an event of its registry. The log itself is sound: keep it as it is, and count it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// An anonymous event; the registries have none.
    #[error("the log has no topics")]
    NoTopics,
    /// No known event form of this kind of registry has this topic 0.
    #[error("topic {topic0} is no event of the {} registry", kind.as_str())]
    UnknownTopic {
        /// What the registry is.
        kind: RegistryKind,
        /// The log's first topic.
        topic0: B256,
    },
    /// Other parameters are indexed than in the registries, as in the `Transfer` of ERC-20.
    #[error("{event} has {found} topics, not {expected}")]
    TopicCount {
        /// The event.
        event: &'static str,
        /// How many topics its logs have.
        expected: usize,
        /// How many this one has.
        found: usize,
    },
    /// The data ends before the field, or the field's offset or length points outside of it.
    #[error(
        "{event} is malformed at `{field}`: it does not lie within the {data_len} bytes of data"
    )]
    Malformed {
        /// The event.
        event: &'static str,
        /// The first field that cannot be read.
        field: &'static str,
        /// How long the data is.
        data_len: usize,
    },
    /// A word holds more than its type can, such as an address with a non-zero upper half.
    #[error("{event} has `{field}` out of range: {word} is no {type_name}")]
    OutOfRange {
        /// The event.
        event: &'static str,
        /// The field.
        field: &'static str,
        /// What stands there.
        word: B256,
        /// What should.
        type_name: &'static str,
    },
    /// An indexed string's topic is not the hash of the same string in the data; no compiled contract can emit this.
    #[error("{event} has `{field}` {topic}, which is not the hash of the text beside it")]
    HashMismatch {
        /// The event.
        event: &'static str,
        /// The indexed field.
        field: &'static str,
        /// The hash that stands there.
        topic: B256,
    },
}

/// The topics and the data of one log, each read from front to back.
pub(super) struct Fields<'log> {
    event: &'static KnownEvent,
    topics: slice::Iter<'log, B256>,
    topic_count: usize,
    data: Decoder<'log, 'static>,
    data_len: usize,
}

impl<'log> Fields<'log> {
    /// Starts after topic 0, if the log has as many topics as the event.
    pub(super) fn open(event: &'static KnownEvent, log: &'log RawLog) -> Result<Self, DecodeError> {
        let fields = Self {
            event,
            topics: log.topics.get(1..).unwrap_or_default().iter(),
            topic_count: log.topics.len(),
            data: Decoder::new(&log.data),
            data_len: log.data.len(),
        };
        if fields.topic_count != event.topic_count {
            return Err(fields.wrong_topic_count());
        }
        Ok(fields)
    }

    /// The next indexed field.
    pub(super) fn topic(&mut self, field: &'static str) -> Result<Word, DecodeError> {
        match self.topics.next() {
            Some(word) => Ok(Word { event: self.event.name(), field, value: *word }),
            None => Err(self.wrong_topic_count()),
        }
    }

    /// The next field of the data, of a type that fills one word.
    pub(super) fn word(&mut self, field: &'static str) -> Result<Word, DecodeError> {
        match self.data.decode::<WordToken>() {
            Ok(token) => Ok(Word { event: self.event.name(), field, value: token.0 }),
            Err(_) => Err(self.malformed(field)),
        }
    }

    /// The next field of the data, of type `string` or `bytes`.
    pub(super) fn bytes(&mut self, field: &'static str) -> Result<Bytes, DecodeError> {
        match self.data.decode::<PackedSeqToken<'log>>() {
            Ok(token) => Ok(Bytes::copy_from_slice(token.as_slice())),
            Err(_) => Err(self.malformed(field)),
        }
    }

    fn wrong_topic_count(&self) -> DecodeError {
        DecodeError::TopicCount {
            event: self.event.name(),
            expected: self.event.topic_count,
            found: self.topic_count,
        }
    }

    // The decoder's own error says no more than this, and may quote a hostile word at length.
    fn malformed(&self, field: &'static str) -> DecodeError {
        DecodeError::Malformed { event: self.event.name(), field, data_len: self.data_len }
    }
}

/// A word of a log that has yet to prove its type.
#[derive(Clone, Copy)]
pub(super) struct Word {
    event: &'static str,
    field: &'static str,
    value: B256,
}

impl Word {
    pub(super) const fn hash(self) -> B256 {
        self.value
    }

    pub(super) fn uint256(self) -> U256 {
        self.value.into()
    }

    pub(super) fn int256(self) -> I256 {
        I256::from_raw(self.uint256())
    }

    pub(super) fn agent(self) -> AgentId {
        AgentId(self.uint256())
    }

    pub(super) fn address(self) -> Result<Address, DecodeError> {
        let (padding, address) = self.value.split_at(12);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.out_of_range("address"));
        }
        Ok(Address::from_slice(address))
    }

    pub(super) fn bool(self) -> Result<bool, DecodeError> {
        match self.uint256().try_into() {
            Ok(0_u8) => Ok(false),
            Ok(1_u8) => Ok(true),
            _ => Err(self.out_of_range("bool")),
        }
    }

    pub(super) fn uint8(self) -> Result<u8, DecodeError> {
        self.uint256().try_into().map_err(|_| self.out_of_range("uint8"))
    }

    pub(super) fn uint64(self) -> Result<u64, DecodeError> {
        self.uint256().try_into().map_err(|_| self.out_of_range("uint64"))
    }

    /// A signed 128-bit number: the upper half must repeat its sign.
    pub(super) fn int128(self) -> Result<I256, DecodeError> {
        match i128::try_from(self.int256()) {
            Ok(_) => Ok(self.int256()),
            Err(_) => Err(self.out_of_range("int128")),
        }
    }

    /// An unsigned number that a signed one can hold: the drafts of version 2.0.0 stopped at 10^50.
    pub(super) fn uint255(self) -> Result<I256, DecodeError> {
        I256::try_from(self.uint256()).map_err(|_| self.out_of_range("value below 2^255"))
    }

    /// Checks that this topic is the hash of an indexed string whose text is in the data.
    pub(super) fn must_be_hash_of(self, text: &[u8]) -> Result<(), DecodeError> {
        if keccak256(text) == self.value {
            return Ok(());
        }
        Err(DecodeError::HashMismatch { event: self.event, field: self.field, topic: self.value })
    }

    const fn out_of_range(self, type_name: &'static str) -> DecodeError {
        DecodeError::OutOfRange {
            event: self.event,
            field: self.field,
            word: self.value,
            type_name,
        }
    }
}
