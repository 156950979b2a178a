//! From an agent's record to its trust cards: what a projector is shown, and what its answer has to be.
//!
//! ```text
//! record ─Posting─► ledger of an agent ─rollup─► View ─► projector ─► Draft ─check─► TrustCard
//! ```
//!
//! Everything here is a plain function of the record as of one size of the log and one block, so that everybody who computes a card gets the
//! same one. Projectors themselves are elsewhere: they are components that anyone may write (`plugin` runs them), and none of them is
//! trusted. What they return is checked here, field by field, and what holds for every card is said here and not left to them.

mod assemble;
mod card;
mod caveat;
mod draft;
mod hands;
mod ledger;
mod posting;
mod rollup;
mod seen;
mod view;
mod words;

pub use assemble::{IssuerFacts, Parts, RecentParts, Settled, SubjectFacts};
pub use card::{CardBlock, CardContext, CardRef, CardSignal, ProjectorName, TrustCard};
pub use draft::{Draft, DraftSignal, Flaw, Stance, is_hidden};
pub use hands::{Hands, STANDING_COUNT_MAX, Voice, counted_issuers};
pub use ledger::{Entry, Ledger, Span};
pub use posting::{Posting, PostingError, Thread};
pub use rollup::{Claims, Games, IssuerKey, KindCount, Rollup, TALLIES_MAX, TallyCount};
pub use seen::{Seen, SeenError, SeenEvidence};
pub use view::{
    Basis, Finality, Issuer, Kind, RECENT_MAX, Recent, RecentEvidence, Standing, Tally, View,
};
pub use words::{WORD_BYTES_MAX, WORDS_BYTES_MAX, words};
