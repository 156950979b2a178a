//! A record in sixty-one bytes: what has to be known of each to count it, and no more.
//!
//! An agent with ten thousand records has its card within milliseconds because nobody opens ten thousand envelopes for it: postings of
//! one name lie together, in the order of the log, and are never rewritten, since they say nothing of whom names meant. Texts (types of
//! claims, words, games) are numbers here; whoever stores postings keeps the list.

use crate::attest::IssuerClass;
use crate::vocab::{Digest, UnixSeconds};

/// What is counted of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Its place in the log.
    pub seq: u64,
    /// As of when its names are meant.
    pub said_at: UnixSeconds,
    /// The number of the name of who signed or sent it.
    pub issuer: u64,
    /// The number of the name of the account that signed for an issuer that is an agent; 0 for any other.
    pub spoken_by: u64,
    /// What a later record of the same issuer takes back or replaces it by, and which earlier one it takes back or replaces.
    pub thread: Thread,
    /// The number of the type of its claim; 0 where it is a [`withdrawal`](Posting::withdrawal).
    pub claim: u32,
    /// The number of its words; 0 for none.
    pub words: u32,
    /// The number of its game; 0 for none.
    pub game: u32,
    /// What its issuer was found to be where that does not follow from names.
    pub class: Option<IssuerClass>,
}

/// By which records of one issuer hang together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// What names it.
    pub own: u64,
    /// What names the one that it takes back; 0 for none.
    pub replaces: u64,
}

impl Thread {
    /// The thread of a record: its digest, or what the reputation registry calls its feedback; and that of what it supersedes or revokes.
    ///
    /// Eight bytes of a hash are enough: only records of the same issuer are compared, and an issuer may take back its own anyway.
    #[must_use]
    pub fn of(
        digest: Digest,
        claim: &str,
        feedback: Option<&str>,
        supersedes: Option<Digest>,
    ) -> Self {
        let feedback = feedback.map(|name| key(Digest::of(name.as_bytes())));
        match (claim, feedback) {
            ("erc8004.feedback.v1", Some(own)) => Self { own, replaces: 0 },
            ("erc8004.feedback_revoked.v1", Some(replaces)) => Self { own: key(digest), replaces },
            _ => Self { own: key(digest), replaces: supersedes.map_or(0, key) },
        }
    }
}

/// The first eight bytes, and never 0.
fn key(digest: Digest) -> u64 {
    let beginning = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(beginning).max(1)
}

/// Why bytes are no postings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are no postings")]
pub struct PostingError(usize);

impl Posting {
    /// How many bytes one takes.
    pub const SIZE: usize = 61;

    /// That a record takes back another, for the names of which that other one is: a record that is about somebody else replaces it, so
    /// that its own posting lies elsewhere. `seq` is the later of the two in the log.
    #[must_use]
    pub const fn withdrawal(self, seq: u64) -> Self {
        Self { seq, spoken_by: 0, claim: 0, words: 0, game: 0, class: None, ..self }
    }

    /// Whether it only takes back another, and is no record of the name's.
    #[must_use]
    pub const fn is_withdrawal(&self) -> bool {
        self.claim == 0
    }

    /// Appends its bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let Thread { own, replaces } = self.thread;
        for number in [self.seq, self.said_at.get(), self.issuer, self.spoken_by, own, replaces] {
            bytes.extend(number.to_be_bytes());
        }
        for number in [self.claim, self.words, self.game] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.push(match self.class {
            None => 0,
            Some(IssuerClass::Agent) => 1,
            Some(IssuerClass::Plugin) => 2,
            Some(IssuerClass::System) => 3,
        });
    }

    /// Reads postings that were written one behind the other.
    ///
    /// # Errors
    /// When the bytes were not written by [`write`](Self::write).
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, PostingError> {
        let error = PostingError(bytes.len());
        let (chunks, rest) = bytes.as_chunks::<{ Self::SIZE }>();
        if !rest.is_empty() {
            return Err(error);
        }
        chunks.iter().map(|chunk| Self::read(chunk).ok_or(error)).collect()
    }

    fn read(bytes: &[u8; Self::SIZE]) -> Option<Self> {
        let (long, rest) = bytes.split_first_chunk::<48>()?;
        let (short, class) = rest.split_first_chunk::<12>()?;
        let mut long = long.as_chunks::<8>().0.iter().map(|bytes| u64::from_be_bytes(*bytes));
        let mut short = short.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes));
        Some(Self {
            seq: long.next()?,
            said_at: UnixSeconds::new(long.next()?)?,
            issuer: long.next()?,
            spoken_by: long.next()?,
            thread: Thread { own: long.next()?, replaces: long.next()? },
            claim: short.next()?,
            words: short.next()?,
            game: short.next()?,
            class: match class {
                [0] => None,
                [1] => Some(IssuerClass::Agent),
                [2] => Some(IssuerClass::Plugin),
                [3] => Some(IssuerClass::System),
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            long in prop::array::uniform6(any::<u64>()),
            short in prop::array::uniform3(any::<u32>()),
            class in prop::option::of(prop::sample::select(IssuerClass::ALL.to_vec())),
            seconds in 0..4_000_000_000_u64,
        ) {
            let [seq, issuer, spoken_by, own, replaces, _] = long;
            let [claim, words, game] = short;
            let said_at = UnixSeconds::new(seconds).unwrap();
            let thread = Thread { own, replaces };
            let posting =
                Posting { seq, said_at, issuer, spoken_by, thread, claim, words, game, class };
            let mut bytes = Vec::new();
            posting.write(&mut bytes);
            prop_assert_eq!(bytes.len(), Posting::SIZE);
            posting.write(&mut bytes);
            prop_assert_eq!(Posting::read_all(&bytes), Ok(vec![posting; 2]));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(Posting::read_all(&[0; 60]), Err(PostingError(60)));
        assert_eq!(
            Posting::read_all(&[9; 61]),
            Err(PostingError(61)),
            "no such class, no such time"
        );
        assert_eq!(Posting::read_all(&[]), Ok(Vec::new()));
    }

    #[test]
    fn a_revocation_names_the_thread_of_its_feedback() {
        let [one, two] = [Digest::of(b"1"), Digest::of(b"2")];
        let name = Some("eip155:8453:0x80:22:0xc1:1");
        let feedback = Thread::of(one, "erc8004.feedback.v1", name, None);
        let revoked = Thread::of(two, "erc8004.feedback_revoked.v1", name, None);
        assert_eq!(revoked.replaces, feedback.own);
        assert_ne!(revoked.own, feedback.own);
        assert_eq!(Thread::of(two, "peer.assessment", None, Some(one)).replaces, key(one));
    }
}
