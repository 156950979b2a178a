//! Gathers what has to be known of names, and has `rekey` say whom they meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::did::web::WebHost;
use crate::rekey::{Claim, Meanings, Question, Rule, question};
use crate::storage::{NameLink, StorageError, Tx};
use crate::vocab::{AccountId, AgentId, RegistryRef, Subject};

/// By what names are read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The registry whose agents they may mean.
    pub(super) followed: RegistryRef,
    /// The host of the DIDs that this service gives.
    pub(super) host: WebHost,
    /// As of this size of the log: links that later records made are not known yet. `None` for all.
    pub(super) log_size: Option<u64>,
}

/// What some names meant, given with their numbers, at every time that is followed.
pub(super) async fn meanings<'a>(
    tx: &mut Tx,
    names: impl IntoIterator<Item = (&'a Subject, u64)>,
    reading: &Reading,
) -> Result<BTreeMap<Subject, Meanings>, StorageError> {
    let ask = |name: &Subject| question(name, reading.followed, &reading.host);
    let (mut asked, mut linked) = (BTreeMap::new(), BTreeMap::new());
    for (name, number) in names {
        let question = ask(name);
        if question == Question::Links {
            linked.insert(number, name);
        }
        asked.insert(name, question);
    }
    let links = links(tx, &linked, reading.log_size).await?;
    let targets = links.values().flatten().map(|link| ask(&link.target));
    let claims = Claims::gather(tx, asked.values().copied().chain(targets)).await?;
    let meaning = |(name, asked): (&Subject, Question)| {
        let (claims, otherwise) = match asked {
            Question::Links => {
                let of_name = links.get(name).into_iter().flatten();
                let claims = of_name.flat_map(|link| {
                    let claims = claims.of(ask(&link.target)).into_iter();
                    claims.filter_map(|claim| claim.through_link(link.number, link.from, link.to))
                });
                (claims.collect(), Rule::Nothing)
            }
            Question::Nothing(rule) => (Vec::new(), rule),
            Question::Registered(..) | Question::Wallet(_) => (claims.of(asked), Rule::Nothing),
        };
        (name.clone(), Meanings::new(claims, otherwise))
    };
    Ok(asked.into_iter().map(meaning).collect())
}

/// The links of some names, by their numbers.
async fn links<'a>(
    tx: &mut Tx,
    by_number: &BTreeMap<u64, &'a Subject>,
    log_size: Option<u64>,
) -> Result<BTreeMap<&'a Subject, Vec<NameLink>>, StorageError> {
    let asked: Vec<_> = by_number.keys().copied().collect();
    let mut found: BTreeMap<&Subject, Vec<NameLink>> = BTreeMap::new();
    let is_known = |link: &NameLink| {
        let newest = link.seq.max(link.other_seq);
        newest.is_none_or(|newest| log_size.is_none_or(|size| newest <= size))
    };
    for link in tx.name_links(&asked).await?.into_iter().filter(is_known) {
        if let Some(name) = by_number.get(&link.name) {
            found.entry(*name).or_default().push(link);
        }
    }
    Ok(found)
}

/// What is known of accounts and agents.
struct Claims {
    wallets: BTreeMap<alloy::primitives::Address, Vec<Claim>>,
    registered: BTreeMap<AgentId, crate::vocab::UnixSeconds>,
}

impl Claims {
    async fn gather(
        tx: &mut Tx,
        questions: impl Iterator<Item = Question>,
    ) -> Result<Self, StorageError> {
        let (mut accounts, mut agents) = (BTreeSet::new(), BTreeSet::new());
        for question in questions {
            match question {
                Question::Registered(agent, _) => {
                    agents.insert(agent);
                }
                Question::Wallet(AccountId { address, .. }) => {
                    accounts.insert(address);
                }
                Question::Links | Question::Nothing(_) => {}
            }
        }
        let accounts: Vec<_> = accounts.into_iter().collect();
        let agents: Vec<_> = agents.into_iter().collect();
        let wallets = tx.wallet_claims(&accounts).await?;
        Ok(Self { wallets, registered: tx.registration_times(&agents).await? })
    }

    fn of(&self, question: Question) -> Vec<Claim> {
        match question {
            Question::Wallet(account) => {
                self.wallets.get(&account.address).cloned().unwrap_or_default()
            }
            Question::Registered(agent, rule) => {
                let from = self.registered.get(&agent);
                let claim =
                    |from: &_| Claim { from: *from, to: None, agent, rule, span: None, link: None };
                from.map(claim).into_iter().collect()
            }
            Question::Links | Question::Nothing(_) => Vec::new(),
        }
    }
}
