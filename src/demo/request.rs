//! Reading the parameters of a JSON-RPC request: which block is meant, and words of fixed size.
//!
//! Parameters come from outside: each is read into a type or refused with the standard's "invalid params". The `pending` block is
//! refused, since a block that may still change must never be indexed.

use alloy::primitives::{Address, B256};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::RpcError;
use super::play::Play;
use super::recording::RecordedBlock;

/// Reads parameter `index` as a value of fixed form.
pub(super) fn param<T: DeserializeOwned>(
    params: &[Value],
    index: usize,
    what: &str,
) -> Result<T, RpcError> {
    let value = params
        .get(index)
        .ok_or_else(|| RpcError::invalid_params(format!("missing parameter {index}: {what}")))?;
    serde_json::from_value(value.clone())
        .map_err(|_| RpcError::invalid_params(format!("parameter {index} is not {what}")))
}

/// An address parameter.
pub(super) fn address(params: &[Value], index: usize) -> Result<Address, RpcError> {
    param(params, index, "an address")
}

/// A word that may be written short, such as the storage slot `0x0`.
pub(super) fn word(params: &[Value], index: usize) -> Result<B256, RpcError> {
    param::<alloy::primitives::U256>(params, index, "a storage slot").map(B256::from)
}

/// A quantity: `0x` and hex digits without leading zeros are asked for; leading zeros are borne.
pub(super) fn quantity(text: &str) -> Result<u64, RpcError> {
    text.strip_prefix("0x")
        .filter(|digits| !digits.starts_with('+'))
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| RpcError::invalid_params("a block is named by a tag or a hex number"))
}

/// The number that a block tag or hex number names; it may lie beyond the head.
pub(super) fn number(play: &Play, tag: &str) -> Result<u64, RpcError> {
    match tag {
        "latest" => Ok(play.head()),
        "safe" => Ok(play.safe()),
        "finalized" => Ok(play.finalized()),
        "earliest" => Ok(0),
        "pending" => Err(RpcError::invalid_params("the pending block is never served")),
        hex => quantity(hex),
    }
}

/// The block at whose end a state is read: a tag, a number, or EIP-1898's `{"blockHash"}` or `{"blockNumber"}`; the head by default.
pub(super) fn state_block<'a>(
    play: &'a Play,
    params: &[Value],
    index: usize,
) -> Result<&'a RecordedBlock, RpcError> {
    let found = match params.get(index) {
        None | Some(Value::Null) => play.block(play.head()),
        Some(Value::String(tag)) => play.block(number(play, tag)?),
        Some(Value::Object(fields)) => match (fields.get("blockHash"), fields.get("blockNumber")) {
            (Some(hash), None) => {
                let hash: B256 = param(std::slice::from_ref(hash), 0, "a block hash")?;
                play.block_by_hash(&hash)
            }
            (None, Some(Value::String(tag))) => play.block(number(play, tag)?),
            _ => return Err(RpcError::invalid_params("name a block by its hash or its number")),
        },
        Some(_) => {
            return Err(RpcError::invalid_params("a block is named by a tag or a hex number"));
        }
    };
    found.ok_or_else(|| RpcError::server("header not found"))
}
