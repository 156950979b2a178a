//! Who is right where two answers differ: the blocks in question, asked for by their hash, and their blooms.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use super::check::Said;
use super::compare::{self, Sides};
use super::{Blame, Node, Providers};
use crate::chain::fetch::claims;
use crate::chain::{BlockTag, ChainError, ChainSource, LogFilter, RangeLogs};
use crate::vocab::{BlockRef, Finding, FindingKind, RawLog};

/// Where so many blocks differ at most, each is settled by itself.
const BLOCKS_MAX: usize = 64;
/// Where more do, so many of them decide whose answer is taken.
const BLOCKS_SAMPLED: usize = 16;
/// So many blocks are settled at once.
const AT_ONCE: usize = 4;

/// What came out for one side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Score {
    left_out: usize,
    invented: usize,
}

impl Score {
    const fn is_wrong(self) -> bool {
        self.left_out + self.invented > 0
    }

    pub(super) fn count(&mut self, said: &[RawLog], truth: &[RawLog]) {
        if compare::are_same(said, truth) {
            return;
        }
        if said.len() < truth.len() {
            self.left_out += 1;
        } else {
            self.invented += 1;
        }
    }
}

impl<S: ChainSource> Providers<S> {
    /// The logs of a range of which there are two answers.
    pub(super) async fn settle(
        &self,
        filter: &LogFilter,
        span: (u64, u64),
        (us, ours): Said<'_, S>,
        (them, theirs): Said<'_, S>,
    ) -> Result<RangeLogs, ChainError> {
        let differing = compare::differing(&ours.logs, &theirs.logs);
        if differing.is_empty() {
            return Ok(ours);
        }
        let numbers: Vec<u64> = differing.keys().copied().collect();
        let is_sampled = numbers.len() > BLOCKS_MAX;
        let picked =
            compare::spread(&numbers, if is_sampled { BLOCKS_SAMPLED } else { BLOCKS_MAX });
        let looks: Vec<_> = picked
            .iter()
            .filter_map(|number| Some((*number, differing.get(number)?)))
            .map(|(number, sides)| async move {
                (number, sides, self.truth_of(filter, sides, us, them).await)
            })
            .collect();
        let judged: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
        let (mut our_score, mut their_score, mut undecided) =
            (Score::default(), Score::default(), 0);
        let mut truths = BTreeMap::new();
        for (number, sides, truth) in judged {
            let Some(truth) = truth else {
                undecided += 1;
                continue;
            };
            our_score.count(&sides.ours, &truth);
            their_score.count(&sides.theirs, &truth);
            truths.insert(number, truth);
        }
        let blocks = numbers.len();
        self.tell(us, our_score, span, blocks);
        if us.index != them.index {
            self.tell(them, their_score, span, blocks);
        }
        if undecided > 0 {
            self.tell_undecided(us, them, span, undecided);
        }
        if !is_sampled {
            return Ok(with_truths(ours, &differing, truths));
        }
        match (our_score.is_wrong(), their_score.is_wrong()) {
            // In a shorter range fewer blocks differ, until each can be settled by itself.
            (true, true) => Err(ChainError::RangeTooLarge {
                endpoint: us.provider.name.clone(),
                asked: format!("logs of blocks {} to {}", span.0, span.1),
                reason: "two nodes are both wrong about it".to_owned(),
                limit: None,
            }),
            (true, false) => Ok(RangeLogs { logs: theirs.logs, ..ours }),
            (false, true) => Ok(ours),
            (false, false) => Ok(fuller(ours, theirs)),
        }
    }

    /// What a block holds by the word of all who can be asked.
    pub(super) async fn truth_of(
        &self,
        filter: &LogFilter,
        sides: &Sides,
        us: &Node<S>,
        them: &Node<S>,
    ) -> Option<Vec<RawLog>> {
        let block = sides.block()?;
        let mut asked = vec![us];
        if them.index != us.index {
            asked.push(them);
        }
        let others = self.others(us.index).into_iter().filter(|other| other.index != them.index);
        asked.extend(others.take(1));
        let mut answers = Vec::with_capacity(asked.len());
        let mut blooms = Vec::with_capacity(asked.len());
        for node in asked {
            let tag = BlockTag::Hash(block.hash);
            let header = self.one(node, Blame::Passing, |source| source.header(tag));
            let logs = self.one(node, Blame::Passing, |source| source.logs_of(filter, block));
            let (header, logs) = futures_util::join!(header, logs);
            blooms.extend(header.ok().flatten().map(|header| header.logs_bloom));
            answers.extend(logs.ok());
        }
        let bloom = blooms.first().filter(|first| blooms.iter().all(|other| other == *first));
        compare::truth(bloom, &answers)
    }

    pub(super) fn tell(&self, node: &Node<S>, score: Score, (from, to): (u64, u64), blocks: usize) {
        if !score.is_wrong() {
            return;
        }
        let (kind, did) = if score.invented > score.left_out {
            (FindingKind::LogsInvented, "returned logs that do not exist in")
        } else {
            (FindingKind::LogsLeftOut, "left logs out of")
        };
        let looked_at = score.invented + score.left_out;
        let detail = format!(
            "it {did} {looked_at} blocks of {blocks} in which two answers about blocks {from} to {to} differ"
        );
        self.blame(node, Finding::new(kind, &detail).of_blocks(from, to));
    }

    /// Benches a node where there is another; a node that is alone is only counted.
    pub(super) fn blame(&self, node: &Node<S>, finding: Finding) {
        if self.is_alone() {
            self.health(node.index, |health| health.disagreements += 1);
            self.find(finding.of_provider(&node.provider.name));
        } else {
            self.bench(node, finding);
        }
    }

    pub(super) fn tell_undecided(
        &self,
        us: &Node<S>,
        them: &Node<S>,
        span: (u64, u64),
        blocks: usize,
    ) {
        let (a, b) = (&us.provider.name, &them.provider.name);
        let detail = format!(
            "{a} and {b} differ about {blocks} blocks, and neither hashes nor blooms decide; what the fuller answer holds was taken"
        );
        self.find(Finding::new(FindingKind::NodesDisagree, &detail).of_blocks(span.0, span.1));
    }

    /// The logs that a node has of some blocks when it is asked for each by its hash, of those whose bloom claims some and that are bare
    /// in an answer.
    pub(super) async fn hidden(
        &self,
        node: &Node<S>,
        filter: &LogFilter,
        numbers: &[u64],
        answer: &RangeLogs,
    ) -> Result<Vec<RawLog>, ChainError> {
        let bare: Vec<u64> = numbers
            .iter()
            .copied()
            .filter(|number| {
                answer.logs.binary_search_by_key(number, |log| log.block.number).is_err()
            })
            .collect();
        let headers = self.one(node, Blame::All, |source| source.headers(&bare)).await?;
        let claimed: Vec<BlockRef> = headers
            .iter()
            .filter(|header| claims(&header.logs_bloom, filter))
            .map(|header| header.block)
            .collect();
        let looks: Vec<_> = claimed
            .into_iter()
            .map(|block| self.one(node, Blame::All, move |source| source.logs_of(filter, block)))
            .collect();
        let mut looks = stream::iter(looks).buffered(AT_ONCE);
        let mut found = Vec::new();
        while let Some(logs) = looks.next().await {
            found.extend(logs?);
        }
        Ok(found)
    }
}

/// An answer with the blocks that were settled as they are, and of those that were not what the fuller side has.
fn with_truths(
    ours: RangeLogs,
    differing: &BTreeMap<u64, Sides>,
    mut truths: BTreeMap<u64, Vec<RawLog>>,
) -> RangeLogs {
    let mut logs = ours.logs;
    logs.retain(|log| !differing.contains_key(&log.block.number));
    for (number, sides) in differing {
        let fuller = if sides.theirs.len() > sides.ours.len() && sides.block().is_some() {
            &sides.theirs
        } else {
            &sides.ours
        };
        logs.extend(truths.remove(number).unwrap_or_else(|| fuller.clone()));
    }
    logs.sort_by_key(RawLog::position);
    RangeLogs { logs, ..ours }
}

fn fuller(ours: RangeLogs, theirs: RangeLogs) -> RangeLogs {
    if theirs.logs.len() > ours.logs.len() { RangeLogs { logs: theirs.logs, ..ours } } else { ours }
}
