//! The indexer as a test drives it: the program's own following, from a test chain into a test database.
//!
//! [`Indexer::catch_up`] starts following, as a process would, and stops it when the last block applied is the node's head, by number and
//! hash. [`Indexer::while_following`] keeps it running while a test changes the chain. Both are bounded, and trouble with the node is a
//! failure: a test's node has none. What was recorded is read through storage, as of a block.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, Bytes};
use hallmark::app::{AppError, Followed, Following, Ingest};
use hallmark::chain::endpoint::Endpoint;
use hallmark::chain::retry::BackoffOptions;
use hallmark::chain::{ChainSource, FollowerOptions, LogFilter, RpcOptions, RpcSource, Trust};
use hallmark::identity::{SpanRecord, TimelineRef, Value};
use hallmark::registry::KnownImplementations;
use hallmark::storage::{Binding, Database, Registry};
use hallmark::vocab::{AgentId, BlockRef, ChainId, RegistryKind, RegistryRef};

use super::anvil::{CHAIN_ID, Chain};
use super::registries::Registries;

/// No test's chain takes as long as this to be followed.
const LIMIT: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A test chain, a database, and how the one is followed into the other.
#[derive(Clone)]
pub(crate) struct Indexer {
    pub(crate) chain: Chain,
    pub(crate) database: Database,
    pub(crate) binding: Binding,
    pub(crate) known: KnownImplementations,
    pub(crate) options: FollowerOptions,
    pub(crate) rpc: RpcOptions,
    /// The node's URL.
    pub(crate) url: String,
    /// Who may vouch for it, where it is behind TLS.
    pub(crate) trust: Trust,
}

impl Indexer {
    /// Follows the three registries from their first block on, over HTTP; version 2.0.0 of each is known.
    pub(crate) fn new(registries: &Registries, database: Database) -> Self {
        let chain = ChainId(CHAIN_ID);
        let start_block = registries.first_block();
        let addresses = [registries.identity, registries.reputation, registries.validation];
        let mut known = KnownImplementations::default();
        let mut followed = Vec::new();
        for (i, kind) in RegistryKind::ALL.into_iter().enumerate() {
            known.add(kind, registries.implementations[i]);
            let at = RegistryRef { chain, address: addresses[i] };
            followed.push(Registry { kind, at, start_block });
        }
        let backoff = BackoffOptions {
            base: Duration::from_millis(10),
            max: Duration::from_millis(20),
            ..BackoffOptions::default()
        };
        Self {
            chain: registries.chain.clone(),
            database,
            binding: Binding { chain, registries: followed },
            known,
            options: FollowerOptions { backoff, ..FollowerOptions::new(chain, start_block) },
            rpc: RpcOptions { poll_interval: LOOK_AGAIN, ..RpcOptions::default() },
            url: registries.chain.http_url(),
            trust: Trust::default(),
        }
    }

    /// The same into another database.
    pub(crate) fn with_database(&self, database: Database) -> Self {
        Self { database, ..self.clone() }
    }

    /// The same from another block on.
    pub(crate) fn starting_at(&self, start_block: u64) -> Self {
        let mut other = self.clone();
        other.options.start_block = start_block;
        for registry in &mut other.binding.registries {
            registry.start_block = start_block;
        }
        other
    }

    /// The node, asked as the program asks it.
    pub(crate) fn source(&self) -> RpcSource {
        RpcSource::trusting(Endpoint::parse(&self.url).unwrap(), self.rpc, &self.trust).unwrap()
    }

    /// Makes sure that node, registries and database belong together, as the program does when it starts.
    pub(crate) async fn open(&self) -> Result<Following<RpcSource>, AppError> {
        self.open_with(Arc::new(self.source())).await
    }

    /// The same with a source of the test's own.
    pub(crate) async fn open_with<S: ChainSource + 'static>(
        &self,
        source: Arc<S>,
    ) -> Result<Following<S>, AppError> {
        let ingest = Ingest {
            database: self.database.clone(),
            binding: self.binding.clone(),
            known: self.known.clone(),
        };
        let addresses = self.binding.registries.iter().map(|r| r.at.address).collect();
        let filter = LogFilter { addresses, topics: Vec::new() };
        Following::open(source, ingest, filter, self.options.clone(), &[]).await
    }

    /// Starts following, and stops when the node's head is applied.
    pub(crate) async fn catch_up(&self) {
        self.try_catch_up().await.unwrap_or_else(|error| panic!("{}", with_causes(&error)));
    }

    /// The same, where following may fail.
    pub(crate) async fn try_catch_up(&self) -> Result<(), AppError> {
        let head = self.head().await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let run = self.run(stopped, |cursor| {
            if cursor == Some(head) {
                stop.send_replace(true);
            }
        });
        let Ok(ended) = tokio::time::timeout(LIMIT, run).await else {
            panic!("block {head} was not reached, only {:?}", self.cursor().await);
        };
        ended
    }

    /// Follows for as long as `body` takes.
    pub(crate) async fn while_following<T>(&self, body: Pin<Box<impl Future<Output = T>>>) -> T {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let body = Box::pin(async {
            let outcome = body.await;
            stop.send_replace(true);
            outcome
        });
        let (outcome, ended) = tokio::join!(body, self.run(stopped, |_| ()));
        ended.unwrap_or_else(|error| panic!("{}", with_causes(&error)));
        outcome
    }

    /// Waits until the node's head is applied; only within [`while_following`](Self::while_following).
    pub(crate) async fn reaches_head(&self) {
        let head = self.head().await;
        let reached = async {
            while self.cursor().await != Some(head) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let in_time = tokio::time::timeout(LIMIT, reached).await;
        assert!(in_time.is_ok(), "block {head} was not reached, only {:?}", self.cursor().await);
    }

    async fn run(
        &self,
        mut stopped: tokio::sync::watch::Receiver<bool>,
        mut tell: impl FnMut(Option<BlockRef>),
    ) -> Result<(), AppError> {
        let following = self.open().await?;
        let stop = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let hear = |event: Followed<'_>| match event {
            Followed::Step { applied, .. } => tell(applied.cursor),
            Followed::Trouble { error } => panic!("trouble: {}", with_causes(error)),
        };
        // On the heap: test threads have small stacks, and unoptimised futures are large.
        Box::pin(following.run(stop, hear)).await
    }

    /// The node's head.
    pub(crate) async fn head(&self) -> BlockRef {
        let header = self.chain.block(BlockNumberOrTag::Latest).await.header;
        BlockRef { number: header.number, hash: header.hash }
    }

    /// The last block applied.
    pub(crate) async fn cursor(&self) -> Option<BlockRef> {
        let mut tx = self.database.begin_read().await.unwrap();
        tx.tags().await.unwrap().indexed.map(|stamp| stamp.block)
    }

    /// What a timeline held at the end of a block.
    pub(crate) async fn value_at(&self, timeline: TimelineRef, block: u64) -> Option<Value> {
        let mut tx = self.database.begin_read().await.unwrap();
        let span = tx.span_at(timeline, block).await.unwrap();
        span.map(|span| span.record.value)
    }

    /// The wallet at the end of a block; zero for nobody.
    pub(crate) async fn wallet_at(&self, agent: u64, block: u64) -> Address {
        let wallet = self.value_at(TimelineRef::Wallet(agent.into()), block).await;
        wallet.and_then(|value| value.account()).unwrap_or_default()
    }

    /// The owner at the end of a block, if the agent existed.
    pub(crate) async fn owner_at(&self, agent: u64, block: u64) -> Option<Address> {
        self.value_at(TimelineRef::Owner(agent.into()), block).await?.account()
    }

    /// The URI at the end of a block, if the agent existed.
    pub(crate) async fn uri_at(&self, agent: u64, block: u64) -> Option<Bytes> {
        match self.value_at(TimelineRef::Uri(agent.into()), block).await? {
            Value::Uri(uri) => Some(uri),
            other => panic!("agent {agent} has {other:?} for a URI"),
        }
    }

    /// A metadata entry at the end of a block, by its key's bytes.
    pub(crate) async fn metadata_at(&self, agent: u64, key: &[u8], block: u64) -> Option<Bytes> {
        let timeline = TimelineRef::Metadata(agent.into(), alloy::primitives::keccak256(key));
        match self.value_at(timeline, block).await? {
            Value::Entry { key: found, value } => {
                assert_eq!(found.as_ref(), key);
                Some(value)
            }
            other => panic!("agent {agent} has {other:?} for metadata"),
        }
    }

    /// All spans of a timeline, oldest first.
    pub(crate) async fn spans(&self, timeline: TimelineRef) -> Vec<SpanRecord> {
        let mut tx = self.database.begin_read().await.unwrap();
        let spans = tx.timeline(timeline, None, 10_000).await.unwrap();
        spans.into_iter().map(|span| span.record).collect()
    }

    /// Asks the contract and the record for wallet, owner and URI of every agent at the end of every block of a range, and holds the
    /// answers against each other.
    pub(crate) async fn equals_contract(
        &self,
        registries: &Registries,
        blocks: std::ops::RangeInclusive<u64>,
    ) {
        let count: u64 = registries.agent_count_at(*blocks.end()).await.to();
        let mut tx = self.database.begin_read().await.unwrap();
        for block in blocks {
            let theirs = registries.answers_at(count, block).await;
            for (agent, (wallet, owner, uri)) in (0..count).zip(theirs) {
                let id = AgentId::from(agent);
                let mut ours = async |timeline| {
                    let span = tx.span_at(timeline, block).await.unwrap();
                    span.map(|span| span.record.value)
                };
                let our_wallet = ours(TimelineRef::Wallet(id)).await;
                let our_wallet = our_wallet.and_then(|value| value.account()).unwrap_or_default();
                assert_eq!(our_wallet, wallet, "the wallet of agent {agent} at block {block}");
                let our_owner = ours(TimelineRef::Owner(id)).await;
                let our_owner = our_owner.and_then(|value| value.account());
                assert_eq!(our_owner, owner, "the owner of agent {agent} at block {block}");
                let our_uri = ours(TimelineRef::Uri(id)).await;
                let uri = uri.map(Value::Uri);
                assert_eq!(our_uri, uri, "the URI of agent {agent} at block {block}");
            }
        }
    }
}

/// An error and all its causes, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
