//! Trust cards: of an agent, over time, and for a game; and which projectors compute them.
//!
//! A card is answered as of one size of the log and one block, and says so. What a projector does wrong costs its own card, which then
//! stands among those that failed, with the reason.

mod asked;
mod get;
mod history;
mod listing;
mod payload;

pub(in crate::api) use asked::as_of_now;
pub(in crate::api) use get::*;
pub(in crate::api) use history::*;
pub(in crate::api) use listing::*;
pub(in crate::api) use payload::*;
