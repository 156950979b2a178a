//! A chain that does what a test tells it: it grows, is replaced, lags, lies and fails.
//!
//! The second implementation of `ChainSource`. Logs follow from block hashes, so that two branches never hold the same ones. Faults are
//! drawn from a seed; the same seed gives the same run.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bloom, BloomInput, Bytes, keccak256};
use hallmark::chain::retry::Jitter;
use hallmark::chain::{BlockTag, ChainError, ChainSource, ChainTags, LogFilter, RangeLogs};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog, UnixSeconds};

/// The contract whose logs the scripted chain holds.
pub(crate) const REGISTRY: Address = Address::repeat_byte(0x42);
/// The first topic of all of them.
pub(crate) const TOPIC: B256 = B256::repeat_byte(0x24);

/// The filter that wants them.
pub(crate) fn filter() -> LogFilter {
    LogFilter { addresses: vec![REGISTRY], topics: vec![TOPIC] }
}

#[derive(Clone, Debug)]
struct Block {
    header: Header,
    logs: Vec<RawLog>,
}

/// What goes wrong, and how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Of 100 calls so many fail and may be repeated.
    pub(crate) transient_percent: u64,
    /// Answers come in any order.
    pub(crate) shuffled: bool,
    /// Ranges longer than this are refused.
    pub(crate) range_max: Option<u64>,
    /// What a refusal of a range names as the limit.
    pub(crate) range_named: Option<u64>,
    /// So many answers to `logs_of` leave the logs out, although the bloom claims some.
    pub(crate) hidden: u32,
    /// After so many calls the newest blocks are replaced, this deep, once.
    pub(crate) reorg_at_call: Option<(u64, usize)>,
    /// Logs come without times.
    pub(crate) timeless: bool,
    /// The node knows neither a safe nor a finalized block.
    pub(crate) tagless: bool,
}

#[derive(Debug)]
struct State {
    chain: ChainId,
    canonical: Vec<Block>,
    known: HashMap<B256, Block>,
    /// The head that is shown; the true one where absent.
    shown: Option<u64>,
    finalized: u64,
    /// The highest block ever called final; backends that answer ranges know it.
    finalized_max: u64,
    /// A backend that stopped here, with its finalized block, and how many calls it still answers.
    stuck: Option<(Vec<Block>, u64)>,
    stuck_calls: u64,
    salt: u64,
    faults: Faults,
    jitter: Jitter,
    calls: u64,
    waits: u64,
    refused: BTreeMap<(u64, u64), u32>,
}

/// Who answers a call behind the node's one address.
#[derive(Clone, Copy, Debug)]
enum Backend {
    Good,
    Stranded,
}

/// A chain under a test's control.
#[derive(Debug)]
pub(crate) struct ScriptedChain {
    state: Mutex<State>,
}

impl ScriptedChain {
    /// A chain of `length` blocks, genesis included.
    pub(crate) fn new(length: usize, seed: u64) -> Self {
        let mut state = State {
            chain: ChainId(31_337),
            canonical: Vec::new(),
            known: HashMap::new(),
            shown: None,
            finalized: 0,
            finalized_max: 0,
            stuck: None,
            stuck_calls: 0,
            salt: 0,
            faults: Faults::default(),
            jitter: Jitter::new(seed),
            calls: 0,
            waits: 0,
            refused: BTreeMap::new(),
        };
        state.grow(length);
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    pub(crate) fn grow(&self, blocks: usize) {
        self.state().grow(blocks);
    }

    /// Replaces the newest `depth` blocks by `length` others.
    pub(crate) fn reorg(&self, depth: usize, length: usize) {
        self.state().reorg(depth, length);
    }

    pub(crate) fn finalize(&self, number: u64) {
        let mut state = self.state();
        state.finalized = number;
        state.finalized_max = state.finalized_max.max(number);
    }

    /// One backend of the node stops here, whatever the chain does from now on.
    pub(crate) fn strand_a_backend(&self) {
        let mut state = self.state();
        state.stuck = Some((state.canonical.clone(), state.finalized));
    }

    /// That backend answers the next calls.
    pub(crate) fn ask_the_stranded(&self, calls: u64) {
        self.state().stuck_calls = calls;
    }

    /// Shows an older head, as a backend that is behind does.
    pub(crate) fn lag_at(&self, number: Option<u64>) {
        self.state().shown = number;
    }

    /// Whether it still has calls to answer.
    pub(crate) fn is_asking_the_stranded(&self) -> bool {
        self.state().stuck_calls > 0
    }

    pub(crate) fn head(&self) -> Header {
        self.state().canonical.last().unwrap().header.clone()
    }

    pub(crate) fn header_at(&self, number: u64) -> Header {
        self.state().canonical[usize::try_from(number).unwrap()].header.clone()
    }

    /// All logs from a block on.
    pub(crate) fn logs_from(&self, number: u64) -> Vec<RawLog> {
        let from = usize::try_from(number).unwrap();
        self.state().canonical[from..].iter().flat_map(|block| block.logs.clone()).collect()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How often a new head was waited for.
    pub(crate) fn waits(&self) -> u64 {
        self.state().waits
    }

    /// How often the most refused range was asked for.
    pub(crate) fn most_refused(&self) -> u32 {
        self.state().refused.values().copied().max().unwrap_or(0)
    }

    /// What every call passes first: time, and the chance of failing. Returns which backend answers.
    async fn arrive(&self, asked: &str) -> Result<Backend, ChainError> {
        let (fails, turns, backend) = {
            let mut state = self.state();
            state.calls += 1;
            let backend = if state.stuck_calls > 0 { Backend::Stranded } else { Backend::Good };
            state.stuck_calls = state.stuck_calls.saturating_sub(1);
            if let Some((call, depth)) = state.faults.reorg_at_call
                && state.calls >= call
            {
                state.faults.reorg_at_call = None;
                state.reorg(depth, depth + 1);
            }
            let turns = if state.faults.shuffled { state.jitter.draw() % 8 } else { 0 };
            (state.jitter.draw() % 100 < state.faults.transient_percent, turns, backend)
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        if fails { Err(transient(asked)) } else { Ok(backend) }
    }
}

impl State {
    fn grow(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let number = u64::try_from(self.canonical.len()).unwrap();
            let parent = self.canonical.last().map_or(B256::ZERO, |b| b.header.block.hash);
            let block = make_block(number, parent, self.salt);
            self.known.insert(block.header.block.hash, block.clone());
            self.canonical.push(block);
        }
    }

    fn reorg(&mut self, depth: usize, length: usize) {
        let keep = self.canonical.len() - depth;
        self.canonical.truncate(keep);
        self.salt += 1;
        self.grow(length);
    }

    fn chain_of(&self, backend: Backend) -> &[Block] {
        match (backend, &self.stuck) {
            (Backend::Stranded, Some((chain, _))) => chain,
            _ => &self.canonical,
        }
    }

    fn head_number(&self, backend: Backend) -> u64 {
        let last = self.chain_of(backend).last().unwrap().header.block.number;
        self.shown.map_or(last, |shown| shown.min(last))
    }

    fn finalized(&self, backend: Backend, now: u64) -> u64 {
        let last = match (backend, &self.stuck) {
            (Backend::Stranded, Some((_, last))) => *last,
            _ => now,
        };
        last.min(self.head_number(backend))
    }

    fn block(&self, backend: Backend, number: u64) -> Option<Block> {
        if number > self.head_number(backend) {
            return None;
        }
        self.chain_of(backend).get(usize::try_from(number).unwrap()).cloned()
    }
}

fn make_block(number: u64, parent_hash: B256, salt: u64) -> Block {
    let mut seed = parent_hash.to_vec();
    seed.extend(number.to_be_bytes());
    seed.extend(salt.to_be_bytes());
    let block = BlockRef { number, hash: keccak256(&seed) };
    let time = UnixSeconds::new(1_700_000_000 + number * 2).unwrap();
    let count = u32::from(block.hash.0[0] % 3);
    let logs: Vec<RawLog> = (0..count)
        .map(|index| RawLog {
            address: REGISTRY,
            topics: vec![TOPIC],
            data: Bytes::copy_from_slice(&block.hash.0[..4]),
            block,
            block_time: Some(time),
            tx_hash: keccak256(block.hash),
            // Logs of others stand in between.
            log_index: index * 2 + 1,
        })
        .collect();
    let mut logs_bloom = Bloom::ZERO;
    if !logs.is_empty() {
        logs_bloom.accrue(BloomInput::Raw(REGISTRY.as_slice()));
        logs_bloom.accrue(BloomInput::Raw(TOPIC.as_slice()));
    }
    Block { header: Header { block, parent_hash, time, logs_bloom }, logs }
}

fn transient(asked: &str) -> ChainError {
    ChainError::Transient {
        endpoint: "scripted".to_owned(),
        asked: asked.to_owned(),
        reason: "a fault was drawn".to_owned(),
        retry_after: None,
    }
}

impl ChainSource for ScriptedChain {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        self.arrive("the chain id").await?;
        Ok(self.state().chain)
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        let backend = self.arrive("tags").await?;
        let state = self.state();
        let header = |number: u64| state.block(backend, number).map(|block| block.header);
        let head = header(state.head_number(backend)).unwrap();
        let last = state.finalized(backend, state.finalized);
        let tags = !state.faults.tagless;
        let safe = header(last + (head.block.number - last) / 2).filter(|_| tags);
        Ok(ChainTags { head, safe, finalized: header(last).filter(|_| tags) })
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        let backend = self.arrive("a header").await?;
        let state = self.state();
        let block = match tag {
            BlockTag::Latest | BlockTag::Safe => state.block(backend, state.head_number(backend)),
            BlockTag::Finalized => state.block(backend, state.finalized(backend, state.finalized)),
            BlockTag::Number(number) => state.block(backend, number),
            BlockTag::Hash(hash) => state.known.get(&hash).cloned(),
        };
        Ok(block.map(|block| block.header))
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        let backend = self.arrive("headers").await?;
        let state = self.state();
        let header = |number: &u64| state.block(backend, *number).map(|block| block.header);
        numbers.iter().map(|number| header(number).ok_or_else(|| transient("headers"))).collect()
    }

    async fn logs_in(
        &self,
        _: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let asked = format!("logs of blocks {} to {}", range.start(), range.end());
        let backend = self.arrive(&asked).await?;
        let mut state = self.state();
        let length = range.end() - range.start() + 1;
        if state.faults.range_max.is_some_and(|max| length > max) {
            *state.refused.entry((*range.start(), *range.end())).or_default() += 1;
            let limit = state.faults.range_named;
            let reason = "too many blocks".to_owned();
            return Err(ChainError::RangeTooLarge {
                endpoint: "scripted".to_owned(),
                asked,
                reason,
                limit,
            });
        }
        let blocks: Option<Vec<Block>> =
            range.clone().map(|number| state.block(backend, number)).collect();
        let blocks = blocks.ok_or_else(|| transient(&asked))?;
        let mut logs: Vec<RawLog> = blocks.iter().flat_map(|block| block.logs.clone()).collect();
        if state.faults.timeless {
            for log in &mut logs {
                log.block_time = None;
            }
        }
        let (start, end) = (blocks[0].header.clone(), blocks[blocks.len() - 1].header.clone());
        let last = state.finalized(backend, state.finalized_max);
        let finalized = state.block(backend, last).map(|block| block.header);
        let finalized = finalized.filter(|_| !state.faults.tagless);
        Ok(RangeLogs { logs, start, end, finalized })
    }

    async fn logs_of(&self, _: &LogFilter, block: BlockRef) -> Result<Vec<RawLog>, ChainError> {
        let backend = self.arrive("logs of a block").await?;
        let mut state = self.state();
        let canonical =
            state.block(backend, block.number).filter(|known| known.header.block == block);
        let logs = canonical.ok_or_else(|| transient("unknown block"))?.logs;
        if state.faults.hidden > 0 && !logs.is_empty() {
            state.faults.hidden -= 1;
            return Ok(Vec::new());
        }
        Ok(logs)
    }

    async fn call(&self, _: Address, _: Bytes, _: BlockRef) -> Result<Bytes, ChainError> {
        Ok(Bytes::new())
    }

    async fn code(&self, _: Address) -> Result<Bytes, ChainError> {
        Ok(Bytes::from_static(&[0xfe]))
    }

    async fn storage(&self, _: Address, _: B256, _: BlockTag) -> Result<B256, ChainError> {
        Ok(B256::ZERO)
    }

    async fn wait_for_head(&self) {
        self.state().waits += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
