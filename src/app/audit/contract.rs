//! What the identity registry itself says: how many agents there are, and of each its owner, wallet and URI.
//!
//! Calls go out in batches no larger than asked for, a few at a time. A contract that has no such function, and a node that no longer
//! has the state, cannot say; that is told apart from an agent that does not exist.

use std::time::Instant;

use alloy::primitives::{Address, Bytes, U256};
use futures_util::{StreamExt, stream};

use super::chain::{AgainstChain, Sample};
use super::{Checked, Suspects, Told};
use crate::app::AppError;
use crate::app::error::During;
use crate::chain::{BlockTag, CallOutcome, ChainError, ChainSource, Reread};
use crate::identity::{TimelineRef, Value};
use crate::registry::calls;
use crate::storage::{StorageError, Tx};
use crate::vocab::{AgentId, BlockRef, RegistryKind};

/// So many ids are read at once.
const IDS_PER_PAGE: u32 = 10_000;
/// So many agents are read and asked about at once.
const AGENTS_AT_ONCE: usize = 240;
/// So many batches are on their way at once.
const BATCHES_AT_ONCE: usize = 4;
/// Calls for one agent.
const CALLS_PER_AGENT: usize = 3;

/// The identity registry at a block.
#[derive(Debug)]
pub(super) struct Contract<'a, S> {
    pub(super) asked: &'a AgainstChain<'a, S>,
    pub(super) identity: Address,
    pub(super) block: BlockRef,
}

/// What is said of an agent at a block's end, by us or by the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    owner: Option<Address>,
    wallet: Option<Address>,
    uri: Option<Bytes>,
}

/// What the contract said: a word, or why it said none.
type Said = Result<Word, &'static str>;

impl<S: ChainSource> Contract<'_, S> {
    /// The highest id there is, by `ownerOf`, and by the storage of code that is known.
    pub(super) async fn highest(&self, suspects: &mut Suspects) -> Result<Checked, AppError> {
        let mut check = Checked::new("ids-complete", "there are as many agents as in the contract");
        let during = || "cannot count the agents".to_owned();
        let (ours, is_known) = {
            let mut tx = self.asked.database.begin_read().await.during(during)?;
            let code = TimelineRef::Implementation(RegistryKind::Identity);
            let code = tx.span_at(code, self.block.number).await.during(during)?;
            let code = code.and_then(|span| span.record.value.account());
            let known = self.asked.known;
            let is_known = code.is_some_and(|code| known.knows(RegistryKind::Identity, code));
            (next_id(&mut tx, self.block.number).await.during(during)?, is_known)
        };
        check.looked_at = Some(ours.saturating_to());
        match self.count_by_owners(ours).await {
            Ok(Some(theirs)) => {
                if theirs > ours {
                    let last = theirs.saturating_sub(U256::ONE);
                    check.offend(format!("agents {ours} to {last} are missing"));
                    suspects.id_gap(ours, last);
                } else if theirs < ours {
                    let last = ours.saturating_sub(U256::ONE);
                    check.offend(format!("the contract does not know agents {theirs} to {last}"));
                    suspects.agent(AgentId(last));
                }
                if is_known {
                    self.second_witness(theirs, &mut check).await;
                } else {
                    check.note = Some("its code is not known: its storage was not read".to_owned());
                }
            }
            Ok(None) => check.unsaid = Some("the contract knows no owner of any agent".to_owned()),
            Err(error) => check.unsaid = Some(error.to_string()),
        }
        Ok(check)
    }

    /// The counter in the storage of known code, which must agree.
    async fn second_witness(&self, theirs: U256, check: &mut Checked) {
        let mut reread = Reread::new(self.asked.source, self.asked.options);
        let (of, at) = (self.identity, BlockTag::Hash(self.block.hash));
        let word = reread
            .patiently(async |source| source.storage(of, calls::NEXT_ID_SLOT, at).await)
            .await
            .map(|word| U256::from_be_bytes(word.0));
        match word {
            Ok(word) if word == theirs => {
                check.note = Some("the counter in its storage agrees".to_owned());
            }
            Ok(word) => check.offend(format!(
                "the contract names owners of {theirs} agents, and counts {word} in its storage"
            )),
            Err(error) => check.unsaid = Some(error.to_string()),
        }
    }

    /// How many agents have an owner, by binary search: ids are dense, and an agent that was minted always has one. `None` where not
    /// even the first has, although we hold some.
    async fn count_by_owners(&self, ours: U256) -> Result<Option<U256>, ChainError> {
        if !self.exists(U256::ZERO).await? {
            return Ok(ours.is_zero().then_some(U256::ZERO));
        }
        // Of `low` it is known that it exists, of `high` that it does not. Where all is well two questions are enough.
        let mut low = U256::ZERO;
        let guess = ours.saturating_sub(U256::ONE);
        if self.exists(guess).await? {
            low = guess;
        }
        let mut step = U256::ONE;
        let mut high = low.saturating_add(step);
        while self.exists(high).await? {
            low = high;
            step = step.saturating_mul(U256::from(2));
            high = low.saturating_add(step);
        }
        while high.saturating_sub(low) > U256::ONE {
            let middle = low.saturating_add(high.saturating_sub(low) / U256::from(2));
            if self.exists(middle).await? { low = middle } else { high = middle }
        }
        Ok(Some(high))
    }

    async fn exists(&self, id: U256) -> Result<bool, ChainError> {
        let mut reread = Reread::new(self.asked.source, self.asked.options);
        let calls = [(self.identity, calls::owner_of(AgentId(id)))];
        let block = self.block;
        let outcome = reread.patiently(async |source| source.calls(&calls, block).await).await?;
        Ok(matches!(outcome.first(), Some(CallOutcome::Answered(answer))
            if calls::address_in(answer).is_some_and(|owner| !owner.is_zero())))
    }

    /// Owner, wallet and URI of agents, some or all.
    pub(super) async fn answers(
        &self,
        suspects: &mut Suspects,
        told: &mut (dyn FnMut(Told) + Send),
    ) -> Result<Checked, AppError> {
        let rule = "owners, wallets and URIs are what the contract answers";
        let mut check = Checked::new("contract-answers", rule);
        let agents = self.drawn().await?;
        let of = u64::try_from(agents.len()).unwrap_or(u64::MAX);
        let began = Instant::now();
        let mut done = 0;
        let mut silent = 0_u64;
        for page in agents.chunks(AGENTS_AT_ONCE) {
            let ours = self.recorded(page).await?;
            let theirs = match self.answered(page).await {
                Ok(theirs) => theirs,
                Err(error) => {
                    check.unsaid = Some(error.to_string());
                    break;
                }
            };
            check.look(page.len());
            for ((agent, ours), theirs) in page.iter().zip(&ours).zip(&theirs) {
                match theirs {
                    Ok(theirs) if ours == theirs => {}
                    Ok(theirs) => {
                        suspects.agent(*agent);
                        differences(*agent, ours, theirs, |offence| check.offend(offence));
                    }
                    Err(why) => {
                        silent += 1;
                        check.unsaid = Some(format!("{why} (of {silent} agents)"));
                    }
                }
            }
            done += u64::try_from(page.len()).unwrap_or_default();
            told(Told { doing: "asking the contract about agents", done, of });
        }
        let per_1000 = began.elapsed().as_millis().saturating_mul(1_000) / u128::from(done.max(1));
        check.note = Some(format!("{per_1000} ms for 1,000 agents"));
        Ok(check)
    }

    /// The agents that are asked about.
    async fn drawn(&self) -> Result<Vec<AgentId>, AppError> {
        let during = || "cannot list the agents".to_owned();
        let mut tx = self.asked.database.begin_read().await.during(during)?;
        let total = tx.minted_count(self.block.number).await.during(during)?;
        let count = match self.asked.sample {
            Sample::Drawn { count, .. } => count,
            Sample::All => total,
        };
        let mut places = self.asked.sample.places(total, count).into_iter().peekable();
        let mut drawn = Vec::new();
        let (mut place, mut after) = (0_u64, None);
        loop {
            let page = tx.agents_at(self.block.number, after, IDS_PER_PAGE).await.during(during)?;
            let Some(last) = page.last().copied() else { return Ok(drawn) };
            for agent in page {
                if places.next_if_eq(&place).is_some() {
                    drawn.push(agent);
                }
                place += 1;
            }
            after = Some(last);
        }
    }

    async fn recorded(&self, agents: &[AgentId]) -> Result<Vec<Word>, AppError> {
        let during = || "cannot read what was recorded of agents".to_owned();
        let mut tx = self.asked.database.begin_read().await.during(during)?;
        let mut words = Vec::with_capacity(agents.len());
        for agent in agents {
            words.push(recorded(&mut tx, *agent, self.block.number).await.during(during)?);
        }
        Ok(words)
    }

    async fn answered(&self, agents: &[AgentId]) -> Result<Vec<Said>, ChainError> {
        let per_batch = (self.asked.calls_per_batch / CALLS_PER_AGENT).max(1);
        let batches = agents.chunks(per_batch).map(|agents| async move {
            let of = |agent: &AgentId| {
                [calls::owner_of(*agent), calls::get_agent_wallet(*agent), calls::token_uri(*agent)]
            };
            let inputs: Vec<_> =
                agents.iter().flat_map(of).map(|input| (self.identity, input)).collect();
            let mut outcomes = Vec::with_capacity(inputs.len());
            let mut reread = Reread::new(self.asked.source, self.asked.options);
            for chunk in inputs.chunks(self.asked.calls_per_batch.max(1)) {
                let block = self.block;
                outcomes.extend(
                    reread.patiently(async |source| source.calls(chunk, block).await).await?,
                );
            }
            Ok::<_, ChainError>(outcomes.chunks(CALLS_PER_AGENT).map(said).collect::<Vec<_>>())
        });
        let mut said = Vec::with_capacity(agents.len());
        let mut batches = stream::iter(batches.collect::<Vec<_>>()).buffered(BATCHES_AT_ONCE);
        while let Some(batch) = batches.next().await {
            said.extend(batch?);
        }
        Ok(said)
    }
}

/// The id after the highest that was minted up to a block.
async fn next_id(tx: &mut Tx, block: u64) -> Result<U256, StorageError> {
    // Ids are dense in a sound record; where they are not, another check says so, and the highest counts here.
    let mut next = U256::from(tx.minted_count(block).await?);
    let mut after = next.checked_sub(U256::ONE).map(AgentId);
    while let Some(last) = tx.agents_at(block, after, IDS_PER_PAGE).await?.last() {
        next = next.max(last.0.saturating_add(U256::ONE));
        after = Some(*last);
    }
    Ok(next)
}

async fn recorded(tx: &mut Tx, agent: AgentId, number: u64) -> Result<Word, StorageError> {
    let owner = tx.span_at(TimelineRef::Owner(agent), number).await?;
    let wallet = tx.span_at(TimelineRef::Wallet(agent), number).await?;
    let uri = tx.span_at(TimelineRef::Uri(agent), number).await?;
    Ok(Word {
        owner: owner.and_then(|span| span.record.value.account()),
        wallet: wallet.and_then(|span| span.record.value.account()),
        uri: uri.and_then(|span| match span.record.value {
            Value::Uri(uri) => Some(uri),
            Value::Absent | Value::Account(_) | Value::Entry { .. } => None,
        }),
    })
}

/// What three outcomes say of one agent.
fn said(outcomes: &[CallOutcome]) -> Said {
    let [owner, wallet, uri] = outcomes else { return Err("the node left an answer out") };
    let owner = match owner {
        CallOutcome::Answered(answer) => {
            let owner =
                calls::address_in(answer).ok_or("the contract's ownerOf names no account")?;
            Some(owner).filter(|owner| !owner.is_zero())
        }
        CallOutcome::Reverted => None,
    };
    let wallet = match wallet {
        CallOutcome::Answered(answer) => {
            calls::address_in(answer).ok_or("the contract's getAgentWallet names no account")?
        }
        CallOutcome::Reverted => return Err("the contract refuses getAgentWallet"),
    };
    let uri = match uri {
        CallOutcome::Answered(answer) => {
            Some(calls::bytes_in(answer).ok_or("the contract's tokenURI is no text")?)
        }
        CallOutcome::Reverted if owner.is_some() => return Err("the contract refuses tokenURI"),
        CallOutcome::Reverted => None,
    };
    Ok(Word { owner, wallet: Some(wallet).filter(|wallet| !wallet.is_zero()), uri })
}

fn differences(agent: AgentId, ours: &Word, theirs: &Word, mut tell: impl FnMut(String)) {
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            tell(format!("agent {agent}: {what} is {ours} here, {theirs} in the contract"));
        }
    };
    let account = |a: Option<Address>| a.map_or("nobody".to_owned(), |a| a.to_string());
    let uri = |u: &Option<Bytes>| u.as_ref().map_or("none".to_owned(), shown);
    compare("the owner", account(ours.owner), account(theirs.owner));
    compare("the wallet", account(ours.wallet), account(theirs.wallet));
    compare("the URI", uri(&ours.uri), uri(&theirs.uri));
}

/// A URI as hex, by its hash where it is long.
fn shown(uri: &Bytes) -> String {
    const SHOWN_MAX: usize = 64;
    if uri.len() <= SHOWN_MAX {
        return uri.to_string();
    }
    format!("{} bytes with keccak256 {}", uri.len(), alloy::primitives::keccak256(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_agent() {
        let ours = Word { owner: Some(Address::ZERO), wallet: None, uri: Some(Bytes::new()) };
        let theirs = Word { wallet: Some(Address::repeat_byte(1)), ..ours.clone() };
        let mut found = Vec::new();
        differences(7.into(), &ours, &ours, |offence| found.push(offence));
        assert_eq!(found, [""; 0]);
        differences(7.into(), &ours, &theirs, |offence| found.push(offence));
        assert!(found[0].starts_with("agent 7: the wallet is nobody here"), "{found:?}");
        let long = Word { uri: Some(vec![7; 65].into()), ..ours.clone() };
        differences(7.into(), &ours, &long, |offence| found.push(offence));
        assert!(found[1].contains("65 bytes with keccak256 0x"), "{found:?}");
    }

    #[test]
    fn silence_is_told_apart_from_an_agent_that_does_not_exist() {
        let word =
            |byte: u8| CallOutcome::Answered([[0; 12].as_slice(), &[byte; 20]].concat().into());
        let none = [CallOutcome::Reverted, word(0), CallOutcome::Reverted];
        assert_eq!(said(&none), Ok(Word { owner: None, wallet: None, uri: None }));
        let no_wallets = [word(1), CallOutcome::Reverted, CallOutcome::Reverted];
        assert_eq!(said(&no_wallets), Err("the contract refuses getAgentWallet"));
        let no_code = [(); 3].map(|()| CallOutcome::Answered(Bytes::new()));
        assert_eq!(said(&no_code), Err("the contract's ownerOf names no account"));
        assert!(said(&[]).is_err());
    }
}
