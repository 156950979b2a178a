//! The number of a feedback, read without the rest: for whoever looks at every log and wants nothing else of it.

use alloy::primitives::{Address, B256, U256};

use super::topics;
use crate::vocab::{AgentId, RawLog, RegistryKind};

/// Which feedback a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackNumber {
    /// Of whom.
    pub agent: AgentId,
    /// By whom.
    pub client: Address,
    /// Its number among this client's feedback on this agent, from 1; absent in forms before January 2026.
    pub index: Option<u64>,
}

/// Which feedback a log of the reputation registry is; `None` where it is none, or is malformed where its number stands.
#[must_use]
pub fn feedback_number(log: &RawLog) -> Option<FeedbackNumber> {
    let [topic0, agent, client, _] = log.topics.as_slice() else { return None };
    let known = topics::find(RegistryKind::Reputation, *topic0)?;
    let rest = known.signature.strip_prefix("NewFeedback(uint256,address,")?;
    let is_numbered = rest.starts_with("uint64,");
    // Where there is one it is the first word of the data.
    let index = if is_numbered {
        let word = log.data.get(..32).map(B256::from_slice)?;
        Some(u64::try_from(U256::from_be_bytes(word.0)).ok()?)
    } else {
        None
    };
    let agent = AgentId(U256::from_be_bytes(agent.0));
    Some(FeedbackNumber { agent, client: Address::from_word(*client), index })
}
