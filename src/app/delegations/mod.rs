//! Records of delegations: taken in, put together to hops and traces, and answered from when something failed.
//!
//! `take` checks and keeps a record, `hops` looks at the hops anew that it changes, `gather` makes of what is kept a document that can be
//! checked by anybody (`way` says which hops hang together, `late` what came after the verdict, `room` what has no room), `judge` checks one
//! that somebody brings, `attribute` makes the report of a dispute (`kin` says who judges and is a party by another name), and `publish` says
//! it (`said` is what it said last). All of them are verbs of [`Records`](super::Records), since they rest on
//! the same things: the database, the service's keys, and who spoke for whom. What a trace must be is `delegation`'s affair, and who
//! carries how much `tfd`'s.

mod attribute;
mod control;
mod gather;
mod hops;
mod judge;
mod kin;
mod knowledge;
mod late;
mod publish;
mod room;
mod said;
mod take;
mod way;

pub use attribute::{Attribution, AttributionError, LeftOutOfTrace, Renamed};
pub use gather::{GatherError, TracePart};
pub use judge::Judged;
pub use publish::{DisputeKeeper, Published};
pub use said::{SaidLast, said_last};
pub use take::{CheckedDelegation, TakenDelegation};

pub(super) use hops::{reconsider, spoken_hops};

use tokio::sync::Semaphore;

/// So many traces are checked at a time, in the whole process: each may have thousands of signatures.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// Does what takes long and waits for nothing, beside the tasks that answer requests.
///
/// # Errors
/// When it ended early.
async fn checked_apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AttributionError> {
    let ended = |why: &dyn std::fmt::Display| AttributionError::Ended(why.to_string());
    let place = CHECKS.acquire().await.map_err(|error| ended(&error))?;
    let done = tokio::task::spawn_blocking(move || {
        // Taken along: whoever stops waiting does not stop the work.
        let _place = place;
        work()
    });
    done.await.map_err(|error| ended(&error))
}
