//! Which agent an account was the wallet of when it said something.

use alloy::primitives::Address;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::reading::Reading;
use crate::vocab::{AgentRef, Position};

/// How many agents are named.
const SHOWN_MAX: u32 = 10;

/// How many agents an account was the wallet of: nobody's, one agent's, or several agents'. Never a guess among several.
pub(super) const fn outcome(count: u64) -> &'static str {
    match count {
        0 => "none",
        1 => "one",
        _ => "several",
    }
}

/// The agents whose wallet an account was at a position.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgentThen {
    /// `none`, `one` or `several`.
    outcome: &'static str,
    /// The first ten of them, by number.
    agents: Vec<String>,
    /// Whether there are more than are named.
    truncated: bool,
}

/// The agents whose wallet an account was at a position.
pub(super) async fn agent_then(
    reading: &mut Reading,
    account: Address,
    at: Position,
) -> Result<AgentThen, ApiError> {
    let mut ids = reading.tx.agents_of_wallet_at_position(account, at, SHOWN_MAX + 1).await?;
    let truncated = ids.len() > SHOWN_MAX as usize;
    ids.truncate(SHOWN_MAX as usize);
    let registry = reading.registry();
    let agents = ids.into_iter().map(|id| AgentRef { registry, id }.to_string());
    let agents: Vec<_> = agents.collect();
    Ok(AgentThen { outcome: outcome(agents.len() as u64), agents, truncated })
}
