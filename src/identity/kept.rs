//! Bytes that somebody made of something and may use again while it stays as it is.
//!
//! They are nothing of their own: two things are equal whatever is kept of them, and a copy begins without. Whoever owns what they were
//! made of forgets them when it changes. How many bytes are kept in all is bounded: what finds no room is made anew each time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What keeping a piece takes beside its bytes: the allocator rounds up.
const PIECE_BYTES: usize = 64;

/// Bytes, or none yet.
#[derive(Debug, Default)]
pub(super) struct Kept(OnceLock<Box<[u8]>>);

/// Room for bytes: how many may be kept, and how many are.
#[derive(Debug, Default)]
pub(super) struct Room {
    bytes_max: usize,
    bytes: AtomicUsize,
}

impl Room {
    pub(super) const fn of(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: AtomicUsize::new(0) }
    }

    /// Takes room for a piece, if there is any.
    fn take(&self, length: usize) -> bool {
        let size = length.saturating_add(PIECE_BYTES);
        let fits = |bytes: usize| bytes.checked_add(size).filter(|sum| *sum <= self.bytes_max);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    fn give_back(&self, length: usize) {
        self.bytes.fetch_sub(length.saturating_add(PIECE_BYTES), Ordering::Relaxed);
    }
}

impl Kept {
    /// The bytes.
    pub(super) fn get(&self) -> Option<&[u8]> {
        self.0.get().map(AsRef::as_ref)
    }

    /// Keeps a copy, if none is kept yet and there is room.
    pub(super) fn keep(&self, bytes: &[u8], room: &Room) {
        if self.0.get().is_none() && room.take(bytes.len()) && self.0.set(bytes.into()).is_err() {
            // Somebody else was faster.
            room.give_back(bytes.len());
        }
    }

    /// Forgets them.
    pub(super) fn forget(&mut self, room: &Room) {
        if let Some(bytes) = self.0.take() {
            room.give_back(bytes.len());
        }
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl Clone for Room {
    fn clone(&self) -> Self {
        Self::of(self.bytes_max)
    }
}

impl PartialEq for Room {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Room {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_not_kept_and_room_comes_back() {
        let room = Room::of(2 * PIECE_BYTES + 5);
        let [mut first, second, third] = [(); 3].map(|()| Kept::default());
        first.keep(b"abc", &room);
        second.keep(b"abc", &room);
        third.keep(b"de", &room);
        assert_eq!(
            [first.get(), second.get(), third.get()],
            [Some(&b"abc"[..]), None, Some(b"de")]
        );
        first.keep(b"another", &room);
        assert_eq!(first.get(), Some(&b"abc"[..]), "what is kept stays until it is forgotten");
        first.forget(&room);
        second.keep(b"abc", &room);
        assert_eq!((first.get(), second.get()), (None, Some(&b"abc"[..])));
        assert_eq!(room.bytes.into_inner(), 2 * PIECE_BYTES + 5);
    }
}
