//! From suspicions to blocks: where does the chain have other logs than the record?
//!
//! Most events carry their agent as an indexed word, so a node can be asked for the logs of some agents over all of history. A missing
//! feedback lies between its neighbours of the same client. Where too much is suspected at once, all logs are read again instead.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256, U256};

use super::{Ground, Repair, Repaired};
use crate::app::AppError;
use crate::app::audit::{IdGap, Suspects, Told, differences};
use crate::app::error::During;
use crate::chain::{ChainSource, LogFilter, Reread, TopicWords};
use crate::registry::topics;
use crate::registry::topics::EventForm;
use crate::storage::{EventsAfter, StorageError, Tx};
use crate::vocab::{AgentId, RegistryKind};

/// A gap of at most so many agents is looked for by their ids.
const IDS_BY_NAME: u64 = 50;
/// So many words at most in one request.
const WORDS_MAX: usize = 100;
/// With more searches than this, reading everything again is cheaper.
const SEARCHES_MAX: usize = 64;

/// Logs to be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Search {
    filter: LogFilter,
    words: TopicWords,
    from: u64,
    to: u64,
    /// Whether each block with such a log is suspect: what stands beside it may carry no word to find it by.
    whole: bool,
}

/// The blocks to be fetched, all at or below the limit.
pub(super) async fn blocks<S: ChainSource>(
    of: &Repair<'_, S>,
    ground: &Ground,
    suspects: &Suspects,
    repaired: &mut Repaired,
    told: &mut (dyn FnMut(Told) + Send),
) -> Result<BTreeSet<u64>, AppError> {
    let (mut found, above): (BTreeSet<u64>, BTreeSet<u64>) =
        suspects.blocks.iter().partition(|block| **block <= ground.limit);
    if let (Some(first), Some(last)) = (above.first(), above.last()) {
        repaired.left.push(format!(
            "blocks {first} to {last} are not final yet (block {} is): run it again later",
            ground.limit
        ));
    }
    let during = || "cannot plan what to read again".to_owned();
    let mut tx = of.database.begin_read().await.during(during)?;
    let searches = searches(&mut tx, of.filter, ground, suspects).await.during(during)?;
    drop(tx);
    let total: u64 = searches.iter().map(|search| search.to.saturating_sub(search.from)).sum();
    let mut done = 0;
    for search in searches {
        run(of, &search, &mut found, |blocks| {
            done += blocks;
            told(Told { doing: "reading logs again, blocks", done, of: total });
        })
        .await?;
    }
    Ok(found)
}

/// Reads some logs again, and notes the blocks where the record differs.
async fn run<S: ChainSource>(
    of: &Repair<'_, S>,
    search: &Search,
    found: &mut BTreeSet<u64>,
    mut went: impl FnMut(u64),
) -> Result<(), AppError> {
    let mut reread = Reread::new(of.source, of.options);
    let mut from = search.from;
    while from <= search.to {
        let during = || format!("cannot read the logs from block {from} on again");
        let answer = reread.logs_from(&search.filter, &search.words, from, search.to);
        let theirs = answer.await.during(during)?;
        let through = theirs.end.block.number;
        let during = || format!("cannot read the logs of blocks {from} to {through}");
        let mut tx = of.database.begin_read().await.during(during)?;
        let mut ours = tx.events_in(from, through).await.during(during)?;
        drop(tx);
        ours.retain(|event| {
            search.filter.addresses.contains(&event.log.address) && search.words.are_in(&event.log)
        });
        if search.whole {
            found.extend(ours.iter().map(|event| event.log.block.number));
            found.extend(theirs.logs.iter().map(|log| log.block.number));
        }
        differences(&search.filter, &ours, &theirs.logs, |block, _| {
            found.insert(block);
        });
        went(through.saturating_sub(from));
        from = through.saturating_add(1);
    }
    Ok(())
}

async fn searches(
    tx: &mut Tx,
    filter: &LogFilter,
    ground: &Ground,
    suspects: &Suspects,
) -> Result<Vec<Search>, StorageError> {
    let start = ground.binding.registries.iter().map(|r| r.start_block).min().unwrap_or_default();
    let of = |kind| LogFilter {
        addresses: ground.binding.registry(kind).map(|r| r.at.address).into_iter().collect(),
        ..filter.clone()
    };
    let everywhere =
        |filter, words, whole| Search { filter, words, from: start, to: ground.limit, whole };
    let mut searches = Vec::new();
    let mut agents: BTreeSet<AgentId> = suspects.agents.clone();
    for gap in &suspects.ids {
        if gap.last.saturating_sub(gap.first) < U256::from(IDS_BY_NAME) {
            agents.extend(ids(*gap));
            continue;
        }
        let (from, to) = between_agents(tx, *gap).await?;
        let (from, to) = (from.unwrap_or(start), to.unwrap_or(ground.limit).min(ground.limit));
        let words = TopicWords::default();
        searches.push(Search { filter: filter.clone(), words, from, to, whole: false });
    }
    for agents in chunks(agents.iter().map(|agent| B256::from(agent.0))) {
        // Registered, MetadataSet and URIUpdated name the agent first, Transfer and Approval last.
        for place in [0, 2] {
            let words = word(place, agents.clone());
            searches.push(everywhere(of(RegistryKind::Identity), words, true));
        }
    }
    for owners in chunks(suspects.owners.iter().map(Address::into_word)) {
        searches.push(everywhere(of(RegistryKind::Identity), word(0, owners), false));
    }
    for hashes in chunks(suspects.requests.iter().copied()) {
        searches.push(everywhere(of(RegistryKind::Validation), word(2, hashes), false));
    }
    if suspects.codes {
        let upgraded = topics::KNOWN_EVENTS.iter().find(|event| event.form == EventForm::Upgraded);
        let topics = upgraded.map(|event| event.topic0).into_iter().collect();
        let filter = LogFilter { topics, ..filter.clone() };
        searches.push(everywhere(filter, TopicWords::default(), false));
    }
    for gap in suspects.feedback.iter().take(SEARCHES_MAX + 1) {
        let mut words = word(0, vec![B256::from(gap.agent.0)]);
        words.0[1] = vec![gap.client.into_word()];
        let filter = of(RegistryKind::Reputation);
        let (from, to) = (gap.from.unwrap_or(start), gap.to.min(ground.limit));
        searches.push(Search { filter, words, from, to, whole: false });
    }
    searches.retain(|search| !search.filter.addresses.is_empty() && search.from <= search.to);
    searches.dedup();
    if searches.len() > SEARCHES_MAX {
        let words = TopicWords::default();
        return Ok(vec![everywhere(filter.clone(), words, false)]);
    }
    Ok(searches)
}

/// The blocks of the first event of the agent below a gap, and of the one above it.
async fn between_agents(
    tx: &mut Tx,
    gap: IdGap,
) -> Result<(Option<u64>, Option<u64>), StorageError> {
    let below = gap.first.checked_sub(U256::ONE).map(AgentId);
    let above = gap.last.checked_add(U256::ONE).map(AgentId);
    let mut blocks = [None, None];
    for (block, agent) in blocks.iter_mut().zip([below, above]) {
        let Some(agent) = agent else { continue };
        let page = EventsAfter { after: None, through_block: i64::MAX.unsigned_abs(), limit: 1 };
        let found = tx.events_of(agent, None, page).await?;
        *block = found.first().map(|event| event.log.block.number);
    }
    let [below, above] = blocks;
    Ok((below, above))
}

fn ids(gap: IdGap) -> impl Iterator<Item = AgentId> {
    let count: u64 = gap.last.saturating_sub(gap.first).saturating_to();
    (0..=count).map(move |step| AgentId(gap.first.saturating_add(U256::from(step))))
}

/// Words in portions that fit a request.
fn chunks(words: impl Iterator<Item = B256>) -> Vec<Vec<B256>> {
    let words: Vec<B256> = words.collect();
    words.chunks(WORDS_MAX).map(<[B256]>::to_vec).collect()
}

fn word(place: usize, wanted: Vec<B256>) -> TopicWords {
    let mut words = TopicWords::default();
    if let Some(words) = words.0.get_mut(place) {
        *words = wanted;
    }
    words
}
