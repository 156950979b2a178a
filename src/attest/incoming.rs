//! A record on its way in without an envelope of its own: what it says, and who sent it.
//!
//! Nobody signed it. What is known of its sender follows from where it came from: the chain's log, an origin's relay, the token with which
//! it was posted. That is established by whoever took it in, and never by looking into the record. Nothing here decides what class that
//! earns ([`class`](super::class)), nor whether the record is taken.

use super::Attestation;
use crate::vocab::{OriginName, Subject, UnixSeconds};

/// The longest [`place`](Incoming::place), in bytes.
pub const PLACE_LEN_MAX: usize = 300;

/// A record on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What it says.
    pub attestation: Attestation,
    /// Who sent it.
    pub sent_by: SentBy,
    /// Where in its source it stood, as a short stable text of at most [`PLACE_LEN_MAX`] bytes: `relay:GAME:INDEX`, `log:BLOCK:INDEX`.
    /// `None` where it came by itself.
    pub place: Option<String>,
    /// When it was said, by its source: the time of its block, of its entry in the relay. It counts where the record itself gives no time,
    /// and stands beside the record so that the record has one digest however it came.
    pub said_at: Option<UnixSeconds>,
}

impl Incoming {
    /// When it was said: by its own words, or else by its source's.
    #[must_use]
    pub fn time(&self) -> Option<UnixSeconds> {
        self.attestation.said_at().or(self.said_at)
    }
}

/// Who sent a record, as established by where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentBy {
    /// A configured origin itself.
    Origin(OriginName),
    /// A plugin that is registered with an origin.
    Plugin {
        /// The origin.
        origin: OriginName,
        /// The plugin, as the configuration names it.
        plugin: String,
    },
    /// Anybody else, by the name under which it was logged in or acted.
    Name(Subject),
}
