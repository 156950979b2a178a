//! A view out of its parts: numbers become texts, and everything is put in an order that is the same everywhere.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::ledger::Entry;
use super::rollup::{IssuerKey, Rollup};
use super::seen::Seen;
use super::view::{Basis, Finality, Issuer, Kind, Recent, RecentEvidence, Standing, Tally, View};
use crate::vocab::{AgentRef, Digest, UnixSeconds};

/// Everything that a view is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Whose record it is.
    pub subject: SubjectFacts,
    /// The block's number and time.
    pub block: (u64, UnixSeconds),
    /// The size of the log.
    pub log_size: u64,
    /// From these times on it is not safe, and not final, whom names meant; `None` where nothing is.
    pub settled: Settled,
    /// The game that the card is for.
    pub game: Option<String>,
    /// Who looks at it.
    pub viewer: Option<String>,
    /// A JSON object.
    pub parameters: String,
    /// How many more attestations are dated later than the block.
    pub later: u32,
    /// The record, counted.
    pub rollup: &'a Rollup,
    /// The texts of numbers.
    pub texts: &'a HashMap<u32, Arc<str>>,
    /// What is known of each issuer.
    pub issuers: &'a BTreeMap<IssuerKey, IssuerFacts>,
    /// The newest records, newest first.
    pub recent: Vec<RecentParts<'a>>,
}

/// Before which times nothing changes any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settled {
    /// The time of the safe block.
    pub safe: Option<UnixSeconds>,
    /// The time of the finalized block.
    pub finalized: Option<UnixSeconds>,
}

/// What is known of the agent itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFacts {
    /// The agent.
    pub agent: AgentRef,
    /// Its wallet, CAIP-10.
    pub wallet: Option<String>,
    /// Whether the wallet's key agreed.
    pub is_wallet_proven: bool,
    /// How many agents have that wallet.
    pub wallet_agents: u32,
}

/// What is known of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerFacts {
    /// Its name.
    pub name: Arc<str>,
    /// The agent that the name meant, in full.
    pub agent: Option<String>,
    /// What all issuers under one control have in common.
    pub voice: Arc<str>,
    /// Whether it is close to the subject.
    pub is_kin: bool,
    /// Its own record.
    pub standing: Option<Standing>,
}

/// One of the newest records.
#[derive(Clone, Debug)]
pub struct RecentParts<'a> {
    /// What is counted of it.
    pub entry: Entry,
    /// Its digest.
    pub digest: Digest,
    /// Whether its issuer gave its time.
    pub is_dated: bool,
    /// By what it counts.
    pub basis: Basis,
    /// What it says.
    pub seen: Seen<'a>,
}

impl Settled {
    /// How sure it is whom a name meant at a time.
    #[must_use]
    pub fn finality(&self, time: UnixSeconds) -> Finality {
        let is_before = |tag: Option<UnixSeconds>| tag.is_some_and(|tag| time < tag);
        if is_before(self.finalized) {
            Finality::Final
        } else if is_before(self.safe) {
            Finality::Safe
        } else {
            Finality::Provisional
        }
    }
}

impl Parts<'_> {
    /// The view.
    #[must_use]
    pub fn assemble(self) -> View {
        let text = |number: u32| self.texts.get(&number).map_or("", |text| &**text);
        let name = |issuer: &IssuerKey| self.issuers.get(issuer).map_or("", |facts| &*facts.name);
        let tallies = self.rollup.tallies_within_limit(text, name);
        let shown: BTreeSet<IssuerKey> = tallies
            .iter()
            .map(|((_, _, issuer), _)| *issuer)
            .chain(self.recent.iter().map(|recent| IssuerKey::of(&recent.entry)))
            .collect();
        let mut keys: Vec<_> = shown.into_iter().collect();
        let said = |issuer: &IssuerKey| self.rollup.issuers.get(issuer).copied().unwrap_or(0);
        keys.sort_by(|a, b| {
            let place = |issuer: &IssuerKey| {
                (Reverse(said(issuer)), name(issuer).to_owned(), issuer.agent, issuer.class)
            };
            place(a).cmp(&place(b))
        });
        let places: HashMap<IssuerKey, u32> = keys.iter().copied().zip(0..).collect();
        let place = |issuer: &IssuerKey| places.get(issuer).copied().unwrap_or(0);
        let tally = |((claim, words, issuer), counted): &((u32, u32, IssuerKey), _)| {
            let counted: &super::rollup::TallyCount = counted;
            Tally {
                claim: text(*claim).to_owned(),
                words: (*words != 0).then(|| text(*words).to_owned()),
                issuer: place(issuer),
                count: counted.count,
                games: counted.games.count(),
                times: counted.times,
                last_seq: counted.last_seq,
            }
        };
        View {
            wallet: self.subject.wallet.clone(),
            is_wallet_proven: self.subject.is_wallet_proven,
            wallet_agents: self.subject.wallet_agents,
            agent: self.subject.agent,
            block: self.block.0,
            time: self.block.1,
            log_size: self.log_size,
            game: self.game.clone(),
            viewer: self.viewer.clone(),
            parameters: self.parameters.clone(),
            total: self.rollup.total,
            provisional: self.rollup.provisional,
            later: self.later,
            issuers: self.list_issuers(&keys),
            kinds: self.kinds(text),
            tallies: tallies.iter().map(tally).collect(),
            recent: self.recent.iter().map(|recent| recent.read(&self.settled, place)).collect(),
        }
    }

    fn list_issuers(&self, keys: &[IssuerKey]) -> Vec<Issuer> {
        let mut voices: HashMap<&str, u32> = HashMap::new();
        let issuer = |key: &IssuerKey| {
            let facts = self.issuers.get(key)?;
            let next = length(voices.len());
            let voice = *voices.entry(&facts.voice).or_insert(next);
            Some(Issuer {
                name: facts.name.to_string(),
                class: key.class,
                agent: facts.agent.clone(),
                voice,
                is_kin: facts.is_kin,
                standing: facts.standing,
            })
        };
        keys.iter().filter_map(issuer).collect()
    }

    fn kinds<'t>(&self, text: impl Fn(u32) -> &'t str) -> Vec<Kind> {
        let voice = |issuer: &IssuerKey| self.issuers.get(issuer).map(|facts| &*facts.voice);
        let mut kinds: Vec<Kind> = self
            .rollup
            .kinds
            .iter()
            .map(|(claim, counted)| Kind {
                claim: text(*claim).to_owned(),
                count: counted.count,
                issuers: length(counted.issuers.len()),
                voices: length(
                    counted.issuers.iter().filter_map(voice).collect::<BTreeSet<_>>().len(),
                ),
                games: counted.games.count(),
                times: counted.times,
            })
            .collect();
        kinds.sort_by(|a, b| (Reverse(a.count), &a.claim).cmp(&(Reverse(b.count), &b.claim)));
        kinds
    }
}

impl RecentParts<'_> {
    fn read(&self, settled: &Settled, place: impl Fn(&IssuerKey) -> u32) -> Recent {
        let Self { entry, seen, .. } = self;
        let said_at = entry.posting.said_at;
        let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let evidence = seen.evidence.iter().map(|evidence| RecentEvidence {
            kind: evidence.kind.to_string(),
            id: evidence.id.to_string(),
            is_public: evidence.visibility == "public",
            round: evidence.round,
            relay_index: evidence.relay_index,
            summary: owned(&evidence.summary),
        });
        Recent {
            seq: entry.posting.seq,
            digest: self.digest.to_string(),
            issuer: place(&IssuerKey::of(entry)),
            claim: seen.claim.to_string(),
            data: seen.data.to_owned(),
            note: owned(&seen.note),
            confidence: seen.confidence.map(|confidence| confidence.ppb / 1_000),
            origin: owned(&seen.origin),
            game: owned(&seen.game),
            round: seen.round,
            said_at,
            is_dated: self.is_dated,
            basis: self.basis,
            finality: settled.finality(said_at),
            is_withdrawn: entry.is_withdrawn,
            evidence: evidence.collect(),
        }
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
