//! What is kept in memory for cards, bounded: postings and texts, which never change, and cards under all that they depend on.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::{CardOutcome, CardSetting, CardsAsOf, Loaded};
use crate::project::{Ledger, Posting, Standing};
use crate::storage::{StorageError, Tx};
use crate::vocab::{AgentRef, Digest};

/// The most postings that are kept: some eighty megabytes of them.
const POSTINGS_MAX: usize = 1 << 20;
/// The most entries of ledgers: as many megabytes again.
const ENTRIES_MAX: usize = 1 << 19;
/// The most texts.
const TERMS_MAX: usize = 1 << 17;
/// The most own records.
const STANDINGS_MAX: usize = 16_384;
/// The most bytes of cards, as they are written, with what they are kept under.
const CARDS_BYTES_MAX: usize = 64 << 20;

/// What is kept.
#[derive(Debug)]
pub(super) struct Memory {
    postings: Mutex<Recent<u64, Known<Vec<Posting>>>>,
    terms: Mutex<HashMap<u32, Arc<str>>>,
    ledgers: Mutex<Recent<LedgerKey, Arc<Ledger>>>,
    standings: Mutex<Recent<LedgerKey, Standing>>,
    cards: Mutex<Recent<CardKey, CardOutcome>>,
}

/// What a ledger, and what an agent's own record comes to, depend on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LedgerKey {
    agent: AgentRef,
    as_of: CardsAsOf,
}

/// Something that only grows with the log, and how far it is known.
#[derive(Clone, Debug)]
struct Known<T> {
    value: Arc<T>,
    upto: u64,
}

/// Everything that a card depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CardKey {
    agent: AgentRef,
    projector: Digest,
    /// Of what the projector is set to: they may be long.
    parameters: Digest,
    as_of: CardsAsOf,
    game: Option<String>,
    viewer: Option<String>,
}

impl CardKey {
    pub(super) fn new(
        agent: AgentRef,
        loaded: &Loaded,
        as_of: &CardsAsOf,
        setting: &CardSetting,
    ) -> Self {
        let set = setting.parameters.as_ref().unwrap_or(&loaded.parameters);
        Self {
            agent,
            projector: loaded.projector.digest,
            parameters: Digest::of(set.as_bytes()),
            as_of: as_of.clone(),
            game: setting.game.clone(),
            viewer: setting.viewer.clone(),
        }
    }

    /// How many bytes it takes, about.
    fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        size_of::<Self>() + text(&self.game) + text(&self.viewer)
    }
}

/// Two generations: what is asked for again moves to the younger, and when that is full the older goes. Each value has its weight.
#[derive(Debug)]
struct Recent<K, V> {
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    /// The weight of the younger.
    weight: usize,
    /// The most that both weigh together.
    max: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    fn of(max: usize) -> Mutex<Self> {
        Mutex::new(Self { young: HashMap::new(), old: HashMap::new(), weight: 0, max })
    }

    fn get(&mut self, key: &K) -> Option<V> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = self.old.remove(key)?;
        self.put(key.clone(), value.clone(), weight);
        Some(value)
    }

    fn put(&mut self, key: K, value: V, weight: usize) {
        if let Some((_, before)) = self.young.remove(&key) {
            self.weight = self.weight.saturating_sub(before);
        }
        if self.weight.saturating_add(weight) > self.max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        self.young.insert(key, (value, weight));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            postings: Recent::of(POSTINGS_MAX),
            terms: Mutex::default(),
            ledgers: Recent::of(ENTRIES_MAX),
            standings: Recent::of(STANDINGS_MAX),
            cards: Recent::of(CARDS_BYTES_MAX),
        }
    }
}

impl Memory {
    /// The ledger of an agent, which those who say something of each other ask for again and again.
    pub(super) fn ledger(&self, agent: AgentRef, as_of: &CardsAsOf) -> Option<Arc<Ledger>> {
        let key = LedgerKey { agent, as_of: as_of.clone() };
        lock(&self.ledgers).get(&key)
    }

    pub(super) fn keep_ledger(&self, agent: AgentRef, as_of: &CardsAsOf, ledger: &Arc<Ledger>) {
        if !as_of.is_rekeying {
            let key = LedgerKey { agent, as_of: as_of.clone() };
            let weight = ledger.entries.len() + 1;
            lock(&self.ledgers).put(key, Arc::clone(ledger), weight);
        }
    }

    pub(super) fn card(&self, key: &CardKey) -> Option<CardOutcome> {
        lock(&self.cards).get(key)
    }

    pub(super) fn keep_card(&self, key: CardKey, outcome: CardOutcome) {
        // In memory a card takes about twice what it is written in.
        let written = match &outcome {
            CardOutcome::Card(card) => serde_json::to_vec(card).map_or(0, |json| json.len()),
            CardOutcome::Failed(failure) => failure.detail.len() + size_of::<CardOutcome>(),
        };
        let weight = key.weight() + 2 * written;
        lock(&self.cards).put(key, outcome, weight);
    }

    /// What an agent's own record comes to.
    pub(super) fn standing(&self, agent: AgentRef, as_of: &CardsAsOf) -> Option<Standing> {
        let key = LedgerKey { agent, as_of: as_of.clone() };
        lock(&self.standings).get(&key)
    }

    pub(super) fn keep_standing(&self, agent: AgentRef, as_of: &CardsAsOf, standing: Standing) {
        if !as_of.is_rekeying {
            let key = LedgerKey { agent, as_of: as_of.clone() };
            lock(&self.standings).put(key, standing, 1);
        }
    }

    /// The postings of a name, at least up to a size of the log that is posted.
    pub(super) async fn postings(
        &self,
        tx: &mut Tx,
        name: u64,
        log_size: u64,
    ) -> Result<Arc<Vec<Posting>>, StorageError> {
        let held = lock(&self.postings).get(&name);
        let mut known = held.unwrap_or_else(|| Known { value: Arc::default(), upto: 0 });
        if known.upto >= log_size {
            return Ok(known.value);
        }
        // This transaction may see more than what is asked for.
        let upto = tx.posted().await?;
        let newer = tx.postings_of(name, known.upto).await?;
        if !newer.is_empty() {
            Arc::make_mut(&mut known.value).extend(newer);
        }
        known.upto = upto;
        let (value, weight) = (Arc::clone(&known.value), known.value.len() + 1);
        lock(&self.postings).put(name, known, weight);
        Ok(value)
    }

    /// The texts of some numbers.
    pub(super) async fn terms(
        &self,
        tx: &mut Tx,
        numbers: impl IntoIterator<Item = u32>,
    ) -> Result<HashMap<u32, Arc<str>>, StorageError> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        {
            let held = lock(&self.terms);
            for number in numbers {
                match held.get(&number) {
                    Some(text) => {
                        found.insert(number, Arc::clone(text));
                    }
                    None => missing.push(number),
                }
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let read = tx.terms(missing).await?;
        let mut held = lock(&self.terms);
        if held.len() + read.len() > TERMS_MAX {
            held.clear();
        }
        for (number, text) in read {
            let text: Arc<str> = text.into();
            held.insert(number, Arc::clone(&text));
            found.insert(number, text);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_stays() {
        let recent = Recent::<u32, u32>::of(10);
        let mut recent = lock(&recent);
        for number in 0..100 {
            recent.put(number, number, 1);
            assert_eq!(recent.get(&0), Some(0));
        }
        assert!(recent.young.len() + recent.old.len() <= 11, "the bound holds");
        assert_eq!(recent.get(&50), None, "nobody asked for it");
        assert_eq!(recent.get(&99), Some(99));
    }

    #[test]
    fn what_takes_the_place_of_another_does_not_weigh_twice() {
        let recent = Recent::<u32, u32>::of(10);
        let mut recent = lock(&recent);
        recent.put(7, 7, 1);
        for number in 0..100 {
            recent.put(1, number, 3);
        }
        assert_eq!((recent.weight, recent.young.len(), recent.get(&1)), (4, 2, Some(99)));
    }
}
