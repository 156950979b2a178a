//! A small chain told block by block, applied as the program applies one: what the tests of answers read from.
//!
//! Events are encoded by the contracts' ABI (`support::abi`), so that the way from a log to an answer is the program's own. The node
//! answers nothing but `getAgentWallet`, and only what a test told it to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use alloy::primitives::{Address, B256, Bloom, Bytes, LogData, U256, address, keccak256};
use alloy::sol_types::SolEvent;
use hallmark::app::Ingest;
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, ChainStep, ChainTags, LogFilter, RangeLogs, Stretch,
};
use hallmark::registry::KnownImplementations;
use hallmark::storage::{Binding, Database, Registry};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog, RegistryKind, RegistryRef, UnixSeconds};

pub(crate) const CHAIN: ChainId = ChainId(8453);
pub(crate) const IDENTITY: Address = address!("8004A169FB4a3325136EB29fA0ceB6D2e539a432");
pub(crate) const REPUTATION: Address = address!("8004BAa17C55a88189AE136b182e5fdA19dE9b63");
pub(crate) const VALIDATION: Address = address!("8004Cc8439f36fd5F9F049D9fF86523Df6dAAB58");
/// The code of the identity registry that the program knows.
pub(crate) const KNOWN_CODE: Address = address!("7274e874CA62410a93Bd8bf61c69d8045E399c02");
/// The first block that is followed.
pub(crate) const START: u64 = 5;
/// The time of block 0; blocks are two seconds apart.
const GENESIS: u64 = 1_770_000_000;

/// When a block was made.
pub(crate) fn time(number: u64) -> UnixSeconds {
    UnixSeconds::new(GENESIS + 2 * number).unwrap()
}

/// The hash of a block of the first branch.
pub(crate) fn first_hash(number: u64) -> B256 {
    hash(number, &Forks::new())
}

/// Where the chain was replaced: from a block on, by which branch. Nothing of the first branch stands here.
type Forks = BTreeMap<u64, u64>;

/// The hash of a block; blocks of other branches have others.
fn hash(number: u64, forks: &Forks) -> B256 {
    match forks.range(..=number).next_back() {
        Some((_, branch)) => keccak256([number.to_be_bytes(), branch.to_be_bytes()].concat()),
        None => keccak256(number.to_be_bytes()),
    }
}

/// What is followed.
pub(crate) fn binding() -> Binding {
    let addresses = [
        (RegistryKind::Identity, IDENTITY),
        (RegistryKind::Reputation, REPUTATION),
        (RegistryKind::Validation, VALIDATION),
    ];
    let registries = addresses
        .map(|(kind, address)| Registry {
            kind,
            at: RegistryRef { chain: CHAIN, address },
            start_block: START,
        })
        .to_vec();
    Binding { chain: CHAIN, registries }
}

/// A chain being told into a database.
pub(crate) struct Tale {
    ingest: Ingest,
    node: Node,
    cursor: Option<BlockRef>,
    forks: Forks,
    branch: u64,
    /// Where the next step goes back to first.
    back_to: Option<u64>,
    pending: Vec<(Address, LogData)>,
    /// How far the node's head is ahead.
    pub(crate) ahead: u64,
    /// The node's safe and finalized blocks.
    pub(crate) settled: Option<(u64, u64)>,
    /// The blocks that have the time of the one before.
    pub(crate) hurried: BTreeSet<u64>,
}

impl Tale {
    /// Before the first block; the database is bound.
    pub(crate) async fn new(database: &Database) -> Self {
        let mut tx = database.begin_write().await.unwrap();
        tx.bind(&binding()).await.unwrap();
        tx.commit().await.unwrap();
        let ingest = Ingest {
            database: database.clone(),
            binding: binding(),
            known: KnownImplementations::default(),
        };
        let node = Node::default();
        Self {
            ingest,
            node,
            cursor: None,
            forks: Forks::new(),
            branch: 0,
            back_to: None,
            pending: vec![],
            ahead: 0,
            settled: None,
            hurried: BTreeSet::new(),
        }
    }

    /// An event of the block that is being told.
    pub(crate) fn say(&mut self, contract: Address, event: &impl SolEvent) -> &mut Self {
        self.log(contract, event.encode_log_data())
    }

    /// A log of the block that is being told.
    pub(crate) fn log(&mut self, contract: Address, log: LogData) -> &mut Self {
        self.pending.push((contract, log));
        self
    }

    /// What the contract answers from now on when it is asked for an agent's wallet; `None` where the node cannot say.
    pub(crate) fn answer(&mut self, agent: u64, wallet: Option<Address>) -> &mut Self {
        self.node.wallets.insert(U256::from(agent), wallet);
        self
    }

    /// Ends the block that is being told, and applies it.
    pub(crate) async fn block(&mut self) -> u64 {
        self.quiet(1).await
    }

    /// Applies blocks of which only the last is held, and has the logs told.
    pub(crate) async fn quiet(&mut self, count: u64) -> u64 {
        let base = self.back_to.take();
        let revert_to = base.map(|base| self.header(base).block);
        let from = base.or(self.cursor.map(|cursor| cursor.number)).map_or(START, |last| last + 1);
        if base.is_some() {
            self.branch += 1;
            self.forks.retain(|since, _| *since < from);
            self.forks.insert(from, self.branch);
        }
        let through = self.header(from + count - 1);
        let number = through.block.number;
        let logs = self.pending.drain(..).zip(0..);
        let logs = logs.map(|((address, log), log_index)| RawLog {
            address,
            topics: log.topics().to_vec(),
            data: log.data,
            block: through.block,
            block_time: Some(through.time),
            tx_hash: keccak256(
                [number.to_be_bytes(), u64::from(log_index / 4u32).to_be_bytes()].concat(),
            ),
            log_index,
        });
        let logs = logs.collect();
        let headers = vec![through.clone()];
        self.apply(revert_to, Some(Stretch { from, through, headers, logs })).await;
        number
    }

    /// Goes back to the end of a block.
    pub(crate) async fn revert_to(&mut self, number: u64) {
        let ancestor = self.header(number).block;
        self.apply(Some(ancestor), None).await;
    }

    /// The next block that is told takes the place of those after the end of this one, in the same step.
    pub(crate) fn fork_at(&mut self, number: u64) -> &mut Self {
        self.back_to = Some(number);
        self
    }

    /// The last block applied.
    pub(crate) fn last(&self) -> u64 {
        self.cursor.unwrap().number
    }

    fn header(&self, number: u64) -> Header {
        let mut timed = number;
        while self.hurried.contains(&timed) {
            timed -= 1;
        }
        Header {
            block: BlockRef { number, hash: hash(number, &self.forks) },
            parent_hash: hash(number.wrapping_sub(1), &self.forks),
            time: time(timed),
            logs_bloom: Bloom::ZERO,
        }
    }

    async fn apply(&mut self, revert_to: Option<BlockRef>, extend: Option<Stretch>) {
        let end = extend.as_ref().map(|stretch| stretch.through.block).or(revert_to).unwrap();
        let tags = ChainTags {
            head: self.header(end.number + self.ahead),
            safe: self.settled.map(|(safe, _)| self.header(safe)),
            finalized: self.settled.map(|(_, finalized)| self.header(finalized)),
        };
        let step = ChainStep { revert_to, extend, tags };
        self.cursor = self.ingest.apply(&self.node, &step, self.cursor).await.unwrap().cursor;
    }
}

/// A node that can say nothing but wallets.
#[derive(Default)]
struct Node {
    wallets: BTreeMap<U256, Option<Address>>,
}

fn fatal(asked: &str) -> ChainError {
    ChainError::Fatal {
        endpoint: "http://node".to_owned(),
        asked: asked.to_owned(),
        reason: "the state of that block is gone".to_owned(),
    }
}

impl ChainSource for Node {
    async fn call(&self, _to: Address, input: Bytes, _at: BlockRef) -> Result<Bytes, ChainError> {
        let agent = U256::from_be_slice(&input[4..36]);
        match self.wallets.get(&agent).copied().flatten() {
            Some(wallet) => Ok(wallet.into_word().into()),
            None => Err(fatal("eth_call")),
        }
    }

    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        Err(fatal("eth_chainId"))
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        Err(fatal("the tags"))
    }

    async fn header(&self, _tag: BlockTag) -> Result<Option<Header>, ChainError> {
        Err(fatal("a header"))
    }

    async fn headers(&self, _numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        Err(fatal("headers"))
    }

    async fn logs_in(
        &self,
        _filter: &LogFilter,
        _range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        Err(fatal("logs"))
    }

    async fn logs_of(
        &self,
        _filter: &LogFilter,
        _block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        Err(fatal("logs"))
    }

    async fn code(&self, _of: Address) -> Result<Bytes, ChainError> {
        Err(fatal("code"))
    }

    async fn storage(&self, _of: Address, _slot: B256, _at: BlockTag) -> Result<B256, ChainError> {
        Err(fatal("storage"))
    }

    async fn wait_for_head(&self) {}
}
