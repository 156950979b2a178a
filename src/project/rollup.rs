//! How often whom said what: a ledger counted.
//!
//! Names and texts are numbers here still. What comes out is in no order that means anything: `view` puts it in one, by texts, so that it
//! does not depend on which instance gave which number.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::map::HashMap;

use super::ledger::{Entry, Ledger};
use crate::attest::IssuerClass;
use crate::vocab::{AgentId, UnixSeconds};

/// The most tallies of one view.
pub const TALLIES_MAX: usize = 1_024;
/// Where there are more, so many of the largest stay as they are.
const WHOLE: usize = TALLIES_MAX * 3 / 4;

/// Which types of claims a projector reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims(Vec<String>);

impl Claims {
    /// Whole types (`oathbreaker.choice`), all that begin alike (`tragedy.*`), or all (`*`).
    #[must_use]
    pub const fn new(patterns: Vec<String>) -> Self {
        Self(patterns)
    }

    /// All types.
    #[must_use]
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Whether a type is one of them.
    #[must_use]
    pub fn has(&self, claim: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => claim.starts_with(beginning),
            None => claim == pattern,
        })
    }

    /// As they were given.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.0
    }
}

/// An issuer: a name, and the agent that it meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerKey {
    /// The number of the name.
    pub name: u64,
    /// The agent that it meant.
    pub agent: Option<AgentId>,
    /// What it was: by what it had earned, or an agent.
    pub class: Option<IssuerClass>,
}

impl IssuerKey {
    /// The issuer of an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let agent = entry.issuer_agent;
        let class = entry.posting.class.or_else(|| agent.map(|_| IssuerClass::Agent));
        Self { name: entry.posting.issuer, agent, class }
    }
}

/// A ledger, counted. What was withdrawn is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    /// How many records.
    pub total: u32,
    /// How many of them are at or behind the first time that may still change.
    pub provisional: u32,
    /// Who said them, and how many.
    pub issuers: BTreeMap<IssuerKey, u32>,
    /// By the number of the claim's type.
    pub kinds: BTreeMap<u32, KindCount>,
    /// By the numbers of the claim's type and words, and by issuer.
    pub tallies: BTreeMap<(u32, u32, IssuerKey), TallyCount>,
}

/// How often a type of claim was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindCount {
    /// How often.
    pub count: u32,
    /// By whom.
    pub issuers: BTreeSet<IssuerKey>,
    /// In which games.
    pub games: Games,
    /// When first and last.
    pub times: (UnixSeconds, UnixSeconds),
}

/// How often one issuer said one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyCount {
    /// How often.
    pub count: u32,
    /// How many of them are at or behind the first time that may still change.
    pub provisional: u32,
    /// In which games.
    pub games: Games,
    /// When first and last.
    pub times: (UnixSeconds, UnixSeconds),
    /// The newest of them.
    pub last_seq: u64,
}

/// Games, by their numbers, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Games(Vec<u32>);

impl Games {
    /// How many.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn extend(&mut self, others: &Self) {
        self.0.extend(&others.0);
        self.sort();
    }

    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }
}

/// What is counted while the ledger is gone through: each issuer and tally has a place in a list, so that an entry costs two look-ups.
#[derive(Default)]
struct Counting {
    issuers: Vec<IssuerKey>,
    issuer_places: HashMap<IssuerKey, usize>,
    tallies: Vec<((u32, u32, usize), TallyCount)>,
    tally_places: HashMap<(u32, u32, usize), usize>,
}

impl Counting {
    fn add(&mut self, entry: &Entry, is_provisional: bool) {
        let posting = &entry.posting;
        let key = IssuerKey::of(entry);
        let issuer = *self.issuer_places.entry(key).or_insert_with(|| {
            self.issuers.push(key);
            self.issuers.len() - 1
        });
        let key = (posting.claim, posting.words, issuer);
        let tally = *self.tally_places.entry(key).or_insert_with(|| {
            self.tallies.push((key, TallyCount::at(posting.said_at)));
            self.tallies.len() - 1
        });
        let Some((_, tally)) = self.tallies.get_mut(tally) else { return };
        tally.count = tally.count.saturating_add(1);
        tally.provisional = tally.provisional.saturating_add(is_provisional.into());
        let (first, last) = tally.times;
        tally.times = (first.min(posting.said_at), last.max(posting.said_at));
        tally.last_seq = tally.last_seq.max(posting.seq);
        // Records of one game mostly follow each other.
        if posting.game != 0 && tally.games.0.last() != Some(&posting.game) {
            tally.games.0.push(posting.game);
        }
    }
}

impl Rollup {
    /// Counts a ledger; `provisional_from` is the first time at which names may still come to mean another agent.
    #[must_use]
    pub fn of(ledger: &Ledger, provisional_from: Option<UnixSeconds>) -> Self {
        let mut counting = Counting::default();
        for entry in ledger.entries.iter().filter(|entry| !entry.is_withdrawn) {
            let said_at = entry.posting.said_at;
            counting.add(entry, provisional_from.is_none_or(|from| said_at >= from));
        }
        let Counting { issuers, tallies, .. } = counting;
        let tallies = tallies.into_iter().filter_map(|((claim, words, issuer), mut tally)| {
            tally.games.sort();
            Some(((claim, words, *issuers.get(issuer)?), tally))
        });
        Self::of_tallies(tallies.collect())
    }

    /// What is counted here of the claims that are wanted.
    #[must_use]
    pub fn only(&self, is_wanted: impl Fn(u32) -> bool) -> Self {
        let wanted = self.tallies.iter().filter(|((claim, ..), _)| is_wanted(*claim));
        Self::of_tallies(wanted.map(|(key, tally)| (*key, tally.clone())).collect())
    }

    fn of_tallies(tallies: BTreeMap<(u32, u32, IssuerKey), TallyCount>) -> Self {
        let mut rollup = Self::default();
        for ((claim, _, issuer), tally) in &tallies {
            rollup.total = rollup.total.saturating_add(tally.count);
            rollup.provisional = rollup.provisional.saturating_add(tally.provisional);
            let said = rollup.issuers.entry(*issuer).or_default();
            *said = said.saturating_add(tally.count);
            let kind = rollup.kinds.entry(*claim).or_insert_with(|| KindCount {
                count: 0,
                issuers: BTreeSet::new(),
                games: Games::default(),
                times: tally.times,
            });
            kind.count = kind.count.saturating_add(tally.count);
            kind.issuers.insert(*issuer);
            kind.games.0.extend(&tally.games.0);
            kind.times = (kind.times.0.min(tally.times.0), kind.times.1.max(tally.times.1));
        }
        for kind in rollup.kinds.values_mut() {
            kind.games.sort();
        }
        Self { tallies, ..rollup }
    }

    /// Joins tallies until there are at most [`TALLIES_MAX`]: the rarest lose their words, and what still does not fit is only in the kinds.
    ///
    /// `texts` gives the text of a number, and `name` that of an issuer, so that the choice does not depend on numbers.
    #[must_use]
    pub fn tallies_within_limit<'a>(
        &self,
        texts: impl Fn(u32) -> &'a str,
        name: impl Fn(&IssuerKey) -> &'a str,
    ) -> Vec<((u32, u32, IssuerKey), TallyCount)> {
        let order = |((claim, words, issuer), tally): &((u32, u32, IssuerKey), TallyCount)| {
            let place = (texts(*claim), texts(*words), name(issuer), issuer.agent, issuer.class);
            (std::cmp::Reverse(tally.count), place)
        };
        let mut all: Vec<_> =
            self.tallies.iter().map(|(key, tally)| (*key, tally.clone())).collect();
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        if all.len() <= TALLIES_MAX {
            return all;
        }
        let mut joined: BTreeMap<(u32, u32, IssuerKey), TallyCount> = BTreeMap::new();
        for ((claim, _, issuer), tally) in all.drain(WHOLE..) {
            match joined.entry((claim, 0, issuer)) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(tally);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    place.get_mut().join(&tally);
                }
            }
        }
        for (key, tally) in &mut all {
            if let Some(same) = joined.remove(key) {
                tally.join(&same);
            }
        }
        let mut rest: Vec<_> = joined.into_iter().collect();
        rest.sort_by(|a, b| order(a).cmp(&order(b)));
        rest.truncate(TALLIES_MAX - WHOLE);
        all.extend(rest);
        all
    }
}

impl TallyCount {
    const fn at(time: UnixSeconds) -> Self {
        let games = Games(Vec::new());
        Self { count: 0, provisional: 0, games, times: (time, time), last_seq: 0 }
    }

    fn join(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.provisional = self.provisional.saturating_add(other.provisional);
        self.games.extend(&other.games);
        self.times = (self.times.0.min(other.times.0), self.times.1.max(other.times.1));
        self.last_seq = self.last_seq.max(other.last_seq);
    }
}

#[cfg(test)]
mod tests;
