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
use crate::vocab::Digest;

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
    /// What it takes back, or what takes it back, where the two are about different names: by the name that the one taken back is about.
    withdrawals: Vec<(u64, Posting)>,
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
    let replaced = replaced(tx, records).await?;
    let replacing = replacing(tx, records).await?;
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
        let earlier = record.supersedes.and_then(|digest| replaced.get(&(digest, record.issuer)));
        let by = replacing.get(&(record.digest, record.issuer));
        Ok(Unnumbered {
            subject: record.subject,
            posting,
            withdrawals: withdrawals(record, posting, earlier.copied(), by),
            claim: record.claim_type.clone(),
            words: words(&data),
            game: seen.game_key(),
        })
    };
    records.iter().map(read).collect()
}

/// What a record takes back of another name, and what took it back of another name before it came; each by the name that the one taken back
/// is about. Of one name its own postings say it.
fn withdrawals(
    record: &StoredRecord,
    posting: Posting,
    earlier: Option<(u64, u64)>,
    by: Option<&StoredRecord>,
) -> Vec<(u64, Posting)> {
    let is_other = |seq: u64, subject: u64| seq < record.seq && subject != record.subject;
    let earlier = earlier.filter(|(seq, subject)| is_other(*seq, *subject));
    let earlier = earlier.map(|(_, subject)| (subject, posting.withdrawal(record.seq)));
    let by = by.filter(|by| is_other(by.seq, by.subject)).map(|by| {
        let thread = Thread::of(by.digest, "", None, Some(record.digest));
        let by = Posting { said_at: by.said_at, thread, ..posting };
        (record.subject, by.withdrawal(record.seq))
    });
    earlier.into_iter().chain(by).collect()
}

/// What some records replace, where it is held: its place and its subject, by its digest and issuer.
async fn replaced(
    tx: &mut Tx,
    records: &[StoredRecord],
) -> Result<BTreeMap<(Digest, u64), (u64, u64)>, StorageError> {
    let digests: BTreeSet<_> = records.iter().filter_map(|record| record.supersedes).collect();
    let held = tx.held_records(&digests.into_iter().collect::<Vec<_>>()).await?;
    let seqs: Vec<_> = held.values().copied().collect();
    let read = tx.records_at(&seqs).await?.into_iter();
    Ok(read.map(|r| ((r.digest, r.issuer), (r.seq, r.subject))).collect())
}

/// The oldest record by which the issuer of each of some records replaced it, by the record's digest and issuer.
async fn replacing(
    tx: &mut Tx,
    records: &[StoredRecord],
) -> Result<BTreeMap<(Digest, u64), StoredRecord>, StorageError> {
    let digests: Vec<_> = records.iter().map(|record| record.digest).collect();
    let mut found = BTreeMap::new();
    for record in tx.records_superseding(&digests).await? {
        if let Some(digest) = record.supersedes {
            found.entry((digest, record.issuer)).or_insert(record);
        }
    }
    Ok(found)
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
        for (name, withdrawal) in &record.withdrawals {
            by_name.entry(*name).or_default().push(*withdrawal);
        }
    }
    tx.post(&by_name, upto).await
}
