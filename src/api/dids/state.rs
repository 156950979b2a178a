//! What an agent's document is made of, as of a block, and which version of it that is.

use alloy::primitives::keccak256;
use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::api::files::{Entries, claims_at};
use crate::api::reading::{Codes, Reading};
use crate::api::state::{ApiState, Documents};
use crate::api::wire::{Block, WalletSpan};
use crate::did::claims::Claims;
use crate::did::version::{Around, DID_KEY, Seen, VersionId, around};
use crate::did::{AgentFacts, Document, WalletFact, agent_document};
use crate::identity::{EvidencedSpan, Holders, SpanCause, TimelineRef};
use crate::storage::{AccountRole, StorageError, Tx};
use crate::vocab::{AccountId, AgentRef, BlockStamp, Position, UnixSeconds};

/// An agent at the end of a block at which it had been minted.
pub(super) struct AgentState {
    agent: AgentRef,
    /// At whose end.
    block: u64,
    /// The span of its owner; `None` where it is burnt.
    owner: Option<EvidencedSpan>,
    /// The span of its wallet, which may say that it has none.
    wallet: Option<EvidencedSpan>,
    /// The span of its URI.
    uri: Option<EvidencedSpan>,
    /// The span of its metadata entry [`DID_KEY`].
    did: Option<EvidencedSpan>,
    /// The block of its mint.
    minted: u64,
    /// The version in force.
    pub(super) version: Around,
}

/// One timeline as a block's end sees it.
async fn see(
    tx: &mut Tx,
    timeline: TimelineRef,
    block: u64,
) -> Result<(Option<EvidencedSpan>, Seen), StorageError> {
    let last = tx.last_span(timeline, block).await?;
    let span = last.as_ref().map(|last| last.record.span);
    let is_over = span.is_none_or(|span| span.to.is_some_and(|to| to.block_number <= block));
    let next = if is_over {
        // Positions within the block are not later than its end.
        let after = Some(Position::end_of(block));
        tx.timeline(timeline, after, 1).await?.pop().map(|next| next.from.at)
    } else {
        None
    };
    Ok((last.filter(|_| !is_over), Seen { last: span, next }))
}

impl AgentState {
    /// Reads an agent as of the block of a reading; `None` where it had not been minted.
    pub(super) async fn read(
        reading: &mut Reading,
        agent: AgentRef,
    ) -> Result<Option<Self>, StorageError> {
        let (block, tx) = (reading.block_number(), &mut reading.tx);
        let minted = tx.timeline(TimelineRef::Owner(agent.id), None, 1).await?.pop();
        let Some(minted) = minted.map(|span| span.from.at.block_number).filter(|b| *b <= block)
        else {
            return Ok(None);
        };
        let (owner, owner_seen) = see(tx, TimelineRef::Owner(agent.id), block).await?;
        let (wallet, wallet_seen) = see(tx, TimelineRef::Wallet(agent.id), block).await?;
        let (uri, uri_seen) = see(tx, TimelineRef::Uri(agent.id), block).await?;
        let did = TimelineRef::Metadata(agent.id, keccak256(DID_KEY));
        let (did, did_seen) = see(tx, did, block).await?;
        let version = around(block, &[owner_seen, wallet_seen, uri_seen, did_seen]);
        Ok(version.map(|version| Self { agent, block, owner, wallet, uri, did, minted, version }))
    }

    /// Its document under an identifier, with what its file said by a time; `None` where it is burnt.
    pub(super) async fn document(
        &self,
        reading: &mut Reading,
        state: &ApiState,
        id: &str,
        time: UnixSeconds,
    ) -> Result<Option<Document>, StorageError> {
        let entries = Entries::of(self.uri.as_ref(), self.did.as_ref());
        let claims = claims_at(reading, state, self.agent, entries, time).await?;
        Ok(document(self.agent, &self.holders(), &claims, id, &state.documents))
    }

    fn holders(&self) -> Holders {
        let account = |span: &EvidencedSpan| span.record.value.account();
        let owner = self.owner.as_ref().and_then(account);
        let wallet = self.wallet.as_ref();
        let wallet = wallet.and_then(|span| Some((account(span)?, span.record.cause)));
        Holders { owner, wallet }
    }

    /// The document's metadata.
    pub(super) async fn metadata(
        &self,
        reading: &mut Reading,
        codes: &Codes,
    ) -> Result<Map<String, Value>, ApiError> {
        let tx = &mut reading.tx;
        let stamp = async |tx: &mut Tx, number| match tx.block_at(number).await? {
            Some(held) => Ok::<BlockStamp, ApiError>(held.stamp),
            // Blocks with events are held for ever; without the hash there is no version to speak of.
            None => Err(ApiError::internal(format!("block {number} has events and is not held"))),
        };
        let minted = stamp(tx, self.minted).await?;
        let changed = stamp(tx, self.version.changed).await?;
        let next = match self.version.next {
            Some(number) => Some(stamp(tx, number).await?),
            None => None,
        };
        let mut metadata = Map::new();
        let mut put = |name: &str, value: Value| drop(metadata.insert(name.to_owned(), value));
        put("created", minted.time.to_string().into());
        if changed.block != minted.block {
            put("updated", changed.time.to_string().into());
        }
        put("versionId", VersionId::from(changed.block).to_string().into());
        if let Some(next) = next {
            put("nextUpdate", next.time.to_string().into());
            put("nextVersionId", VersionId::from(next.block).to_string().into());
        }
        if self.owner.is_none() {
            put("deactivated", true.into());
        }
        put("hallmark", self.anchor(reading, codes, changed).await?);
        Ok(metadata)
    }

    /// What only this method has to say: where on the chain the version stands, and what its wallet rests on.
    async fn anchor(
        &self,
        reading: &mut Reading,
        codes: &Codes,
        changed: BlockStamp,
    ) -> Result<Value, ApiError> {
        let mut anchor = Map::new();
        let mut put = |name: &str, value: Value| drop(anchor.insert(name.to_owned(), value));
        let json = |value: serde_json::Result<Value>| {
            value.map_err(|error| ApiError::internal(format!("cannot write JSON: {error}")))
        };
        put("agent", self.agent.to_string().into());
        put("block", json(serde_json::to_value(Block::from(changed)))?);
        put("finality", reading.finality(changed.block.number).as_str().into());
        let wallet = self.wallet.as_ref().filter(|_| self.owner.is_some());
        let named = wallet.and_then(|span| Some((span, span.record.value.account()?)));
        let Some((span, address)) = named else {
            put("wallet", Value::Null);
            return Ok(anchor.into());
        };
        let mut told = json(serde_json::to_value(WalletSpan::of(span, reading, codes)))?;
        if let Value::Object(told) = &mut told {
            let role = AccountRole::Wallet;
            let count = reading.tx.agents_of_count(address, role, self.block).await?;
            told.insert("agents".to_owned(), count.into());
            let is_proven = span.record.cause == Some(SpanCause::Proven);
            told.insert("proven".to_owned(), is_proven.into());
        }
        put("wallet", told);
        Ok(anchor.into())
    }
}

/// The document of an agent by who speaks for it; `None` where it is burnt.
pub(super) fn document(
    agent: AgentRef,
    holders: &Holders,
    claims: &Claims,
    id: &str,
    settings: &Documents,
) -> Option<Document> {
    let account = |address| AccountId { chain: agent.registry.chain, address };
    let owner = account(holders.owner?);
    let wallet =
        holders.wallet.map(|(address, cause)| WalletFact { account: account(address), cause });
    let facts = AgentFacts {
        agent,
        wallet,
        owner: settings.name_owner.then_some(owner),
        linked: &claims.linked(),
        services: &claims.services(),
    };
    Some(agent_document(id, &facts))
}
