//! `GET /v1/status`: how far following is, and what should make a reader careful.
//!
//! It answers in every state, also before the first block, and is never cached.

use alloy::primitives::U256;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Problems};
use super::state::{ApiState, ProviderStatus};
use super::wire::{Block, json};
use crate::identity::TimelineRef;
use crate::storage::{Binding, FileProgress, NotedFinding, Registry, Reorg, Tags, Tx};
use crate::vocab::{BlockRef, BlockStamp, UnixSeconds};

/// So many findings are shown.
const FINDINGS_SHOWN: u32 = 20;

/// The state of the service.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
struct StatusAnswer {
    /// The program's version.
    version: &'static str,
    /// How many records the intake log holds.
    log_size: u64,
    keys: KeysStatus,
    /// The chains that are followed; empty before the first use.
    chains: Vec<ChainStatus>,
}

/// The keys that the service signs with.
#[derive(Debug, Serialize, ToSchema)]
struct KeysStatus {
    /// The key that signs now and is open here, as its Multikey; null where nothing can be signed.
    signer: Option<String>,
    /// What is wrong with the file of the keys since it was last read, so that it may say otherwise than what is in force here; null
    /// where nothing is.
    fault: Option<String>,
}

impl KeysStatus {
    fn of(state: &ApiState) -> Self {
        let held = state.keys.held();
        let signer = held.signer(state.clock.now());
        Self {
            signer: signer.map(|key| key.public().multibase()),
            fault: state.keys.fault().as_deref().map(str::to_owned),
        }
    }
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
    /// Why what is recorded may be incomplete or wrong, in words; empty where nothing is known against it.
    degraded: Vec<String>,
    /// The nodes; null where this process follows none: the one that does tells of them.
    providers: Option<Vec<Provider>>,
    /// What was found out about nodes and their answers, newest first, at most 20.
    findings: Vec<NodeFinding>,
    files: FilesStatus,
}

/// Registration files, and what they name: how fetching them is going, as whoever follows counted it last.
#[derive(Debug, Serialize, ToSchema)]
struct FilesStatus {
    /// The last block that was looked through for URIs; null where nobody fetches.
    through: Option<u64>,
    /// How many sources were ever named: files, domains, documents of DIDs. A URI that holds its file is none.
    sources: u64,
    /// How many of them answered when they were last asked.
    read: u64,
    /// How many of them failed when they were last asked.
    failing: u64,
    /// How many of them are due now.
    waiting: u64,
    /// When they were counted.
    #[schema(value_type = Option<String>)]
    counted: Option<UnixSeconds>,
}

impl From<FileProgress> for FilesStatus {
    fn from(progress: FileProgress) -> Self {
        Self {
            through: progress.through,
            sources: progress.counts.all,
            read: progress.counts.read,
            failing: progress.counts.failing,
            waiting: progress.counts.waiting,
            counted: progress.counted_at,
        }
    }
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
    url: String,
    /// `both`, `follow` (it is never compared with) or `check` (it is only compared with).
    role: &'static str,
    /// `healthy`; `troubled`: left alone for a while; `benched`: what it said was not true; `refused`: of another chain.
    state: &'static str,
    /// Why it is not healthy.
    reason: Option<String>,
    /// Until when it is benched.
    benched_until: Option<String>,
    /// Its head when it was last asked for it.
    head: Option<u64>,
    /// How long its answers take, as a moving average.
    latency_ms: Option<u64>,
    /// How often it was asked.
    requests: u64,
    /// How often it failed.
    failures: u64,
    /// How often it was found to have left logs out or made them up.
    disagreements: u64,
    /// What it last failed with.
    last_error: Option<String>,
}

impl From<ProviderStatus> for Provider {
    fn from(status: ProviderStatus) -> Self {
        Self {
            url: status.url,
            role: status.role,
            state: status.state,
            reason: status.reason,
            benched_until: status.benched_until.map(|time| time.to_string()),
            head: status.head,
            latency_ms: status.latency_ms,
            requests: status.requests,
            failures: status.failures,
            disagreements: status.disagreements,
            last_error: status.last_error,
        }
    }
}

/// Something that was seen and ought not to be.
#[derive(Debug, Serialize, ToSchema)]
struct NodeFinding {
    /// Its number; they are counted from 1, and the oldest are forgotten.
    seq: u64,
    /// `logs-left-out`, `logs-invented`, `nodes-disagree`, `node-unfit`, `agents-missing` or `feedback-missing`.
    kind: &'static str,
    /// The blocks it is about.
    blocks: Option<BlockSpan>,
    /// The node it is about: scheme and host.
    provider: Option<String>,
    /// What was seen.
    detail: String,
    /// When.
    noted_at: String,
}

/// Blocks from one to another, both included.
#[derive(Debug, Serialize, ToSchema)]
struct BlockSpan {
    from: u64,
    to: u64,
}

impl From<NotedFinding> for NodeFinding {
    fn from(noted: NotedFinding) -> Self {
        Self {
            seq: noted.seq,
            kind: noted.finding.kind.as_str(),
            blocks: noted.finding.blocks.map(|(from, to)| BlockSpan { from, to }),
            provider: noted.finding.provider,
            detail: noted.finding.detail,
            noted_at: noted.noted_at.to_string(),
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
    let (version, keys) = (env!("CARGO_PKG_VERSION"), KeysStatus::of(&state));
    let log_size = tx.log_size().await?;
    Ok(json(&StatusAnswer { version, log_size, keys, chains }))
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
    let completeness = completeness(tx, block).await?;
    let providers = state.providers.get();
    let findings = tx.findings(FINDINGS_SHOWN).await?;
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
        degraded: degraded(&completeness, providers.as_deref()),
        completeness,
        providers: providers.map(|nodes| nodes.into_iter().map(Provider::from).collect()),
        findings: findings.into_iter().map(NodeFinding::from).collect(),
        files: tx.file_progress().await?.into(),
    })
}

/// What speaks against the record: agents that were never seen, and nodes that cannot be believed.
fn degraded(completeness: &Completeness, providers: Option<&[ProviderStatus]>) -> Vec<String> {
    let mut reasons = Vec::new();
    if completeness.gaps > 0 {
        let gaps = completeness.gaps;
        reasons
            .push(format!("{gaps} agents below the highest one were never seen: logs are missing"));
    }
    let followed = providers.unwrap_or_default().iter().filter(|node| node.role != "check");
    let states: Vec<_> = followed.map(|node| node.state).collect();
    if !states.is_empty() && states.iter().all(|state| matches!(*state, "benched" | "refused")) {
        reasons.push("every node was found to be wrong; the least bad one is followed".to_owned());
    }
    reasons
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
