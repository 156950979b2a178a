//! Whether a chain that lacks what was final contradicts it, or is only that of a backend which is behind.
//!
//! Behind one URL there may be a backend that stopped long ago, on a branch that was abandoned since; it must neither stop the writer nor
//! be followed past what is final. So what was final is contradicted only by a backend that itself calls another block final there. Of
//! a node that bears ranges one answer says both. Of one that does not, no two answers are known to be of one backend; but hashes are
//! the same everywhere, so the way down from its finalized block to the number in question says it.

use super::ChainError;
use super::fetch::calls_final;
use super::follower::Follower;
use super::following::FollowError;
use super::source::{BlockTag, ChainSource};
use super::tags::FinalizedChanged;
use crate::vocab::{BlockRef, Header};

/// The way down from a finalized block is at most so long; one that is longer says nothing.
const WAY_MAX: u64 = 20_000;

impl<S: ChainSource + 'static> Follower<S> {
    /// A chain that lacks a block that was final: looks whether some backend calls another block final in its place.
    pub(super) async fn contradicted(&mut self, changed: FinalizedChanged) -> FollowError {
        let FinalizedChanged { ours, theirs } = changed;
        match self.final_in_place_of(ours).await {
            Ok(Some(theirs)) => self.finalized_changed(FinalizedChanged { ours, theirs }),
            Ok(None) => {
                let reason = format!(
                    "it was final as {}, but is {} for this backend, not final",
                    ours.hash, theirs.hash
                );
                ChainError::contradiction(format!("block {}", ours.number), reason).into()
            }
            Err(error) => error.into(),
        }
    }

    /// The block that a backend calls final at the number of one that was; `None` where it is the same, or not final there.
    async fn final_in_place_of(&self, ours: BlockRef) -> Result<Option<BlockRef>, ChainError> {
        if self.source.bears_ranges() {
            let answer = self.source.logs_in(&self.filter, ours.number..=ours.number).await?;
            let (theirs, last) = (answer.end.block, answer.finalized);
            // A node that knows no finalized block any more cannot be asked better.
            let is_final = last.is_none() || calls_final(last.as_ref(), theirs);
            return Ok(Some(theirs).filter(|theirs| *theirs != ours && is_final));
        }
        let Some(mut block) = self.source.header(BlockTag::Finalized).await? else {
            return Ok(None);
        };
        let length = block.block.number.checked_sub(ours.number);
        if length.is_none_or(|length| length > WAY_MAX) {
            return Ok(None);
        }
        while block.block.number > ours.number {
            let parent = self.source.header(BlockTag::Hash(block.parent_hash)).await?;
            let below = block.block.number.saturating_sub(1);
            block = parent.filter(|parent| parent.block.number == below).ok_or_else(|| {
                ChainError::contradiction(format!("block {below}"), "it is not known by its hash")
            })?;
        }
        Ok(Some(block.block).filter(|theirs| *theirs != ours))
    }

    /// Headers that pass the number of the finalized block must pass through it, or they are of a branch that was abandoned.
    pub(super) fn check_final(&self, headers: &[Header]) -> Result<(), FollowError> {
        let Some(last) = &self.tags.finalized else { return Ok(()) };
        let other = headers
            .iter()
            .map(|header| header.block)
            .find(|block| block.number == last.block.number && block.hash != last.block.hash);
        let Some(other) = other else { return Ok(()) };
        let reason = format!("it is final as {}, and came as {}", last.block.hash, other.hash);
        Err(ChainError::contradiction(format!("block {}", other.number), reason).into())
    }

    /// A chain that shares nothing with what is held. Block by block what lies below the finalized block is not final here before that
    /// block is reached, so it may be a chain that was abandoned.
    pub(super) fn too_deep(&self, lowest: BlockRef) -> FollowError {
        let last = self.tags.finalized.as_ref().filter(|_| !self.source.bears_ranges());
        if last.is_some_and(|last| last.block.number >= lowest.number) {
            let reason = "a chain without it came, which cannot be the one that is final";
            return ChainError::contradiction(format!("block {lowest}"), reason).into();
        }
        FollowError::ReorgTooDeep { lowest }
    }
}
