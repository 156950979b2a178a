//! Following above the finalized block, one linked block after the other, and back where the chain was replaced.
//!
//! Before anything is undone, the new branch must be there: its headers linked from the common ancestor up to the node's head, and the
//! logs of its first blocks. Undoing and the first blocks are one step, so that readers never see the chain shortened in between.

use super::ChainError;
use super::fetch::{self, extends};
use super::follower::Follower;
use super::following::FollowError;
use super::source::ChainSource;
use super::step::{ChainStep, ChainTags};
use super::tags::FinalizedChanged;
use super::window::{Judgement, follows};
use crate::vocab::{BlockRef, Header};

/// How far above the ancestor a new branch must be linked before it is believed; it is longer only after a long absence.
const BRANCH_MAX: u64 = 4_096;
/// The first look below the last block applied reaches so deep; each further one twice as deep.
const FIRST_LOOK: u64 = 16;
/// No look is longer than this.
const LOOK_MAX: u64 = 4_096;

impl<S: ChainSource + 'static> Follower<S> {
    /// A step above the finalized block; `None` when there is nothing to do.
    pub(super) async fn at_head(
        &mut self,
        node: &ChainTags,
        next: u64,
    ) -> Result<Option<ChainStep>, FollowError> {
        let head = node.head.block;
        let Some(tip) = self.window.tip() else {
            if head.number < next {
                return Ok(None);
            }
            return self.extend(node, next).await.map(Some);
        };
        if head.number > tip.number {
            return self.extend(node, next).await.map(Some);
        }
        if head == tip || self.window.hash_at(head.number) == Some(head.hash) {
            // The head itself, or a node that is behind on our own chain.
            return Ok(None);
        }
        if self.window.lowest().is_some_and(|lowest| head.number < lowest.number) {
            return Ok(None);
        }
        self.reorg(node).await.map(Some)
    }

    async fn extend(&mut self, node: &ChainTags, next: u64) -> Result<ChainStep, FollowError> {
        let head = node.head.block;
        let to = next.saturating_add(self.step_blocks() - 1).min(head.number);
        let headers = fetch::linked(self.source.as_ref(), next, to).await?;
        check_head(&headers, head)?;
        let parent = headers.first().map(|first| first.parent_hash).unwrap_or_default();
        if !extends(self.window.tip(), next, parent) {
            return self.reorg(node).await;
        }
        self.check_final(&headers)?;
        self.step(None, headers).await
    }

    async fn step(
        &mut self,
        revert_to: Option<BlockRef>,
        headers: Vec<Header>,
    ) -> Result<ChainStep, FollowError> {
        let fetched = fetch::blocks(
            &self.source,
            &self.filter,
            headers,
            self.options.concurrency,
            self.recheck(),
        )
        .await?;
        self.yield_step(revert_to, fetched.map(|fetched| fetched.stretch))
    }

    /// How many blocks to take at once: fewer after each failure, since one request that fails fails the step, and a node that fails
    /// often would never let a long one through.
    fn step_blocks(&self) -> u64 {
        self.options.step_blocks.checked_shr(self.failures).unwrap_or(0).max(1)
    }

    /// Goes back to where the node's chain left ours, and takes the first blocks of the new branch.
    pub(super) async fn reorg(&mut self, node: &ChainTags) -> Result<ChainStep, FollowError> {
        let ancestor = self.ancestor(node).await?;
        let head = node.head.block;
        let from = ancestor.number.saturating_add(1);
        let linked_to = from.saturating_add(BRANCH_MAX - 1).min(head.number);
        let mut branch = fetch::linked(self.source.as_ref(), from, linked_to).await?;
        check_head(&branch, head)?;
        if !branch.first().is_some_and(|first| follows(ancestor, first)) {
            return Err(changed(from));
        }
        let kept = usize::try_from(self.step_blocks()).unwrap_or(usize::MAX);
        branch.truncate(kept);
        self.check_final(&branch)?;
        let fetched = fetch::blocks(
            &self.source,
            &self.filter,
            branch,
            self.options.concurrency,
            self.recheck(),
        )
        .await?;
        let depth = self.window.tip().map_or(0, |tip| tip.number.saturating_sub(ancestor.number));
        tracing::info!(
            block.number = ancestor.number,
            depth,
            "the chain was replaced above a block"
        );
        self.tags.revert(node, ancestor);
        self.yield_step(Some(ancestor), fetched.map(|fetched| fetched.stretch))
    }

    /// The last block that the node's chain shares with ours.
    async fn ancestor(&mut self, node: &ChainTags) -> Result<BlockRef, FollowError> {
        let head = node.head.block;
        let Some(tip) = self.window.tip() else { return Err(changed(head.number)) };
        let lowest = self.window.lowest().map_or(0, |lowest| lowest.number);
        let top = tip.number.min(head.number);
        let mut depth = FIRST_LOOK;
        let mut from = top.saturating_sub(depth).max(lowest);
        let mut known = fetch::linked(self.source.as_ref(), from, top).await?;
        loop {
            match self.window.judge(&known) {
                Judgement::Revert { to } => return Ok(to),
                // The top is shared after all, though another block was seen there before.
                Judgement::Extend | Judgement::Wait => return Err(changed(top)),
                Judgement::Violation { ours, theirs } => {
                    let theirs = BlockRef { number: ours.number, hash: theirs };
                    return Err(self.contradicted(FinalizedChanged { ours, theirs }).await);
                }
                Judgement::TooDeep { lowest } => return Err(self.too_deep(lowest)),
                Judgement::AskFrom(number) => {
                    depth = depth.saturating_mul(2).min(LOOK_MAX);
                    let lower = number.saturating_sub(depth).max(lowest).min(number);
                    let below = from.saturating_sub(1);
                    let mut more = fetch::linked(self.source.as_ref(), lower, below).await?;
                    let joined = more
                        .last()
                        .zip(known.first())
                        .is_some_and(|(parent, child)| follows(parent.block, child));
                    if !joined {
                        return Err(changed(below));
                    }
                    more.append(&mut known);
                    known = more;
                    from = lower;
                }
            }
        }
    }
}

/// Where a run of headers reaches the node's head, it must end in it.
fn check_head(headers: &[Header], head: BlockRef) -> Result<(), FollowError> {
    match headers.last() {
        Some(last) if last.block.number == head.number && last.block != head => {
            Err(changed(head.number))
        }
        Some(_) | None => Ok(()),
    }
}

fn changed(number: u64) -> FollowError {
    ChainError::contradiction(
        format!("block {number}"),
        "the chain changed while it was read, or backends disagree",
    )
    .into()
}
