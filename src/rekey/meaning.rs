//! From what is known of a name to the agent it meant, at any time.
//!
//! A span of a timeline runs from block to block, and a record gives a time. "At time T" is the end of the last block whose time is not
//! later than T, as everywhere in this program; a span that began in a block of time F and ended in one of time E therefore covers T
//! when F <= T < E. So spans come here with the times of their blocks, and no block has to be found for a record.

use std::collections::{BTreeMap, BTreeSet};

use super::rekeying::{Outcome, Rekeying, Rule};
use crate::did::Did;
use crate::did::web::{Local, WebDid, WebHost};
use crate::vocab::{AccountId, AgentId, ChainId, Position, RegistryRef, Subject, UnixSeconds};

/// What has to be known of a name to say whom it meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// When the agent was registered.
    Registered(AgentId, Rule),
    /// Whose wallet the account was.
    Wallet(AccountId),
    /// What it was linked to.
    Links,
    /// Nothing: it means no agent of the registry that is followed.
    Nothing(Rule),
}

/// What has to be known of a name, where one registry is followed and agents have their DIDs at `host`.
#[must_use]
pub fn question(name: &Subject, followed: RegistryRef, host: &WebHost) -> Question {
    match name {
        Subject::Agent(agent) if agent.registry == followed => {
            Question::Registered(agent.id, Rule::Named)
        }
        Subject::Agent(_) => Question::Nothing(Rule::OtherRegistry),
        Subject::Account(account) if account.chain == followed.chain => Question::Wallet(*account),
        Subject::Account(_) => Question::Nothing(Rule::OtherChain),
        Subject::Did(did) => {
            agent_of_did(did.as_str(), followed.chain, host).unwrap_or(Question::Links)
        }
        Subject::Platform { .. } => Question::Links,
    }
}

/// The agent that this service gives the DID to, where it is one of its own.
fn agent_of_did(did: &str, followed: ChainId, host: &WebHost) -> Option<Question> {
    let web = WebDid::parse(&Did::parse(did).ok()?).ok()?;
    if web.host != *host {
        return None;
    }
    match Local::of(&web)? {
        Local::Agent(chain, agent) if chain == followed => {
            Some(Question::Registered(agent, Rule::Document))
        }
        Local::Agent(..) => Some(Question::Nothing(Rule::OtherRegistry)),
        Local::Service | Local::Character(_) => None,
    }
}

/// That a name meant an agent, and during which seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The first second.
    pub from: UnixSeconds,
    /// The first second after it; `None` while it goes on.
    pub to: Option<UnixSeconds>,
    /// Which agent.
    pub agent: AgentId,
    /// By which rule.
    pub rule: Rule,
    /// Where the span of the wallet began that says so.
    pub span: Option<Position>,
    /// The number of the link that says so.
    pub link: Option<u64>,
}

impl Claim {
    /// The part of a claim that falls into a link's time, as the link's own; `None` where none does.
    #[must_use]
    pub fn through_link(
        self,
        number: u64,
        from: UnixSeconds,
        to: Option<UnixSeconds>,
    ) -> Option<Self> {
        let from = self.from.max(from);
        let to = self.to.into_iter().chain(to).min();
        let linked = Self { from, to, rule: Rule::Link, link: Some(number), ..self };
        to.is_none_or(|to| from < to).then_some(linked)
    }
}

/// What a name meant, at every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meanings {
    /// From this second on it means that; sorted.
    turns: Vec<(UnixSeconds, Rekeying)>,
    otherwise: Rekeying,
    claims: Vec<Claim>,
}

impl Meanings {
    /// From all claims that were ever made of a name, in any order. `otherwise` is the rule by which it means nobody where none is.
    #[must_use]
    pub fn new(mut claims: Vec<Claim>, otherwise: Rule) -> Self {
        let none =
            Rekeying { outcome: Outcome::None, rule: Some(otherwise), ..Rekeying::default() };
        claims.retain(|claim| claim.to.is_none_or(|to| claim.from < to));
        claims.sort_unstable();
        claims.dedup();
        let mut ends: Vec<_> = claims.iter().filter_map(|claim| Some((claim.to?, claim))).collect();
        ends.sort_unstable();
        let mut moments: Vec<_> =
            claims.iter().flat_map(|c| [Some(c.from), c.to]).flatten().collect();
        moments.sort_unstable();
        moments.dedup();
        let (mut begins, mut ends) = (claims.iter().peekable(), ends.into_iter().peekable());
        let mut active: BTreeMap<AgentId, BTreeSet<Claim>> = BTreeMap::new();
        let mut turns = Vec::with_capacity(moments.len());
        for moment in moments {
            while let Some((_, ended)) = ends.next_if(|(at, _)| *at <= moment) {
                if let Some(of_agent) = active.get_mut(&ended.agent) {
                    of_agent.remove(ended);
                    if of_agent.is_empty() {
                        active.remove(&ended.agent);
                    }
                }
            }
            while let Some(begun) = begins.next_if(|claim| claim.from <= moment) {
                active.entry(begun.agent).or_default().insert(*begun);
            }
            turns.push((moment, meaning(&active, none)));
        }
        turns.dedup_by_key(|(_, rekeying)| *rekeying);
        Self { turns, otherwise: none, claims }
    }

    /// Whether one of the agents that it meant at a time is this one.
    #[must_use]
    pub fn includes(&self, agent: AgentId, time: UnixSeconds) -> bool {
        let holds = |claim: &&Claim| claim.from <= time && claim.to.is_none_or(|to| time < to);
        self.claims.iter().filter(holds).any(|claim| claim.agent == agent)
    }

    /// What a name of an agent meant where an account signed for it: the agent, if the account was one of its wallets then. What was signed
    /// ahead of the chain is believed by the wallet of that moment, and only here does it turn out whether it was still the wallet.
    #[must_use]
    pub fn spoken_by(&self, account: &Self, time: UnixSeconds) -> Rekeying {
        let meant = self.at(time);
        match meant.outcome.agent() {
            Some(agent) if !account.includes(agent, time) => Rekeying {
                outcome: Outcome::None,
                rule: Some(Rule::NotItsWallet),
                ..Rekeying::default()
            },
            _ => meant,
        }
    }

    /// What it meant at a time.
    #[must_use]
    pub fn at(&self, time: UnixSeconds) -> Rekeying {
        let later = self.turns.partition_point(|(from, _)| *from <= time);
        let turn = later.checked_sub(1).and_then(|index| self.turns.get(index));
        turn.map_or(self.otherwise, |(_, rekeying)| *rekeying)
    }
}

/// What the claims that hold at one time come to.
fn meaning(active: &BTreeMap<AgentId, BTreeSet<Claim>>, none: Rekeying) -> Rekeying {
    let several = || u32::try_from(active.len()).unwrap_or(u32::MAX);
    match active.first_key_value() {
        None => none,
        Some((agent, claims)) if active.len() == 1 => {
            // Of several that say the same, the one by the strongest rule counts, and of those the oldest.
            let best = claims.iter().min_by_key(|claim| (claim.rule, **claim));
            Rekeying {
                outcome: Outcome::Agent(*agent),
                rule: best.map(|claim| claim.rule),
                span: best.and_then(|claim| claim.span),
                link: best.and_then(|claim| claim.link),
            }
        }
        Some((_, claims)) => Rekeying {
            outcome: Outcome::Several(several()),
            rule: claims.first().map(|claim| claim.rule),
            ..Rekeying::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};
    use proptest::prelude::*;

    use super::*;

    const FOLLOWED: RegistryRef =
        RegistryRef { chain: ChainId(8453), address: Address::repeat_byte(0x80) };

    fn agent(id: u64) -> AgentId {
        AgentId(U256::from(id))
    }

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn claim(id: u64, from: u64, to: Option<u64>) -> Claim {
        let span = Some(Position::new(from, 0));
        Claim {
            from: at(from),
            to: to.map(at),
            agent: agent(id),
            rule: Rule::Wallet,
            span,
            link: None,
        }
    }

    #[test]
    fn a_span_is_half_open_in_time() {
        let meanings =
            Meanings::new(vec![claim(7, 10, Some(20)), claim(8, 20, None)], Rule::Nothing);
        for (time, expected) in [
            (9, Outcome::None),
            (10, Outcome::Agent(agent(7))),
            (19, Outcome::Agent(agent(7))),
            (20, Outcome::Agent(agent(8))),
            (1_000, Outcome::Agent(agent(8))),
        ] {
            assert_eq!(meanings.at(at(time)).outcome, expected, "at {time}");
        }
        assert_eq!(meanings.at(at(15)).span, Some(Position::new(10, 0)));
        assert_eq!(meanings.at(at(9)).rule, Some(Rule::Nothing));
    }

    #[test]
    fn several_agents_are_never_one() {
        let claims = vec![claim(7, 10, Some(20)), claim(8, 15, Some(30)), claim(9, 15, Some(16))];
        let meanings = Meanings::new(claims, Rule::Nothing);
        for (time, expected) in [
            (14, Outcome::Agent(agent(7))),
            (15, Outcome::Several(3)),
            (16, Outcome::Several(2)),
            (20, Outcome::Agent(agent(8))),
            (30, Outcome::None),
        ] {
            assert_eq!(meanings.at(at(time)).outcome, expected, "at {time}");
        }
    }

    #[test]
    fn the_strongest_of_two_reasons_is_named() {
        let link = claim(7, 5, None).through_link(3, at(12), Some(at(40))).unwrap();
        assert_eq!((link.from, link.to, link.link), (at(12), Some(at(40)), Some(3)));
        let meanings = Meanings::new(vec![link, claim(7, 20, Some(30))], Rule::Nothing);
        assert_eq!(meanings.at(at(15)).rule, Some(Rule::Link));
        assert_eq!(meanings.at(at(25)).rule, Some(Rule::Wallet));
        assert_eq!(meanings.at(at(35)).rule, Some(Rule::Link));
        assert!(claim(7, 5, Some(9)).through_link(1, at(9), None).is_none());
    }

    #[test]
    fn an_agent_is_spoken_for_by_its_wallet_of_then() {
        let named = Claim { rule: Rule::Named, span: None, ..claim(7, 0, None) };
        let agent_7 = Meanings::new(vec![named], Rule::Nothing);
        let wallet = Meanings::new(vec![claim(7, 10, Some(20)), claim(8, 15, None)], Rule::Nothing);
        for (time, expected) in [(9, None), (10, Some(7)), (19, Some(7)), (20, None)] {
            let found = agent_7.spoken_by(&wallet, at(time));
            assert_eq!(found.outcome.agent(), expected.map(agent), "at {time}");
            let rule = if expected.is_some() { Rule::Named } else { Rule::NotItsWallet };
            assert_eq!(found.rule, Some(rule));
        }
    }

    #[test]
    fn every_kind_of_name_has_its_question() {
        let host = WebHost::parse("a.example").unwrap();
        let address = "0x8080808080808080808080808080808080808080";
        let other = "0x8180808080808080808080808080808080808080";
        let account = AccountId::parse(&format!("eip155:8453:{other}"), ChainId(0)).unwrap();
        for (name, expected) in [
            (format!("eip155:8453:{address}:22"), Question::Registered(agent(22), Rule::Named)),
            (format!("eip155:8453:{other}:22"), Question::Nothing(Rule::OtherRegistry)),
            (format!("eip155:8453:{other}"), Question::Wallet(account)),
            (format!("did:pkh:eip155:8453:{other}"), Question::Wallet(account)),
            (format!("eip155:10:{other}"), Question::Nothing(Rule::OtherChain)),
            (
                "did:web:a.example:agents:8453:22".to_owned(),
                Question::Registered(agent(22), Rule::Document),
            ),
            ("did:web:a.example:agents:10:22".to_owned(), Question::Nothing(Rule::OtherRegistry)),
            ("did:web:b.example:agents:8453:22".to_owned(), Question::Links),
            ("did:web:a.example:character:ada".to_owned(), Question::Links),
            ("platform:games:5f3c".to_owned(), Question::Links),
        ] {
            let subject: Subject = name.parse().unwrap();
            assert_eq!(question(&subject, FOLLOWED, &host), expected, "{name}");
        }
    }

    proptest! {
        /// The turns say at every time what looking through all claims says.
        #[test]
        fn turns_say_what_the_claims_say(
            drawn in prop::collection::vec((0_u64..4, 0_u64..30, prop::option::of(1_u64..30)), 0..12),
            time in 0_u64..35,
        ) {
            let claims: Vec<_> = drawn.iter().map(|(id, from, to)| claim(*id, *from, *to)).collect();
            let holds = |c: &&Claim| c.from <= at(time) && c.to.is_none_or(|to| at(time) < to);
            let agents: BTreeSet<_> = claims.iter().filter(holds).map(|c| c.agent).collect();
            let expected = match (agents.len(), agents.first()) {
                (1, Some(only)) => Outcome::Agent(*only),
                (0, _) => Outcome::None,
                (count, _) => Outcome::Several(u32::try_from(count).unwrap()),
            };
            prop_assert_eq!(Meanings::new(claims, Rule::Nothing).at(at(time)).outcome, expected);
        }
    }
}
