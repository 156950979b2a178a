//! The newest events of one kind, in memory, without a gap: what all who listen share.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;

/// So many bytes of events are held.
const BYTES_MAX: usize = 16 << 20;

/// Something that listeners are told.
pub(super) trait Told: Send + Sync + 'static {
    /// Its place among all that is told.
    fn seq(&self) -> u64;

    /// As it goes over the wire.
    fn frame(&self) -> &Bytes;
}

/// What a listener finds behind its place.
pub(super) enum Found<E> {
    /// These, without a gap; perhaps none.
    Events(Vec<Arc<E>>),
    /// It has fallen behind what is held.
    Behind,
}

/// The newest events.
pub(super) struct Ring<E> {
    events: VecDeque<Arc<E>>,
    bytes: usize,
    /// Behind which place the events begin; the place of the last one where there are none.
    after: u64,
}

impl<E> Default for Ring<E> {
    fn default() -> Self {
        Self { events: VecDeque::new(), bytes: 0, after: 0 }
    }
}

impl<E: Told> Ring<E> {
    /// None yet; those behind a place will come.
    pub(super) fn begin_after(&mut self, after: u64) {
        *self = Self { after, ..Self::default() };
    }

    /// The place of the newest.
    pub(super) fn last(&self) -> u64 {
        self.after + self.events.len() as u64
    }

    /// At most so many behind a place.
    pub(super) fn after(&self, after: u64, limit: usize) -> Found<E> {
        let Some(skip) = after.checked_sub(self.after) else { return Found::Behind };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Found::Events(self.events.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Adds the one behind the newest.
    pub(super) fn push(&mut self, event: E) {
        self.bytes += event.frame().len();
        self.events.push_back(Arc::new(event));
    }

    /// Drops the oldest while there are too many; the place up to which it did.
    pub(super) fn trim(&mut self) -> u64 {
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.frame().len();
            self.after = oldest.seq();
        }
        self.after
    }

    /// The one at a place, where it is held.
    pub(super) fn at(&self, seq: u64) -> Option<&Arc<E>> {
        self.events.get(self.index(seq)?)
    }

    /// Puts an event into the place of what was told there before, where that is held.
    pub(super) fn replace(&mut self, event: E) {
        let index = self.index(event.seq());
        let Some(place) = index.and_then(|index| self.events.get_mut(index)) else { return };
        self.bytes = self.bytes + event.frame().len() - place.frame().len();
        *place = Arc::new(event);
    }

    fn index(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.after + 1)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Piece(u64, Bytes);

    impl Told for Piece {
        fn seq(&self) -> u64 {
            self.0
        }

        fn frame(&self) -> &Bytes {
            &self.1
        }
    }

    fn places(found: Found<Piece>) -> Option<Vec<u64>> {
        match found {
            Found::Events(events) => Some(events.iter().map(|event| event.0).collect()),
            Found::Behind => None,
        }
    }

    #[test]
    fn what_is_held_has_no_gap_and_a_bound() {
        let mut ring = Ring::default();
        ring.begin_after(10);
        assert_eq!((ring.last(), places(ring.after(10, 9))), (10, Some(vec![])));
        // Three of them, and something short, are just not too many.
        let third = Bytes::from(vec![0; BYTES_MAX / 3 - 5]);
        for seq in 11..=15 {
            ring.push(Piece(seq, third.clone()));
        }
        assert_eq!((ring.trim(), ring.last()), (12, 15));
        assert_eq!(places(ring.after(11, 9)), None, "who is behind reads elsewhere");
        assert_eq!(places(ring.after(12, 2)), Some(vec![13, 14]));
        assert_eq!(places(ring.after(15, 9)), Some(vec![]));
        ring.replace(Piece(14, Bytes::from_static(b"short")));
        ring.replace(Piece(12, third.clone()));
        assert_eq!(ring.at(14).map(|event| event.1.len()), Some(5));
        assert!(ring.at(12).is_none() && ring.at(16).is_none());
        ring.push(Piece(16, third));
        assert_eq!(ring.trim(), 12, "what was made shorter left room");
    }
}
