//! The postings that are about one agent, as of one size of the log and one time.
//!
//! A name means an agent for a time only: the wallet that it had in March is another agent's in May. So postings, which lie by name, are
//! drawn together here by what each name meant when the record was said.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::map::{HashMap, HashSet};

use super::posting::Posting;
use crate::rekey::{Meanings, Outcome};
use crate::vocab::{AgentId, UnixSeconds};

/// As of when: records up to a size of the log, and said by a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The size of the log.
    pub log_size: u64,
    /// The time of the block; what was said later is not seen.
    pub time: UnixSeconds,
}

/// A posting with whom its names meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is counted.
    pub posting: Posting,
    /// The agent that its issuer meant.
    pub issuer_agent: Option<AgentId>,
    /// Whether its issuer has taken it back or replaced it.
    pub is_withdrawn: bool,
}

/// What was said of an agent, in the order of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By their places in the log.
    pub entries: Vec<Entry>,
    /// How many more are dated later than the block, by the number of the claim's type: whom they mean the chain has not told yet.
    pub later: BTreeMap<u32, u32>,
}

impl Ledger {
    /// The ledger of an agent from the postings of every name that may have meant it, each with what it meant.
    #[must_use]
    pub fn gather<'a>(
        agent: AgentId,
        names: impl IntoIterator<Item = (&'a [Posting], &'a Meanings)>,
        as_of: Span,
    ) -> Self {
        let mut ledger = Self::default();
        // Whoever takes something back may do so when the name means another agent already.
        let mut taken_back: HashSet<(u64, u64)> = HashSet::default();
        for (postings, meanings) in names {
            let visible = postings.partition_point(|posting| posting.seq <= as_of.log_size);
            let visible = postings.get(..visible).unwrap_or_default();
            let replaces =
                |posting: &&Posting| posting.thread.replaces != 0 && posting.said_at <= as_of.time;
            let taken = visible.iter().filter(replaces);
            taken_back.extend(taken.map(|posting| (posting.issuer, posting.thread.replaces)));
            let means =
                |posting: &&Posting| meanings.at(posting.said_at).outcome == Outcome::Agent(agent);
            let said = visible.iter().filter(|posting| !posting.is_withdrawal());
            for posting in said.filter(means) {
                if posting.said_at <= as_of.time {
                    let (posting, issuer_agent) = (*posting, None);
                    ledger.entries.push(Entry { posting, issuer_agent, is_withdrawn: false });
                } else {
                    *ledger.later.entry(posting.claim).or_default() += 1;
                }
            }
        }
        ledger.entries.sort_unstable_by_key(|entry| entry.posting.seq);
        if !taken_back.is_empty() {
            for Entry { posting, is_withdrawn, .. } in &mut ledger.entries {
                *is_withdrawn = taken_back.contains(&(posting.issuer, posting.thread.own));
            }
        }
        ledger
    }

    /// Says which agents the issuers meant; `meanings` has every name of an issuer that may have meant one.
    pub fn name_issuers(&mut self, meanings: &HashMap<u64, &Meanings>) {
        for Entry { posting, issuer_agent, .. } in &mut self.entries {
            let Some(meant) = meanings.get(&posting.issuer) else { continue };
            let found = match meanings.get(&posting.spoken_by) {
                Some(account) if posting.spoken_by != 0 => {
                    meant.spoken_by(account, posting.said_at)
                }
                _ => meant.at(posting.said_at),
            };
            *issuer_agent = found.outcome.agent();
        }
    }

    /// At most so many entries whose claim is wanted: the newest of each issuer, then the second newest of each, and so on, so that one who
    /// says very much leaves room for the others.
    #[must_use]
    pub fn recent(&self, is_wanted: impl Fn(u32) -> bool, max: usize) -> Vec<Entry> {
        let mut said: HashMap<(u64, Option<AgentId>), u32> = HashMap::default();
        let mut ranked: Vec<(u32, Reverse<u64>, &Entry)> = Vec::new();
        for entry in self.entries.iter().rev().filter(|entry| is_wanted(entry.posting.claim)) {
            // Whatever it signs with, an agent is one issuer.
            let name = if entry.issuer_agent.is_some() { 0 } else { entry.posting.issuer };
            let rank = said.entry((name, entry.issuer_agent)).or_default();
            ranked.push((*rank, Reverse(entry.posting.seq), entry));
            *rank = rank.saturating_add(1);
        }
        let place = |(rank, seq, _): &(u32, Reverse<u64>, &Entry)| (*rank, *seq);
        if ranked.len() > max {
            ranked.select_nth_unstable_by_key(max, place);
            ranked.truncate(max);
        }
        ranked.sort_unstable_by_key(place);
        ranked.into_iter().map(|(_, _, entry)| *entry).collect()
    }

    /// The numbers of all types of claims, those of what is dated later too.
    #[must_use]
    pub fn claims(&self) -> BTreeSet<u32> {
        // Neighbours are mostly of one type.
        let runs = self.entries.chunk_by(|one, other| one.posting.claim == other.posting.claim);
        let of_runs = runs.filter_map(|run| run.first()).map(|entry| entry.posting.claim);
        of_runs.chain(self.later.keys().copied()).collect()
    }

    /// Whether a place of the log is about the agent.
    #[must_use]
    pub fn has(&self, seq: u64) -> bool {
        self.entries.binary_search_by_key(&seq, |entry| entry.posting.seq).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::U256;

    use super::*;
    use crate::project::Thread;
    use crate::rekey::{Claim, Rule};

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn posting(seq: u64, said_at: u64, own: u64, replaces: u64) -> Posting {
        Posting {
            seq,
            said_at: at(said_at),
            issuer: 1,
            spoken_by: 0,
            thread: Thread { own, replaces },
            claim: 1,
            words: 0,
            game: 0,
            class: None,
        }
    }

    fn meant(id: u64, from: u64, to: Option<u64>) -> Meanings {
        let agent = AgentId(U256::from(id));
        let claim = Claim {
            from: at(from),
            to: to.map(at),
            agent,
            rule: Rule::Wallet,
            span: None,
            link: None,
        };
        Meanings::new(vec![claim], Rule::Nothing)
    }

    fn seqs(ledger: &Ledger) -> Vec<(u64, bool)> {
        ledger.entries.iter().map(|entry| (entry.posting.seq, entry.is_withdrawn)).collect()
    }

    #[test]
    fn a_wallet_is_followed_only_while_it_was_the_agents() {
        let wallet = [posting(1, 10, 11, 0), posting(3, 20, 12, 0), posting(5, 30, 13, 0)];
        let own = [posting(2, 5, 14, 0), posting(4, 99, 15, 0)];
        let (wallet_meant, own_meant) = (meant(7, 10, Some(30)), meant(7, 0, None));
        let gather = |log_size, time| {
            let names = [(&wallet[..], &wallet_meant), (&own[..], &own_meant)];
            let agent = AgentId(U256::from(7));
            seqs(&Ledger::gather(agent, names, Span { log_size, time: at(time) }))
        };
        assert_eq!(gather(9, 100), [(1, false), (2, false), (3, false), (4, false)]);
        assert_eq!(gather(3, 100), [(1, false), (2, false), (3, false)], "as of a size of the log");
        assert_eq!(gather(9, 19), [(1, false), (2, false)], "as of a time");
        let names = [(&wallet[..], &wallet_meant), (&own[..], &own_meant)];
        let as_of = Span { log_size: 9, time: at(19) };
        let ledger = Ledger::gather(AgentId(U256::from(7)), names, as_of);
        assert_eq!(ledger.later, BTreeMap::from([(1, 2)]), "what is said later is told");
    }

    #[test]
    fn a_claim_that_is_only_dated_later_is_one() {
        let meanings = meant(7, 0, None);
        let as_of = Span { log_size: 9, time: at(19) };
        let own = [posting(1, 20, 11, 0)];
        let ledger = Ledger::gather(AgentId(U256::from(7)), [(&own[..], &meanings)], as_of);
        assert!(ledger.entries.is_empty());
        assert_eq!(ledger.claims(), BTreeSet::from([1]));
    }

    #[test]
    fn it_makes_no_difference_in_which_order_or_of_whom_it_is_taken_back() {
        let gather = |own: &[Posting]| {
            let meanings = meant(7, 0, Some(20));
            let as_of = Span { log_size: 9, time: at(50) };
            seqs(&Ledger::gather(AgentId(U256::from(7)), [(own, &meanings)], as_of))
        };
        let before = [posting(1, 2, 12, 11), posting(2, 1, 11, 0)];
        assert_eq!(gather(&before), [(1, false), (2, true)], "what replaces it came first");
        let rotated = [posting(1, 1, 11, 0), posting(2, 30, 12, 11)];
        assert_eq!(gather(&rotated), [(1, true)], "the name means another agent by then");
        let of_another = [posting(1, 1, 11, 0), posting(2, 3, 12, 11).withdrawal(2)];
        assert_eq!(gather(&of_another), [(1, true)], "what replaces it is about somebody else");
        let later = [posting(1, 1, 11, 0), posting(2, 51, 12, 11)];
        assert_eq!(gather(&later), [(1, false)], "it is dated later than the block");
    }

    #[test]
    fn what_its_issuer_takes_back_is_withdrawn_from_then_on() {
        let own = [posting(1, 1, 11, 0), posting(2, 2, 12, 11), posting(3, 3, 13, 99)];
        let gather = |log_size| {
            let meanings = meant(7, 0, None);
            let as_of = Span { log_size, time: at(9) };
            seqs(&Ledger::gather(AgentId(U256::from(7)), [(&own[..], &meanings)], as_of))
        };
        assert_eq!(gather(9), [(1, true), (2, false), (3, false)]);
        assert_eq!(gather(1), [(1, false)], "not yet");
        let mut other = own;
        other[1].issuer = 2;
        let meanings = meant(7, 0, None);
        let as_of = Span { log_size: 9, time: at(9) };
        let ledger = Ledger::gather(AgentId(U256::from(7)), [(&other[..], &meanings)], as_of);
        assert_eq!(seqs(&ledger), [(1, false), (2, false), (3, false)], "nobody else's word");
    }

    #[test]
    fn who_says_much_leaves_room_for_others() {
        let mut own: Vec<_> = (1..=9).map(|seq| posting(seq, 1, 10 + seq, 0)).collect();
        own[1].issuer = 2;
        own[3].issuer = 2;
        own[0].claim = 9;
        let meanings = meant(7, 0, None);
        let as_of = Span { log_size: 99, time: at(9) };
        let ledger = Ledger::gather(AgentId(U256::from(7)), [(&own[..], &meanings)], as_of);
        let recent = |max| -> Vec<u64> {
            ledger.recent(|claim| claim == 1, max).iter().map(|entry| entry.posting.seq).collect()
        };
        assert_eq!(recent(3), [9, 4, 8]);
        assert_eq!(recent(5), [9, 4, 8, 2, 7]);
        assert_eq!(recent(99).len(), 8);
    }
}
