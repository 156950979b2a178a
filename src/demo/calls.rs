//! Reads of state at the end of a shown block: code, storage words, and the identity registry's answers.
//!
//! The contracts' own answers were recorded wherever they changed, so a read is a search backwards along the canonical chain. Only
//! the reads listed here are held; any other is refused by name rather than answered by a guess.

use alloy::primitives::{Address, Bytes};
use alloy::sol;
use alloy::sol_types::{SolCall, SolError, SolValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::RpcError;
use super::play::Play;
use super::recording::AgentAnswer;
use super::request;
use crate::registry::contract_wallet::{ContractSays, asked_of, word_of};

sol! {
    function getAgentWallet(uint256 agentId) external view returns (address);
    function ownerOf(uint256 tokenId) external view returns (address);
    function tokenURI(uint256 tokenId) external view returns (string);
    error ERC721NonexistentToken(uint256 tokenId);
}

/// The fields of a call that matter to a read; who calls, and with which gas, does not.
#[derive(Deserialize)]
struct Call {
    to: Option<Address>,
    input: Option<Bytes>,
    data: Option<Bytes>,
}

pub(super) fn code(play: &Play, params: &[Value]) -> Result<Value, RpcError> {
    let of = request::address(params, 0)?;
    let at = request::state_block(play, params, 1)?.number();
    Ok(json!(code_at(play, of, at)))
}

/// The code of an account at the end of block `at`; empty where none was recorded.
fn code_at(play: &Play, of: Address, at: u64) -> Bytes {
    let mut changes = play.back_from(at).flat_map(|block| &block.codes);
    changes
        .find(|change| change.address == of)
        .map(|change| change.code.clone())
        .unwrap_or_default()
}

pub(super) fn storage(play: &Play, params: &[Value]) -> Result<Value, RpcError> {
    let of = request::address(params, 0)?;
    let slot = request::word(params, 1)?;
    let at = request::state_block(play, params, 2)?.number();
    let is_wanted = |word: &&super::StorageWord| word.address == of && word.slot == slot;
    // A word that was never recorded is not known to be zero; one that is recorded later still is, until then.
    if !play.recording().blocks().iter().flat_map(|block| &block.words).any(|w| is_wanted(&w)) {
        return Err(RpcError::server(format!("slot {slot} of {of} is not in the recording")));
    }
    let word = play.back_from(at).flat_map(|block| &block.words).find(is_wanted);
    Ok(json!(word.map(|word| word.value).unwrap_or_default()))
}

pub(super) fn call(play: &Play, params: &[Value]) -> Result<Value, RpcError> {
    let call: Call = request::param(params, 0, "a call")?;
    let at = request::state_block(play, params, 1)?.number();
    let input = call.input.or(call.data).unwrap_or_default();
    if let (None, Some((account, factory))) = (call.to, asked_of(&input)) {
        return signed_by_nobody(play, account, factory, at).ok_or_else(|| not_recorded(&input));
    }
    if call.to != Some(play.recording().identity().address) {
        return Err(not_recorded(&input));
    }
    let output = if let Ok(call) = getAgentWalletCall::abi_decode(&input) {
        let answer = u64::try_from(call.agentId).ok().and_then(|agent| find(play, agent, at));
        answer.map(|answer| answer.wallet).unwrap_or_default().abi_encode()
    } else if let Ok(call) = ownerOfCall::abi_decode(&input) {
        existing(play, call.tokenId, at)?.owner.abi_encode()
    } else if let Ok(call) = tokenURICall::abi_decode(&input) {
        existing(play, call.tokenId, at)?.uri.abi_encode()
    } else {
        return Err(not_recorded(&input));
    };
    Ok(json!(Bytes::from(output)))
}

/// What a simulated creation finds that asks whether a contract signed. Where no code is, nothing need be run to know it: neither the
/// account nor a factory can answer. `None` where code would have to be run, which this node cannot.
fn signed_by_nobody(play: &Play, account: Address, factory: Address, at: u64) -> Option<Value> {
    if !code_at(play, account, at).is_empty() || !code_at(play, factory, at).is_empty() {
        return None;
    }
    let found = if factory.is_zero() { ContractSays::NoCode } else { ContractSays::NotDeployed };
    Some(json!(word_of(found)))
}

/// The registry's answers for an agent at the end of block `at`; a mint is their beginning.
fn find(play: &Play, agent: u64, at: u64) -> Option<&AgentAnswer> {
    play.back_from(at).flat_map(|block| &block.agents).find(|answer| answer.agent == agent)
}

fn existing(
    play: &Play,
    token: alloy::primitives::U256,
    at: u64,
) -> Result<&AgentAnswer, RpcError> {
    u64::try_from(token)
        .ok()
        .and_then(|agent| find(play, agent, at))
        .ok_or_else(|| RpcError::reverted(ERC721NonexistentToken { tokenId: token }.abi_encode()))
}

fn not_recorded(input: &Bytes) -> RpcError {
    let selector = Bytes::copy_from_slice(input.get(..4).unwrap_or_default());
    RpcError::server(format!("the call {selector} is not in the recording"))
}
