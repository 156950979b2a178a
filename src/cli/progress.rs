//! How far following is, shown to whoever watches: a bar on a terminal, a log record every few seconds elsewhere.
//!
//! While there is history to read the bar shows blocks, events per second and the time left. At the head each step is one log record.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::error::with_causes;
use crate::app::{Followed, Told};
use crate::chain::Progress;

/// Between two log records of a backfill.
const LOG_EVERY: Duration = Duration::from_secs(5);
/// Closer to the head than this, steps are told one by one.
const NEAR_HEAD: u64 = 64;
const TEMPLATE: &str =
    "{bar:32} {percent:>3} % · block {pos} of {len} · {msg} · {eta_precise} left";
const STEPS_TEMPLATE: &str = "{bar:32} {percent:>3} % · {msg} · {pos} of {len}";

/// Shows the progress of following.
pub(super) struct Display {
    bar: Option<ProgressBar>,
    started: Instant,
    logged: Option<Instant>,
    /// The block and the logs at the start of this run.
    base: Option<u64>,
}

impl Display {
    /// A display that has shown nothing yet.
    pub(super) fn new() -> Self {
        Self { bar: None, started: Instant::now(), logged: None, base: None }
    }

    /// Takes in what happened.
    pub(super) fn hear(&mut self, followed: &Followed<'_>) {
        match followed {
            Followed::Trouble { error } => {
                self.clear();
                let error = with_causes(*error);
                tracing::warn!(error, "following waits and tries again");
            }
            Followed::Step { applied, progress, .. } => {
                if applied.undone_count > 0 {
                    self.clear();
                    tracing::warn!(
                        undone = applied.undone_count,
                        block.number = progress.applied,
                        "the chain was replaced: blocks undone, the new ones followed"
                    );
                }
                let (Some(done), Some(head)) = (progress.applied, progress.head) else { return };
                if head.saturating_sub(done) >= NEAR_HEAD {
                    self.backfill(done, head, progress);
                } else {
                    self.at_head(done, applied.log_count);
                }
            }
        }
    }

    fn backfill(&mut self, done: u64, head: u64, progress: &Progress) {
        let base = *self.base.get_or_insert(progress.start.max(done.saturating_sub(1)).min(done));
        let rate = per_second(progress.logs, self.started.elapsed());
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| styled(TEMPLATE));
            bar.set_length(head);
            bar.set_position(done);
            bar.set_message(format!(
                "{} events, {} per s",
                HumanCount(progress.logs),
                HumanCount(rate)
            ));
            return;
        }
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_EVERY) {
            return;
        }
        self.logged = Some(Instant::now());
        let blocks = done.saturating_sub(base);
        let left_s = head
            .saturating_sub(done)
            .saturating_mul(self.started.elapsed().as_secs())
            .checked_div(blocks);
        tracing::info!(
            block.number = done,
            head,
            events = progress.logs,
            events_per_s = rate,
            left_s,
            "reading history"
        );
    }

    fn at_head(&mut self, done: u64, logs: usize) {
        self.clear();
        if self.logged.take().is_some() || self.base.take().is_some() {
            tracing::info!(block.number = done, "history is read; following the head");
        } else if logs > 0 {
            tracing::info!(block.number = done, events = logs, "applied");
        } else {
            tracing::debug!(block.number = done, "applied");
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Shows how far a long check or repair is.
pub(super) struct Steps {
    bar: Option<ProgressBar>,
    logged: Instant,
}

impl Steps {
    /// Nothing is shown before there is something to tell.
    pub(super) fn new() -> Self {
        Self { bar: None, logged: Instant::now() }
    }

    /// Takes in how far it is.
    pub(super) fn hear(&mut self, told: Told) {
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| styled(STEPS_TEMPLATE));
            bar.set_length(told.of);
            bar.set_position(told.done);
            bar.set_message(told.doing);
        } else if self.logged.elapsed() >= LOG_EVERY {
            self.logged = Instant::now();
            tracing::info!(done = told.done, of = told.of, "{}", told.doing);
        }
    }

    /// Takes what is shown away.
    pub(super) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.clear();
    }
}

fn styled(template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1000) / millis
}
