//! One request's view of the chain: the block it is answered as of, and for most requests one read transaction.
//!
//! Everything an answer says is read from the same state as its `as_of`, so that an answer never mixes two states.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use alloy::primitives::Address;

use super::at::At;
use super::error::ApiError;
use super::state::ApiState;
use super::wire::{AsOf, Block};
use crate::app::ReadModel;
use crate::identity::{Directory, EvidencedSpan, TimelineRef, WalletEntry};
use crate::registry::KnownImplementations;
use crate::storage::{AccountRole, Binding, StorageError, Tags, Tx};
use crate::vocab::{
    AccountId, AccountText, AgentId, AgentRef, AgentText, BlockStamp, ChainId, Finality, Position,
    RegistryKind, RegistryRef, UnixSeconds,
};

/// How many upgrades of one registry are looked at; a registry with more counts as unverified behind them.
const UPGRADES_MAX: u32 = 1000;

/// As of which block a request is answered, and what is followed.
pub(super) struct Standpoint {
    registry: RegistryRef,
    /// Written once: its checksum is a hash.
    registry_text: AccountText,
    tags: Tags,
    block: Block,
    log_size: u64,
}

impl Standpoint {
    /// As of a block of a state, with so many records in the log.
    pub(super) fn new(registry: RegistryRef, tags: Tags, block: Block, log_size: u64) -> Self {
        Self { registry, registry_text: registry.to_text(), tags, block, log_size }
    }

    /// As of the last block applied of a state; `None` where none was.
    pub(super) fn of_state((registry, tags, log_size): (RegistryRef, Tags, u64)) -> Option<Self> {
        let block = tags.indexed?.into();
        Some(Self::new(registry, tags, block, log_size))
    }

    /// As of a block of the state that is held in memory.
    pub(super) const fn of_model(model: &ReadModel, block: Block) -> Self {
        let (registry, registry_text) = (model.registry, model.registry_text);
        Self { registry, registry_text, tags: model.tags, block, log_size: model.log_size }
    }

    /// The text form of the identity registry.
    pub(super) fn registry_text(&self) -> &str {
        self.registry_text.as_str()
    }

    /// An agent in full.
    pub(super) fn agent_text(&self, agent: AgentId) -> AgentText {
        agent.in_registry(&self.registry_text)
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

    /// When the block that is answered as of was made; `None` where it is not held.
    pub(super) const fn block_time(&self) -> Option<UnixSeconds> {
        self.block.time
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
            log_size: self.log_size,
        }
    }

    /// Reads the agent in the path.
    pub(super) fn parse_agent(&self, text: &str) -> Result<AgentRef, ApiError> {
        AgentRef::parse(text, self.registry)
            .map_err(|error| ApiError::parameter("agent", error.to_string()))
    }

    /// Reads an account, which must be of the chain; otherwise says what is wrong.
    pub(super) fn account(&self, text: &str) -> Result<AccountId, String> {
        let account = AccountId::parse(text, self.chain()).map_err(|error| error.to_string())?;
        if account.chain == self.chain() {
            return Ok(account);
        }
        Err(format!("`{account}` is on another chain; this service follows {}", self.chain()))
    }
}

/// A read transaction and as of which block it answers.
pub(super) struct Reading {
    pub(super) tx: Tx,
    standpoint: Standpoint,
}

impl Deref for Reading {
    type Target = Standpoint;

    fn deref(&self) -> &Standpoint {
        &self.standpoint
    }
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
        let block = match Place::of(&tags, indexed, at)? {
            Place::Stamp(stamp) => stamp.into(),
            Place::Number(number) => block_of(&mut tx, &tags, number).await?,
            Place::NotAfter(time) => block_at_time(&mut tx, &binding, time).await?,
        };
        let log_size = tx.log_size().await?;
        Ok(Self { tx, standpoint: Standpoint::new(registry, tags, block, log_size) })
    }

    /// The agent in the path, which must exist as of the block, and the span of its owner.
    pub(super) async fn agent(
        &mut self,
        text: &str,
    ) -> Result<(AgentRef, EvidencedSpan), ApiError> {
        let agent = self.parse_agent(text)?;
        match self.tx.span_at(TimelineRef::Owner(agent.id), self.block_number()).await? {
            Some(owner) => Ok((agent, owner)),
            None => Err(ApiError::NoSuchAgent { agent, as_of: Box::new(self.as_of()) }),
        }
    }

    /// The agent in the path, which must have been minted by the block, and all its life from then on: the span of its first owner,
    /// ending where the agent was burnt.
    pub(super) async fn ever(&mut self, text: &str) -> Result<(AgentRef, EvidencedSpan), ApiError> {
        let agent = self.parse_agent(text)?;
        let (timeline, block) = (TimelineRef::Owner(agent.id), self.block_number());
        let first = self.tx.timeline(timeline, None, 1).await?.pop();
        let first = first.filter(|span| span.from.at.block_number <= block);
        let last = self.tx.last_span(timeline, block).await?;
        let Some((mut life, last)) = first.zip(last) else {
            return Err(ApiError::NoSuchAgent { agent, as_of: Box::new(self.as_of()) });
        };
        life.to = last.to;
        life.record.span.to = last.record.span.to;
        life.record.ended_by = last.record.ended_by;
        Ok((agent, life))
    }

    /// Whether this is the state with this block as the last one applied.
    pub(super) fn is_of(&self, indexed: BlockStamp) -> bool {
        self.tags.indexed == Some(indexed)
    }

    /// A directory in which some accounts stand.
    pub(super) async fn directory_of(
        &mut self,
        accounts: impl Iterator<Item = Address>,
    ) -> Result<Directory, ApiError> {
        let mut directory = Directory::default();
        for account in accounts.collect::<BTreeSet<_>>() {
            for of in self.tx.spans_of(account, AccountRole::Wallet, None, u32::MAX).await? {
                if let Some((account, entry)) = WalletEntry::of(&of.span) {
                    directory.put(account, entry);
                }
            }
        }
        Ok(directory)
    }

    /// The code behind the identity registry, over time.
    pub(super) async fn codes(
        &mut self,
        known: &Arc<KnownImplementations>,
    ) -> Result<Codes, ApiError> {
        let timeline = TimelineRef::Implementation(RegistryKind::Identity);
        let spans = self.tx.timeline(timeline, None, UPGRADES_MAX).await?;
        Ok(Codes::new(spans.into(), Arc::clone(known)))
    }
}

/// How settled a block is by the tags.
pub(super) fn finality(tags: &Tags, number: u64) -> Finality {
    let of = |tag: Option<BlockStamp>| tag.map(|stamp| stamp.block.number);
    Finality::of(number, of(tags.safe), of(tags.finalized))
}

/// Which code stood behind the identity registry, and when it was known code.
pub(super) struct Codes {
    spans: Arc<[EvidencedSpan]>,
    known: Arc<KnownImplementations>,
}

impl Codes {
    pub(super) const fn new(spans: Arc<[EvidencedSpan]>, known: Arc<KnownImplementations>) -> Self {
        Self { spans, known }
    }

    /// Whether the code at a position was known.
    pub(super) fn knows(&self, at: Position) -> bool {
        let code = self.span_at(at).and_then(|span| span.record.value.account());
        code.is_some_and(|code| self.known.knows(RegistryKind::Identity, code))
    }

    /// The span of the code at a position.
    pub(super) fn span_at(&self, at: Position) -> Option<&EvidencedSpan> {
        self.spans.iter().find(|span| span.record.span.contains(at))
    }
}

/// Where `at` lies: a block that is known already, or what to look one up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// This block.
    Stamp(BlockStamp),
    /// The block of this number.
    Number(u64),
    /// The last block whose time is not later.
    NotAfter(UnixSeconds),
}

impl Place {
    /// Where `at` lies by the tags; refused where it lies after the last block applied.
    pub(super) fn of(tags: &Tags, indexed: BlockStamp, at: At) -> Result<Self, ApiError> {
        let tagged = |tag: Option<BlockStamp>, name| match tag {
            Some(stamp) if stamp.block.number <= indexed.block.number => Ok(Self::Stamp(stamp)),
            Some(_) => Ok(Self::Stamp(indexed)),
            None => Err(ApiError::NoSuchTag { tag: name }),
        };
        let refuse = |asked: String| ApiError::NotIndexedYet {
            asked,
            indexed: Box::new(indexed.into()),
            head: tags.head.map(|head| Box::new(head.into())),
        };
        match at {
            At::Latest => Ok(Self::Stamp(indexed)),
            // What is final is safe, also where the safe block lies on a branch that was not followed yet.
            At::Safe => tagged(tags.safe.or(tags.finalized), "safe"),
            At::Finalized => tagged(tags.finalized, "finalized"),
            At::Block(number) if number > indexed.block.number => {
                Err(refuse(format!("block {number}")))
            }
            At::Block(number) => Ok(Self::Number(number)),
            At::Time(time) if time > indexed.time => Err(refuse(format!("time {time}"))),
            At::Time(time) => Ok(Self::NotAfter(time)),
        }
    }
}

/// A block that is not held, but may be one that the node named.
pub(super) fn block_not_held(tags: &Tags, number: u64) -> Block {
    let tagged = [tags.indexed, tags.safe, tags.finalized].into_iter().flatten();
    let stamp = tagged.into_iter().find(|stamp| stamp.block.number == number);
    stamp.map_or(Block { number, hash: None, time: None }, Block::from)
}

/// The block before the first that is followed: before all held blocks nothing had happened.
pub(super) const fn block_before_all(start_block: u64) -> Block {
    Block { number: start_block.saturating_sub(1), hash: None, time: None }
}

/// A block by its number; hash and time as far as it is held.
async fn block_of(tx: &mut Tx, tags: &Tags, number: u64) -> Result<Block, StorageError> {
    let held = tx.block_at(number).await?;
    Ok(held.map_or_else(|| block_not_held(tags, number), |held| held.stamp.into()))
}

/// The last held block not later than a time. Blocks between it and the next held one hold no events, so the state is the same.
async fn block_at_time(
    tx: &mut Tx,
    binding: &Binding,
    time: UnixSeconds,
) -> Result<Block, StorageError> {
    let held = tx.block_not_after(time).await?;
    Ok(held.map_or_else(|| block_before_all(binding.start_block()), |held| held.stamp.into()))
}
