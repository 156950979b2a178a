//! Logs of ranges, compared with another node's where that is due, and what is done where they differ.
//!
//! A sampled range is asked of two nodes at once, so that an honest node costs no time; a range that looks wrong is asked again. Every
//! way out is bounded: parts, blocks that are looked at, nodes that are asked. Where nothing decides, the fuller answer is taken and a
//! finding says so.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::timeout;

use super::compare;
use super::health::{Choice, Health};
use super::suspicion::{Doubt, is_round, is_sampled};
use super::{Blame, Node, Providers};
use crate::chain::fetch::claims;
use crate::chain::parts::in_parts;
use crate::chain::source::PARTS_MAX;
use crate::chain::{ChainError, ChainSource, LogFilter, RangeLogs};
use crate::vocab::{Finding, FindingKind, Header, RawLog};

/// A range that is compared is asked for in at most so many parts.
const COMPARED_PARTS_MAX: u64 = 32;
/// A node that is only compared with has so long for a sampled range.
pub(super) const SAMPLE_LIMIT: Duration = Duration::from_secs(5);
/// So many blocks of a suspicious range are looked at where there is no other node.
const BLOOMS: usize = 128;
/// Where one of them shows a log that was left out, all of the range's are looked at, if they are not more than this.
const BLOOMS_MAX: u64 = 20_000;

/// An answer and whose it is.
pub(super) type Said<'a, S> = (&'a Node<S>, RangeLogs);

impl<S: ChainSource> Providers<S> {
    /// The logs of a range, compared where they are of the sample or look wrong.
    pub(super) async fn checked_logs(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let span = (*range.start(), *range.end());
        let asked = self.ask(Blame::All, |source| source.logs_in(filter, range.clone()));
        let is_sampled = !self.is_alone() && is_sampled(self.options.seed, span.0);
        let (ours, early) = if is_sampled {
            let followed = match self.choice() {
                Choice::Ask(chosen) => chosen.first().copied(),
                Choice::Wait(_) | Choice::Nobody => None,
            };
            let early = timeout(SAMPLE_LIMIT, self.second(filter, span, length(span), followed));
            futures_util::join!(asked, early)
        } else {
            (asked.await, Ok(None))
        };
        let (node, answer) = ours?;
        let early = early.ok().flatten().filter(|(other, _)| other.index != node.index);
        let mut doubt = self.doubt(node, filter, span, &answer);
        if doubt == Some(Doubt::Bloom) && !self.is_hiding(node, filter, &answer).await {
            doubt = None;
        }
        let settled = match (early, doubt) {
            (Some(theirs), None | Some(Doubt::Sample | Doubt::Empty | Doubt::Bloom)) => {
                self.settle(filter, span, (node, answer), theirs).await?
            }
            (None, None) => answer,
            (_, Some(doubt)) => {
                // Two nodes may well cut off at the same number.
                let size = if doubt == Doubt::Round { half(span) } else { length(span) };
                match self.second(filter, span, size, Some(node.index)).await {
                    Some(theirs) => self.settle(filter, span, (node, answer), theirs).await?,
                    None if doubt == Doubt::Sample => answer,
                    None => self.settle_alone(filter, span, (node, answer)).await?,
                }
            }
        };
        self.learn(node, filter, span, &settled);
        Ok(settled)
    }

    /// The logs of a range that was answered before and is not believed: by the node that is followed, in halves, and by all others.
    pub(super) async fn logs_of_all(
        &self,
        filter: &LogFilter,
        range: RangeInclusive<u64>,
    ) -> Result<RangeLogs, ChainError> {
        let span = (*range.start(), *range.end());
        let (node, _) = self.ask(Blame::All, S::tags).await?;
        let mut answer = self.in_parts(node, filter, span, (half(span), PARTS_MAX)).await?;
        let others = self.others(node.index);
        if others.is_empty() {
            answer = self.fill_by_bloom(filter, span, (node, answer)).await?;
        }
        for other in others {
            let Ok(()) = self.make_sure(other).await else { continue };
            if let Ok(theirs) = self.in_parts(other, filter, span, (length(span), PARTS_MAX)).await
            {
                answer = self.settle(filter, span, (node, answer), (other, theirs)).await?;
            }
        }
        Ok(answer)
    }

    /// Why an answer is not believed unseen, if it is not.
    fn doubt(
        &self,
        node: &Node<S>,
        filter: &LogFilter,
        span: (u64, u64),
        answer: &RangeLogs,
    ) -> Option<Doubt> {
        let count = answer.logs.len();
        if is_round(count) {
            return Some(Doubt::Round);
        }
        if count == 0 && self.watch().neighbours.expect_logs_in(span) {
            return Some(Doubt::Empty);
        }
        if self.health(node.index, Health::is_on_probation) {
            return Some(Doubt::Sample);
        }
        claimed_ends(filter, answer).next().map(|_| Doubt::Bloom)
    }

    /// Whether a node has logs of a range's ends when it is asked for those blocks: a bloom may well claim too much, and then one small
    /// question must do.
    async fn is_hiding(&self, node: &Node<S>, filter: &LogFilter, answer: &RangeLogs) -> bool {
        for end in claimed_ends(filter, answer) {
            let block = end.block;
            let logs = self.one(node, Blame::All, |source| source.logs_of(filter, block)).await;
            if logs.is_ok_and(|logs| !logs.is_empty()) {
                return true;
            }
        }
        false
    }

    /// Remembers how full a range is, and the first one that is not empty: a node that has nothing there leaves logs out.
    fn learn(&self, node: &Node<S>, filter: &LogFilter, span: (u64, u64), answer: &RangeLogs) {
        let count = u64::try_from(answer.logs.len()).unwrap_or(u64::MAX);
        let mut watch = self.watch();
        watch.neighbours.learn(span, count);
        if let (None, Some(log)) = (&watch.known, answer.logs.first()) {
            let number = log.block.number;
            watch.known = Some((filter.clone(), number..=number));
            if let Some(health) = watch.health.get_mut(node.index) {
                health.is_probed = true;
            }
        }
    }

    /// The same range as another node has it, asked for in parts of so many blocks; `None` where none is there to say, or can.
    async fn second(
        &self,
        filter: &LogFilter,
        span: (u64, u64),
        size: u64,
        but: Option<usize>,
    ) -> Option<Said<'_, S>> {
        for other in self.others(but?) {
            let Ok(()) = self.make_sure(other).await else { continue };
            match self.in_parts(other, filter, span, (size, COMPARED_PARTS_MAX)).await {
                Ok(answer) => return Some((other, answer)),
                Err(error) => {
                    tracing::debug!(%error, "a range could not be compared");
                }
            }
        }
        None
    }

    /// A range as one node has it, asked for in parts of at most `size` blocks, and in smaller ones where it refuses those.
    async fn in_parts(
        &self,
        node: &Node<S>,
        filter: &LogFilter,
        (from, to): (u64, u64),
        (size, parts_max): (u64, u64),
    ) -> Result<RangeLogs, ChainError> {
        let ask = |part: RangeInclusive<u64>| {
            self.one(node, Blame::All, move |source: &S| source.logs_in(filter, part))
        };
        in_parts(from..=to, size, parts_max, ask).await
    }

    /// Holds the answer of one node against its own answers to smaller questions.
    async fn settle_alone(
        &self,
        filter: &LogFilter,
        span: (u64, u64),
        (node, answer): Said<'_, S>,
    ) -> Result<RangeLogs, ChainError> {
        let halves = self.in_parts(node, filter, span, (half(span), COMPARED_PARTS_MAX)).await?;
        let settled = self.settle(filter, span, (node, answer), (node, halves)).await?;
        self.fill_by_bloom(filter, span, (node, settled)).await
    }

    /// Looks for blocks whose bloom claims a log that the answer lacks: at some of the range's, and at all where one is found.
    async fn fill_by_bloom(
        &self,
        filter: &LogFilter,
        span: (u64, u64),
        (node, mut answer): Said<'_, S>,
    ) -> Result<RangeLogs, ChainError> {
        if length(span) > BLOOMS_MAX {
            return Ok(answer);
        }
        let all: Vec<u64> = (span.0..=span.1).collect();
        let some = compare::spread(&all, BLOOMS);
        let mut found = self.hidden(node, filter, &some, &answer).await?;
        if found.is_empty() {
            return Ok(answer);
        }
        if some.len() < all.len() {
            found = self.hidden(node, filter, &all, &answer).await?;
        }
        let blocks: BTreeSet<u64> = found.iter().map(|log| log.block.number).collect();
        let detail = format!(
            "{} logs of {} blocks were missing from a range, although the node has them when it is asked block by block",
            found.len(),
            blocks.len()
        );
        let finding = Finding::new(FindingKind::LogsLeftOut, &detail).of_blocks(span.0, span.1);
        self.blame(node, finding);
        answer.logs.extend(found);
        answer.logs.sort_by_key(RawLog::position);
        Ok(answer)
    }
}

/// The ends of a range whose bloom claims a log, and that have none.
fn claimed_ends<'a>(
    filter: &'a LogFilter,
    answer: &'a RangeLogs,
) -> impl Iterator<Item = &'a Header> + Send {
    let is_bare =
        |number: u64| answer.logs.binary_search_by_key(&number, |log| log.block.number).is_err();
    let is_claimed =
        move |end: &&Header| claims(&end.logs_bloom, filter) && is_bare(end.block.number);
    [&answer.start, &answer.end].into_iter().filter(is_claimed)
}

const fn length((from, to): (u64, u64)) -> u64 {
    to.saturating_sub(from).saturating_add(1)
}

const fn half(span: (u64, u64)) -> u64 {
    length(span).div_ceil(2)
}
