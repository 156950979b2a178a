//! Records of many clients in one transaction.
//!
//! A commit that outlasts a loss of power waits for the disk. Records that arrive meanwhile wait for each other, and go together into the
//! next: one client alone waits for one commit, and a thousand for little more than that. Whoever brought a record hears of it when it is
//! kept, and not before.

use tokio::sync::{mpsc, oneshot};

use super::refused::Refused;
use super::{Accepted, CheckedRecord, Records};

/// So many records wait at most; who brings more waits with them.
const WAITING_MAX: usize = 4_096;
/// So many go into one transaction.
const TOGETHER_MAX: usize = 512;

/// What came of a record, for whoever brought it.
type Reply = oneshot::Sender<Result<Accepted, Refused>>;

/// The end at which records are brought. Copies lead to the same writer.
#[derive(Clone, Debug)]
pub struct RecordQueue {
    sender: mpsc::Sender<(CheckedRecord, Reply)>,
}

/// The end at which they are written.
pub struct RecordWriter {
    records: Records,
    receiver: mpsc::Receiver<(CheckedRecord, Reply)>,
}

/// Nobody writes any more, or the database failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("records cannot be kept now; try again")]
pub struct QueueClosed;

impl RecordQueue {
    /// A queue, and its writer, which somebody has to [`run`](RecordWriter::run).
    #[must_use]
    pub fn new(records: Records) -> (Self, RecordWriter) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self { sender }, RecordWriter { records, receiver })
    }

    /// Appends a record, and waits until it is kept.
    ///
    /// # Errors
    /// [`QueueClosed`] where that is not known; the same record may be brought again.
    pub async fn append(
        &self,
        checked: CheckedRecord,
    ) -> Result<Result<Accepted, Refused>, QueueClosed> {
        let (reply, answer) = oneshot::channel();
        self.sender.send((checked, reply)).await.map_err(|_| QueueClosed)?;
        answer.await.map_err(|_| QueueClosed)
    }

    /// Appends many, and waits until all are kept; they may be kept in several transactions.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn append_all(
        &self,
        checked: Vec<CheckedRecord>,
    ) -> Result<Vec<Result<Accepted, Refused>>, QueueClosed> {
        let mut answers = Vec::with_capacity(checked.len());
        for record in checked {
            let (reply, answer) = oneshot::channel();
            self.sender.send((record, reply)).await.map_err(|_| QueueClosed)?;
            answers.push(answer);
        }
        let mut kept = Vec::with_capacity(answers.len());
        for answer in answers {
            kept.push(answer.await.map_err(|_| QueueClosed)?);
        }
        Ok(kept)
    }
}

impl RecordWriter {
    /// Writes what is brought, until nobody can bring anything any more.
    pub async fn run(mut self) {
        let mut waiting = Vec::with_capacity(TOGETHER_MAX);
        loop {
            if self.receiver.recv_many(&mut waiting, TOGETHER_MAX).await == 0 {
                return;
            }
            let (records, replies): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
            match self.records.commit(records).await {
                Ok(results) => {
                    for (reply, result) in replies.into_iter().zip(results) {
                        // Who has gone away does not hear of it.
                        let _ = reply.send(result);
                    }
                }
                // The replies are dropped with this, which tells whoever waits.
                Err(error) => tracing::error!(%error, "records could not be kept"),
            }
        }
    }
}
