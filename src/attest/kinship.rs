//! How whoever says something is close to whom it is said of.
//!
//! Everything is judged by facts that the caller brings, of the time at which the record was said. An agent is itself also through its
//! wallet, and that is refused. Through its owner, an operator, a wallet of its past or another one that is linked to it, it may or may
//! not be the same hand at work: such a record is taken, and its [`Kinship`] is worth showing.

use super::limits::{Limit, Same};
use crate::vocab::{AccountId, AgentRef, Subject};

/// Who an issuer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerFacts<'a> {
    /// The name that the sender has.
    pub name: &'a Subject,
    /// The agents that the name leads to; more than one where agents share a wallet.
    pub agents: &'a [AgentRef],
    /// The accounts that it acts by: its own, or its agent's.
    pub accounts: &'a [AccountId],
}

/// Who a subject is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFacts<'a> {
    /// The name that the record has.
    pub name: &'a Subject,
    /// The agent that the name leads to, where it leads to one.
    pub agent: Option<AgentRef>,
    /// The accounts that have or had to do with that agent.
    pub accounts: &'a [(AccountId, Tie)],
    /// Other agents that are proven to be under the same control.
    pub siblings: &'a [AgentRef],
}

/// What an account has to do with an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// It is the agent's wallet.
    Wallet,
    /// It is linked to the agent as another wallet, by evidence beside the registry.
    OtherWallet,
    /// It owns the agent.
    Owner,
    /// It may act for the agent's owner (ERC-721).
    Operator,
    /// It was the agent's wallet.
    PastWallet,
    /// It owned the agent.
    PastOwner,
}

impl Tie {
    /// The word for it, in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::OtherWallet => "other_wallet",
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::PastWallet => "past_wallet",
            Self::PastOwner => "past_owner",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Self::Wallet => "is the wallet of",
            Self::OtherWallet => "is another wallet of",
            Self::Owner => "owns",
            Self::Operator => "is an operator of",
            Self::PastWallet => "was the wallet of",
            Self::PastOwner => "owned",
        }
    }
}

/// How an issuer is close to the agent that it speaks of, without being it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kinship {
    /// An account of the issuer has to do with the agent.
    Account {
        /// The account.
        account: AccountId,
        /// What it has to do with it.
        tie: Tie,
        /// The agent.
        agent: AgentRef,
    },
    /// An account of the issuer has the address of one of the subject's on another chain.
    SameAddress {
        /// The issuer's.
        account: AccountId,
        /// The subject's.
        other: AccountId,
    },
    /// The issuer's agent is under the same proven control.
    Sibling {
        /// The issuer's agent.
        issuer: AgentRef,
        /// The agent spoken of.
        agent: AgentRef,
    },
}

impl std::fmt::Display for Kinship {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account { account, tie, agent } => {
                write!(f, "the issuer's account {account} {} {agent}, the subject", tie.told())
            }
            Self::SameAddress { account, other } => {
                write!(
                    f,
                    "the issuer's account {account} has the address of {other}, the subject's"
                )
            }
            Self::Sibling { issuer, agent } => {
                write!(
                    f,
                    "the issuer's agent {issuer} is under the same control as {agent}, the subject"
                )
            }
        }
    }
}

/// How the issuer of a record is close to its subject, in a settled order and each once.
///
/// # Errors
/// [`Limit::Own`] where they are one: by name, by agent, or since the issuer acts by the agent's wallet, which others may share.
pub fn kinship(
    issuer: &IssuerFacts<'_>,
    subject: &SubjectFacts<'_>,
) -> Result<Vec<Kinship>, Limit> {
    if issuer.name == subject.name {
        return Err(Limit::Own(Same::Both(issuer.name.clone())));
    }
    let mut found = Vec::new();
    if let Subject::Account(about) = subject.name {
        if issuer.accounts.contains(about) {
            return Err(Limit::Own(Same::Both(subject.name.clone())));
        }
        found.extend(same_address(issuer.accounts, *about));
    }
    let Some(agent) = subject.agent else { return Ok(found) };
    let ties = issuer
        .accounts
        .iter()
        .flat_map(|account| subject.accounts.iter().filter(move |(other, _)| other == account));
    let ties: Vec<_> = ties.copied().collect();
    if issuer.agents.contains(&agent) {
        return Err(Limit::Own(Same::Both(Subject::Agent(agent))));
    }
    // Two agents may have one wallet; whoever signs with it speaks of either as of itself.
    if let Some((account, _)) = ties.iter().find(|(_, tie)| *tie == Tie::Wallet) {
        return Err(Limit::Own(Same::Wallet { account: *account, agent }));
    }
    found.extend(
        subject.accounts.iter().flat_map(|(other, _)| same_address(issuer.accounts, *other)),
    );
    let siblings = issuer.agents.iter().filter(|agent| subject.siblings.contains(agent));
    let siblings = siblings.map(|issuer| Kinship::Sibling { issuer: *issuer, agent });
    let accounts = ties.into_iter().map(|(account, tie)| Kinship::Account { account, tie, agent });
    found.extend(accounts.chain(siblings));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Those of an issuer's accounts that have the address of another one on another chain: with one key, they are one hand.
fn same_address(accounts: &[AccountId], other: AccountId) -> impl Iterator<Item = Kinship> {
    let is_same = move |own: &&AccountId| own.address == other.address && own.chain != other.chain;
    accounts
        .iter()
        .filter(is_same)
        .map(move |account| Kinship::SameAddress { account: *account, other })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "eip155:8453:0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";

    fn agent(id: u64) -> AgentRef {
        AgentRef::parse_full(&format!("{REGISTRY}:{id}")).unwrap()
    }

    fn account(digit: char) -> AccountId {
        let address = digit.to_string().repeat(40);
        AccountId::parse(&format!("eip155:8453:0x{address}"), crate::vocab::ChainId(1)).unwrap()
    }

    fn named(text: &str) -> Subject {
        text.parse().unwrap()
    }

    #[test]
    fn an_agent_is_itself_under_every_name_and_through_its_wallet() {
        let (player, other) = (named("platform:games:a"), named("platform:games:b"));
        let wallets = [(account('a'), Tie::Wallet), (account('b'), Tie::Owner)];
        let subject = |name, agent| SubjectFacts { name, agent, accounts: &wallets, siblings: &[] };
        let of_22 = Some(agent(22));
        for (issuer, about) in [
            (IssuerFacts { name: &player, agents: &[], accounts: &[] }, subject(&player, None)),
            (
                IssuerFacts { name: &player, agents: &[agent(22)], accounts: &[] },
                subject(&other, of_22),
            ),
            (
                IssuerFacts { name: &player, agents: &[agent(7), agent(22)], accounts: &[] },
                subject(&other, of_22),
            ),
            (
                IssuerFacts { name: &player, agents: &[], accounts: &[account('a')] },
                subject(&other, of_22),
            ),
        ] {
            let refused = kinship(&issuer, &about).unwrap_err();
            assert!(matches!(refused, Limit::Own(_)), "{refused}");
            assert_eq!(refused.as_str(), "self_attestation");
        }
        // Of two agents that share a wallet, each is told from the other.
        let agents = [agent(7)];
        let shared = IssuerFacts { name: &player, agents: &agents, accounts: &[account('a')] };
        let refused = kinship(&shared, &subject(&other, of_22)).unwrap_err().to_string();
        let a = account('a');
        assert_eq!(
            refused,
            format!(
                "nobody attests to themselves: the issuer acts by {a}, which is also the wallet of {REGISTRY}:22, the subject"
            )
        );
        let stranger =
            IssuerFacts { name: &player, agents: &[agent(7)], accounts: &[account('c')] };
        assert_eq!(kinship(&stranger, &subject(&other, of_22)), Ok(Vec::new()));
        // Accounts of a name that leads to no agent say nothing.
        let same = IssuerFacts { name: &player, agents: &[], accounts: &[account('a')] };
        assert_eq!(kinship(&same, &subject(&other, None)), Ok(Vec::new()));
    }

    #[test]
    fn who_is_close_to_an_agent_may_speak_and_is_shown() {
        let (issuer, subject) = (named("platform:games:a"), named("platform:games:b"));
        let ties = [Tie::PastOwner, Tie::OtherWallet, Tie::Owner, Tie::Operator, Tie::PastWallet];
        let accounts: Vec<_> = ties.into_iter().map(|tie| (account('a'), tie)).collect();
        let about = SubjectFacts {
            name: &subject,
            agent: Some(agent(22)),
            accounts: &accounts,
            siblings: &[agent(7), agent(8)],
        };
        let by = IssuerFacts {
            name: &issuer,
            agents: &[agent(7), agent(9)],
            accounts: &[account('a'), account('a'), account('d')],
        };
        let found = kinship(&by, &about).unwrap();
        let told: Vec<_> = found.iter().map(ToString::to_string).collect();
        let a = account('a');
        assert_eq!(
            told,
            [
                format!("the issuer's account {a} is another wallet of {REGISTRY}:22, the subject"),
                format!("the issuer's account {a} owns {REGISTRY}:22, the subject"),
                format!("the issuer's account {a} is an operator of {REGISTRY}:22, the subject"),
                format!("the issuer's account {a} was the wallet of {REGISTRY}:22, the subject"),
                format!("the issuer's account {a} owned {REGISTRY}:22, the subject"),
                format!(
                    "the issuer's agent {REGISTRY}:7 is under the same control as {REGISTRY}:22, the subject"
                ),
            ]
        );
        for tie in ties {
            assert!(!tie.as_str().is_empty());
        }
    }
}
