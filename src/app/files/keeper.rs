//! Fetches what is due, a little at a time, for as long as the program runs.
//!
//! A turn looks through what was recorded, takes the sources whose time has come, and asks their hosts: several hosts at once, each for one
//! thing at a time with a pause between. Each result is committed on its own, so that whoever follows never waits long and a process that
//! dies loses one fetch. What is due is in the database, and nothing is remembered here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use alloy::primitives::B256;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::fetch::{Failed, FileFetcher, Got};
use super::scan::{named_by, scan, want};
use crate::app::Clock;
use crate::did::claims::Said;
use crate::did::web::WebHost;
use crate::registry::file::{Source, SourceKind};
use crate::storage::{Database, DueSource, Fetch, NEVER, StorageError, Tx};
use crate::vocab::UnixSeconds;

/// So many hosts are asked at once.
const HOSTS_AT_ONCE: usize = 8;
/// So many sources are taken in a turn, and so many of them of one host.
const PER_TURN: u32 = 256;
const PER_HOST: usize = 32;
/// A host is left alone so long between two requests.
const HOST_PAUSE: Duration = Duration::from_millis(250);
/// After so many requests that it did not answer, a host is asked no more in this turn.
const SILENT_MAX: usize = 2;
/// How long to wait where nothing is due, and after trouble with the database.
const IDLE: Duration = Duration::from_secs(1);
const TROUBLE: Duration = Duration::from_secs(10);
/// How often sources are counted.
const COUNT_EVERY_S: u64 = 30;

/// What was seen is looked at again after so long, in seconds, some sooner and some later so that not all come at once.
const AGAIN_S: u64 = 24 * 3600;
/// Content that only a gateway vouches for.
const UNPROVEN_AGAIN_S: u64 = 7 * 24 * 3600;
/// After a failure: this long, four times as long after each further one, and never longer than that.
const RETRY_S: u64 = 300;
const RETRY_MAX_S: u64 = 7 * 24 * 3600;

/// Keeps files in step with the record and their hosts.
pub struct FileKeeper {
    database: Database,
    fetcher: FileFetcher,
    clock: Arc<dyn Clock>,
    host: WebHost,
    pause: Duration,
    room: Room,
}

/// How much may be kept, and how much is.
struct Room {
    max: u64,
    /// As far as it is known: it is counted once, and this process alone adds to it.
    stored: OnceCell<AtomicU64>,
    /// Whether it was said that there is no more.
    is_full: AtomicBool,
}

/// What one turn came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How many URIs and DIDs were found to have been set.
    pub found: usize,
    /// How many sources were due.
    pub due: usize,
}

impl FileKeeper {
    /// A keeper. `host` is that of this service's DIDs: its own documents are not fetched.
    #[must_use]
    pub fn new(
        database: Database,
        fetcher: FileFetcher,
        clock: Arc<dyn Clock>,
        host: WebHost,
    ) -> Self {
        let room = Room { max: u64::MAX, stored: OnceCell::new(), is_full: AtomicBool::new(false) };
        Self { database, fetcher, clock, host, pause: HOST_PAUSE, room }
    }

    /// The same, keeping at most so many bytes of what it fetches: what would go beyond counts as not fetched, and is tried again later.
    #[must_use]
    pub fn with_stored_max(mut self, bytes: u64) -> Self {
        self.room.max = bytes;
        self
    }

    /// The same with another pause between two requests to one host.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Takes turns until it is dropped.
    pub async fn keep(&self) {
        let mut is_well = true;
        loop {
            let rest = match self.turn().await {
                Ok(Turn { due, .. }) => {
                    is_well = true;
                    if due == 0 { IDLE } else { Duration::ZERO }
                }
                Err(error) => {
                    if is_well && !error.is_transient() {
                        tracing::warn!(%error, "registration files cannot be kept until this passes");
                    }
                    is_well = false;
                    TROUBLE
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Looks through what was recorded since the last turn, and fetches what is due, within bounds.
    ///
    /// # Errors
    /// When the database fails. What was fetched before is kept.
    pub async fn turn(&self) -> Result<Turn, StorageError> {
        let now = self.clock.now();
        let Some(found) = scan(&self.database, &self.host, now).await? else {
            return Ok(Turn::default());
        };
        let due = self.due(now).await?;
        let count = due.values().map(Vec::len).sum();
        stream::iter(due.into_values())
            .map(|sources| self.ask(sources))
            .buffer_unordered(HOSTS_AT_ONCE)
            .try_collect::<()>()
            .await?;
        self.count(now).await?;
        Ok(Turn { found, due: count })
    }

    /// The sources whose time has come and that somebody names, by host.
    async fn due(
        &self,
        now: UnixSeconds,
    ) -> Result<BTreeMap<String, Vec<DueSource>>, StorageError> {
        let mut tx = self.database.begin_read().await?;
        let mut by_host: BTreeMap<String, Vec<DueSource>> = BTreeMap::new();
        let mut unnamed = Vec::new();
        for due in tx.due_sources(now, PER_TURN).await? {
            if !tx.is_source_named(due.source.id()).await? {
                unnamed.push(due.source.id());
                continue;
            }
            let of_host = by_host.entry(FileFetcher::host_of(&due.source)).or_default();
            if of_host.len() < PER_HOST {
                of_host.push(due);
            }
        }
        drop(tx);
        if !unnamed.is_empty() {
            let mut tx = self.database.begin_write().await?;
            for id in unnamed {
                tx.park_source(id).await?;
            }
            tx.commit().await?;
        }
        Ok(by_host)
    }

    /// Asks one host for all that is due of it, one after the other.
    async fn ask(&self, sources: Vec<DueSource>) -> Result<(), StorageError> {
        let mut silent = 0;
        for due in sources {
            let got = if silent < SILENT_MAX {
                let got = self.fetcher.fetch(&due.source).await;
                tokio::time::sleep(self.pause).await;
                got
            } else {
                let why = "its host did not answer other requests just before".to_owned();
                Err(Failed { why, is_hosts: true })
            };
            silent = if got.as_ref().is_err_and(|failed| failed.is_hosts) { silent + 1 } else { 0 };
            self.store(&due, got).await?;
        }
        Ok(())
    }

    async fn store(&self, due: &DueSource, got: Result<Got, Failed>) -> Result<(), StorageError> {
        let (id, kind, now) = (due.source.id(), due.source.kind, self.clock.now());
        let outcome = match &got {
            Ok(Got::Content { .. }) => "content",
            Ok(Got::Nothing) => "nothing",
            Err(_) => "failed",
        };
        metrics::counter!("hallmark_file_fetches_total", "kind" => kind.as_str(), "outcome" => outcome)
            .increment(1);
        let mut tx = self.database.begin_write().await?;
        let (got, added) = self.within_room(&mut tx, got).await?;
        match got {
            Ok(Got::Content { body, is_proven }) => {
                let hash = B256::from_slice(&Sha256::digest(&body));
                let next_try = if is_proven { NEVER } else { again(&due.source, now) };
                let content = Some((hash, body.as_slice()));
                let fetch = Fetch { at: now, content, is_proven, next_try };
                if tx.keep_fetch(id, &fetch).await? {
                    let named = named_by(&Said::read(kind, &body), &self.host);
                    want(&mut tx, &named, now).await?;
                    let named: Vec<_> = named.iter().map(Source::id).collect();
                    tx.set_mentions(id, &named).await?;
                }
            }
            Ok(Got::Nothing) => {
                let next_try = again(&due.source, now);
                let fetch = Fetch { at: now, content: None, is_proven: false, next_try };
                if tx.keep_fetch(id, &fetch).await? {
                    tx.set_mentions(id, &[]).await?;
                }
            }
            Err(Failed { why, .. }) => {
                tx.note_fetch_failure(id, now, &why, retry(due.failures, now)).await?;
            }
        }
        tx.commit().await?;
        if let Some(stored) = self.room.stored.get() {
            stored.fetch_add(added, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What was got, unless it would not fit beside what is kept; and how many bytes it adds to that.
    async fn within_room(
        &self,
        tx: &mut Tx,
        got: Result<Got, Failed>,
    ) -> Result<(Result<Got, Failed>, u64), StorageError> {
        let Ok(Got::Content { body, .. }) = &got else { return Ok((got, 0)) };
        if tx.holds_content(B256::from_slice(&Sha256::digest(body))).await? {
            return Ok((got, 0));
        }
        let stored = if let Some(stored) = self.room.stored.get() {
            stored.load(Ordering::Relaxed)
        } else {
            let counted = tx.stored_bytes().await?;
            // Whoever came first counted the same or more.
            self.room.stored.get_or_init(async || AtomicU64::new(counted)).await;
            counted
        };
        let (length, max) = (u64::try_from(body.len()).unwrap_or(u64::MAX), self.room.max);
        let is_full = stored.saturating_add(length) > max;
        if self.room.is_full.swap(is_full, Ordering::Relaxed) != is_full && is_full {
            tracing::warn!(
                stored,
                max,
                "no room for what agents' files say: raise `files_max_mib`"
            );
        }
        if !is_full {
            return Ok((got, length));
        }
        let why = format!(
            "it was fetched and not kept: {stored} bytes of files are, and {max} at most (`files_max_mib`)"
        );
        Ok((Err(Failed { why, is_hosts: false }), 0))
    }

    /// Counts the sources, once in a while.
    async fn count(&self, now: UnixSeconds) -> Result<(), StorageError> {
        let counted_at = self.database.begin_read().await?.file_progress().await?.counted_at;
        let is_young = counted_at.is_some_and(|at| now.get() < at.get() + COUNT_EVERY_S);
        if is_young {
            return Ok(());
        }
        let mut tx = self.database.begin_write().await?;
        let counts = tx.count_sources(now).await?;
        tx.commit().await?;
        show("known", counts.all);
        show("read", counts.read);
        show("failing", counts.failing);
        show("waiting", counts.waiting);
        if let Some(stored) = self.room.stored.get() {
            metrics::gauge!("hallmark_file_bytes").set(gauge(stored.load(Ordering::Relaxed)));
        }
        Ok(())
    }
}

fn show(state: &'static str, count: u64) {
    metrics::gauge!("hallmark_file_sources", "state" => state).set(gauge(count));
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts lie far below 2^53")]
const fn gauge(count: u64) -> f64 {
    count as f64
}

/// When to look again at what was seen.
fn again(source: &Source, now: UnixSeconds) -> UnixSeconds {
    let after = match source.kind {
        SourceKind::Ipfs => UNPROVEN_AGAIN_S,
        SourceKind::Web | SourceKind::Domain | SourceKind::Did => AGAIN_S,
    };
    // Between seven and nine eighths of it, by the source's name.
    let draw = u64::from(source.id().first().copied().unwrap_or_default());
    later(now, after - after / 8 + after / 4 * draw / 255)
}

/// When to try again what failed now, after so many failures before.
fn retry(failures: u64, now: UnixSeconds) -> UnixSeconds {
    let times = u32::try_from(failures.min(12)).unwrap_or_default();
    later(now, RETRY_S.saturating_mul(4_u64.saturating_pow(times)).min(RETRY_MAX_S))
}

fn later(now: UnixSeconds, seconds: u64) -> UnixSeconds {
    UnixSeconds::new(now.get().saturating_add(seconds)).unwrap_or(UnixSeconds::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_a_week() {
        let now = UnixSeconds::new(1_000).unwrap();
        let pauses: Vec<_> = (0..9).map(|n| retry(n, now).get() - 1_000).collect();
        assert_eq!(pauses[..4], [300, 1_200, 4_800, 19_200]);
        assert_eq!((pauses[6], pauses[8]), (RETRY_MAX_S, RETRY_MAX_S));
        assert_eq!(retry(u64::MAX, UnixSeconds::MAX), UnixSeconds::MAX);
    }
}
