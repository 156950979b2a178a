//! Many ranges in flight at once, handed on in their order, as many together as are there.
//!
//! What is handed on becomes one transaction downstream, whose cost hardly depends on its size. So neighbouring ranges go together, up
//! to a number of logs: while the node is slower than the database they go one by one, and nothing waits; while the database is slower
//! they pile up here, and the database gets them in large pieces.
//!
//! Each request is a task of its own, so that answers are read on all cores and while the database is at work.
//!
//! A range that fails is asked for again after a pause, and in smaller parts where it was too large; it is never lost, because the
//! blocks of every range not yet handed on stand in exactly one of three places: in flight, waiting, or done. What is done and waits
//! for its turn is bounded in bytes, except that the range whose turn it is may always be asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::ChainError;
use super::fetch::{self, Fetched, Recheck, extends};
use super::range::{RangeSize, Shrunk};
use super::retry::{BackoffOptions, Jitter};
use super::source::{ChainSource, LogFilter};

/// A range of so few blocks that its refusal is worth saying.
const SHORT: u64 = 16;

/// What is fetched, and within which bounds.
pub(crate) struct Plan<S> {
    pub(crate) source: Arc<S>,
    pub(crate) filter: Arc<LogFilter>,
    /// So many requests are in flight at once.
    pub(crate) concurrency: usize,
    /// Done ranges that wait for their turn may take about so many bytes.
    pub(crate) bytes_max: usize,
    /// Ranges are handed on together up to so many logs.
    pub(crate) step_logs: usize,
    pub(crate) backoff: BackoffOptions,
    pub(crate) recheck: Recheck,
    /// From this block on all headers are fetched.
    pub(crate) recent_from: u64,
    /// Whether each range must be final for the backend that answers it.
    pub(crate) must_be_final: bool,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    from: u64,
    to: u64,
    failures: u32,
    pause: Option<Duration>,
}

impl Job {
    const fn length(&self) -> u64 {
        (self.to - self.from).saturating_add(1)
    }
}

type Answer = (Job, Result<Fetched, ChainError>);

/// The ranges from one block up to a target.
pub(crate) struct Pipeline<S> {
    plan: Plan<S>,
    /// Ended when this is dropped.
    in_flight: JoinSet<Answer>,
    /// By first block: ranges to ask for again.
    waiting: BTreeMap<u64, Job>,
    /// By first block: ranges that wait for their turn.
    done: BTreeMap<u64, Fetched>,
    done_bytes: usize,
    /// What came up while nobody was asking.
    failed: Option<ChainError>,
    /// The first block of the range to hand on next.
    turn: u64,
    /// The first block that was never asked for; past the target when all were.
    fresh: u64,
    target: u64,
}

impl<S: ChainSource + 'static> Pipeline<S> {
    pub(crate) fn new(plan: Plan<S>, from: u64, target: u64) -> Self {
        Self {
            plan,
            in_flight: JoinSet::new(),
            waiting: BTreeMap::new(),
            done: BTreeMap::new(),
            done_bytes: 0,
            failed: None,
            turn: from,
            fresh: from,
            target,
        }
    }

    /// Whether each range is held to be final.
    pub(crate) const fn must_be_final(&self) -> bool {
        self.plan.must_be_final
    }

    /// Moves the target up.
    pub(crate) fn raise_target(&mut self, target: u64, recent_from: u64) {
        self.target = self.target.max(target);
        self.plan.recent_from = self.plan.recent_from.max(recent_from);
    }

    /// The next ranges in order, as one; `None` when the target is reached.
    ///
    /// After an error the pipeline can be asked again: nothing was lost.
    pub(crate) async fn next(
        &mut self,
        sizes: &mut RangeSize,
        jitter: &mut Jitter,
    ) -> Result<Option<Fetched>, ChainError> {
        loop {
            if let Some(fetched) = self.take_done() {
                // On their way while what was fetched is written.
                self.fill(sizes);
                return Ok(Some(fetched));
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if !self.advance(sizes, jitter).await {
                return Ok(None);
            }
        }
    }

    /// Goes on fetching for as long as it is polled, within the bounds of what may wait.
    pub(crate) async fn run_ahead(&mut self, sizes: &mut RangeSize, jitter: &mut Jitter) {
        while self.failed.is_none() && self.advance(sizes, jitter).await {}
    }

    /// Takes in one answer; false where none is on its way.
    async fn advance(&mut self, sizes: &mut RangeSize, jitter: &mut Jitter) -> bool {
        self.fill(sizes);
        let (job, answer) = match self.in_flight.join_next().await {
            None => return false,
            Some(Ok(answer)) => answer,
            Some(Err(ended)) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only dropping the set ends a request, or the whole program's end.
                Err(_) => return false,
            },
        };
        match answer {
            Ok(fetched) => {
                let logs = u64::try_from(fetched.stretch.logs.len()).unwrap_or(u64::MAX);
                sizes.succeeded(job.length(), logs);
                self.done_bytes = self.done_bytes.saturating_add(bytes(&fetched));
                self.done.insert(job.from, fetched);
            }
            Err(error) => self.failed = self.put_back(job, error, sizes, jitter),
        }
        true
    }

    /// The range whose turn it is, and those behind it that continue it.
    fn take_done(&mut self) -> Option<Fetched> {
        let mut taken = self.take_turn()?;
        while let Some(next) = self.done.get(&self.turn) {
            let together = taken.stretch.logs.len().saturating_add(next.stretch.logs.len());
            let continues = extends(Some(taken.stretch.through.block), self.turn, next.parent);
            // One that does not is judged when its turn comes.
            if together > self.plan.step_logs || !continues {
                break;
            }
            let Some(next) = self.take_turn() else { break };
            taken.stretch.through = next.stretch.through;
            taken.stretch.headers.extend(next.stretch.headers);
            taken.stretch.logs.extend(next.stretch.logs);
            taken.ranges = taken.ranges.saturating_add(next.ranges);
        }
        Some(taken)
    }

    fn take_turn(&mut self) -> Option<Fetched> {
        let fetched = self.done.remove(&self.turn)?;
        self.done_bytes = self.done_bytes.saturating_sub(bytes(&fetched));
        self.turn = fetched.stretch.through.block.number.saturating_add(1);
        Some(fetched)
    }

    fn fill(&mut self, sizes: &RangeSize) {
        while self.in_flight.len() < self.plan.concurrency.max(1) {
            let lowest = self.waiting.first_key_value().map_or(self.fresh, |(from, _)| *from);
            // The range whose turn it is must always be on its way, or nothing would ever move again.
            if self.done_bytes > self.plan.bytes_max && lowest != self.turn {
                return;
            }
            let Some(job) = self.take_job(sizes.get()) else { return };
            let request = ask(
                Arc::clone(&self.plan.source),
                Arc::clone(&self.plan.filter),
                job,
                self.plan.recent_from,
                self.plan.must_be_final,
                self.plan.recheck,
            );
            self.in_flight.spawn(request);
        }
    }

    /// The lowest blocks to ask for, at most `size` of them.
    fn take_job(&mut self, size: u64) -> Option<Job> {
        let span = size.max(1) - 1;
        if let Some((_, mut job)) = self.waiting.pop_first() {
            let to = job.from.saturating_add(span);
            if to < job.to {
                let rest = Job { from: to + 1, ..job };
                self.waiting.insert(rest.from, rest);
                job.to = to;
            }
            return Some(job);
        }
        if self.fresh > self.target {
            return None;
        }
        let from = self.fresh;
        let to = from.saturating_add(span).min(self.target);
        self.fresh = to.saturating_add(1);
        Some(Job { from, to, failures: 0, pause: None })
    }

    /// Notes that a range is to be asked for again, and returns the error where that is not enough.
    fn put_back(
        &mut self,
        mut job: Job,
        error: ChainError,
        sizes: &mut RangeSize,
        jitter: &mut Jitter,
    ) -> Option<ChainError> {
        job.pause = None;
        let mut handed_on = None;
        match &error {
            ChainError::RangeTooLarge { endpoint, asked, reason, limit } => {
                if sizes.refused(job.length(), *limit) == Shrunk::AtFloor {
                    handed_on = Some(ChainError::Fatal {
                        endpoint: endpoint.clone(),
                        asked: asked.clone(),
                        reason: format!("even one block is too much: {reason}"),
                    });
                } else if (SHORT / 2 + 1..=SHORT).contains(&job.length()) {
                    tracing::warn!(%error, "the node refuses even short ranges");
                }
            }
            ChainError::TimedOut { .. } | ChainError::Transient { .. } => {
                if matches!(error, ChainError::TimedOut { .. }) {
                    sizes.timed_out(job.length());
                }
                job.failures += 1;
                let delay =
                    self.plan.backoff.delay(job.failures, error.retry_after(), jitter.draw());
                // Whoever asks must then go on without ranges.
                let delay = delay.filter(|_| self.plan.source.bears_ranges());
                if let Some(delay) = delay {
                    error.tell(job.failures, "a range is asked for again");
                    job.pause = Some(delay);
                } else {
                    job.failures = 0;
                    handed_on = Some(error);
                }
            }
            ChainError::Fatal { .. } => handed_on = Some(error),
        }
        self.waiting.insert(job.from, job);
        handed_on
    }
}

async fn ask<S: ChainSource>(
    source: Arc<S>,
    filter: Arc<LogFilter>,
    job: Job,
    recent_from: u64,
    must_be_final: bool,
    recheck: Recheck,
) -> Answer {
    if let Some(pause) = job.pause {
        tokio::time::sleep(pause).await;
    }
    let blocks = (job.from, job.to);
    let source = source.as_ref();
    let answer = fetch::range(source, &filter, blocks, recent_from, must_be_final, recheck).await;
    (job, answer)
}

/// About how much memory a piece of chain takes.
fn bytes(fetched: &Fetched) -> usize {
    const LOG: usize = 300;
    const HEADER: usize = 400;
    let data: usize = fetched.stretch.logs.iter().map(|log| log.data.len() + LOG).sum();
    data + fetched.stretch.headers.len() * HEADER
}
