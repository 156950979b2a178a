//! Short texts that are held in place, and whole numbers and times written into them.
//!
//! An answer over HTTP names the same few accounts and agents very often; none of these texts takes memory of its own.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text of at most `N` bytes, `N` at most 255.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShortText<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

impl<const N: usize> ShortText<N> {
    const FITS: () = assert!(N <= u8::MAX as usize, "the length is one byte");

    /// The text that something shows itself as, up to the first piece that does not fit. The caller chooses `N` so that it always does.
    pub fn of(shown: impl fmt::Display) -> Self {
        use fmt::Write as _;
        let () = Self::FITS;
        let mut text = Self { length: 0, bytes: [0; N] };
        // Fails only where something did not fit.
        let _ = write!(text, "{shown}");
        text
    }

    /// The text that these bytes are; empty where they are no text.
    pub(super) fn whole(bytes: [u8; N]) -> Self {
        let () = Self::FITS;
        Self { length: u8::try_from(N).unwrap_or_default(), bytes }
    }

    /// These pieces one after the other, up to the first that does not fit: what [`of`](Self::of) does, without the formatting
    /// machinery, which costs more than the pieces.
    pub(super) fn joined(pieces: &[&str]) -> Self {
        use fmt::Write as _;
        let () = Self::FITS;
        let mut text = Self { length: 0, bytes: [0; N] };
        let _ = pieces.iter().try_for_each(|piece| text.write_str(piece));
        text
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        // Whole pieces of text are put in, so it is never cut within a sign.
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for ShortText<N> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let start = usize::from(self.length);
        let end = start + piece.len();
        self.bytes.get_mut(start..end).ok_or(fmt::Error)?.copy_from_slice(piece.as_bytes());
        self.length = u8::try_from(end).map_err(|_| fmt::Error)?;
        Ok(())
    }
}

impl<const N: usize> fmt::Display for ShortText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for ShortText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> Serialize for ShortText<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_held_whole() {
        for shown in ["", "a", "eip155:8453", "zwölf"] {
            let text = ShortText::<12>::of(shown);
            assert_eq!((text.as_str(), text.to_string().as_str()), (shown, shown));
            assert_eq!(serde_json::to_value(text).unwrap(), shown);
        }
        assert_eq!(ShortText::<12>::joined(&["eip155:", "8453"]).as_str(), "eip155:8453");
        assert_eq!(ShortText::<3>::joined(&["ab", "cd", "e"]).as_str(), "ab");
        assert_eq!(
            ShortText::<3>::of("abcd").as_str(),
            "",
            "a piece that does not fit is left out"
        );
    }
}
