//! What the chain says of agents, taken into the log: feedback, revocations, responses and validations.
//!
//! Only what is final is taken, so that nothing of the log is ever undone; until then it is answered from the events themselves. While a
//! history is being read the log waits, since both would write. After a rewriting all of it is gone through again: what is held is passed
//! over, and what was missing is added.

use std::time::Duration;

use super::error::During;
use super::{AppError, Records};
use crate::attest::onchain::{EventPlace, incoming};
use crate::registry::decode;
use crate::storage::{RecordSource, StorageError, StoredEvent, Tx};
use crate::vocab::{Position, RegistryKind, RegistryRef};

/// About so many events are taken in one transaction.
const TURN: u32 = 500;
/// While the chain's head is so many blocks ahead, its history is being read.
const LAG_MAX: u64 = 1_000;
/// How long to wait where nothing is new.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the chain's word into the log.
#[derive(Clone)]
pub struct ChainRecords {
    records: Records,
}

impl ChainRecords {
    /// Into the log of these.
    #[must_use]
    pub const fn new(records: Records) -> Self {
        Self { records }
    }

    /// Turn after turn, for ever. Trouble with the database is logged, and waited out.
    pub async fn keep(&self) {
        loop {
            let pause = match self.turn().await {
                Ok(0) => PAUSE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "records of the chain are taken in later");
                    PAUSE * 10
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes in the next events, and returns how many blocks further the log is.
    ///
    /// # Errors
    /// When the database fails; then nothing was taken in.
    pub async fn turn(&self) -> Result<u64, AppError> {
        let during = || "cannot take in what the chain says".to_owned();
        let mut tx = self.records.database.begin_read().await.during(during)?;
        let Some(next) = next(&mut tx).await.during(during)? else { return Ok(0) };
        drop(tx);
        let (mut checked, mut refused) = (Vec::new(), Vec::new());
        for record in next.events.iter().filter_map(|event| record(event, next.identity)) {
            match self.records.check_incoming(record, RecordSource::Chain) {
                Ok(record) => checked.push(record),
                Err(why) => refused.push(why),
            }
        }
        self.records.note_refusals(&refused.iter().collect::<Vec<_>>()).await?;
        let count = next.through - next.after.unwrap_or(0);
        let mut tx = self.records.database.begin_durable().await.during(during)?;
        // Somebody else may have rewritten the record meanwhile.
        let after = tx.chain_taken().await.during(during)?.map(|at| at.block_number);
        if after != next.after {
            return Ok(1);
        }
        self.records.commit_in(&mut tx, checked).await.during(during)?;
        tx.set_chain_taken(Position::end_of(next.through)).await.during(during)?;
        tx.commit().await.during(during)?;
        Ok(count.max(1))
    }
}

/// What comes next.
struct Next {
    after: Option<u64>,
    through: u64,
    events: Vec<StoredEvent>,
    identity: RegistryRef,
}

async fn next(tx: &mut Tx) -> Result<Option<Next>, StorageError> {
    let Some(binding) = tx.binding().await? else { return Ok(None) };
    let Some(identity) = binding.registry(RegistryKind::Identity) else { return Ok(None) };
    let tags = tx.tags().await?;
    let (Some(indexed), Some(finalized)) = (tags.indexed, tags.finalized) else { return Ok(None) };
    let (indexed, head) = (indexed.block.number, tags.head.map_or(0, |head| head.block.number));
    if head.saturating_sub(indexed) > LAG_MAX {
        return Ok(None);
    }
    let last = finalized.block.number.min(indexed);
    let after = tx.chain_taken().await?.map(|at| at.block_number);
    if after.is_some_and(|after| after >= last) {
        return Ok(None);
    }
    let through = tx.event_block_after(after, TURN).await?.map_or(last, |block| block.min(last));
    let first = after.map_or(0, |after| after + 1);
    let events = tx.events_in(first, through).await?;
    Ok(Some(Next { after, through, events, identity: identity.at }))
}

fn record(event: &StoredEvent, identity: RegistryRef) -> Option<crate::attest::incoming::Incoming> {
    // What cannot be decoded is shown where logs are.
    let decoded = decode(event.registry, &event.log).ok()?;
    match incoming(&decoded, &EventPlace::of(&event.log, event.time, identity)) {
        Ok(record) => record,
        Err(error) => {
            tracing::error!(%error, block.number = event.log.block.number, "an event makes no record");
            None
        }
    }
}
