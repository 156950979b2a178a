//! Whose wallets some accounts are: from the read model where it can tell, otherwise from the database.
//!
//! Both give the same things: a standpoint, the code behind the registry, and a directory in which the accounts stand. The answer is
//! made of those alone, so that it is the same wherever they came from.

use std::sync::Arc;

use super::at::At;
use super::error::ApiError;
use super::memory::from_model;
use super::reading::{Codes, Reading, Standpoint};
use super::state::ApiState;
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
    let told = from_model(state, at, |model, standpoint| {
        let codes = Codes::new(Arc::clone(&model.implementations), Arc::clone(&state.known));
        let whose = Whose { standpoint, codes: &codes, directory: &model.directory };
        read(standpoint).map(|accounts| answer(&whose, &accounts))
    });
    if let Some(told) = told {
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
