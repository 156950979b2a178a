//! The two engines, and all in which they may differ.
//!
//! A [`Database`] is SQLite in a file or PostgreSQL, whichever its URL names. Reads happen in a [`Tx`] that sees one state from its
//! first statement to its last; writes in one that is alone. Statements are one text for both engines; `on_engine!` pastes their body
//! once for each driver, so that binds and rows are checked against both drivers' real types. No other file of `storage` says which
//! engine it runs on.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgConnection, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use super::StorageError;

/// The advisory lock under which PostgreSQL has one writer at a time: "hallmark" in bytes.
const LOCK_WRITER: &str = "SELECT pg_advisory_xact_lock(7521983763894625899)";
const BEGIN_SQLITE_READ: &str = "BEGIN DEFERRED";
pub(super) const BEGIN_SQLITE_WRITE: &str = "BEGIN IMMEDIATE";
/// A commit that is on the disk when it is acknowledged; and back to what other writers want.
const BEGIN_SQLITE_DURABLE: &str = "PRAGMA synchronous = FULL; BEGIN IMMEDIATE";
const BEGIN_SQLITE_QUICK: &str = "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE";
/// PostgreSQL's form of [`BUSY_TIMEOUT`], and plans for the tables as they are: one that was made for empty tables would read them from
/// end to end when they are full. For this transaction alone: a pooler may refuse settings of the whole connection.
const WRITER_SETTINGS: &str =
    "SET LOCAL lock_timeout = '30s'; SET LOCAL plan_cache_mode = force_custom_plan";
const BEGIN_POSTGRES_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The advisory lock of the one process that follows.
const LOCK_FOLLOWER: &str = "SELECT pg_try_advisory_lock(7521983763894625898)";

/// How long a writer waits for another before it says that the database is busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS_MAX: u32 = 6;
/// What the writer on SQLite keeps in memory, in KiB, negative as SQLite wants it: about the pages that one step of a backfill touches.
/// With its default of 2 MB every page would be written and read again several times within one transaction.
const SQLITE_WRITER_CACHE: &str = "-98304";
/// So many pages of 4 KiB may stand in the write-ahead log before they go into the database: a page that many transactions change goes
/// there once.
const SQLITE_CHECKPOINT_PAGES: &str = "16384";
/// What is left of the write-ahead log's file, in bytes, where a long reading transaction made it grow: as much as it takes otherwise.
const SQLITE_LOG_LEFT: &str = "67108864";
/// So many rows a connection's thread reads ahead of whoever takes them: a thread that waits costs more than many rows.
const SQLITE_ROWS_AHEAD: usize = 1_024;
/// More than there are statements in all their lengths, so that none is read and planned twice by one connection.
const SQLITE_STATEMENTS: usize = 512;
const POSTGRES_CONNECTIONS_MAX: u32 = 16;

/// A database on either engine.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) pools: Pools,
}

/// The right to follow into a database, held until this is dropped or the process ends.
#[derive(Debug)]
pub struct WriterLock {
    _held: Held,
}

#[derive(Debug)]
#[expect(dead_code, reason = "what is held is given back by being dropped")]
enum Held {
    File(File),
    Connection(Box<PgConnection>),
}

#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// One connection writes, a few read; readers never wait for the writer (write-ahead log).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction on whichever engine the database URL named. Dropped without [`commit`](Self::commit), it never was.
///
/// After an error it is only fit to be dropped: PostgreSQL refuses all that follows, and takes a commit for the way back.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one statement on the engine of a transaction.
///
/// The body is pasted once per engine. The text and the binds are written once, and each copy is checked against that engine's types.
macro_rules! on_engine {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::storage::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::storage::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(super) use on_engine;

impl Database {
    /// Opens the database that a URL names; a SQLite file and its folder are made if they are not there. The schema is not touched.
    ///
    /// # Errors
    /// When the URL names neither engine, or the engine cannot be reached.
    pub async fn open(url: &str) -> Result<Self, StorageError> {
        let pools = if url.starts_with("sqlite:") {
            open_sqlite(url).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            open_postgres(url).await?
        } else {
            return Err(StorageError::Url { shown: without_secrets(url) });
        };
        Ok(Self { pools })
    }

    /// Opens a database that must be there already.
    ///
    /// # Errors
    /// As [`open`](Self::open), and where there is no such file.
    pub async fn open_existing(url: &str) -> Result<Self, StorageError> {
        if let Some(path) = file_of(url).filter(|path| !path.exists()) {
            return Err(StorageError::Missing { path: path.display().to_string() });
        }
        Self::open(url).await
    }

    /// Makes this process the only one that follows into this database, for as long as the answer is held.
    ///
    /// # Errors
    /// [`StorageError::Followed`] where another process does already.
    pub async fn lock_writer(&self) -> Result<WriterLock, StorageError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let path = writer.connect_options().get_filename().with_extension("lock");
                let fail = |source: std::io::Error| StorageError::Open {
                    shown: path.display().to_string(),
                    source: Box::new(source),
                };
                let file = File::create(&path).map_err(fail)?;
                match file.try_lock() {
                    Ok(()) => Ok(WriterLock { _held: Held::File(file) }),
                    Err(TryLockError::WouldBlock) => Err(StorageError::Followed),
                    Err(TryLockError::Error(source)) => Err(fail(source)),
                }
            }
            Pools::Postgres(pool) => {
                // The lock is the connection's own, and goes with it however the process ends.
                let mut conn = pool.acquire().await?.detach();
                let is_locked: bool =
                    sqlx::query_scalar(LOCK_FOLLOWER).fetch_one(&mut conn).await?;
                if is_locked {
                    Ok(WriterLock { _held: Held::Connection(Box::new(conn)) })
                } else {
                    conn.close().await?;
                    Err(StorageError::Followed)
                }
            }
        }
    }

    /// A transaction for reading: one state, however many statements.
    pub async fn begin_read(&self) -> Result<Tx, StorageError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                Ok(Tx::Sqlite(readers.begin_with(BEGIN_SQLITE_READ).await?))
            }
            Pools::Postgres(pool) => Ok(Tx::Postgres(pool.begin_with(BEGIN_POSTGRES_READ).await?)),
        }
    }

    /// A transaction for writing; only one runs at a time, on either engine, from whichever process.
    pub async fn begin_write(&self) -> Result<Tx, StorageError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with(BEGIN_SQLITE_QUICK).await?))
            }
            Pools::Postgres(pool) => Ok(Tx::Postgres(begin_postgres_write(pool).await?)),
        }
    }

    /// The same, and what it commits outlasts a loss of power. What follows the chain needs no such thing, since the chain can be read
    /// again; what somebody was told is kept does.
    pub async fn begin_durable(&self) -> Result<Tx, StorageError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with(BEGIN_SQLITE_DURABLE).await?))
            }
            Pools::Postgres(pool) => Ok(Tx::Postgres(begin_postgres_write(pool).await?)),
        }
    }

    /// How many reading transactions there may be at a time.
    #[must_use]
    pub const fn readers_max(&self) -> u32 {
        match &self.pools {
            Pools::Sqlite { .. } => SQLITE_READERS_MAX,
            Pools::Postgres(_) => POSTGRES_CONNECTIONS_MAX,
        }
    }

    /// How many connections are lent out. While none is, nothing waits for the database.
    #[must_use]
    pub fn lent_count(&self) -> usize {
        let lent = |size: u32, idle: usize| {
            usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(idle)
        };
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                lent(writer.size(), writer.num_idle()) + lent(readers.size(), readers.num_idle())
            }
            Pools::Postgres(pool) => lent(pool.size(), pool.num_idle()),
        }
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes everything that was written in it last.
    pub async fn commit(self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

async fn begin_postgres_write(
    pool: &PgPool,
) -> Result<Transaction<'static, Postgres>, StorageError> {
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(WRITER_SETTINGS).execute(&mut *tx).await?;
    sqlx::query(LOCK_WRITER).execute(&mut *tx).await?;
    Ok(tx)
}

/// The file of a SQLite URL; `None` for another URL, and for one that names no file.
fn file_of(url: &str) -> Option<PathBuf> {
    if !url.starts_with("sqlite:") {
        return None;
    }
    let options = SqliteConnectOptions::from_str(url).ok()?;
    Some(options.get_filename().to_owned()).filter(|path| path != Path::new(""))
}

async fn open_sqlite(url: &str) -> Result<Pools, StorageError> {
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| StorageError::Open {
        shown: without_secrets(url),
        source,
    };
    let no_file = || StorageError::Url { shown: without_secrets(url) };
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| no_file())?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit survives the death of the process; the last ones may be lost with the machine's power, together with their
        // cursor, and are then followed again.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(SQLITE_ROWS_AHEAD)
        .statement_cache_capacity(SQLITE_STATEMENTS);
    // Each connection would have a database of its own, gone with the process.
    if url.contains(":memory:") || url.contains("mode=memory") || options.get_filename() == "" {
        return Err(no_file());
    }
    if let Some(folder) = options.get_filename().parent().filter(|p| *p != Path::new("")) {
        std::fs::create_dir_all(folder).map_err(|e| fail(Box::new(e)))?;
    }
    // A file is there or it is not, and a connection that was given back was asked then whether it is well; to ask again would cost every
    // transaction a way to the connection's thread and back.
    let pool = |max| {
        let pool = SqlitePoolOptions::new().max_connections(max).acquire_timeout(ACQUIRE_TIMEOUT);
        pool.test_before_acquire(false)
    };
    // The writer comes first: it makes the file and turns the write-ahead log on.
    let writing = options
        .clone()
        .pragma("cache_size", SQLITE_WRITER_CACHE)
        .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES)
        .pragma("journal_size_limit", SQLITE_LOG_LEFT);
    let writer = pool(1).connect_with(writing).await.map_err(|e| fail(Box::new(e)))?;
    let readers = pool(SQLITE_READERS_MAX)
        .connect_with(options.pragma("query_only", "true"))
        .await
        .map_err(|e| fail(Box::new(e)))?;
    Ok(Pools::Sqlite { writer, readers })
}

async fn open_postgres(url: &str) -> Result<Pools, StorageError> {
    let shown = || without_secrets(url);
    let options =
        PgConnectOptions::from_str(url).map_err(|_| StorageError::Url { shown: shown() })?;
    let options = options.application_name("hallmark");
    // The pool would ask again and again, and at last say only that it took too long.
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| StorageError::Open {
        shown: shown(),
        source,
    };
    match tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options)).await {
        Ok(Ok(conn)) => conn.close().await.map_err(|e| fail(Box::new(e)))?,
        Ok(Err(error)) => return Err(fail(Box::new(error))),
        Err(elapsed) => return Err(fail(Box::new(elapsed))),
    }
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    Ok(Pools::Postgres(pool))
}

/// A database URL as it may be shown: without user, password and parameters.
fn without_secrets(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    // A password may hold any sign, also those that end a host.
    match (url.split_once(':'), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        (None, Some((_, rest))) => rest.to_owned(),
        (_, None) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_urls_hold_no_secret() {
        for (url, shown) in [
            ("postgres://me:secret@db:5432/h?sslpassword=secret", "postgres://db:5432/h"),
            ("postgres://me:se@cret@db/h", "postgres://db/h"),
            ("postgres://me:se/cr:et@db/h", "postgres://db/h"),
            ("postgres:me:secret@db/h", "postgres://db/h"),
            ("postgres:///h?host=/run/db&password=secret", "postgres:///h"),
            ("secret@db/h", "db/h"),
            ("sqlite://data/h@home.db?mode=rwc", "sqlite://data/h@home.db"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
