//! A node of a scripted chain that does not say all it knows: it leaves logs out, makes them up, lags, fails, or wants to be left alone.
//!
//! Several of them may stand before one chain, so that each lies in its own way about the same truth.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy::primitives::{Address, B256, Bytes};
use hallmark::chain::{BlockTag, ChainError, ChainSource, ChainTags, LogFilter, RangeLogs};
use hallmark::vocab::{BlockRef, ChainId, Header, RawLog};

use super::scripted::ScriptedChain;

/// What a node does not do right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lie {
    /// Logs of these blocks are left out of ranges.
    pub(crate) omits: Option<RangeInclusive<u64>>,
    /// They are left out, too, when a block is asked for by its hash.
    pub(crate) omits_by_hash: bool,
    /// It bears no batches, so that its ranges cannot be believed.
    pub(crate) batchless: Option<Batchless>,
    /// Lists of a range end here.
    pub(crate) cut_at: Option<usize>,
    /// The first log of each range is returned a second time, as if it were another one.
    pub(crate) invents: bool,
    /// The head it shows.
    pub(crate) head: Option<u64>,
    /// It fails.
    pub(crate) fails: bool,
    /// And asks to be left alone for so long.
    pub(crate) retry_after: Option<Duration>,
    /// The chain it says it is of.
    pub(crate) chain_id: Option<u64>,
    /// Ranges of more blocks are refused.
    pub(crate) range_max: Option<u64>,
}

/// How a node that is read block by block answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batchless {
    /// With all logs.
    Honest,
    /// Without the last log of a block, if there is another: no bloom shows that.
    OmitsLast,
}

/// A node of a scripted chain.
#[derive(Clone, Debug)]
pub(crate) struct Liar {
    chain: Arc<ScriptedChain>,
    lie: Arc<Mutex<Lie>>,
    ranges: Arc<Mutex<Vec<(u64, u64)>>>,
}

impl Liar {
    /// A node that tells the truth.
    pub(crate) fn honest(chain: &Arc<ScriptedChain>) -> Self {
        Self::new(chain, Lie::default())
    }

    pub(crate) fn new(chain: &Arc<ScriptedChain>, lie: Lie) -> Self {
        let lie = Arc::new(Mutex::new(lie));
        Self { chain: Arc::clone(chain), lie, ranges: Arc::default() }
    }

    pub(crate) fn set(&self, lie: Lie) {
        *self.lie.lock().unwrap() = lie;
    }

    /// The ranges that were asked for since this was last called.
    pub(crate) fn take_ranges(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.ranges.lock().unwrap())
    }

    fn lie(&self) -> Lie {
        self.lie.lock().unwrap().clone()
    }

    fn arrive(&self) -> Result<Lie, ChainError> {
        let lie = self.lie();
        if !lie.fails {
            return Ok(lie);
        }
        Err(ChainError::Transient {
            endpoint: "liar".to_owned(),
            asked: "anything".to_owned(),
            reason: "it was told to fail".to_owned(),
            retry_after: lie.retry_after,
        })
    }
}

impl ChainSource for Liar {
    async fn chain_id(&self) -> Result<ChainId, ChainError> {
        let lie = self.arrive()?;
        Ok(lie.chain_id.map_or(self.chain.chain_id().await?, ChainId))
    }

    async fn tags(&self) -> Result<ChainTags, ChainError> {
        let lie = self.arrive()?;
        let mut tags = self.chain.tags().await?;
        if let Some(head) = lie.head {
            tags.head = self.chain.header_at(head);
            let at_most = |tag: Option<Header>| tag.filter(|tag| tag.block.number <= head);
            (tags.safe, tags.finalized) = (at_most(tags.safe), at_most(tags.finalized));
        }
        Ok(tags)
    }

    async fn header(&self, tag: BlockTag) -> Result<Option<Header>, ChainError> {
        self.arrive()?;
        self.chain.header(tag).await
    }

    async fn headers(&self, numbers: &[u64]) -> Result<Vec<Header>, ChainError> {
        self.arrive()?;
        self.chain.headers(numbers).await
    }

    async fn logs_in(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let lie = self.arrive()?;
        self.ranges.lock().unwrap().push((*range.start(), *range.end()));
        if lie.range_max.is_some_and(|max| range.end() - range.start() >= max) {
            return Err(ChainError::RangeTooLarge {
                endpoint: "liar".to_owned(),
                asked: "logs".to_owned(),
                reason: "too many blocks".to_owned(),
                limit: lie.range_max,
            });
        }
        let mut answer = self.chain.logs_in(filter, range).await?;
        if let Some(omits) = &lie.omits {
            answer.logs.retain(|log| !omits.contains(&log.block.number));
        }
        answer.logs.truncate(lie.cut_at.unwrap_or(usize::MAX));
        if lie.invents
            && let Some(first) = answer.logs.first().cloned()
        {
            let other = RawLog { log_index: 999, topics: vec![B256::repeat_byte(0x66)], ..first };
            answer.logs.push(other);
            answer.logs.sort_by_key(RawLog::position);
        }
        Ok(answer)
    }

    async fn logs_of(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let lie = self.arrive()?;
        let logs = self.chain.logs_of(filter, block).await?;
        let is_left_out =
            lie.omits_by_hash && lie.omits.is_some_and(|omits| omits.contains(&block.number));
        let mut logs = if is_left_out { Vec::new() } else { logs };
        if lie.batchless == Some(Batchless::OmitsLast) && logs.len() > 1 {
            logs.pop();
        }
        Ok(logs)
    }

    fn bears_ranges(&self) -> bool {
        self.lie().batchless.is_none()
    }

    async fn call(&self, to: Address, input: Bytes, at: BlockRef) -> Result<Bytes, ChainError> {
        self.arrive()?;
        self.chain.call(to, input, at).await
    }

    async fn code(&self, of: Address) -> Result<Bytes, ChainError> {
        self.arrive()?;
        self.chain.code(of).await
    }

    async fn storage(&self, of: Address, slot: B256, at: BlockTag) -> Result<B256, ChainError> {
        self.arrive()?;
        self.chain.storage(of, slot, at).await
    }

    async fn wait_for_head(&self) {
        self.chain.wait_for_head().await;
    }
}
