//! `GET /v1/agents`: the agents that exist, or those of an owner or a wallet.

use alloy::primitives::Address;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::at::At;
use super::error::{ApiError, Problems};
use super::extract::Params;
use super::page::Page;
use super::reading::Reading;
use super::state::ApiState;
use super::wire::{Answer, Listing, account_text};
use crate::identity::TimelineRef;
use crate::storage::{AccountRole, AgentOfAccount};
use crate::vocab::{AccountId, AgentId, AgentRef};

/// Which agents, as of which block.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AgentsQuery {
    /// Only agents that this account owns.
    owner: Option<String>,
    /// Only agents whose wallet this account is.
    wallet: Option<String>,
    /// `latest` (default), `safe`, `finalized`, `block:N` or `time:T`.
    at: Option<String>,
    /// At most so many items.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// An agent in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgentItem {
    /// In full: registry and number.
    agent: String,
    /// Its number, a `uint256`.
    agent_id: String,
    /// The holder of its token, CAIP-10.
    owner: String,
    /// The account that the registry names for it; null where there is none.
    wallet: Option<String>,
}

/// The agents as of a block, by number.
#[utoipa::path(
    get, path = "/v1/agents", tag = "agents", params(AgentsQuery),
    responses((status = 200, description = "A page of agents", body = Listing<AgentItem>), Problems)
)]
pub(super) async fn list_agents(
    State(state): State<ApiState>,
    Params(query): Params<AgentsQuery>,
) -> Result<Answer<Listing<AgentItem>>, ApiError> {
    let page = Page::read("agents", query.limit.as_deref(), query.cursor.as_deref())?;
    let at = At::parse(query.at.as_deref())?;
    let mut reading = Reading::open(&state, at).await?;
    let account = |name: &str, text: &Option<String>| {
        let read = |text: &String| {
            reading.account(text).map_err(|detail| ApiError::parameter(name, detail))
        };
        text.as_ref().map(read).transpose().map(|found| found.map(|found| found.address))
    };
    let (owner, wallet) = (account("owner", &query.owner)?, account("wallet", &query.wallet)?);
    let agents = find(&mut reading, owner, wallet, &page).await?;
    let (agents, next) = page.cut(agents, |agent| *agent);
    let mut items = Vec::with_capacity(agents.len());
    for agent in agents {
        items.push(item(&mut reading, agent).await?);
    }
    Ok(Answer(Listing { items, next, as_of: reading.as_of() }))
}

async fn find(
    reading: &mut Reading,
    owner: Option<Address>,
    wallet: Option<Address>,
    page: &Page<AgentId>,
) -> Result<Vec<AgentId>, ApiError> {
    let (block, fetch) = (reading.block_number(), page.fetch());
    let tx = &mut reading.tx;
    let found = match (owner, wallet) {
        (None, None) => return Ok(tx.agents_at(block, page.after, fetch).await?),
        (Some(owner), None) => {
            tx.agents_of(owner, AccountRole::Owner, block, page.after, fetch).await?
        }
        (None, Some(wallet)) => {
            tx.agents_of(wallet, AccountRole::Wallet, block, page.after, fetch).await?
        }
        (Some(owner), Some(wallet)) => {
            tx.agents_of_both(owner, wallet, block, page.after, fetch).await?
        }
    };
    Ok(found.into_iter().map(|of: AgentOfAccount| of.agent).collect())
}

async fn item(reading: &mut Reading, agent: AgentId) -> Result<AgentItem, ApiError> {
    let (block, chain) = (reading.block_number(), reading.chain());
    let owner = reading.tx.span_at(TimelineRef::Owner(agent), block).await?;
    let wallet = reading.tx.span_at(TimelineRef::Wallet(agent), block).await?;
    let owner = owner.ok_or_else(|| ApiError::internal(format!("agent {agent} has no owner")))?;
    let wallet = wallet.and_then(|span| span.record.value.account());
    Ok(AgentItem {
        agent: AgentRef { registry: reading.registry(), id: agent }.to_string(),
        agent_id: agent.to_string(),
        owner: account_text(&owner.record, chain)?,
        wallet: wallet.map(|address| AccountId { chain, address }.to_string()),
    })
}
