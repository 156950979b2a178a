//! Logs of single blocks, compared with another node's for a sample of those that are final.
//!
//! A node whose ranges cannot be believed is read block by block, each by its hash, and none of what is done about ranges reaches that.
//! A block whose bloom claims what it does not have is asked of all others already; a block that lacks some of its logs, or whose bloom
//! is too full to say anything, is not. Above the finalized block another node may not have the block yet, and the second look after
//! finality compares it; so nothing is compared there.

use tokio::time::timeout;

use super::check::SAMPLE_LIMIT;
use super::compare::{Sides, are_same};
use super::settle::Score;
use super::suspicion::is_sampled;
use super::{Blame, Providers};
use crate::chain::{ChainError, ChainSource, LogFilter};
use crate::vocab::{BlockRef, RawLog};

impl<S: ChainSource> Providers<S> {
    /// The logs of a block, compared where the block is of the sample and the node that answers is read block by block.
    pub(super) async fn checked_block(
        &self,
        filter: &LogFilter,
        block: BlockRef,
    ) -> Result<Vec<RawLog>, ChainError> {
        let (us, ours) = self.ask(Blame::All, |source| source.logs_of(filter, block)).await?;
        let is_final = self.watch().finalized.is_some_and(|last| block.number <= last);
        let is_compared = !us.provider.source.bears_ranges()
            && is_final
            && is_sampled(self.options.seed, block.number);
        if !is_compared {
            return Ok(ours);
        }
        for them in self.others(us.index) {
            let Ok(()) = self.make_sure(them).await else { continue };
            let asked = self.one(them, Blame::All, |source| source.logs_of(filter, block));
            let Ok(Ok(theirs)) = timeout(SAMPLE_LIMIT, asked).await else { continue };
            if are_same(&ours, &theirs) {
                return Ok(ours);
            }
            let span = (block.number, block.number);
            let sides = Sides { ours, theirs };
            let truth = self.truth_of(filter, &sides, us, them).await;
            let Sides { ours, theirs } = sides;
            let Some(truth) = truth else {
                self.tell_undecided(us, them, span, 1);
                return Ok(if theirs.len() > ours.len() { theirs } else { ours });
            };
            for (node, said) in [(us, &ours), (them, &theirs)] {
                let mut score = Score::default();
                score.count(said, &truth);
                self.tell(node, score, span, 1);
            }
            return Ok(truth);
        }
        Ok(ours)
    }
}
