//! What the demo's node answers: a pure function of how far the recording has been shown, a method and its parameters.
//!
//! It covers what a follower asks: chain id, head, headers, logs, code, storage words and the identity registry's reads. Whatever the
//! recording does not hold is refused by name; nothing is made up. `node` puts this behind a port.

use alloy::primitives::{B256, Bytes};
use serde_json::{Value, json};

use super::play::Play;
use super::recording::RecordedBlock;
use super::{calls, logs, request};

/// A JSON-RPC 2.0 error, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// The code: JSON-RPC's own, or one that Ethereum nodes use.
    pub code: i64,
    /// For people; followers read the wording of range errors too.
    pub message: String,
    /// What a reverted call returned.
    pub data: Option<Bytes>,
}

impl RpcError {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(super) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    pub(super) fn server(message: impl Into<String>) -> Self {
        Self::new(-32000, message)
    }

    pub(super) fn reverted(data: Vec<u8>) -> Self {
        Self { code: 3, message: "execution reverted".into(), data: Some(data.into()) }
    }

    /// The `error` member of a response.
    pub fn to_json(&self) -> Value {
        match &self.data {
            None => json!({"code": self.code, "message": self.message}),
            Some(data) => json!({"code": self.code, "message": self.message, "data": data}),
        }
    }
}

/// Answers one request.
///
/// # Errors
/// With a JSON-RPC error, worded and numbered as common nodes do: unknown methods, malformed parameters, ranges that are too wide or
/// reach beyond the head, unknown block hashes, reverted calls, and reads that the recording does not hold.
pub fn answer(play: &Play, method: &str, params: &[Value]) -> Result<Value, RpcError> {
    match method {
        "eth_chainId" => Ok(quantity(play.recording().chain().0)),
        "net_version" => Ok(play.recording().chain().0.to_string().into()),
        "web3_clientVersion" => Ok(concat!("hallmark-demo/v", env!("CARGO_PKG_VERSION")).into()),
        "eth_syncing" => Ok(false.into()),
        "eth_blockNumber" => Ok(quantity(play.head())),
        "eth_getBlockByNumber" => {
            let tag: String = request::param(params, 0, "a tag or a hex number")?;
            block(play.block(request::number(play, &tag)?), params)
        }
        "eth_getBlockByHash" => {
            let hash: B256 = request::param(params, 0, "a block hash")?;
            block(play.block_by_hash(&hash), params)
        }
        "eth_getLogs" => logs::get(play, params),
        "eth_getCode" => calls::code(play, params),
        "eth_getStorageAt" => calls::storage(play, params),
        "eth_call" => calls::call(play, params),
        _ => Err(RpcError::new(-32601, "the method does not exist or is not in the recording")),
    }
}

/// A block with the hashes of its transactions; whole transactions are not recorded.
fn block(found: Option<&RecordedBlock>, params: &[Value]) -> Result<Value, RpcError> {
    let whole = match params.get(1) {
        None | Some(Value::Null) => false,
        Some(_) => request::param(params, 1, "a boolean")?,
    };
    let Some(block) = found else { return Ok(Value::Null) };
    if whole && !block.transactions.is_empty() {
        return Err(RpcError::invalid_params("whole transactions are not in the recording"));
    }
    let mut answer = serde_json::to_value(&block.header)
        .map_err(|error| RpcError::new(-32603, error.to_string()))?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("hash".into(), json!(block.hash));
        fields.insert("transactions".into(), json!(block.transactions));
        fields.insert("uncles".into(), json!([]));
        fields.insert("withdrawals".into(), json!([]));
    }
    Ok(answer)
}

/// A number in the form that Ethereum's JSON-RPC calls a quantity.
pub(super) fn quantity(number: u64) -> Value {
    format!("{number:#x}").into()
}
