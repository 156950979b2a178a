//! Whether a step lacks what its own numbers tell of: agents are counted from 0 and the feedback of each client on an agent from 1, so a
//! gap is a log left out.
//!
//! A step with a gap is asked for again, in another way and of other nodes, once, for a while; what is still missing then is reported
//! and followed over, since a registry that is not known may count as it likes. Where the gap begins in what was applied before, it is
//! looked for there, and the record is made anew from that block. Nothing but numbers is looked at.

mod agents;
mod feedback;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use alloy::primitives::{Address, U256};
use tokio::time::timeout;

use self::agents::Density;
use self::feedback::FeedbackDensity;
pub(super) use self::feedback::{Given, LOOKED_AT, Pair};
use crate::chain::{ChainError, ChainSource, ChainStep, LogFilter, Stretch};
use crate::registry::feedback_number;
use crate::storage::Binding;
use crate::vocab::{AgentId, BlockRef, Finding, FindingKind, RawLog, RegistryKind};

/// Asking again takes so long at most: following waits for it.
const ASK_LIMIT: Duration = Duration::from_mins(2);
/// A step of more blocks is not asked for whole again, but from the log before the gap to the one after it.
const WHOLE_MAX: u64 = 10_000;
/// So many ranges below a step are looked at for what is missing before it, each of so many blocks at least.
const LOOKS_BACK: u32 = 16;
const LOOK_BACK_MIN: u64 = 64;
/// After so many gaps in a row that stayed, steps are no longer asked for again: this registry does not count one by one.
const VAIN_MAX: u32 = 3;
/// After so many dense steps it is believed to count again.
const DENSE_MIN: u32 = 16;

/// What came of looking at a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// What is to be said about it.
    pub(super) findings: Vec<Finding>,
    /// A block that was applied before, without a log that its numbers tell of.
    pub(super) earlier: Option<u64>,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// Agents, from the first to the last of the first gap; so many in all.
    Agents { identity: Address, first: U256, last: U256, count: U256 },
    /// Feedback of one client.
    Feedback { pair: Pair, first: u64, last: u64 },
}

/// Numbers that ought to be there, and between which blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    missing: Missing,
    /// The block of the last number before it; `None` where that is not known.
    after: Option<u64>,
    /// The block of the first number after the last of such gaps in the step.
    until: u64,
}

/// Whether asking again was of any use lately.
#[derive(Clone, Copy, Debug, Default)]
struct Patience {
    vain: u32,
    dense: u32,
}

impl Patience {
    /// Whether asking again may help.
    const fn is_left(self) -> bool {
        self.vain < VAIN_MAX
    }

    /// Takes in a step with numbers, in which a gap stayed or not.
    const fn take(&mut self, stayed: bool) {
        if stayed {
            self.vain = self.vain.saturating_add(1);
            self.dense = 0;
            return;
        }
        self.dense = self.dense.saturating_add(1);
        if self.dense >= DENSE_MIN {
            self.vain = 0;
        }
    }
}

/// How agents and feedback were numbered so far.
#[derive(Clone, Debug)]
pub(super) struct Numbering {
    agents: Density,
    feedback: FeedbackDensity,
}

impl Numbering {
    /// After agents up to a highest one, if there is any, and the block in which that was minted; `has_first` where the very first one
    /// is held, too.
    pub(super) fn after(
        binding: &Binding,
        highest: Option<(AgentId, u64)>,
        has_first: bool,
    ) -> Self {
        let address = |kind| binding.registry(kind).map(|registry| registry.at.address);
        let identity = address(RegistryKind::Identity).unwrap_or_default();
        let feedback = FeedbackDensity::new(address(RegistryKind::Reputation), highest.is_none());
        Self { agents: Density::after(identity, highest, has_first), feedback }
    }

    /// The clients in a step of whose earlier feedback nothing is known here, though the record may know it.
    pub(super) fn unknown_in(&self, step: &ChainStep) -> BTreeSet<Pair> {
        let logs = step.extend.as_ref().map(|stretch| stretch.logs.as_slice());
        self.feedback.unknown_in(logs.unwrap_or_default(), step.revert_to.is_some())
    }

    /// Takes in what the record holds of a client: its last feedback, or none.
    pub(super) fn learn(&mut self, pair: Pair, given: Given) {
        self.feedback.learn(pair, given);
    }

    /// Forgets what may have been undone. Which numbers are next above the block that was gone back to, only the database knows.
    pub(super) fn revert(&mut self, step: &ChainStep) {
        if step.revert_to.is_some() {
            self.agents.forget();
            self.feedback.forget();
        }
    }

    /// Looks at a step before it is applied; one in which numbers are missing, or that is suspected by others, is asked for again, and
    /// gets the logs that come. Returns what is to be said about it.
    pub(super) async fn complete<S: ChainSource>(
        &mut self,
        source: &S,
        filter: &LogFilter,
        step: &mut ChainStep,
        is_suspect: bool,
    ) -> Looked {
        let Some(stretch) = &mut step.extend else { return Looked::default() };
        let (from, through) = (stretch.from, stretch.through.block.number);
        let mut findings = Vec::new();
        let mut seen = self.look(stretch);
        let doubts = seen.gaps(self);
        if is_suspect || !doubts.is_empty() {
            let blocks = if is_suspect { from..=through } else { asked_of(stretch, &doubts) };
            let asked = timeout(ASK_LIMIT, ask_again(source, filter, stretch, blocks)).await;
            match asked {
                Ok(Ok(0)) => {}
                Ok(Ok(count)) => {
                    seen = self.look(stretch);
                    let detail = format!(
                        "{count} logs were missing, and came when they were asked for again"
                    );
                    findings.push(Finding::new(FindingKind::LogsLeftOut, &detail));
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "logs may be missing, and their blocks cannot be asked for again");
                }
                Err(_) => {
                    tracing::warn!(
                        "logs may be missing, and asking for their blocks again takes too long"
                    );
                }
            }
        }
        let mut earlier = None;
        for gap in seen.gaps(self) {
            let Some(after) = gap.after.filter(|after| *after < from && earlier.is_none()) else {
                continue;
            };
            let looking = look_back(source, filter, gap.missing, after, (from, through));
            earlier = timeout(ASK_LIMIT, looking).await.ok().flatten();
        }
        findings.extend(seen.stayed(self).map(told));
        self.advance(seen);
        let of_blocks = |finding: Finding| finding.of_blocks(from, through);
        Looked { findings: findings.into_iter().map(of_blocks).collect(), earlier }
    }

    fn look(&self, stretch: &Stretch) -> Seen {
        let minted = agents::minted(&stretch.logs, self.agents.identity());
        let holds_first = self.agents.holds_first(&minted);
        Seen {
            agents: self.agents.gap(&minted),
            feedback: self.feedback.look(&stretch.logs, holds_first),
            minted,
        }
    }

    fn advance(&mut self, seen: Seen) {
        self.agents.advance(&seen.minted, seen.agents);
        self.feedback.advance(seen.feedback);
    }
}

/// The numbers of a step.
struct Seen {
    minted: Vec<(u64, U256)>,
    agents: Option<Gap>,
    feedback: feedback::Seen,
}

impl Seen {
    /// The gaps that are worth asking about.
    fn gaps(&self, of: &Numbering) -> Vec<Gap> {
        let agents = self.agents.filter(|_| of.agents.patience.is_left());
        let feedback = self.feedback.gap.filter(|_| of.feedback.patience.is_left());
        agents.into_iter().chain(feedback).collect()
    }

    /// The gaps that are worth telling of: of agents all are, since their numbers are counted and shown.
    fn stayed(&self, of: &Numbering) -> impl Iterator<Item = Gap> {
        let feedback = self.feedback.gap.filter(|_| of.feedback.patience.is_left());
        self.agents.into_iter().chain(feedback)
    }
}

impl Missing {
    /// Whether a log is one that is missing.
    fn is(&self, log: &RawLog) -> bool {
        match self {
            Self::Agents { identity, first, last, .. } => {
                let minted = agents::minted(std::slice::from_ref(log), *identity);
                minted.first().is_some_and(|(_, id)| (first..=last).contains(&id))
            }
            Self::Feedback { pair, first, last } => feedback_number(log).is_some_and(|number| {
                (number.agent, number.client) == *pair
                    && number.index.is_some_and(|index| (first..=last).contains(&&index))
            }),
        }
    }
}

fn told(gap: Gap) -> Finding {
    const WHERE: &str =
        "a node left logs out of these blocks or of earlier ones; `hallmark audit` shows the gaps";
    match gap.missing {
        Missing::Agents { first, last, count, .. } => {
            let detail = format!("{count} agents are missing, first {first} to {last}: {WHERE}");
            Finding::new(FindingKind::AgentsMissing, &detail)
        }
        Missing::Feedback { pair: (agent, client), first, last } => {
            let detail = format!(
                "feedback {first} to {last} of agent {agent} by {client} is missing: {WHERE}"
            );
            Finding::new(FindingKind::FeedbackMissing, &detail)
        }
    }
}

/// The blocks that are asked for again: all of a short step, and of a long one those in which what is missing must lie.
fn asked_of(stretch: &Stretch, gaps: &[Gap]) -> RangeInclusive<u64> {
    let (from, through) = (stretch.from, stretch.through.block.number);
    if through.saturating_sub(from) < WHOLE_MAX {
        return from..=through;
    }
    let first = gaps.iter().map(|gap| gap.after.unwrap_or(from)).min().unwrap_or(from);
    let last = gaps.iter().map(|gap| gap.until).max().unwrap_or(through);
    first.clamp(from, through)..=last.clamp(from, through)
}

/// Replaces the logs of some blocks of a stretch by those of another answer, where that is of the same chain and holds more. Returns how
/// many more. Where it is dropped while it waits, nothing has changed.
async fn ask_again<S: ChainSource>(
    source: &S,
    filter: &LogFilter,
    stretch: &mut Stretch,
    blocks: RangeInclusive<u64>,
) -> Result<usize, ChainError> {
    let answer = source.logs_again(filter, blocks.clone()).await?;
    let is_asked = |log: &RawLog| blocks.contains(&log.block.number);
    let held = stretch.logs.iter().filter(|log| is_asked(log)).count();
    let more = answer.logs.len().saturating_sub(held);
    if more == 0 || block_at(stretch, *blocks.end()) != Some(answer.end.block) {
        return Ok(0);
    }
    let is_held = |number: u64| stretch.headers.iter().any(|h| h.block.number == number);
    let timeless = answer.logs.iter().filter(|log| log.block_time.is_none());
    let numbers: BTreeSet<u64> =
        timeless.map(|log| log.block.number).filter(|number| !is_held(*number)).collect();
    let numbers: Vec<u64> = numbers.into_iter().collect();
    if !numbers.is_empty() {
        let headers = source.headers(&numbers).await?;
        stretch.headers.extend(headers);
        stretch.headers.sort_by_key(|header| header.block.number);
    }
    stretch.logs.retain(|log| !is_asked(log));
    stretch.logs.extend(answer.logs);
    stretch.logs.sort_by_key(RawLog::position);
    Ok(more)
}

/// The block of a number, as far as a stretch tells.
fn block_at(stretch: &Stretch, number: u64) -> Option<BlockRef> {
    let headers = stretch.headers.iter().map(|header| header.block);
    let logs = stretch.logs.iter().map(|log| log.block);
    [stretch.through.block].into_iter().chain(headers).chain(logs).find(|b| b.number == number)
}

/// Looks for what is missing between a block and a step, in what was applied before. Returns the block of the first one.
async fn look_back<S: ChainSource>(
    source: &S,
    filter: &LogFilter,
    missing: Missing,
    after: u64,
    (from, through): (u64, u64),
) -> Option<u64> {
    let length = (through - from).saturating_add(1).clamp(LOOK_BACK_MIN, WHOLE_MAX);
    let mut next = after;
    for _ in 0..LOOKS_BACK {
        if next >= from {
            return None;
        }
        let last = next.saturating_add(length - 1).min(from - 1);
        let answer = source.logs_again(filter, next..=last).await.ok()?;
        if let Some(found) = answer.logs.iter().find(|log| missing.is(log)) {
            return Some(found.block.number);
        }
        next = last.saturating_add(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, Bloom, Bytes};

    use super::*;
    use crate::vocab::{Header, UnixSeconds};

    fn header(number: u64) -> Header {
        let block = BlockRef { number, hash: B256::left_padding_from(&number.to_be_bytes()) };
        let time = UnixSeconds::new(number).unwrap();
        Header { block, parent_hash: B256::ZERO, time, logs_bloom: Bloom::ZERO }
    }

    fn stretch(from: u64, through: u64) -> Stretch {
        let log = RawLog {
            address: Address::ZERO,
            topics: Vec::new(),
            data: Bytes::new(),
            block: header(from + 7).block,
            block_time: None,
            tx_hash: B256::ZERO,
            log_index: 0,
        };
        let through = header(through);
        Stretch { from, headers: vec![through.clone()], through, logs: vec![log] }
    }

    fn gap(after: Option<u64>, until: u64) -> Gap {
        let missing = Missing::Feedback { pair: (1.into(), Address::ZERO), first: 1, last: 1 };
        Gap { missing, after, until }
    }

    #[test]
    fn of_a_long_step_only_the_blocks_around_the_gaps_are_asked_for() {
        let short = stretch(1_000, 1_999);
        assert_eq!(asked_of(&short, &[gap(Some(1_200), 1_300)]), 1_000..=1_999);
        let long = stretch(1_000, 500_000);
        assert_eq!(asked_of(&long, &[gap(Some(2_000), 3_000)]), 2_000..=3_000);
        let two = [gap(Some(7), 3_000), gap(Some(80_000), 90_000)];
        assert_eq!(asked_of(&long, &two), 1_000..=90_000);
        assert_eq!(asked_of(&long, &[gap(None, 3_000)]), 1_000..=3_000);
    }

    #[test]
    fn blocks_are_known_by_headers_and_logs() {
        let stretch = stretch(1_000, 1_999);
        assert_eq!(block_at(&stretch, 1_999), Some(header(1_999).block));
        assert_eq!(block_at(&stretch, 1_007), Some(header(1_007).block));
        assert_eq!(block_at(&stretch, 1_008), None);
    }

    #[test]
    fn a_registry_that_does_not_count_is_not_asked_about_for_ever() {
        let mut patience = Patience::default();
        for _ in 0..VAIN_MAX {
            assert!(patience.is_left());
            patience.take(true);
        }
        assert!(!patience.is_left());
        for _ in 0..DENSE_MIN {
            patience.take(false);
        }
        assert!(patience.is_left());
    }
}
