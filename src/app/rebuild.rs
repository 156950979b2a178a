//! Throws away what is derived and folds it again, from the events and answers that were kept.
//!
//! One transaction: readers see the old timelines until the new ones are whole. Neither the node nor the clock is asked.

use super::AppError;
use super::decoded::DecodedLog;
use super::error::During;
use super::ingest::{facts, fold_into};
use crate::storage::{Database, Observation, StorageError, StoredEvent, Tx};
use crate::vocab::Position;

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

/// Logs and answers of some whole blocks.
pub(super) struct Batch {
    /// Those whose block is held, in the order of their positions.
    pub(super) events: Vec<StoredEvent>,
    pub(super) observations: Vec<Observation>,
    /// The last block of the batch.
    pub(super) through: u64,
}

impl Batch {
    /// Reads the blocks from `first` on.
    pub(super) async fn read(tx: &mut Tx, first: u64) -> Result<Self, StorageError> {
        let last = tx.event_block_after(first.checked_sub(1), EVENTS_PER_BATCH).await?;
        let through = last.unwrap_or(Position::BLOCK_MAX);
        let events = tx.events_in(first, through).await?;
        Ok(Self { events, observations: tx.observations_in(first, through).await?, through })
    }

    /// The first block of the next one; `None` after the last.
    pub(super) fn next(&self) -> Option<u64> {
        (self.through < Position::BLOCK_MAX).then_some(self.through + 1)
    }

    /// The logs with what they mean.
    pub(super) fn logs(&self) -> Vec<DecodedLog<'_>> {
        self.events.iter().map(|event| DecodedLog::of(&event.log, event.registry)).collect()
    }
}

/// Folds all timelines anew within a transaction.
pub(super) async fn refold(
    tx: &mut Tx,
    progress: &mut impl FnMut(Rebuilt),
) -> Result<Rebuilt, StorageError> {
    tx.delete_spans().await?;
    let mut rebuilt = Rebuilt::default();
    let mut first = Some(0);
    while let Some(block) = first {
        let batch = Batch::read(tx, block).await?;
        fold_into(tx, facts(&batch.logs(), &batch.observations)).await?;
        rebuilt.log_count += batch.events.len();
        rebuilt.observation_count += batch.observations.len();
        progress(rebuilt);
        first = batch.next();
    }
    Ok(rebuilt)
}
