//! Numbers from a seed: everything a simulation decides is drawn here, so that a seed is a run.

use hallmark::chain::retry::Jitter;

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Draw(Jitter);

impl Draw {
    /// The stream of some words: other words, another stream.
    pub(crate) fn of(words: &[u64]) -> Self {
        let mut state = 0x6861_6c6c_6d61_726b;
        for word in words {
            state = Jitter::new(state ^ word).draw();
        }
        Self(Jitter::new(state))
    }

    pub(crate) const fn word(&mut self) -> u64 {
        self.0.draw()
    }

    /// A number below `end`, which is not 0.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.0.draw() % end
    }

    /// A number from `low` to `high`, both of them possible.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A place in a list of that length.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.place(from.len())]
    }
}
