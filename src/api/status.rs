//! `GET /v1/status`: how far following is, and what should make a reader careful.
//!
//! It answers in every state, also before the first block, and is never cached.

use alloy::primitives::U256;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problems};
use super::reading::LOG_SIZE;
use super::state::{ApiState, ProviderStatus};
use super::wire::{Block, json};
use crate::identity::TimelineRef;
use crate::storage::{Binding, Registry, Reorg, Tags, Tx};
use crate::vocab::{BlockRef, BlockStamp, UnixSeconds};

/// The state of the service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
struct StatusAnswer {
    /// The program's version.
    version: &'static str,
    /// How many records the intake log holds.
    log_size: u64,
    /// The chains that are followed; empty before the first use.
    chains: Vec<ChainStatus>,
}

/// One chain.
#[derive(Debug, Serialize, ToSchema)]
struct ChainStatus {
    /// CAIP-2.
    chain: String,
    /// The node's head when it was last asked.
    head: Option<Block>,
    /// The node's safe block.
    safe: Option<Block>,
    /// The node's finalized block.
    finalized: Option<Block>,
    /// The last block applied.
    indexed: Option<Block>,
    /// How many blocks the head is ahead of the last block applied.
    lag_blocks: Option<u64>,
    /// How many seconds ago the last block applied was made.
    lag_s: Option<u64>,
    /// Why the writer stopped for good; null while it runs. Reading goes on.
    halted: Option<String>,
    /// Reorganisations that were followed.
    reorgs: Reorgs,
    /// The contracts that are followed.
    registries: Vec<RegistryStatus>,
    completeness: Completeness,
    /// The nodes; empty where this process follows none.
    providers: Vec<Provider>,
}

/// Reorganisations that were followed.
#[derive(Debug, Serialize, ToSchema)]
struct Reorgs {
    /// How many.
    count: u64,
    /// The newest.
    last: Option<LastReorg>,
}

/// A reorganisation.
#[derive(Debug, Serialize, ToSchema)]
struct LastReorg {
    /// The last block that both chains share.
    ancestor: BlockName,
    /// The last block that was undone.
    orphaned: BlockName,
    /// How many blocks were undone.
    depth: u64,
}

/// A block by number and hash.
#[derive(Debug, Serialize, ToSchema)]
struct BlockName {
    number: u64,
    hash: String,
}

impl From<BlockRef> for BlockName {
    fn from(block: BlockRef) -> Self {
        Self { number: block.number, hash: block.hash.to_string() }
    }
}

/// One contract.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryStatus {
    /// `identity`, `reputation` or `validation`.
    kind: &'static str,
    /// Its address: the proxy.
    address: String,
    /// The first block that is read.
    start_block: u64,
    implementation: Implementation,
    /// How many of its logs cannot be decoded; `/v1/undecoded` shows the newest.
    undecoded: u64,
}

/// The code behind a proxy.
#[derive(Debug, Serialize, ToSchema)]
struct Implementation {
    /// Its address; null where it was not seen.
    address: Option<String>,
    /// Whether its behaviour is known. What follows unknown code is unverified.
    known: bool,
}

/// Whether all agents were seen: ids start at 0 and are dense.
#[derive(Debug, Serialize, ToSchema)]
struct Completeness {
    /// How many agents were minted.
    agents_seen: u64,
    /// The highest number of an agent, a `uint256`; null before the first.
    highest_agent_id: Option<String>,
    /// How many numbers up to the highest were not seen; 0 means complete. At most 2^53 - 1 is shown.
    gaps: u64,
}

/// One node.
#[derive(Debug, Serialize, ToSchema)]
struct Provider {
    /// Scheme and host.
    name: String,
    /// Whether it answered when it was last asked.
    up: bool,
    /// When something new last came from it.
    last_answer: Option<String>,
    /// What it last failed with.
    last_error: Option<String>,
}

impl From<ProviderStatus> for Provider {
    fn from(status: ProviderStatus) -> Self {
        Self {
            name: status.name,
            up: status.is_up,
            last_answer: status.last_answer.map(|time| time.to_string()),
            last_error: status.last_error,
        }
    }
}

/// How far following is.
#[utoipa::path(
    get, path = "/v1/status", tag = "service",
    responses((status = 200, description = "The state of the service", body = StatusAnswer), Problems)
)]
pub(super) async fn get_status(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let mut tx = state.database.begin_read().await?;
    let mut chains = Vec::new();
    if let Some(binding) = tx.binding().await? {
        chains.push(chain_status(&state, &mut tx, &binding).await?);
    }
    Ok(json(&StatusAnswer { version: env!("CARGO_PKG_VERSION"), log_size: LOG_SIZE, chains }))
}

async fn chain_status(
    state: &ApiState,
    tx: &mut Tx,
    binding: &Binding,
) -> Result<ChainStatus, ApiError> {
    let tags = tx.tags().await?;
    let block = tags.indexed.map_or(0, |stamp| stamp.block.number);
    let mut registries = Vec::with_capacity(binding.registries.len());
    for registry in &binding.registries {
        registries.push(registry_status(state, tx, registry, block).await?);
    }
    let last = tx.reorgs(1).await?.pop();
    let shown = |stamp: Option<BlockStamp>| stamp.map(Block::from);
    Ok(ChainStatus {
        chain: binding.chain.to_string(),
        head: shown(tags.head),
        safe: shown(tags.safe),
        finalized: shown(tags.finalized),
        indexed: shown(tags.indexed),
        lag_blocks: lag_blocks(&tags),
        lag_s: lag_s(&tags, state.clock.now()),
        halted: tx.halt().await?.map(|halt| halt.0),
        reorgs: Reorgs { count: last.map_or(0, |reorg| reorg.seq), last: last.map(last_reorg) },
        registries,
        completeness: completeness(tx, block).await?,
        providers: state.providers.get().into_iter().map(Provider::from).collect(),
    })
}

fn lag_blocks(tags: &Tags) -> Option<u64> {
    Some(tags.head?.block.number.saturating_sub(tags.indexed?.block.number))
}

/// How many seconds ago the last block applied was made.
pub(super) fn lag_s(tags: &Tags, now: UnixSeconds) -> Option<u64> {
    Some(now.get().saturating_sub(tags.indexed?.time.get()))
}

fn last_reorg(reorg: Reorg) -> LastReorg {
    LastReorg {
        ancestor: reorg.ancestor.into(),
        orphaned: reorg.orphaned.into(),
        depth: reorg.orphaned.number.saturating_sub(reorg.ancestor.number),
    }
}

async fn registry_status(
    state: &ApiState,
    tx: &mut Tx,
    registry: &Registry,
    block: u64,
) -> Result<RegistryStatus, ApiError> {
    let code = tx.span_at(TimelineRef::Implementation(registry.kind), block).await?;
    let code = code.and_then(|span| span.record.value.account());
    Ok(RegistryStatus {
        kind: registry.kind.as_str(),
        address: registry.at.address.to_string(),
        start_block: registry.start_block,
        implementation: Implementation {
            address: code.map(|code| code.to_string()),
            known: code.is_some_and(|code| state.known.knows(registry.kind, code)),
        },
        undecoded: tx.undecoded_count(registry.kind).await?,
    })
}

async fn completeness(tx: &mut Tx, block: u64) -> Result<Completeness, ApiError> {
    let agents_seen = tx.minted_count(block).await?;
    let highest = tx.highest_agent().await?;
    Ok(Completeness {
        agents_seen,
        highest_agent_id: highest.map(|id| id.to_string()),
        gaps: gaps(agents_seen, highest.map(|id| id.0)),
    })
}

/// How many of the numbers from 0 to the highest were not seen.
fn gaps(seen: u64, highest: Option<U256>) -> u64 {
    /// The largest number that every JSON reader holds exactly.
    const SHOWN_MAX: u64 = (1 << 53) - 1;
    let Some(highest) = highest else { return 0 };
    let expected = highest.saturating_add(U256::from(1));
    let gaps = expected.saturating_sub(U256::from(seen));
    u64::try_from(gaps).map_or(SHOWN_MAX, |gaps| gaps.min(SHOWN_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_count_from_zero_and_never_wrap() {
        for (seen, highest, expected) in [
            (0, None, 0),
            (1, Some(U256::ZERO), 0),
            (2, Some(U256::from(4)), 3),
            (9, Some(U256::from(4)), 0),
            (1, Some(U256::MAX), (1 << 53) - 1),
        ] {
            assert_eq!(gaps(seen, highest), expected);
        }
    }
}
