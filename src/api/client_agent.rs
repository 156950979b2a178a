//! Which agent an account was the wallet of when it said something.

use alloy::primitives::Address;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::reading::Reading;
use crate::app::{ModelKeeper, ReadModel};
use crate::identity::Directory;
use crate::vocab::{AgentRef, Position, RegistryRef};

/// How many agents are named.
const SHOWN_MAX: usize = 10;

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

/// The agents whose wallets some accounts were at a position each, in their order.
///
/// The model is asked where it is of the state that is read. One account may have said everything on a page and be the wallet of ten
/// thousand agents: from the database its spans are read once.
pub(super) async fn agents_then(
    model: &ModelKeeper,
    reading: &mut Reading,
    asked: &[(Address, Position)],
) -> Result<Vec<AgentThen>, ApiError> {
    let registry = reading.registry();
    let then = |directory: &Directory| -> Vec<AgentThen> {
        asked.iter().map(|(account, at)| agent_then(registry, directory, *account, *at)).collect()
    };
    let is_same = |model: &ReadModel| reading.is_of(model.indexed);
    if let Some(told) = model.read(|model| is_same(model).then(|| then(&model.directory))).flatten()
    {
        return Ok(told);
    }
    Ok(then(&reading.directory_of(asked.iter().map(|(account, _)| *account)).await?))
}

fn agent_then(
    registry: RegistryRef,
    directory: &Directory,
    account: Address,
    at: Position,
) -> AgentThen {
    let found = directory.agents_at(account, at, None, SHOWN_MAX);
    let agents =
        found.entries.iter().map(|entry| AgentRef { registry, id: entry.agent }.to_string());
    AgentThen {
        outcome: outcome(found.count),
        agents: agents.collect(),
        truncated: found.count > SHOWN_MAX as u64,
    }
}
