//! Who spoke for those who signed a trace: wallets of agents from their timelines, keys and links of DIDs from what held when they signed.
//!
//! Timelines are looked up anew each time, so that a document says what the chain says now, and until which block. What the document of
//! another host said is known of the moments at which it was read, and is kept with the records.

use std::collections::BTreeMap;

use serde_json::Value;

use super::gather::by_issuer;
use crate::app::Records;
use crate::app::rekey::followed;
use crate::attest::verdict::Right;
use crate::delegation::{AsOf, At, BlockAt, KeySpan, Party, TraceDocument, WalletSpan};
use crate::did::web::{Local, WebHost};
use crate::identity::TimelineRef;
use crate::rekey::{Question, question};
use crate::storage::{StorageError, StoredDelegation, Tx};
use crate::vocab::{AgentId, BlockStamp, ChainId, Subject, UnixSeconds};

/// So many spans of an agent's wallet are told; a document has at most 10,000 in all.
const SPANS_MAX: u32 = 1_000;

/// When a key is known to have been somebody's: from a second on, and until another where it ended.
type Known = (UnixSeconds, Option<UnixSeconds>);

impl Records {
    /// Adds to a document what is known of those who signed its records.
    pub(super) async fn know(
        &self,
        tx: &mut Tx,
        document: &mut TraceDocument,
        records: &[StoredDelegation],
    ) -> Result<(), StorageError> {
        let issuers = by_issuer(records);
        let names = tx.names(issuers.keys().copied()).await?;
        for (number, records) in &issuers {
            match names.get(number) {
                Some(name @ Subject::Did(_)) => document.parties.extend(self.did(name, records)),
                Some(Subject::Agent(_) | Subject::Account(_) | Subject::Platform { .. }) | None => {
                }
            }
        }
        know_agents(tx, document, names.values(), &self.host).await
    }

    /// What is known of a DID: the keys and linked accounts by which its records were signed. A did:key needs none.
    fn did(&self, name: &Subject, records: &[&StoredDelegation]) -> Option<Party> {
        let mut keys: BTreeMap<(String, String), Known> = BTreeMap::new();
        let mut wallets: BTreeMap<String, Known> = BTreeMap::new();
        let mut as_of = UnixSeconds::EPOCH;
        for record in records {
            let proof: Value = serde_json::from_str(&record.proof).unwrap_or_default();
            let signer = proof.get("signer").and_then(Value::as_str).unwrap_or_default().to_owned();
            let basis = proof.pointer("/right/basis").and_then(Value::as_str);
            match &record.key {
                _ if basis == Some("itself") => continue,
                Some((key, from, to)) => {
                    let known = self.own_key(name, key).unwrap_or((*from, *to));
                    widen(keys.entry((signer, key.clone())).or_insert(known), known);
                }
                None => {
                    let linked = right(&proof).filter(|_| basis == Some("link"));
                    let Some(known) = linked else { continue };
                    widen(wallets.entry(signer).or_insert(known), known);
                }
            }
            as_of = as_of.max(record.received_at).max(record.said_at);
        }
        let keys: Vec<_> = keys
            .into_iter()
            .map(|((method, key), (from, to))| KeySpan { method, key, from, to })
            .collect();
        let link = |(account, (from, to)): (String, Known)| {
            let (from, to) = (At::time(from), to.map(At::time));
            WalletSpan { account, from, to, cause: "link".to_owned() }
        };
        let wallets: Vec<_> = wallets.into_iter().map(link).collect();
        let is_known = !keys.is_empty() || !wallets.is_empty();
        is_known.then(|| Party { name: name.clone(), as_of: Some(as_of), wallets, keys })
    }

    /// When a key of this service's own counts, as its ring has it now; `None` for a name or key of somebody else.
    fn own_key(&self, name: &Subject, key: &str) -> Option<Known> {
        if name.to_string() != Local::Service.did(&self.host) {
            return None;
        }
        let held = self.keys.held();
        let record = held.ring().records().iter().find(|record| record.key.multibase() == key)?;
        let right = Right::of_key(record)?;
        Some((right.from, right.to))
    }
}

/// Adds the wallets of those names that are agents', by themselves or by the DIDs that they have at a host, and up to which block they are
/// known; in the place of what the document says of them.
pub(super) async fn know_agents(
    tx: &mut Tx,
    document: &mut TraceDocument,
    names: impl IntoIterator<Item = &Subject>,
    host: &WebHost,
) -> Result<(), StorageError> {
    let (Some(registry), Some(indexed)) = (followed(tx).await?, tx.tags().await?.indexed) else {
        return Ok(());
    };
    let chain = registry.chain.to_string();
    let block =
        BlockAt { number: indexed.block.number, hash: indexed.block.hash, time: indexed.time };
    document.as_of.retain(|as_of| as_of.chain != chain);
    document.as_of.push(AsOf { chain, block });
    let mut blocks = BTreeMap::from([(indexed.block.number, indexed)]);
    for name in names {
        let Question::Registered(agent, _) = question(name, registry, host) else { continue };
        document.parties.retain(|party| party.name != *name);
        let party = wallets(tx, name.clone(), agent, &mut blocks, registry.chain).await?;
        let is_agent = matches!(name, Subject::Agent(_));
        document.parties.extend(match party {
            Some(party) if !is_agent => Some(party.by_links(indexed.time)),
            party => party,
        });
    }
    document.parties.sort_by_key(|party| party.name.to_string());
    Ok(())
}

/// An agent with the spans of its wallets.
async fn wallets(
    tx: &mut Tx,
    name: Subject,
    agent: AgentId,
    blocks: &mut BTreeMap<u64, BlockStamp>,
    chain: ChainId,
) -> Result<Option<Party>, StorageError> {
    let spans = tx.timeline(TimelineRef::Wallet(agent), None, SPANS_MAX).await?;
    let spans: Vec<_> = spans.into_iter().map(|span| span.record).collect();
    let ends = spans.iter().flat_map(|span| [Some(span.span.from), span.span.to]).flatten();
    let numbers: Vec<_> = ends.map(|at| at.block_number).collect();
    for number in numbers {
        if !blocks.contains_key(&number)
            && let Some(held) = tx.block_at(number).await?
        {
            blocks.insert(number, held.stamp);
        }
    }
    Ok(Party::of_agent(name, chain, &spans, |number| blocks.get(&number).copied()))
}

/// When a right held, by a proof as it is kept.
fn right(proof: &Value) -> Option<Known> {
    let time = |place| {
        let text = proof.pointer(place).and_then(Value::as_str)?;
        UnixSeconds::parse(text).ok()
    };
    Some((time("/right/from")?, time("/right/to")))
}

/// What is known of a key or account at two moments, together.
fn widen(known: &mut Known, other: Known) {
    known.0 = known.0.min(other.0);
    known.1 = known.1.zip(other.1).map(|(one, other)| one.max(other));
}
