//! Which versions of an agent's document there are.
//!
//! A version is the state at the end of a block in which something changed that documents are made of: owner, wallet, URI, or the
//! metadata entry [`DID_KEY`]. Its id is the block's number and hash, `41663790-0x…`. Both are the chain's, so the id means the same on
//! every machine, outlives a rebuild, and can never mean another state: if the block is undone, the id never was, and what is in the block
//! that takes its place has another. A version may equal the one before it in every byte, as where a new URI names the same services.
//!
//! The service's document has versions too: their ids are written in the same form, and `attest::keyring` says what stands in them.
//!
//! States inside a block are no versions. Nothing else here speaks of them, and events within a transaction can stand in an order in
//! which the contract never was.

use std::fmt;
use std::str::FromStr;

use alloy::primitives::B256;

use crate::vocab::{BlockRef, Position, Span, canonical_u64};

/// The metadata key under which an agent may name a DID of its own.
pub const DID_KEY: &[u8] = b"did";

/// The id of a version. Text form: `41663790-0x…`, the hash in full and in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionId {
    /// Where it begins: of an agent's document a block's number, of the service's a second, of a character's the number of a change.
    pub number: u64,
    /// What it is: of an agent's document the block's hash, of the service's a digest of its keys, of a character's one of what it holds.
    pub hash: B256,
}

impl From<BlockRef> for VersionId {
    fn from(BlockRef { number, hash }: BlockRef) -> Self {
        Self { number, hash }
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.hash)
    }
}

/// A text that is no version's id of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version's id is a block's number and hash, such as `41663790-0x…` with 64 hex digits")]
pub struct VersionParseError;

impl FromStr for VersionId {
    type Err = VersionParseError;

    fn from_str(text: &str) -> Result<Self, VersionParseError> {
        let (number, hash) = text.split_once('-').ok_or(VersionParseError)?;
        let number = canonical_u64(number).ok_or(VersionParseError)?;
        let hash: B256 = hash.parse().map_err(|_| VersionParseError)?;
        let id = Self { number, hash };
        // One id has one text: no capitals, no missing prefix.
        if id.to_string() == text { Ok(id) } else { Err(VersionParseError) }
    }
}

/// What the end of a block sees of one timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The last span that began in that block or before.
    pub last: Option<Span>,
    /// Where the first span after that block begins.
    pub next: Option<Position>,
}

/// The blocks around a moment in which a document changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The last block, not after the moment, in which something changed: it made the version that is in force.
    pub changed: u64,
    /// The first block after it in which something changed.
    pub next: Option<u64>,
}

/// The version in force at the end of block `at`, from what is seen of every timeline; `None` before the first.
#[must_use]
pub fn around(at: u64, timelines: &[Seen]) -> Option<Around> {
    let of_one = |seen: &Seen| {
        let ends = seen.last.into_iter().flat_map(|span| [Some(span.from), span.to]);
        ends.chain([seen.next]).flatten().map(|position| position.block_number).collect::<Vec<_>>()
    };
    let all: Vec<u64> = timelines.iter().flat_map(of_one).collect();
    let changed = all.iter().copied().filter(|block| *block <= at).max()?;
    Some(Around { changed, next: all.iter().copied().filter(|block| *block > at).min() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(last: Option<(u64, Option<u64>)>, next: Option<u64>) -> Seen {
        let at = |block| Position::new(block, 3);
        let last = last.map(|(from, to)| Span { from: at(from), to: to.map(at) });
        Seen { last, next: next.map(at) }
    }

    #[test]
    fn a_version_lasts_from_one_change_to_the_next() {
        let owner = seen(Some((10, Some(40))), None);
        let never = seen(None, None);
        let later = seen(None, Some(25));
        for (at, timelines, expected) in [
            (9, vec![seen(None, Some(10))], None),
            (10, vec![owner, never], Some((10, Some(40)))),
            (20, vec![owner, seen(Some((15, Some(30))), None)], Some((15, Some(30)))),
            (20, vec![owner, later], Some((10, Some(25)))),
            (39, vec![owner, seen(Some((25, None)), None)], Some((25, Some(40)))),
            // What ended stays a change: a burnt agent's last version begins with its burning.
            (50, vec![owner, seen(Some((25, None)), None)], Some((40, None))),
            (50, vec![seen(Some((10, Some(40))), Some(60))], Some((40, Some(60)))),
        ] {
            let expected = expected.map(|(changed, next)| Around { changed, next });
            assert_eq!(around(at, &timelines), expected, "at {at}");
        }
    }

    #[test]
    fn ids_have_one_text() {
        let text = format!("41663790-{}", B256::repeat_byte(0xab));
        assert_eq!(text.parse::<VersionId>().unwrap().to_string(), text);
        for wrong in [
            String::new(),
            "1".to_owned(),
            "41663790-".to_owned(),
            text.replace("0x", ""),
            text.replace("ab", "AB"),
            text.replace("4166", "04166"),
            format!("{text}0"),
            text.replace('-', ":"),
        ] {
            assert!(wrong.parse::<VersionId>().is_err(), "{wrong}");
        }
    }
}
