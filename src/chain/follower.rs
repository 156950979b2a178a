//! Drives a source and yields the chain as steps.
//!
//! Two zones. At or below the finalized block: ranges by number, many at once, handed on in order. Above it: block by block, linked by
//! parent hash, logs by block hash; a reorganisation goes back to the common ancestor and comes with the first blocks of the new branch
//! in one step. A node whose ranges cannot be believed is followed block by block in both. The finalized block is the node's; a chain
//! that contradicts it is reported, and nothing is undone.
//!
//! The follower takes every step it yields as applied. If applying one fails downstream, make a new follower from what is stored.
//! `next` may be dropped while it waits (for a shutdown) and called again: nothing is lost by that.

use std::convert::Infallible;
use std::sync::Arc;

use super::ChainError;
use super::fetch::{Fetched, Recheck, calls_final, extends};
use super::following::{FollowError, FollowerOptions, Progress, Resume};
use super::pipeline::{Pipeline, Plan};
use super::range::RangeSize;
use super::retry::Jitter;
use super::source::{BlockTag, ChainSource, LogFilter};
use super::step::{ChainStep, ChainTags, Stretch};
use super::tags::{FinalizedChanged, TagKeeper};
use super::window::Window;
use crate::vocab::{BlockRef, Header};

/// Follows one chain.
pub struct Follower<S> {
    pub(super) source: Arc<S>,
    pub(super) filter: Arc<LogFilter>,
    pub(super) options: FollowerOptions,
    pub(super) window: Window,
    pub(super) tags: TagKeeper,
    /// What of the resumed state was not yet held against the node.
    unchecked: Option<Resume>,
    reported: Option<ChainTags>,
    backfill: Option<Pipeline<S>>,
    sizes: RangeSize,
    jitter: Jitter,
    /// Failures in a row.
    pub(super) failures: u32,
    /// How often in a row the node contradicted the finalized block.
    pub(super) violations: u32,
    ranges_since_tags: u32,
    logs: u64,
}

/// The tags are asked for again after so many ranges.
const RANGES_PER_TAGS: u32 = 32;
/// So often in a row the node must contradict the finalized block before it is believed.
pub(super) const VIOLATIONS_MAX: u32 = 3;

impl<S: ChainSource + 'static> Follower<S> {
    /// Starts where following stood.
    #[must_use]
    pub fn new(
        source: Arc<S>,
        filter: LogFilter,
        options: FollowerOptions,
        resume: Resume,
    ) -> Self {
        let window = match resume.cursor {
            Some(cursor) => {
                Window::resume(options.held_max, cursor, &resume.held, resume.finalized)
            }
            None => Window::new(options.held_max),
        };
        Self {
            source,
            filter: Arc::new(filter),
            window,
            tags: TagKeeper::default(),
            unchecked: Some(resume),
            reported: None,
            backfill: None,
            sizes: RangeSize::new(options.range_max, options.range_logs),
            jitter: Jitter::new(options.seed),
            failures: 0,
            violations: 0,
            ranges_since_tags: 0,
            logs: 0,
            options,
        }
    }

    /// How far following is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            applied: self.window.tip().map(|tip| tip.number),
            start: self.options.start_block,
            head: self.tags.head.as_ref().map(|head| head.block.number),
            finalized: self.tags.finalized.as_ref().map(|last| last.block.number),
            logs: self.logs,
        }
    }

    /// The next step; waits until there is one.
    ///
    /// # Errors
    /// When the node is of another chain, contradicts what was final, or does not answer after all attempts. After the last of these
    /// `next` may be called again.
    pub async fn next(&mut self) -> Result<ChainStep, FollowError> {
        loop {
            match self.advance().await {
                Ok(Some(step)) => {
                    self.failures = 0;
                    return Ok(step);
                }
                Ok(None) => {
                    self.failures = 0;
                    self.violations = 0;
                    self.source.wait_for_head().await;
                }
                Err(FollowError::Source(error)) if error.is_transient() => {
                    self.failures += 1;
                    let jitter = self.jitter.draw();
                    let delay =
                        self.options.backoff.delay(self.failures, error.retry_after(), jitter);
                    let Some(delay) = delay else {
                        self.failures = 0;
                        return Err(FollowError::Source(error));
                    };
                    error.tell(self.failures, "the source is asked again");
                    tokio::time::sleep(delay).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Fetches ahead for as long as it is polled: the ranges after the step that was yielded last, and nothing else. What is decided
    /// from the node's tags is decided by [`next`](Self::next), after that step was applied.
    pub async fn fetch_ahead(&mut self) -> Infallible {
        if let Some(pipeline) = &mut self.backfill {
            pipeline.run_ahead(&mut self.sizes, &mut self.jitter).await;
        }
        std::future::pending().await
    }

    async fn advance(&mut self) -> Result<Option<ChainStep>, FollowError> {
        self.open().await?;
        loop {
            if !self.source.bears_ranges() {
                self.backfill = None;
            }
            if self.backfill.is_none() || self.ranges_since_tags >= RANGES_PER_TAGS {
                let node = self.source.tags().await?;
                self.ranges_since_tags = 0;
                if let Err(changed) = self.tags.observe(&node, &self.window) {
                    return Err(self.finalized_changed(changed));
                }
                if let Some(step) = self.plan(&node).await? {
                    return Ok(Some(step));
                }
            }
            let Some(pipeline) = &mut self.backfill else {
                return Ok(self.tags_only());
            };
            if let Some(fetched) = pipeline.next(&mut self.sizes, &mut self.jitter).await? {
                return self.take_range(fetched).map(Some);
            }
            // At its end; what lies above is looked at without waiting for a new head.
            self.backfill = None;
        }
    }

    /// Holds the node against what was stored, once.
    async fn open(&mut self) -> Result<(), FollowError> {
        let Some(resume) = self.unchecked.clone() else { return Ok(()) };
        self.check_resume(&resume).await?;
        // Only now: `next` may be dropped at any await, and must not count as checked what was not.
        self.unchecked = None;
        Ok(())
    }

    async fn check_resume(&mut self, resume: &Resume) -> Result<(), FollowError> {
        let found = self.source.chain_id().await?;
        let expected = self.options.chain;
        if found != expected {
            return Err(FollowError::WrongChain { expected, found });
        }
        if let Some(ours) = resume.finalized {
            // As a range, since the answer then says what its backend calls final.
            let answer = self.source.logs_in(&self.filter, ours.number..=ours.number).await?;
            let theirs = answer.end;
            if theirs.block != ours {
                return Err(self
                    .contradicted(FinalizedChanged { ours, theirs: theirs.block })
                    .await);
            }
            self.tags.finalized = Some(theirs);
            if let Some(cursor) = resume.cursor.filter(|cursor| cursor.number < ours.number) {
                self.check_cursor(cursor).await?;
            }
        }
        // A node may know a block by its hash that it has abandoned.
        let applied = |safe: &BlockRef| self.window.hash_at(safe.number) == Some(safe.hash);
        if let Some(safe) = resume.safe.filter(applied) {
            self.tags.safe = self.source.header(BlockTag::Hash(safe.hash)).await?;
        }
        Ok(())
    }

    /// Learns whether the last block applied is final, where a higher one is: it may also be on a branch that was abandoned since.
    async fn check_cursor(&mut self, cursor: BlockRef) -> Result<(), FollowError> {
        if !self.source.bears_ranges() {
            // It is taken as one that may still be replaced.
            return Ok(());
        }
        let answer = self.source.logs_in(&self.filter, cursor.number..=cursor.number).await?;
        if !calls_final(answer.finalized.as_ref(), answer.end.block) {
            let reason = "it is not final for this backend";
            return Err(ChainError::contradiction(format!("block {cursor}"), reason).into());
        }
        if answer.end.block == cursor {
            self.window.finalize(cursor);
        }
        Ok(())
    }

    /// The canonical header of a number that the node ought to have.
    pub(super) async fn header_of(&self, number: u64) -> Result<Header, ChainError> {
        let header = self.source.header(BlockTag::Number(number)).await?;
        header.ok_or_else(|| {
            ChainError::contradiction(format!("block {number}"), "the node does not have it yet")
        })
    }

    /// Believed only when it was said several times: one answer may be of a backend that is broken or of another chain.
    pub(super) fn finalized_changed(&mut self, changed: FinalizedChanged) -> FollowError {
        let FinalizedChanged { ours, theirs } = changed;
        self.violations += 1;
        if self.violations >= VIOLATIONS_MAX {
            return FollowError::FinalityViolated { ours, theirs: theirs.hash };
        }
        ChainError::contradiction(
            format!("block {}", ours.number),
            format!("it was final as {}, but came as {}", ours.hash, theirs.hash),
        )
        .into()
    }

    /// Decides how to go on from what the node says: sets up the backfill, or makes a step at the head.
    async fn plan(&mut self, node: &ChainTags) -> Result<Option<ChainStep>, FollowError> {
        let next = match self.window.tip() {
            Some(tip) => tip.number.saturating_add(1),
            None => self.options.start_block,
        };
        let boundary = self.boundary(node);
        let Some(boundary) = boundary.filter(|boundary| next <= *boundary) else {
            return self.at_head(node, next).await;
        };
        let recent_from = boundary.saturating_sub(self.options.recent);
        let must_be_final = self.tags.finalized.is_some();
        if let Some(pipeline) = &mut self.backfill
            && pipeline.must_be_final() == must_be_final
        {
            pipeline.raise_target(boundary, recent_from);
            return Ok(None);
        }
        self.backfill = None;
        if let Some(tip) = self.window.tip()
            && self.header_of(tip.number).await?.block != tip
        {
            return self.reorg(node).await.map(Some);
        }
        let plan = Plan {
            source: Arc::clone(&self.source),
            filter: Arc::clone(&self.filter),
            concurrency: self.options.concurrency,
            bytes_max: self.options.bytes_max,
            step_logs: self.options.step_logs,
            backoff: self.options.backoff,
            recheck: self.recheck(),
            recent_from,
            must_be_final,
        };
        self.backfill = Some(Pipeline::new(plan, next, boundary));
        Ok(None)
    }

    /// The last block that is fetched by range, if any is.
    fn boundary(&self, node: &ChainTags) -> Option<u64> {
        if !self.source.bears_ranges() {
            return None;
        }
        let head = node.head.block.number;
        match &self.tags.finalized {
            Some(last) => Some(last.block.number.min(head)),
            None => head.checked_sub(self.options.depth_without_finality),
        }
    }

    pub(super) const fn recheck(&self) -> Recheck {
        Recheck { attempts: self.options.rechecks, delay: self.options.recheck_delay }
    }

    fn take_range(&mut self, fetched: Fetched) -> Result<ChainStep, FollowError> {
        let Fetched { parent, ranges, stretch } = fetched;
        let through = stretch.through.block;
        let asked = || format!("blocks {} to {}", stretch.from, through.number);
        // What is in flight comes from the same disagreement: plan anew, which also tells a reorganisation from a bad backend.
        if !extends(self.window.tip(), stretch.from, parent) {
            self.backfill = None;
            let reason = "the range does not follow the last block applied";
            return Err(ChainError::contradiction(asked(), reason).into());
        }
        let finalized = self.tags.finalized.as_ref().map(|last| last.block);
        let theirs = |ours: BlockRef| {
            let held = stretch.headers.iter().map(|header| header.block);
            held.into_iter().find(|block| block.number == ours.number && *block != ours)
        };
        if let Some((ours, theirs)) = finalized.and_then(|ours| Some((ours, theirs(ours)?))) {
            self.backfill = None;
            return Err(self.finalized_changed(FinalizedChanged { ours, theirs }));
        }
        if self.tags.finalized.as_ref().is_some_and(|last| through.number <= last.block.number) {
            self.window.finalize(through);
        }
        self.ranges_since_tags = self.ranges_since_tags.saturating_add(ranges);
        self.yield_step(None, Some(stretch))
    }

    fn tags_only(&mut self) -> Option<ChainStep> {
        let tags = self.tags.below(self.tags.head.clone()?);
        if self.reported.as_ref() == Some(&tags) {
            return None;
        }
        self.settle();
        self.violations = 0;
        self.reported = Some(tags.clone());
        Some(ChainStep { revert_to: None, extend: None, tags })
    }

    pub(super) fn yield_step(
        &mut self,
        revert_to: Option<BlockRef>,
        extend: Option<Stretch>,
    ) -> Result<ChainStep, FollowError> {
        let Some(head) = self.tags.head.clone() else {
            return Err(ChainError::contradiction("a step", "no head is known yet").into());
        };
        if let Some(to) = revert_to {
            self.window.revert_to(to);
        }
        if let Some(stretch) = &extend {
            self.window.append(&stretch.headers);
            let logs = u64::try_from(stretch.logs.len()).unwrap_or(u64::MAX);
            self.logs = self.logs.saturating_add(logs);
        }
        self.settle();
        self.tags.settle_safe(&self.window);
        let tags = self.tags.below(head);
        self.violations = 0;
        self.reported = Some(tags.clone());
        Ok(ChainStep { revert_to, extend, tags })
    }

    /// Tells the window what is final now. What lies above the last block applied is not known to be of the same branch yet.
    fn settle(&mut self) {
        if let (Some(last), Some(tip)) = (&self.tags.finalized, self.window.tip())
            && last.block.number <= tip.number
        {
            self.window.finalize(last.block);
        }
    }
}
