//! What the read model answers, where it can tell.
//!
//! The model never refuses: what it does not know yet, a block that is not indexed among it, the database may. So whoever asks it has
//! the other way in hand, and makes the answer of the same things on both.

use super::at::At;
use super::reading::{Place, Standpoint, block_before_all, block_not_held};
use super::state::ApiState;
use crate::app::{Known, ReadModel};

/// The answer of the model as of `at`; `None` where it cannot tell.
pub(super) fn from_model<T>(
    state: &ApiState,
    at: At,
    answer: impl FnOnce(&ReadModel, &Standpoint) -> T,
) -> Option<T> {
    let told = state.model.read(|model| Some(answer(model, &standpoint(model, at)?)));
    told.flatten()
}

/// Where the model stands as of `at`; `None` where it cannot tell.
fn standpoint(model: &ReadModel, at: At) -> Option<Standpoint> {
    let (known, not_held) = match Place::of(&model.tags, model.indexed, at).ok()? {
        Place::Stamp(stamp) => return Some(Standpoint::of_model(model, stamp.into())),
        Place::Number(number) => (model.blocks.at(number), block_not_held(&model.tags, number)),
        Place::NotAfter(time) => {
            (model.blocks.not_after(time), block_before_all(model.start_block))
        }
    };
    match known {
        Known::Held(stamp) => Some(Standpoint::of_model(model, stamp.into())),
        Known::NotHeld => Some(Standpoint::of_model(model, not_held)),
        Known::LetGo => None,
    }
}
