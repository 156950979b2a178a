//! Posts the log: puts what cards are counted from by the names that records are about.
//!
//! Postings are derived from the log and follow it, a thousand records in each transaction, so that taking records in does not wait for them;
//! a database from before there were any is caught up in the same way. A card says as of which size of the log it was computed, which is
//! never more than what is posted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use super::AppError;
use crate::app::error::During;
use crate::project::{Posting, Seen, Thread, words};
use crate::rekey::Role;
use crate::storage::{Database, RecordsBy, StorageError, StoredRecord, Tx};

/// So many records are posted in one transaction.
const TURN: u32 = 1_000;
/// How long to wait where nothing is new.
const PAUSE: Duration = Duration::from_millis(50);

/// Posts the log of one database.
#[derive(Clone, Debug)]
pub struct Poster {
    database: Database,
}

/// A record, before its texts have numbers.
struct Unnumbered {
    subject: u64,
    posting: Posting,
    claim: String,
    words: Option<String>,
    game: Option<String>,
}

impl Poster {
    /// For a database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Turn after turn until it is dropped. Trouble with the database is logged, and waited out.
    pub async fn run(&self) {
        loop {
            let pause = match self.turn().await {
                Ok(0) => PAUSE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "records are counted later");
                    PAUSE * 20
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Posts the next records, at most a thousand; returns how many.
    ///
    /// # Errors
    /// When the database fails; nothing was written then.
    pub async fn turn(&self) -> Result<u64, AppError> {
        let during = || "cannot count records".to_owned();
        let mut tx = self.database.begin_read().await.during(during)?;
        let posted = tx.posted().await.during(during)?;
        if tx.log_size().await.during(during)? == posted {
            return Ok(0);
        }
        let records = tx.records_after(RecordsBy::Seq, posted, TURN).await.during(during)?;
        let unnumbered = unnumbered(&mut tx, &records).await.during(during)?;
        drop(tx);
        let Some(last) = records.last() else { return Ok(0) };
        let mut tx = self.database.begin_write().await.during(during)?;
        // Another process may have been faster.
        if tx.posted().await.during(during)? != posted {
            return Ok(0);
        }
        post(&mut tx, unnumbered, last.seq).await.during(during)?;
        tx.commit().await.during(during)?;
        Ok(records.len() as u64)
    }
}

async fn unnumbered(
    tx: &mut Tx,
    records: &[StoredRecord],
) -> Result<Vec<Unnumbered>, StorageError> {
    let parties = tx.parties_of(records).await?;
    let spoken_by = |seq| parties.get(&(seq, Role::Issuer)).and_then(|party| party.spoken_by);
    let read = |record: &StoredRecord| {
        let broken = || StorageError::inconsistent("attestation", "record", record.seq);
        let seen = Seen::read(&record.record).map_err(|_| broken())?;
        let data: Map<String, Value> = serde_json::from_str(seen.data).map_err(|_| broken())?;
        let feedback = data.get("feedback").and_then(Value::as_str);
        let thread = Thread::of(record.digest, &record.claim_type, feedback, record.supersedes);
        let posting = Posting {
            seq: record.seq,
            said_at: record.said_at,
            issuer: record.issuer,
            spoken_by: spoken_by(record.seq).unwrap_or(0),
            thread,
            claim: 0,
            words: 0,
            game: 0,
            class: record.issuer_class,
        };
        Ok(Unnumbered {
            subject: record.subject,
            posting,
            claim: record.claim_type.clone(),
            words: words(&data),
            game: seen.game_key(),
        })
    };
    records.iter().map(read).collect()
}

async fn post(tx: &mut Tx, records: Vec<Unnumbered>, upto: u64) -> Result<(), StorageError> {
    let texts: BTreeSet<&str> = records
        .iter()
        .flat_map(|record| {
            [Some(record.claim.as_str()), record.words.as_deref(), record.game.as_deref()]
        })
        .flatten()
        .collect();
    let numbers = tx.number_terms(texts).await?;
    let number = |text: &str| numbers.get(text).copied().unwrap_or(0);
    let mut by_name: BTreeMap<u64, Vec<Posting>> = BTreeMap::new();
    for record in &records {
        by_name.entry(record.subject).or_default().push(Posting {
            claim: number(&record.claim),
            words: record.words.as_deref().map_or(0, number),
            game: record.game.as_deref().map_or(0, number),
            ..record.posting
        });
    }
    tx.post(&by_name, upto).await
}
