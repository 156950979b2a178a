//! How many calls a node bears in one packet, learned from its refusals.
//!
//! Two numbers: how many are wise, which falls with time-outs too, and how many are borne at all, which only a refusal says. Much hangs
//! on whether two are borne: two answers of one packet come of one backend, and of two packets nobody knows. So a refusal of two that
//! names no limit is believed only when it was heard several times in a row; and as a node may have been in trouble when it refused,
//! one that bears none is tried again now and then.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many unexplained refusals of two calls in a row mean that the node bears no batches.
const REFUSALS_MIN: usize = 3;
/// The smallest batch.
pub(super) const PAIR: usize = 2;
/// So long a node that bears no batches is asked one call at a time before it is tried again.
const TRY_AFTER: Duration = Duration::from_mins(10);

#[derive(Debug)]
pub(super) struct BatchSize {
    /// What was allowed at the beginning.
    max: usize,
    wise: AtomicUsize,
    borne: AtomicUsize,
    /// Of pairs, in a row.
    refusals: AtomicUsize,
    /// When a batch was last refused, or tried, where none is borne.
    none_since: Mutex<Option<Instant>>,
}

impl BatchSize {
    /// At most so many calls, at least one, until the node says otherwise.
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        let none_since = Mutex::new(None);
        Self { max, wise: max.into(), borne: max.into(), refusals: 0.into(), none_since }
    }

    /// So many calls to put into one batch.
    pub(super) fn get(&self) -> usize {
        self.wise.load(Ordering::Relaxed).min(self.borne.load(Ordering::Relaxed))
    }

    /// Whether so many calls that belong together can be asked in one packet.
    pub(super) fn bears(&self, calls: usize) -> bool {
        self.borne.load(Ordering::Relaxed) >= calls
    }

    /// Whether a batch of so many calls is worth a try although none is borne: once in a while.
    pub(super) fn may_try(&self, calls: usize) -> bool {
        if self.bears(PAIR) || self.max < calls {
            return false;
        }
        let now = Instant::now();
        let mut since = self.none_since.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = since.is_some_and(|since| now.duration_since(since) >= TRY_AFTER);
        if is_due {
            *since = Some(now);
        }
        is_due
    }

    /// A batch was answered.
    pub(super) fn answered(&self) {
        self.refusals.store(0, Ordering::Relaxed);
        if self.max >= PAIR && !self.bears(PAIR) {
            // How many it bears, its refusals will say again.
            self.wise.store(self.max, Ordering::Relaxed);
            self.borne.store(self.max, Ordering::Relaxed);
            tracing::info!("the node bears batches of calls after all: history is read by ranges");
        }
    }

    /// A batch of so many calls was refused as too large; the refusal may have named a limit.
    pub(super) fn refused(&self, calls: usize, limit: Option<u64>) {
        let named = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|l| *l < calls);
        let heard = || self.refusals.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if named.is_none() && calls <= PAIR && heard() < REFUSALS_MIN {
            return;
        }
        let next = named.unwrap_or(calls.div_ceil(2)).max(1);
        if next < PAIR {
            let mut since = self.none_since.lock().unwrap_or_else(PoisonError::into_inner);
            *since = Some(Instant::now());
        }
        if self.borne.fetch_min(next, Ordering::Relaxed) >= PAIR && next < PAIR {
            tracing::warn!(
                "the node bears no batches of calls: history is read block by block, which takes far longer than by ranges"
            );
        }
    }

    /// A batch of so many calls took too long, or its answer was too large.
    pub(super) fn was_too_much(&self, calls: usize) {
        self.wise.fetch_min((calls / 2).max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_halves_and_a_named_limit_is_kept() {
        let size = BatchSize::new(100);
        size.refused(100, None);
        assert_eq!(size.get(), 50);
        size.refused(50, Some(10));
        assert!(size.get() == 10 && size.bears(10) && !size.bears(11));
        size.refused(10, Some(70));
        assert_eq!(size.get(), 5, "no limit that explains the refusal");
        size.refused(5, Some(0));
        assert_eq!(size.get(), 1);
    }

    #[test]
    fn that_not_even_two_are_borne_is_not_believed_at_once() {
        let size = BatchSize::new(3);
        size.refused(3, None);
        for _ in 0..10 {
            size.refused(2, None);
            size.refused(2, None);
            size.answered();
            assert!(size.bears(PAIR));
        }
        (0..REFUSALS_MIN).for_each(|_| size.refused(2, None));
        assert!(!size.bears(PAIR));
        let told = BatchSize::new(4);
        told.refused(4, Some(1));
        assert!(!told.bears(PAIR), "the node says so itself");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_bears_no_batches_is_tried_again_now_and_then() {
        let size = BatchSize::new(8);
        assert!(!size.may_try(3), "it bears them");
        size.refused(4, Some(1));
        assert!(!size.may_try(3), "it has just said so");
        tokio::time::advance(TRY_AFTER).await;
        assert!(!size.may_try(9), "more than were ever allowed");
        assert!(size.may_try(3) && !size.may_try(3), "once");
        size.refused(3, None);
        tokio::time::advance(TRY_AFTER / 2).await;
        assert!(!size.may_try(3));
        tokio::time::advance(TRY_AFTER / 2).await;
        assert!(size.may_try(3));
        size.answered();
        assert!(size.get() == 8 && size.bears(8) && !size.may_try(3));
        let single = BatchSize::new(1);
        tokio::time::advance(TRY_AFTER).await;
        assert!(!single.may_try(3), "told to send no batches");
    }

    #[test]
    fn what_takes_too_long_says_nothing_of_what_is_borne() {
        let size = BatchSize::new(8);
        (0..5).for_each(|_| size.was_too_much(size.get()));
        assert!(size.get() == 1 && size.bears(8));
    }
}
