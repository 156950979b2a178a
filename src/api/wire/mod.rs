//! The parts that answers are made of.
//!
//! Accounts, agents and hashes are texts; block numbers and log indexes are numbers; whatever can pass 2^53 is a decimal text. Bytes of
//! the chain that claim to be text are shown as text, with their hex beside them where they are not UTF-8.

mod event;
mod span;

pub(super) use event::{EventAnswer, Placed, UndecodedLog, decoded, insert_text};
pub(super) use span::{
    MetadataSpan, MetadataValue, OperatorSpanAnswer, OwnerSpan, SpanEnds, UriSpan, WalletSpan,
    account_text, entry_of, uri_of,
};

use alloy::primitives::{Bytes, hex};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::identity::Evidence;
use crate::vocab::{BlockStamp, Position};

/// As of which block an answer holds, how settled that block was, and how much had been taken in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AsOf {
    /// The chain, CAIP-2.
    #[schema(example = "eip155:8453")]
    pub(super) chain: String,
    /// The block at whose end the answer holds.
    pub(super) block: Block,
    /// How settled the block was: `latest`, `safe` or `finalized`.
    pub(super) finality: &'static str,
    /// How many records the intake log held.
    pub(super) log_size: u64,
}

/// A block. Hash and time are null where the block itself is not held: below the finalized block, only blocks with events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Block {
    /// Its number.
    pub(super) number: u64,
    /// Its hash.
    pub(super) hash: Option<String>,
    /// Its time, RFC 3339.
    pub(super) time: Option<String>,
}

impl From<BlockStamp> for Block {
    fn from(stamp: BlockStamp) -> Self {
        let (number, hash) = (stamp.block.number, Some(stamp.block.hash.to_string()));
        Self { number, hash, time: Some(stamp.time.to_string()) }
    }
}

/// Where in the chain something happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Position)]
pub(super) struct PositionAnswer {
    /// The block's number.
    pub(super) block: u64,
    /// The log's index in the block; null where the contract was asked at the end of the block.
    pub(super) log_index: Option<u32>,
    /// The transaction; null where the contract was asked.
    pub(super) tx_hash: Option<String>,
    /// The block's time; null where the block is not held.
    pub(super) time: Option<String>,
}

impl From<&Evidence> for PositionAnswer {
    fn from(evidence: &Evidence) -> Self {
        let log = evidence.at.log_index;
        Self {
            block: evidence.at.block_number,
            log_index: (log != Position::END_OF_BLOCK).then_some(log),
            tx_hash: evidence.tx_hash.map(|hash| hash.to_string()),
            time: evidence.time.map(|time| time.to_string()),
        }
    }
}

/// Bytes of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BytesAnswer {
    /// As `0x` hex.
    pub(super) hex: String,
    /// As text; null where they are not UTF-8.
    pub(super) text: Option<String>,
}

impl From<&Bytes> for BytesAnswer {
    fn from(bytes: &Bytes) -> Self {
        let text = std::str::from_utf8(bytes).ok().map(str::to_owned);
        Self { hex: hex::encode_prefixed(bytes), text }
    }
}

/// Bytes that claim to be text: the text, and their hex where they are not UTF-8.
pub(super) fn text_and_hex(bytes: &Bytes) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (String::from_utf8_lossy(bytes).into_owned(), Some(hex::encode_prefixed(bytes))),
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing<T> {
    /// The items, in the list's order.
    pub(super) items: Vec<T>,
    /// What to pass as `cursor` for the next page; null at the end. Each page is answered as of its own block: pass the first page's
    /// block as `at` where all pages must be of one state.
    pub(super) next: Option<String>,
    /// As of which block the page holds.
    pub(super) as_of: AsOf,
}

/// An answer that can be cached: `guard::conditional` gives it an `ETag`.
pub(super) struct Answer<T>(pub(super) T);

/// Marks a response as one that can be cached.
#[derive(Clone, Copy)]
pub(super) struct Cacheable;

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = json(&self.0);
        if response.status().is_success() {
            response.extensions_mut().insert(Cacheable);
        }
        response
    }
}

/// A response in JSON.
pub(super) fn json(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => {
            let json = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, json)], body).into_response()
        }
        Err(error) => ApiError::internal(format!("cannot write JSON: {error}")).into_response(),
    }
}
