//! Checks the record against its own rules, and against the contract.
//!
//! The record proves a good deal of itself: agent ids are dense from 0, spans do not overlap, blocks are linked. Whether events told the
//! whole truth only the contract knows; it is asked about a sample of agents, or all of them, at one block. Nothing is changed here.

use std::collections::BTreeSet;

use alloy::primitives::{Address, Bytes, U256};

use super::AppError;
use super::error::During;
use super::rebuild::refold;
use crate::chain::{ChainError, ChainSource};
use crate::identity::{TimelineRef, Value};
use crate::registry::calls;
use crate::storage::{Database, RecordRule, StorageError, Tx};
use crate::vocab::{AgentId, BlockRef, RegistryKind};

/// At most so many offences are named for each check; the count says how many there are at least.
const NAMED_MAX: u32 = 20;
/// So many ids are read at once.
const IDS_PER_PAGE: u32 = 10_000;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was checked, in a few words.
    pub rule: String,
    /// How many things were looked at, where that is a number worth saying.
    pub looked_at: Option<u64>,
    /// What is wrong, at most twenty of them; empty where all is well.
    pub offences: Vec<String>,
}

/// Checks the record by itself.
///
/// # Errors
/// When the database fails; an offence is a value.
pub async fn audit(database: &Database) -> Result<Vec<Checked>, AppError> {
    let during = || "cannot audit the record".to_owned();
    let mut tx = database.begin_read().await.during(during)?;
    let mut checks = vec![dense_ids(&mut tx).await.during(during)?];
    for rule in RecordRule::ALL {
        let rows = tx.rows_breaking(rule, NAMED_MAX).await.during(during)?;
        let offences = rows.iter().map(|r| format!("{} at block {}", r.subject, r.block)).collect();
        checks.push(Checked { rule: rule.as_str().to_owned(), looked_at: None, offences });
    }
    drop(tx);
    checks.push(same_as_folded(database).await.during(during)?);
    Ok(checks)
}

/// The timelines are those that the kept events and answers fold to. They are folded anew in a transaction that is then dropped.
async fn same_as_folded(database: &Database) -> Result<Checked, StorageError> {
    let mut tx = database.begin_write().await?;
    let stored = tx.span_digests().await?;
    refold(&mut tx, &mut |_| {}).await?;
    let folded = tx.span_digests().await?;
    drop(tx);
    let timelines: BTreeSet<&String> = stored.keys().chain(folded.keys()).collect();
    let looked_at = u64::try_from(timelines.len()).ok();
    let offences = timelines
        .into_iter()
        .filter(|timeline| stored.get(*timeline) != folded.get(*timeline))
        .map(|timeline| format!("{timeline}; run `hallmark rebuild`"))
        .take(NAMED_MAX as usize)
        .collect();
    let rule = "timelines are what the events fold to".to_owned();
    Ok(Checked { rule, looked_at, offences })
}

/// Agent ids start at 0 and have no gaps: a registry counts them up and never burns one.
async fn dense_ids(tx: &mut Tx) -> Result<Checked, StorageError> {
    let mut expected = AgentId::from(0);
    let mut after = None;
    let mut count = 0_u64;
    let mut offences = Vec::new();
    let through = tx.tags().await?.indexed.map_or(0, |stamp| stamp.block.number);
    loop {
        let page = tx.agents_at(through, after, IDS_PER_PAGE).await?;
        let Some(last) = page.last().copied() else { break };
        for id in page {
            count += 1;
            if id != expected && offences.len() < NAMED_MAX as usize {
                offences.push(gap(expected, id));
            }
            expected = AgentId(id.0.saturating_add(U256::ONE));
        }
        after = Some(last);
    }
    Ok(Checked { rule: "agent ids are dense from 0".to_owned(), looked_at: Some(count), offences })
}

fn gap(first: AgentId, next: AgentId) -> String {
    let last = next.0.saturating_sub(U256::ONE);
    if last == first.0 {
        format!("agent {first} is missing")
    } else {
        format!("agents {first} to {last} are missing")
    }
}

/// Which agents the contract is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// About so many, evenly spread over all ids.
    About(u64),
    /// All of them.
    All,
}

/// Asks the contract for wallet, owner and URI of agents at the end of one block, and compares with the record.
///
/// The block is the last one applied that is finalized, or the cursor where none is. `progress` hears how many agents were asked about, of
/// how many.
///
/// # Errors
/// When the database or the node fails; a difference is a value.
pub async fn audit_against_chain<S: ChainSource>(
    database: &Database,
    source: &S,
    sample: Sample,
    mut progress: impl FnMut(u64, u64),
) -> Result<Checked, AppError> {
    let during = || "cannot audit the record against the chain".to_owned();
    let mut tx = database.begin_read().await.during(during)?;
    let (contract, block) =
        audited_block(&mut tx).await.during(during)?.ok_or(AppError::NothingIndexed)?;
    let total = tx.minted_count(block.number).await.during(during)?;
    let stride = match sample {
        Sample::All => 1,
        Sample::About(wanted) => (total / wanted.max(1)).max(1),
    };
    let mut looked_at = 0;
    let mut offences = Vec::new();
    let mut after = None;
    let mut place = 0_u64;
    loop {
        let page = tx.agents_at(block.number, after, IDS_PER_PAGE).await.during(during)?;
        let Some(last) = page.last().copied() else { break };
        for agent in page {
            place += 1;
            if !(place - 1).is_multiple_of(stride) {
                continue;
            }
            let ours = recorded(&mut tx, agent, block).await.during(during)?;
            let theirs = answered(source, contract, agent, block).await.during(during)?;
            offences.extend(differences(agent, &ours, &theirs));
            looked_at += 1;
            progress(looked_at, total.div_ceil(stride));
        }
        after = Some(last);
    }
    offences.truncate(NAMED_MAX as usize);
    let rule = format!("the contract's answers at block {block} are ours");
    Ok(Checked { rule, looked_at: Some(looked_at), offences })
}

/// The identity registry, and the block at which it is asked.
async fn audited_block(tx: &mut Tx) -> Result<Option<(Address, BlockRef)>, StorageError> {
    let Some(binding) = tx.binding().await? else { return Ok(None) };
    let tags = tx.tags().await?;
    let Some(indexed) = tags.indexed else { return Ok(None) };
    let finalized = tags.finalized.filter(|last| last.block.number < indexed.block.number);
    let block = match finalized {
        Some(last) => {
            tx.block_at(last.block.number).await?.map_or(indexed, |held| held.stamp).block
        }
        None => indexed.block,
    };
    Ok(binding.registry(RegistryKind::Identity).map(|identity| (identity.at.address, block)))
}

/// What is said of an agent at a block's end, by us or by the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    owner: Option<Address>,
    wallet: Option<Address>,
    uri: Option<Bytes>,
}

async fn recorded(tx: &mut Tx, agent: AgentId, block: BlockRef) -> Result<Word, StorageError> {
    let number = block.number;
    let owner = tx.span_at(TimelineRef::Owner(agent), number).await?;
    let wallet = tx.span_at(TimelineRef::Wallet(agent), number).await?;
    let uri = tx.span_at(TimelineRef::Uri(agent), number).await?;
    Ok(Word {
        owner: owner.and_then(|span| span.record.value.account()),
        wallet: wallet.and_then(|span| span.record.value.account()),
        uri: uri.and_then(|span| match span.record.value {
            Value::Uri(uri) => Some(uri),
            Value::Absent | Value::Account(_) | Value::Entry { .. } => None,
        }),
    })
}

async fn answered<S: ChainSource>(
    source: &S,
    contract: Address,
    agent: AgentId,
    block: BlockRef,
) -> Result<Word, ChainError> {
    let owner = source.call(contract, calls::owner_of(agent), block).await?;
    let wallet = source.call(contract, calls::get_agent_wallet(agent), block).await?;
    let uri = source.call(contract, calls::token_uri(agent), block).await?;
    Ok(Word {
        owner: calls::address_in(&owner),
        wallet: calls::address_in(&wallet).filter(|wallet| !wallet.is_zero()),
        uri: calls::bytes_in(&uri),
    })
}

fn differences(agent: AgentId, ours: &Word, theirs: &Word) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            found.push(format!("agent {agent}: {what} is {ours} here, {theirs} in the contract"));
        }
    };
    let account = |a: Option<Address>| a.map_or("nobody".to_owned(), |a| a.to_string());
    let uri = |u: &Option<Bytes>| u.as_ref().map_or("none".to_owned(), Bytes::to_string);
    compare("the owner", account(ours.owner), account(theirs.owner));
    compare("the wallet", account(ours.wallet), account(theirs.wallet));
    compare("the URI", uri(&ours.uri), uri(&theirs.uri));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_differences_name_the_agent() {
        assert_eq!(gap(3.into(), 4.into()), "agent 3 is missing");
        assert_eq!(gap(3.into(), 9.into()), "agents 3 to 8 are missing");
        let ours = Word { owner: Some(Address::ZERO), wallet: None, uri: Some(Bytes::new()) };
        assert!(differences(7.into(), &ours, &ours).is_empty());
        let theirs = Word { wallet: Some(Address::repeat_byte(1)), ..ours.clone() };
        let found = differences(7.into(), &ours, &theirs);
        assert!(found[0].starts_with("agent 7: the wallet is nobody here"), "{found:?}");
    }
}
