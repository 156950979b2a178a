//! One request's view of the chain: one read transaction, and the block it is answered as of.
//!
//! Everything an answer says is read in the same transaction as its `as_of`, so that an answer never mixes two states.

use super::at::At;
use super::error::ApiError;
use super::state::ApiState;
use super::wire::{AsOf, Block};
use crate::identity::{SpanRecord, Timeline, TimelineRef};
use crate::registry::KnownImplementations;
use crate::storage::{Binding, EvidencedSpan, StorageError, Tags, Tx};
use crate::vocab::{
    AccountId, AgentRef, BlockStamp, ChainId, Finality, Position, RegistryKind, RegistryRef,
    UnixSeconds,
};

/// How many upgrades of one registry are looked at; a registry with more counts as unverified behind them.
const UPGRADES_MAX: u32 = 1000;

/// A read transaction and as of which block it answers.
pub(super) struct Reading {
    pub(super) tx: Tx,
    registry: RegistryRef,
    tags: Tags,
    block: Block,
}

impl Reading {
    /// Begins to read as of `at`.
    pub(super) async fn open(state: &ApiState, at: At) -> Result<Self, ApiError> {
        let mut tx = state.database.begin_read().await?;
        let binding = tx.binding().await?.ok_or(ApiError::NothingIndexedYet)?;
        let identity = binding.registry(RegistryKind::Identity);
        let registry =
            identity.ok_or_else(|| ApiError::internal("no identity registry is followed"))?.at;
        let tags = tx.tags().await?;
        let indexed = tags.indexed.ok_or(ApiError::NothingIndexedYet)?;
        let block = resolve(&mut tx, &binding, &tags, indexed, at).await?;
        Ok(Self { tx, registry, tags, block })
    }

    /// The chain.
    pub(super) const fn chain(&self) -> ChainId {
        self.registry.chain
    }

    /// The identity registry.
    pub(super) const fn registry(&self) -> RegistryRef {
        self.registry
    }

    /// The number of the block that is answered as of.
    pub(super) const fn block_number(&self) -> u64 {
        self.block.number
    }

    /// How settled a block is.
    pub(super) fn finality(&self, number: u64) -> Finality {
        finality(&self.tags, number)
    }

    /// As of which block this answers.
    pub(super) fn as_of(&self) -> AsOf {
        AsOf {
            chain: self.chain().to_string(),
            finality: self.finality(self.block.number).as_str(),
            block: self.block.clone(),
            log_size: LOG_SIZE,
        }
    }

    /// Reads the agent in the path.
    pub(super) fn parse_agent(&self, text: &str) -> Result<AgentRef, ApiError> {
        AgentRef::parse(text, self.registry)
            .map_err(|error| ApiError::parameter("agent", error.to_string()))
    }

    /// The agent in the path, which must exist as of the block, and the span of its owner.
    pub(super) async fn agent(
        &mut self,
        text: &str,
    ) -> Result<(AgentRef, EvidencedSpan), ApiError> {
        let agent = self.parse_agent(text)?;
        match self.tx.span_at(TimelineRef::Owner(agent.id), self.block.number).await? {
            Some(owner) => Ok((agent, owner)),
            None => Err(ApiError::NoSuchAgent { agent, as_of: Box::new(self.as_of()) }),
        }
    }

    /// Reads an account, which must be of the chain; otherwise says what is wrong.
    pub(super) fn account(&self, text: &str) -> Result<AccountId, String> {
        let account = AccountId::parse(text, self.chain()).map_err(|error| error.to_string())?;
        if account.chain == self.chain() {
            return Ok(account);
        }
        Err(format!("`{account}` is on another chain; this service follows {}", self.chain()))
    }

    /// The code behind the identity registry, over time.
    pub(super) async fn codes(&mut self, known: &KnownImplementations) -> Result<Codes, ApiError> {
        let timeline = TimelineRef::Implementation(RegistryKind::Identity);
        let spans = self.tx.timeline(timeline, None, UPGRADES_MAX).await?;
        let is_known = |record: &SpanRecord| {
            let code = record.value.account();
            code.is_some_and(|code| known.knows(RegistryKind::Identity, code))
        };
        let known = spans.iter().map(|span| span.record.clone()).filter(is_known).collect();
        Ok(Codes { known: Timeline::new(known), spans })
    }
}

/// How many records the intake log holds.
pub(super) const LOG_SIZE: u64 = 0;

/// How settled a block is by the tags.
pub(super) fn finality(tags: &Tags, number: u64) -> Finality {
    let of = |tag: Option<BlockStamp>| tag.map(|stamp| stamp.block.number);
    Finality::of(number, of(tags.safe), of(tags.finalized))
}

/// Which code stood behind the identity registry, and when it was known code.
pub(super) struct Codes {
    known: Timeline,
    spans: Vec<EvidencedSpan>,
}

impl Codes {
    /// Whether the code at a position was known.
    pub(super) fn knows(&self, at: Position) -> bool {
        self.known.at(at).is_some()
    }

    /// The span of the code at a position.
    pub(super) fn span_at(&self, at: Position) -> Option<&EvidencedSpan> {
        self.spans.iter().find(|span| span.record.span.contains(at))
    }
}

async fn resolve(
    tx: &mut Tx,
    binding: &Binding,
    tags: &Tags,
    indexed: BlockStamp,
    at: At,
) -> Result<Block, ApiError> {
    let tagged = |tag: Option<BlockStamp>, name| match tag {
        Some(stamp) if stamp.block.number <= indexed.block.number => Ok(stamp.into()),
        Some(_) => Ok(indexed.into()),
        None => Err(ApiError::NoSuchTag { tag: name }),
    };
    let refuse = |asked: String| ApiError::NotIndexedYet {
        asked,
        indexed: Box::new(indexed.into()),
        head: tags.head.map(|head| Box::new(head.into())),
    };
    match at {
        At::Latest => Ok(indexed.into()),
        // What is final is safe, also where the safe block lies on a branch that was not followed yet.
        At::Safe => tagged(tags.safe.or(tags.finalized), "safe"),
        At::Finalized => tagged(tags.finalized, "finalized"),
        At::Block(number) if number > indexed.block.number => {
            Err(refuse(format!("block {number}")))
        }
        At::Block(number) => Ok(block_of(tx, tags, number).await?),
        At::Time(time) if time > indexed.time => Err(refuse(format!("time {time}"))),
        At::Time(time) => Ok(block_at_time(tx, binding, time).await?),
    }
}

/// A block by its number; hash and time as far as it is held.
async fn block_of(tx: &mut Tx, tags: &Tags, number: u64) -> Result<Block, StorageError> {
    let held = tx.block_at(number).await?.map(|held| held.stamp);
    let tagged = [tags.indexed, tags.safe, tags.finalized].into_iter().flatten();
    let stamp = held.or_else(|| tagged.into_iter().find(|stamp| stamp.block.number == number));
    Ok(stamp.map_or(Block { number, hash: None, time: None }, Block::from))
}

/// The last held block not later than a time. Blocks between it and the next held one hold no events, so the state is the same.
///
/// Before all held blocks nothing had happened: the answer is as of the block before the first that is followed.
async fn block_at_time(
    tx: &mut Tx,
    binding: &Binding,
    time: UnixSeconds,
) -> Result<Block, StorageError> {
    if let Some(held) = tx.block_not_after(time).await? {
        return Ok(held.stamp.into());
    }
    let start = binding.registries.iter().map(|registry| registry.start_block).min();
    let number = start.unwrap_or_default().saturating_sub(1);
    Ok(Block { number, hash: None, time: None })
}
