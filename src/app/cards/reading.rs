//! An agent's record as of one size of the log and one block: its ledger, and what is known of the agent itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy::primitives::Address;

use super::CardsAsOf;
use super::memory::Memory;
use crate::app::meanings::{Reading, meanings};
use crate::did::web::WebHost;
use crate::identity::{SpanCause, TimelineRef};
use crate::project::{IssuerFacts, IssuerKey, Ledger, Posting, Rollup, Span, SubjectFacts};
use crate::rekey::Meanings;
use crate::storage::{AccountRole, StorageError, StoredRecord, Tx};
use crate::vocab::{AccountId, AgentRef, Subject as Name};

/// So many spans of an agent's owners and wallets are looked at to tell who is close to it.
const SPANS_MAX: u32 = 1_000;

/// An agent's record.
#[derive(Debug)]
pub struct Subject {
    /// What was said of it.
    pub ledger: Ledger,
    /// The same, counted.
    pub rollup: Rollup,
    /// What is known of it.
    pub facts: SubjectFacts,
    /// Every account that owned it or was its wallet, by the block.
    pub(super) accounts: BTreeSet<Address>,
    /// What is known of those who said something of it, as far as it was asked for.
    pub(super) issuers: BTreeMap<IssuerKey, IssuerFacts>,
    pub(super) host: WebHost,
    /// Those of its records that were read whole, by their places in the log.
    records: BTreeMap<u64, StoredRecord>,
}

impl Subject {
    /// Reads records whole, those that are not in hand yet; [`record`](Self::record) then has them.
    pub(super) async fn read(&mut self, tx: &mut Tx, seqs: &[u64]) -> Result<(), StorageError> {
        let mut missing = seqs.to_vec();
        missing.retain(|seq| !self.records.contains_key(seq));
        let read = tx.records_at(&missing).await?;
        self.records.extend(read.into_iter().map(|record| (record.seq, record)));
        Ok(())
    }

    /// A record that was read.
    pub(super) fn record(&self, seq: u64) -> Result<&StoredRecord, StorageError> {
        let missing = || StorageError::inconsistent("attestation", "seq", seq);
        self.records.get(&seq).ok_or_else(missing)
    }
}

/// Reads the record of an agent.
pub(super) async fn subject(
    tx: &mut Tx,
    memory: &Memory,
    host: &WebHost,
    agent: AgentRef,
    as_of: &CardsAsOf,
) -> Result<Subject, StorageError> {
    let ledger = Arc::unwrap_or_clone(ledger(tx, memory, host, agent, as_of).await?);
    let block = as_of.context.block.number;
    let (facts, accounts) = (facts(tx, agent, block).await?, near(tx, agent, block).await?);
    let rollup = Rollup::of(&ledger, as_of.settled.finalized);
    let (issuers, records) = (BTreeMap::new(), BTreeMap::new());
    Ok(Subject { ledger, rollup, facts, accounts, issuers, host: host.clone(), records })
}

/// What was said of an agent, and which agents said it.
pub(super) async fn ledger(
    tx: &mut Tx,
    memory: &Memory,
    host: &WebHost,
    agent: AgentRef,
    as_of: &CardsAsOf,
) -> Result<Arc<Ledger>, StorageError> {
    if let Some(held) = memory.ledger(agent, as_of) {
        return Ok(held);
    }
    let log_size = as_of.context.log_size;
    let numbers = tx.names_of_subject(agent.id).await?;
    let names = tx.names(numbers.iter().copied()).await?;
    let reading =
        Reading { followed: agent.registry, host: host.clone(), log_size: Some(log_size) };
    let numbered = names.iter().map(|(number, name)| (name, *number));
    let meanings = meanings(tx, numbered, &reading).await?;
    let mut postings: Vec<(Arc<Vec<Posting>>, &Meanings)> = Vec::new();
    for (number, name) in &names {
        if let Some(meaning) = meanings.get(name) {
            postings.push((memory.postings(tx, *number, log_size).await?, meaning));
        }
    }
    let names = postings.iter().map(|(postings, meaning)| (postings.as_slice(), *meaning));
    let mut ledger = Ledger::gather(agent.id, names, Span { log_size, time: as_of.time });
    name_issuers(tx, &mut ledger, host, agent, as_of).await?;
    let ledger = Arc::new(ledger);
    memory.keep_ledger(agent, as_of, &ledger);
    Ok(ledger)
}

async fn name_issuers(
    tx: &mut Tx,
    ledger: &mut Ledger,
    host: &WebHost,
    agent: AgentRef,
    as_of: &CardsAsOf,
) -> Result<(), StorageError> {
    // A platform's own word is nobody's who is an agent.
    let others = ledger.entries.iter().filter(|entry| entry.posting.class.is_none());
    let numbers = others.flat_map(|entry| [entry.posting.issuer, entry.posting.spoken_by]);
    let numbers: BTreeSet<_> = numbers.filter(|number| *number != 0).collect();
    let names = tx.names(numbers).await?;
    let log_size = Some(as_of.context.log_size);
    let reading = Reading { followed: agent.registry, host: host.clone(), log_size };
    let numbered = names.iter().map(|(number, name)| (name, *number));
    let meanings = meanings(tx, numbered, &reading).await?;
    let of = |(number, name): (&u64, &Name)| Some((*number, meanings.get(name)?));
    ledger.name_issuers(&names.iter().filter_map(of).collect());
    Ok(())
}

/// Every account that owned an agent, or was its wallet, by a block.
pub(super) async fn near(
    tx: &mut Tx,
    agent: AgentRef,
    block: u64,
) -> Result<BTreeSet<Address>, StorageError> {
    let mut accounts = BTreeSet::new();
    for timeline in [TimelineRef::Owner(agent.id), TimelineRef::Wallet(agent.id)] {
        let spans = tx.timeline(timeline, None, SPANS_MAX).await?;
        let begun = spans.iter().filter(|span| span.from.at.block_number <= block);
        accounts.extend(begun.filter_map(|span| span.record.value.account()));
    }
    Ok(accounts)
}

/// What is known of the agent itself at the end of a block.
async fn facts(tx: &mut Tx, agent: AgentRef, block: u64) -> Result<SubjectFacts, StorageError> {
    let span = tx.span_at(TimelineRef::Wallet(agent.id), block).await?;
    let wallet = span.as_ref().and_then(|span| span.record.value.account());
    let wallet_agents = match wallet {
        Some(wallet) => tx.agents_of_count(wallet, AccountRole::Wallet, block).await?,
        None => 0,
    };
    let account = |address| AccountId { chain: agent.registry.chain, address }.to_string();
    Ok(SubjectFacts {
        agent,
        wallet: wallet.map(account),
        is_wallet_proven: span.is_some_and(|span| span.record.cause == Some(SpanCause::Proven)),
        wallet_agents: u32::try_from(wallet_agents).unwrap_or(u32::MAX),
    })
}
