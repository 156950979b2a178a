//! Whose wallets some accounts are: from the read model where it can tell, otherwise from the database.
//!
//! Both give the same things: a standpoint, the code behind the registry, and a directory in which the accounts stand. The answer is
//! made of those alone, so that it is the same wherever they came from. The model never refuses: what it does not know yet, a block that
//! is not indexed among it, the database may.

use std::sync::Arc;

use super::at::At;
use super::error::ApiError;
use super::reading::{Codes, Place, Reading, Standpoint, block_before_all, block_not_held};
use super::state::ApiState;
use crate::app::{Known, ReadModel};
use crate::identity::Directory;
use crate::vocab::AccountId;

/// One state, as of one block.
pub(super) struct Whose<'a> {
    pub(super) standpoint: &'a Standpoint,
    pub(super) codes: &'a Codes,
    /// In it stand at least the accounts that were asked about.
    pub(super) directory: &'a Directory,
}

/// Answers as of `at` about the accounts that `read` finds in the request.
pub(super) async fn whose<A: AsRef<[AccountId]>, T>(
    state: &ApiState,
    at: At,
    read: impl Fn(&Standpoint) -> Result<A, ApiError>,
    answer: impl Fn(&Whose<'_>, &A) -> T,
) -> Result<T, ApiError> {
    let told = state.model.read(|model| {
        let standpoint = standpoint(model, at)?;
        let codes = Codes::new(Arc::clone(&model.implementations), Arc::clone(&state.known));
        let whose = Whose { standpoint: &standpoint, codes: &codes, directory: &model.directory };
        Some(read(&standpoint).map(|accounts| answer(&whose, &accounts)))
    });
    if let Some(told) = told.flatten() {
        return told;
    }
    // Boxed: it is rarely taken, and makes the future of every request large.
    Box::pin(from_database(state, at, read, answer)).await
}

async fn from_database<A: AsRef<[AccountId]>, T>(
    state: &ApiState,
    at: At,
    read: impl Fn(&Standpoint) -> Result<A, ApiError>,
    answer: impl Fn(&Whose<'_>, &A) -> T,
) -> Result<T, ApiError> {
    let mut reading = Reading::open(state, at).await?;
    let accounts = read(&reading)?;
    let codes = reading.codes(&state.known).await?;
    let addresses = accounts.as_ref().iter().map(|account| account.address);
    let directory = reading.directory_of(addresses).await?;
    let whose = Whose { standpoint: &reading, codes: &codes, directory: &directory };
    Ok(answer(&whose, &accounts))
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
