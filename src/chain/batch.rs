//! How many calls a node bears in one packet, learned from its refusals.
//!
//! Two numbers: how many are wise, which falls with time-outs too, and how many are borne at all, which only a refusal says. Much hangs
//! on whether two are borne: two answers of one packet come of one backend, and of two packets nobody knows. So a refusal of two that
//! names no limit is believed only when it was heard several times in a row.

use std::sync::atomic::{AtomicUsize, Ordering};

/// So many unexplained refusals of two calls in a row mean that the node bears no batches.
const REFUSALS_MIN: usize = 3;
/// The smallest batch.
pub(super) const PAIR: usize = 2;

#[derive(Debug)]
pub(super) struct BatchSize {
    wise: AtomicUsize,
    borne: AtomicUsize,
    /// Of pairs, in a row.
    refusals: AtomicUsize,
}

impl BatchSize {
    /// At most so many calls, at least one, until the node says otherwise.
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self { wise: max.into(), borne: max.into(), refusals: 0.into() }
    }

    /// So many calls to put into one batch.
    pub(super) fn get(&self) -> usize {
        self.wise.load(Ordering::Relaxed).min(self.borne.load(Ordering::Relaxed))
    }

    /// Whether so many calls that belong together can be asked in one packet.
    pub(super) fn bears(&self, calls: usize) -> bool {
        self.borne.load(Ordering::Relaxed) >= calls
    }

    /// A batch was answered.
    pub(super) fn answered(&self) {
        self.refusals.store(0, Ordering::Relaxed);
    }

    /// A batch of so many calls was refused as too large; the refusal may have named a limit.
    pub(super) fn refused(&self, calls: usize, limit: Option<u64>) {
        let named = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|l| *l < calls);
        let heard = || self.refusals.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if named.is_none() && calls <= PAIR && heard() < REFUSALS_MIN {
            return;
        }
        let next = named.unwrap_or(calls.div_ceil(2)).max(1);
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

    #[test]
    fn what_takes_too_long_says_nothing_of_what_is_borne() {
        let size = BatchSize::new(8);
        (0..5).for_each(|_| size.was_too_much(size.get()));
        assert!(size.get() == 1 && size.bears(8));
    }
}
