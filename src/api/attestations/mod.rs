//! What was said of whom: taken in, listed, and shown one by one.
//!
//! A record is shown as it was signed; whom its names meant stands beside it and may change. `view` puts the two together, `filter` says
//! which records are wanted, here and in streams.

mod filter;
mod get;
mod list;
mod post;
mod refusal;
mod verify;
mod view;

pub(super) use filter::{Filter, FilterQuery, Wanted};
pub(super) use get::*;
pub(super) use list::*;
pub(super) use post::*;
pub(super) use verify::*;
pub(super) use view::{FoundAnswer, PartyAnswer, RecordAnswer, Standing, answer, answers};
