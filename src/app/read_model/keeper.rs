//! Holds the read model and keeps it in step with the database.
//!
//! Whoever follows in this process tells of each commit; whoever follows elsewhere is noticed by looking. Both lead to the same thing:
//! one transaction that reads what changed, then one change of the model. While the model is not known to be of a young state, as
//! before it was read or when the database cannot be reached, it is not given out at all, and the database itself has to be asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, TryLockError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify};

use super::{Change, ReadModel};
use crate::storage::{Database, StorageError};

/// How long a model is given out after it was last known to be of the database's state.
const AGE_MAX: Duration = Duration::from_secs(3);
/// How often the database is looked at where nobody tells of commits.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long to wait before the next look at a database that failed, and between looks during a backfill.
const PAUSE: Duration = Duration::from_secs(1);
/// A cursor this many blocks behind the head is a backfill's: it moves so fast that following each step would cost it time.
const BACKFILL_LAG: u64 = 256;
/// How often a change is tried at a moment when nobody reads before readers are made to wait for it.
const TRIES: u32 = 1000;
/// Of the time since the last look, at most one part in so many goes into looking.
const REST: u32 = 10;

/// Shares one read model among all who ask.
#[derive(Clone, Debug)]
pub struct ModelKeeper(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    database: Database,
    age_max: Duration,
    model: RwLock<Option<ReadModel>>,
    born: Instant,
    /// When the model was last known to be of the database's state: nanoseconds after `born`, and one; 0 for never.
    checked: AtomicU64,
    /// Only one refreshes at a time.
    turn: Mutex<()>,
    news: Notify,
}

impl ModelKeeper {
    /// A keeper that holds nothing yet.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self::with_age_max(database, AGE_MAX)
    }

    /// A keeper that gives its model out for so long after it was last checked.
    #[must_use]
    pub fn with_age_max(database: Database, age_max: Duration) -> Self {
        Self(Arc::new(Kept {
            database,
            age_max,
            model: RwLock::default(),
            born: Instant::now(),
            checked: AtomicU64::new(0),
            turn: Mutex::default(),
            news: Notify::new(),
        }))
    }

    /// Asks the model something; `None` where there is none that is known to be of a young state. What is asked must not take long: the
    /// model cannot change meanwhile.
    pub fn read<T>(&self, ask: impl FnOnce(&ReadModel) -> T) -> Option<T> {
        let checked = self.0.checked.load(Ordering::Acquire);
        let age = self.now().saturating_sub(checked);
        if checked == 0 || Duration::from_nanos(age) > self.0.age_max {
            return None;
        }
        self.look().as_deref().and_then(Option::as_ref).map(ask)
    }

    /// Brings the model to the state of the database.
    ///
    /// # Errors
    /// When the database fails; the model is as it was.
    pub async fn refresh(&self) -> Result<(), StorageError> {
        let _turn = self.0.turn.lock().await;
        let now = self.now();
        let mut tx = self.0.database.begin_read().await?;
        let standing = self.look().as_deref().and_then(Option::as_ref).map(ReadModel::standing);
        let change = match standing {
            Some(standing) => {
                // The model does not change meanwhile: only one refreshes at a time.
                let set_after = |block| {
                    let model = self.look();
                    let model = model.as_deref().and_then(Option::as_ref);
                    model.map(|model| model.shelf.set_after(block)).unwrap_or_default()
                };
                ReadModel::since(&standing, &mut tx, set_after).await?
            }
            None => Change::Anew,
        };
        match change {
            Change::None => {}
            Change::Tags(tags, log_size) => {
                let change = |model: &mut Option<ReadModel>| {
                    if let Some(model) = model {
                        model.tags = *tags;
                        model.log_size = log_size;
                    }
                };
                self.change(change).await;
            }
            Change::Onward(onward) => {
                let change = |model: &mut Option<ReadModel>| {
                    if let Some(model) = model {
                        model.go_on(*onward);
                    }
                };
                self.change(change).await;
            }
            Change::Anew => {
                // The old one is of no use any more, and two at once would take the memory of two.
                self.change(|model| *model = None).await;
                let anew = ReadModel::read(&mut tx).await?;
                self.change(|model| *model = anew).await;
            }
        }
        self.0.checked.store(now, Ordering::Release);
        Ok(())
    }

    /// Says that something was committed in this process.
    pub fn tell(&self) {
        self.0.news.notify_one();
    }

    /// Keeps the model in step until it is dropped.
    pub async fn keep(&self) {
        let mut is_well = true;
        loop {
            let began = Instant::now();
            let rest = match self.refresh().await {
                Ok(()) => {
                    is_well = true;
                    self.rest(began.elapsed())
                }
                Err(error) => {
                    if is_well {
                        tracing::warn!(%error, "cannot keep up with the database; it is asked itself until that passes");
                    }
                    is_well = false;
                    PAUSE
                }
            };
            tokio::time::sleep(rest).await;
            let look = LOOK_EVERY.saturating_sub(rest);
            tokio::select! {
                () = self.0.news.notified() => {}
                () = tokio::time::sleep(look) => {}
            }
        }
    }

    /// How long to leave the database alone after a look that took so long.
    fn rest(&self, took: Duration) -> Duration {
        let is_backfilling = self.look().as_deref().and_then(Option::as_ref).is_some_and(|model| {
            let head = model.tags.head.map_or(0, |head| head.block.number);
            head.saturating_sub(model.indexed.block.number) > BACKFILL_LAG
        });
        if is_backfilling { PAUSE } else { took.saturating_mul(REST).min(PAUSE) }
    }

    /// The model; nothing where a change broke off in the middle.
    fn look(&self) -> Option<RwLockReadGuard<'_, Option<ReadModel>>> {
        self.0.model.read().ok()
    }

    /// Changes the model between two readers. One that waits for the lock makes all who come later wait as well, and a reader may lose
    /// the processor for milliseconds while it holds it.
    async fn change(&self, change: impl FnOnce(&mut Option<ReadModel>)) {
        let lock = &self.0.model;
        for _ in 0..TRIES {
            let is_broken = match lock.try_write() {
                Ok(mut model) => return change(&mut model),
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Poisoned(_)) => true,
            };
            if is_broken {
                break;
            }
            tokio::task::yield_now().await;
        }
        let mut model = lock.write().unwrap_or_else(|broken| {
            lock.clear_poison();
            let mut model = broken.into_inner();
            *model = None;
            model
        });
        change(&mut model);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.born.elapsed().as_nanos()).unwrap_or(u64::MAX - 1).saturating_add(1)
    }
}
