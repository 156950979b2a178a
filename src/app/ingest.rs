//! Applies one step of the chain in one transaction.
//!
//! Decode, ask the contract where the events leave a wallet in doubt, then write everything at once: the way back where the chain was
//! replaced, blocks, logs, answers, the spans that follow from them, the node's tags and the cursor. A crash before the commit leaves
//! nothing, a crash after it everything. The network is never waited for while the transaction is open.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alloy::primitives::Address;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::AppError;
use super::decoded::{DecodedLog, Transfers};
use super::error::During;
use crate::chain::retry::{BackoffOptions, Jitter};
use crate::chain::{ChainError, ChainSource, ChainStep, Stretch};
use crate::identity::{
    Fact, Fold, TimelineRef, doubtful, interpret, observed_implementation, observed_wallet,
};
use crate::registry::{KnownImplementations, calls};
use crate::storage::{
    Binding, Database, HeldBlock, Observation, ObservedSubject, StorageError, Tags, Tx,
};
use crate::vocab::{AgentId, BlockRef, BlockStamp, Header, RegistryKind};

/// So many questions to the contract are on their way at once.
const ASKED_AT_ONCE: usize = 8;

/// Applies steps to one database.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// Where to.
    pub database: Database,
    /// What is followed.
    pub binding: Binding,
    /// Whose events need no asking.
    pub known: KnownImplementations,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The last block applied: the new cursor.
    pub cursor: Option<BlockRef>,
    /// How many blocks were undone.
    pub undone_count: u64,
    /// How many logs were stored.
    pub log_count: usize,
    /// How many of them could not be decoded.
    pub undecoded_count: usize,
    /// How often the contract was asked.
    pub observation_count: usize,
}

impl Ingest {
    /// Applies a step to a database that stands at `cursor`, and says where it stands then.
    ///
    /// # Errors
    /// When the database or the node fails, when somebody else has moved the cursor, or when the step does not fit. Nothing was
    /// written then, and the same step may be applied again.
    pub async fn apply<S: ChainSource>(
        &self,
        source: &S,
        step: &ChainStep,
        cursor: Option<BlockRef>,
    ) -> Result<Applied, AppError> {
        let target = step.extend.as_ref().map(|s| s.through.block).or(step.revert_to).or(cursor);
        let during = || match target {
            Some(block) => format!("cannot apply the chain up to block {block}"),
            None => "cannot apply the node's tags".to_owned(),
        };
        let logs = step.extend.as_ref().map_or(Ok(Vec::new()), |s| self.decode(s))?;
        let base = step.revert_to.or(cursor);
        let asked = self.doubtful_agents(&logs, base).await.during(during)?;
        let observations = self.observe(source, step.extend.as_ref(), asked).await?;

        let mut tx = self.database.begin_write().await.during(during)?;
        let undone_count = revert(&mut tx, step.revert_to, cursor).await.during(during)?;
        if let Some(stretch) = &step.extend {
            write_stretch(&mut tx, stretch, &logs, &observations).await.during(during)?;
        }
        let cursor = move_tags(&mut tx, step).await.during(during)?;
        tx.commit().await.during(during)?;
        Ok(Applied {
            cursor,
            undone_count,
            log_count: logs.len(),
            undecoded_count: logs.iter().filter(|log| log.event.is_err()).count(),
            observation_count: observations.len(),
        })
    }

    fn decode<'a>(&self, stretch: &'a Stretch) -> Result<Vec<DecodedLog<'a>>, AppError> {
        let read = |log| {
            DecodedLog::read(log, &self.binding).ok_or_else(|| AppError::BrokenStep {
                block: stretch.through.block,
                reason: format!("{} is no registry that is followed", log.address),
            })
        };
        stretch.logs.iter().map(read).collect()
    }

    /// The agents whose wallet the contract must be asked for, by block, as far as they exist.
    async fn doubtful_agents(
        &self,
        logs: &[DecodedLog<'_>],
        base: Option<BlockRef>,
    ) -> Result<BTreeSet<(u64, AgentId)>, StorageError> {
        let mentions: Vec<_> = logs.iter().filter_map(DecodedLog::mention).collect();
        if mentions.is_empty() {
            return Ok(BTreeSet::new());
        }
        let knows = |code: Address| self.known.knows(RegistryKind::Identity, code);
        let timeline = TimelineRef::Implementation(RegistryKind::Identity);
        let mut tx = self.database.begin_read().await?;
        // All is asked as of the base: what stands above it in the database is about to be undone.
        let code = match base {
            Some(base) => tx.span_at(timeline, base.number).await?.map(|span| span.record),
            None => tx.open_span(timeline).await?,
        };
        let is_known = code.and_then(|span| span.value.account()).is_some_and(knows);
        let changes = mentions.iter().any(|mention| mention.upgraded_to.is_some());
        if is_known && !changes {
            return Ok(BTreeSet::new());
        }
        let before: BTreeSet<AgentId> = match base {
            Some(base) if changes => tx.agents_observed(base.number).await?.into_iter().collect(),
            Some(_) | None => BTreeSet::new(),
        };
        let mut existed = BTreeSet::new();
        if let Some(base) = base {
            let spoken_of = mentions.iter().filter_map(|mention| mention.agent);
            for agent in spoken_of.chain(before.iter().copied()).collect::<BTreeSet<_>>() {
                if tx.span_at(TimelineRef::Owner(agent), base.number).await?.is_some() {
                    existed.insert(agent);
                }
            }
        }
        let transfers = Transfers::in_logs(logs);
        let exists = |number: u64, agent: AgentId| {
            transfers.is_owned(agent, number).unwrap_or_else(|| existed.contains(&agent))
        };
        Ok(doubtful(&mentions, is_known, knows, exists, before))
    }

    /// Asks the contract for the wallets in doubt, each in the state at the end of its block.
    async fn observe<S: ChainSource>(
        &self,
        source: &S,
        stretch: Option<&Stretch>,
        asked: BTreeSet<(u64, AgentId)>,
    ) -> Result<Vec<Observation>, AppError> {
        let (Some(stretch), Some(identity)) =
            (stretch, self.binding.registry(RegistryKind::Identity))
        else {
            return Ok(Vec::new());
        };
        let hashes: BTreeMap<u64, BlockRef> =
            stretch.logs.iter().map(|log| (log.block.number, log.block)).collect();
        let questions = asked.into_iter().filter_map(|(number, agent)| {
            let block = *hashes.get(&number)?;
            Some(async move {
                let answer = ask_for_wallet(source, identity.at.address, agent, block).await?;
                Ok(Observation { block, subject: ObservedSubject::Wallet(agent), answer })
            })
        });
        stream::iter(questions.collect::<Vec<_>>()).buffered(ASKED_AT_ONCE).try_collect().await
    }
}

/// Asks for one wallet. What may pass is asked again here: a step may hold thousands of questions, and one that fails would lose the
/// answers to all others.
pub(super) async fn ask_for_wallet<S: ChainSource>(
    source: &S,
    registry: Address,
    agent: AgentId,
    block: BlockRef,
) -> Result<Option<Address>, AppError> {
    let backoff = BackoffOptions {
        retry_after_max: Duration::from_secs(10),
        attempts: 6,
        ..BackoffOptions::default()
    };
    let mut jitter = Jitter::new(block.number);
    let mut failures = 0;
    loop {
        let error = match source.call(registry, calls::get_agent_wallet(agent), block).await {
            Ok(answer) => return Ok(calls::address_in(&answer)),
            // A node without the state of that block, or a contract without the function: the doubt stays, and is shown.
            Err(error @ ChainError::Fatal { .. }) => {
                tracing::warn!(block.number = block.number, %agent, %error, "a wallet stays in doubt");
                return Ok(None);
            }
            Err(error) => error,
        };
        failures += 1;
        let delay = backoff.delay(failures, error.retry_after(), jitter.draw());
        let Some(delay) = delay.filter(|_| error.is_transient()) else {
            let during = format!("cannot ask for the wallet of agent {agent} at block {block}");
            return Err(AppError::Chain { during, source: error });
        };
        tokio::time::sleep(delay).await;
    }
}

/// Goes back where the chain was replaced, after checking that nobody else has moved the cursor. Returns how many blocks were undone.
async fn revert(
    tx: &mut Tx,
    to: Option<BlockRef>,
    cursor: Option<BlockRef>,
) -> Result<u64, StorageError> {
    let show = |block: Option<BlockRef>| block.map_or("the start".to_owned(), |b| b.to_string());
    let found = tx.tags().await?.indexed.map(|stamp| stamp.block);
    if found != cursor {
        return Err(StorageError::Conflict { expected: show(cursor), found: show(found) });
    }
    let (Some(to), Some(cursor)) = (to, cursor) else { return Ok(0) };
    tx.revert_to(to, cursor).await?;
    Ok(cursor.number.saturating_sub(to.number))
}

async fn write_stretch(
    tx: &mut Tx,
    stretch: &Stretch,
    logs: &[DecodedLog<'_>],
    observations: &[Observation],
) -> Result<(), StorageError> {
    tx.insert_blocks(&held_blocks(stretch)?).await?;
    let stored: Vec<_> = logs.iter().map(DecodedLog::stored).collect();
    tx.insert_events(&stored).await?;
    for observation in observations {
        tx.insert_observation(observation).await?;
    }
    fold_into(tx, facts(logs, observations)).await
}

/// The blocks of a stretch that are held: its headers, and those of its logs.
fn held_blocks(stretch: &Stretch) -> Result<Vec<HeldBlock>, StorageError> {
    let mut held: BTreeMap<u64, HeldBlock> = BTreeMap::new();
    for header in &stretch.headers {
        let block = HeldBlock { stamp: header.stamp(), parent_hash: Some(header.parent_hash) };
        held.insert(header.block.number, block);
    }
    for log in &stretch.logs {
        if held.contains_key(&log.block.number) {
            continue;
        }
        let time = log.block_time.ok_or_else(|| StorageError::Inconsistent {
            table: "block",
            column: "time",
            row: log.block.to_string(),
        })?;
        let stamp = BlockStamp { block: log.block, time };
        held.insert(log.block.number, HeldBlock { stamp, parent_hash: None });
    }
    Ok(held.into_values().collect())
}

/// All facts in logs and answers, in the order of their positions.
pub(super) fn facts(logs: &[DecodedLog<'_>], observations: &[Observation]) -> Vec<Fact> {
    let said: Vec<_> = logs.iter().filter_map(DecodedLog::said).collect();
    let mut facts = interpret(&said);
    facts.extend(observations.iter().filter_map(observed));
    facts.sort_by_key(|fact| fact.at);
    facts
}

/// The fact in an answer; none where the node could not say.
pub(super) fn observed(observation: &Observation) -> Option<Fact> {
    let (number, answer) = (observation.block.number, observation.answer?);
    Some(match observation.subject {
        ObservedSubject::Wallet(agent) => observed_wallet(number, agent, answer),
        ObservedSubject::Implementation(kind) => observed_implementation(number, kind, answer),
    })
}

/// Folds facts, in the order of their positions, into the stored spans.
pub(super) async fn fold_into(tx: &mut Tx, facts: Vec<Fact>) -> Result<(), StorageError> {
    let mut fold = Fold::new(tx.open_spans(&Fold::touches(&facts)).await?);
    for fact in &facts {
        fold.apply(fact);
    }
    tx.write_changes(&fold.finish()).await
}

/// Moves the node's tags and the cursor; returns the cursor.
async fn move_tags(tx: &mut Tx, step: &ChainStep) -> Result<Option<BlockRef>, StorageError> {
    let before = tx.tags().await?;
    let indexed = match (&step.extend, step.revert_to) {
        (Some(stretch), _) => Some(stretch.through.stamp()),
        (None, Some(ancestor)) => {
            let held = tx.block_at(ancestor.number).await?;
            Some(held.map(|held| held.stamp).filter(|stamp| stamp.block == ancestor).ok_or_else(
                || StorageError::Inconsistent {
                    table: "block",
                    column: "hash",
                    row: ancestor.to_string(),
                },
            )?)
        }
        (None, None) => None,
    };
    tx.set_tags(&Tags {
        indexed,
        head: Some(step.tags.head.stamp()),
        safe: step.tags.safe.as_ref().map(Header::stamp),
        finalized: step.tags.finalized.as_ref().map(Header::stamp),
    })
    .await?;
    Ok(indexed.or(before.indexed).map(|stamp| stamp.block))
}
