//! What accounts had to do with an agent, and when: by its timelines, and by what proves that one hand has several wallets.
//!
//! The registry knows one wallet of an agent. Another one is the same hand's where both proved themselves to one character, or where one name
//! is linked to both, by its origin or by either side. What is looked at of any of these is bounded.

use std::collections::BTreeMap;

use crate::attest::kinship::Tie;
use crate::identity::{EvidencedSpan, TimelineRef};
use crate::storage::{StorageError, Tx};
use crate::vocab::{AccountId, AgentRef, ChainId, Subject, UnixSeconds};

/// So many spans of an agent's timelines are looked at; of one with more, the newest may be missed.
const SPANS_MAX: u32 = 1_000;
/// Of so many of an agent's wallets, the newest, others are looked for.
const WALLETS_MAX: usize = 8;
/// So many characters' links of each wallet are looked at, and so many links of names to it.
const LINKS_MAX: u32 = 32;

/// What an account had to do with an agent, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tied {
    account: AccountId,
    tie: Tie,
    time: Time,
}

/// From a second on, up to another that is no part of it.
#[derive(Clone, Copy, Debug)]
struct Time {
    from: UnixSeconds,
    to: Option<UnixSeconds>,
}

impl Time {
    /// When both hold.
    fn and(self, other: Self) -> Option<Self> {
        let from = self.from.max(other.from);
        let to = self.to.into_iter().chain(other.to).min();
        to.is_none_or(|to| from < to).then_some(Self { from, to })
    }
}

/// All that is known of an agent.
pub(super) type Ties = Vec<Tied>;

/// What accounts had to do with an agent at a time: wallets and owners of the past among them.
pub(super) fn ties_at(
    ties: &[Tied],
    said_at: UnixSeconds,
) -> impl Iterator<Item = (AccountId, Tie)> {
    ties.iter().filter_map(move |Tied { account, tie, time: Time { from, to } }| {
        let tie = match (tie, to.is_some_and(|to| to <= said_at)) {
            (Tie::Wallet, true) => Tie::PastWallet,
            (Tie::Owner, true) => Tie::PastOwner,
            (Tie::Operator | Tie::OtherWallet, true) => return None,
            (tie, _) => *tie,
        };
        (*from <= said_at).then_some((*account, tie))
    })
}

/// What any account had to do with an agent, at any time.
pub(super) async fn ties_of(tx: &mut Tx, agent: AgentRef) -> Result<Ties, StorageError> {
    let chain = agent.registry.chain;
    let wallets = tx.timeline(TimelineRef::Wallet(agent.id), None, SPANS_MAX).await?;
    let owners = tx.timeline(TimelineRef::Owner(agent.id), None, SPANS_MAX).await?;
    let approved = tx.timeline(TimelineRef::Approved(agent.id), None, SPANS_MAX).await?;
    let mut ties = tied(chain, &wallets, Tie::Wallet);
    let held = ties.clone();
    ties.extend(tied(chain, &owners, Tie::Owner));
    ties.extend(tied(chain, &approved, Tie::Operator));
    if let Some(owner) = owners.iter().rev().find(|span| span.to.is_none())
        && let Some(owner) = owner.record.value.account()
    {
        ties.extend(tied(chain, &tx.operators_of_owner(owner, SPANS_MAX).await?, Tie::Operator));
    }
    let newest = held.get(held.len().saturating_sub(WALLETS_MAX)..).unwrap_or_default();
    ties.extend(by_characters(tx, newest).await?);
    ties.extend(by_names(tx, agent, newest).await?);
    Ok(ties)
}

fn tied(chain: ChainId, spans: &[EvidencedSpan], tie: Tie) -> Ties {
    let of_span = |span: &EvidencedSpan| {
        let address = match span.record.timeline {
            TimelineRef::Operator(_, operator) => Some(operator),
            _ => span.record.value.account(),
        };
        let held = Time { from: span.from.time?, to: span.to.and_then(|to| to.time) };
        Some(Tied { account: AccountId { chain, address: address? }, tie, time: held })
    };
    spans.iter().filter_map(of_span).collect()
}

fn another(account: AccountId, time: Time) -> Tied {
    Tied { account, tie: Tie::OtherWallet, time }
}

/// The other wallets of the characters that an agent's wallets proved themselves to.
async fn by_characters(tx: &mut Tx, wallets: &[Tied]) -> Result<Ties, StorageError> {
    let mut found = Ties::new();
    for wallet in wallets {
        for own in tx.links_of_account(wallet.account, (0, 0), LINKS_MAX).await? {
            let time = |link: &crate::did::WalletLink| Time {
                from: link.from.time,
                to: link.to.map(|to| to.time),
            };
            let Some(both) = wallet.time.and(time(&own.link)) else { continue };
            let links = tx.wallet_links(own.character).await?;
            let others = links.iter().filter(|link| link.account != wallet.account);
            found.extend(
                others.filter_map(|link| Some(another(link.account, both.and(time(link))?))),
            );
        }
    }
    Ok(found)
}

/// The accounts of names that mean an agent, or one of its wallets.
async fn by_names(tx: &mut Tx, agent: AgentRef, wallets: &[Tied]) -> Result<Ties, StorageError> {
    let always = Time { from: UnixSeconds::EPOCH, to: None };
    let own = wallets.iter().map(|wallet| (Subject::Account(wallet.account), wallet.time));
    let own: Vec<_> = own.chain([(Subject::Agent(agent), always)]).collect();
    let mut names: BTreeMap<u64, Vec<Time>> = BTreeMap::new();
    for (target, time) in &own {
        for link in tx.links_to(target, LINKS_MAX).await? {
            let both = time.and(Time { from: link.from, to: link.to });
            names.entry(link.name).or_default().extend(both);
        }
    }
    let numbers: Vec<_> = names.keys().copied().collect();
    let mut found = Ties::new();
    for link in tx.name_links(&numbers).await? {
        let Subject::Account(account) = link.target else { continue };
        let held = names.get(&link.name).into_iter().flatten();
        let both = held.filter_map(|held| held.and(Time { from: link.from, to: link.to }));
        found.extend(both.map(|both| another(account, both)));
    }
    // A wallet is no other one than itself, while it is one.
    found.retain(|tied| !wallets.iter().any(|wallet| wallet.account == tied.account));
    Ok(found)
}
