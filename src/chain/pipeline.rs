//! Many ranges in flight at once, handed on in their order.
//!
//! A range that fails is asked for again after a pause, and in smaller parts where it was too large; it is never lost, because the
//! blocks of every range not yet handed on stand in exactly one of three places: in flight, waiting, or done. What is done and waits
//! for its turn is bounded in bytes, except that the range whose turn it is may always be asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::ChainError;
use super::fetch::{self, Fetched, Recheck};
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
    in_flight: FuturesUnordered<BoxFuture<'static, Answer>>,
    /// By first block: ranges to ask for again.
    waiting: BTreeMap<u64, Job>,
    /// By first block: ranges that wait for their turn.
    done: BTreeMap<u64, Fetched>,
    done_bytes: usize,
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
            in_flight: FuturesUnordered::new(),
            waiting: BTreeMap::new(),
            done: BTreeMap::new(),
            done_bytes: 0,
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

    /// The next range in order; `None` when the target is reached.
    ///
    /// After an error the pipeline can be asked again: nothing was lost.
    pub(crate) async fn next(
        &mut self,
        sizes: &mut RangeSize,
        jitter: &mut Jitter,
    ) -> Result<Option<Fetched>, ChainError> {
        loop {
            if let Some(fetched) = self.done.remove(&self.turn) {
                self.done_bytes = self.done_bytes.saturating_sub(bytes(&fetched));
                self.turn = fetched.stretch.through.block.number.saturating_add(1);
                return Ok(Some(fetched));
            }
            self.fill(sizes);
            let Some((job, answer)) = self.in_flight.next().await else {
                return Ok(None);
            };
            match answer {
                Ok(fetched) => {
                    let logs = u64::try_from(fetched.stretch.logs.len()).unwrap_or(u64::MAX);
                    sizes.succeeded(job.length(), logs);
                    self.done_bytes = self.done_bytes.saturating_add(bytes(&fetched));
                    self.done.insert(job.from, fetched);
                }
                Err(error) => self.put_back(job, error, sizes, jitter)?,
            }
        }
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
            self.in_flight.push(Box::pin(request));
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

    fn put_back(
        &mut self,
        mut job: Job,
        error: ChainError,
        sizes: &mut RangeSize,
        jitter: &mut Jitter,
    ) -> Result<(), ChainError> {
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
        handed_on.map_or(Ok(()), Err)
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
