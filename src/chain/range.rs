//! How many blocks to ask for at once. Pure.
//!
//! The size is halved when a node refuses, follows the limit a refusal names, and grows back after successes. What a node refused is
//! remembered as a ceiling, halfway to what it answered, and tried again rarely, since each trial is a wasted request. A named limit may count blocks inclusively
//! or as a difference; either way the size after a refusal is smaller than the one refused, so that no request is repeated unchanged.

/// An unexplained refusal (a number of results, mostly) is tried again after so many successes; then after twice as many.
const PROBE_AFTER: u32 = 64;
/// A limit that the node named is tried again after so many successes.
const PROBE_NAMED_AFTER: u32 = 4_096;

/// The size of the next range, in blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeSize {
    max: u64,
    logs_wanted: u64,
    current: u64,
    ceiling: u64,
    /// The longest range answered, as far as no shorter one was refused since.
    answered: u64,
    successes: u32,
    probe_after: u32,
}

/// What a refusal leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shrunk {
    /// The range can be asked for in smaller parts.
    Smaller,
    /// It was one block already.
    AtFloor,
}

impl RangeSize {
    /// Starts at `max` blocks, at least 1. Ranges that return more than `logs_wanted` logs make the next ones smaller.
    #[must_use]
    pub fn new(max: u64, logs_wanted: u64) -> Self {
        let max = max.max(1);
        Self {
            max,
            logs_wanted: logs_wanted.max(1),
            current: max,
            ceiling: max,
            answered: 0,
            successes: 0,
            probe_after: PROBE_AFTER,
        }
    }

    /// How many blocks to ask for next; at least 1.
    #[must_use]
    pub const fn get(&self) -> u64 {
        self.current
    }

    /// A range of `asked` blocks was refused; the refusal may have named a limit.
    pub fn refused(&mut self, asked: u64, limit: Option<u64>) -> Shrunk {
        if asked <= 1 {
            return Shrunk::AtFloor;
        }
        let (next, probe_after) = match limit {
            Some(limit) if limit > 0 && limit < asked => (limit, PROBE_NAMED_AFTER),
            // The limit counts differently than we do, by one.
            Some(limit) if limit == asked => (asked - 1, PROBE_NAMED_AFTER),
            Some(_) | None => (asked / 2, self.probe_after.saturating_mul(2)),
        };
        // A refusal of a range sent before the last shrinking teaches nothing new.
        if asked <= self.ceiling {
            self.probe_after = probe_after.clamp(PROBE_AFTER, PROBE_NAMED_AFTER);
            if self.answered >= asked {
                self.answered = asked / 2;
            }
            // Without a named limit the truth lies between what was answered and what was refused: halve the doubt.
            let doubt = asked - 1 - self.answered.min(asked - 1);
            let between = self.answered.saturating_add(doubt / 2).max(next);
            self.ceiling = if limit.is_some() { next } else { between };
        }
        self.current = self.current.min(next).max(1);
        self.successes = 0;
        Shrunk::Smaller
    }

    /// A range of `asked` blocks was not answered in time.
    pub fn timed_out(&mut self, asked: u64) {
        self.current = self.current.min(asked / 2).max(1);
        self.successes = 0;
    }

    /// A range of `asked` blocks was answered with `logs` logs.
    pub fn succeeded(&mut self, asked: u64, logs: u64) {
        self.successes = self.successes.saturating_add(1);
        self.answered = self.answered.max(asked);
        if logs > self.logs_wanted {
            let fitting = asked.saturating_mul(self.logs_wanted) / logs;
            self.current = self.current.min(fitting).max(1);
            return;
        }
        if self.current >= self.ceiling && self.ceiling < self.max {
            if self.successes < self.probe_after {
                return;
            }
            self.successes = 0;
            self.ceiling = grown(self.ceiling).min(self.max);
        }
        // An answer to a small remainder of a range says nothing of the size.
        if asked >= self.current {
            self.current = grown(self.current).min(self.ceiling);
        }
    }
}

const fn grown(size: u64) -> u64 {
    let more = size / 4;
    size.saturating_add(if more == 0 { 1 } else { more })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asks a node that answers at most `allowed` blocks until it answers, and counts the requests.
    fn settle(size: &mut RangeSize, allowed: u64, named: Option<u64>) -> u32 {
        for requests in 1..200 {
            let asked = size.get();
            if asked <= allowed {
                size.succeeded(asked, 0);
                return requests;
            }
            assert_eq!(size.refused(asked, named), Shrunk::Smaller);
            assert!(size.get() < asked, "a refused request is never repeated");
        }
        panic!("no size was found for {allowed}");
    }

    #[test]
    fn refusals_halve_down_to_one_block() {
        let mut size = RangeSize::new(10_000, 50_000);
        assert!(settle(&mut size, 1, None) <= 15);
        assert_eq!(size.refused(1, None), Shrunk::AtFloor);
        assert_eq!(size.refused(1, Some(5)), Shrunk::AtFloor);
    }

    #[test]
    fn a_named_limit_is_used_whichever_way_it_counts() {
        // "limited to 2000" by a node that allows 2,000 blocks, 2,001, or 1,999.
        for allowed in [2_000, 2_001, 1_999] {
            let mut size = RangeSize::new(10_000, 50_000);
            assert!(settle(&mut size, allowed, Some(2_000)) <= 3, "{allowed}");
            assert!(size.get() >= 1_999, "{allowed}: {}", size.get());
        }
    }

    #[test]
    fn a_nonsensical_limit_still_shrinks() {
        for named in [0, 20_000, u64::MAX] {
            let mut size = RangeSize::new(10_000, 50_000);
            settle(&mut size, 7, Some(named));
        }
    }

    #[test]
    fn sizes_grow_back_to_just_below_the_refusal_and_try_it_rarely() {
        let mut size = RangeSize::new(8_000, 50_000);
        let mut refusals = 0;
        for _ in 0..1_000 {
            let asked = size.get();
            if asked > 3_000 {
                size.refused(asked, None);
                refusals += 1;
            } else {
                size.succeeded(asked, 0);
            }
        }
        assert!(size.get() > 1_500, "{}", size.get());
        assert!(refusals < 20, "{refusals} of 1,000 requests were refused");
    }

    #[test]
    fn a_named_limit_is_not_tried_again_for_long() {
        let mut size = RangeSize::new(10_000, 50_000);
        size.refused(10_000, Some(2_000));
        for _ in 0..4_000 {
            size.succeeded(size.get(), 0);
            assert_eq!(size.get(), 2_000);
        }
        for _ in 0..200 {
            size.succeeded(size.get(), 0);
        }
        assert!(size.get() > 2_000, "limits are raised at times: {}", size.get());
    }

    #[test]
    fn time_outs_halve_without_a_lasting_ceiling() {
        let mut size = RangeSize::new(1_000, 50_000);
        size.timed_out(1_000);
        assert_eq!(size.get(), 500);
        for _ in 0..5 {
            size.succeeded(size.get(), 0);
        }
        assert_eq!(size.get(), 1_000);
    }

    #[test]
    fn dense_ranges_become_smaller() {
        let mut size = RangeSize::new(10_000, 1_000);
        size.succeeded(10_000, 10_000);
        assert_eq!(size.get(), 1_000);
        size.succeeded(1_000, u64::MAX);
        assert_eq!(size.get(), 1);
    }

    proptest! {
        #[test]
        fn the_size_stays_between_one_and_the_maximum(
            max in 0_u64..100_000,
            steps in prop::collection::vec((0_u8..4, 0_u64..u64::MAX, 0_u64..200_000), 0..200),
        ) {
            let mut size = RangeSize::new(max, 10_000);
            for (kind, number, asked) in steps {
                match kind {
                    0 => { size.refused(asked, None); }
                    1 => { size.refused(asked, Some(number)); }
                    2 => size.timed_out(asked),
                    _ => size.succeeded(asked, number),
                }
                prop_assert!((1..=max.max(1)).contains(&size.get()));
            }
        }

        #[test]
        fn every_limit_is_found(max in 1_u64..1_000_000, allowed in 1_u64..1_000_000, named in proptest::option::of(0_u64..1_000_000)) {
            settle(&mut RangeSize::new(max, 10_000), allowed, named);
        }
    }
}
