//! What was refused: counted by its reason, and noted where the record can be known again.

use super::Records;
use super::commit::{Named, Outcome};
use super::refused::{Refused, RefusedBecause};
use crate::app::AppError;
use crate::app::error::During;
use crate::attest::limits::Limit;
use crate::storage::{RefusedRecord, StorageError, Tx};
use crate::vocab::UnixSeconds;

/// Notes those of a batch that were refused.
pub(super) async fn note_refused(
    tx: &mut Tx,
    outcomes: &[Outcome],
    batch: &[Named],
) -> Result<(), StorageError> {
    let refused = outcomes.iter().zip(batch).filter_map(|(outcome, record)| match outcome {
        Outcome::Refused(refused) => Some(refused.row(record.checked.received_at)),
        Outcome::Again(_) | Outcome::Held(_) | Outcome::Taken(_) => None,
    });
    let refused: Vec<_> = refused.collect();
    if refused.is_empty() { Ok(()) } else { tx.note_refused(&refused).await }
}

impl Records {
    /// Notes records that were refused before they came to the log, and counts them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_refusals(&self, refused: &[&Refused]) -> Result<(), AppError> {
        let during = || "cannot note what was refused".to_owned();
        let now = self.clock.now();
        for refused in refused {
            count_refused(refused);
        }
        // Of what cannot even be read nobody is known who said it: it is counted, and fills no table.
        let known = refused.iter().filter(|refused| refused.digest.is_some());
        let rows: Vec<_> = known.map(|refused| refused.row(now)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.database.begin_write().await.during(during)?;
        tx.note_refused(&rows).await.during(during)?;
        tx.commit().await.during(during)
    }
}

/// Counts a refusal by its reason.
pub(super) fn count_refused(refused: &Refused) {
    metrics::counter!("hallmark_records_refused_total", "reason" => refused.because.as_str())
        .increment(1);
}

impl Refused {
    pub(super) fn limit(limit: &Limit) -> Self {
        Self::new(RefusedBecause::Limit(limit.as_str()), limit)
    }

    /// As it is noted; its number is the table's to give.
    fn row(&self, received_at: UnixSeconds) -> RefusedRecord {
        RefusedRecord {
            number: 0,
            received_at,
            reason: self.because.as_str().to_owned(),
            detail: self.detail.clone(),
            issuer: self.issuer.clone(),
            digest: self.digest,
        }
    }
}
