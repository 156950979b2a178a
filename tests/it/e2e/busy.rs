//! A node that answers ranges of logs slowly and out of order, and counts how many it was asked for at once; or that leaves a log out,
//! whichever way it is asked.

use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes};
use hallmark::chain::{
    BlockTag, ChainError, ChainSource, ChainTags, LogFilter, RangeLogs, RpcSource,
};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog};

/// Every other range takes so long.
const SLOW: Duration = Duration::from_millis(40);
const QUICK: Duration = Duration::from_millis(5);

/// The node.
pub(super) struct Busy {
    node: RpcSource,
    under_way: AtomicUsize,
    most: AtomicUsize,
    asked: AtomicUsize,
    /// Where the ranges began that were answered, in the order of the answers.
    answered: Mutex<Vec<u64>>,
    fails_from: Option<u64>,
    /// The block and the index of a log.
    hides: Option<(u64, u32)>,
}

impl Busy {
    pub(super) fn new(node: RpcSource) -> Self {
        Self {
            node,
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            answered: Mutex::default(),
            fails_from: None,
            hides: None,
        }
    }

    /// It never returns the log of this block and index.
    pub(super) fn hiding(node: RpcSource, log: (u64, u32)) -> Self {
        Self { hides: Some(log), ..Self::new(node) }
    }

    fn hide(&self, logs: &mut Vec<RawLog>) {
        logs.retain(|log| self.hides != Some((log.block.number, log.log_index)));
    }

    /// Every range that ends at this block or above it is refused.
    pub(super) fn failing_from(node: RpcSource, block: u64) -> Self {
        Self { fails_from: Some(block), ..Self::new(node) }
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Whether a range was answered before one below it.
    pub(super) fn was_overtaken(&self) -> bool {
        !self.answered.lock().unwrap().is_sorted()
    }
}

impl ChainSource for Busy {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        self.node.chain_id().await
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        self.node.tags().await
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        self.node.header(tag).await
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        self.node.headers(numbers).await
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        if self.fails_from.is_some_and(|from| *range.end() >= from) {
            return Err(ChainError::Fatal {
                endpoint: "busy".to_owned(),
                asked: format!("blocks {} to {}", range.start(), range.end()),
                reason: "it was told to fail".to_owned(),
            });
        }
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(under_way, Ordering::Relaxed);
        let is_slow = self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        tokio::time::sleep(if is_slow { SLOW } else { QUICK }).await;
        let start = *range.start();
        let answer = self.node.logs_in(filter, range).await;
        self.answered.lock().unwrap().push(start);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let mut answer = answer?;
        self.hide(&mut answer.logs);
        Ok(answer)
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let mut logs = self.node.logs_of(filter, block).await?;
        self.hide(&mut logs);
        Ok(logs)
    }

    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        self.node.call(to, input, at).await
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        self.node.code(of).await
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        self.node.storage(of, slot, at).await
    }

    async fn wait_for_head(&self) {
        self.node.wait_for_head().await;
    }
}
