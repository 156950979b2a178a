//! Throws away what is derived and folds it again, from the events and answers that were kept.
//!
//! One transaction: readers see the old timelines until the new ones are whole. Neither the node nor the clock is asked.

use super::AppError;
use super::decoded::DecodedLog;
use super::error::During;
use super::ingest::{facts, fold_into};
use crate::storage::{Database, StorageError, Tx};

/// So many events are folded at once, rounded up to whole blocks.
const EVENTS_PER_BATCH: u32 = 5_000;

/// What a rebuild went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Logs read again.
    pub log_count: usize,
    /// Answers read again.
    pub observation_count: usize,
}

/// Folds all timelines anew; `progress` hears of each batch.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn rebuild(
    database: &Database,
    mut progress: impl FnMut(Rebuilt),
) -> Result<Rebuilt, AppError> {
    let during = || "cannot rebuild the timelines".to_owned();
    let mut tx = database.begin_write().await.during(during)?;
    let rebuilt = refold(&mut tx, &mut progress).await.during(during)?;
    tx.commit().await.during(during)?;
    Ok(rebuilt)
}

/// Folds all timelines anew within a transaction.
pub(super) async fn refold(
    tx: &mut Tx,
    progress: &mut impl FnMut(Rebuilt),
) -> Result<Rebuilt, StorageError> {
    tx.delete_spans().await?;
    let mut rebuilt = Rebuilt::default();
    let mut first = 0_u64;
    loop {
        let before = first.checked_sub(1);
        let last = tx.event_block_after(before, EVENTS_PER_BATCH).await?;
        let through = last.unwrap_or(u64::try_from(i64::MAX).unwrap_or(u64::MAX));
        let stored = tx.events_in(first, through).await?;
        let observations = tx.observations_in(first, through).await?;
        let logs: Vec<_> = stored.iter().map(|e| DecodedLog::of(&e.log, e.registry)).collect();
        fold_into(tx, facts(&logs, &observations)).await?;
        rebuilt.log_count += logs.len();
        rebuilt.observation_count += observations.len();
        progress(rebuilt);
        match last {
            Some(last) => first = last + 1,
            None => return Ok(rebuilt),
        }
    }
}
