//! The parts that answers are made of.
//!
//! Accounts, agents and hashes are texts; block numbers and log indexes are numbers; whatever can pass 2^53 is a decimal text. Bytes of
//! the chain that claim to be text are shown as text, with their hex beside them where they are not UTF-8.

mod event;
mod json;
mod span;

pub(super) use event::{EventAnswer, Placed, UndecodedLog, decoded, insert_text};
pub(super) use json::{Json, Plain};
pub(super) use span::{
    MetadataSpan, MetadataValue, OperatorSpanAnswer, OwnerSpan, SpanEnds, UriSpan, WalletSpan,
    account_text, entry_of, uri_of,
};

use alloy::primitives::{B256, Bytes, hex};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::error::ApiError;
use crate::identity::Evidence;
use crate::vocab::{BlockRef, BlockStamp, Position, UnixSeconds};

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
    #[schema(value_type = Option<String>)]
    pub(super) hash: Option<B256>,
    /// Its time, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub(super) time: Option<UnixSeconds>,
}

impl From<BlockStamp> for Block {
    fn from(stamp: BlockStamp) -> Self {
        let BlockRef { number, hash } = stamp.block;
        Self { number, hash: Some(hash), time: Some(stamp.time) }
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
    #[schema(value_type = Option<String>)]
    pub(super) tx_hash: Option<B256>,
    /// The block's time; null where the block is not held.
    #[schema(value_type = Option<String>)]
    pub(super) time: Option<UnixSeconds>,
}

impl From<&Evidence> for PositionAnswer {
    fn from(evidence: &Evidence) -> Self {
        let log = evidence.at.log_index;
        Self {
            block: evidence.at.block_number,
            log_index: (log != Position::END_OF_BLOCK).then_some(log),
            tx_hash: evidence.tx_hash,
            time: evidence.time,
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

/// An answer that can be cached, by its [`tag`]; `guard` keeps it back from who has it already.
pub(super) struct Answer<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match written(&self.0) {
            Ok(body) => tagged(body),
            Err(error) => error.into_response(),
        }
    }
}

/// JSON that can be cached, by its [`tag`].
pub(super) fn tagged(json: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, JSON), (header::ETAG, tag(&json))], json).into_response()
}

/// A response in JSON that nobody keeps.
pub(super) fn json(body: &impl Serialize) -> Response {
    match written(body) {
        Ok(body) => untagged(body),
        Err(error) => error.into_response(),
    }
}

/// JSON that nobody keeps.
pub(super) fn untagged(json: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, JSON)], json).into_response()
}

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Half of a digest is enough to tell two answers apart.
const TAG_BYTES: usize = 16;
/// What most answers fit in.
const ANSWER_BYTES: usize = 1024;

fn written(body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES);
    let done = serde_json::to_writer(&mut bytes, body);
    done.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))?;
    Ok(bytes)
}

/// The `ETag` of a body: a digest of it. The body names the block it is as of, so that an answer about another state has another tag.
pub(super) fn tag(body: &[u8]) -> HeaderValue {
    written_tag(&Sha256::digest(body))
}

/// The `ETag` of a body that is served in several media types: of both, since the same bytes in another type are another representation.
pub(super) fn tag_of(media_type: &str, body: &[u8]) -> HeaderValue {
    let digest = Sha256::new().chain_update(media_type).chain_update([0]).chain_update(body);
    written_tag(&digest.finalize())
}

fn written_tag(digest: &[u8]) -> HeaderValue {
    let mut tag = [b'"'; 2 + 2 * TAG_BYTES];
    let hex = tag.get_mut(1..=2 * TAG_BYTES).zip(digest.get(..TAG_BYTES));
    let is_written = hex.is_some_and(|(hex, digest)| hex::encode_to_slice(digest, hex).is_ok());
    match HeaderValue::from_bytes(&tag) {
        Ok(tag) if is_written => tag,
        _ => unreachable!("hex digits in quotes are a header's value"),
    }
}
