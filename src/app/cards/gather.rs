//! Gathers what a view is made of: texts, what is known of the issuers, and the newest records.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use alloy::primitives::Address;

use super::memory::Memory;
use super::reading::{Subject, ledger, near};
use super::{CardSetting, CardsAsOf, Loaded};
use crate::did::web::WebHost;
use crate::project::{
    Basis, Claims, Entry, Hands, IssuerFacts, IssuerKey, Parts, RECENT_MAX, RecentParts, Rollup,
    STANDING_COUNT_MAX, Seen, Standing, View, Voice, counted_issuers,
};
use crate::storage::{RecordSource, StorageError, Tx};
use crate::vocab::{AccountId, AgentId, AgentRef, Subject as Name};

/// The own record is looked up of so many issuers: of those that said most.
const STANDINGS_MAX: usize = 32;

/// What a projector is shown of an agent.
pub(super) async fn view(
    tx: &mut Tx,
    memory: &Memory,
    subject: &mut Subject,
    as_of: &CardsAsOf,
    setting: &CardSetting,
    loaded: &Loaded,
) -> Result<View, StorageError> {
    let claims = claims(tx, memory, subject, &loaded.projector.description.claims).await?;
    let is_wanted = |claim: u32| claims.contains(&claim);
    let rollup = subject.rollup.only(is_wanted);
    let newest = subject.ledger.recent(is_wanted, RECENT_MAX);
    let newest: BTreeMap<u64, Entry> =
        newest.into_iter().map(|entry| (entry.posting.seq, entry)).collect();
    let keys = rollup.issuers.keys().copied();
    let keys: BTreeSet<_> = keys.chain(newest.values().map(IssuerKey::of)).collect();
    learn_issuers(tx, memory, subject, as_of, &rollup, keys).await?;
    let numbers: BTreeSet<u32> =
        rollup.tallies.keys().flat_map(|(claim, words, _)| [*claim, *words]).collect();
    let texts = memory.terms(tx, numbers.into_iter().filter(|number| *number != 0)).await?;
    let seqs: Vec<_> = newest.keys().copied().collect();
    subject.read(tx, &seqs).await?;
    let mut recent = Vec::with_capacity(newest.len());
    for (seq, entry) in newest.into_iter().rev() {
        let record = subject.record(seq)?;
        let broken = |_| StorageError::inconsistent("attestation", "record", seq);
        let seen = Seen::read(&record.record).map_err(broken)?;
        let (digest, is_dated, basis) = (record.digest, record.is_dated, basis(record.source));
        recent.push(RecentParts { entry, digest, is_dated, basis, seen });
    }
    let later = subject.ledger.later.iter().filter(|(claim, _)| is_wanted(**claim));
    let later = later.fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
    let parameters = setting.parameters.clone().unwrap_or_else(|| loaded.parameters.clone());
    let parts = Parts {
        subject: subject.facts.clone(),
        block: (as_of.context.block.number, as_of.time),
        log_size: as_of.context.log_size,
        settled: as_of.settled,
        game: setting.game.clone(),
        viewer: setting.viewer.clone(),
        parameters,
        later,
        rollup: &rollup,
        texts: &texts,
        issuers: &subject.issuers,
        recent,
    };
    Ok(parts.assemble())
}

const fn basis(source: RecordSource) -> Basis {
    match source {
        RecordSource::Signed => Basis::Signed,
        RecordSource::Issued => Basis::Issued,
        RecordSource::Origin => Basis::Origin,
        RecordSource::Relay => Basis::Relay,
        RecordSource::Chain => Basis::Chain,
    }
}

/// The numbers of those types of claims in a ledger that a projector reads.
async fn claims(
    tx: &mut Tx,
    memory: &Memory,
    subject: &Subject,
    wanted: &Claims,
) -> Result<BTreeSet<u32>, StorageError> {
    let texts = memory.terms(tx, subject.ledger.claims()).await?;
    Ok(texts.iter().filter(|(_, text)| wanted.has(text)).map(|(number, _)| *number).collect())
}

/// Looks up what is not known yet of some issuers.
async fn learn_issuers(
    tx: &mut Tx,
    memory: &Memory,
    subject: &mut Subject,
    as_of: &CardsAsOf,
    rollup: &Rollup,
    keys: BTreeSet<IssuerKey>,
) -> Result<(), StorageError> {
    let missing: Vec<_> =
        keys.into_iter().filter(|key| !subject.issuers.contains_key(key)).collect();
    let names = tx.names(missing.iter().map(|key| key.name)).await?;
    let own = subject.facts.agent;
    let accounts = names.iter().filter_map(|(number, name)| match name {
        Name::Account(account) if account.chain == own.registry.chain => {
            Some((*number, account.address))
        }
        _ => None,
    });
    let accounts = accounts.collect();
    let owners = owners(tx, &missing, as_of).await?;
    let hands =
        Hands { own: own.id, near: &subject.accounts, owners: &owners, accounts: &accounts };
    for key in missing {
        let name = names.get(&key.name);
        let name = name.ok_or_else(|| StorageError::inconsistent("name", "id", key.name))?;
        let text: Arc<str> = name.to_string().into();
        let in_full = |id| AgentRef { registry: own.registry, id }.to_string();
        let voice = match hands.voice(&key) {
            Voice::Account(account) => account.to_string().into(),
            Voice::Agent(agent) => in_full(agent).into(),
            Voice::Name(_) => Arc::clone(&text),
        };
        let (agent, is_kin) = (key.agent.map(in_full), hands.is_kin(&key));
        let facts = IssuerFacts { name: text, agent, voice, is_kin, standing: None };
        subject.issuers.insert(key, facts);
    }
    let standings = standings(tx, memory, subject, as_of, rollup).await?;
    for (key, facts) in &mut subject.issuers {
        facts.standing = key.agent.and_then(|agent| standings.get(&agent).copied());
    }
    Ok(())
}

/// The own records of the agents that said most of what is counted.
async fn standings(
    tx: &mut Tx,
    memory: &Memory,
    subject: &Subject,
    as_of: &CardsAsOf,
    rollup: &Rollup,
) -> Result<HashMap<AgentId, Standing>, StorageError> {
    let mut said: BTreeMap<AgentId, u32> = BTreeMap::new();
    for (key, count) in &rollup.issuers {
        if let Some(agent) = key.agent {
            let sum = said.entry(agent).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    let mut most: Vec<_> = said.into_iter().collect();
    most.sort_by_key(|(agent, count)| (std::cmp::Reverse(*count), *agent));
    most.truncate(STANDINGS_MAX);
    let registry = subject.facts.agent.registry;
    let mut standings = HashMap::new();
    for (id, _) in most {
        let agent = AgentRef { registry, id };
        let standing = standing(tx, memory, &subject.host, agent, as_of).await?;
        standings.insert(id, standing);
    }
    Ok(standings)
}

/// The owners of those issuers that are agents.
async fn owners(
    tx: &mut Tx,
    issuers: impl IntoIterator<Item = &IssuerKey>,
    as_of: &CardsAsOf,
) -> Result<BTreeMap<AgentId, Address>, StorageError> {
    let agents: BTreeSet<_> = issuers.into_iter().filter_map(|key| key.agent).collect();
    let agents: Vec<_> = agents.into_iter().collect();
    tx.owners_at(&agents, as_of.context.block.number).await
}

/// What an agent's own record comes to.
pub(super) async fn standing(
    tx: &mut Tx,
    memory: &Memory,
    host: &WebHost,
    agent: AgentRef,
    as_of: &CardsAsOf,
) -> Result<Standing, StorageError> {
    if let Some(held) = memory.standing(agent, as_of) {
        return Ok(held);
    }
    let ledger = ledger(tx, memory, host, agent, as_of).await?;
    let near = near(tx, agent, as_of.context.block.number).await?;
    let issuers = counted_issuers(&ledger);
    let owners = owners(tx, issuers.keys(), as_of).await?;
    // Of all names only those matter here that are one of these accounts.
    let accounts: BTreeSet<_> = owners.values().chain(&near).copied().collect();
    let named = |address| Name::Account(AccountId { chain: agent.registry.chain, address });
    let named: Vec<_> = accounts.into_iter().map(|address| (named(address), address)).collect();
    let numbers = tx.name_numbers(named.iter().map(|(name, _)| name)).await?;
    let numbered = |(name, address): &(Name, Address)| Some((*numbers.get(name)?, *address));
    let accounts = named.iter().filter_map(numbered).collect();
    let given = tx.given_by(agent.id, as_of.context.log_size, STANDING_COUNT_MAX).await?;
    let hands = Hands { own: agent.id, near: &near, owners: &owners, accounts: &accounts };
    let standing = hands.standing(&issuers, given);
    memory.keep_standing(agent, as_of, standing);
    Ok(standing)
}
